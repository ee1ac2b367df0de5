"""Means, variances and what ignores NaN, composed of sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, normalize_axes, normalize_axis
from plait.ir.functions.payload import (
    as_payload,
    broadcast_to,
    cast,
    number_of_elements,
    result_dtype,
    to_inexact,
)
from plait.ir.functions.reductions import fill, keep, masked
from plait.ir.functions.reductions import max as max_
from plait.ir.functions.reductions import min as min_
from plait.ir.functions.reductions import prod as prod_
from plait.ir.functions.reductions import sum as sum_
from plait.ir.types import (
    DType,
    as_dtype,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int64,
    is_complex,
    is_floating,
    is_inexact,
    real_dtype,
)

__all__ = [
    "average",
    "mean",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "standardize",
    "std",
    "var",
]


def mean_dtypes(dtype: DType, wanted: Any) -> tuple[DType, DType]:
    """In which dtype a mean is computed, and which it has: float64 for integers, as NumPy."""
    result = as_dtype(wanted) if wanted is not None else dtype if is_inexact(dtype) else float64
    return (float32 if result == float16 or result == bfloat16 else result), result


def _count(x: Any, axes: tuple[int, ...], where: Any) -> Any:
    """How many elements each mean is over: a number, or a payload for a mask."""
    if where is None or where is True:
        sizes = [x.shape[a] for a in axes]
        if all(type(n) is int for n in sizes):
            return math.prod(sizes)
        kept = [n for a, n in enumerate(x.shape) if a not in axes]
        return broadcast_to(number_of_elements(tuple(sizes)), tuple(kept))
    mask = broadcast_to(cast(as_array(where), bool_), x.shape)
    return ops.reduce_sum(cast(mask, int64), axes=axes)


def _divide(total: Any, count: Any) -> Any:
    divisor = fill(count, total) if type(count) in (int, float) else cast(count, total.dtype)
    return ops.divide(total, divisor)


def mean(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = None
) -> Any:
    """Arithmetic mean along axes.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the mean; by default that of ``x``, float64 for integers and bool. float16 and bfloat16
        are computed in float32 and rounded once.
    keepdims : bool, optional
        Keep the axes with size 1.
    where : array_like of bool, optional
        The elements to average.

    Returns
    -------
    Tensor
        NaN for no elements.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.mean([[1.0, 2.0], [3.0, 6.0]], axis=1)
    pl.Tensor([1.5, 4.5], dtype=float32, shape=(2,))
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, dtype)
    x = cast(x, compute)
    axes = normalize_axes("mean", axis, x.ndim)
    total = ops.reduce_sum(masked(x, where, 0), axes=axes)
    found = _divide(total, _count(x, axes, where))
    return keep(cast(found, result), x, axes, keepdims)


def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    correction: float = 0.0,
    ddof: float | None = None,
    where: Any = None,
) -> Any:
    """Variance along axes: mean of |x - mean(x)|², with ``n - correction`` as the divisor.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the variance; by default that of the real part of ``x``, float64 for integers and bool.
    keepdims : bool, optional
        Keep the axes with size 1.
    correction : number, optional
        1 gives the unbiased estimate. ``ddof`` is NumPy's name for it.
    ddof : number, optional
        The same as ``correction``.
    where : array_like of bool, optional
        The elements to look at.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.var([1.0, 2.0, 3.0, 4.0])
    pl.Tensor(1.25, dtype=float32)
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, dtype)
    found = _variance("var", cast(x, compute), axis, keepdims, correction, ddof, where)
    return cast(found, real_dtype(result))


def _variance(
    name: str, x: Any, axis: Any, keepdims: bool, correction: Any, ddof: Any, where: Any
) -> Any:
    axes = normalize_axes(name, axis, x.ndim)
    count = _count(x, axes, where)
    middle = keep(_divide(ops.reduce_sum(masked(x, where, 0), axes=axes), count), x, axes, True)
    distance = masked(ops.subtract(x, broadcast_to(middle, x.shape)), where, 0)
    squares = squared_size(distance)
    lost = correction if ddof is None else ddof
    if type(count) is int:
        divisor: Any = float(max(count - lost, 0))
    else:
        left = ops.subtract(cast(count, float64), fill(lost, cast(count, float64)))
        divisor = ops.maximum(left, fill(0, left))
    return keep(_divide(ops.reduce_sum(squares, axes=axes), divisor), x, axes, keepdims)


def squared_size(x: Any) -> Any:
    """|x|², real."""
    if not is_complex(x.dtype):
        return ops.square(x)
    return ops.add(ops.square(ops.real(x)), ops.square(ops.imag(x)))


def std(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    correction: float = 0.0,
    ddof: float | None = None,
    where: Any = None,
) -> Any:
    """Standard deviation along axes, the square root of ``var``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the result; by default that of the real part of ``x``, float64 for integers and bool.
    keepdims : bool, optional
        Keep the axes with size 1.
    correction : number, optional
        1 gives the square root of the unbiased variance. ``ddof`` is NumPy's name for it.
    ddof : number, optional
        The same as ``correction``.
    where : array_like of bool, optional
        The elements to look at.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.std([1.0, 3.0])
    pl.Tensor(1., dtype=float32)
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, dtype)
    found = ops.sqrt(_variance("std", cast(x, compute), axis, keepdims, correction, ddof, where))
    return cast(found, real_dtype(result))


def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
) -> Any:
    """Subtract the mean and divide by the standard deviation, as ``jax.nn.standardize``.

    Parameters
    ----------
    x : array_like
        Any real dtype; integers are computed in floating point.
    axis : int or tuple of int, optional
        Along which the mean becomes 0 and the variance 1; None for all axes.
    mean, variance : array_like, optional
        In place of those of ``x``; broadcast with ``x``.
    epsilon : number, optional
        Added to the variance.
    where : array_like of bool, optional
        The elements of which mean and variance are taken.

    Returns
    -------
    Tensor
        Of the same shape; float16 and bfloat16 are computed in float32 and rounded once.

    Raises
    ------
    ShapeError
        There is no such axis.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.standardize([1.0, 3.0], epsilon=0.0)
    pl.Tensor([-1.,  1.], dtype=float32, shape=(2,))
    """
    x = as_array(x)
    if is_complex(x.dtype):
        raise DTypeError(f"standardize: expected real numbers, got {x.dtype.name}")
    result = to_inexact(x.dtype)
    compute = mean_dtypes(result, None)[0]
    x = cast(x, compute)
    axes = normalize_axes("standardize", axis, x.ndim)
    count = _count(x, axes, where)

    def average_of(values: Any) -> Any:
        total = ops.reduce_sum(masked(values, where, 0), axes=axes)
        return keep(_divide(total, count), x, axes, True)

    middle = average_of(x) if mean is None else cast(as_payload(mean), compute)
    distance = ops.subtract(x, broadcast_to(middle, x.shape))
    if variance is None:
        # Around the mean that was given, if one was.
        variance = average_of(ops.square(distance))
    spread = broadcast_to(cast(as_payload(variance), compute), x.shape)
    spread = ops.add(spread, broadcast_to(cast(as_payload(epsilon), compute), x.shape))
    return cast(ops.multiply(distance, ops.rsqrt(spread)), result)


def average(x: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """Weighted mean along axes: sum(x * weights) / sum(weights).

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    weights : array_like, optional
        Of the shape of ``x``, or of the shape of the averaged axes; equal by default.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        The weights fit neither ``x`` nor the axes.

    Examples
    --------
    >>> pl.average([1.0, 2.0, 4.0], weights=[1.0, 1.0, 2.0])
    pl.Tensor(2.75, dtype=float32)
    """
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    x, weights = as_array(x), as_array(weights)
    common = result_dtype(x, weights)
    compute, result = mean_dtypes(common, None)
    x, weights = cast(x, compute), cast(weights, compute)
    axes = normalize_axes("average", axis, x.ndim)
    if weights.shape != x.shape:
        weights = _stretched(weights, x, axis, axes)
    total = ops.reduce_sum(ops.multiply(x, weights), axes=axes)
    found = ops.divide(total, ops.reduce_sum(weights, axes=axes))
    return keep(cast(found, result), x, axes, keepdims)


def _stretched(weights: Any, x: Any, axis: Any, axes: tuple[int, ...]) -> Any:
    """Weights of the averaged axes, in the order of ``axis``, repeated over the others."""
    named = axes if not isinstance(axis, (tuple, list)) else axis
    order = [normalize_axis("average", a, x.ndim) for a in named]
    if axis is None or weights.shape != tuple([x.shape[a] for a in order]):
        raise ShapeError(
            f"average: weights of shape {weights.shape} fit neither x of shape {x.shape} nor "
            f"its axis {axis}"
        )
    weights = ops.transpose(weights, permutation=tuple([order.index(a) for a in axes]))
    shape = tuple([d if i in axes else 1 for i, d in enumerate(x.shape)])
    return broadcast_to(ops.reshape(weights, shape=shape), x.shape)


def _not_nan(x: Any) -> Any:
    """A mask of the elements that are numbers; None when all must be."""
    return ops.logical_not(ops.isnan(x)) if is_inexact(x.dtype) else None


def nansum(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Sum along axes of the elements that are not NaN; arguments as for ``sum``.

    Examples
    --------
    >>> pl.nansum([1.0, float("nan"), 2.0])
    pl.Tensor(3., dtype=float32)
    """
    x = as_array(x)
    return sum_(x, axis, dtype, keepdims, where=_not_nan(x))


def nanprod(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Product along axes of the elements that are not NaN; arguments as for ``prod``.

    Examples
    --------
    >>> pl.nanprod([2.0, float("nan"), 3.0])
    pl.Tensor(6., dtype=float32)
    """
    x = as_array(x)
    return prod_(x, axis, dtype, keepdims, where=_not_nan(x))


def nanmean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Mean along axes of the elements that are not NaN; arguments as for ``mean``.

    Examples
    --------
    >>> pl.nanmean([1.0, float("nan"), 2.0])
    pl.Tensor(1.5, dtype=float32)
    """
    x = as_array(x)
    return mean(x, axis, dtype, keepdims, where=_not_nan(x))


def nanvar(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, correction: float = 0.0
) -> Any:
    """Variance along axes of the elements that are not NaN; arguments as for ``var``.

    Examples
    --------
    >>> pl.nanvar([1.0, float("nan"), 3.0])
    pl.Tensor(1., dtype=float32)
    """
    x = as_array(x)
    return var(x, axis, dtype, keepdims, correction, where=_not_nan(x))


def nanstd(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, correction: float = 0.0
) -> Any:
    """Standard deviation of the elements that are not NaN; arguments as for ``std``.

    Examples
    --------
    >>> pl.nanstd([1.0, float("nan"), 3.0])
    pl.Tensor(1., dtype=float32)
    """
    x = as_array(x)
    return std(x, axis, dtype, keepdims, correction, where=_not_nan(x))


def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element along axes that is not NaN, NaN if there is none; arguments as for ``max``.

    Examples
    --------
    >>> pl.nanmax([1.0, float("nan"), 2.0])
    pl.Tensor(2., dtype=float32)
    """
    return _nan_extreme(x, axis, keepdims, highest=True)


def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element along axes that is not NaN, NaN if there is none; arguments as for ``min``.

    Examples
    --------
    >>> pl.nanmin([1.0, float("nan"), 2.0])
    pl.Tensor(1., dtype=float32)
    """
    return _nan_extreme(x, axis, keepdims, highest=False)


def _nan_extreme(x: Any, axis: Any, keepdims: bool, *, highest: bool) -> Any:
    x = as_array(x)
    extreme = max_ if highest else min_
    if not is_floating(x.dtype):
        return extreme(x, axis, keepdims)
    axes = normalize_axes("nanmax" if highest else "nanmin", axis, x.ndim)
    found = extreme(masked(x, _not_nan(x), -np.inf if highest else np.inf), axis, keepdims)
    none = keep(ops.reduce_all(ops.isnan(x), axes=axes), x, axes, keepdims)
    return ops.select(none, fill(np.nan, found), found)
