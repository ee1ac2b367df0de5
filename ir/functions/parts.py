"""Parts of numbers: rounding, real and imaginary part, argument, set bits."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.functions.axes import as_int
from plait.ir.functions.elementwise import divide, multiply
from plait.ir.functions.loops import same
from plait.ir.functions.payload import as_payload, broadcast_to, cast, dtype_of, to_inexact
from plait.ir.types import as_dtype, bool_, float64, int8, is_complex, is_integer, uint8

__all__ = [
    "angle",
    "around",
    "bitwise_count",
    "conj",
    "conjugate",
    "imag",
    "real",
    "round",
]


def round(x: Any, decimals: int = 0) -> Any:
    """Round to the nearest multiple of ``10 ** -decimals``, ties to even.

    Parameters
    ----------
    x : array_like
        Any numeric dtype and shape.
    decimals : int, optional
        Digits after the decimal point; negative ones round before it.

    Returns
    -------
    Tensor
        Of the same dtype.

    Examples
    --------
    >>> pl.round([0.5, 1.5, 2.345], decimals=1)
    pl.Tensor([0.5, 1.5, 2.3], dtype=float32, shape=(3,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    dtype, decimals = payload.dtype, as_int("round", "decimals", decimals)
    if is_complex(dtype):
        parts = [round(part(payload), decimals) for part in (ops.real, ops.imag)]
        return ops.complex_(*parts)
    if not is_integer(dtype) and dtype != bool_:
        if decimals == 0:
            return ops.round_(payload)
        scale = 10.0 ** builtins.abs(decimals)
        up, down = (multiply, divide) if decimals > 0 else (divide, multiply)
        return down(ops.round_(up(payload, scale)), scale)
    if decimals >= 0:
        return same(payload)
    return cast(round(cast(payload, as_dtype("float64")), decimals), dtype)


around = round


def real(x: Any) -> Any:
    """Elementwise real part.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.

    Returns
    -------
    Tensor
        float32 for complex64, float64 for complex128; other dtypes stay.

    Examples
    --------
    >>> pl.real([1 + 2j, 3j])
    pl.Tensor([1., 0.], dtype=float32, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    return ops.real(payload) if is_complex(payload.dtype) else same(payload)


def imag(x: Any) -> Any:
    """Elementwise imaginary part; 0 for real numbers.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.

    Returns
    -------
    Tensor
        float32 for complex64, float64 for complex128; other dtypes stay.

    Examples
    --------
    >>> pl.imag([1 + 2j, 3j])
    pl.Tensor([2., 3.], dtype=float32, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if is_complex(payload.dtype):
        return ops.imag(payload)
    return same(broadcast_to(np.asarray(0, payload.dtype), payload.shape))


def conj(x: Any) -> Any:
    """Elementwise complex conjugate.

    Parameters
    ----------
    x : array_like
        Any dtype and shape; real numbers come back unchanged, booleans as int8.

    Returns
    -------
    Tensor
        Of the same dtype.

    Examples
    --------
    >>> pl.conj([1 + 2j, 3j])
    pl.Tensor([1.-2.j, 0.-3.j], dtype=complex64, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if payload.dtype == bool_:
        return cast(payload, int8)
    return ops.conj(payload) if is_complex(payload.dtype) else same(payload)


conjugate = conj


def angle(x: Any) -> Any:
    """Elementwise argument of a complex number in radians, from -pi to pi.

    Parameters
    ----------
    x : array_like
        Any numeric dtype and shape; real numbers have the argument 0 or pi.

    Returns
    -------
    Tensor
        Of a floating dtype.

    Examples
    --------
    >>> pl.angle([1j, -1 + 0j])
    pl.Tensor([1.5707964, 3.1415927], dtype=float32, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if is_complex(payload.dtype):
        return ops.angle(payload)
    payload = cast(payload, float64 if payload.dtype == bool_ else to_inexact(payload.dtype))
    return ops.atan2(broadcast_to(np.asarray(0, payload.dtype), payload.shape), payload)


def bitwise_count(x: Any) -> Any:
    """Elementwise number of set bits of |x|.

    Parameters
    ----------
    x : array_like
        Booleans or integers, of any shape.

    Returns
    -------
    Tensor
        Of dtype uint8.

    Raises
    ------
    DTypeError
        Floats or complex numbers.

    Examples
    --------
    >>> pl.bitwise_count([7, 8])
    pl.Tensor([3, 1], dtype=uint8, shape=(2,))
    """
    payload = as_payload(x)
    dtype = dtype_of(payload)
    return cast(ops.popcount(cast(payload, uint8 if dtype == bool_ else dtype)), uint8)
