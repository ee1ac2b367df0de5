"""Smooth activations: strict ops where one formula is stable, composites elsewhere."""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.functions.elementwise import (
    absolute,
    add,
    divide,
    expm1,
    minimum,
    multiply,
    sqrt,
    square,
    subtract,
    tanh,
)
from plait.ir.functions.joining import split
from plait.ir.functions.logic import greater, greater_equal, where
from plait.ir.functions.loops import real_floating, unary_float

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "log_sigmoid",
    "logsigmoid",
    "mish",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "softsign",
    "squareplus",
    "swish",
]

sigmoid = unary_float(ops.sigmoid, "pl.sigmoid(0.0)", "pl.Tensor(0.5, dtype=float32)")
softplus = unary_float(ops.softplus, "pl.softplus(-np.inf)", "pl.Tensor(0., dtype=float32)")
_exact_gelu = unary_float(ops.gelu, "pl.gelu(0.0)", "pl.Tensor(0., dtype=float32)")


def gelu(x: Any, approximate: bool = False) -> Any:
    """Elementwise x times the normal distribution function of x.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    approximate : bool, optional
        Whether to use the formula with tanh, of Hendrycks and Gimpel (2016).

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
    >>> pl.gelu(0.0)
    pl.Tensor(0., dtype=float32)
    """
    if not approximate:
        return _exact_gelu(x)
    payload = real_floating("gelu", x)
    cubic = add(payload, multiply(0.044715, multiply(square(payload), payload)))
    return multiply(multiply(0.5, payload), add(1.0, tanh(multiply(math.sqrt(2 / math.pi), cubic))))


def silu(x: Any) -> Any:
    """Elementwise x * sigmoid(x), also called swish.

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
    >>> pl.silu(0.0)
    pl.Tensor(0., dtype=float32)
    """
    payload = real_floating("silu", x)
    return ops.multiply(payload, ops.sigmoid(payload))


def log_sigmoid(x: Any) -> Any:
    """Elementwise log(sigmoid(x)) = -softplus(-x).

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
    >>> pl.log_sigmoid(np.inf)
    pl.Tensor(-0., dtype=float32)
    """
    payload = real_floating("log_sigmoid", x)
    return ops.negative(ops.softplus(ops.negative(payload)))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Elementwise x where it is positive, else alpha * (exp(x) - 1).

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    alpha : number, optional
        Minus the limit at minus infinity.

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
    >>> pl.elu([-np.inf, 2.0])
    pl.Tensor([-1.,  2.], dtype=float32, shape=(2,))
    """
    payload = real_floating("elu", x)
    below = multiply(alpha, expm1(minimum(payload, 0)))
    return where(greater(payload, 0), payload, below)


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """Elementwise x where it is positive, else alpha * (exp(x / alpha) - 1).

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    alpha : number, optional
        Minus the limit at minus infinity.

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
    >>> pl.celu([-np.inf, 2.0])
    pl.Tensor([-1.,  2.], dtype=float32, shape=(2,))
    """
    payload = real_floating("celu", x)
    below = multiply(alpha, expm1(divide(minimum(payload, 0), alpha)))
    return where(greater(payload, 0), payload, below)


def selu(x: Any) -> Any:
    """Elementwise the scaled elu of self-normalizing networks (Klambauer et al., 2017).

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
    >>> pl.selu(0.0)
    pl.Tensor(0., dtype=float32)
    """
    return multiply(1.0507009873554805, elu(x, 1.6732632423543772))


def soft_sign(x: Any) -> Any:
    """Elementwise x / (1 + |x|).

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
    >>> pl.soft_sign([-1.0, 3.0])
    pl.Tensor([-0.5 ,  0.75], dtype=float32, shape=(2,))
    """
    payload = real_floating("soft_sign", x)
    return divide(payload, add(1.0, absolute(payload)))


def mish(x: Any) -> Any:
    """Elementwise x * tanh(softplus(x)).

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
    >>> pl.mish(0.0)
    pl.Tensor(0., dtype=float32)
    """
    payload = real_floating("mish", x)
    return ops.multiply(payload, ops.tanh(ops.softplus(payload)))


def squareplus(x: Any, b: Any = 4.0) -> Any:
    """Elementwise (x + sqrt(x * x + b)) / 2.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    b : number, optional
        Smoothness at 0; 0 gives relu.

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
    >>> pl.squareplus(0.0)
    pl.Tensor(1., dtype=float32)
    """
    payload = real_floating("squareplus", x)
    root = sqrt(add(square(payload), b))
    # Below 0 the sum would cancel: the same value is b / (root - x) / 2.
    below = divide(b, subtract(root, minimum(payload, 0)))
    return multiply(0.5, where(greater_equal(payload, 0), add(payload, root), below))


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second.

    Parameters
    ----------
    x : array_like
        Any real dtype.
    axis : int, optional
        An axis of even size.

    Returns
    -------
    Tensor
        The axis is half as long.

    Raises
    ------
    ShapeError
        No such axis, or its size is odd.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.glu([2.0, 4.0, 0.0, 0.0])
    pl.Tensor([1., 2.], dtype=float32, shape=(2,))
    """
    value, gate = split(real_floating("glu", x), 2, axis)
    return ops.multiply(value, ops.sigmoid(gate))


swish = silu
softsign = soft_sign
logsigmoid = log_sigmoid
