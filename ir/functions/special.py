"""Special functions: error functions, gamma functions, and limits taken care of."""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.functions.elementwise import (
    divide,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    subtract,
)
from plait.ir.functions.logic import equal, isnan, less, logical_and, logical_not, where
from plait.ir.functions.loops import real_floating, unary_float

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "lgamma",
    "log1mexp",
    "logit",
    "sinc",
    "xlogy",
]

erf = unary_float(ops.erf, "pl.erf(0.0)", "pl.Tensor(0., dtype=float32)")
erfc = unary_float(ops.erfc, "pl.erfc(0.0)", "pl.Tensor(1., dtype=float32)")
erfinv = unary_float(ops.erfinv, "pl.erfinv(0.0)", "pl.Tensor(0., dtype=float32)")
lgamma = unary_float(ops.lgamma, "pl.lgamma(1.0)", "pl.Tensor(0., dtype=float32)")
digamma = unary_float(ops.digamma, "pl.digamma(np.inf)", "pl.Tensor(inf, dtype=float32)")


def logit(x: Any) -> Any:
    """Elementwise log(x / (1 - x)), the inverse of sigmoid.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.logit(0.5)
    pl.Tensor(0., dtype=float32)
    """
    payload = real_floating("logit", x)
    return subtract(log(payload), ops.log1p(negative(payload)))


def log1mexp(x: Any) -> Any:
    """Elementwise log(1 - exp(-x)) for positive x, exact where exp(-x) is near 0 or 1.

    The formula is that of Maechler (2012), "Accurately computing log(1 - exp(-|a|))".

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.

    Returns
    -------
    Tensor
        Of the same shape; NaN for negative numbers.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.log1mexp(np.inf)
    pl.Tensor(-0., dtype=float32)
    """
    payload = real_floating("log1mexp", x)
    middle = math.log(2)
    near = log(negative(ops.expm1(negative(minimum(payload, middle)))))
    far = ops.log1p(negative(ops.exp(negative(maximum(payload, middle)))))
    return where(less(payload, middle), near, far)


def sinc(x: Any) -> Any:
    """Elementwise sin(pi * x) / (pi * x), 1 at 0.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.sinc(0.0)
    pl.Tensor(1., dtype=float32)
    """
    payload = multiply(real_floating("sinc", x), math.pi)
    zero = equal(payload, 0)
    safe = where(zero, 1.0, payload)
    return where(zero, 1.0, divide(ops.sin(safe), safe))


def xlogy(x: Any, y: Any) -> Any:
    """Elementwise x * log(y), and 0 where x is 0 and y is not NaN.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    y : array_like
        Broadcast with ``x``.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.xlogy(0.0, [0.0, 1.0])
    pl.Tensor([0., 0.], dtype=float32, shape=(2,))
    """
    a, b = real_floating("xlogy", x), real_floating("xlogy", y)
    fine = logical_and(equal(a, 0), logical_not(isnan(b)))
    return where(fine, 0.0, multiply(a, log(where(fine, 1.0, b))))
