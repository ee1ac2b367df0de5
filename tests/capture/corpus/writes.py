"""In-place writes: items, slices, masks, views of views, ``out=``."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, bools, entry, f32, f64, i32, i64, normal


@entry(args(f64([1.0, 2.0, 3.0]), f64(5.0)), args(f64([1.0, 2.0, 3.0]), f64(-5.0)), xla=True)
def write_in_a_branch(x, value):
    if value > 0:
        x[0] = value
    else:
        x[-1] = value
    return x


@entry(f64([1.0, 2.0, 3.0, 4.0]), i32([5]), f32([]), captures="")
def write_through_a_slice(x):
    view = x[1:]
    view += 10
    view[::2] *= 2
    return view


@entry(normal(3, 4), f32([[1.0, 2.0], [3.0, 4.0]]))
def write_through_a_transpose(matrix):
    turned = matrix.T
    turned[0] = 0
    turned[:, 1] += 1
    return turned


@entry(normal(2, 6), i64([[1, 2], [3, 4]]))
def write_through_a_reshape(matrix):
    flat = matrix.reshape(-1)
    flat[1:3] = flat[0]
    return matrix[0, 1]


@entry(f64([1.0, -2.0, 3.0, -4.0]), f64([]), i32([-1, 1]), normal(3, 2))
def write_by_a_mask(x):
    x[x < 0] = 0
    return x


@entry(args(normal(5), i64([0, 2])), args(normal(5), i64([4, 4])), args(normal(5), i64([])))
def fancy_indexing_copies(x, indices):
    picked = x[indices]
    picked += 100
    x[indices] = 7
    return picked


@entry(args(f64([3.0, 1.0, 2.0]), i32(1)), args(f64([3.0, 1.0, 2.0]), i32(0)))
def write_at_a_tensor_index(x, i):
    x[i] = x[i] * 10
    x[i] += 1
    return x.sum()


@entry(f64([1.0, 2.0, 3.0, 4.0, 5.0]), f64([2.0]), i32([1, 1, 1]), captures="while", xla=True)
def cumulative_in_place(x):
    i = 1
    while i < len(x) + x[0] * 0:
        x[i] += x[i - 1]
        i += 1
    return x


@entry(args(normal(4), normal(4, seed=1)), args(f32([1.0, 2.0]), f32([3.0, 4.0])))
def out_argument(a, b):
    np.add(a, b, out=a)
    np.multiply(a, 2, out=b)
    return a


@entry(args(f64([1.0, 2.0]), f64(1.0)), args(f64([1.0, 2.0]), f64(-1.0)))
def augmented_argument(x, sign):
    same = x
    x += 1
    if sign > 0:
        x *= 3
    return same


@entry(args(f64([1.0, 2.0]), f64(1.0)), args(f64([1.0, 2.0]), f64(-1.0)))
def rebound_argument(x, sign):
    same = x
    x = x + 1
    if sign > 0:
        x = x * 3
    return same, x


@entry(normal(4, 4), np.eye(3), f32([[2.0]]))
def slices_of_slices(matrix):
    inner = matrix[1:, 1:]
    corner = inner[-1:, -1:]
    corner[...] = 9
    inner[0:1] -= 1
    return inner.sum(), corner


@entry(args(f64([1.0, 2.0, 3.0]), f64(2.0)), args(f64([1.0, 2.0, 3.0]), f64(-2.0)))
def view_made_outside_of_the_branch(x, value):
    tail = x[1:]
    if value > 0:
        tail[:] = value
    x[0] = tail.sum()
    return tail


@entry(args(f64([1.0, 2.0, 3.0]), f64(2.0)), args(f64([1.0, 2.0, 3.0]), f64(-2.0)))
def view_chosen_in_a_branch(x, value):
    if value > 0:
        part = x[:1]
    else:
        part = x[1:2]
    part = part + value
    return part, x


@entry(normal(3, 3), f32([[1.0, 2.0], [3.0, 4.0]]))
def rows_scaled_in_a_loop(matrix):
    for i in range(matrix.shape[0]):
        matrix[i] /= np.abs(matrix[i]).sum()
    return matrix


@entry(normal(3, 3), f32([[1.0, 2.0], [3.0, 4.0]]), f64([[]]))
def rows_are_views(matrix):
    for row in matrix:
        row[:] = row[::-1] * 2
    return matrix


@entry(args(np.zeros((3, 2)), f64([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]])))
def rows_written_when_positive(table, rows):
    for i, row in enumerate(rows):
        if row.sum() > 0:
            table[i] = row
    return table


@entry(f64([3.0, 1.0, 2.0]), i32([5, 4, 3, 2, 1]), f64([1.0]), breaks=True)
def insertion_sort(values):
    values = values.copy()
    for i in range(1, len(values)):
        j = i
        while j > 0 and values[j - 1] > values[j]:
            values[j - 1 : j + 1] = values[j - 1 : j + 1][::-1].copy()
            j -= 1
    return values


@entry(args(normal(4), 1), args(normal(4), -1), args(f32([1.0, 2.0, 3.0]), 2))
def overlapping_shift(x, steps):
    if steps > 0:
        x[steps:] = x[:-steps]
    else:
        x[:steps] = x[-steps:]
    return x


@entry(args(normal(2, 3), f64([1.0, 2.0, 3.0])), args(normal(2, 3), f64([[1.0], [2.0]])))
def broadcast_write(x, values):
    x[...] = values
    x[:, 0] = -1
    return x


@entry(args(i32([1, 2, 3]), f64(2.7)), args(i32([1, 2, 3]), f64(-2.7)))
def write_of_another_dtype(x, value):
    x[1] = value
    return x


@entry(args(normal(3), f64([1.0, 2.0])), args(normal(3), f64([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])))
def write_of_a_wrong_shape(x, values):
    x[:] = values
    return x


@entry(
    args(normal(2, 2), bools([True, False])), args(normal(2, 2), bools([False, False])), breaks=True
)
def rows_by_mask(x, mask):
    x[mask] = x[mask] * 2 + 1
    return x


@entry(normal(4), f64([0.0, 1.0]))
def copy_is_no_view(x):
    kept = x.copy()
    x[:] = 0
    kept[0] = 5
    return kept


@entry(args(f64([1.0, 2.0, 3.0, 4.0]), 2), args(f64([1.0, 2.0, 3.0, 4.0]), 4))
def halves_in_place(x, size):
    """The in-place Haar wavelet of a vector."""
    while size > 1:
        half = size // 2
        left, right = x[0:size:2].copy(), x[1:size:2].copy()
        x[:half] = (left + right) / 2
        x[half:size] = (left - right) / 2
        size = half
    return x
