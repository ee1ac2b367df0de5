"""Elementwise arithmetic, rounding, exponentials, trigonometry and complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import float32, float64, ops
from plait.ir.errors import CheckError, DTypeError
from plait.ir.functions.loops import (
    binary,
    operands_of,
    real_floating,
    same,
    unary,
    unary_float,
)
from plait.ir.functions.payload import (
    as_payload,
    broadcast_to,
    cast,
    dtype_of,
    to_inexact,
)
from plait.ir.types import is_integer

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "fmod",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "nextafter",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "remainder",
    "rint",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]

# Arithmetic.
add = binary(ops.add, np.add, "pl.add([1, 2], 3)", "pl.Tensor([4, 5], dtype=int32, shape=(2,))")
subtract = binary(ops.subtract, np.subtract, "pl.subtract(5, 7)", "pl.Tensor(-2, dtype=int32)")
multiply = binary(
    ops.multiply, np.multiply, "pl.multiply(3.0, 3.0)", "pl.Tensor(9., dtype=float32)"
)
divide = binary(ops.divide, np.divide, "pl.divide(1.0, 4.0)", "pl.Tensor(0.25, dtype=float32)")
floor_divide = binary(
    ops.floor_divide, np.floor_divide, "pl.floor_divide(-7, 2)", "pl.Tensor(-4, dtype=int32)"
)
remainder = binary(ops.remainder, np.remainder, "pl.remainder(-7, 3)", "pl.Tensor(2, dtype=int32)")
fmod = binary(ops.fmod, np.fmod, "pl.fmod(-7, 3)", "pl.Tensor(-1, dtype=int32)")
negative = unary(ops.negative, np.negative, "pl.negative(2)", "pl.Tensor(-2, dtype=int32)")
absolute = unary(ops.absolute, np.absolute, "pl.abs(-2)", "pl.Tensor(2, dtype=int32)", keep="b")
sign = unary(ops.sign, np.sign, "pl.sign(-3.0)", "pl.Tensor(-1., dtype=float32)")
square = unary(ops.square, np.square, "pl.square(3.0)", "pl.Tensor(9., dtype=float32)")
sqrt = unary(ops.sqrt, np.sqrt, "pl.sqrt(9.0)", "pl.Tensor(3., dtype=float32)")
rsqrt = unary_float(ops.rsqrt, "pl.rsqrt(4.0)", "pl.Tensor(0.5, dtype=float32)")
cbrt = unary(ops.cbrt, np.cbrt, "pl.cbrt(0.0)", "pl.Tensor(0., dtype=float32)")
maximum = binary(ops.maximum, np.maximum, "pl.maximum(1, 4)", "pl.Tensor(4, dtype=int32)")
minimum = binary(ops.minimum, np.minimum, "pl.minimum(1, 4)", "pl.Tensor(1, dtype=int32)")
copysign = binary(
    ops.copysign, np.copysign, "pl.copysign(2.0, -0.0)", "pl.Tensor(-2., dtype=float32)"
)
nextafter = binary(
    ops.nextafter, np.nextafter, "pl.nextafter(0.0, 1.0)", "pl.Tensor(1.e-45, dtype=float32)"
)
hypot = binary(ops.hypot, np.hypot, "pl.hypot(3.0, 4.0)", "pl.Tensor(5., dtype=float32)")

# Rounding: integers are whole already.
floor = unary(ops.floor, np.floor, "pl.floor(-1.2)", "pl.Tensor(-2., dtype=float32)", keep="biu")
ceil = unary(ops.ceil, np.ceil, "pl.ceil(-1.7)", "pl.Tensor(-1., dtype=float32)", keep="biu")
trunc = unary(ops.trunc, np.trunc, "pl.trunc(-1.7)", "pl.Tensor(-1., dtype=float32)", keep="biu")
rint = unary(ops.round_, np.rint, "pl.rint(2.5)", "pl.Tensor(2., dtype=float32)")

# Exponentials and logarithms.
exp = unary(ops.exp, np.exp, "pl.exp(0.0)", "pl.Tensor(1., dtype=float32)")
exp2 = unary(ops.exp2, np.exp2, "pl.exp2(3.0)", "pl.Tensor(8., dtype=float32)")
expm1 = unary(ops.expm1, np.expm1, "pl.expm1(0.0)", "pl.Tensor(0., dtype=float32)")
log = unary(ops.log, np.log, "pl.log(1.0)", "pl.Tensor(0., dtype=float32)")
log1p = unary(ops.log1p, np.log1p, "pl.log1p(0.0)", "pl.Tensor(0., dtype=float32)")
log2 = unary(ops.log2, np.log2, "pl.log2(8.0)", "pl.Tensor(3., dtype=float32)")
log10 = unary(ops.log10, np.log10, "pl.log10(1.0)", "pl.Tensor(0., dtype=float32)")
logaddexp = binary(
    ops.logaddexp, np.logaddexp, "pl.logaddexp(0.0, -np.inf)", "pl.Tensor(0., dtype=float32)"
)

# Trigonometric and hyperbolic.
sin = unary(ops.sin, np.sin, "pl.sin(0.0)", "pl.Tensor(0., dtype=float32)")
cos = unary(ops.cos, np.cos, "pl.cos(0.0)", "pl.Tensor(1., dtype=float32)")
tan = unary(ops.tan, np.tan, "pl.tan(0.0)", "pl.Tensor(0., dtype=float32)")
asin = unary(ops.asin, np.arcsin, "pl.asin(0.0)", "pl.Tensor(0., dtype=float32)")
acos = unary(ops.acos, np.arccos, "pl.acos(1.0)", "pl.Tensor(0., dtype=float32)")
atan = unary(ops.atan, np.arctan, "pl.atan(0.0)", "pl.Tensor(0., dtype=float32)")
atan2 = binary(ops.atan2, np.arctan2, "pl.atan2(0.0, 1.0)", "pl.Tensor(0., dtype=float32)")
sinh = unary(ops.sinh, np.sinh, "pl.sinh(0.0)", "pl.Tensor(0., dtype=float32)")
cosh = unary(ops.cosh, np.cosh, "pl.cosh(0.0)", "pl.Tensor(1., dtype=float32)")
tanh = unary(ops.tanh, np.tanh, "pl.tanh(0.0)", "pl.Tensor(0., dtype=float32)")
asinh = unary(ops.asinh, np.arcsinh, "pl.asinh(0.0)", "pl.Tensor(0., dtype=float32)")
acosh = unary(ops.acosh, np.arccosh, "pl.acosh(1.0)", "pl.Tensor(0., dtype=float32)")
atanh = unary(ops.atanh, np.arctanh, "pl.atanh(0.0)", "pl.Tensor(0., dtype=float32)")

# Names that NumPy and the Array API have beside these.
abs = absolute
true_divide = divide
mod = remainder
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh


def power(x: Any, y: Any) -> Any:
    """Elementwise x ** y.

    Parameters
    ----------
    x, y : array_like
        Shapes that broadcast together; dtypes are promoted as NumPy does.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    DTypeError
        A dtype for which this is not defined.
    ShapeError
        Shapes that do not broadcast together.
    CheckError
        An integer to a negative integer power; make one of them a float.

    Examples
    --------
    >>> pl.power([1, 2, 3], 2)
    pl.Tensor([1, 4, 9], dtype=int32, shape=(3,))
    """
    base, exponent = operands_of("power", np.power, x, y)
    simple = _simple_power(y, base.dtype)
    if simple is not None:
        return simple(base)
    if base.dtype.kind == "i":
        _demand_natural(exponent)
    return ops.power(base, exponent)


def _simple_power(y: Any, dtype: Any) -> Any:
    """What NumPy computes for the Python numbers 2, 0.5 and -1; arrays of them take longer."""
    if type(y) not in (int, float):
        return None
    if dtype in (float32, float64):
        return {2: ops.square, 0.5: ops.sqrt, -1: reciprocal}.get(y)
    return ops.square if y == 2 and is_integer(dtype) else None


def _demand_natural(exponent: Any) -> None:
    """Refuse negative integer exponents: at once where they are known, else by a check."""
    message = "power: integers to negative integer powers are not allowed; make one a float"
    if type(exponent) is np.ndarray:
        if exponent.size and exponent.min() < 0:
            raise CheckError(message)
        return
    zeros = broadcast_to(np.asarray(0, exponent.dtype), exponent.shape)
    fine = ops.greater_equal(exponent, zeros)
    ok = ops.reduce_all(fine, axes=tuple(range(fine.ndim))) if fine.ndim else fine
    ops.check(ok, error="CheckError", message=message)


pow = power


def positive(x: Any) -> Any:
    """Elementwise +x: a copy.

    Parameters
    ----------
    x : array_like
        Any numeric dtype and shape.

    Returns
    -------
    Tensor
        Of the same dtype.

    Raises
    ------
    DTypeError
        Booleans.

    Examples
    --------
    >>> pl.positive([1, -2])
    pl.Tensor([ 1, -2], dtype=int32, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if payload.dtype == np.bool_:
        raise DTypeError("positive: not defined for bool; cast to another dtype first")
    return same(payload)


def reciprocal(x: Any) -> Any:
    """Elementwise 1 / x; of integers it is truncated, as NumPy does.

    Parameters
    ----------
    x : array_like
        Any numeric dtype and shape.

    Returns
    -------
    Tensor
        Of the same dtype.

    Examples
    --------
    >>> pl.reciprocal([4.0, -0.5])
    pl.Tensor([ 0.25, -2.  ], dtype=float32, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if not is_integer(payload.dtype):
        return ops.reciprocal(cast(payload, to_inexact(payload.dtype)))
    one = broadcast_to(np.asarray(1, payload.dtype), payload.shape)
    zero = broadcast_to(np.asarray(0, payload.dtype), payload.shape)
    return ops.select(ops.equal(ops.absolute(payload), one), payload, zero)


def degrees(x: Any) -> Any:
    """Elementwise angle in degrees of an angle in radians: x * 180 / pi.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape.

    Returns
    -------
    Tensor
        Of the promoted floating dtype.

    Examples
    --------
    >>> pl.degrees(3.1415927)
    pl.Tensor(180., dtype=float32)
    """
    return multiply(real_floating("degrees", x), 180 / np.pi)


def radians(x: Any) -> Any:
    """Elementwise angle in radians of an angle in degrees: x * pi / 180.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape.

    Returns
    -------
    Tensor
        Of the promoted floating dtype.

    Examples
    --------
    >>> pl.radians([90.0, 180.0])
    pl.Tensor([1.5707964, 3.1415927], dtype=float32, shape=(2,))
    """
    return multiply(real_floating("radians", x), np.pi / 180)


rad2deg, deg2rad = degrees, radians
