"""Derivatives of special functions and activations."""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import like, partials

__all__: list[str] = []


def _scaled(x: Any, number: float) -> Any:
    return ops.multiply(x, like(x, number))


def _gelu(g: Any, z: Any, x: Any) -> Any:
    """With the normal distribution's cdf and density: ``cdf(x) + x * pdf(x)``."""
    cdf = _scaled(ops.erfc(_scaled(x, -math.sqrt(0.5))), 0.5)
    pdf = _scaled(ops.exp(_scaled(ops.square(x), -0.5)), 1 / math.sqrt(2 * math.pi))
    return ops.multiply(g, ops.add(cdf, ops.multiply_or_zero(x, pdf)))


def _relu(g: Any, z: Any, x: Any) -> Any:
    """0 at 0, as everywhere below."""
    zero = like(z, 0)
    return ops.select(ops.greater(z, zero), g, zero)


def _bell(x: Any, height: float) -> Any:
    return _scaled(ops.exp(ops.negative(ops.square(x))), height)


partials(
    ops.sigmoid,
    lambda g, z, x: ops.multiply(g, ops.multiply(z, ops.subtract(like(z, 1), z))),
)
partials(ops.softplus, lambda g, z, x: ops.multiply(g, ops.sigmoid(x)))
partials(ops.gelu, _gelu)
partials(ops.relu, _relu)
partials(ops.erf, lambda g, z, x: ops.multiply(g, _bell(x, 2 / math.sqrt(math.pi))))
partials(ops.erfc, lambda g, z, x: ops.multiply(g, _bell(x, -2 / math.sqrt(math.pi))))
partials(
    ops.erfinv,
    lambda g, z, x: ops.multiply_or_zero(
        g, _scaled(ops.exp(ops.square(z)), math.sqrt(math.pi) / 2)
    ),
)
partials(ops.lgamma, lambda g, z, x: ops.multiply_or_zero(g, ops.digamma(x)))
partials(ops.digamma, lambda g, z, x: ops.multiply_or_zero(g, ops.polygamma(x, order=1)))
partials(
    ops.polygamma,
    lambda g, z, x, order: ops.multiply_or_zero(g, ops.polygamma(x, order=order + 1)),
)
