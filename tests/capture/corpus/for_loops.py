"""``for`` loops over tensors, ranges, lists, dictionaries and what ``zip`` and others make."""

from __future__ import annotations

import itertools

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal


@entry(f64([1.0, 2.0, 3.0]), f32([]), i32([4]), normal(3, 2), [1, 2, 3], captures="scan", xla=True)
def running_total(values):
    total = 0
    for value in values:
        total = total + value
    return total


@entry(args(f64([1.0, 0.0, 2.0]), f64(3.0)), args(f32([5.0]), f32(2.0)), args([1, 0, 2], 3))
def horner(coefficients, x):
    result = 0
    for coefficient in coefficients:
        result = result * x + coefficient
    return result


@entry(i32(5), i32(0), i32(-2), i64(12), 5, 0)
def factorial(n):
    result = 1
    for k in range(1, n + 1):
        result = result * k
    return result


@entry(i32(10), i32(0), i32(1), i64(50), 10)
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@entry(args(f64(1.0), 100), args(f64(1.0), 3), args(f32(2.0), 20), args(f64(1.0), 0))
def long_range(x, n):
    for i in range(n):
        x = x + i * 0.01
    return x


@entry(args(f64([1.0, 2.0, 3.0, 4.0]), 2), args(f64([1.0, 2.0, 3.0, 4.0]), -1))
def range_with_step(x, step):
    total = x[0] * 0
    for i in range(3 if step < 0 else 0, -1 if step < 0 else 4, step):
        total = total * 10 + x[i]
    return total


@entry(f64([3.0, 1.0, 2.0]), f64([1.0, 1.0]), i32([5, 9, 9]), f32([2.0]), [3, 1, 2])
def position_of_largest(values):
    best, where = values[0], 0
    for i, value in enumerate(values):
        if value > best:
            best, where = value, i
    return best, where


@entry(
    args(f64([1.0, 2.0]), f64([3.0, 4.0])),
    args(normal(3, 2), normal(3)),
    args(f64([1.0, 2.0, 3.0]), [1.0, 2.0]),
    args([1, 2], (3, 4)),
)
def dot_by_zip(a, b):
    total = 0.0
    for x, y in zip(a, b):
        total = total + x * y
    return total


@entry(args([f64([1.0, 2.0]), f64([3.0]), f64([])]), args([]), args((f32(1.0), f32(2.0))))
def list_of_tensors(parts):
    total = 0
    for part in parts:
        total = total + part.sum()
    return total


@entry({"w": f64([1.0, 2.0]), "b": f64(3.0)}, {})
def dictionary_of_tensors(parameters):
    squares, names = 0, ""
    for name, value in parameters.items():
        squares = squares + (value**2).sum()
        names = names + name
    return squares, names


@entry(normal(2, 3), normal(3, 2), f64([[]]), i32([[1, 2], [3, 4]]), captures="scan, scan")
def matrix_trace_by_loops(matrix):
    total = 0
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            total = total + value * (i == j)
    return total


@entry(f64([1.0, 5.0, 2.0]), i32([3, 2, 1]), f64([4.0]), normal(4, 2))
def stacked_results(values):
    steps = []
    state = values[0] * 0
    for value in values:
        state = 0.5 * state + value
        steps.append(state)
    return np.stack(steps), state


@entry(f64([1.0, -2.0, 3.0]), f64([-1.0]), f64([]), [1, -2, 3], widens=True)
def sum_of_positives(values):
    total, count = 0.0, 0
    for value in values:
        if value > 0:
            total = total + value
            count += 1
    return total, count


@entry(normal(5), f64([2.0]), i64([3, 1, 2]))
def last_value(values):
    for value in values:
        pass
    return value


@entry(args(f64([1.0, 2.0, 4.0])), args(i32([5])), args(normal(3, 2)))
def differences_of_neighbors(values):
    result = []
    for left, right in itertools.pairwise(values):
        result.append(right - left)
    return result


@entry(f64([3.0, 1.0, 2.0]), f64([1.0]), i32([2, 2]))
def backwards(values):
    folded = values[0] * 0
    for value in reversed(values):
        folded = folded / 2 + value
    return folded


@entry(args(normal(4, 3), 2), args(normal(4, 3), 4), args(normal(4, 3), 3))
def batches(data, size):
    means = []
    for start in range(0, len(data), size):
        means.append(data[start : start + size].mean(axis=0))
    return means


@entry(args(f64([1.0, 2.0, 3.0]), i32(2)), args(f64([1.0, 2.0, 3.0]), i32(0)))
def first_terms(values, n):
    total = values[0] * 0
    for i in range(n):
        total = total + values[i]
    return total


@entry(i32(4), i32(1), i32(0), 4, captures="while, while")
def triangle(n):
    total = 0
    for i in range(n):
        for j in range(i):
            total += i * j
    return total


@entry(
    args(f64([1.0, 2.0]), f64([3.0, 4.0]), f64([5.0, 6.0])),
    args(f64([9.0, 2.0]), f64([3.0, 4.0])),
    args(f64([9.0, 2.0])),
)
def loop_over_a_tuple(*vectors):
    best = vectors[0]
    for vector in vectors[1:]:
        if vector.sum() > best.sum():
            best = vector
    return best


@entry(f64([1.0, 2.0, 3.0]), f64([]), [1.0])
def for_else(values):
    total = 0.0
    for value in values:
        total = total + value
    else:
        total = total + 1000
    return total


@entry(args(f64([[1.0, 2.0], [3.0, 4.0]])), args([(1, 2), (3, 4)]))
def unpacked_rows(pairs):
    total = 0
    for first, second in pairs:
        total = total + first * second
    return total


@entry(args([f64(1.0), 2, f64(3.0)], "ab"), args([], "ab"))
def product_of_both(values, letters):
    seen = []
    for value, letter in itertools.product(values, letters):
        seen.append((letter, value + 1))
    return seen
