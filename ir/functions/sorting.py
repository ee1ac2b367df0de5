"""Sorting, searching in what is sorted, and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError, UnknownNameError
from plait.ir.functions.axes import (
    as_array,
    as_index,
    check_range,
    is_traced,
    no_elements,
    normalize_axes,
    normalize_axis,
    static_size,
)
from plait.ir.functions.joining import unstack
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.functions.picking import take_along_axis
from plait.ir.functions.reductions import fill, keep
from plait.ir.functions.statistics import mean_dtypes
from plait.ir.types import int64, is_floating

__all__ = [
    "argpartition",
    "argsort",
    "lexsort",
    "median",
    "partition",
    "percentile",
    "quantile",
    "searchsorted",
    "sort",
]


def flip_axis(x: Any, axis: int) -> Any:
    """The elements along one axis in reverse order."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = static_size("flip", x, axis) - 1, -1, -1
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))


def _sortable(name: str, x: Any, axis: int | None) -> tuple[Any, int]:
    x = as_array(x)
    if axis is None:
        return ops.reshape(x, shape=(x.size,)), 0
    return x, normalize_axis(name, axis, x.ndim)


def sort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements along an axis in order; NaN counts as larger than every number.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int or None, optional
        None sorts the flattened array.
    descending : bool, optional
        Largest first.
    stable : bool, optional
        Accepted for compatibility; equal elements cannot be told apart.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.
    DTypeError
        Complex numbers have no order.

    Examples
    --------
    >>> pl.sort([3, 1, 2], descending=True)
    pl.Tensor([3, 2, 1], dtype=int32, shape=(3,))
    """
    x, axis = _sortable("sort", x, axis)
    found = ops.sort(x, axis=axis)
    return flip_axis(found, axis) if descending else found


def argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that sort ``x`` along an axis; equal elements keep their order.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int or None, optional
        None sorts the flattened array.
    descending : bool, optional
        Largest first.
    stable : bool, optional
        Accepted for compatibility; the order is always stable.

    Returns
    -------
    Tensor of int64
        Shape of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.
    DTypeError
        Complex numbers have no order.

    Examples
    --------
    >>> pl.argsort([30, 10, 20])
    pl.Tensor([1, 2, 0], dtype=int64, shape=(3,))
    """
    x, axis = _sortable("argsort", x, axis)
    if not descending:
        return ops.argsort(x, axis=axis)
    # Sorting what is flipped, and flipping the result, keeps equal elements in their order.
    backward = flip_axis(ops.argsort(flip_axis(x, axis), axis=axis), axis)
    return ops.subtract(fill(x.shape[axis] - 1, backward), backward)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The positions that sort by several keys; the last key decides first.

    Parameters
    ----------
    keys : sequence of array_like, or array_like whose first axis is taken apart
        Equal shapes, any dtypes but complex.
    axis : int, optional
        Of each key, along which to sort.

    Returns
    -------
    Tensor of int64
        Shape of a key; equal elements keep their order.

    Raises
    ------
    ShapeError
        No keys, shapes that differ, or no such axis.

    Examples
    --------
    >>> pl.lexsort([[1, 2, 0], [5, 4, 5]])
    pl.Tensor([1, 2, 0], dtype=int64, shape=(3,))
    """
    columns = [as_array(k) for k in (keys if isinstance(keys, (tuple, list)) else unstack(keys))]
    shapes = {k.shape for k in columns}
    if len(shapes) != 1:
        raise ShapeError(f"lexsort: expected keys of one shape, got {[k.shape for k in columns]}")
    first, *others = columns
    axis = normalize_axis("lexsort", axis, first.ndim)
    order = ops.argsort(first, axis=axis)
    for key in others:
        again = ops.argsort(take_along_axis(key, order, axis), axis=axis)
        order = take_along_axis(order, again, axis)
    return order


def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """Like ``sort``: element ``kth`` is where sorting puts it, smaller ones before it.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    kth : int or sequence of int
        Positions along the axis; they must exist.
    axis : int or None, optional
        None works on the flattened array.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``; here fully sorted.

    Raises
    ------
    IndexOutOfRangeError
        ``kth`` is no position along the axis.

    Examples
    --------
    >>> pl.partition([3, 1, 2], 1)[1]
    pl.Tensor(2, dtype=int32)
    """
    x, axis = _sortable("partition", x, axis)
    _check_kth("partition", kth, x.shape[axis])
    return ops.sort(x, axis=axis)


def argpartition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """Like ``argsort``: the positions that ``partition`` takes elements from.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    kth : int or sequence of int
        Positions along the axis; they must exist.
    axis : int or None, optional
        None works on the flattened array.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    IndexOutOfRangeError
        ``kth`` is no position along the axis.

    Examples
    --------
    >>> pl.argpartition([30, 10, 20], 0)[0]
    pl.Tensor(1, dtype=int64)
    """
    x, axis = _sortable("argpartition", x, axis)
    _check_kth("argpartition", kth, x.shape[axis])
    return ops.argsort(x, axis=axis)


def _check_kth(name: str, kth: Any, size: int) -> None:
    message = f"{name}: kth {{0}} is out of range [{-size}, {size})"
    check_range(as_index(name, kth), -size, size, message)


def searchsorted(x1: Any, x2: Any, side: str = "left", sorter: Any = None) -> Any:
    """Positions in a sorted array before which values belong.

    Parameters
    ----------
    x1 : array_like
        1-d, in ascending order unless ``sorter`` is given.
    x2 : array_like
        The values, of any shape.
    side : {"left", "right"}
        Whether equal elements stand behind or before the position.
    sorter : array_like of integers, optional
        Positions that sort ``x1``, as from ``argsort``.

    Returns
    -------
    Tensor of int64
        Shape of ``x2``, in ``[0, len(x1)]``.

    Raises
    ------
    ShapeError
        ``x1`` is not 1-d.
    UnknownNameError
        No such side.

    Examples
    --------
    >>> pl.searchsorted([10, 20, 30], [5, 20, 35])
    pl.Tensor([0, 1, 3], dtype=int64, shape=(3,))
    """
    x1, x2 = promote(x1, x2)
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted: x1 must be 1-d, got shape {x1.shape}")
    if sorter is not None:
        order = as_index("searchsorted", sorter)
        check_range(order, 0, x1.shape[0], "searchsorted: sorter holds {0}, which is no position")
        x1 = ops.gather(x1, order, axes=(0,))
    return ops.searchsorted(x1, x2, side=side)


def in_rows(name: str, x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """``x`` in its computing dtype with the axes joined to one last axis, and these axes."""
    axes = normalize_axes(name, axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = tuple([x.shape[i] for i in kept])
    count = 1
    for a in axes:
        count *= static_size(name, x, a)
    if count == 0:
        raise ShapeError(no_elements(name, axis, x.shape))
    rows = ops.transpose(x, permutation=(*kept, *axes))
    return ops.reshape(rows, shape=(*shape, count)), axes


def _nan_where(found: Any, ordered: Any) -> Any:
    """NaN where a sorted row ends with NaN; ``found`` has the rows' shape, then others' axes."""
    if not is_floating(ordered.dtype):
        return found
    last = ops.gather(ordered, np.asarray(ordered.shape[-1] - 1), axes=(ordered.ndim - 1,))
    extra = found.ndim - last.ndim
    unordered = ops.reshape(ops.isnan(last), shape=(*last.shape, *(1,) * extra))
    return ops.select(broadcast_to(unordered, found.shape), fill(np.nan, found), found)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element in order, or the mean of the middle two; NaN if one is NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor
        Dtype of ``x``, float64 for integers and bool.

    Raises
    ------
    ShapeError
        No elements, or no such axis.

    Examples
    --------
    >>> pl.median([7.0, 1.0, 3.0, 4.0])
    pl.Tensor(3.5, dtype=float32)
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, None)
    rows, axes = in_rows("median", cast(x, compute), axis)
    ordered = ops.sort(rows, axis=rows.ndim - 1)
    count, last = rows.shape[-1], (rows.ndim - 1,)
    found = ops.gather(ordered, np.asarray(count // 2), axes=last)
    if count % 2 == 0:
        lower = ops.gather(ordered, np.asarray(count // 2 - 1), axes=last)
        found = ops.divide(ops.add(lower, found), fill(2, found))
    return keep(cast(_nan_where(found, ordered), result), x, axes, keepdims)


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The elements below which the fractions ``q`` of all lie; NaN if one is NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    q : array_like
        Fractions in [0, 1], of any shape.
    axis : int or tuple of int, optional
        All axes by default.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}
        What to do between two elements.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor
        Shape ``q.shape`` followed by the axes that are kept. Dtype of ``x``, float64 for integers
        and bool.

    Raises
    ------
    ShapeError
        No elements, no such axis, or a ``q`` outside of [0, 1].
    UnknownNameError
        No such method.

    Examples
    --------
    >>> pl.quantile([0.0, 10.0, 20.0, 30.0], [0.5, 0.1])
    pl.Tensor([15.,  3.], dtype=float32, shape=(2,))
    """
    if method not in METHODS:
        raise UnknownNameError(
            f"quantile: unknown method {method!r}; methods: {', '.join(METHODS)}"
        )
    x, q = as_array(x), as_array(q)
    compute, result = mean_dtypes(x.dtype, None)
    q = cast(q, compute)
    if not is_traced(q) and not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= 1)):
        raise ShapeError("quantile: q must lie in [0, 1] (percentile takes 0 to 100)")
    rows, axes = in_rows("quantile", cast(x, compute), axis)
    ordered = ops.sort(rows, axis=rows.ndim - 1)
    q_flat = ops.reshape(q, shape=(q.size,))
    place = ops.multiply(q_flat, fill(ordered.shape[-1] - 1, q_flat))
    found = interpolate(ordered, place, method)
    found = cast(_nan_where(found, ordered), result)
    found = ops.transpose(found, permutation=(found.ndim - 1, *range(found.ndim - 1)))
    kept = [1 if i in axes else d for i, d in enumerate(x.shape) if keepdims or i not in axes]
    return ops.reshape(found, shape=(*q.shape, *kept))


def interpolate(ordered: Any, place: Any, method: str, batch: int = 0) -> Any:
    """Elements of sorted rows at fractional places, along a new last axis.

    The places are 1-d, or, with as many batch axes as rows have, different for each row.
    """
    below, above = ops.floor(place), ops.ceil(place)
    if method == "nearest":
        below = above = ops.round_(place)
    low, high = (
        ops.gather(ordered, cast(p, int64), axes=(ordered.ndim - 1,), batch=batch)
        for p in (below, above)
    )
    if method in ("lower", "nearest"):
        return low
    if method == "higher":
        return high
    part = ops.subtract(place, below)
    if method == "midpoint":
        part = ops.select(ops.equal(below, above), fill(0, part), fill(0.5, part))
    return _between(low, high, broadcast_to(part, low.shape))


def _between(low: Any, high: Any, part: Any) -> Any:
    """Low + (high - low) * part, from the nearer end, exact at both; as NumPy."""
    gap = ops.subtract(high, low)
    up = ops.add(low, ops.multiply(gap, part))
    down = ops.subtract(high, ops.multiply(gap, ops.subtract(fill(1, part), part)))
    found = ops.select(ops.greater_equal(part, fill(0.5, part)), down, up)
    return ops.select(ops.equal(low, high), low, found)


def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The elements below which ``q`` percent of all lie; NaN if one is NaN.

    Parameters
    ----------
    x : array_like
        Any dtype but complex.
    q : array_like
        Percentages in [0, 100], of any shape.
    axis, method, keepdims
        As for ``quantile``.

    Returns
    -------
    Tensor
        As from ``quantile``.

    Raises
    ------
    ShapeError
        No elements, no such axis, or a ``q`` outside of [0, 100].

    Examples
    --------
    >>> pl.percentile([0.0, 10.0, 20.0, 30.0], 50)
    pl.Tensor(15., dtype=float32)
    """
    compute, _ = mean_dtypes(as_array(x).dtype, None)
    fraction = cast(as_array(q), compute)
    fraction = ops.divide(fraction, fill(100, fraction))
    return quantile(x, fraction, axis, method, keepdims)
