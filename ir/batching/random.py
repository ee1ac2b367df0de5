"""Batching of random bits: a stream for each row's key and counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, move_axis
from plait.ir.types import Dimension


@define_batch(ops.philox)
def _philox(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Any
) -> Batched:
    (state,), (dim,) = operands, dims
    dim = min(dim, state.ndim - 2)  # the last axis is that of key and counter
    return ops.philox(move_axis(state, dims[0], dim), **attributes), dim
