"""Batching of contractions: rows of both operands run together, those of one are free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, move_to_front, shifted_axes
from plait.ir.types import Dimension

Axes = tuple[tuple[int, ...], tuple[int, ...]]


@define_batch(ops.matmul)
def _matmul(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
) -> Batched:
    (x, y), (dx, dy) = operands, dims
    if dx is not None and dy is not None:
        return ops.matmul(move_to_front(x, dx), move_to_front(y, dy)), 0
    rank = max(x.ndim, y.ndim) - 1
    lead = tuple(range(rank - 2))
    return _dot(x, y, (dx, dy), ((rank - 1,), (rank - 2,)), (lead, lead))


@define_batch(ops.dot_general)
def _dot_general(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
) -> Batched:
    x, y = operands
    return _dot(x, y, tuple(dims), attributes["contracting"], attributes["batch"])


def _dot(x: Any, y: Any, dims: Any, contracting: Axes, batch: Axes) -> Batched:
    """The dot product of rows, whose axes are given for one row."""
    summed: Any = tuple(map(_shifted, contracting, dims))
    kept: Any = tuple(map(_shifted, batch, dims))
    dx, dy = dims
    if dx is not None and dy is not None:
        kept = ((dx, *kept[0]), (dy, *kept[1]))
        return ops.dot_general(x, y, contracting=summed, batch=kept), 0
    found = ops.dot_general(x, y, contracting=summed, batch=kept)
    dim = len(kept[0])
    rows = _free(x.ndim, summed[0], kept[0])
    if dx is not None:
        return found, dim + rows.index(dx)
    return found, dim + len(rows) + _free(y.ndim, summed[1], kept[1]).index(dy)


def _shifted(axes: tuple[int, ...], dim: int | None) -> tuple[int, ...]:
    return axes if dim is None else shifted_axes(axes, dim)


def _free(ndim: int, contracting: tuple[int, ...], batch: tuple[int, ...]) -> list[int]:
    """The axes that are neither summed nor run together."""
    return [a for a in range(ndim) if a not in contracting and a not in batch]
