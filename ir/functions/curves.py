"""Functions given by points: interpolation between them and the area below them."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, demand, normalize_axis, static_size
from plait.ir.functions.cumulative import diff
from plait.ir.functions.elementwise import add, divide, multiply
from plait.ir.functions.manipulation import cut
from plait.ir.functions.payload import broadcast_to, cast
from plait.ir.functions.reductions import fill
from plait.ir.functions.reductions import sum as sum_
from plait.ir.types import complex128, float64, is_complex

__all__ = ["interp", "trapezoid"]


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Values between points, on the straight lines that join them, as ``numpy.interp``.

    Parameters
    ----------
    x : array_like
        Where to give values; real, of any shape.
    xp : array_like
        Real, 1-d, ascending unless ``period`` is given: where the points are.
    fp : array_like
        1-d, as long as ``xp``: the values there.
    left, right : number, optional
        Values before the first and behind the last point; by default those of these points.
    period : number, optional
        Length after which everything repeats; ``left`` and ``right`` then have no effect.

    Returns
    -------
    Tensor
        Shape of ``x``; float64, or complex128 for complex ``fp``.

    Raises
    ------
    ShapeError
        Points that are not 1-d, differ in number, or are none.
    CheckError
        A period of 0, also inside a compiled function.
    DTypeError
        Complex ``x`` or ``xp``.

    Examples
    --------
    >>> pl.interp([0.5, 2.5, 9.0], [0.0, 1.0, 3.0], [0.0, 10.0, 30.0])
    pl.Tensor([ 5., 25., 30.], dtype=float64, shape=(3,))
    """
    payloads = [as_array(v) for v in (x, xp, fp)]
    if any(is_complex(v.dtype) for v in payloads[:2]):
        raise DTypeError("interp: expected real x and xp, got complex numbers")
    dtype = complex128 if is_complex(payloads[2].dtype) else float64
    x, xp, fp = (cast(v, d) for v, d in zip(payloads, (float64, float64, dtype), strict=True))
    if xp.ndim != 1 or xp.shape != fp.shape or xp.shape[0] == 0:
        raise ShapeError(
            f"interp: expected as many values as points, at least one, got xp of shape {xp.shape} "
            f"and fp of shape {fp.shape}"
        )
    if period is not None:
        x, xp, fp = _one_period(x, xp, fp, period)
        left = right = None
    found = _on_lines(x, xp, fp)
    first, last = (ops.gather(xp, np.asarray(i), axes=(0,)) for i in (0, xp.shape[0] - 1))
    for value, outside in (
        (left, ops.less(x, broadcast_to(first, x.shape))),
        (right, ops.greater(x, broadcast_to(last, x.shape))),
    ):
        if value is not None:
            found = ops.select(outside, broadcast_to(cast(as_array(value), dtype), x.shape), found)
    return found


def _one_period(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Everything in one period, the points in order and one more at both ends."""
    length = cast(as_array(period), float64)
    length = ops.absolute(ops.reshape(length, shape=()))
    demand(ops.not_equal(length, fill(0, length)), "interp: period must not be 0")
    x, xp = (ops.remainder(v, broadcast_to(length, v.shape)) for v in (x, xp))
    order = ops.argsort(xp, axis=0)
    xp, fp = (ops.gather(v, order, axes=(0,)) for v in (xp, fp))
    count = xp.shape[0]
    heads, tails = ([cut(v, 0, a, a + 1) for v in (xp, fp)] for a in (0, count - 1))
    step = broadcast_to(length, (1,))
    xp = ops.concat(ops.subtract(tails[0], step), xp, ops.add(heads[0], step), axis=0)
    return x, xp, ops.concat(tails[1], fp, heads[1], axis=0)


def _on_lines(x: Any, xp: Any, fp: Any) -> Any:
    """Values at ``x``, the first and the last value outside of all points; NaN at NaN."""
    count = xp.shape[0]
    behind = ops.searchsorted(xp, x, side="right")
    place = ops.maximum(ops.subtract(behind, fill(1, behind)), fill(0, behind))
    after = ops.minimum(ops.add(place, fill(1, place)), fill(count - 1, place))
    x0, x1 = (ops.gather(xp, i, axes=(0,)) for i in (place, after))
    y0, y1 = (ops.gather(fp, i, axes=(0,)) for i in (place, after))
    gap = ops.subtract(x1, x0)
    flat = ops.logical_or(ops.equal(gap, fill(0, gap)), ops.less_equal(x, x0))
    slope = ops.divide(ops.subtract(y1, y0), cast(ops.select(flat, fill(1, gap), gap), fp.dtype))
    found = ops.add(ops.multiply(slope, cast(ops.subtract(x, x0), fp.dtype)), y0)
    # From the other end where infinities meet on the way from this one.
    other = ops.add(ops.multiply(slope, cast(ops.subtract(x, x1), fp.dtype)), y1)
    found = ops.select(ops.isnan(found), other, found)
    level = ops.logical_and(ops.isnan(found), ops.equal(y0, y1))
    found = ops.select(ops.logical_or(flat, level), y0, found)
    if count == 1:  # NumPy gives that one's value at NaN as well
        return found
    return ops.select(ops.isnan(x), cast(x, fp.dtype), found)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below the lines that join points along an axis, as ``numpy.trapezoid``.

    Parameters
    ----------
    y : array_like
        The values.
    x : array_like, optional
        Where they are: 1-d, or of a shape that broadcasts with ``y``.
    dx : number, optional
        The distance between neighbors where no ``x`` is given.
    axis : int, optional

    Returns
    -------
    Tensor
        The axis is summed over.

    Raises
    ------
    ShapeError
        No such axis, or an ``x`` of another length.

    Examples
    --------
    >>> pl.trapezoid([1.0, 2.0, 3.0], x=[0.0, 1.0, 3.0])
    pl.Tensor(6.5, dtype=float32)
    """
    y = as_array(y)
    place = normalize_axis("trapezoid", axis, y.ndim)
    size = static_size("trapezoid", y, place)
    if x is not None:
        x = as_array(x)
        if x.ndim == 1:
            dx = diff(x)
            dx = ops.reshape(dx, shape=(*dx.shape, *[1] * (y.ndim - place - 1)))
        else:
            dx = diff(x, axis=axis)
    before, after = cut(y, place, 0, max(size - 1, 0)), cut(y, place, min(1, size), size)
    return sum_(divide(multiply(dx, add(after, before)), 2.0), place)
