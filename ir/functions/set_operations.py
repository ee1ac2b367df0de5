"""Unions, intersections and differences of sets of elements.

The number of results depends on the elements. In a graph ``size=`` says how many to give.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.functions.axes import as_array
from plait.ir.functions.joining import concat
from plait.ir.functions.payload import broadcast_to, promote
from plait.ir.functions.reductions import fill
from plait.ir.functions.sets import flatnonzero, flatten, isin, unique
from plait.ir.types import bool_

__all__ = ["intersect1d", "setdiff1d", "union1d"]


def union1d(x: Any, y: Any, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of both operands together, in ascending order.

    Parameters
    ----------
    x, y : array_like
        Any shapes; dtypes are promoted.
    size : int, optional
        How many elements to give; needed in a graph. Of more, the smallest are taken.
    fill_value : number, optional
        Stands for elements that are missing; by default the smallest.

    Returns
    -------
    Tensor
        1-d.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.union1d([3, 1], [2, 3])
    pl.Tensor([1, 2, 3], dtype=int32, shape=(3,))
    """
    return unique(concat(promote(x, y), axis=None), size=size, fill_value=fill_value)


def intersect1d(
    x: Any,
    y: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that both operands have, in ascending order.

    Parameters
    ----------
    x, y : array_like
        Any shapes; dtypes are promoted.
    assume_unique : bool, optional
        Accepted for compatibility; the result is the same.
    return_indices : bool, optional
        Also give the elements' first positions in the flattened ``x`` and ``y``.
    size : int, optional
        How many elements to give; needed in a graph. Of more, the smallest are taken.
    fill_value : number, optional
        Stands for elements that are missing; by default the smallest, 0 if there is none.

    Returns
    -------
    Tensor, or tuple of three Tensors
        1-d.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.intersect1d([3, 1, 2, 3], [3, 2, 5])
    pl.Tensor([2, 3], dtype=int32, shape=(2,))
    """
    x, y = (flatten(v) for v in promote(x, y))
    values, first, real = _distinct(x, size)
    places = _places(ops.logical_and(real, isin(values, y)), size)
    found = _picked(values, places, fill_value)
    if not return_indices:
        return found
    order = ops.argsort(y, axis=0) if y.shape[0] else np.zeros(1, np.int64)
    near = ops.searchsorted(ops.sort(y, axis=0), found)
    return found, _picked(first, places, 0), ops.gather(order, near, axes=(0,))


def setdiff1d(
    x: Any,
    y: Any,
    assume_unique: bool = False,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements of ``x`` that ``y`` does not have, in ascending order.

    Parameters
    ----------
    x, y : array_like
        Any shapes; dtypes are promoted to compare.
    assume_unique : bool, optional
        Keep what is left of ``x`` as it is, in its order.
    size : int, optional
        How many elements to give; needed in a graph. Of more, the first are taken.
    fill_value : number, optional
        Stands for elements that are missing; by default the first, 0 if there is none.

    Returns
    -------
    Tensor
        1-d, dtype of ``x``.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.setdiff1d([3, 1, 2, 3], [2, 5])
    pl.Tensor([1, 3], dtype=int32, shape=(2,))
    """
    x, y = (flatten(as_array(v)) for v in (x, y))
    values, _, real = (x, None, _always(x)) if assume_unique else _distinct(x, size)
    keep = ops.logical_and(real, isin(values, y, invert=True))
    return _picked(values, _places(keep, size), fill_value)


def _distinct(x: Any, size: int | None) -> tuple[Any, Any, Any]:
    """Distinct elements, their first positions, and which of them are more than padding."""
    if size is None:
        values, first = unique(x, return_index=True)
        return values, first, _always(values)
    values, first, counts = unique(x, True, False, True, size=x.shape[0])
    return values, first, ops.greater(counts, fill(0, counts))


def _always(x: Any) -> Any:
    return broadcast_to(np.asarray(True, bool_), x.shape)


def _places(keep: Any, size: int | None) -> Any:
    """Where a mask holds; one behind its end for each that is missing."""
    return flatnonzero(keep, size, fill_value=keep.shape[0])


def _picked(values: Any, places: Any, fill_value: Any) -> Any:
    """The values at places; for those behind the end ``fill_value``, or the first of the result."""
    count = values.shape[0]
    padded = ops.concat(values, np.zeros(1, values.dtype), axis=0)
    if fill_value is not None:
        filler = np.asarray(fill_value, values.dtype)
    elif places.shape[0]:
        first = ops.reshape(ops.slice_(places, starts=(0,), stops=(1,), steps=(1,)), shape=())
        filler = ops.gather(padded, first, axes=(0,))
    else:
        return ops.gather(padded, places, axes=(0,))
    missing = ops.greater_equal(places, fill(count, places))
    found = ops.gather(padded, places, axes=(0,))
    return ops.select(missing, broadcast_to(filler, found.shape), found)
