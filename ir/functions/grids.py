"""Numbers at equal ratios, positions of a grid, and powers in columns."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_array, demand, normalize_axis
from plait.ir.functions.elementwise import divide, log10, multiply, power
from plait.ir.functions.logic import where
from plait.ir.functions.manipulation import as_shape, moveaxis
from plait.ir.functions.payload import (
    as_payload,
    broadcast_to,
    cast,
    dtype_of,
    promote_and_broadcast,
    result_dtype,
)
from plait.ir.functions.ranges import linspace
from plait.ir.functions.repeating import flip
from plait.ir.literal import Literal
from plait.ir.types import (
    as_dtype,
    complex128,
    float64,
    int32,
    int64,
    is_complex,
    is_inexact,
)

__all__ = ["geomspace", "indices", "logspace", "vander"]


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers from ``base ** start`` to ``base ** stop`` at equal ratios.

    Parameters
    ----------
    start, stop : array_like
        Exponents: numbers, or tensors that broadcast together.
    num : int, optional
        How many.
    endpoint : bool, optional
        Whether the last one is ``base ** stop``, or the one after it.
    base : array_like, optional
        Broadcast with ``start`` and ``stop``.
    dtype : dtype or str, optional
        By default the promoted floating dtype, float32 for Python numbers.
    axis : int, optional
        Place of the new axis.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        ``num`` is negative, or the bounds do not broadcast.

    Examples
    --------
    >>> pl.logspace(0, 3, 4)
    pl.Tensor([   1.,   10.,  100., 1000.], dtype=float32, shape=(4,))
    """
    low, high, root = (as_payload(v) for v in (start, stop, base))
    result = result_dtype(low, high, root, 0.0) if dtype is None else as_dtype(dtype)
    work = complex128 if any(is_complex(dtype_of(v)) for v in (low, high, root)) else float64
    low, high, root = promote_and_broadcast("logspace", low, high, root, dtype=work)
    line = linspace(low, high, num, endpoint)
    found = cast(power(root, line), result)
    return moveaxis(found, 0, normalize_axis("logspace", axis, found.ndim))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers from ``start`` to ``stop`` at equal ratios.

    Parameters
    ----------
    start, stop : array_like
        Not 0, of one sign (complex ones turn on a spiral): numbers, or tensors that broadcast
        together.
    num : int, optional
        How many.
    endpoint : bool, optional
        Whether ``stop`` is the last one, or the one after it.
    dtype : dtype or str, optional
        By default the promoted floating dtype, float32 for Python numbers.
    axis : int, optional
        Place of the new axis.

    Returns
    -------
    Tensor

    Raises
    ------
    CheckError
        A bound is 0, also inside a compiled function.
    ShapeError
        ``num`` is negative, or the bounds do not broadcast.

    Examples
    --------
    >>> pl.geomspace(1, 1000, 4)
    pl.Tensor([   1.,   10.,  100., 1000.], dtype=float32, shape=(4,))
    """
    low, high = as_payload(start), as_payload(stop)
    result = result_dtype(low, high, 0.0) if dtype is None else as_dtype(dtype)
    kinds = (*[dtype_of(v) for v in (low, high)], result)
    work = complex128 if any(map(is_complex, kinds)) else float64
    low, high = promote_and_broadcast("geomspace", low, high, dtype=work)
    zero = broadcast_to(np.asarray(0, work), low.shape)
    fine = ops.logical_and(ops.not_equal(low, zero), ops.not_equal(high, zero))
    demand(fine, "geomspace: start and stop must not be 0")
    ratio = divide(high, low)
    # Powers of 10, so that those between 1 and 1000 are exact.
    steps = linspace(zero, log10(ratio), num, endpoint)
    found = multiply(low, power(10.0, steps))
    count = operator.index(num)
    if count > 1 and endpoint:
        place = ops.iota(dtype=int64, shape=found.shape, axis=0)
        last = broadcast_to(np.asarray(count - 1, int64), found.shape)
        found = where(ops.equal(place, last), high, found)
    return moveaxis(cast(found, result), 0, normalize_axis("geomspace", axis, found.ndim))


def indices(dimensions: Any, dtype: Any = int32, sparse: bool = False) -> Any:
    """The positions of a grid along each axis.

    Parameters
    ----------
    dimensions : sequence of int
        Shape of the grid.
    dtype : dtype or str, optional
    sparse : bool, optional
        Give a tuple of positions along one axis each, which broadcast to the grid.

    Returns
    -------
    Tensor, or tuple of Tensor
        Shape ``(len(dimensions), *dimensions)``.

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.indices((2, 2))[0]
    pl.Tensor([[0, 0],
               [1, 1]], dtype=int32, shape=(2, 2))
    """
    shape, wanted = as_shape("indices", dimensions), as_dtype(dtype)
    if sparse:
        return tuple(
            [
                ops.iota(
                    dtype=wanted,
                    shape=tuple([d if i == axis else 1 for i, d in enumerate(shape)]),
                    axis=axis,
                )
                for axis in range(len(shape))
            ]
        )
    if not shape:
        return ops.full(value=Literal(np.asarray(0, wanted)), shape=(0,))
    lines = [ops.iota(dtype=wanted, shape=(1, *shape), axis=i + 1) for i in range(len(shape))]
    return ops.concat(*lines, axis=0)


def vander(x: Any, n: int | None = None, increasing: bool = False) -> Any:
    """A matrix with the powers of the elements in its rows.

    Parameters
    ----------
    x : array_like
        1-d, any numeric dtype.
    n : int, optional
        How many powers; as many as elements by default.
    increasing : bool, optional
        Whether the powers ascend from 0.

    Returns
    -------
    Tensor
        Shape (len(x), n); int64 for shorter integers.

    Raises
    ------
    ShapeError
        Not 1-d, or a negative number of powers.

    Examples
    --------
    >>> pl.vander([1.0, 2.0, 3.0])
    pl.Tensor([[1., 1., 1.],
               [4., 2., 1.],
               [9., 3., 1.]], dtype=float32, shape=(3, 3))
    """
    x = as_array(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a 1-d operand, got shape {x.shape}")
    count = x.shape[0] if n is None else operator.index(n)
    if count < 0:
        raise ShapeError(f"vander: n must not be negative, got {count}")
    x = cast(x, x.dtype if is_inexact(x.dtype) else np.result_type(x.dtype, int64))
    rows = x.shape[0]
    column = ops.reshape(x, shape=(rows, 1))
    powers = broadcast_to(np.asarray(1, x.dtype), (rows, min(count, 1)))
    if count > 1:
        powers = ops.concat(powers, broadcast_to(column, (rows, count - 1)), axis=1)
        powers = ops.cumprod(powers, axis=1)
    return powers if increasing else flip(powers, 1)
