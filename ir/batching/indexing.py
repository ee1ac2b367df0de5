"""Batching of gather, scatter and windows: rows run together, or are one more axis that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    align,
    along,
    define_batch,
    inserted,
    move_axis,
    move_to_front,
    scalar,
    shifted_axes,
    to_axis,
    to_front,
)
from plait.ir.types import Dimension, int64, uint64

Operands = Sequence[Any]
Dims = Sequence[int | None]
Attributes = Mapping[str, Any]


@define_batch(ops.gather)
def _gather(operands: Operands, dims: Dims, size: Dimension, attributes: Attributes) -> Batched:
    (x, *indices), (dim, *dims_of_indices) = operands, dims
    axes, batch = attributes["axes"], attributes.get("batch", 0)
    is_shared = all(d is None for d in dims_of_indices)
    if dim is None:  # each row's places are further places
        places = [to_axis(i, d, size, batch) for i, d in zip(indices, dims_of_indices, strict=True)]
        return ops.gather(x, *places, axes=axes, batch=batch), axes[0]
    further = tuple([a + 1 for a in axes])
    if is_shared:
        x = move_axis(x, dim, batch)
        return ops.gather(x, *indices, axes=further, batch=batch), batch
    places = [to_front(i, d, size) for i, d in zip(indices, dims_of_indices, strict=True)]
    return ops.gather(move_to_front(x, dim), *places, axes=further, batch=batch + 1), 0


@define_batch(ops.scatter)
def _scatter(operands: Operands, dims: Dims, size: Dimension, attributes: Attributes) -> Batched:
    axes, batch = attributes["axes"], attributes.get("batch", 0)
    is_shared = all(d is None for d in dims[2:])
    further = tuple([a + 1 for a in axes])
    place = batch if is_shared else 0
    x, updates, *indices = operands
    if not is_shared:
        indices = [to_front(i, d, size) for i, d in zip(indices, dims[2:], strict=True)]
    return ops.scatter(
        to_axis(x, dims[0], size, place),
        to_axis(updates, dims[1], size, place),
        *indices,
        **{**attributes, "axes": further, "batch": batch + (not is_shared)},
    ), place


@define_batch(ops.dynamic_slice)
def _dynamic_slice(
    operands: Operands, dims: Dims, size: Dimension, attributes: Attributes
) -> Batched:
    (x, *starts), (dim, *dims_of_starts) = operands, dims
    sizes = attributes["sizes"]
    if all(d is None for d in dims_of_starts):
        assert dim is not None
        places = inserted(starts, dim, _zero(starts))
        return ops.dynamic_slice(x, *places, sizes=inserted(sizes, dim, size)), dim
    is_shared = dim is None
    if dim is not None:
        x = move_to_front(x, dim)
    whole = x.shape if is_shared else x.shape[1:]
    axes, windows = _window_places(starts, dims_of_starts, sizes, whole, size)
    if not axes:
        return x, None if is_shared else 0
    if is_shared:
        found = ops.gather(x, *windows, axes=axes, batch=0)
        found = move_axis(found, axes[0], 0)
    else:
        found = ops.gather(x, *windows, axes=shifted_axes(axes, 0), batch=1)
    return _in_order(found, axes, len(sizes)), 0


@define_batch(ops.dynamic_update_slice)
def _dynamic_update_slice(
    operands: Operands, dims: Dims, size: Dimension, attributes: Attributes
) -> Batched:
    (x, update, *starts), dims_of_starts = operands, dims[2:]
    if all(d is None for d in dims_of_starts):
        (x, update), dim = align((x, update), dims[:2], size)
        return ops.dynamic_update_slice(x, update, *inserted(starts, dim, _zero(starts))), dim
    x, update = to_front(x, dims[0], size), to_front(update, dims[1], size)
    sizes = update.shape[1:]
    axes, places = _window_places(starts, dims_of_starts, sizes, x.shape[1:], size)
    if not axes:
        return update, 0
    order = _picked_order(axes, len(sizes))
    update = ops.transpose(update, permutation=(0, *[a + 1 for a in order]))
    further = shifted_axes(axes, 0)
    return ops.scatter(x, update, *places, axes=further, batch=1, mode="set", unique=True), 0


def _zero(starts: Sequence[Any]) -> Any:
    """A start that does not move, of the dtype of the others."""
    return scalar(starts[0], 0) if starts else np.asarray(0, int64)


def _window_places(
    starts: Sequence[Any], dims: Dims, sizes: Any, whole: Any, size: Dimension
) -> tuple[tuple[int, ...], list[Any]]:
    """The axes along which windows differ, and the places of each row's window along them.

    Axes that a window covers whole are left out: there it cannot move.
    """
    axes = tuple([a for a, (n, m) in enumerate(zip(sizes, whole, strict=True)) if n != m])
    shape = (size, *[sizes[a] for a in axes])
    places = []
    for k, a in enumerate(axes):
        start = to_front(starts[a], dims[a], size)
        first = along(_clamped(start, whole[a] - sizes[a]), len(shape), 0)
        steps = ops.iota(dtype=int64, shape=(sizes[a],), axis=0)
        steps = ops.broadcast_to(along(steps, len(shape), k + 1), shape=shape)
        places.append(ops.add(ops.broadcast_to(first, shape=shape), steps))
    return axes, places


def _clamped(start: Any, last: int) -> Any:
    """Starts from 0 to ``last`` as int64."""
    if start.dtype == uint64 or last <= np.iinfo(start.dtype).max:
        limit = ops.broadcast_to(scalar(start, last), shape=start.shape)
        start = ops.minimum(start, limit)
    if start.dtype != int64:
        start = ops.cast(start, dtype=int64)
    return ops.maximum(start, ops.broadcast_to(np.asarray(0, int64), shape=start.shape))


def _picked_order(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The order in which ``gather`` gives the axes of a window: its axes, where the first is."""
    before = [a for a in range(axes[0]) if a not in axes]
    after = [a for a in range(axes[0], ndim) if a not in axes]
    return (*before, *axes, *after)


def _in_order(found: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """A gathered window, its batch axis first, with its axes in the order of x."""
    order = _picked_order(axes, ndim)
    if order == tuple(range(ndim)):
        return found
    return ops.transpose(found, permutation=(0, *[order.index(a) + 1 for a in range(ndim)]))
