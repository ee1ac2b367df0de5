"""Reductions in jax.lax; half precision sums and products are computed in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Lowering, Table, cast, in_float32, kind

Reduce = Callable[[Any, tuple[int, ...]], Any]


def reduction(reduce: Reduce, boolean: Reduce | None = None) -> Lowering:
    """A reduction over ``axes``, with another function for booleans."""

    def lowering(x: Any, *, axes: tuple[int, ...]) -> Any:
        if not axes:
            return x
        return boolean(x, axes) if boolean is not None and kind(x) == "b" else reduce(x, axes)

    return lowering


def arg_reduction(find: Callable[..., Any]) -> Lowering:
    """The position of an extremum along ``axis``; the first one, NaN before numbers."""

    def lowering(x: Any, *, axis: int) -> Any:
        if x.size == 0:
            return lax.full(x.shape[:axis] + x.shape[axis + 1 :], np.int64(0))
        return find(cast(x, np.uint8) if kind(x) == "b" else x, axis, np.int64)

    return lowering


TABLE: Table = {
    "reduce_sum": in_float32(reduction(lax.reduce_sum)),
    "reduce_prod": in_float32(reduction(lax.reduce_prod)),
    "reduce_max": reduction(lax.reduce_max, lax.reduce_or),
    "reduce_min": reduction(lax.reduce_min, lax.reduce_and),
    "reduce_any": reduction(lax.reduce_or),
    "reduce_all": reduction(lax.reduce_and),
    "argmax": arg_reduction(lax.argmax),
    "argmin": arg_reduction(lax.argmin),
}
