"""Batching of elementwise ops: one rule for all that have the trait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir.batching.define import Batched, Rule, align, define_batch
from plait.ir.op import Op, Trait
from plait.ir.types import Dimension


def elementwise_rule(op: Op) -> Any:
    """The rule of an elementwise op: operands brought to one shape."""

    def rule(
        operands: Sequence[Any],
        dims: Sequence[int | None],
        size: Dimension,
        attributes: Mapping[str, Any],
    ) -> Batched:
        aligned, dim = align(operands, dims, size)
        return op(*aligned, **attributes), dim

    return rule


def rule_of(op: Op) -> Rule | None:
    """The rule of an op; None where it has none."""
    if op.batch is None and Trait.ELEMENTWISE in op.traits:
        define_batch(op)(elementwise_rule(op))
    return op.batch
