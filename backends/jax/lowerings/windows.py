"""Convolution and pooling in jax.lax; half precision accumulates in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import HALVES, Table, cast
from plait.ir import TensorType, get_op

Ints = tuple[int, ...]


def lower_convolution(x: Any, kernel: Any, **attributes: Any) -> Any:
    """Cross-correlation, channels first."""
    types = [TensorType(np.dtype(v.dtype), v.shape) for v in (x, kernel)]
    found: Any = get_op("convolution").infer(*types, **attributes)
    if 0 in (*found.shape, *x.shape, *kernel.shape):
        return lax.full(found.shape, np.zeros((), x.dtype))
    return convolve(x, kernel, **attributes)


def convolve(
    x: Any,
    kernel: Any,
    *,
    strides: Ints,
    low: Ints,
    high: Ints,
    dilation: Ints,
    input_dilation: Ints,
    groups: int = 1,
) -> Any:
    """Convolution where nothing is empty."""
    half = x.dtype in HALVES
    found = lax.conv_general_dilated(
        x,
        kernel,
        window_strides=strides,
        padding=tuple(zip(low, high, strict=True)),
        lhs_dilation=input_dilation,
        rhs_dilation=dilation,
        feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
        preferred_element_type=np.dtype(np.float32) if half else None,
    )
    return cast(found, x.dtype)


COMBINE: dict[str, Callable[..., Any]] = {"max": lax.max, "min": lax.min, "sum": lax.add}


def window_identity(kind: str, dtype: Any) -> Any:
    """What a window holds outside of the operand."""
    if kind == "sum" or dtype.kind == "b":
        return np.asarray(kind == "min")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.asarray(limits.min if kind == "max" else limits.max, dtype)
    return np.asarray(-np.inf if kind == "max" else np.inf)


def lower_reduce_window(
    x: Any, *, kind: str, window: Ints, strides: Ints, low: Ints, high: Ints, dilation: Ints
) -> Any:
    """A maximum, minimum or sum in each window."""
    if x.ndim == 0:
        return x
    wide = np.dtype(np.uint8) if x.dtype.kind == "b" else x.dtype
    if kind == "sum" and x.dtype in HALVES:
        wide = np.dtype(np.float32)
    identity = window_identity(kind, x.dtype).astype(wide)
    found = lax.reduce_window(
        cast(x, wide),
        identity,
        COMBINE[kind],
        window_dimensions=window,
        window_strides=strides,
        padding=tuple(zip(low, high, strict=True)),
        window_dilation=dilation,
    )
    return cast(found, x.dtype)


TABLE: Table = {
    "convolution": lower_convolution,
    "reduce_window": lower_reduce_window,
}
