"""Elementwise ops in jax.lax, with NumPy's meaning where XLA's own differs."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import (
    Lowering,
    Table,
    as_bits,
    cast,
    in_float32,
    kind,
    like,
    zeros,
)


def by_kind(default: Lowering, **special: Lowering) -> Lowering:
    """Another lowering for some kinds of dtype: ``b`` for bool, ``u``, ``i``, ``f``, ``c``."""

    def lowering(*operands: Any) -> Any:
        return special.get(kind(operands[0]), default)(*operands)

    return lowering


def _identity(x: Any) -> Any:
    return x


# Division. XLA gives -1 (all bits) for x / 0 and x for x % 0, where NumPy gives 0.
def _divisor(y: Any) -> tuple[Any, Any]:
    by_zero = lax.eq(y, zeros(y))
    return by_zero, lax.select(by_zero, like(y, 1), y)


def _integer_remainder(x: Any, y: Any) -> Any:
    by_zero, divisor = _divisor(y)
    rest = lax.rem(x, divisor)
    if kind(x) == "i":
        opposite = lax.ne(lax.lt(rest, zeros(x)), lax.lt(y, zeros(y)))
        rest = lax.select(
            lax.bitwise_and(opposite, lax.ne(rest, zeros(x))), lax.add(rest, divisor), rest
        )
    return lax.select(by_zero, zeros(x), rest)


def _integer_floor_divide(x: Any, y: Any) -> Any:
    by_zero, divisor = _divisor(y)
    quotient = lax.div(x, divisor)
    if kind(x) == "i":
        rest = lax.rem(x, divisor)
        opposite = lax.ne(lax.lt(rest, zeros(x)), lax.lt(y, zeros(y)))
        uneven = lax.bitwise_and(opposite, lax.ne(rest, zeros(x)))
        quotient = lax.sub(quotient, cast(uneven, x.dtype))
    return lax.select(by_zero, zeros(x), quotient)


def _integer_fmod(x: Any, y: Any) -> Any:
    by_zero, divisor = _divisor(y)
    return lax.select(by_zero, zeros(x), lax.rem(x, divisor))


def _float_remainder(x: Any, y: Any) -> Any:
    rest = lax.rem(x, y)
    opposite = lax.ne(lax.lt(rest, zeros(x)), lax.lt(y, zeros(y)))
    uneven = lax.ne(rest, zeros(x))
    moved = lax.select(lax.bitwise_and(opposite, uneven), lax.add(rest, y), rest)
    return lax.select(uneven, moved, copysign(zeros(x), y))


def _float_floor_divide(x: Any, y: Any) -> Any:
    # As NumPy: from the exact remainder, so that (x // y) * y + x % y is x.
    rest = lax.rem(x, y)
    opposite = lax.ne(lax.lt(rest, zeros(x)), lax.lt(y, zeros(y)))
    uneven = lax.bitwise_and(opposite, lax.ne(rest, zeros(x)))
    quotient = lax.sub(lax.div(lax.sub(x, rest), y), cast(uneven, x.dtype))
    down = lax.floor(quotient)
    nearest = lax.add(down, cast(lax.gt(lax.sub(quotient, down), like(x, 0.5)), x.dtype))
    plain = lax.div(x, y)
    signed = lax.select(lax.eq(quotient, zeros(x)), copysign(zeros(x), plain), nearest)
    return lax.select(lax.eq(y, zeros(y)), plain, signed)


# Powers of integers: by squaring, for as many bits as the largest exponent has; products wrap.
def _integer_power(x: Any, y: Any) -> Any:
    def more(state: Any) -> Any:
        return lax.reduce_or(lax.gt(state[2], zeros(y)), tuple(range(y.ndim)))

    def step(state: Any) -> Any:
        result, base, exponent = state
        odd = lax.ne(lax.bitwise_and(exponent, like(y, 1)), zeros(y))
        result = lax.select(odd, lax.mul(result, base), result)
        return result, lax.mul(base, base), lax.shift_right_logical(exponent, like(y, 1))

    power = lax.while_loop(more, step, (like(x, 1), x, y))[0]
    if kind(x) == "u":
        return power
    # A negative exponent is an error in NumPy; here it gives the truncated reciprocal's power.
    one, minus = lax.eq(x, like(x, 1)), lax.eq(x, like(x, -1))
    odd = lax.ne(lax.bitwise_and(y, like(y, 1)), zeros(y))
    unit = lax.select(lax.bitwise_and(minus, odd), like(x, -1), like(x, 1))
    reciprocal = lax.select(lax.bitwise_or(one, minus), unit, zeros(x))
    return lax.select(lax.lt(y, zeros(y)), reciprocal, power)


def _complex_power(x: Any, y: Any) -> Any:
    at_zero = lax.eq(x, zeros(x))
    safe = lax.select(at_zero, like(x, 1), x)
    power = lax.exp(lax.mul(y, lax.log(safe)))
    # 0 ** y: 1 for y = 0, 0 for a positive real part, otherwise undefined.
    positive = lax.gt(lax.real(y), zeros(lax.real(y)))
    of_zero = lax.select(positive, zeros(x), like(x, complex(np.nan, np.nan)))
    power = lax.select(at_zero, of_zero, power)
    return lax.select(lax.eq(y, zeros(y)), like(x, 1), power)


# Signs and sizes.
def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign bit of y."""
    bits = as_bits(x)
    mask = np.asarray(1, bits.dtype) << np.asarray(8 * x.dtype.itemsize - 1, bits.dtype)
    magnitude = lax.bitwise_and(bits, like(bits, ~mask))
    sign = lax.bitwise_and(as_bits(y), like(bits, mask))
    return lax.bitcast_convert_type(lax.bitwise_or(magnitude, sign), x.dtype)


def _signbit(x: Any) -> Any:
    bits = lax.bitcast_convert_type(x, np.dtype(f"int{8 * x.dtype.itemsize}"))
    return lax.lt(bits, zeros(bits))


def _hypot(x: Any, y: Any) -> Any:
    x, y = lax.abs(x), lax.abs(y)
    large, small = lax.max(x, y), lax.min(x, y)
    ratio = lax.div(small, lax.select(lax.eq(large, zeros(x)), like(x, 1), large))
    length = lax.mul(large, lax.sqrt(lax.add(like(x, 1), lax.mul(ratio, ratio))))
    infinite = lax.bitwise_or(lax.eq(x, like(x, np.inf)), lax.eq(y, like(y, np.inf)))
    return lax.select(infinite, like(x, np.inf), length)


def _trunc(x: Any) -> Any:
    return lax.select(lax.lt(x, zeros(x)), lax.ceil(x), lax.floor(x))


def _round(x: Any) -> Any:
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


def _square(x: Any) -> Any:
    return lax.mul(x, x)  # which jax lowers once for all products of the type


def _reciprocal(x: Any) -> Any:
    return lax.div(like(x, 1), x)


# Logarithms.
def _logarithm(base: float) -> Lowering:
    def lowering(x: Any) -> Any:
        return lax.mul(lax.log(x), like(x, 1 / np.log(base)))

    return in_float32(lowering)


def _logaddexp(x: Any, y: Any) -> Any:
    difference = lax.sub(x, y)
    decay = lax.exp(lax.neg(lax.abs(difference)))
    total = lax.add(lax.max(x, y), lax.log1p(decay))
    # NaN, or equal infinities, whose difference is NaN.
    same = lax.bitwise_and(_isinf(x), lax.eq(x, y))
    return lax.select(same, x, total)


# Tests for NaN and infinities.
def _isnan(x: Any) -> Any:
    return lax.ne(x, x)


def _isinf(x: Any) -> Any:
    return lax.eq(lax.abs(x), like(x, np.inf))


def _of_parts(test: Lowering, combine: Lowering) -> Lowering:
    def lowering(x: Any) -> Any:
        return combine(test(lax.real(x)), test(lax.imag(x)))

    return lowering


def _popcount(x: Any) -> Any:
    return lax.population_count(lax.abs(x) if kind(x) == "i" else x)


# Activations and special functions.
def _softplus(x: Any) -> Any:
    return lax.add(lax.max(x, zeros(x)), lax.log1p(lax.exp(lax.neg(lax.abs(x)))))


def _gelu(x: Any) -> Any:
    bend = lax.erf(lax.mul(x, like(x, np.sqrt(0.5))))
    return lax.mul(lax.mul(x, like(x, 0.5)), lax.add(bend, like(x, 1)))


def _relu(x: Any) -> Any:
    return lax.max(x, zeros(x))


def _lgamma(x: Any) -> Any:
    # scipy.special gives -inf at -inf, C's lgamma inf.
    return lax.select(lax.eq(x, like(x, -np.inf)), x, lax.lgamma(x))


def _digamma(x: Any) -> Any:
    # scipy.special has the pole's sided limit at zero.
    pole = copysign(like(x, np.inf), lax.neg(x))
    return lax.select(lax.eq(x, zeros(x)), pole, lax.digamma(x))


def _polygamma(x: Any, *, order: int) -> Any:
    # XLA's series holds for positive x. For the others, by reflection at 1/2 (x < 1/2):
    # psi_n(x) = (-1)^n psi_n(1 - x) - pi^(n+1) P_n(cot(pi x)), where P_n is the n-th derivative of
    # the cotangent as a polynomial of it.
    small = lax.lt(x, like(x, 0.5))
    mirrored = lax.select(small, lax.sub(like(x, 1), x), x)
    value = lax.polygamma(like(x, order), mirrored)
    value = lax.select(lax.eq(mirrored, like(x, np.inf)), zeros(x), value)
    angle = lax.mul(lax.sub(x, _round(x)), like(x, np.pi))
    cotangent = lax.div(lax.cos(angle), lax.sin(angle))
    bend = zeros(x)
    for coefficient in _cotangent_derivative(order)[::-1]:
        bend = lax.add(lax.mul(bend, cotangent), like(x, coefficient))
    scaled = lax.mul(like(x, np.pi ** (order + 1)), bend)
    other = lax.sub(value if order % 2 == 0 else lax.neg(value), scaled)
    pole = like(x, np.inf if order % 2 else np.nan)
    is_pole = lax.bitwise_and(lax.le(x, zeros(x)), lax.eq(x, lax.floor(x)))
    found = lax.select(is_pole, pole, lax.select(small, other, value))
    return lax.select(lax.eq(x, like(x, -np.inf)), like(x, np.nan), found)


def _cotangent_derivative(order: int) -> Any:
    """Coefficients of the derivative of cot(x) as a polynomial of cot(x), lowest power first."""
    polynomial: Any = np.asarray([0.0, 1.0])
    for _ in range(order):
        polynomial = -np.convolve(np.polynomial.polynomial.polyder(polynomial), [1.0, 0.0, 1.0])
    return polynomial


# Products and quotients in which 0 wins: as fast as plain ones. With a test for NaN they are not.
def _multiply_or_zero(x: Any, y: Any) -> Any:
    either = lax.bitwise_or(lax.eq(x, zeros(x)), lax.eq(y, zeros(y)))
    return lax.select(either, zeros(x), lax.mul(x, y))


def _divide_or_zero(x: Any, y: Any) -> Any:
    return lax.select(lax.eq(x, zeros(x)), x, lax.div(x, y))


def lower_cast(x: Any, *, dtype: Any) -> Any:
    """The value in ``dtype``, as ``ndarray.astype`` for values that ``dtype`` can hold.

    A float that an integer dtype cannot hold is undefined in NumPy; XLA gives the nearest integer
    of the dtype, and 0 for NaN.
    """
    dtype = np.dtype(dtype)
    if kind(x) == "c" and dtype.kind != "c":
        return lax.ne(x, zeros(x)) if dtype.kind == "b" else cast(lax.real(x), dtype)
    return cast(x, dtype)


TABLE: Table = {
    "add": by_kind(lax.add, b=lax.bitwise_or),
    "subtract": lax.sub,
    "multiply": by_kind(lax.mul, b=lax.bitwise_and),
    "divide": lax.div,
    "multiply_or_zero": _multiply_or_zero,
    "divide_or_zero": _divide_or_zero,
    "floor_divide": by_kind(_integer_floor_divide, f=in_float32(_float_floor_divide)),
    "remainder": by_kind(_integer_remainder, f=in_float32(_float_remainder)),
    "fmod": by_kind(_integer_fmod, f=lax.rem),
    "power": by_kind(_integer_power, f=lax.pow, c=_complex_power),
    "negative": lax.neg,
    "abs": by_kind(lax.abs, u=_identity),
    "sign": lax.sign,
    "square": by_kind(_square, c=lax.square),
    "sqrt": lax.sqrt,
    "rsqrt": lax.rsqrt,
    "cbrt": lax.cbrt,
    "reciprocal": _reciprocal,
    "maximum": by_kind(lax.max, b=lax.bitwise_or),
    "minimum": by_kind(lax.min, b=lax.bitwise_and),
    "copysign": copysign,
    "nextafter": lax.nextafter,
    "hypot": in_float32(_hypot),
    "floor": lax.floor,
    "ceil": lax.ceil,
    "trunc": _trunc,
    "round": _round,
    "exp": lax.exp,
    "exp2": lax.exp2,
    "expm1": lax.expm1,
    "log": lax.log,
    "log1p": lax.log1p,
    "log2": _logarithm(2.0),
    "log10": _logarithm(10.0),
    "logaddexp": in_float32(_logaddexp),
    "sin": lax.sin,
    "cos": lax.cos,
    "tan": lax.tan,
    "asin": lax.asin,
    "acos": lax.acos,
    "atan": lax.atan,
    "atan2": lax.atan2,
    "sinh": lax.sinh,
    "cosh": lax.cosh,
    "tanh": lax.tanh,
    "asinh": lax.asinh,
    "acosh": lax.acosh,
    "atanh": lax.atanh,
    "equal": lax.eq,
    "not_equal": lax.ne,
    "less": lax.lt,
    "less_equal": lax.le,
    "greater": lax.gt,
    "greater_equal": lax.ge,
    "isnan": _isnan,
    "isinf": by_kind(_isinf, c=_of_parts(_isinf, lax.bitwise_or)),
    "isfinite": by_kind(lax.is_finite, c=_of_parts(lax.is_finite, lax.bitwise_and)),
    "signbit": _signbit,
    "logical_and": lax.bitwise_and,
    "logical_or": lax.bitwise_or,
    "logical_xor": lax.bitwise_xor,
    "logical_not": lax.bitwise_not,
    "bitwise_and": lax.bitwise_and,
    "bitwise_or": lax.bitwise_or,
    "bitwise_xor": lax.bitwise_xor,
    "bitwise_not": lax.bitwise_not,
    "shift_left": lax.shift_left,
    "shift_right": by_kind(lax.shift_right_arithmetic, u=lax.shift_right_logical),
    "popcount": _popcount,
    "real": lax.real,
    "imag": lax.imag,
    "conj": lax.conj,
    "angle": lambda x: lax.atan2(lax.imag(x), lax.real(x)),
    "sigmoid": lax.logistic,
    "softplus": in_float32(_softplus),
    "gelu": in_float32(_gelu),
    "relu": _relu,
    "erf": lax.erf,
    "erfc": lax.erfc,
    "erfinv": in_float32(lax.erf_inv),
    "lgamma": in_float32(_lgamma),
    "digamma": in_float32(_digamma),
    "polygamma": in_float32(_polygamma),
    "select": lax.select,
    "cast": lower_cast,
    "complex": lax.complex,
}
