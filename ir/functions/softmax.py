"""Softmax and its logarithm, and the logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError
from plait.ir.functions.axes import as_array, normalize_axes
from plait.ir.functions.elementwise import exp, log, subtract
from plait.ir.functions.payload import broadcast_to, cast, to_inexact
from plait.ir.functions.reductions import masked
from plait.ir.types import bool_, float64, is_complex

__all__ = [
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "softmax",
]


def _prepared(name: str, x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    payload = as_array(x)
    if is_complex(payload.dtype):
        raise DTypeError(f"{name}: expected real numbers, got {payload.dtype.name}")
    payload = cast(payload, to_inexact(payload.dtype))
    return payload, normalize_axes(name, axis, payload.ndim)


def softmax(x: Any, axis: Any = -1) -> Any:
    """Exponentials divided by their sum.

    Parameters
    ----------
    x : array_like
        Any real dtype; integers are computed in floating point.
    axis : int, tuple of int or None, optional
        Along which they add up to 1; None for all axes.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ShapeError
        No such axis.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.softmax([0.0, 0.0])
    pl.Tensor([0.5, 0.5], dtype=float32, shape=(2,))
    """
    payload, axes = _prepared("softmax", x, axis)
    if len(axes) == 1:
        return ops.softmax(payload, axis=axes[0])
    return exp(log_softmax(payload, axes))


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of the softmax, exact where the softmax is tiny.

    Parameters
    ----------
    x : array_like
        Any real dtype; integers are computed in floating point.
    axis : int, tuple of int or None, optional
        Along which the exponentials add up to 1; None for all axes.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ShapeError
        No such axis.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.log_softmax([0.0, -200.0])
    pl.Tensor([   0., -200.], dtype=float32, shape=(2,))
    """
    payload, axes = _prepared("log_softmax", x, axis)
    if len(axes) == 1:
        return ops.log_softmax(payload, axis=axes[0])
    return subtract(payload, ops.logsumexp(payload, axes=axes, keepdims=True))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of exponentials, without overflow.

    Parameters
    ----------
    x : array_like
        Any real dtype; integers are computed in floating point.
    axis : int, tuple of int or None, optional
        Over which to sum; all by default.
    keepdims : bool, optional
        Whether the axes stay, with size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        No such axis.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.logsumexp([1000.0, -np.inf])
    pl.Tensor(1000., dtype=float32)
    """
    payload, axes = _prepared("logsumexp", x, axis)
    return ops.logsumexp(payload, axes=axes, keepdims=bool(keepdims))


def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the mean of exponentials, without overflow.

    Parameters
    ----------
    x : array_like
        Any real dtype; integers are computed in floating point.
    axis : int, tuple of int or None, optional
        Over which to average; all by default.
    where : array_like of bool, optional
        The elements to average; broadcasts to ``x``.
    keepdims : bool, optional
        Whether the axes stay, with size 1.

    Returns
    -------
    Tensor
        NaN for no elements.

    Raises
    ------
    ShapeError
        No such axis.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.logmeanexp([1000.0, 1000.0])
    pl.Tensor(1000., dtype=float32)
    """
    payload, axes = _prepared("logmeanexp", x, axis)
    chosen = np.asarray(True) if where is None else cast(as_array(where), bool_)
    counted = cast(broadcast_to(chosen, payload.shape), float64)
    total = ops.logsumexp(masked(payload, where, -np.inf), axes=axes, keepdims=bool(keepdims))
    count = ops.reduce_sum(counted, axes=axes)
    return subtract(total, cast(ops.reshape(log(count), shape=total.shape), total.dtype))
