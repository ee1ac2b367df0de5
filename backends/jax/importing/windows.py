"""Convolution and pooling in jax's full generality as ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.backends.jax.importing.reductions import combiner, is_number, limit
from plait.backends.jax.importing.rules import (
    RULES,
    Lacking,
    Site,
    cast,
    full,
    ints,
    reshape,
    rule,
    transpose,
)
from plait.backends.jax.importing.shapes import pad
from plait.ir import ops

__all__: list[str] = []


@rule("conv_general_dilated")
def _convolution(at: Site, x: Any, kernel: Any) -> Any:
    params = at.params
    x_order, kernel_order, out_order = params["dimension_numbers"]
    wide = np.promote_types(np.promote_types(x.dtype, kernel.dtype), at.result.dtype)
    x = transpose(cast(x, wide), x_order)
    kernel = transpose(cast(kernel, wide), kernel_order)
    groups = int(params["feature_group_count"])
    if params["batch_group_count"] > 1:
        groups = int(params["batch_group_count"])
        x = batch_groups_as_features(x, groups)
    low, high = zip(*params["padding"], strict=True) if params["padding"] else ((), ())
    found = ops.convolution(
        x,
        kernel,
        strides=ints(params["window_strides"]),
        low=ints(low),
        high=ints(high),
        dilation=ints(params["rhs_dilation"]),
        input_dilation=ints(params["lhs_dilation"]),
        groups=groups,
    )
    return cast(transpose(found, np.argsort(out_order).tolist()), at.result.dtype)


def batch_groups_as_features(x: Any, groups: int) -> Any:
    """Groups of the batch beside one another as channels."""
    count, channels, *sizes = x.shape
    apart = reshape(x, (groups, count // groups, channels, *sizes))
    moved = transpose(apart, (1, 0, 2, *range(3, apart.ndim)))
    return reshape(moved, (count // groups, groups * channels, *sizes))


def pool(at: Site, x: Any, kind: str) -> Any:
    """A maximum, minimum or sum in each window."""
    params = at.params
    gaps = params["base_dilation"] or (1,) * x.ndim
    low, high = zip(*params["padding"], strict=True) if params["padding"] else ((), ())
    if any(g != 1 for g in gaps) or any(n < 0 for n in (*low, *high)):
        outside = 0 if kind == "sum" else limit(x.dtype, kind)
        config = [(a, b, g - 1) for a, b, g in zip(low, high, gaps, strict=True)]
        x = pad(x, full(x.dtype, outside), config)
        low = high = (0,) * x.ndim
    return ops.reduce_window(
        x,
        kind=kind,
        window=ints(params["window_dimensions"]),
        strides=ints(params["window_strides"]),
        low=ints(low),
        high=ints(high),
        dilation=ints(params["window_dilation"] or (1,) * x.ndim),
    )


def _pooling(kind: str) -> Callable[..., Any]:
    def translate(at: Site, x: Any) -> Any:
        return pool(at, x, kind)

    return translate


for _kind in ("sum", "max", "min"):
    RULES[f"reduce_window_{_kind}"] = _pooling(_kind)

KINDS = {"add": "sum", "max": "max", "min": "min"}


@rule("reduce_window")
def _reduce_window(at: Site, *operands: Any) -> Any:
    if len(operands) != 2:
        raise Lacking
    kind = KINDS.get(combiner(at.params["jaxpr"]))
    if kind is None:
        raise Lacking
    x, start = operands
    identity = 0 if kind == "sum" else limit(x.dtype, kind)
    if not is_number(start, identity):
        raise Lacking
    return pool(at, x, kind)
