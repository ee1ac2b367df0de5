"""Gather, scatter and dynamic slices in jax.lax; positions are clamped here, once for all modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import HALVES, Table, cast, kind

Ints = tuple[int, ...]
IN_BOUNDS = lax.GatherScatterMode.PROMISE_IN_BOUNDS


def clamp(index: Any, size: int) -> Any:
    """An index array inside [0, size), in a dtype that XLA indexes with."""
    last = min(max(size - 1, 0), np.iinfo(index.dtype).max)
    inside = lax.clamp(np.asarray(0, index.dtype), index, np.asarray(last, index.dtype))
    return cast(inside, np.int32 if size <= 2**31 else np.int64)


def join(x: Any, indices: Sequence[Any], axes: Ints) -> Any:
    """The index arrays, clamped, as one array with a last axis for ``axes``."""
    clamped = [clamp(i, x.shape[a]) for i, a in zip(indices, axes, strict=True)]
    wide = np.result_type(*[i.dtype for i in clamped])
    return lax.concatenate(
        [lax.expand_dims(cast(i, wide), [i.ndim]) for i in clamped], indices[0].ndim
    )


def window_axes(x: Any, index: Any, axes: Ints, batch: int) -> Ints:
    """Axes of the picked array that come from x, not from the index arrays."""
    before = axes[0] - batch
    count = x.ndim - len(axes) - batch
    places = index.ndim - batch
    return tuple([batch + i + (0 if i < before else places) for i in range(count)])


def lower_gather(x: Any, *indices: Any, axes: Ints, batch: int = 0) -> Any:
    """The elements at index arrays."""
    window = window_axes(x, indices[0], axes, batch)
    kept = [d for a, d in enumerate(x.shape) if a >= batch and a not in axes]
    if 0 in indices[0].shape or 0 in kept:
        places = iter(indices[0].shape)
        sizes = iter(kept)
        total = len(kept) + indices[0].ndim
        shape = [next(sizes) if a in window else next(places) for a in range(total)]
        return lax.full(shape, np.zeros((), x.dtype))
    own = tuple(range(batch))
    numbers = lax.GatherDimensionNumbers(
        offset_dims=window,
        collapsed_slice_dims=axes,
        start_index_map=axes,
        operand_batching_dims=own,
        start_indices_batching_dims=own,
    )
    sizes_taken = [1 if a < batch or a in axes else d for a, d in enumerate(x.shape)]
    return lax.gather(x, join(x, indices, axes), numbers, sizes_taken, mode=IN_BOUNDS)


SCATTERS: dict[str, Callable[..., Any]] = {
    "set": lax.scatter,
    "add": lax.scatter_add,
    "mul": lax.scatter_mul,
    "min": lax.scatter_min,
    "max": lax.scatter_max,
}


def lower_scatter(
    x: Any,
    updates: Any,
    *indices: Any,
    axes: Ints,
    batch: int = 0,
    mode: str = "set",
    unique: bool = False,
) -> Any:
    """Updates put at index arrays, in order."""
    if 0 in updates.shape:
        return x
    if kind(x) == "b" and mode != "set":
        wide = (cast(x, np.uint8), cast(updates, np.uint8))
        found = lower_scatter(*wide, *indices, axes=axes, batch=batch, mode=mode, unique=unique)
        return lax.ne(found, lax.full_like(found, 0))
    dtype = x.dtype
    if dtype in HALVES and mode in ("add", "mul"):
        x, updates = cast(x, np.float32), cast(updates, np.float32)
    own = tuple(range(batch))
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=window_axes(x, indices[0], axes, batch),
        inserted_window_dims=axes,
        scatter_dims_to_operand_dims=axes,
        operand_batching_dims=own,
        scatter_indices_batching_dims=own,
    )
    places = join(x, indices, axes)

    def scatter(operand: Any, values: Any, how: str) -> Any:
        return SCATTERS[how](
            operand, places, values, numbers, unique_indices=unique, mode=IN_BOUNDS
        )

    if mode == "set" and not unique:
        return lax.platform_dependent(
            x,
            updates,
            cpu=lambda x, updates: scatter(x, updates, "set"),
            default=lambda x, updates: set_last(x, updates, scatter),
        )
    return cast(scatter(x, updates, mode), dtype)


def set_last(x: Any, updates: Any, scatter: Callable[[Any, Any, str], Any]) -> Any:
    """Set in order where XLA sets in any order: an element takes its last update, by position."""
    wide = np.int32 if updates.size < 2**31 else np.int64
    order = lax.reshape(lax.iota(wide, updates.size), updates.shape)
    winner = scatter(lax.full(x.shape, np.asarray(-1, wide)), order, "max")
    flat = lax.reshape(updates, (updates.size,))
    picked = lower_gather(flat, winner, axes=(0,))
    return lax.select(lax.lt(winner, lax.full_like(winner, 0)), x, picked)


def window_starts(x: Any, starts: Sequence[Any], sizes: Ints) -> list[Any]:
    """Starts clamped so that the window lies inside."""
    return [
        clamp(start, whole - size + 1)
        for start, whole, size in zip(starts, x.shape, sizes, strict=True)
    ]


def lower_dynamic_slice(x: Any, *starts: Any, sizes: Ints) -> Any:
    """A window that begins at run-time positions."""
    return lax.dynamic_slice(
        x, window_starts(x, starts, sizes), sizes, allow_negative_indices=False
    )


def lower_dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    """A window replaced."""
    return lax.dynamic_update_slice(
        x, update, window_starts(x, starts, update.shape), allow_negative_indices=False
    )


TABLE: Table = {
    "gather": lower_gather,
    "scatter": lower_scatter,
    "dynamic_slice": lower_dynamic_slice,
    "dynamic_update_slice": lower_dynamic_update_slice,
}
