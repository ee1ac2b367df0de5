"""Jumps: ``break``, ``continue`` and early ``return``, out of branches and loops."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal


@entry(f64(-4.0), f64(4.0), f64(0.0), -4.0, captures="cond", xla=True)
def early_return(x):
    if x < 0:
        return x * 0
    root = np.sqrt(x)
    return root + 1


@entry(f64(-1.0), f64(0.5), f64(3.0), f64(float("nan")), 0.5)
def several_returns(x):
    if x < 0:
        return 0 * x
    if x < 1:
        return x * x
    if x != x:
        return x
    y = x + 1
    return 2 * y


@entry(
    args(f64([1.0, 5.0, 2.0, 8.0]), f64(4.0)),
    args(f64([1.0, 2.0]), f64(4.0)),
    args(f64([]), f64(4.0)),
    args([1, 5], 4),
    xla=True,
)
def first_above(values, bound):
    for value in values:
        if value > bound:
            return value
    return bound


@entry(args(i32([4, 7, 9]), i32(7)), args(i32([4, 7, 9]), i32(5)), args([4, 7, 9], 9))
def index_of(values, wanted):
    found = -1
    for i, value in enumerate(values):
        if value == wanted:
            found = i
            break
    return found


@entry(
    args(f64([3.0, 2.0, -1.0, 5.0])),
    args(f64([1.0])),
    args(f64([-1.0])),
    args([3.0, -1.0]),
    widens=True,
)
def sum_until_negative(values):
    total = 0.0
    for value in values:
        if value < 0:
            break
        total = total + value
    return total


@entry(i32([1, 2, 3, 4, 5, 6]), i32([2]), i32([]), [1, 2, 3], widens=True)
def sum_of_odds(values):
    total = 0
    for value in values:
        if value % 2 == 0:
            continue
        total = total + value
    return total


@entry(args(i32([1, 2, 3]), i32(2)), args(i32([1, 2, 3]), i32(9)), args([1, 2, 3], 2))
def for_break_else(values, wanted):
    for value in values:
        if value == wanted:
            outcome = value * 10
            break
    else:
        outcome = wanted * -1
    return outcome


@entry(i32(10), i32(3), i32(0), i32(100), 10)
def while_break_else(n):
    steps = 0
    while n > 0:
        if n % 7 == 0:
            break
        n -= 1
        steps += 1
    else:
        steps = -1
    return n, steps


@entry(i64(20), i64(1), 20)
def endless_loop_with_break(limit):
    a, b = 0, 1
    while True:
        if b > limit:
            break
        a, b = b, a + b
    return a


@entry(i64(20), i64(200), 20)
def endless_loop_with_return(limit):
    power = limit * 0 + 1
    while True:
        power = power * 2
        if power > limit:
            return power


@entry(i32(30), i32(7), i32(0), 30, widens=True)
def continue_in_while(n):
    total = 0
    while n > 0:
        n = n - 1
        if n % 3 == 0:
            continue
        if n % 5 == 0:
            continue
        total += n
    return total


@entry(
    args(i64([[1, 2], [3, 4]]), i64(3)),
    args(i64([[1, 2], [3, 4]]), i64(9)),
    args([[1, 2], [3, 4]], 3),
)
def return_from_nested_loops(matrix, wanted):
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if value == wanted:
                return i, j
    return -1, -1


@entry(
    args(i32([[1, 0, 5], [2, 3, 4]])),
    args(i32([[0, 1], [0, 2]])),
    args([[1, 0, 5], [2]]),
    widens=True,
)
def break_of_the_inner_loop(matrix):
    total = 0
    for row in matrix:
        for value in row:
            if value == 0:
                break
            total = total + value
        total = total * 2
    return total


@entry(args(f64(10.0), 5), args(f64(0.1), 5), args(f32(3.0), 50), args(10.0, 5))
def break_in_a_python_range(x, n):
    for i in range(n):
        x = x / 2
        if x < 0.5:
            break
    return x, i


@entry(args(normal(6), f64(0.5)), args(normal(6), f64(50.0)))
def break_with_two_exits(values, bound):
    total = values[0] * 0
    reason = 0
    for value in values:
        total = total + abs(value)
        if total > bound:
            reason = 1
            break
        if value < -1.5:
            reason = 2
            break
    return total, reason


@entry(f64(3.0), f64(-3.0))
def returns_nothing_or_a_value_of_python(x):
    if x.ndim > 0:
        return None
    if x > 0:
        return x
    return -x


@entry(args(f64([1.0, 2.0, 3.0]), True), args(f64([1.0, 2.0, 3.0]), False))
def break_on_a_python_value(values, stop):
    total = values[0] * 0
    for value in values:
        total = total + value
        if stop:
            break
    return total


@entry(i32(9), i32(0), 9)
def return_in_a_with_block(n):
    with np.errstate(divide="ignore"):
        if n > 5:
            return n * 2
        n = n + 1
    return n


@entry(i32([5, 3, -1, 4]), i32([5, 3]), i32([0]))
def continue_and_break(values):
    kept = 0
    skipped = 0
    for value in values:
        if value < 0:
            break
        if value > 4:
            skipped += 1
            continue
        kept = kept + value
    return kept, skipped


@entry(f64(0.0), f64(2.0), f64(9.0), 2.0)
def returns_of_different_depth(x):
    if x > 1:
        if x > 5:
            return x - 5
        x = x * 3
        if x > 5:
            return x
    while x < 3:
        x = x + 1.25
    return -x
