"""Joining and cutting: concat, stack, split, unstack."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_array, normalize_axis, static_size
from plait.ir.functions.manipulation import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    cut,
    expand_dims,
    ravel,
    squeeze,
)
from plait.ir.functions.payload import promote
from plait.ir.graph import Value

__all__ = [
    "array_split",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vstack",
]


def _promoted(name: str, arrays: Any) -> list[Any]:
    if not isinstance(arrays, (tuple, list)):
        arrays = unstack(arrays)
    if not arrays:
        raise ShapeError(f"{name}: expected at least one tensor")
    return list(promote(*arrays))


def concat(arrays: Any, axis: int | None = 0) -> Any:
    """Join tensors along an axis that they have.

    Parameters
    ----------
    arrays : sequence of array_like
        Equal shapes but for ``axis``; dtypes are promoted.
    axis : int or None, optional
        None joins the flattened tensors.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    ShapeError
        No tensors, no such axis, or shapes that differ elsewhere.

    Examples
    --------
    >>> pl.concat([[1, 2], [3]])
    pl.Tensor([1, 2, 3], dtype=int32, shape=(3,))
    """
    payloads = _promoted("concat", arrays)
    if axis is None:
        return ops.concat(*[ravel(x) for x in payloads], axis=0)
    return ops.concat(*payloads, axis=normalize_axis("concat", axis, payloads[0].ndim))


concatenate = concat


def stack(arrays: Any, axis: int = 0) -> Any:
    """Join tensors of one shape along a new axis.

    Parameters
    ----------
    arrays : sequence of array_like
        Equal shapes; dtypes are promoted.
    axis : int, optional
        Place of the new axis.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    ShapeError
        No tensors, no such axis, or shapes that differ.

    Examples
    --------
    >>> pl.stack([[1, 2], [3, 4]], axis=1)
    pl.Tensor([[1, 3],
               [2, 4]], dtype=int32, shape=(2, 2))
    """
    payloads = _promoted("stack", arrays)
    shapes = [x.shape for x in payloads]
    if any(s != shapes[0] for s in shapes):
        raise ShapeError(f"stack: shapes {' and '.join(map(str, shapes))} must be equal")
    place = normalize_axis("stack", axis, payloads[0].ndim + 1)
    return ops.concat(*[expand_dims(x, place) for x in payloads], axis=place)


def hstack(arrays: Any) -> Any:
    """Join along the second axis, vectors along their only one.

    Parameters
    ----------
    arrays : sequence of array_like

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        Shapes that do not fit together.

    Examples
    --------
    >>> pl.hstack([[1, 2], [3]])
    pl.Tensor([1, 2, 3], dtype=int32, shape=(3,))
    """
    payloads = [atleast_1d(x) for x in _promoted("hstack", arrays)]
    return concat(payloads, axis=0 if payloads[0].ndim == 1 else 1)


def vstack(arrays: Any) -> Any:
    """Join along the first axis; vectors are rows.

    Parameters
    ----------
    arrays : sequence of array_like

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        Shapes that do not fit together.

    Examples
    --------
    >>> pl.vstack([[1, 2], [3, 4]])
    pl.Tensor([[1, 2],
               [3, 4]], dtype=int32, shape=(2, 2))
    """
    return concat([atleast_2d(x) for x in _promoted("vstack", arrays)], axis=0)


def column_stack(arrays: Any) -> Any:
    """Join along the second axis; vectors are columns.

    Parameters
    ----------
    arrays : sequence of array_like

    Returns
    -------
    Tensor
        At least 2-d.

    Raises
    ------
    ShapeError
        Shapes that do not fit together.

    Examples
    --------
    >>> pl.column_stack([[1, 2], [3, 4]])
    pl.Tensor([[1, 3],
               [2, 4]], dtype=int32, shape=(2, 2))
    """
    payloads = _promoted("column_stack", arrays)
    columns = [x if x.ndim > 1 else ops.reshape(x, shape=(x.size, 1)) for x in payloads]
    return concat(columns, axis=1)


def dstack(arrays: Any) -> Any:
    """Join along the third axis.

    Parameters
    ----------
    arrays : sequence of array_like

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        Shapes that do not fit together.

    Examples
    --------
    >>> pl.dstack([[1, 2], [3, 4]]).shape
    (1, 2, 2)
    """
    return concat([atleast_3d(x) for x in _promoted("dstack", arrays)], axis=2)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut into pieces along an axis.

    Parameters
    ----------
    x : array_like
    indices_or_sections : int or sequence of int
        A number of equal pieces, or the places to cut at, as NumPy's.
    axis : int, optional

    Returns
    -------
    list of Tensor
        Views in eager code.

    Raises
    ------
    ShapeError
        No such axis, or a size that the number of pieces does not divide.

    Examples
    --------
    >>> pl.split([1, 2, 3, 4], 2)
    [pl.Tensor([1, 2], dtype=int32, shape=(2,)), pl.Tensor([3, 4], dtype=int32, shape=(2,))]
    >>> [piece.shape for piece in pl.split(np.zeros(5), [1, 3])]
    [(1,), (2,), (2,)]
    """
    payload = as_array(x)
    place = normalize_axis("split", axis, payload.ndim)
    size = static_size("split", payload, place)
    if np.ndim(indices_or_sections):
        cuts = [slice(None, operator.index(c)).indices(size)[1] for c in indices_or_sections]
        return _pieces(payload, [0, *cuts], [*cuts, size], place)
    count = operator.index(indices_or_sections)
    if count <= 0 or size % count:
        raise ShapeError(
            f"split: axis {place} of size {size} does not split into {count} equal pieces; "
            "give the places to cut at, or use array_split"
        )
    ends = [size // count * (i + 1) for i in range(count)]
    return _pieces(payload, [0, *ends[:-1]], ends, place)


def array_split(x: Any, sections: int, axis: int = 0) -> list[Any]:
    """Cut into pieces that differ in size by at most one, the larger ones first.

    Parameters
    ----------
    x : array_like
    sections : int
    axis : int, optional

    Returns
    -------
    list of Tensor
        Views in eager code.

    Raises
    ------
    ShapeError
        No such axis, or no pieces.

    Examples
    --------
    >>> [piece.shape for piece in pl.array_split(np.zeros(5), 2)]
    [(3,), (2,)]
    """
    payload, count = as_array(x), operator.index(sections)
    place = normalize_axis("array_split", axis, payload.ndim)
    if count <= 0:
        raise ShapeError(f"array_split: expected at least one piece, got {count}")
    size = static_size("array_split", payload, place)
    ends = [size // count * (i + 1) + min(i + 1, size % count) for i in range(count)]
    return _pieces(payload, [0, *ends[:-1]], ends, place)


def _pieces(x: Any, starts: list[int], stops: list[int], axis: int) -> list[Any]:
    """Pieces of an axis: one op in a graph, views in eager code and where pieces overlap."""
    sizes = [max(b - a, 0) for a, b in zip(starts, stops, strict=True)]
    if type(x) is Value and sum(sizes) == x.shape[axis]:
        return list(ops.split(x, sizes=tuple(sizes), axis=axis))
    return [cut(x, axis, a, a + n) for a, n in zip(starts, sizes, strict=True)]


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """Take an axis apart.

    Parameters
    ----------
    x : array_like
        At least 1-d.
    axis : int, optional

    Returns
    -------
    tuple of Tensor
        One for each position, without the axis.

    Raises
    ------
    ShapeError
        No such axis.

    Examples
    --------
    >>> pl.unstack([[1, 2], [3, 4]])
    (pl.Tensor([1, 2], dtype=int32, shape=(2,)), pl.Tensor([3, 4], dtype=int32, shape=(2,)))
    """
    payload = as_array(x)
    place = normalize_axis("unstack", axis, payload.ndim)
    size = static_size("unstack", payload, place)
    pieces = _pieces(payload, list(range(size)), list(range(1, size + 1)), place) if size else []
    return tuple([squeeze(piece, place) for piece in pieces])
