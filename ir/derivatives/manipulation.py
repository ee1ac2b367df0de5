"""Derivatives of ops that move elements: the same moves backwards, zeros for the rest."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import (
    Application,
    define_vjp,
    like,
    no_gradient,
    partials,
    scalar,
)
from plait.ir.derivatives.moves import flip, invert, slice_axis, zero_pad
from plait.ir.types import Shape

__all__: list[str] = []

Ints = tuple[int, ...]


def _broadcast_to(g: Any, z: Any, x: Any, *, shape: Shape) -> Any:
    """Sums over the repetitions."""
    extra = len(shape) - x.ndim
    inner = [extra + i for i, d in enumerate(x.shape) if d == 1 and shape[extra + i] != 1]
    axes = (*range(extra), *inner)
    summed = ops.reduce_sum(g, axes=axes) if axes else g
    return ops.reshape(summed, shape=x.shape) if inner else summed


def _slice(g: Any, z: Any, x: Any, *, starts: Ints, stops: Shape, steps: Ints) -> Any:
    """Zeros in place of the elements that were not taken."""
    if 0 in g.shape:
        return like(x, 0)
    g = flip(g, [i for i, step in enumerate(steps) if step < 0])
    low, high, gaps = [], [], []
    for size, count, start, step in zip(x.shape, g.shape, starts, steps, strict=True):
        if size == count:
            ends = (0, 0)
        else:
            last = start + (count - 1) * step
            ends = (min(start, last), size - 1 - max(start, last))
        low.append(ends[0])
        high.append(ends[1])
        gaps.append(abs(step) - 1)
    return zero_pad(g, low, high, gaps)


def _pad_inner(g: Any, z: Any, x: Any, value: Any, *, low: Ints, high: Ints, interior: Ints) -> Any:
    stops = [
        size if (a, b, gap) == (0, 0, 0) else a + max((size - 1) * (gap + 1) + 1, 0)
        for size, a, b, gap in zip(x.shape, low, high, interior, strict=True)
    ]
    return ops.slice_(g, starts=low, stops=tuple(stops), steps=tuple([n + 1 for n in interior]))


def _pad_value(g: Any, z: Any, x: Any, value: Any, *, low: Ints, high: Ints, interior: Ints) -> Any:
    one = scalar(x.dtype, 1)
    border = ops.pad(like(x, 0), one, low=low, high=high, interior=interior)
    return ops.reduce_sum(ops.multiply(g, border), axes=tuple(range(x.ndim)))


partials(ops.broadcast_to, _broadcast_to)
partials(ops.reshape, lambda g, z, x, shape: ops.reshape(g, shape=x.shape))
partials(
    ops.transpose,
    lambda g, z, x, permutation: ops.transpose(g, permutation=invert(permutation)),
)
partials(ops.slice_, _slice)
partials(ops.pad, _pad_inner, _pad_value)


@define_vjp(ops.concat)
def _concat(at: Application, g: Any) -> tuple[Any, ...]:
    axis = at.attributes["axis"]
    if len(at.operands) == 1:
        return (g,)
    sizes = tuple([x.shape[axis] for x in at.operands])
    if all(at.needs):
        found: tuple[Any, ...] = ops.split(g, sizes=sizes, axis=axis)
        return found
    pieces, start = [], 0
    for size, need in zip(sizes, at.needs, strict=True):
        pieces.append(slice_axis(g, axis, start, start + size) if need else None)
        start += size
    return tuple(pieces)


@define_vjp(ops.split)
def _split(at: Application, *gs: Any) -> tuple[Any, ...]:
    pieces = [like(z, 0) if g is None else g for g, z in zip(gs, at.results, strict=True)]
    return (ops.concat(*pieces, axis=at.attributes["axis"]),)


no_gradient(ops.stop_gradient)

# Ops without operands.
no_gradient(ops.constant, ops.full, ops.iota, ops.philox)
