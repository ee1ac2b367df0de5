"""Batching of ops on the last axis: one-hot rows, the largest elements, reinterpreted bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, move_axis
from plait.ir.types import Dimension

Attributes = Mapping[str, Any]


@define_batch(ops.one_hot)
def _one_hot(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    return ops.one_hot(operands[0], **attributes), dims[0]


@define_batch(ops.top_k)
def _top_k(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    x, dim = _not_last(operands[0], dims[0])
    return ops.top_k(x, **attributes), (dim, dim)


@define_batch(ops.bitcast)
def _bitcast(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    x, dim = operands[0], dims[0]
    if attributes["dtype"].itemsize > x.dtype.itemsize:
        x, dim = _not_last(x, dim)
    return ops.bitcast(x, **attributes), dim


def _not_last(x: Any, dim: int) -> tuple[Any, int]:
    """The payload with its batch axis before its last axis."""
    if dim < x.ndim - 1:
        return x, dim
    return move_axis(x, dim, 0), 0
