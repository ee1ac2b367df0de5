"""Expressions that decide: ternaries, ``and``/``or``/``not``, chains, walrus, lambdas."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, bools, entry, f32, f64, i32, normal


@entry(f64(3.0), f64(-3.0), f32(0.0), 3.0, captures="cond", xla=True)
def relu(x):
    return x if x > 0 else x * 0


@entry(f64(-2.0), f64(0.5), f64(2.0), 0.5, widens=True)
def clamped(x):
    return 0.0 if x < 0 else 1.0 if x > 1 else x


@entry(
    args(f64(1.0), f64(0.0), f64(2.0)),
    args(f64(3.0), f64(0.0), f64(2.0)),
    args(f64(2.0), f64(2.0), f64(2.0)),
    args(f64(float("nan")), f64(0.0), f64(1.0)),
    args(1, 0, 2),
)
def is_between(x, low, high):
    return low <= x < high


@entry(args(i32(1), i32(2), i32(3)), args(i32(1), i32(3), i32(2)), args(2, 2, 2))
def chain_of_four(a, b, c):
    if 0 < a <= b != c:
        return a + b + c
    return a - b - c


@entry(args(f64(1.0), f64(2.0)), args(f64(1.0), f64(0.0)), args(f64(-1.0), f64(0.0)), args(1, 2))
def safe_ratio_above_one(a, b):
    if b != 0 and a / b > 0.25:
        return a / b
    return b


@entry(
    args(f64(5.0), f64(0.0)),
    args(f64(0.0), f64(5.0)),
    args(f64(1.0), f64(1.0)),
    args(5, 0),
    widens=True,
)
def either_is_large(a, b):
    return (a > 3 or b > 3) and not (a > 3 and b > 3)


@entry(args(i32(0), i32(7)), args(i32(3), i32(7)), args(0, 7), args(None, i32(7)))
def default_by_or(value, default):
    return value or default


@entry(args(i32(0), i32(7)), args(i32(3), i32(7)), args(3, 7), args("", i32(7)))
def value_by_and(value, following):
    return value and following


@entry(i32(0), i32(3), f64(float("nan")), 0, captures="")
def negated(x):
    return not x


@entry(
    args(bools(True), bools(False)),
    args(bools(True), bools(True)),
    args(True, bools(False)),
    args(bools(True), True),
    widens=True,
)
def exactly_one(a, b):
    return (a and not b) or (b and not a)


@entry(f64([3.0, 4.0]), f64([0.0, 0.0]), f64([30.0, 40.0]))
def walrus_in_a_test(vector):
    if (norm := np.sqrt((vector**2).sum())) > 10:
        return vector * (10 / norm), norm
    return vector, norm


@entry(f64(100.0), f64(0.5), 100.0, captures="while")
def walrus_in_a_loop(x):
    steps = 0
    while (x := x / 3) > 1:
        steps += 1
    return x, steps


@entry(f64(2.0), f64(-2.0))
def walrus_in_a_ternary(x):
    return (y + 1) if (y := x * 2) > 0 else (y - 1)


@entry(args(f64(2.0), 0), args(f64(2.0), 1), args(2, 1))
def two_lambdas_on_one_line(x, which):
    steps = [lambda v: v + 1 if v > 0 else v, lambda v: v * 2 if v > 0 else -v]
    return steps[which](x), steps[1 - which](-x)


@entry(f64([1.0, -2.0, 3.0]), f64([]))
def lambda_as_argument(values):
    def folded(function, items, start):
        for item in items:
            start = function(start, item)
        return start

    return folded(lambda a, b: a if a > b else b, values, f64(-10.0) + 0 * values.sum())


@entry(args(i32(3), [i32(1), i32(3)]), args(i32(4), [i32(1), i32(3)]), args(3, [1, 3]), args(3, []))
def membership(value, values):
    return 1 if value in values else 0


@entry(args(i32(3), i32([1, 2, 3])), args(i32(5), i32([1, 2, 3])), args(3, i32([1, 2, 3])))
def membership_in_a_tensor(value, values):
    if value not in values:
        return value * 100
    return value


@entry(args(f64(1.0), None), args(f64(1.0), f64(2.0)), args(1.0, None))
def optional_argument(x, bias):
    return x if bias is None else x + bias


@entry(f64([1.0, 2.0]), f64([-1.0, 2.0]), f64([]), breaks=True)
def choice_of_a_string(x):
    return "positive" if (x > 0).all() else "mixed"


@entry(f64([1.0, 2.0]), f64([-1.0, 2.0]), f64([]))
def choice_by_a_reduction(x):
    return x.sum() if (x > 0).all() else -x.sum()


@entry(args(normal(3), normal(3, seed=1)), args(normal(3), normal(3)))
def conditional_in_an_argument(a, b):
    return np.maximum(a if a.sum() > b.sum() else b, 0)


@entry(f64(0.5), f64(1.5), f64(-0.5), 0.5)
def nested_ternaries(x):
    return (1 if x < 1 else 2) if x > 0 else (3 if x > -1 else 4)


@entry(args(f64(2.0), 3), args(f64(-2.0), 3), args(2.0, 3))
def operand_runs_only_when_needed(x, n):
    calls = []

    def positive(value):
        calls.append(n)
        return value > 0

    both = n > 2 and positive(x)
    neither = n > 5 and positive(x)
    return both, neither, len(calls)


@entry(args(f64(1.0), f64(2.0), f64(3.0)), args(f64(3.0), f64(2.0), f64(1.0)))
def all_of_three(a, b, c):
    return a < b and b < c and a + b >= c


@entry(args((f64(1.0), f64(2.0))), args((f64(2.0), f64(1.0))), args((1, 2)))
def ternary_of_tuples(pair):
    low, high = pair if pair[0] < pair[1] else (pair[1], pair[0])
    return high - low, low
