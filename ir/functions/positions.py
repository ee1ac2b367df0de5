"""Positions in a tensor as one number and as a number for each axis."""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_index, check_range
from plait.ir.functions.joining import unstack
from plait.ir.functions.manipulation import as_shape
from plait.ir.functions.payload import broadcast_shapes, broadcast_to, cast
from plait.ir.functions.picking import in_mode
from plait.ir.functions.reductions import fill
from plait.ir.types import int64

__all__ = ["ravel_multi_index", "unravel_index"]


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Positions along each axis of the elements at flat, row-major positions.

    Parameters
    ----------
    indices : array_like of integers
        In ``[0, n)`` for ``n`` elements.
    shape : int or tuple of int
        Of the tensor that the positions are in.

    Returns
    -------
    tuple of Tensor of int64
        One for each axis, of the shape of ``indices``.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range, also inside a compiled function.
    DTypeError
        Not integers.

    Examples
    --------
    >>> pl.unravel_index(5, (2, 3))
    (pl.Tensor(1, dtype=int64), pl.Tensor(2, dtype=int64))
    """
    index, sizes = as_index("unravel_index", indices), _sizes("unravel_index", shape)
    count = math.prod(sizes)
    check_range(index, 0, count, f"unravel_index: {{0}} is out of range [0, {count})")
    rest, found = cast(index, int64), []
    for size in reversed(sizes):
        width = fill(max(size, 1), rest)
        found.append(ops.remainder(rest, width))
        rest = ops.floor_divide(rest, width)
    return tuple(reversed(found))


def _sizes(name: str, shape: Any) -> tuple[int, ...]:
    sizes = as_shape(name, shape)
    known = tuple([d for d in sizes if isinstance(d, int)])
    if len(known) < len(sizes):
        raise ShapeError(f"{name}: the shape {sizes} has a symbolic size; numbers are needed")
    return known


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise") -> Any:
    """Flat, row-major positions of the elements at positions along each axis.

    Parameters
    ----------
    multi_index : sequence of array_like of integers
        Positions along each axis; they broadcast together.
    dims : int or tuple of int
        Shape of the tensor that the positions are in.
    mode : {"raise", "wrap", "clip"}, or one for each axis
        What to do with positions out of range: an error, modulo the size, or the nearest end.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    IndexOutOfRangeError
        A position is out of range, with ``mode="raise"``.
    ShapeError
        Not as many positions as axes, or shapes that do not broadcast together.

    Examples
    --------
    >>> pl.ravel_multi_index(([0, 1], [2, 0]), (2, 3))
    pl.Tensor([2, 3], dtype=int64, shape=(2,))
    """
    name = "ravel_multi_index"
    sizes = _sizes(name, dims)
    given = multi_index if isinstance(multi_index, (tuple, list)) else unstack(multi_index)
    modes = (mode,) * len(sizes) if isinstance(mode, str) else tuple(mode)
    if not len(given) == len(sizes) == len(modes) or not sizes:
        raise ShapeError(f"{name}: expected positions for {len(sizes)} axes, got {len(given)}")
    columns = [as_index(name, x) for x in given]
    shape = broadcast_shapes(name, *[x.shape for x in columns])
    total: Any = None
    for axis, (index, size, how) in enumerate(zip(columns, sizes, modes, strict=True)):
        if how == "raise":
            message = f"{name}: {{0}} is out of range [0, {size}) of axis {axis}"
            check_range(index, 0, size, message)
        index = broadcast_to(cast(in_mode(name, index, size, how), int64), shape)
        if total is not None:
            index = ops.add(ops.multiply(total, fill(size, total)), index)
        total = index
    return total
