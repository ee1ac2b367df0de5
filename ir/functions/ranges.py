"""Ranges and grids, made of one counting op: arange, linspace, eye, tri, meshgrid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from plait.ir.functions.axes import as_array, as_int, concrete, normalize_axis
from plait.ir.functions.diagonals import triangle_mask
from plait.ir.functions.elementwise import add, divide, floor, multiply, subtract
from plait.ir.functions.logic import where
from plait.ir.functions.manipulation import moveaxis
from plait.ir.functions.payload import (
    as_payload,
    broadcast_to,
    cast,
    promote_and_broadcast,
    result_dtype,
    weak_kind,
)
from plait.ir.types import (
    DType,
    as_dtype,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int32,
    int64,
    is_inexact,
    is_integer,
)

__all__ = [
    "arange",
    "eye",
    "identity",
    "linspace",
    "meshgrid",
    "tri",
]


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Numbers from ``start`` on, below ``stop``, ``step`` apart.

    Parameters
    ----------
    start : number
        Where to begin; with no ``stop``, where to end, from 0 on.
    stop, step : number, optional
    dtype : dtype or str, optional
        By default int32 for Python integers (int64 when they do not fit), float32 for floats.

    Returns
    -------
    Tensor
        1-d.

    Raises
    ------
    ShapeError
        A step of 0, or too many elements.
    TraceError
        A bound is a traced tensor: the result's shape would depend on its value.

    Examples
    --------
    >>> pl.arange(3)
    pl.Tensor([0, 1, 2], dtype=int32, shape=(3,))
    >>> pl.arange(0, 1, 0.25)
    pl.Tensor([0.  , 0.25, 0.5 , 0.75], dtype=float32, shape=(4,))
    """
    if stop is None:
        start, stop = 0, start
    bounds = [as_payload(b) for b in (start, stop, step)]
    arrays = [concrete("arange", b, "give Python numbers") for b in bounds]
    for array in arrays:
        if array.size != 1:
            raise ShapeError(f"arange: start, stop and step are numbers, got shape {array.shape}")
    values = [array.item() for array in arrays]
    first, last, gap = values
    if gap == 0:
        raise ShapeError("arange: step must not be 0")
    whole = all(type(v) is int for v in values)
    found = _range_dtype(bounds, values) if dtype is None else as_dtype(dtype)
    size = len(range(first, last, gap)) if whole else max(math.ceil((last - first) / gap), 0)
    if found == bool_:
        raise DTypeError("arange: expected a numeric dtype, got bool")
    return _counted(size, first, gap, found)


def _range_dtype(bounds: list[Any], values: list[Any]) -> DType:
    found = result_dtype(*bounds)
    if found == int32 and all(weak_kind(b) is not None for b in bounds):
        fits = all(-(2**31) <= v < 2**31 for v in values)
        return int32 if fits else int64
    return found


def _counted(size: int, first: Any, gap: Any, dtype: DType) -> Any:
    """``first + gap * (0, 1, 2, ...)``, computed in the dtype; no ops for 0 and 1."""
    parts = {complex64: float32, complex128: float64}
    counts = cast(ops.iota(dtype=parts.get(dtype, dtype), shape=(size,), axis=0), dtype)
    gap, first = (np.asarray(v).astype(dtype) for v in (gap, first))
    if gap != 1:
        counts = ops.multiply(counts, broadcast_to(gap, (size,)))
    return ops.add(counts, broadcast_to(first, (size,))) if first != 0 else counts


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Evenly spaced numbers from ``start`` to ``stop``.

    Parameters
    ----------
    start, stop : array_like
        Numbers, or tensors that broadcast together: a range for each element.
    num : int, optional
        How many.
    endpoint : bool, optional
        Whether ``stop`` is the last one, or the one after it.
    dtype : dtype or str, optional
        By default the promoted floating dtype, float32 for Python numbers; integers are floored.
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
    >>> pl.linspace(0, 1, 5)
    pl.Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32, shape=(5,))
    """
    count = as_int("linspace", "num", num, least=0)
    low, high = as_payload(start), as_payload(stop)
    wanted = None if dtype is None else as_dtype(dtype)
    work = result_dtype(low, high, 0.0 if wanted is None else np.zeros((), _inexact(wanted)))
    low, high = promote_and_broadcast("linspace", low, high, dtype=work)
    gaps = count - 1 if endpoint else count
    shape = (count, *low.shape)
    parts = {complex64: float32, complex128: float64}
    counts = cast(ops.iota(dtype=parts.get(work, work), shape=shape, axis=0), work)
    found = add(multiply(counts, divide(subtract(high, low), max(gaps, 1))), low)
    if endpoint and count > 1:
        place = ops.iota(dtype=int32, shape=shape, axis=0)
        last = broadcast_to(np.asarray(gaps, int32), shape)
        found = where(ops.equal(place, last), high, found)
    if wanted is not None and is_integer(wanted):
        found = floor(found)
    found = cast(found, work if wanted is None else wanted)
    return moveaxis(found, 0, normalize_axis("linspace", axis, low.ndim + 1))


def _inexact(dtype: DType) -> DType:
    """The dtype in which numbers on their way to ``dtype`` are computed."""
    return dtype if is_inexact(dtype) else np.dtype(np.float64)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float32) -> Any:
    """A matrix with ones on a diagonal.

    Parameters
    ----------
    n : int
        Rows.
    m : int, optional
        Columns; as many as rows by default.
    k : int, optional
        Above (positive) or below (negative) the main diagonal.
    dtype : dtype or str, optional

    Returns
    -------
    Tensor
        2-d.

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.eye(2)
    pl.Tensor([[1., 0.],
               [0., 1.]], dtype=float32, shape=(2, 2))
    """
    shape = _matrix("eye", n, m)
    row = ops.iota(dtype=int32, shape=shape, axis=0)
    column = ops.iota(dtype=int32, shape=shape, axis=1)
    offset = broadcast_to(np.asarray(_diagonal(k, shape), int32), shape)
    return cast(ops.equal(ops.add(row, offset), column), as_dtype(dtype))


def _diagonal(k: Any, shape: tuple[int, int]) -> int:
    """The diagonal that is meant; one beyond the matrix is as good as the next to its corner."""
    return max(-shape[0], min(as_int("eye", "k", k), shape[1]))


def _matrix(name: str, n: Any, m: Any) -> tuple[int, int]:
    rows = as_int(name, "the number of rows", n, least=0)
    return rows, rows if m is None else as_int(name, "the number of columns", m, least=0)


def identity(n: int, dtype: Any = float32) -> Any:
    """The square matrix with ones on its main diagonal.

    Parameters
    ----------
    n : int
    dtype : dtype or str, optional

    Returns
    -------
    Tensor
        2-d.

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.identity(2)
    pl.Tensor([[1., 0.],
               [0., 1.]], dtype=float32, shape=(2, 2))
    """
    return eye(n, dtype=dtype)


def tri(n: int, m: int | None = None, k: int = 0, dtype: Any = float32) -> Any:
    """A matrix of ones on and below a diagonal, zeros above.

    Parameters
    ----------
    n : int
        Rows.
    m : int, optional
        Columns; as many as rows by default.
    k : int, optional
        Above (positive) or below (negative) the main diagonal.
    dtype : dtype or str, optional

    Returns
    -------
    Tensor
        2-d.

    Raises
    ------
    ShapeError
        A negative size.

    Examples
    --------
    >>> pl.tri(2)
    pl.Tensor([[1., 0.],
               [1., 1.]], dtype=float32, shape=(2, 2))
    """
    return cast(triangle_mask(*_matrix("tri", n, m), as_int("tri", "k", k)), as_dtype(dtype))


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid.

    Parameters
    ----------
    *arrays : array_like
        The coordinates along each axis, 0-d or 1-d.
    indexing : str, optional
        ``"xy"`` exchanges the first two axes, ``"ij"`` does not.

    Returns
    -------
    list of Tensor
        One for each operand, of the grid's shape.

    Raises
    ------
    ShapeError
        An operand of more than one axis.
    UnknownNameError
        Another ``indexing``.

    Examples
    --------
    >>> x, y = pl.meshgrid([1, 2, 3], [10, 20])
    >>> x.shape, y[1, 2]
    ((2, 3), pl.Tensor(20, dtype=int32))
    """
    if indexing not in ("xy", "ij"):
        raise UnknownNameError(f"meshgrid: unknown indexing {indexing!r}; give 'xy' or 'ij'")
    payloads = [as_array(x) for x in arrays]
    if any(x.ndim > 1 for x in payloads):
        raise ShapeError("meshgrid: expected operands of at most one axis")
    sizes = tuple([x.shape[0] if x.ndim else 1 for x in payloads])
    places = list(range(len(payloads)))
    if indexing == "xy" and len(places) > 1:
        places[:2] = 1, 0
    shape = tuple([sizes[i] for i in places])
    found = []
    for i, x in enumerate(payloads):
        flat = tuple([sizes[i] if place == i else 1 for place in places])
        found.append(broadcast_to(ops.reshape(x, shape=flat), shape))
    return found
