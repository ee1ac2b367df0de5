"""Sorting, searching and ranks in jax.lax; NaN is larger than every number, as in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Table, cast, kind, like, zeros
from plait.backends.jax.lowerings.indexing import lower_gather


def sort_key(x: Any) -> Any:
    """Integers in the order of ``x``: zeros are equal, NaNs are equal and last."""
    if kind(x) == "b":
        return cast(x, np.uint8)
    if kind(x) != "f":
        return x
    x = lax.select(lax.eq(x, zeros(x)), zeros(x), x)
    x = lax.select(lax.ne(x, x), like(x, np.nan), x)
    signed = np.dtype(f"int{8 * x.dtype.itemsize}")
    bits = lax.bitcast_convert_type(x, signed)
    mirrored = lax.bitwise_xor(bits, like(bits, np.iinfo(signed).max))
    return lax.select(lax.lt(bits, zeros(bits)), mirrored, bits)


def descending(key: Any) -> Any:
    """Integer keys whose ascending order is the descending order of ``key``."""
    return lax.bitwise_not(key)


def lower_sort(x: Any, *, axis: int) -> Any:
    """Ascending along an axis."""
    return lax.sort(x, dimension=axis, is_stable=True)


def lower_argsort(x: Any, *, axis: int) -> Any:
    """The positions that sort; a stable sort carries them along."""
    places = positions(x.shape, axis)
    return cast(lax.sort((sort_key(x), places), dimension=axis, num_keys=1)[1], np.int64)


def positions(shape: tuple[int, ...], axis: int) -> Any:
    """Each element's position along an axis, in the narrower dtype that holds it."""
    narrow = shape[axis] < 2**31
    return lax.broadcasted_iota(np.int32 if narrow else np.int64, shape, axis)


def lower_top_k(x: Any, *, k: int) -> Any:
    """The largest of each row, by a stable sort of all."""
    axis = x.ndim - 1
    key = descending(sort_key(x))
    _, values, places = lax.sort((key, x, positions(x.shape, axis)), dimension=axis, num_keys=1)
    return lax.slice_in_dim(values, 0, k, axis=axis), cast(
        lax.slice_in_dim(places, 0, k, axis=axis), np.int32
    )


def lower_searchsorted(x: Any, values: Any, *, side: str = "left") -> Any:
    """Bisection of all values at once."""
    if x.size == 0 or values.size == 0:
        return lax.full(values.shape, np.int64(0))
    keys, wanted = sort_key(x), sort_key(values)
    goes_right = lax.lt if side == "left" else lax.le
    start = lax.full(values.shape, np.int64(0))

    def step(_: Any, state: Any) -> Any:
        low, high = state
        middle = lax.shift_right_logical(lax.add(low, high), like(low, 1))
        right = goes_right(lower_gather(keys, middle, axes=(0,)), wanted)
        right = lax.bitwise_and(right, lax.lt(low, high))
        stay = lax.bitwise_or(right, lax.ge(low, high))
        low = lax.select(right, lax.add(middle, like(low, 1)), low)
        return low, lax.select(stay, high, middle)

    state = (start, like(start, x.size))
    return lax.fori_loop(np.int32(0), np.int32(x.size.bit_length()), step, state)[0]


TABLE: Table = {
    "sort": lower_sort,
    "argsort": lower_argsort,
    "top_k": lower_top_k,
    "searchsorted": lower_searchsorted,
}
