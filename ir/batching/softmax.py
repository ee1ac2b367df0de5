"""Batching of logsumexp; softmax itself keeps its shape and is batched as cumulative ops are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, shifted_axes, without_axes
from plait.ir.types import Dimension


@define_batch(ops.logsumexp)
def _logsumexp(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Any
) -> Batched:
    (x,), (dim,) = operands, dims
    axes, keepdims = shifted_axes(attributes["axes"], dim), attributes["keepdims"]
    found = ops.logsumexp(x, axes=axes, keepdims=keepdims)
    return found, dim if keepdims else without_axes(dim, axes)
