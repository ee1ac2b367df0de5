"""Reading and replacing elements by index arrays along an axis, and boxes at computed places."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError, UnknownNameError
from plait.ir.functions.axes import (
    as_array,
    as_index,
    check_range,
    from_front,
    index_dtype,
    is_traced,
    normalize_axis,
    static_size,
)
from plait.ir.functions.loops import same
from plait.ir.functions.payload import broadcast_shapes, broadcast_to, cast
from plait.ir.types import Shape, int64

__all__ = [
    "dynamic_slice",
    "dynamic_update_slice",
    "gather",
    "put",
    "put_along_axis",
    "scatter",
    "take",
    "take_along_axis",
]


def gather(x: Any, indices: Any, axis: int = 0) -> Any:
    """The slices of ``x`` at ``indices`` along an axis; every index must be in range.

    Parameters
    ----------
    x : array_like
        Any dtype, at least 1-d.
    indices : array_like of integers
        Any shape. Negative indices are rejected; ``take`` and ``x[indices]`` accept them.
    axis : int, optional
        The axis to pick along.

    Returns
    -------
    Tensor
        Shape ``x.shape[:axis] + indices.shape + x.shape[axis + 1:]``, dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is negative or not below ``x.shape[axis]``, also inside a compiled function.

    Examples
    --------
    >>> pl.gather([10, 20, 30], [2, 0])
    pl.Tensor([30, 10], dtype=int32, shape=(2,))
    """
    x, index, axis = _operands("gather", x, indices, axis)
    return ops.gather(x, index, axes=(axis,))


def _operands(name: str, x: Any, indices: Any, axis: int) -> tuple[Any, Any, int]:
    """``x``, indices known to be in range, and the axis counted from the front."""
    x = as_array(x)
    axis = normalize_axis(name, axis, x.ndim)
    index = as_index(name, indices)
    size = static_size(name, x, axis)
    check_range(index, 0, size, f"{name}: index {{0}} is out of range [0, {size})")
    return x, index, axis


def scatter(x: Any, indices: Any, updates: Any, axis: int = 0, mode: str = "set") -> Any:
    """A copy of ``x`` with the slices at ``indices`` along an axis replaced or combined.

    Parameters
    ----------
    x : array_like
        Any dtype, at least 1-d.
    indices : array_like of integers
        Any shape; negative indices are rejected.
    updates : array_like
        Cast to the dtype of ``x`` and broadcast to
        ``x.shape[:axis] + indices.shape + x.shape[axis + 1:]``.
    axis : int, optional
        The axis that the indices count along.
    mode : {"set", "add", "mul", "min", "max"}
        What to do with the old element and the update. With ``"set"`` the last of several
        updates of an element wins; the others combine all of them.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is negative or not below ``x.shape[axis]``, also inside a compiled function.
    ShapeError
        The updates do not broadcast to the shape of what is replaced.

    Examples
    --------
    >>> pl.scatter([0, 0, 0], [2, 0, 2], [5, 6, 7], mode="add")
    pl.Tensor([ 6,  0, 12], dtype=int32, shape=(3,))
    """
    x, index, axis = _operands("scatter", x, indices, axis)
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    values = _values("scatter", updates, x, shape)
    return ops.scatter(x, values, index, axes=(axis,), mode=_mode("scatter", mode))


def _mode(name: str, mode: str) -> str:
    if mode not in ("set", "add", "mul", "min", "max"):
        raise UnknownNameError(f"{name}: unknown mode {mode!r}; modes: set, add, mul, min, max")
    return mode


def _values(name: str, values: Any, x: Any, shape: Shape) -> Any:
    values = cast(as_array(values), x.dtype)
    if values.ndim > len(shape) or broadcast_shapes(name, shape, values.shape) != shape:
        raise ShapeError(f"{name}: values of shape {values.shape} do not fit shape {shape}")
    return broadcast_to(values, shape)


def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The slices of ``x`` at ``indices`` along an axis, as ``numpy.take``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    indices : array_like of integers
        Any shape; negative indices count from the end.
    axis : int, optional
        The axis to pick along; by default ``x`` is flattened.
    mode : {"raise", "wrap", "clip"}
        What to do with indices out of range: an error, the index modulo the size, or the nearest
        end (with which negative indices mean 0).

    Returns
    -------
    Tensor
        Shape ``x.shape[:axis] + indices.shape + x.shape[axis + 1:]``, dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range, with ``mode="raise"``.

    Examples
    --------
    >>> pl.take([10, 20, 30], [0, -1])
    pl.Tensor([10, 30], dtype=int32, shape=(2,))
    >>> pl.take([10, 20, 30], 4, mode="wrap")
    pl.Tensor(20, dtype=int32)
    """
    x = as_array(x)
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    axis = normalize_axis("take", axis, x.ndim)
    size = static_size("take", x, axis)
    index = as_index("take", indices)
    if mode != "clip":  # which the op does by itself
        index = in_mode("take", index, size, mode)
    return ops.gather(x, index, axes=(axis,))


def put(x: Any, indices: Any, values: Any, mode: str = "raise") -> Any:
    """A copy of ``x`` with the elements at flat positions replaced, as ``numpy.put`` does in place.

    Parameters
    ----------
    x : array_like
        Any dtype.
    indices : array_like of integers
        Positions in the flattened ``x``; negative ones count from the end.
    values : array_like
        Cast to the dtype of ``x``; repeated where there are fewer than indices.
    mode : {"raise", "wrap", "clip"}
        What to do with indices out of range, as for ``take``.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``. ``x`` itself does not change.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range, with ``mode="raise"``.

    Examples
    --------
    >>> pl.put([[1, 2], [3, 4]], [0, -1], [8, 9])
    pl.Tensor([[8, 2],
               [3, 9]], dtype=int32, shape=(2, 2))
    """
    x = as_array(x)
    index = in_mode("put", as_index("put", indices), x.size, mode)
    values = cast(as_array(values), x.dtype)
    if values.size == 0 or index.size == 0:
        return same(x)
    flat, index, values = (ops.reshape(v, shape=(v.size,)) for v in (x, index, values))
    if values.shape != index.shape:
        values = ops.gather(values, np.arange(index.size) % values.size, axes=(0,))
    return ops.reshape(ops.scatter(flat, values, index, axes=(0,)), shape=x.shape)


def in_mode(name: str, index: Any, size: int, mode: str) -> Any:
    """Indices of one axis in ``[0, size)``, those out of range treated as ``mode`` says."""
    if mode == "raise":
        return _checked(name, index, size)
    last = max(size, 1) - 1
    wide = cast(index, int64)
    if mode == "wrap":
        return ops.remainder(wide, _filled(last + 1, int64, wide.shape))
    if mode != "clip":
        raise UnknownNameError(f"{name}: unknown mode {mode!r}; modes: raise, wrap, clip")
    wide = ops.maximum(wide, _filled(0, int64, wide.shape))
    return ops.minimum(wide, _filled(last, int64, wide.shape))


def _filled(value: int, dtype: Any, shape: Shape) -> Any:
    return broadcast_to(np.asarray(value, dtype), shape)


def _checked(name: str, index: Any, size: int) -> Any:
    message = f"{name}: index {{0}} is out of range [{-size}, {size})"
    check_range(index, -size, size, message)
    return from_front(index, size)


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each position along the other axes, the elements of ``x`` at ``indices`` along one.

    Fits what ``argsort`` and ``argmax(..., keepdims=True)`` give.

    Parameters
    ----------
    x : array_like
        Any dtype.
    indices : array_like of integers
        As many dimensions as ``x``; the other axes broadcast. Negative indices count from the
        end.
    axis : int, optional
        The axis to pick along; None flattens ``x``.

    Returns
    -------
    Tensor
        The broadcast shape with the size of ``indices`` along ``axis``; dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range.
    ShapeError
        The dimensions do not fit together.

    Examples
    --------
    >>> x = np.array([[3, 1, 2], [9, 8, 7]])
    >>> pl.take_along_axis(x, pl.argsort(x, axis=1), axis=1)
    pl.Tensor([[1, 2, 3],
               [7, 8, 9]], dtype=int64, shape=(2, 3))
    """
    x, index, axis = _along("take_along_axis", x, indices, axis)
    rest = broadcast_shapes("take_along_axis", _without(x, axis), _without(index, axis))
    x, index = (_last(broadcast_to(a, _with(rest, a, axis)), axis) for a in (x, index))
    picked = ops.gather(x, index, axes=(x.ndim - 1,), batch=x.ndim - 1)
    return _unlast(picked, axis)


def put_along_axis(x: Any, indices: Any, values: Any, axis: int | None = -1) -> Any:
    """A copy of ``x`` with the elements that ``take_along_axis`` picks replaced by ``values``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    indices : array_like of integers
        As for ``take_along_axis``; the axes other than ``axis`` broadcast to those of ``x``.
    values : array_like
        Cast to the dtype of ``x`` and broadcast to the shape of what is replaced.
    axis : int, optional
        The axis that the indices count along; None works on a flattened ``x``.

    Returns
    -------
    Tensor
        Dtype of ``x``, and its shape. ``x`` itself does not change.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range.
    ShapeError
        The dimensions do not fit together.

    Examples
    --------
    >>> pl.put_along_axis([[3, 1, 2], [9, 8, 7]], [[1], [0]], 0, axis=1)
    pl.Tensor([[3, 0, 2],
               [0, 8, 7]], dtype=int32, shape=(2, 3))
    """
    shape = as_array(x).shape
    x, index, axis = _along("put_along_axis", x, indices, axis)
    rest = _without(x, axis)
    if broadcast_shapes("put_along_axis", rest, _without(index, axis)) != rest:
        raise ShapeError(f"put_along_axis: indices {index.shape} do not fit shape {x.shape}")
    index = broadcast_to(index, _with(rest, index, axis))
    values = _last(_values("put_along_axis", values, x, index.shape), axis)
    x, index = _last(x, axis), _last(index, axis)
    found = _unlast(ops.scatter(x, values, index, axes=(x.ndim - 1,), batch=x.ndim - 1), axis)
    return found if found.shape == shape else ops.reshape(found, shape=shape)


def _along(name: str, x: Any, indices: Any, axis: int | None) -> tuple[Any, Any, int]:
    x = as_array(x)
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    axis = normalize_axis(name, axis, x.ndim)
    size = static_size(name, x, axis)
    index = _checked(name, as_index(name, indices), size)
    if index.ndim != x.ndim:
        raise ShapeError(
            f"{name}: indices of shape {index.shape} need {x.ndim} dimension(s), as x has"
        )
    return x, index, axis


def _without(x: Any, axis: int) -> Shape:
    shape: Shape = x.shape
    return (*shape[:axis], *shape[axis + 1 :])


def _with(rest: Shape, x: Any, axis: int) -> Shape:
    return (*rest[:axis], x.shape[axis], *rest[axis:])


def _last(x: Any, axis: int) -> Any:
    """Move ``axis`` to the end."""
    if axis == x.ndim - 1:
        return x
    order = [i for i in range(x.ndim) if i != axis]
    return ops.transpose(x, permutation=(*order, axis))


def _unlast(x: Any, axis: int) -> Any:
    """Move the last axis to ``axis``."""
    last = x.ndim - 1
    if axis == last:
        return x
    return ops.transpose(x, permutation=(*range(axis), last, *range(axis, last)))


def dynamic_slice(x: Any, starts: Any, sizes: Sequence[int]) -> Any:
    """A box of static ``sizes`` whose first corner may be computed.

    Parameters
    ----------
    x : array_like
        Any dtype.
    starts : sequence of integers, or an integer tensor of shape (x.ndim,)
        First position along each axis; negative ones are rejected.
    sizes : sequence of int
        Size of the box along each axis.

    Returns
    -------
    Tensor
        Shape ``sizes``, dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        The box leaves ``x``, also inside a compiled function.
    ShapeError
        There is not one start and one size for each axis.

    Examples
    --------
    >>> pl.dynamic_slice([10, 20, 30, 40], [1], (2,))
    pl.Tensor([20, 30], dtype=int32, shape=(2,))
    """
    x = as_array(x)
    box = tuple([operator.index(n) for n in sizes])
    positions = _positions("dynamic_slice", x, starts, box)
    return ops.dynamic_slice(x, *positions, sizes=box)


def dynamic_update_slice(x: Any, update: Any, starts: Any) -> Any:
    """A copy of ``x`` with a box, whose first corner may be computed, replaced by ``update``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    update : array_like
        As many dimensions as ``x``; cast to the dtype of ``x``.
    starts : sequence of integers, or an integer tensor of shape (x.ndim,)
        First position along each axis; negative ones are rejected.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        The box leaves ``x``, also inside a compiled function.
    ShapeError
        There is not one start for each axis, or the update is of another rank.

    Examples
    --------
    >>> pl.dynamic_update_slice([10, 20, 30, 40], [0, 0], [2])
    pl.Tensor([10, 20,  0,  0], dtype=int32, shape=(4,))
    """
    x = as_array(x)
    update = cast(as_array(update), x.dtype)
    positions = _positions("dynamic_update_slice", x, starts, update.shape)
    return ops.dynamic_update_slice(x, update, *positions)


def _positions(name: str, x: Any, starts: Any, sizes: Shape) -> list[Any]:
    """The starts as 0-d payloads of one dtype, known to leave room for the sizes."""
    if not isinstance(starts, (list, tuple)):
        vector = as_index(name, starts)
        rank = vector.shape[0] if vector.ndim == 1 else -1
        pieces = [ops.slice_(vector, starts=(i,), stops=(i + 1,), steps=(1,)) for i in range(rank)]
        starts = [ops.reshape(p, shape=()) for p in pieces]
    if len(starts) != x.ndim or len(sizes) != x.ndim:
        raise ShapeError(f"{name}: expected {x.ndim} starts and sizes, one for each axis of x")
    found = []
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        index, whole = as_index(name, start), static_size(name, x, axis)
        if index.ndim or type(size) is not int or not 0 <= size <= whole:
            raise ShapeError(f"{name}: axis {axis} of size {whole} has no box of size {size}")
        message = f"{name}: start {{0}} is out of range [0, {whole - size}] of axis {axis}"
        check_range(index, 0, whole - size + 1, message)
        found.append(index)
    known = all(not is_traced(i) for i in found)
    dtype = int64 if known else index_dtype(max(x.shape, default=0))
    return [cast(i, dtype) for i in found]
