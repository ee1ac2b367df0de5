"""Shapes, orders, pieces and borders: primitives that move elements, as ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.backends.jax.importing.rules import (
    MOVES,
    Lacking,
    Site,
    cast,
    ints,
    pieces,
    reshape,
    rule,
    stacked,
    stretch,
    transpose,
)
from plait.ir import ops

__all__: list[str] = []

MOVES.update(("copy", "copy_p", "device_put", "sharding_constraint"))


@rule("broadcast_in_dim", moves=True)
def _broadcast_in_dim(at: Site, x: Any, *_: Any) -> Any:
    shape = [1] * at.result.ndim
    for axis, size in zip(at.params["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = size
    if x.ndim == 0:
        return stretch(x, at.result.shape)
    return stretch(reshape(x, shape), at.result.shape)


@rule("reshape", moves=True)
def _reshape(at: Site, x: Any, *_: Any) -> Any:
    order = at.params.get("dimensions")
    return reshape(x if order is None else transpose(x, order), at.result.shape)


@rule("squeeze", "expand_dims", moves=True)
def _squeeze(at: Site, x: Any) -> Any:
    return reshape(x, at.result.shape)


@rule("transpose", moves=True)
def _transpose(at: Site, x: Any) -> Any:
    return transpose(x, at.params["permutation"])


@rule("rev", moves=True)
def _rev(at: Site, x: Any) -> Any:
    axes = at.params["dimensions"]
    starts = [n - 1 if a in axes else 0 for a, n in enumerate(x.shape)]
    stops = [-1 if a in axes else n for a, n in enumerate(x.shape)]
    steps = [-1 if a in axes else 1 for a in range(x.ndim)]
    return ops.slice_(x, starts=ints(starts), stops=ints(stops), steps=ints(steps))


@rule("slice", moves=True)
def _slice(at: Site, x: Any) -> Any:
    steps = at.params["strides"] or (1,) * x.ndim
    starts, stops = at.params["start_indices"], at.params["limit_indices"]
    return ops.slice_(x, starts=ints(starts), stops=ints(stops), steps=ints(steps))


@rule("concatenate", moves=True)
def _concatenate(at: Site, *operands: Any) -> Any:
    if len(operands) == 1:
        return operands[0]
    return ops.concat(*operands, axis=int(at.params["dimension"]))


@rule("split", moves=True)
def _split(at: Site, x: Any) -> Any:
    return ops.split(x, sizes=ints(at.params["sizes"]), axis=int(at.params["axis"]))


@rule("stack", moves=True)
def _stack(at: Site, *operands: Any) -> Any:
    return stacked(operands, at.params["axis"])


@rule("unstack", moves=True)
def _unstack(at: Site, x: Any) -> Any:
    return pieces(x, at.params["axis"])


@rule("tile")
def _tile(at: Site, x: Any) -> Any:
    reps = at.params["reps"]
    apart = [size for n in x.shape for size in (1, n)]
    wide = [size for n, r in zip(x.shape, reps, strict=True) for size in (r, n)]
    return reshape(stretch(reshape(x, apart), wide), at.result.shape)


@rule("pad")
def _pad(at: Site, x: Any, value: Any) -> Any:
    return pad(x, value, at.params["padding_config"])


def pad(x: Any, value: Any, config: Any) -> Any:
    """A border of a value, and gaps; where a border is negative, elements are cut."""
    low, high, interior = zip(*config, strict=True) if config else ((), (), ())
    if any(n for part in (low, high, interior) for n in part if n > 0):
        x = ops.pad(
            x,
            value,
            low=ints([max(n, 0) for n in low]),
            high=ints([max(n, 0) for n in high]),
            interior=ints(interior),
        )
    if all(n >= 0 for n in (*low, *high)):
        return x
    starts = [min(max(-n, 0), size) for n, size in zip(low, x.shape, strict=True)]
    stops = [size - max(-n, 0) for n, size in zip(high, x.shape, strict=True)]
    stops = [max(a, b) for a, b in zip(starts, stops, strict=True)]
    return ops.slice_(x, starts=ints(starts), stops=ints(stops), steps=(1,) * x.ndim)


def as_starts(starts: Any) -> list[Any]:
    """Positions along axes in one dtype."""
    dtypes = {x.dtype for x in starts}
    if len(dtypes) < 2:
        return list(starts)
    return [cast(x, np.dtype(np.int64)) for x in starts]


@rule("dynamic_slice", moves=True)
def _dynamic_slice(at: Site, x: Any, *starts: Any) -> Any:
    if len(starts) != x.ndim:
        raise Lacking
    if x.ndim == 0:
        return x
    return ops.dynamic_slice(x, *as_starts(starts), sizes=ints(at.params["slice_sizes"]))


@rule("dynamic_update_slice", moves=True)
def _dynamic_update_slice(at: Site, x: Any, update: Any, *starts: Any) -> Any:
    if len(starts) != x.ndim:
        raise Lacking
    if x.ndim == 0:
        return update
    return ops.dynamic_update_slice(x, update, *as_starts(starts))
