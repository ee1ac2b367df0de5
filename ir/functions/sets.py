"""Positions of what is true, distinct elements and membership.

The number of results depends on the elements. In a graph ``size=`` says how many to give.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_array, as_int, concrete
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.functions.reductions import fill
from plait.ir.literal import Literal
from plait.ir.types import bfloat16, bool_, int64, is_complex, is_inexact

__all__ = [
    "argwhere",
    "flatnonzero",
    "isin",
    "nonzero",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]

WITH_SIZE = "give size=, the number of results"


def flatten(x: Any) -> Any:
    """The elements in row-major order, 1-d."""
    return ops.reshape(x, shape=(math.prod(x.shape),))


def _first_positions(mask: Any, size: int) -> Any:
    """Positions of the first ``size`` true elements of a 1-d mask; its length where there are none.

    The k-th true element is the first at which the running count reaches k.
    """
    count = ops.cumsum(cast(mask, int64), axis=0)
    return ops.searchsorted(count, np.arange(1, size + 1))


def flatnonzero(x: Any, size: int | None = None, fill_value: int = 0) -> Any:
    """Positions in the flattened ``x`` of the elements that are not zero.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    size : int, optional
        How many positions to give; needed in a graph. Of more, the first are taken.
    fill_value : int, optional
        Stands for positions that are missing.

    Returns
    -------
    Tensor of int64
        1-d, ascending.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.flatnonzero([0, 7, 0, 9])
    pl.Tensor([1, 3], dtype=int64, shape=(2,))
    """
    x = cast(as_array(x), bool_)
    if size is None:
        return np.flatnonzero(concrete("flatnonzero", x, WITH_SIZE)).astype(np.int64)
    flat, size = flatten(x), as_int("flatnonzero", "size", size, least=0)
    found = _first_positions(flat, size)
    missing = ops.greater_equal(found, fill(flat.shape[0], found))
    return ops.select(missing, fill(fill_value, found), found)


def nonzero(x: Any, size: int | None = None, fill_value: int = 0) -> tuple[Any, ...]:
    """Positions of the elements that are not zero, an array for each axis.

    Parameters
    ----------
    x : array_like
        Any dtype, at least 1-d.
    size : int, optional
        How many positions to give; needed in a graph. Of more, the first are taken.
    fill_value : int, optional
        Stands for positions that are missing.

    Returns
    -------
    tuple of Tensor of int64
        In row-major order of the elements.

    Raises
    ------
    TraceError
        In a graph without ``size``.
    ShapeError
        ``x`` is 0-d.

    Examples
    --------
    >>> pl.nonzero([[0, 1], [2, 0]])
    (pl.Tensor([0, 1], dtype=int64, shape=(2,)), pl.Tensor([1, 0], dtype=int64, shape=(2,)))
    """
    x = cast(as_array(x), bool_)
    if x.ndim == 0:
        raise ShapeError("nonzero: x must be at least 1-d")
    if size is None:
        found = np.nonzero(concrete("nonzero", x, WITH_SIZE))
        return tuple([i.astype(np.int64, copy=False) for i in found])
    flat, size = flatten(x), as_int("nonzero", "size", size, least=0)
    places = _first_positions(flat, size)
    missing = ops.greater_equal(places, fill(flat.shape[0], places))
    result, stride = [], math.prod(x.shape)
    for n in x.shape:
        stride //= max(n, 1)
        line = ops.floor_divide(places, fill(max(stride, 1), places))
        line = ops.remainder(line, fill(max(n, 1), line))
        result.append(ops.select(missing, fill(fill_value, line), line))
    return tuple(result)


def argwhere(x: Any, size: int | None = None, fill_value: int = 0) -> Any:
    """Positions of the elements that are not zero, a row for each.

    Parameters
    ----------
    x : array_like
        Any dtype, at least 1-d.
    size : int, optional
        How many rows to give; needed in a graph. Of more, the first are taken.
    fill_value : int, optional
        Stands for positions that are missing.

    Returns
    -------
    Tensor of int64
        Shape (number of positions, ``x.ndim``).

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.argwhere([[0, 1], [2, 0]])
    pl.Tensor([[0, 1],
               [1, 0]], dtype=int64, shape=(2, 2))
    """
    columns = nonzero(x, size, fill_value)
    return ops.concat(*[ops.reshape(c, shape=(*c.shape, 1)) for c in columns], axis=1)


def _unique(x: Any, size: int | None, fill_value: Any, equal_nan: bool) -> tuple[Any, ...]:
    """Distinct elements in order, their first positions, the inverse and the counts."""
    x = as_array(x)
    if size is not None:
        return _unique_of_size(x, size, fill_value, equal_nan)
    array = concrete("unique", x, WITH_SIZE)
    wide = array.astype(np.float32) if array.dtype == bfloat16 else array
    _, index, inverse, counts = np.unique(
        wide, return_index=True, return_inverse=True, return_counts=True, equal_nan=equal_nan
    )
    # Taken from x by an op, so that derivatives pass.
    values = ops.gather(flatten(x), index, axes=(0,))
    return values, index, inverse.reshape(x.shape), counts


def _unique_of_size(x: Any, size: int, fill_value: Any, equal_nan: bool) -> tuple[Any, ...]:
    flat, size = flatten(x), as_int("unique", "size", size, least=0)
    count = flat.shape[0]
    if count == 0:
        blank = ops.full(value=Literal(np.asarray(0, int64)), shape=(size,))
        value = Literal(np.asarray(0 if fill_value is None else fill_value, x.dtype))
        return ops.full(value=value, shape=(size,)), blank, cast(x, int64), blank
    order = ops.argsort(flat, axis=0)
    ordered = ops.gather(flat, order, axes=(0,))
    new = _is_new(ordered, equal_nan)
    starts = _first_positions(new, size)
    missing = ops.greater_equal(starts, fill(count, starts))
    values = ops.gather(ordered, starts, axes=(0,))
    least = ops.gather(ordered, np.asarray(0), axes=(0,))
    filler = least if fill_value is None else np.asarray(fill_value, x.dtype)
    values = ops.select(missing, broadcast_to(filler, values.shape), values)
    index = ops.select(missing, fill(0, starts), ops.gather(order, starts, axes=(0,)))
    ends = ops.concat(starts, np.asarray([count]), axis=0)
    ends = ops.slice_(ends, starts=(1,), stops=(size + 1,), steps=(1,))
    rank = ops.subtract(ops.cumsum(cast(new, int64), axis=0), fill(1, order))
    inverse = ops.scatter(fill(0, order), rank, order, axes=(0,), unique=True)
    return values, index, ops.reshape(inverse, shape=x.shape), ops.subtract(ends, starts)


def _is_new(ordered: Any, equal_nan: bool) -> Any:
    """Which elements of a sorted 1-d array differ from the one before."""
    count = ordered.shape[0]
    before = ops.slice_(ordered, starts=(0,), stops=(count - 1,), steps=(1,))
    after = ops.slice_(ordered, starts=(1,), stops=(count,), steps=(1,))
    differs = ops.not_equal(before, after)
    if equal_nan and is_inexact(ordered.dtype):
        differs = ops.logical_and(differs, ops.logical_not(ops.isnan(before)))
    return ops.concat(np.asarray([True]), differs, axis=0)


def unique(
    x: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements in ascending order, as ``numpy.unique``; all NaN count as one.

    Parameters
    ----------
    x : array_like
        Any dtype (not complex with ``size``) and shape; it is flattened.
    return_index, return_inverse, return_counts : bool, optional
        Also give first positions, the positions in the result of each element, and counts.
    size : int, optional
        How many elements to give; needed in a graph. Of more, the smallest are taken.
    fill_value : number, optional
        Stands for elements that are missing; by default the smallest.

    Returns
    -------
    Tensor, or tuple of Tensor

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.unique([3, 1, 3, 2])
    pl.Tensor([1, 2, 3], dtype=int32, shape=(3,))
    """
    values, *others = _unique(x, size, fill_value, True)
    asked = (return_index, return_inverse, return_counts)
    chosen = [o for o, wanted in zip(others, asked, strict=True) if wanted]
    return (values, *chosen) if chosen else values


class UniqueCounts(NamedTuple):
    """Distinct values, and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """Distinct values, and where each element's stands among them."""

    values: Any
    inverse_indices: Any


class UniqueAll(NamedTuple):
    """Distinct values, where each occurs first, where each element's stands, and how often."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


def unique_values(x: Any, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements in ascending order; each NaN counts by itself.

    Parameters
    ----------
    x : array_like
        Any dtype and shape; it is flattened.
    size, fill_value
        As for ``unique``.

    Returns
    -------
    Tensor

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.unique_values([3, 1, 3, 2], size=4)
    pl.Tensor([1, 2, 3, 1], dtype=int32, shape=(4,))
    """
    return _unique(x, size, fill_value, False)[0]


def unique_counts(x: Any, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The distinct elements in ascending order, and how often each occurs.

    Parameters
    ----------
    x : array_like
        Any dtype and shape; it is flattened.
    size, fill_value
        As for ``unique``; missing elements have count 0.

    Returns
    -------
    tuple of Tensor
        Values and counts.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.unique_counts([3, 1, 3])[1]
    pl.Tensor([1, 2], dtype=int64, shape=(2,))
    """
    values, _, _, counts = _unique(x, size, fill_value, False)
    return UniqueCounts(values, counts)


def unique_inverse(x: Any, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The distinct elements in ascending order, and which of them each element of ``x`` is.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    size, fill_value
        As for ``unique``.

    Returns
    -------
    tuple of Tensor
        Values, and positions in them of the shape of ``x``.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.unique_inverse([3, 1, 3])[1]
    pl.Tensor([1, 0, 1], dtype=int64, shape=(3,))
    """
    values, _, inverse, _ = _unique(x, size, fill_value, False)
    return UniqueInverse(values, inverse)


def unique_all(x: Any, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The distinct elements in ascending order, first positions, inverse and counts.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    size, fill_value
        As for ``unique``.

    Returns
    -------
    tuple of Tensor
        Values, first positions in the flattened ``x``, positions in the values of the shape of
        ``x``, counts.

    Raises
    ------
    TraceError
        In a graph without ``size``.

    Examples
    --------
    >>> pl.unique_all([3, 1, 3])[1]
    pl.Tensor([1, 0], dtype=int64, shape=(2,))
    """
    return UniqueAll(*_unique(x, size, fill_value, False))


def isin(x: Any, elements: Any, invert: bool = False) -> Any:
    """Whether each element of ``x`` is among ``elements``.

    Parameters
    ----------
    x, elements : array_like
        Any shapes; dtypes are promoted.
    invert : bool, optional
        Whether it is not among them.

    Returns
    -------
    Tensor of bool
        Shape of ``x``.

    Examples
    --------
    >>> pl.isin([1, 2, 3], [3, 1])
    pl.Tensor([ True, False,  True], dtype=bool, shape=(3,))
    """
    x, elements = promote(x, elements)
    found = _is_among(x, flatten(elements))
    return ops.logical_not(found) if invert else found


def _is_among(x: Any, elements: Any) -> Any:
    if elements.shape[0] == 0:
        return ops.full(value=Literal(np.asarray(False)), shape=x.shape)
    if is_complex(x.dtype):
        shape = (*x.shape, *elements.shape)
        wide = broadcast_to(ops.reshape(x, shape=(*x.shape, 1)), shape)
        same = ops.equal(wide, broadcast_to(elements, shape))
        return ops.reduce_any(same, axes=(x.ndim,))
    ordered = ops.sort(elements, axis=0)
    # A position behind the last element clamps to it.
    near = ops.gather(ordered, ops.searchsorted(ordered, x), axes=(0,))
    return ops.equal(near, x)
