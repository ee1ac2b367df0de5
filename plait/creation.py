"""Making tensors: creation functions with a device; functions that take the standard's ``copy``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeGuard

import numpy as np

from plait.ir import SHORT_NAMES, as_dtype, dispatch, functions
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.frames import boundary, hide_internals, translated
from plait.ir.location import user_location
from plait.tracer import Tensor, copy_array, is_view_of, lift, wrap

__all__ = ["CREATION", "asarray", "astype", "on_device", "reshape"]

#: Functions that make tensors and so take ``device=``.
CREATION = (
    "arange",
    "constant",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "indices",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
)

_astype = lift(functions.astype)
_reshape = lift(functions.reshape)


def _named_asarray(value: Any, dtype: Any) -> Any:
    return functions.constant(value, dtype)


_named_asarray.__name__ = "asarray"  # in messages
_constant = lift(_named_asarray)


def on_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """A creation function that also takes ``device=``."""
    known = inspect.signature(function)
    place = inspect.Parameter("device", inspect.Parameter.KEYWORD_ONLY, default=None)

    @boundary
    @wraps(function)
    def create(*args: Any, device: Any = None, **kwargs: Any) -> Any:
        if device is None:
            return function(*args, **kwargs)
        from plait.runtime.device import device as scope

        with scope(device):
            return function(*args, **kwargs)

    signature = known.replace(parameters=[*known.parameters.values(), place])
    create.__signature__ = signature  # type: ignore[attr-defined]
    return create


def asarray(
    obj: Any,
    /,
    dtype: Any = None,
    *,
    device: Any = None,
    copy: bool | None = None,
) -> Tensor:
    """A tensor of anything array-like.

    Parameters
    ----------
    obj : array_like
        A tensor, NumPy or jax array, nested list or number. Python numbers give bool, int32,
        float32 or complex64; arrays keep their dtype.
    dtype : dtype or str, optional
    device : str or Device, optional
        Where the tensor is to live.
    copy : bool, optional
        By default a tensor that fits is returned as it is, and everything else is copied. True
        always copies, False raises where a copy is needed.

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        Not numbers, or a number that does not fit ``dtype``.
    ShapeError
        Rows of different lengths.
    ValueError
        ``copy=False`` and a copy is needed.

    Examples
    --------
    >>> pl.asarray([[1.0, 2.0]])
    pl.Tensor([[1., 2.]], dtype=float32, shape=(1, 2))
    >>> pl.asarray(np.arange(2))
    pl.Tensor([0, 1], dtype=int64, shape=(2,))
    """
    try:
        return _as_tensor(obj, dtype, device, copy)
    except Exception as error:
        try:
            raise translated(error, asarray)
        except Exception as shown:
            hide_internals(shown)
            raise


def _is_tensor(x: Any) -> TypeGuard[Tensor]:
    """Whether ``x`` is a tensor to the user; a tracer may stand for an ndarray or a number."""
    return type(x) is Tensor and (not dispatch.active or x._kind == "tensor")


def _as_tensor(obj: Any, dtype: Any, device: Any, copy: bool | None) -> Tensor:
    wanted = None if dtype is None else as_dtype(dtype)
    result: Tensor
    if _is_tensor(obj) and wanted in (None, obj.dtype):
        result = obj.copy() if copy else obj
        return result if device is None else result.to(device)
    if copy is False:
        raise DTypeError(
            f"asarray: {type(obj).__name__} cannot become a tensor of "
            f"{wanted.name if wanted else 'its dtype'} without a copy; leave copy=None"
        )
    plain = type(obj) is np.ndarray and wanted in (None, obj.dtype) and obj.dtype.isnative
    if plain and obj.dtype in SHORT_NAMES and not dispatch.active:
        result = wrap(copy_array(obj))
    else:
        result = _constant(obj, wanted)
    return result if device is None else result.to(device)


@boundary
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """The values in another dtype.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    dtype : dtype or str
        Floats become integers by truncation; complex numbers lose their imaginary part.
    copy : bool
        False returns ``x`` itself where it is a tensor of that dtype.
    device : str or Device, optional
        Where the result is to live.

    Returns
    -------
    Tensor
        Of dtype ``dtype``.

    Raises
    ------
    UnknownNameError
        No such dtype.
    DTypeError
        A Python number that does not fit the dtype.

    Examples
    --------
    >>> pl.astype([1.7, -1.7], "int32")
    pl.Tensor([ 1, -1], dtype=int32, shape=(2,))
    """
    same = not copy and _is_tensor(x) and x.dtype == dtype
    result: Tensor = x if same else _astype(x, dtype)
    return result if device is None else result.to(device)


@boundary
def reshape(x: Any, shape: Any, *, copy: bool | None = None) -> Tensor:
    """The same elements, in row-major order, in another shape.

    Parameters
    ----------
    x : array_like
    shape : int or tuple of int
        At most one size may be -1: it is what is left.
    copy : bool, optional
        By default a view where memory allows. True always copies, False raises where a copy is
        needed.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        The numbers of elements differ, or ``copy=False`` and a copy is needed.

    Examples
    --------
    >>> pl.reshape([1, 2, 3, 4], (2, -1))
    pl.Tensor([[1, 2],
               [3, 4]], dtype=int32, shape=(2, 2))
    """
    result: Tensor = _reshape(x, shape)
    if copy:
        return result.copy()
    if copy is False and not is_view_of(result, x):
        raise ShapeError("reshape: this needs a copy; leave copy=None").at(user_location())
    return result
