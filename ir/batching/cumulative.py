"""Batching of ops along one axis that keep the shape: cumulative ops, sorts, softmax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, shifted
from plait.ir.op import Op
from plait.ir.types import Dimension


def along_axis_rule(op: Op) -> Any:
    """The rule of an op with one operand, an attribute ``axis``, and a result of equal shape."""

    def rule(
        operands: Sequence[Any],
        dims: Sequence[int],
        size: Dimension,
        attributes: Mapping[str, Any],
    ) -> Batched:
        axis = shifted(attributes["axis"], dims[0])
        return op(operands[0], **{**attributes, "axis": axis}), dims[0]

    return rule


for _op in (
    ops.argsort,
    ops.cummax,
    ops.cummin,
    ops.cumprod,
    ops.cumsum,
    ops.log_softmax,
    ops.softmax,
    ops.sort,
):
    define_batch(_op)(along_axis_rule(_op))
