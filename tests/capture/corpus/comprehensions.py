"""Comprehensions over tensors and Python values."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f64, i32, normal


@entry(args(f64([1.0, 2.0]), 3), args(f64(2.0), 0), args(2.0, 3))
def powers(x, n):
    return [x**k for k in range(n)]


@entry(f64([1.0, 4.0, 9.0]), f64([]), normal(2, 2), [1.0, 2.0])
def doubled_rows(values):
    return [value * 2 for value in values]


@entry({"a": f64([3.0, -1.0]), "b": f64([0.5])}, {})
def clipped_gradients(gradients):
    return {name: np.clip(g, -1, 1) for name, g in gradients.items()}


@entry(
    args([f64(1.0), f64(-1.0), f64(2.0)]),
    args([f64(-1.0), f64(1.0), f64(-2.0)]),
    args([]),
    args([1, -1, 2]),
)
def ternary_in_a_comprehension(values):
    return [v if v > 0 else v * 0 for v in values]


@entry(args([1, 2, 3, 4], f64(10.0)), args([], f64(10.0)), args([1, 3], 10))
def filtered_by_a_python_value(numbers, x):
    return [x * n for n in numbers if n % 2 == 0]


@entry(args(f64([1.0, 2.0]), f64([3.0, 4.0])), args([1, 2], [3]), args(f64([]), f64([])))
def pairs(a, b):
    return [x * y for x in a for y in b]


@entry(f64([3.0, 4.0]), i32([1, 2, 3]), [1, 2])
def sum_of_a_generator(values):
    return sum(v * v for v in values)


@entry(normal(2, 3), i32([[1, 2], [3, 4]]))
def transposed_by_hand(matrix):
    rows, columns = matrix.shape
    return np.stack([np.stack([matrix[i, j] for i in range(rows)]) for j in range(columns)])


@entry(args(f64(2.0)), args(f64(-2.0)), args(2.0))
def names_do_not_leak(x):
    y = x
    squares = [y * y for y in (x, x + 1)]
    return y, squares


@entry(args(f64([1.0, 2.0, 3.0]), f64(2.0)), args(f64([1.0]), f64(5.0)))
def comprehension_sees_locals(values, scale):
    offset = scale + 1

    def shifted(v):
        return v * scale + offset

    return [shifted(v) for v in values], {k: offset + k for k in range(2)}


@entry(args([f64(1.0), 2, "three", None]), args([]))
def by_kind(items):
    tensors = [item for item in items if hasattr(item, "dtype")]
    kinds = {type(item).__name__ for item in items if not hasattr(item, "dtype")}
    return tensors, sorted(kinds)


@entry(args([f64([1.0, 2.0]), f64([3.0])], [f64(1.0), f64(2.0)]))
def layers_by_zip(weights, biases):
    return [np.tanh(w * b) for w, b in zip(weights, biases, strict=True)]


@entry(f64(5.0), f64(-5.0), 5.0)
def walrus_in_a_comprehension(x):
    values = [last := x + k for k in range(3)]
    return values, last


@entry(f64([1.0, -2.0, 3.0]), f64([-1.0]), breaks=True)
def filtered_by_a_tensor(values):
    return [v for v in values if v > 0]


@entry(args([f64(1.0), f64(-2.0), f64(3.0)]), args([f64(-1.0)]), args([1, -2]))
def any_and_all_of_generators(values):
    return any(v > 2 for v in values), all(v > -3 for v in values)
