"""Positions, running totals and quantiles of the elements that are not NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError, UnknownNameError
from plait.ir.functions.axes import as_array, demand, is_traced, normalize_axes
from plait.ir.functions.cumulative import cumprod, cumsum
from plait.ir.functions.payload import broadcast_to, cast
from plait.ir.functions.reductions import argmax, argmin, fill, keep, masked
from plait.ir.functions.sorting import METHODS, in_rows, interpolate, median, quantile
from plait.ir.functions.statistics import mean_dtypes
from plait.ir.types import int64, is_floating, is_inexact

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
]


def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along an axis that is not NaN; arguments as for ``argmax``.

    Raises
    ------
    CheckError
        Elements along the axis that are all NaN, also inside a compiled function.

    Examples
    --------
    >>> pl.nanargmax([1.0, float("nan"), 2.0])
    pl.Tensor(2, dtype=int64)
    """
    return argmax(_without_nan("nanargmax", x, axis, -np.inf), axis, keepdims)


def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis that is not NaN; arguments as for ``argmin``.

    Raises
    ------
    CheckError
        Elements along the axis that are all NaN, also inside a compiled function.

    Examples
    --------
    >>> pl.nanargmin([1.0, float("nan"), 2.0])
    pl.Tensor(0, dtype=int64)
    """
    return argmin(_without_nan("nanargmin", x, axis, np.inf), axis, keepdims)


def _without_nan(name: str, x: Any, axis: Any, value: float) -> Any:
    """``x`` with ``value`` in place of NaN, where each slice has other elements as well."""
    x = as_array(x)
    if not is_floating(x.dtype):
        return x
    number = ops.logical_not(ops.isnan(x))
    axes = normalize_axes(name, axis, x.ndim)
    if 0 not in [x.shape[a] for a in axes]:
        demand(ops.reduce_any(number, axes=axes), f"{name}: all elements of a slice are NaN")
    return masked(x, number, value)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of the elements so far along an axis, NaN counting as 0; arguments as for ``cumsum``.

    Examples
    --------
    >>> pl.nancumsum([1.0, float("nan"), 2.0])
    pl.Tensor([1., 1., 3.], dtype=float32, shape=(3,))
    """
    return cumsum(_filled(x, 0), axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Products of the elements so far along an axis, NaN counting as 1; as ``cumprod``.

    Examples
    --------
    >>> pl.nancumprod([3.0, float("nan"), 2.0])
    pl.Tensor([3., 3., 6.], dtype=float32, shape=(3,))
    """
    return cumprod(_filled(x, 1), axis, dtype)


def _filled(x: Any, value: int) -> Any:
    x = as_array(x)
    return ops.select(ops.isnan(x), fill(value, x), x) if is_inexact(x.dtype) else x


def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle of the elements that are not NaN, NaN if there is none; as ``median``.

    Examples
    --------
    >>> pl.nanmedian([7.0, float("nan"), 1.0])
    pl.Tensor(4., dtype=float32)
    """
    x = as_array(x)
    if not is_floating(x.dtype):
        return median(x, axis, keepdims)
    compute, result = mean_dtypes(x.dtype, None)
    rows, axes = in_rows("nanmedian", cast(x, compute), axis)
    ordered, last = _sorted(rows)
    two = fill(2, last)
    lower = ops.floor_divide(last, two)
    upper = ops.subtract(last, lower)
    low, high = (_element(ordered, place) for place in (lower, upper))
    middle = ops.divide(ops.add(low, high), fill(2, low))
    found = ops.select(ops.equal(lower, upper), low, middle)
    found = ops.reshape(found, shape=rows.shape[:-1])
    return keep(cast(found, result), x, axes, keepdims)


def _sorted(rows: Any) -> tuple[Any, Any]:
    """Rows in order, NaN behind all numbers, and the place of the last number in each, or 0.

    The places keep the last axis, with size 1.
    """
    axis = rows.ndim - 1
    count = ops.reduce_sum(cast(ops.logical_not(ops.isnan(rows)), int64), axes=(axis,))
    count = ops.reshape(count, shape=(*rows.shape[:-1], 1))
    last = ops.maximum(ops.subtract(count, fill(1, count)), fill(0, count))
    return ops.sort(rows, axis=axis), last


def _element(rows: Any, places: Any) -> Any:
    axis = rows.ndim - 1
    return ops.gather(rows, places, axes=(axis,), batch=axis)


def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The elements below which the fractions ``q`` of those lie that are not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    q : array_like
        Fractions in [0, 1], of any shape.
    axis, method, keepdims
        As for ``quantile``.

    Returns
    -------
    Tensor
        As from ``quantile``; NaN where there is no number.

    Raises
    ------
    ShapeError
        No elements, no such axis, or a ``q`` outside of [0, 1].
    UnknownNameError
        No such method.

    Examples
    --------
    >>> pl.nanquantile([0.0, float("nan"), 10.0], 0.25)
    pl.Tensor(2.5, dtype=float32)
    """
    x = as_array(x)
    if not is_floating(x.dtype):
        return quantile(x, q, axis, method, keepdims)
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise UnknownNameError(f"nanquantile: unknown method {method!r}; methods: {known}")
    compute, result = mean_dtypes(x.dtype, None)
    q = cast(as_array(q), compute)
    if not is_traced(q) and not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= 1)):
        raise ShapeError("nanquantile: q must lie in [0, 1] (nanpercentile takes 0 to 100)")
    rows, axes = in_rows("nanquantile", cast(x, compute), axis)
    ordered, last = _sorted(rows)
    wide = (*rows.shape[:-1], q.size)
    last = broadcast_to(cast(last, compute), wide)
    place = ops.multiply(broadcast_to(ops.reshape(q, shape=(q.size,)), wide), last)
    found = cast(interpolate(ordered, place, method, batch=rows.ndim - 1), result)
    found = ops.transpose(found, permutation=(found.ndim - 1, *range(found.ndim - 1)))
    kept = [1 if i in axes else d for i, d in enumerate(x.shape) if keepdims or i not in axes]
    return ops.reshape(found, shape=(*q.shape, *kept))


def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The elements below which ``q`` percent of those lie that are not NaN; as ``nanquantile``.

    Examples
    --------
    >>> pl.nanpercentile([0.0, float("nan"), 10.0], 50)
    pl.Tensor(5., dtype=float32)
    """
    compute, _ = mean_dtypes(as_array(x).dtype, None)
    fraction = cast(as_array(q), compute)
    return nanquantile(x, ops.divide(fraction, fill(100, fraction)), axis, method, keepdims)
