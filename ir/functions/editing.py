"""Slices added to an axis and taken away: append, insert, delete."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import (
    as_array,
    as_index,
    check_range,
    concrete,
    normalize_axis,
    static_size,
)
from plait.ir.functions.joining import concat
from plait.ir.functions.manipulation import cut, moveaxis, ravel
from plait.ir.functions.payload import WeakValue, as_payload, broadcast_shapes, broadcast_to, cast
from plait.ir.functions.picking import take
from plait.ir.types import bool_, int64

__all__ = ["append", "delete", "insert"]


def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """``x`` with ``values`` behind it.

    Parameters
    ----------
    x, values : array_like
        Dtypes are promoted. With ``axis``, equal shapes but for it.
    axis : int, optional
        By default both are flattened.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    ShapeError
        No such axis, or shapes that differ elsewhere.

    Examples
    --------
    >>> pl.append([1, 2], [[3], [4]])
    pl.Tensor([1, 2, 3, 4], dtype=int32, shape=(4,))
    """
    return concat([as_payload(x), as_payload(values)], axis=axis)


def insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """``x`` with values inserted before positions along an axis, as ``numpy.insert``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    obj : int, slice or sequence of int or bool
        Positions in ``x``, known while tracing; negative ones count from the end.
    values : array_like
        Cast to the dtype of ``x`` and broadcast to what is inserted.
    axis : int, optional
        By default ``x`` is flattened.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        A position that is not there.
    ShapeError
        No such axis, or values that do not fit.
    TraceError
        Positions that are computed in the graph.

    Examples
    --------
    >>> pl.insert([1, 2, 3], 1, 9)
    pl.Tensor([1, 9, 2, 3], dtype=int32, shape=(4,))
    >>> pl.insert([1, 2, 3], [0, 3], [8, 9])
    pl.Tensor([8, 1, 2, 3, 9], dtype=int32, shape=(5,))
    """
    x, place, size = _axis("insert", x, axis)
    places = _places("insert", obj, size, size + 1)
    piece = cast(as_array(values), x.dtype)
    count = places.size
    if count == 1:
        piece = ops.reshape(piece, shape=(*[1] * (x.ndim - piece.ndim), *piece.shape))
        piece = piece if places.ndim else moveaxis(piece, 0, place)
        count = static_size("insert", piece, place) if piece.ndim == x.ndim else 1
    shape = (*x.shape[:place], count, *x.shape[place + 1 :])
    if piece.ndim > x.ndim or broadcast_shapes("insert", shape, piece.shape) != shape:
        raise ShapeError(f"insert: values of shape {piece.shape} do not fit shape {shape}")
    piece = broadcast_to(piece, shape)
    if places.size == 1:
        at = int(places.reshape(()))
        return ops.concat(cut(x, place, 0, at), piece, cut(x, place, at, size), axis=place)
    return take(ops.concat(x, piece, axis=place), _woven(places, size), place)


def _woven(places: Any, size: int) -> Any:
    """Where each slice comes from, of ``size`` old ones and then a new one for each place."""
    order = np.argsort(places, kind="stable")
    new = places.copy()
    new[order] += np.arange(places.size)
    source = np.empty(size + places.size, np.int64)
    old = np.ones(source.shape, bool)
    old[new] = False
    source[new] = size + np.arange(places.size)
    source[old] = np.arange(size)
    return source


def delete(x: Any, obj: Any, axis: int | None = None) -> Any:
    """``x`` without the slices at positions along an axis, as ``numpy.delete``.

    Parameters
    ----------
    x : array_like
        Any dtype.
    obj : int, slice or sequence of int or bool
        Positions in ``x``, known while tracing; negative ones count from the end. One bool for
        each position says which ones.
    axis : int, optional
        By default ``x`` is flattened.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        A position that is not there.
    ShapeError
        No such axis, or another number of bools than of positions.
    TraceError
        Positions that are computed in the graph.

    Examples
    --------
    >>> pl.delete([1, 2, 3, 4], [0, -1])
    pl.Tensor([2, 3], dtype=int32, shape=(2,))
    """
    x, place, size = _axis("delete", x, axis)
    kept = np.ones(size, bool)
    kept[_places("delete", obj, size, size)] = False
    return take(x, np.flatnonzero(kept), place)


def _axis(name: str, x: Any, axis: int | None) -> tuple[Any, int, int]:
    """``x``, flattened without an axis; the axis from the front, and its size."""
    x = ravel(x) if axis is None else as_array(x)
    place = normalize_axis(name, 0 if axis is None else axis, x.ndim)
    return x, place, static_size(name, x, place)


def _places(name: str, obj: Any, size: int, limit: int) -> Any:
    """Known positions in ``[0, limit)``, 0-d or 1-d."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(size), dtype=int64)
    payload = as_payload(obj)
    if type(payload) is WeakValue:
        payload = operator.index(payload)
    known = concrete(name, payload, "give the positions as Python integers")
    if known.dtype == bool_:
        if known.shape != (size,):
            raise ShapeError(f"{name}: {size} bools are needed, got shape {known.shape}")
        return np.flatnonzero(known)
    index = as_index(name, obj if known.size == 0 else known)
    if index.ndim > 1:
        raise ShapeError(f"{name}: positions must be at most 1-d, got shape {index.shape}")
    message = f"{name}: position {{0}} is out of range [{-size}, {limit})"
    check_range(index, -size, limit, message)
    wide = np.asarray(index, int64)
    return np.where(wide < 0, wide + size, wide)
