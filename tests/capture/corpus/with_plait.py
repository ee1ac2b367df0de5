"""Functions written with ``pl``: creation, selection, fixed sizes, random numbers."""

from __future__ import annotations

import plait as pl
from tests.capture.entries import args, entry, f32, f64, i32, normal


@entry(i32(6), i32(27), captures="while, cond", numpy=False, xla=True)
def collatz(a):
    steps = pl.constant(0)
    while a != 1:
        if a % 2 == 0:
            a = a // 2
        else:
            a = 3 * a + 1
        steps += 1
    return steps


@entry(i32(6), i32(27), numpy=False, widens=True)
def collatz_that_divides(a):
    steps = pl.constant(0)
    while a != 1:
        if a % 2 == 0:
            a = a / 2
        else:
            a = 3 * a + 1
        steps += 1
    return steps, a


@entry(
    args(normal(6, 4, dtype="float32"), normal(4, 8, dtype="float32")),
    args(normal(1, 4, dtype="float32"), normal(4, 8, dtype="float32")),
    numpy=False,
)
def gated_cell_over_time(inputs, weight):
    state = pl.zeros((4,))
    for x in inputs:
        candidate, gate = pl.split((x + state) @ weight, 2)
        gate = pl.sigmoid(gate)
        state = gate * state + (1 - gate) * pl.tanh(candidate)
        if pl.max(pl.abs(state)) > 0.9:
            state = state * 0.5
    return state


@entry(f64([3.0, -1.0, 2.0]), f64([-1.0]), f64([]), numpy=False)
def positives_with_a_size(x):
    (where,) = pl.nonzero(x > 0, size=4, fill_value=-1)
    return where, pl.sum(pl.where(x > 0, x, 0.0))


@entry(args(normal(3, 4), i32(1)), args(normal(3, 4), i32(2)), numpy=False)
def one_hot_rows(table, row):
    picked = pl.one_hot(row, 3) @ table
    if picked[0] > 0:
        return pl.softmax(picked)
    return pl.log_softmax(picked)


@entry(f32([1.0, 2.0]), f32([-1.0, -2.0]), numpy=False)
def leaky(x):
    slope = pl.asarray(0.1)
    if pl.all(x < 0):
        slope = slope * 2
    return pl.where(x > 0, x, slope * x)


@entry(args(i32(5)), args(i32(0)), numpy=False, captures="while")
def written_buffer(n):
    buffer = pl.zeros((8,), dtype="int32")
    i = 0
    while i < n:
        buffer[i] = i * i
        i += 1
    return buffer


@entry(f32(1.0), f32(-1.0), numpy=False)
def bfloat_branch(x):
    y = pl.astype(x, "bfloat16")
    if y > 0:
        y = y * 3
    return y
