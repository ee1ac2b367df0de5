"""Derivatives of exponentials, logarithms, angles and hyperbolic functions.

A derivative that can be infinite or undefined, at a pole, outside of the domain or by overflow, is
multiplied in by ``multiply_or_zero``: what a ``select`` masks gets 0 and not NaN.
"""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import Application, define_vjp, like, partials

__all__: list[str] = []


def _scaled(x: Any, number: float) -> Any:
    return ops.multiply(x, like(x, number))


# Exponentials and logarithms.
partials(ops.exp, lambda g, z, x: ops.multiply_or_zero(g, z))
partials(ops.exp2, lambda g, z, x: ops.multiply_or_zero(g, _scaled(z, math.log(2))))
partials(ops.expm1, lambda g, z, x: ops.multiply_or_zero(g, ops.add(z, like(z, 1))))
partials(ops.log, lambda g, z, x: ops.divide_or_zero(g, x))
partials(ops.log1p, lambda g, z, x: ops.divide_or_zero(g, ops.add(x, like(x, 1))))
partials(ops.log2, lambda g, z, x: ops.divide_or_zero(g, _scaled(x, math.log(2))))
partials(ops.log10, lambda g, z, x: ops.divide_or_zero(g, _scaled(x, math.log(10))))


@define_vjp(ops.logaddexp)
def _logaddexp(at: Application, g: Any) -> tuple[Any, ...]:
    """Shares ``sigmoid(x - y)`` and ``sigmoid(y - x)``; equal infinities share equally."""
    x, y = at.operands
    tied = ops.logical_and(ops.equal(x, y), ops.isinf(x))
    lead = ops.select(tied, like(x, 0), ops.subtract(x, y))
    return (
        ops.multiply(g, ops.sigmoid(lead)) if at.needs[0] else None,
        ops.multiply(g, ops.sigmoid(ops.negative(lead))) if at.needs[1] else None,
    )


# Angles.
partials(ops.sin, lambda g, z, x: ops.multiply(g, ops.cos(x)))
partials(ops.cos, lambda g, z, x: ops.multiply(g, ops.negative(ops.sin(x))))
partials(ops.tan, lambda g, z, x: ops.multiply(g, ops.add(ops.square(z), like(z, 1))))


def _one_less_square(x: Any) -> Any:
    """``1 - x ** 2``, exact near 1 and -1."""
    one = like(x, 1)
    return ops.multiply(ops.subtract(one, x), ops.add(one, x))


def _one_more_square(x: Any) -> Any:
    return ops.add(ops.square(x), like(x, 1))


partials(ops.asin, lambda g, z, x: ops.multiply_or_zero(g, ops.rsqrt(_one_less_square(x))))
partials(
    ops.acos,
    lambda g, z, x: ops.negative(ops.multiply_or_zero(g, ops.rsqrt(_one_less_square(x)))),
)
partials(ops.atan, lambda g, z, x: ops.divide_or_zero(g, _one_more_square(x)))


@define_vjp(ops.atan2)
def _atan2(at: Application, g: Any) -> tuple[Any, ...]:
    """``x / r**2`` and ``-y / r**2``, which are 0 where both are 0."""
    y, x = at.operands
    r = ops.hypot(y, x)

    def part(side: Any) -> Any:
        return ops.multiply(g, ops.divide_or_zero(ops.divide_or_zero(side, r), r))

    first, second = at.needs
    return part(x) if first else None, part(ops.negative(y)) if second else None


# Hyperbolic functions.
partials(ops.sinh, lambda g, z, x: ops.multiply_or_zero(g, ops.cosh(x)))
partials(ops.cosh, lambda g, z, x: ops.multiply_or_zero(g, ops.sinh(x)))
partials(ops.tanh, lambda g, z, x: ops.multiply(g, ops.subtract(like(z, 1), ops.square(z))))
partials(ops.asinh, lambda g, z, x: ops.multiply_or_zero(g, ops.rsqrt(_one_more_square(x))))


def _acosh(g: Any, z: Any, x: Any) -> Any:
    one = like(x, 1)
    first, second = ops.rsqrt(ops.subtract(x, one)), ops.rsqrt(ops.add(x, one))
    return ops.multiply_or_zero(g, ops.multiply_or_zero(first, second))


partials(ops.acosh, _acosh)
partials(ops.atanh, lambda g, z, x: ops.divide_or_zero(g, _one_less_square(x)))
