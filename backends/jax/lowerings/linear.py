"""Contractions in jax.lax; half precision accumulates in float32 and is rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import HALVES, Table, cast

Axes = tuple[tuple[int, ...], tuple[int, ...]]


def contract(x: Any, y: Any, contracting: Axes, batch: Axes) -> Any:
    """Sum of products over ``contracting``, in the operands' dtype."""
    dtype = x.dtype
    if dtype.kind == "b":
        # NumPy's product of booleans is "any of all": count, then compare.
        counts = contract(cast(x, np.int32), cast(y, np.int32), contracting, batch)
        return lax.ne(counts, lax.full_like(counts, 0))
    half = dtype in HALVES
    product = lax.dot(
        x,
        y,
        dimension_numbers=(contracting, batch),
        precision=lax.Precision.HIGHEST,
        preferred_element_type=np.float32 if half else None,
    )
    return lax.convert_element_type(product, dtype) if half else product


def lower_matmul(x: Any, y: Any) -> Any:
    """The last axis of x with the last but one of y; leading axes run together."""
    batch = tuple(range(x.ndim - 2))
    return contract(x, y, ((x.ndim - 1,), (y.ndim - 2,)), (batch, batch))


def lower_dot_general(x: Any, y: Any, *, contracting: Axes, batch: Axes) -> Any:
    """Any contracting and batch axes."""
    return contract(x, y, contracting, batch)


TABLE: Table = {
    "matmul": lower_matmul,
    "dot_general": lower_dot_general,
}
