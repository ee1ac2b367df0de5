"""Constant folding: evaluate by the reference what is known while compiling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from plait.ir import Graph, Literal, Node, TensorType, Trait, Value, ops
from plait.passes.infrastructure import Firing, Pass, register_pass
from plait.passes.rewriter import Rewriter, Rule, RuleSet
from plait.passes.rules import rules_of
from plait.passes.rules.match import is_constant, scalar

#: Bytes of a folded result, at most.
MAX_BYTES = 65536
#: Operations that folding one node may cost, at most.
MAX_FLOPS = 50_000_000
#: Traits of ops that are left to the run.
LEFT = frozenset((Trait.EFFECT, Trait.BARRIER, Trait.REGION, Trait.HOST))


@register_pass
@dataclass(frozen=True)
class Fold(Pass):
    """Evaluate nodes whose operands are constants, up to ``max_bytes`` of result."""

    name: ClassVar[str] = "fold"
    max_bytes: int = MAX_BYTES

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph with constants for what could be evaluated."""
        return Rewriter(_rules(self.max_bytes), merge=False, firings=firings).run(graph)


@cache
def _rules(max_bytes: int) -> RuleSet:
    moves = [r for r in rules_of("canonical") if r.name in ("uniform-constant", "scalar-full")]
    return RuleSet((*moves, fold_rule(max_bytes)))


def fold_rule(max_bytes: int) -> Rule:
    """The rule that evaluates a node of constants."""

    def build(rewriter: Rewriter, node: Node) -> tuple[Value, ...] | None:
        for value in node.operands:
            if not is_constant(value):
                return None
        if not node.operands:
            return None
        if not LEFT.isdisjoint(node.op.traits):
            return None
        if Trait.ELEMENTWISE in node.op.traits:
            found = _fold_number(rewriter, node)
            if found is not None:
                return found
        return _fold_arrays(rewriter, node) if _is_small(node, max_bytes) else None

    return Rule("fold", "op(constants) = constant", None, build)


def _fold_number(rewriter: Rewriter, node: Node) -> tuple[Value, ...] | None:
    """An elementwise op of numbers that fill their shapes: evaluated once."""
    numbers = [scalar(v) for v in node.operands]
    if any(k is None for k in numbers):
        return None
    results = _evaluate(node, [k.reshape(1) for k in numbers if k is not None])
    if results is None or len(results) != len(node.results):
        return None
    return tuple([rewriter.fill(a[0], r.type) for a, r in zip(results, node.results, strict=True)])


def _fold_arrays(rewriter: Rewriter, node: Node) -> tuple[Value, ...] | None:
    arrays = [constant_array(v.node) for v in node.operands if v.node is not None]
    results = _evaluate(node, arrays)
    if results is None:
        return None
    return tuple(
        [
            rewriter.emit(ops.constant, value=Literal(np.asarray(a, r.dtype)))
            for a, r in zip(results, node.results, strict=True)
        ]
    )


def constant_array(node: Node) -> Any:
    """The array that a constant node stands for."""
    return node.op.reference(**node.attributes)


def _evaluate(node: Node, arrays: list[Any]) -> tuple[Any, ...] | None:
    """The reference's results; None when it raises, so that the run can say so at its line."""
    try:
        with np.errstate(all="ignore"):
            found = node.op.reference(*arrays, **node.attributes)
    except Exception:
        return None
    return tuple([np.asarray(a) for a in (found if type(found) is tuple else (found,))])


def _is_small(node: Node, max_bytes: int) -> bool:
    types = [v.type for v in (*node.operands, *node.results)]
    if not all(type(t) is TensorType and t.is_static for t in types):
        return False
    operand_bytes = sum(v.tensor_type.nbytes for v in node.operands)
    result_bytes = sum(v.tensor_type.nbytes for v in node.results)
    if result_bytes > max_bytes or operand_bytes > 16 * max_bytes:
        return False
    if node.op.view is not None and result_bytes > operand_bytes:
        return False  # a view costs nothing at run time, its copy does
    if node.op.flops is None:
        return True
    operands = tuple([v.type for v in node.operands])
    results = tuple([v.type for v in node.results])
    return node.op.flops(operands, results, **node.attributes) <= MAX_FLOPS
