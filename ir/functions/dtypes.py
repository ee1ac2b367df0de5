"""Questions about dtypes and shapes: promotion, limits, kinds."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from plait.ir.errors import DTypeError, UnknownNameError
from plait.ir.functions.manipulation import as_shape
from plait.ir.functions.payload import as_payload, promote_dtypes, weak_kind
from plait.ir.functions.payload import broadcast_shapes as common_shape
from plait.ir.types import (
    DType,
    Shape,
    as_dtype,
    bfloat16,
    bool_,
    is_bool,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    is_signed,
    is_unsigned,
)

__all__ = ["broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype in which operands would be computed together.

    Parameters
    ----------
    *arrays_and_dtypes : array_like, dtype or str
        Python numbers are weak, as everywhere.

    Returns
    -------
    dtype

    Raises
    ------
    DTypeError
        No arguments, or one that is neither tensor nor dtype.

    Examples
    --------
    >>> pl.result_type("int32", "float32", 2.0)
    dtype('float64')
    """
    if not arrays_and_dtypes:
        raise DTypeError("result_type: expected at least one tensor or dtype")
    return promote_dtypes(*[_kind(x) for x in arrays_and_dtypes])


def _kind(x: Any) -> Any:
    if isinstance(x, (str, np.dtype, type)):
        return as_dtype(x)
    payload = as_payload(x)
    return weak_kind(payload) or payload.dtype


def can_cast(source: Any, target: Any) -> bool:
    """Whether promotion alone would bring one dtype to another.

    Parameters
    ----------
    source : array_like, dtype or str
    target : dtype or str

    Returns
    -------
    bool

    Raises
    ------
    UnknownNameError
        No such dtype.

    Examples
    --------
    >>> pl.can_cast("int32", "int64"), pl.can_cast("int64", "int32")
    (True, False)
    """
    wanted = as_dtype(target)
    return promote_dtypes(_kind(source), wanted) == wanted


def finfo(dtype: Any) -> Any:
    """Limits of a floating or complex dtype: ``bits``, ``eps``, ``max``, ``min``, ``tiny``, ...

    Parameters
    ----------
    dtype : dtype, str or array_like

    Returns
    -------
    numpy.finfo or ml_dtypes.finfo

    Raises
    ------
    DTypeError
        Neither floating nor complex.

    Examples
    --------
    >>> pl.finfo("float32").bits
    32
    """
    found = _kind(dtype)
    if isinstance(found, type) or not is_inexact(found):
        raise DTypeError(f"finfo: expected a floating or complex dtype, got {found}")
    if found == bfloat16:
        return ml_dtypes.finfo(found)  # type: ignore[no-untyped-call]
    return np.finfo(found)


def iinfo(dtype: Any) -> Any:
    """Limits of an integer dtype: ``bits``, ``max`` and ``min``.

    Parameters
    ----------
    dtype : dtype, str or array_like

    Returns
    -------
    numpy.iinfo

    Raises
    ------
    DTypeError
        Not an integer dtype.

    Examples
    --------
    >>> pl.iinfo("uint8").max
    255
    """
    found = _kind(dtype)
    if isinstance(found, type) or not is_integer(found):
        raise DTypeError(f"iinfo: expected an integer dtype, got {found}")
    return np.iinfo(found)


_KINDS = {
    "bool": is_bool,
    "signed integer": is_signed,
    "unsigned integer": is_unsigned,
    "integral": is_integer,
    "real floating": is_floating,
    "complex floating": is_complex,
    "numeric": lambda d: d != bool_,
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype or str
    kind : str, dtype or tuple
        ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``,
        ``"real floating"``, ``"complex floating"``, ``"numeric"``, a dtype, or several of these.

    Returns
    -------
    bool

    Raises
    ------
    UnknownNameError
        No such kind or dtype.

    Examples
    --------
    >>> pl.isdtype("int32", "integral")
    True
    """
    found = as_dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, one) for one in kind)
    if kind in _KINDS:
        return bool(_KINDS[kind](found))
    if isinstance(kind, str) and " " in kind:
        raise UnknownNameError(f"isdtype: unknown kind {kind!r}; kinds are {', '.join(_KINDS)}")
    return found == as_dtype(kind)


def broadcast_shapes(*shapes: Any) -> Shape:
    """The common shape of shapes, by NumPy's rules.

    Parameters
    ----------
    *shapes : int or tuple of int

    Returns
    -------
    tuple

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    found = [as_shape("broadcast_shapes", s) for s in shapes]
    return common_shape("broadcast_shapes", *found) if found else ()
