"""Shapes, orders, pieces and borders in jax.lax."""

from __future__ import annotations

from typing import Any

from jax import lax

from plait.backends.jax.lowerings.common import Table

Ints = tuple[int, ...]


def lower_broadcast_to(x: Any, *, shape: Ints) -> Any:
    """The operand stretched, aligned at the last axis."""
    return lax.broadcast_in_dim(x, shape, range(len(shape) - x.ndim, len(shape)))


def lower_reshape(x: Any, *, shape: Ints) -> Any:
    """The elements in row-major order."""
    return lax.reshape(x, shape)


def lower_slice(x: Any, *, starts: Ints, stops: Ints, steps: Ints) -> Any:
    """Python ranges of each axis; XLA steps forwards only, so others are reversed after."""
    low, high, stride, backwards = [], [], [], []
    for axis, taken in enumerate(map(range, starts, stops, steps)):
        if taken.step < 0 and len(taken):
            backwards.append(axis)
            taken = taken[::-1]
        low.append(taken[0] if len(taken) else 0)
        high.append(taken[-1] + 1 if len(taken) else 0)
        stride.append(taken.step if len(taken) else 1)
    piece = lax.slice(x, low, high, stride)
    return lax.rev(piece, backwards) if backwards else piece


def lower_concat(*operands: Any, axis: int) -> Any:
    """One after the other."""
    return lax.concatenate(operands, axis)


def lower_split(x: Any, *, sizes: Ints, axis: int) -> Any:
    """Consecutive pieces."""
    return tuple(lax.split(x, sizes, axis))


def lower_transpose(x: Any, *, permutation: Ints) -> Any:
    """Axes in another order."""
    return lax.transpose(x, permutation)


def lower_pad(x: Any, value: Any, *, low: Ints, high: Ints, interior: Ints) -> Any:
    """A value around and between the elements."""
    return lax.pad(x, value, tuple(zip(low, high, interior, strict=True)))


TABLE: Table = {
    "broadcast_to": lower_broadcast_to,
    "reshape": lower_reshape,
    "stop_gradient": lambda x: x,
    "transpose": lower_transpose,
    "slice": lower_slice,
    "concat": lower_concat,
    "split": lower_split,
    "pad": lower_pad,
}
