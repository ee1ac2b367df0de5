"""Reductions as NumPy's: axes, dtypes, ``keepdims``, ``initial`` and ``where``."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, no_elements, normalize_axes, normalize_axis
from plait.ir.functions.payload import as_payload, broadcast_to, cast
from plait.ir.op import Op
from plait.ir.types import (
    DType,
    as_dtype,
    bool_,
    int64,
    is_bool,
    is_complex,
    is_floating,
    is_integer,
    is_unsigned,
    uint64,
)

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "min",
    "prod",
    "ptp",
    "sum",
]


def fill(value: Any, like: Any) -> Any:
    """``value`` everywhere, in the dtype and shape of a payload."""
    return broadcast_to(np.asarray(value, like.dtype), like.shape)


def keep(reduced: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Put the reduced axes of ``x`` back with size 1 where that is asked for."""
    if not keepdims:
        return reduced
    return ops.reshape(reduced, shape=tuple([1 if i in axes else d for i, d in enumerate(x.shape)]))


def accumulator(dtype: DType) -> DType:
    """The dtype in which NumPy adds and multiplies: 64 bits for integers and bool."""
    if is_bool(dtype) or is_integer(dtype):
        return uint64 if is_unsigned(dtype) else int64
    return dtype


def masked(x: Any, where: Any, value: Any) -> Any:
    """``x`` where a mask holds, ``value`` elsewhere."""
    if where is None or where is True:
        return x
    mask = broadcast_to(cast(as_array(where), bool_), x.shape)
    return ops.select(mask, x, fill(value, x))


def _total(
    op: Op,
    x: Any,
    axis: Any,
    dtype: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    *,
    name: str,
    identity: int,
) -> Any:
    """A sum or a product."""
    x = as_array(x)
    x = cast(x, accumulator(x.dtype) if dtype is None else as_dtype(dtype))
    axes = normalize_axes(name, axis, x.ndim)
    logical = is_bool(x.dtype)
    if logical:  # asked for by dtype=bool: a sum is any, a product is all
        op = ops.reduce_all if identity else ops.reduce_any
    found = op(masked(x, where, identity), axes=axes)
    if initial is not None:
        combine = ops.multiply if identity else ops.add
        start = broadcast_to(cast(as_payload(initial), x.dtype), found.shape)
        found = combine(found, start)
    return keep(found, x, axes, keepdims)


def sum(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """Sum of the elements along axes.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the sum. By default that of ``x``, int64 (uint64) for bool and shorter integers.
        float16 and bfloat16 are added in float32 and rounded once.
    keepdims : bool, optional
        Keep the axes with size 1.
    initial : number, optional
        Added to the sum.
    where : array_like of bool, optional
        The elements to add; broadcasts to ``x``.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis, or it is named twice.

    Examples
    --------
    >>> pl.sum([[1, 2], [3, 4]], axis=0)
    pl.Tensor([4, 6], dtype=int64, shape=(2,))
    """
    return _total(ops.reduce_sum, x, axis, dtype, keepdims, initial, where, name="sum", identity=0)


def prod(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """Product of the elements along axes.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    dtype : dtype, optional
        Of the product. By default that of ``x``, int64 (uint64) for bool and shorter integers.
    keepdims : bool, optional
        Keep the axes with size 1.
    initial : number, optional
        Multiplied with the product.
    where : array_like of bool, optional
        The elements to multiply; broadcasts to ``x``.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis, or it is named twice.

    Examples
    --------
    >>> pl.prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
    pl.Tensor([ 2., 12.], dtype=float32, shape=(2,))
    """
    return _total(
        ops.reduce_prod, x, axis, dtype, keepdims, initial, where, name="prod", identity=1
    )


def _extreme(
    name: str, x: Any, axis: Any, keepdims: bool, initial: Any, where: Any, lowest: bool
) -> Any:
    """A maximum (``lowest`` is what loses) or a minimum."""
    x = as_array(x)
    if is_complex(x.dtype):
        raise DTypeError(f"{name}: complex numbers have no order, got {x.dtype.name}")
    axes = normalize_axes(name, axis, x.ndim)
    if where is not None and where is not True and initial is None:
        raise ShapeError(f"{name}: where= needs initial=, the result where no element is chosen")
    shape = tuple([d for i, d in enumerate(x.shape) if i not in axes])
    start = None if initial is None else broadcast_to(cast(as_payload(initial), x.dtype), shape)
    empty = 0 in [x.shape[a] for a in axes]
    if empty and 0 not in shape:
        if start is None:
            raise ShapeError(
                f"{no_elements(name, axis, x.shape)}; give initial=, the result for none"
            )
        return keep(start, x, axes, keepdims)
    op, combine = (ops.reduce_max, ops.maximum) if lowest else (ops.reduce_min, ops.minimum)
    found = op(masked(x, where, _extreme_value(x.dtype, lowest)), axes=axes)
    found = found if start is None else combine(found, start)
    return keep(found, x, axes, keepdims)


def _extreme_value(dtype: DType, lowest: bool) -> Any:
    """The smallest (largest) value of a dtype."""
    if is_bool(dtype):
        return not lowest
    if is_floating(dtype):
        return -np.inf if lowest else np.inf
    limits = np.iinfo(dtype)
    return limits.min if lowest else limits.max


def max(
    x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """Largest element along axes; NaN if one is NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.
    initial : number, optional
        The least that the result can be; the result for no elements.
    where : array_like of bool, optional
        The elements to look at; needs ``initial``.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    ShapeError
        No elements and no ``initial``, or no such axis.
    DTypeError
        Complex numbers have no order.

    Examples
    --------
    >>> pl.max([[1, 5], [3, 4]], axis=1)
    pl.Tensor([5, 4], dtype=int32, shape=(2,))
    """
    return _extreme("max", x, axis, keepdims, initial, where, True)


def min(
    x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """Smallest element along axes; NaN if one is NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.
    initial : number, optional
        The most that the result can be; the result for no elements.
    where : array_like of bool, optional
        The elements to look at; needs ``initial``.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    ShapeError
        No elements and no ``initial``, or no such axis.
    DTypeError
        Complex numbers have no order.

    Examples
    --------
    >>> pl.min([[1, 5], [3, 4]])
    pl.Tensor(1, dtype=int32)
    """
    return _extreme("min", x, axis, keepdims, initial, where, False)


amax = max
amin = min


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest element along axes.

    Parameters
    ----------
    x : array_like
        Integers or real floats.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    ShapeError
        No elements, or no such axis.

    Examples
    --------
    >>> pl.ptp([3, 9, 4])
    pl.Tensor(6, dtype=int32)
    """
    x = as_array(x)
    return ops.subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def _logical(op: Op, name: str, x: Any, axis: Any, keepdims: bool, where: Any, value: bool) -> Any:
    x = cast(as_array(x), bool_)
    axes = normalize_axes(name, axis, x.ndim)
    return keep(op(masked(x, where, value), axes=axes), x, axes, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> Any:
    """Whether an element along axes is true (not zero); False for no elements.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.
    where : array_like of bool, optional
        The elements to look at.

    Returns
    -------
    Tensor of bool

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.any([[0, 0], [0, 2]], axis=1)
    pl.Tensor([False,  True], dtype=bool, shape=(2,))
    """
    return _logical(ops.reduce_any, "any", x, axis, keepdims, where, False)


def all(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> Any:
    """Whether all elements along axes are true (not zero); True for no elements.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.
    where : array_like of bool, optional
        The elements to look at.

    Returns
    -------
    Tensor of bool

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.all([[1, 1], [0, 2]], axis=1)
    pl.Tensor([ True, False], dtype=bool, shape=(2,))
    """
    return _logical(ops.reduce_all, "all", x, axis, keepdims, where, True)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Number of elements along axes that are not zero.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.count_nonzero([0, 3, 0, 5])
    pl.Tensor(2, dtype=int64)
    """
    x = cast(cast(as_array(x), bool_), int64)
    axes = normalize_axes("count_nonzero", axis, x.ndim)
    return keep(ops.reduce_sum(x, axes=axes), x, axes, keepdims)


def _position(op: Op, name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    x = as_array(x)
    whole = x
    if axis is None:
        x, axes = ops.reshape(x, shape=(x.size,)), tuple(range(x.ndim))
        axis = 0
    else:
        axis = normalize_axis(name, axis, x.ndim)
        axes = (axis,)
    return keep(op(x, axis=axis), whole, axes, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first largest element along an axis; NaN counts as largest.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int, optional
        By default ``x`` is flattened.
    keepdims : bool, optional
        Keep the axis with size 1.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    ShapeError
        No elements, or no such axis.

    Examples
    --------
    >>> pl.argmax([[1, 5, 5], [9, 4, 2]], axis=1)
    pl.Tensor([1, 0], dtype=int64, shape=(2,))
    """
    return _position(ops.argmax, "argmax", x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first smallest element along an axis; NaN counts as smallest.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int, optional
        By default ``x`` is flattened.
    keepdims : bool, optional
        Keep the axis with size 1.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    ShapeError
        No elements, or no such axis.

    Examples
    --------
    >>> pl.argmin([[1, 5, 5], [9, 4, 2]], axis=1)
    pl.Tensor([0, 2], dtype=int64, shape=(2,))
    """
    return _position(ops.argmin, "argmin", x, axis, keepdims)
