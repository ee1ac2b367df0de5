"""Batching of reductions: the axes shift, the batch axis moves up past those that go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    define_batch,
    shifted,
    shifted_axes,
    without_axes,
)
from plait.ir.op import Op
from plait.ir.types import Dimension

Attributes = Mapping[str, Any]


def reduction_rule(op: Op) -> Any:
    """The rule of a reduction over ``axes``."""

    def rule(
        operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
    ) -> Batched:
        axes = shifted_axes(attributes["axes"], dims[0])
        return op(operands[0], axes=axes), without_axes(dims[0], axes)

    return rule


def position_rule(op: Op) -> Any:
    """The rule of a reduction over one ``axis``."""

    def rule(
        operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
    ) -> Batched:
        axis = shifted(attributes["axis"], dims[0])
        return op(operands[0], axis=axis), without_axes(dims[0], (axis,))

    return rule


for _op in (
    ops.reduce_all,
    ops.reduce_any,
    ops.reduce_max,
    ops.reduce_min,
    ops.reduce_prod,
    ops.reduce_sum,
):
    define_batch(_op)(reduction_rule(_op))
for _op in (ops.argmax, ops.argmin):
    define_batch(_op)(position_rule(_op))
