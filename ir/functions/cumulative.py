"""Running sums, products and extremes along an axis, and their inverse, differences."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, normalize_axis, static_size
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.functions.reductions import accumulator
from plait.ir.op import Op
from plait.ir.types import as_dtype, is_bool

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "ediff1d",
]


def _run(op: Op, x: Any, axis: int | None, dtype: Any, reverse: bool) -> Any:
    x = as_array(x)
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    axis = normalize_axis(op.name, axis, x.ndim)
    return op(x if dtype is None else cast(x, as_dtype(dtype)), axis=axis, reverse=reverse)


def _total_dtype(x: Any, dtype: Any) -> Any:
    return accumulator(x.dtype) if dtype is None else dtype


def cumsum(x: Any, axis: int | None = None, dtype: Any = None, reverse: bool = False) -> Any:
    """Sums of the elements so far along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default ``x`` is flattened.
    dtype : dtype, optional
        By default that of ``x``, int64 (uint64) for bool and shorter integers.
    reverse : bool, optional
        Sum from the end of the axis.

    Returns
    -------
    Tensor
        Shape of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.cumsum([1, 2, 3])
    pl.Tensor([1, 3, 6], dtype=int64, shape=(3,))
    """
    x = as_array(x)
    return _run(ops.cumsum, x, axis, _total_dtype(x, dtype), reverse)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None, reverse: bool = False) -> Any:
    """Products of the elements so far along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default ``x`` is flattened.
    dtype : dtype, optional
        By default that of ``x``, int64 (uint64) for bool and shorter integers.
    reverse : bool, optional
        Multiply from the end of the axis.

    Returns
    -------
    Tensor
        Shape of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.cumprod([1, 2, 3, 4])
    pl.Tensor([ 1,  2,  6, 24], dtype=int64, shape=(4,))
    """
    x = as_array(x)
    return _run(ops.cumprod, x, axis, _total_dtype(x, dtype), reverse)


def cummax(x: Any, axis: int | None = None, reverse: bool = False) -> Any:
    """Largest of the elements so far along an axis; NaN from the first NaN on.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int, optional
        By default ``x`` is flattened.
    reverse : bool, optional
        Begin at the end of the axis.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.cummax([2, 1, 3, 0])
    pl.Tensor([2, 2, 3, 3], dtype=int32, shape=(4,))
    """
    return _run(ops.cummax, x, axis, None, reverse)


def cummin(x: Any, axis: int | None = None, reverse: bool = False) -> Any:
    """Smallest of the elements so far along an axis; NaN from the first NaN on.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int, optional
        By default ``x`` is flattened.
    reverse : bool, optional
        Begin at the end of the axis.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.cummin([2, 1, 3, 0])
    pl.Tensor([2, 1, 1, 0], dtype=int32, shape=(4,))
    """
    return _run(ops.cummin, x, axis, None, reverse)


def _cumulative(
    op: Op, x: Any, axis: int | None, dtype: Any, include_initial: bool, first: int
) -> Any:
    x = as_array(x)
    if axis is None and x.ndim != 1:
        raise ShapeError(f"cumulative_{op.name[3:]}: axis is needed for {x.ndim} dimensions")
    axis = normalize_axis(op.name, 0 if axis is None else axis, x.ndim)
    found = _run(op, x, axis, _total_dtype(x, dtype), False)
    if not include_initial:
        return found
    shape = (*found.shape[:axis], 1, *found.shape[axis + 1 :])
    return ops.concat(broadcast_to(np.asarray(first, found.dtype), shape), found, axis=axis)


def cumulative_sum(
    x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Sums of the elements so far along an axis, as the Array API standard has it.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        Needed unless ``x`` is 1-d.
    dtype : dtype, optional
        By default that of ``x``, int64 (uint64) for bool and shorter integers.
    include_initial : bool, optional
        Begin with 0, which makes the axis longer by one.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis, or none is given for several.

    Examples
    --------
    >>> pl.cumulative_sum([1, 2, 3], include_initial=True)
    pl.Tensor([0, 1, 3, 6], dtype=int64, shape=(4,))
    """
    return _cumulative(ops.cumsum, x, axis, dtype, include_initial, 0)


def cumulative_prod(
    x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Products of the elements so far along an axis, as the Array API standard has it.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        Needed unless ``x`` is 1-d.
    dtype : dtype, optional
        By default that of ``x``, int64 (uint64) for bool and shorter integers.
    include_initial : bool, optional
        Begin with 1, which makes the axis longer by one.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        There is no such axis, or none is given for several.

    Examples
    --------
    >>> pl.cumulative_prod([1, 2, 3], include_initial=True)
    pl.Tensor([1, 1, 2, 6], dtype=int64, shape=(4,))
    """
    return _cumulative(ops.cumprod, x, axis, dtype, include_initial, 1)


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbors along an axis, ``n`` times over.

    Parameters
    ----------
    x : array_like
        Any dtype; for bool, whether neighbors differ.
    n : int, optional
        How many times to take differences.
    axis : int, optional
        The axis; each time it becomes shorter by one.
    prepend, append : array_like, optional
        Joined to ``x`` along the axis first; a number stands for one slice of it.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis, or ``n`` is negative.

    Examples
    --------
    >>> pl.diff([1, 4, 9, 16])
    pl.Tensor([3, 5, 7], dtype=int32, shape=(3,))
    """
    if operator.index(n) < 0:
        raise ShapeError(f"diff: n must not be negative, got {n}")
    pieces = [p for p in (prepend, x, append) if p is not None]
    if len(pieces) > 1 and n:
        parts = promote(*pieces)
        body = parts[0 if prepend is None else 1]
        axis = normalize_axis("diff", axis, body.ndim)
        x = ops.concat(*[_slab(p, body, axis) for p in parts], axis=axis)
    x = as_array(x)
    axis = normalize_axis("diff", axis, x.ndim)
    for _ in range(n):
        x = _differences(x, axis)
    return x


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbors of the flattened ``x``, with more numbers around them.

    Parameters
    ----------
    x : array_like
        Any dtype but bool.
    to_end, to_begin : array_like, optional
        What follows the differences, and what is before them; cast to the dtype of ``x``.

    Returns
    -------
    Tensor
        1-d, dtype of ``x``.

    Raises
    ------
    DTypeError
        Booleans, or numbers around of a kind that ``x`` does not hold.

    Examples
    --------
    >>> pl.ediff1d([1, 4, 9], to_begin=0)
    pl.Tensor([0, 3, 5], dtype=int32, shape=(3,))
    """
    x = as_array(x)
    if is_bool(x.dtype):
        raise DTypeError("ediff1d: not defined for bool; cast to another dtype first")
    pieces = [_differences(ops.reshape(x, shape=(x.size,)), 0)]
    for piece, place in ((to_begin, 0), (to_end, 2)):
        if piece is not None:
            more = as_array(piece)
            if not np.can_cast(more.dtype, x.dtype, "same_kind"):
                names = f"{more.dtype.name} does not fit into {x.dtype.name}"
                raise DTypeError(f"ediff1d: {names}; cast one of them first")
            more = cast(ops.reshape(more, shape=(more.size,)), x.dtype)
            pieces.insert(place, more)
    return ops.concat(*pieces, axis=0)


def _slab(piece: Any, body: Any, axis: int) -> Any:
    if piece.ndim:
        return piece
    return broadcast_to(piece, (*body.shape[:axis], 1, *body.shape[axis + 1 :]))


def _differences(x: Any, axis: int) -> Any:
    size = static_size("diff", x, axis)
    before, after = (_cut(x, axis, a, max(b, a)) for a, b in ((0, size - 1), (min(1, size), size)))
    return (ops.not_equal if is_bool(x.dtype) else ops.subtract)(after, before)


def _cut(x: Any, axis: int, start: int, stop: int) -> Any:
    starts, stops = [0] * x.ndim, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.ndim)
