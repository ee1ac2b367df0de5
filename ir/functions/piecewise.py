"""Activations made of straight or polynomial pieces: relu and what is cut like it."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.functions.elementwise import add, divide, minimum, multiply, square
from plait.ir.functions.logic import clip, equal, greater, less, where
from plait.ir.functions.loops import real_floating
from plait.ir.functions.payload import as_payload, cast, dtype_of

__all__ = [
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "heaviside",
    "leaky_relu",
    "relu",
    "relu6",
    "sparse_plus",
    "sparse_sigmoid",
]


def relu(x: Any) -> Any:
    """Elementwise max(x, 0).

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
    >>> pl.relu([-1.0, 2.0])
    pl.Tensor([0., 2.], dtype=float32, shape=(2,))
    """
    payload = as_payload(x)
    return ops.relu(cast(payload, dtype_of(payload)))


def relu6(x: Any) -> Any:
    """Elementwise min(max(x, 0), 6).

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
    >>> pl.relu6([-1.0, 2.0, 9.0])
    pl.Tensor([0., 2., 6.], dtype=float32, shape=(3,))
    """
    return minimum(relu(x), 6)


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """Elementwise x where it is positive, else a small multiple of it.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    negative_slope : number, optional
        The multiple.

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
    >>> pl.leaky_relu([-2.0, 3.0], 0.5)
    pl.Tensor([-1.,  3.], dtype=float32, shape=(2,))
    """
    payload = real_floating("leaky_relu", x)
    return where(greater(payload, 0), payload, multiply(payload, negative_slope))


def hard_tanh(x: Any) -> Any:
    """Elementwise x limited to [-1, 1].

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
    >>> pl.hard_tanh([-3.0, 0.5])
    pl.Tensor([-1. ,  0.5], dtype=float32, shape=(2,))
    """
    return clip(real_floating("hard_tanh", x), -1, 1)


def hard_sigmoid(x: Any) -> Any:
    """Elementwise relu6(x + 3) / 6.

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
    >>> pl.hard_sigmoid([-3.0, 0.0, 3.0])
    pl.Tensor([0. , 0.5, 1. ], dtype=float32, shape=(3,))
    """
    payload = real_floating("hard_sigmoid", x)
    return divide(relu6(add(payload, 3.0)), 6.0)


def hard_silu(x: Any) -> Any:
    """Elementwise x * hard_sigmoid(x), also called hard_swish.

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
    >>> pl.hard_silu([-3.0, 0.0, 3.0])
    pl.Tensor([-0.,  0.,  3.], dtype=float32, shape=(3,))
    """
    payload = real_floating("hard_silu", x)
    return multiply(payload, hard_sigmoid(payload))


def sparse_plus(x: Any) -> Any:
    """Elementwise 0 below -1, x above 1, (x + 1)**2 / 4 between.

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
    >>> pl.sparse_plus([-2.0, 0.0, 2.0])
    pl.Tensor([0.  , 0.25, 2.  ], dtype=float32, shape=(3,))
    """
    payload = real_floating("sparse_plus", x)
    between = multiply(0.25, square(add(clip(payload, -1, 1), 1.0)))
    return where(greater(payload, 1), payload, between)


def sparse_sigmoid(x: Any) -> Any:
    """Elementwise 0 below -1, 1 above 1, (x + 1) / 2 between.

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
    >>> pl.sparse_sigmoid([-2.0, 0.0, 2.0])
    pl.Tensor([0. , 0.5, 1. ], dtype=float32, shape=(3,))
    """
    payload = real_floating("sparse_sigmoid", x)
    return multiply(0.5, clip(add(payload, 1.0), 0, 2))


def heaviside(x: Any, y: Any) -> Any:
    """Elementwise 0 below 0, 1 above, ``y`` at 0.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape; integers are computed in floating point.
    y : array_like
        The value at 0, broadcast with ``x``.

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
    >>> pl.heaviside([-1.0, 0.0, 2.0], 0.5)
    pl.Tensor([0. , 0.5, 1. ], dtype=float32, shape=(3,))
    """
    payload = real_floating("heaviside", x)
    step = where(greater(payload, 0), 1.0, where(less(payload, 0), 0.0, payload))
    return where(equal(payload, 0), y, step)


hard_swish = hard_silu
