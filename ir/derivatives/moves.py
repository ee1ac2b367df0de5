"""What rules share: repeated, reversed and shifted elements, and recurrences along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.derivatives.define import scalar
from plait.ir.types import Shape

__all__ = [
    "flip",
    "invert",
    "linear_recurrence",
    "repeat",
    "shift",
    "slice_axis",
    "transpose",
    "zero_pad",
]


def repeat(reduced: Any, shape: Shape, axes: Sequence[int]) -> Any:
    """The result of a reduction, stretched along the axes that it lost."""
    if reduced.shape == ():
        return ops.broadcast_to(reduced, shape=shape) if axes else reduced
    if tuple(axes) != tuple(range(len(axes))):
        kept = tuple([1 if i in axes else d for i, d in enumerate(shape)])
        reduced = ops.reshape(reduced, shape=kept)
    return ops.broadcast_to(reduced, shape=shape) if axes else reduced


def invert(permutation: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def transpose(x: Any, permutation: Sequence[int]) -> Any:
    """The axes in another order; ``x`` itself when they keep theirs."""
    if tuple(permutation) == tuple(range(len(permutation))):
        return x
    return ops.transpose(x, permutation=tuple(permutation))


def slice_axis(x: Any, axis: int, start: int, stop: Any, step: int = 1) -> Any:
    """A range of one axis, the others whole."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))


def flip(x: Any, axes: Sequence[int]) -> Any:
    """The elements along some axes in reverse."""
    for axis in axes:
        x = slice_axis(x, axis, x.shape[axis] - 1, -1, -1)
    return x


def zero_pad(x: Any, low: Sequence[int], high: Sequence[int], interior: Sequence[int]) -> Any:
    """Zeros around and between the elements; negative borders cut."""
    if any(low) or any(high) or any(interior):
        borders = [tuple([max(n, 0) for n in side]) for side in (low, high)]
        x = ops.pad(
            x, scalar(x.dtype, 0), low=borders[0], high=borders[1], interior=tuple(interior)
        )
    if min((*low, *high), default=0) < 0:
        starts = tuple([max(-n, 0) for n in low])
        stops = [size - max(-n, 0) for size, n in zip(x.shape, high, strict=True)]
        stops = [max(a, b) for a, b in zip(starts, stops, strict=True)]
        x = ops.slice_(x, starts=starts, stops=tuple(stops), steps=(1,) * x.ndim)
    return x


def shift(x: Any, axis: int, by: int, fill: Any) -> Any:
    """Element i is ``x[i - by]``, or ``fill`` where that is outside."""
    size = x.shape[axis]
    by = int(np.clip(by, -size, size))
    if by == 0:
        return x
    kept = slice_axis(x, axis, max(-by, 0), size - max(by, 0))
    low, high = [0] * x.ndim, [0] * x.ndim
    low[axis], high[axis] = max(by, 0), max(-by, 0)
    zeros = (0,) * x.ndim
    return ops.pad(kept, scalar(x.dtype, fill), low=tuple(low), high=tuple(high), interior=zeros)


def linear_recurrence(factors: Any, terms: Any, axis: int, reverse: bool) -> Any:
    """``s[i] = terms[i] + factors[i] * s[i - 1]``; with ``reverse``, of ``s[i + 1]``.

    By doubling: in a logarithmic number of steps, each of which runs over all elements (W. D.
    Hillis, G. L. Steele: Data parallel algorithms. Communications of the ACM 29, 1986).
    """
    step, sign = 1, -1 if reverse else 1
    while step < terms.shape[axis]:
        terms = ops.add(terms, ops.multiply(factors, shift(terms, axis, sign * step, 0)))
        factors = ops.multiply(factors, shift(factors, axis, sign * step, 0))
        step *= 2
    return terms
