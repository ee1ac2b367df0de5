"""Derivatives of arithmetic, choices, conversions and complex numbers."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import Application, define_vjp, like, no_gradient, partials
from plait.ir.types import is_complex, is_inexact

__all__: list[str] = []

partials(ops.add, lambda g, z, x, y: g, lambda g, z, x, y: g)
partials(ops.subtract, lambda g, z, x, y: g, lambda g, z, x, y: ops.negative(g))
partials(
    ops.multiply,
    lambda g, z, x, y: ops.multiply(g, y),
    lambda g, z, x, y: ops.multiply(g, x),
)
partials(ops.negative, lambda g, z, x: ops.negative(g))
# 0 wins, so that the root of a sum of squares, a norm, has a derivative of 0 at 0.
partials(ops.square, lambda g, z, x: ops.multiply_or_zero(g, ops.add(x, x)))
partials(
    ops.multiply_or_zero,
    lambda g, z, x, y: ops.multiply_or_zero(g, y),
    lambda g, z, x, y: ops.multiply_or_zero(g, x),
)


@define_vjp(ops.divide, ops.divide_or_zero)
def _divide(at: Application, g: Any) -> tuple[Any, ...]:
    quotient = ops.divide_or_zero(g, at.operands[1])
    second = ops.negative(ops.multiply_or_zero(quotient, at.results[0])) if at.needs[1] else None
    return quotient, second


partials(ops.reciprocal, lambda g, z, x: ops.multiply_or_zero(g, ops.negative(ops.square(z))))
# Quotients are constant between their jumps.
partials(
    ops.remainder,
    lambda g, z, x, y: g,
    lambda g, z, x, y: ops.negative(ops.multiply(g, ops.floor_divide(x, y))),
)
partials(
    ops.fmod,
    lambda g, z, x, y: g,
    lambda g, z, x, y: ops.negative(ops.multiply(g, ops.trunc(ops.divide(x, y)))),
)


# Roots and powers. At 0 the derivative of a root is infinite; times a cotangent of 0 it is 0.
partials(ops.sqrt, lambda g, z, x: ops.divide_or_zero(g, ops.add(z, z)))
partials(
    ops.rsqrt,
    lambda g, z, x: ops.multiply_or_zero(
        g, ops.multiply(like(z, -0.5), ops.multiply_or_zero(z, ops.square(z)))
    ),
)
partials(ops.cbrt, lambda g, z, x: ops.divide_or_zero(g, ops.multiply(like(z, 3), ops.square(z))))


def _power_base(g: Any, z: Any, x: Any, y: Any) -> Any:
    """``y * x ** (y - 1)``, which is 0 where y is."""
    slope = ops.power(x, ops.subtract(y, like(y, 1)))
    return ops.multiply_or_zero(g, ops.multiply_or_zero(y, slope))


def _power_exponent(g: Any, z: Any, x: Any, y: Any) -> Any:
    """``z * log(x)``, which counts as 0 where x has no logarithm: at 0 and, if real, below."""
    zero = like(x, 0)
    has_log = ops.not_equal(x, zero) if is_complex(x.dtype) else ops.greater(x, zero)
    slope = ops.log(ops.select(has_log, x, like(x, 1)))
    return ops.multiply_or_zero(g, ops.multiply_or_zero(z, slope))


partials(ops.power, _power_base, _power_exponent)


# Sizes and signs. At 0, abs and hypot have a derivative of 0, as the middle of their slopes.
def _absolute(g: Any, z: Any, x: Any) -> Any:
    if is_complex(x.dtype):
        return ops.multiply(ops.cast(g, dtype=x.dtype), ops.conj(ops.sign(x)))
    return ops.multiply(g, ops.sign(x))


def _sign(g: Any, z: Any, x: Any) -> Any:
    """Of z = x / |x|: what turns z without making it longer."""
    if not is_complex(x.dtype):
        return None
    along = ops.cast(ops.real(ops.multiply(g, z)), dtype=x.dtype)
    across = ops.subtract(g, ops.multiply(along, ops.conj(z)))
    scale = ops.divide_or_zero(ops.absolute(z), ops.absolute(x))
    return ops.multiply(across, ops.cast(scale, dtype=x.dtype))


partials(ops.absolute, _absolute)
partials(ops.sign, _sign)
partials(
    ops.copysign,
    lambda g, z, x, y: ops.multiply(g, ops.multiply(ops.sign(x), ops.copysign(like(y, 1), y))),
    None,
)
partials(
    ops.hypot,
    lambda g, z, x, y: ops.multiply(g, ops.divide_or_zero(x, z)),
    lambda g, z, x, y: ops.multiply(g, ops.divide_or_zero(y, z)),
)
partials(ops.nextafter, lambda g, z, x, y: g, None)


# The larger and the smaller: equal operands share the cotangent equally.
def _choose(at: Application, g: Any, first: Any, second: Any) -> tuple[Any, ...]:
    x, y = at.operands
    zero = like(g, 0)
    tied = ops.select(ops.equal(x, y), ops.multiply(g, like(g, 0.5)), zero)
    return (
        ops.select(first(x, y), g, tied) if at.needs[0] else None,
        ops.select(second(x, y), g, tied) if at.needs[1] else None,
    )


@define_vjp(ops.maximum)
def _maximum(at: Application, g: Any) -> tuple[Any, ...]:
    return _choose(at, g, ops.greater, ops.less)


@define_vjp(ops.minimum)
def _minimum(at: Application, g: Any) -> tuple[Any, ...]:
    return _choose(at, g, ops.less, ops.greater)


@define_vjp(ops.select)
def _select(at: Application, g: Any) -> tuple[Any, ...]:
    condition, zero = at.operands[0], like(g, 0)
    return (
        None,
        ops.select(condition, g, zero) if at.needs[1] else None,
        ops.select(condition, zero, g) if at.needs[2] else None,
    )


# Conversions and complex numbers: no conjugation (see define.py).
def _cast(g: Any, z: Any, x: Any, *, dtype: Any) -> Any:
    return ops.cast(g, dtype=x.dtype) if is_inexact(x.dtype) else None


def _angle(g: Any, z: Any, x: Any) -> Any:
    """``-i g / x``, which is 0 at 0."""
    turned = ops.multiply(ops.complex_(like(g, 0), ops.negative(g)), ops.conj(ops.sign(x)))
    return ops.divide_or_zero(turned, ops.cast(ops.absolute(x), dtype=x.dtype))


partials(ops.cast, _cast)
partials(ops.real, lambda g, z, x: ops.complex_(g, like(g, 0)))
partials(ops.imag, lambda g, z, x: ops.complex_(like(g, 0), ops.negative(g)))
partials(ops.conj, lambda g, z, x: ops.conj(g))
partials(ops.complex_, lambda g, z, x, y: ops.real(g), lambda g, z, x, y: ops.negative(ops.imag(g)))
partials(ops.angle, _angle)

# Steps, truths and bits.
no_gradient(
    ops.floor_divide, ops.floor, ops.ceil, ops.trunc, ops.round_,
    ops.equal, ops.not_equal, ops.less, ops.less_equal, ops.greater, ops.greater_equal,
    ops.isnan, ops.isinf, ops.isfinite, ops.signbit,
    ops.logical_and, ops.logical_or, ops.logical_xor, ops.logical_not,
    ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor, ops.bitwise_not,
    ops.shift_left, ops.shift_right, ops.popcount,
)  # fmt: skip
