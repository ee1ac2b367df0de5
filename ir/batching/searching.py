"""Batching of searches in sorted rows: bisection of all rows at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    define_batch,
    move_to_front,
    region_here,
    to_front,
    type_of,
)
from plait.ir.types import Dimension, is_inexact

#: Steps that find a place among any number of elements.
MOST_STEPS = 63


@define_batch(ops.searchsorted)
def _searchsorted(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
) -> Batched:
    (x, values), (dim, dim_of_values) = operands, dims
    if dim is None:
        return ops.searchsorted(x, values, **attributes), dim_of_values
    rows = move_to_front(x, dim)
    return _bisect(rows, to_front(values, dim_of_values, size), **attributes), 0


def _bisect(rows: Any, values: Any, side: str = "left") -> Any:
    """How many elements of each sorted row are below (``right``: or equal to) its values."""
    count = rows.shape[1]
    start = ops.broadcast_to(np.asarray(0, np.int64), shape=values.shape)
    if count == 0:
        return start
    steps = math.ceil(math.log2(count + 1)) if isinstance(count, int) else MOST_STEPS

    def body(rows: Any, values: Any, low: Any, high: Any) -> list[Any]:
        middle = ops.shift_right(ops.add(low, high), _numbers(low, 1))
        found = ops.gather(rows, middle, axes=(1,), batch=1)
        is_open = ops.less(low, high)
        goes_up = ops.logical_and(is_open, _comes_before(found, values, side))
        goes_down = ops.logical_and(is_open, ops.logical_not(goes_up))
        above = ops.add(middle, _numbers(low, 1))
        return [ops.select(goes_up, above, low), ops.select(goes_down, middle, high)]

    stop = ops.broadcast_to(_length(rows), shape=values.shape)
    types = [type_of(v) for v in (rows, values, start, stop)]
    attributes = {"num_consts": 2, "num_carry": 2, "length": steps}
    region = region_here("bisect", types, body)
    low, _ = ops.scan(rows, values, start, stop, regions=(region,), **attributes)
    return low


def _length(rows: Any) -> Any:
    """The number of elements of a row, which may be symbolic, as a 0-d int64."""
    count = rows.shape[1]
    if isinstance(count, int):
        return np.asarray(count, np.int64)
    last = ops.iota(dtype=np.dtype(np.int64), shape=(count,), axis=0)
    return ops.add(ops.reduce_max(last, axes=(0,)), np.asarray(1, np.int64))


def _numbers(x: Any, number: int) -> Any:
    return ops.broadcast_to(np.asarray(number, x.dtype), shape=x.shape)


def _comes_before(x: Any, values: Any, side: str) -> Any:
    """Whether elements come before values in sorted order, in which NaN is last."""
    compare = ops.less if side == "left" else ops.less_equal
    found = compare(x, values)
    if not is_inexact(x.dtype):
        return found
    last = ops.isnan(values)
    if side == "left":
        last = ops.logical_and(last, ops.logical_not(ops.isnan(x)))
    return ops.logical_or(found, last)
