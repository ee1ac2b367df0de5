"""Counts of integers, and of numbers between edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, as_index, check_range, concrete, demand
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.functions.reductions import fill
from plait.ir.functions.sets import flatten
from plait.ir.literal import Literal
from plait.ir.types import float64, int64, is_complex, is_inexact

__all__ = ["bincount", "digitize", "histogram"]


def bincount(x: Any, weights: Any = None, minlength: int = 0, length: int | None = None) -> Any:
    """How often each of 0, 1, 2, ... occurs, or the sum of its weights.

    Parameters
    ----------
    x : array_like of integers
        1-d, not negative.
    weights : array_like, optional
        1-d, of the length of ``x``.
    minlength : int, optional
        The least length of the result.
    length : int, optional
        The exact length of the result; needed in a graph.

    Returns
    -------
    Tensor
        int64, or float64 with weights.

    Raises
    ------
    IndexOutOfRangeError
        An element is negative, or not below ``length``.
    TraceError
        In a graph without ``length``.
    ShapeError
        ``x`` is not 1-d, or the weights differ in length.

    Examples
    --------
    >>> pl.bincount([0, 2, 2])
    pl.Tensor([1, 0, 2], dtype=int64, shape=(3,))
    """
    index = as_index("bincount", x)
    if index.ndim != 1:
        raise ShapeError(f"bincount: x must be 1-d, got shape {index.shape}")
    ones = np.asarray(1, int64) if weights is None else cast(as_array(weights), float64)
    if weights is not None and ones.shape != index.shape:
        raise ShapeError(f"bincount: weights {ones.shape} and x {index.shape} differ in shape")
    if length is None:
        known = concrete("bincount", index, "give length=, the length of the result")
        check_range(known, 0, 2**63 - 1, "bincount: {0} is negative")
        length = max(minlength, int(known.max(initial=-1)) + 1)
    check_range(index, 0, length, f"bincount: {{0}} is out of range [0, {length})")
    counts = ops.full(value=Literal(np.asarray(0, ones.dtype)), shape=(length,))
    if index.shape[0] == 0:
        return counts
    return ops.scatter(counts, broadcast_to(ones, index.shape), index, axes=(0,), mode="add")


def histogram(
    x: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool = False
) -> tuple[Any, Any]:
    """How many elements fall between each two neighboring edges.

    Parameters
    ----------
    x : array_like
        Any real dtype; it is flattened.
    bins : int or 1-d array_like
        Number of bins of equal width, or the ascending edges.
    range : tuple of two numbers, optional
        First and last edge for a number of bins; by default the smallest and the largest element.
    weights : array_like, optional
        Of the shape of ``x``; each bin then holds the sum of its weights.
    density : bool, optional
        Divide by the total and the widths of the bins.

    Returns
    -------
    tuple of Tensor
        The counts (int64, or float) and the edges. The last bin includes its right edge.

    Raises
    ------
    ShapeError
        No bins, or edges that are not 1-d.
    CheckError
        Edges that are not ascending, or a range that is not finite; also inside a compiled
        function.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.histogram([1, 2, 1, 4], bins=3, range=(1, 4))[0]
    pl.Tensor([2, 1, 1], dtype=int64, shape=(3,))
    """
    x = as_array(x)
    if is_complex(x.dtype):
        raise DTypeError("histogram: expected real numbers, got complex ones")
    x = flatten(x if is_inexact(x.dtype) else cast(x, float64))
    edges = as_array(bins)
    edges = _edges(x, int(edges), range) if edges.ndim == 0 else edges
    if edges.ndim != 1 or edges.shape[0] < 2:
        raise ShapeError("histogram: bins must be a positive number or at least two edges")
    before, after = _neighbors(edges)
    demand(ops.logical_not(ops.greater(before, after)), "histogram: the edges of bins must ascend")
    order = ops.argsort(x, axis=0)
    found = _below(ops.gather(x, order, axes=(0,)), edges)
    if weights is not None:
        mass = ops.gather(flatten(cast(as_array(weights), float64)), order, axes=(0,))
        mass = ops.concat(np.zeros(1), ops.cumsum(mass, axis=0), axis=0)
        found = ops.gather(mass, found, axes=(0,))
    counts = _steps(found)
    if density:
        widths = cast(_steps(edges), float64)
        counts = cast(counts, float64)
        total = broadcast_to(ops.reduce_sum(counts, axes=(0,)), counts.shape)
        counts = ops.divide(counts, ops.multiply(total, widths))
    return counts, edges


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin that each element belongs to, as ``numpy.digitize``.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape.
    bins : array_like
        1-d: edges, all ascending or all descending.
    right : bool, optional
        Whether a bin includes its right edge, in place of its left one.

    Returns
    -------
    Tensor of int64
        Shape of ``x``: 0 before the first edge, ``len(bins)`` behind the last.

    Raises
    ------
    ShapeError
        Edges that are not 1-d.
    CheckError
        Edges that neither ascend nor descend, also inside a compiled function.
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.digitize([0.5, 2.0, 9.0], [1.0, 2.0, 3.0])
    pl.Tensor([0, 2, 3], dtype=int64, shape=(3,))
    """
    x, edges = promote(x, bins)
    if is_complex(x.dtype):
        raise DTypeError("digitize: expected real numbers, got complex ones")
    if edges.ndim != 1:
        raise ShapeError(f"digitize: bins must be 1-d, got shape {edges.shape}")
    side, count = "left" if right else "right", edges.shape[0]
    upward = ops.searchsorted(edges, x, side=side)
    if count < 2:
        return upward
    before, after = _neighbors(edges)
    up = ops.reduce_all(ops.less_equal(before, after), axes=(0,))
    down = ops.reduce_all(ops.greater_equal(before, after), axes=(0,))
    demand(ops.logical_or(up, down), "digitize: bins must ascend, or descend")
    backward = ops.slice_(edges, starts=(count - 1,), stops=(-1,), steps=(-1,))
    downward = ops.searchsorted(backward, x, side=side)
    downward = ops.subtract(fill(count, downward), downward)
    return ops.select(broadcast_to(up, upward.shape), upward, downward)


def _below(ordered: Any, edges: Any) -> Any:
    """How many elements lie below each edge; at or below the last."""
    count = edges.shape[0]
    ordered, places = promote(ordered, edges)
    inner = ops.slice_(places, starts=(0,), stops=(count - 1,), steps=(1,))
    last = ops.slice_(places, starts=(count - 1,), stops=(count,), steps=(1,))
    return ops.concat(
        ops.searchsorted(ordered, inner), ops.searchsorted(ordered, last, side="right"), axis=0
    )


def _steps(x: Any) -> Any:
    before, after = _neighbors(x)
    return ops.subtract(after, before)


def _neighbors(x: Any) -> tuple[Any, Any]:
    """All elements but the last, and all but the first."""
    count = x.shape[0]
    before = ops.slice_(x, starts=(0,), stops=(count - 1,), steps=(1,))
    return before, ops.slice_(x, starts=(1,), stops=(count,), steps=(1,))


def _edges(x: Any, bins: int, range: Any) -> Any:
    """``bins + 1`` equally spaced edges; half a unit to both sides where there is no width."""
    if bins < 1:
        raise ShapeError(f"histogram: the number of bins must be positive, got {bins}")
    if range is not None:
        low, high = (cast(as_array(edge), x.dtype) for edge in range)
    elif x.shape[0] == 0:
        low, high = np.asarray(0, x.dtype), np.asarray(1, x.dtype)
    else:
        low, high = ops.reduce_min(x, axes=(0,)), ops.reduce_max(x, axes=(0,))
    finite = ops.logical_and(ops.isfinite(low), ops.isfinite(high))
    demand(finite, "histogram: the range must be finite; give range=, or edges as bins=")
    demand(ops.less_equal(low, high), "histogram: the range must not end before it begins")
    flat, half = ops.equal(low, high), fill(0.5, low)
    low, high = (
        ops.select(flat, moved, edge)
        for moved, edge in ((ops.subtract(low, half), low), (ops.add(high, half), high))
    )
    # In double precision and in the order of numpy.linspace, so that edges are NumPy's.
    shape, first, last = (bins + 1,), cast(low, float64), cast(high, float64)
    step = ops.divide(ops.subtract(last, first), np.asarray(bins, float64))
    line = ops.multiply(np.arange(bins + 1.0), broadcast_to(step, shape))
    line = cast(ops.add(line, broadcast_to(first, shape)), x.dtype)
    return ops.select(np.arange(bins + 1) == bins, broadcast_to(high, shape), line)
