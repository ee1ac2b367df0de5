"""Python's built-in functions and ``math`` on tensors."""

from __future__ import annotations

import math
import operator

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal


@entry(args(f64(1.0), f64(2.0)), args(f64(2.0), f64(1.0)), args(i32(3), i32(3)), args(1, 2))
def min_and_max_of_two(a, b):
    return min(a, b), max(a, b)


@entry(f64([3.0, 1.0, 2.0]), i32([5]), [3, 1, 2])
def min_and_max_of_a_vector(values):
    return min(values) - max(values)


@entry(args(f64(5.0), f64(-7.0)), args(f64(-5.0), f64(2.0)), args(5, -7))
def max_by_a_key(a, b):
    return max(a, b, key=lambda v: v * v), min([a, b], key=abs)


@entry(f64([1.0, 2.0]), f64([]), normal(3, 2), [1, 2])
def sum_of_a_tensor(values):
    return sum(values), sum(values, 10)


@entry(args(f64(-2.0)), args(f64([-1.0, 2.0])), args(i32(-3)), args(-2.5))
def absolute_and_powers(x):
    return abs(x), pow(x, 2), divmod(x, 2), -x, +x


@entry(f64(9.0), f64(2.25), 9.0, numpy=False)
def math_functions(x):
    return math.sqrt(x), math.exp(-x), math.hypot(x, 1), math.atan2(x, 2), math.pi * x


@entry(f64(2.5), f64(-2.5), f64(7.0), 2.5, numpy=False)
def math_in_a_condition(x):
    if math.sin(x) > 0:
        return math.floor(x)
    return math.ceil(x)


@entry(f64(2.7), f64(-2.7), i32(5), 2.7, numpy=False)
def int_of_a_tensor(x):
    return int(x) + 1


@entry(f32(2.5), i64(-3), 7, numpy=False)
def float_of_a_tensor(x):
    return float(x) / 2


@entry(f64(0.0), f64(3.0), i32(0), 0.0)
def bool_of_a_tensor(x):
    known = bool(x)
    return 1 if known else 2


@entry(args(normal(4, 2)), args(f64([])), args([1, 2]))
def len_in_arithmetic(x):
    half = len(x) // 2
    return x[:half], len(x) * 1.5


@entry(f64([3.0, 1.0, 2.0]), i32([2, 2]), f64([]), [3, 1])
def sorted_values(values):
    return sorted(values), [v * 2 for v in sorted(values, reverse=True)]


@entry(args(f64([1.0, -2.0]), f64([3.0, 4.0])), args([1, -2], [3, 4]))
def zip_enumerate_reversed(a, b):
    found = []
    for k, (x, y) in enumerate(zip(a, reversed(b)), start=1):
        found.append(k * x + y)
    return found


@entry(f64([1.0, 0.0]), f64([1.0, 2.0]), f64([0.0, 0.0]), f64([]), [1, 0])
def any_and_all(values):
    if all(values):
        return 2
    return 1 if any(values) else 0


@entry(f64([1.0, 2.0]), i32(3), 3, "text")
def kinds(x):
    if isinstance(x, (int, str)):
        return "plain"
    if callable(x) or not hasattr(x, "shape"):
        return "odd"
    return getattr(x, "shape"), getattr(x, "missing", None)  # noqa: B009


@entry(args(f64(3.0), 2), args(f64([1.0, 2.0]), 3), args(3.0, 2))
def operator_functions(x, n):
    pick = operator.itemgetter(0)
    return operator.add(x, n), operator.neg(x), operator.lt(x, n), pick([x, n])


@entry(args([f64(1.0), f64(2.0)], [f64(3.0), f64(4.0)]), args([1], [2]))
def map_with_two_iterables(a, b):
    return list(map(operator.mul, a, b))


@entry(f64([[1.0, 2.0], [3.0, 4.0]]), i32([[1], [2]]), [[1, 2], [3, 4]])
def transposed_by_zip(rows):
    return [list(column) for column in zip(*rows)]


@entry(f64(2.567), 2.567, numpy=False)
def rounded(x):
    return round(x, 1)


@entry(args(i32(3), f64([1.0, 2.0, 3.0, 4.0])), args(i32(1), f64([1.0, 2.0, 3.0, 4.0])))
def range_of_a_tensor(n, values):
    product = values[0]
    for i in range(1, n + 1):
        product = product * values[i]
    return product


@entry(args(slice(1, None), f64([1.0, 2.0, 3.0])), args(slice(None, None, -1), f64([1.0, 2.0])))
def slice_objects(part, x):
    return x[part] * 2


@entry(f64([4.0, 1.0]), np.array([1, 2], np.complex128), f32([2.0]))
def attributes_of_arrays(x):
    return x.real.max(), x.imag.sum(), x.T, x.size, x.nbytes, x.dtype.kind


@entry(f64(7.0), i32(7), f64(-7.0))
def truncations(x):
    return np.floor(x / 2), np.trunc(x / 2), x // 2, x % 4


@entry(f64([3.0, 1.0, 2.0]), f64([1.0]), i32([2, 1]))
def values_as_a_list(x):
    x = x * 2
    values = x.tolist()
    values.sort()
    return values, x.sum()
