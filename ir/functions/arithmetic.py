"""Arithmetic beyond the one-op functions: divmod, modf, gcd, lcm, and extremes that skip NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.builder import region
from plait.ir.functions.elementwise import floor_divide, power, remainder
from plait.ir.functions.loops import operands_of, real_floating
from plait.ir.functions.payload import cast, promote, result_dtype
from plait.ir.functions.reductions import fill
from plait.ir.op import Op
from plait.ir.types import (
    TensorType,
    complex128,
    float32,
    float64,
    is_complex,
    is_inexact,
    is_unsigned,
)

__all__ = [
    "divmod",
    "float_power",
    "fmax",
    "fmin",
    "gcd",
    "lcm",
    "logaddexp2",
    "modf",
]


def fmax(x: Any, y: Any) -> Any:
    """Elementwise the larger of two numbers; of a number and NaN, the number.

    Parameters
    ----------
    x, y : array_like
        Real; shapes that broadcast together; dtypes are promoted as NumPy does.

    Returns
    -------
    Tensor
        Of the promoted dtype; NaN where both are.

    Raises
    ------
    DTypeError
        Complex numbers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.fmax([1.0, np.nan], 0.5)
    pl.Tensor([1. , 0.5], dtype=float32, shape=(2,))
    """
    return _extreme(ops.maximum, *operands_of("fmax", np.fmax, x, y))


def fmin(x: Any, y: Any) -> Any:
    """Elementwise the smaller of two numbers; of a number and NaN, the number.

    Parameters
    ----------
    x, y : array_like
        Real; shapes that broadcast together; dtypes are promoted as NumPy does.

    Returns
    -------
    Tensor
        Of the promoted dtype; NaN where both are.

    Raises
    ------
    DTypeError
        Complex numbers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.fmin([1.0, np.nan], 0.5)
    pl.Tensor([0.5, 0.5], dtype=float32, shape=(2,))
    """
    return _extreme(ops.minimum, *operands_of("fmin", np.fmin, x, y))


def _extreme(op: Op, a: Any, b: Any) -> Any:
    found = op(a, b)
    if not is_inexact(a.dtype):
        return found
    return ops.select(ops.isnan(a), b, ops.select(ops.isnan(b), a, found))


def gcd(x: Any, y: Any) -> Any:
    """Elementwise greatest common divisor of two integers, not negative; gcd(0, 0) is 0.

    Parameters
    ----------
    x, y : array_like of integers
        Shapes that broadcast together.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    DTypeError
        Not integers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.gcd([12, -18], 8)
    pl.Tensor([4, 2], dtype=int32, shape=(2,))
    """
    a, b = operands_of("gcd", np.gcd, x, y)
    return cast(_common_divisor(_size(a), _size(b)), a.dtype)


def lcm(x: Any, y: Any) -> Any:
    """Elementwise least common multiple of two integers, not negative.

    Parameters
    ----------
    x, y : array_like of integers
        Shapes that broadcast together.

    Returns
    -------
    Tensor
        Of the promoted dtype; what does not fit it wraps around.

    Raises
    ------
    DTypeError
        Not integers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.lcm([4, 3], 6)
    pl.Tensor([12,  6], dtype=int32, shape=(2,))
    """
    a, b = operands_of("lcm", np.lcm, x, y)
    dtype, a, b = a.dtype, _size(a), _size(b)
    divisor = _common_divisor(a, b)
    divisor = ops.maximum(divisor, fill(1, divisor))
    return cast(ops.multiply(ops.floor_divide(a, divisor), b), dtype)


def _size(x: Any) -> Any:
    """|x| as an unsigned integer of the same width, which holds every one of them."""
    if is_unsigned(x.dtype):
        return x
    return cast(ops.absolute(x), np.dtype(f"u{x.dtype.name}"))


def _common_divisor(a: Any, b: Any) -> Any:
    """Euclid's algorithm on all elements at once, until the last of them is done."""
    if type(a) is np.ndarray and type(b) is np.ndarray:
        return np.asarray(np.gcd(a, b))
    types = [TensorType(a.dtype, a.shape)] * 2
    loop = (region("unfinished", types, _unfinished), region("euclid", types, _divided))
    found, _ = ops.while_(a, b, regions=loop, num_consts=0)
    return found


def _unfinished(_: Any, b: Any) -> Any:
    return ops.reduce_any(ops.not_equal(b, fill(0, b)), axes=tuple(range(b.ndim)))


def _divided(a: Any, b: Any) -> tuple[Any, Any]:
    zero = fill(0, b)
    done = ops.equal(b, zero)
    rest = ops.remainder(a, ops.select(done, fill(1, b), b))
    return ops.select(done, a, b), ops.select(done, zero, rest)


def modf(x: Any) -> tuple[Any, Any]:
    """Elementwise fractional and integral part, both with the sign of x.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.

    Returns
    -------
    tuple of two Tensors
        What is behind the point, and what is before it.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.modf([1.25, -2.5])[0]
    pl.Tensor([ 0.25, -0.5 ], dtype=float32, shape=(2,))
    """
    payload = real_floating("modf", x)
    whole = ops.trunc(payload)
    finite = ops.select(ops.isinf(payload), fill(0, payload), payload)
    rest = ops.subtract(finite, ops.trunc(finite))
    return ops.copysign(rest, payload), whole


def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """Elementwise quotient, rounded down, and remainder: (x // y, x % y).

    Parameters
    ----------
    x, y : array_like
        Real; shapes that broadcast together; dtypes are promoted as NumPy does.

    Returns
    -------
    tuple of two Tensors

    Raises
    ------
    DTypeError
        Complex numbers or booleans.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.divmod(-7, 3)
    (pl.Tensor(-3, dtype=int32), pl.Tensor(2, dtype=int32))
    """
    return floor_divide(x, y), remainder(x, y)


def logaddexp2(x: Any, y: Any) -> Any:
    """Elementwise log2(2**x + 2**y), without overflow.

    Parameters
    ----------
    x, y : array_like
        Real; shapes that broadcast together; dtypes are promoted as NumPy does.

    Returns
    -------
    Tensor
        Of the promoted floating dtype.

    Raises
    ------
    DTypeError
        Complex numbers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.logaddexp2(3.0, 3.0)
    pl.Tensor(4., dtype=float32)
    """
    a, b = operands_of("logaddexp2", np.logaddexp2, x, y)
    dtype = a.dtype
    a, b = (cast(v, float32 if dtype.itemsize == 2 else dtype) for v in (a, b))
    equal = ops.equal(a, b)  # of equal infinities the difference would be NaN
    gap = ops.select(equal, fill(0, a), ops.absolute(ops.subtract(a, b)))
    rest = ops.log1p(ops.exp2(ops.negative(gap)))
    rest = ops.multiply(rest, fill(1 / math.log(2), rest))
    rest = ops.select(equal, fill(1, rest), rest)
    return cast(ops.add(ops.maximum(a, b), rest), dtype)


def float_power(x: Any, y: Any) -> Any:
    """Elementwise x ** y, computed in double precision whatever the dtypes.

    Parameters
    ----------
    x, y : array_like
        Shapes that broadcast together.

    Returns
    -------
    Tensor
        float64, or complex128 where an operand is complex.

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.float_power(2, -1)
    pl.Tensor(0.5, dtype=float64)
    """
    a, b = promote(x, y)
    dtype = complex128 if is_complex(result_dtype(a, b)) else float64
    return power(cast(a, dtype), cast(b, dtype))
