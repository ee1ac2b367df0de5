"""New tensors: constants and fills."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array
from plait.ir.functions.loops import same
from plait.ir.functions.manipulation import as_shape
from plait.ir.functions.payload import (
    as_payload,
    broadcast_to,
    cast,
    dtype_of,
    wide_payload,
)
from plait.ir.literal import Literal
from plait.ir.types import DType, Shape, as_dtype, float32, is_inexact

__all__ = [
    "array",
    "asarray",
    "constant",
    "copy",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A tensor of given values, always a copy.

    Parameters
    ----------
    value : array_like
        Python numbers and lists of them give bool, int32, float32 or complex64; arrays keep their
        dtype.
    dtype : dtype or str, optional
    shape : int or tuple of int, optional
        Another shape of equal size, or one that a single value fills.

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        Not numbers, or a Python number that does not fit ``dtype``.
    ShapeError
        Rows of different lengths, or a ``shape`` of another size.

    Examples
    --------
    >>> pl.constant(6)
    pl.Tensor(6, dtype=int32)
    >>> pl.constant([1, 2], dtype="float64")
    pl.Tensor([1., 2.], dtype=float64, shape=(2,))
    """
    if dtype is not None:
        found = _as_dtype(wide_payload(value), as_dtype(dtype))
    else:
        payload = as_payload(value)
        found = cast(payload, dtype_of(payload))
    if shape is not None:
        sizes = as_shape("constant", shape)
        found = broadcast_to(found, sizes) if found.ndim == 0 else ops.reshape(found, shape=sizes)
    return same(found)


def copy(x: Any) -> Any:
    """The same elements in memory of their own.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.

    Returns
    -------
    Tensor
        Of the same shape and dtype.

    Examples
    --------
    >>> x = pl.zeros(2)
    >>> y = pl.copy(x)
    >>> x[0] = 1.0
    >>> y
    pl.Tensor([0., 0.], dtype=float32, shape=(2,))
    """
    return same(as_array(x))


def _as_dtype(payload: Any, dtype: DType) -> Any:
    """A cast in which a Python float may become an integer, as an array's would."""
    if type(payload) in (float, complex) and not is_inexact(dtype):
        payload = np.asarray(payload)
    return cast(payload, dtype)


def asarray(x: Any, dtype: Any = None) -> Any:
    """A tensor of anything array-like; NumPy arrays are copied.

    Parameters
    ----------
    x : array_like
    dtype : dtype or str, optional

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        Not numbers, or a Python number that does not fit ``dtype``.
    ShapeError
        Rows of different lengths.

    Examples
    --------
    >>> pl.asarray([[1.0, 2.0]])
    pl.Tensor([[1., 2.]], dtype=float32, shape=(1, 2))
    """
    return constant(x, dtype)


array = asarray


@lru_cache(maxsize=1024)
def _literal(value: Any, dtype: DType, negative_zero: bool) -> Literal:
    return Literal(np.asarray(value, dtype))


def filled(value: Any, shape: Shape, dtype: DType) -> Any:
    """A Python number everywhere."""
    try:
        literal = _literal(value, dtype, math.copysign(1, np.real(value)) < 0)
    except (OverflowError, TypeError, ValueError):
        raise DTypeError(f"full: {value!r} does not fit dtype {dtype.name}") from None
    return ops.full(value=literal, shape=shape)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : number or array_like
        Arrays are broadcast.
    dtype : dtype or str, optional
        By default that of the value: bool, int32, float32 or complex64 for a Python number.

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        A number that does not fit the dtype.
    ShapeError
        A negative size, or a value that does not broadcast.

    Examples
    --------
    >>> pl.full(3, 0.5)
    pl.Tensor([0.5, 0.5, 0.5], dtype=float32, shape=(3,))
    """
    return _full("full", shape, fill_value, dtype)


def _full(name: str, shape: Any, fill_value: Any, dtype: Any) -> Any:
    sizes, payload = as_shape(name, shape), as_payload(fill_value)
    try:
        wanted = dtype_of(payload) if dtype is None else as_dtype(dtype)
    except DTypeError as error:
        raise _no_dtype(error, name, shape, fill_value, dtype) from None
    if any(type(d) is int and d < 0 for d in sizes):
        raise ShapeError(f"{name}: sizes {sizes} must not be negative")
    if type(payload) in (bool, int, float, complex):
        if type(payload) in (float, complex) and not is_inexact(wanted):
            payload = _as_dtype(payload, wanted).item()
        return filled(payload, sizes, wanted)
    return same(broadcast_to(cast(payload, wanted), sizes))


def _no_dtype(error: DTypeError, name: str, shape: Any, fill_value: Any, dtype: Any) -> DTypeError:
    """The error for something that is no dtype, often a size of a shape that is no tuple."""
    if isinstance(dtype, (int, float)):
        inner = f"({shape!r}, {fill_value!r}), {dtype!r}" if name == "full" else f"{shape, dtype}"
        hint = f"; give the shape as a tuple: pl.{name}({inner})"
        return DTypeError(f"{name}: {dtype!r} is not a dtype{hint}")
    return error


def zeros(shape: Any, dtype: Any = float32) -> Any:
    """Zeros.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype or str, optional

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.zeros((2, 2))
    pl.Tensor([[0., 0.],
               [0., 0.]], dtype=float32, shape=(2, 2))
    """
    return _full("zeros", shape, 0, float32 if dtype is None else dtype)


def ones(shape: Any, dtype: Any = float32) -> Any:
    """Ones.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype or str, optional

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.ones(3, dtype="int64")
    pl.Tensor([1, 1, 1], dtype=int64, shape=(3,))
    """
    return _full("ones", shape, 1, float32 if dtype is None else dtype)


def empty(shape: Any, dtype: Any = float32) -> Any:
    """A tensor to be filled. It holds zeros, so that no result depends on old memory.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype or str, optional

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.empty((2, 3)).shape
    (2, 3)
    """
    return _full("empty", shape, 0, float32 if dtype is None else dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """One value everywhere, in the shape and dtype of another tensor.

    Parameters
    ----------
    x : array_like
    fill_value : number or array_like
    dtype : dtype or str, optional
    shape : int or tuple of int, optional

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        A number that does not fit the dtype.

    Examples
    --------
    >>> pl.full_like([1, 2], 7)
    pl.Tensor([7, 7], dtype=int32, shape=(2,))
    """
    payload = as_array(x)
    sizes = payload.shape if shape is None else shape
    return full(sizes, fill_value, payload.dtype if dtype is None else dtype)


def zeros_like(x: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Zeros in the shape and dtype of another tensor.

    Parameters
    ----------
    x : array_like
    dtype : dtype or str, optional
    shape : int or tuple of int, optional

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.zeros_like([1, 2])
    pl.Tensor([0, 0], dtype=int32, shape=(2,))
    """
    return full_like(x, 0, dtype, shape)


def ones_like(x: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Ones in the shape and dtype of another tensor.

    Parameters
    ----------
    x : array_like
    dtype : dtype or str, optional
    shape : int or tuple of int, optional

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.ones_like([1.5, 2.5])
    pl.Tensor([1., 1.], dtype=float32, shape=(2,))
    """
    return full_like(x, 1, dtype, shape)


def empty_like(x: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A tensor to be filled, in the shape and dtype of another; it holds zeros.

    Parameters
    ----------
    x : array_like
    dtype : dtype or str, optional
    shape : int or tuple of int, optional

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.empty_like([1, 2]).shape
    (2,)
    """
    return zeros_like(x, dtype, shape)
