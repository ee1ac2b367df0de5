"""Algebra of control flow: branches that are known."""

from __future__ import annotations

from plait.ir import Node, ops
from plait.passes.rewriter import Replacement, Rewriter
from plait.passes.rules.match import Rule, scalar


def _known_branch(rewriter: Rewriter, node: Node) -> Replacement:
    known = scalar(node.operands[0])
    if known is None:
        return None
    return rewriter.inline(node.regions[0 if known else 1], node.operands[1:])


RULES: tuple[Rule, ...] = (
    Rule("cond-known", "cond(true, f, g, x) = f(x)", ops.cond, _known_branch),
)
