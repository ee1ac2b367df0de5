"""Canonical forms: one way to write what can be written in several."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import Node, Trait, Value, is_complex, is_inexact, ops
from plait.passes.rewriter import Rewriter
from plait.passes.rules.match import Rule, is_constant, scalar


def _out_of_order(rewriter: Rewriter, node: Node) -> bool:
    """Whether the second operand belongs first: constants last, else as they are defined."""
    x, y = node.operands
    first, second = is_constant(x), is_constant(y)
    return (first, rewriter.rank(x)) > (second, rewriter.rank(y))


def _commutes_exactly(node: Node) -> bool:
    """Selections (maximum of 0.0 and -0.0) and complex products depend on the order in bits."""
    dtype = node.operands[0].dtype
    selects = Trait.ASSOCIATIVE in node.op.traits
    return not (is_complex(dtype) or (selects and is_inexact(dtype)))


def _order_operands(rewriter: Rewriter, node: Node) -> Value | None:
    if _out_of_order(rewriter, node) and _commutes_exactly(node):
        return rewriter.reorder(node, node.operands[1], node.operands[0])
    return None


MIRRORED = {
    ops.less: ops.greater,
    ops.greater: ops.less,
    ops.less_equal: ops.greater_equal,
    ops.greater_equal: ops.less_equal,
}


def _order_comparison(rewriter: Rewriter, node: Node) -> Value | None:
    if _out_of_order(rewriter, node):
        return rewriter.emit(MIRRORED[node.op], node.operands[1], node.operands[0])
    return None


def is_uniform(array: Any) -> bool:
    """Whether all elements (more than one) have the same bits."""
    if array.size < 2:
        return False
    rows = array.reshape(-1).view(np.uint8).reshape(array.size, -1)
    ends = bool((rows[0] == rows[-1]).all())  # settles most arrays at once
    return ends and bool((rows == rows[0]).all())


def _shrink_constant(rewriter: Rewriter, node: Node) -> Value | None:
    array = node.attributes["value"].array
    if is_uniform(array):
        return rewriter.fill(array.flat[0], node.results[0].type)
    return None


def _shrink_fill(rewriter: Rewriter, node: Node) -> Value | None:
    return rewriter.constant(node.attributes["value"]) if node.attributes["shape"] == () else None


def _move_number(rewriter: Rewriter, node: Node) -> tuple[Value, ...] | None:
    if not all(map(is_constant, node.operands)):
        return None
    numbers = [scalar(v) for v in node.operands]
    first = numbers[0]
    if first is None or any(k is None or not _same_bits(k, first) for k in numbers):
        return None
    return tuple([rewriter.fill(first, r.type) for r in node.results])


def _same_bits(a: Any, b: Any) -> bool:
    return bool(a.dtype == b.dtype and a.tobytes() == b.tobytes())


RULES: tuple[Rule, ...] = (
    Rule("uniform-constant", "[c, c, ...] = full(c)", ops.constant, _shrink_constant),
    Rule("scalar-full", "full(c, ()) = c", ops.full, _shrink_fill),
    Rule("move-number", "move(full(c)) = full(c)", Trait.DATA_MOVEMENT, _move_number),
    Rule("order-operands", "y + x = x + y", Trait.COMMUTATIVE, _order_operands),
    *[
        Rule(f"order-{op.name.replace('_', '-')}", "y < x = x > y", op, _order_comparison)
        for op in MIRRORED
    ],
)
