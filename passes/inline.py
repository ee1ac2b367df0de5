"""Inlining: the body in place of the call, when that pays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from plait.ir import Graph, Node, ops
from plait.passes.infrastructure import Firing, Pass, register_pass
from plait.passes.pipeline import count_nodes
from plait.passes.rewriter import Replacement, Rewriter, Rule, RuleSet
from plait.passes.rules import rules_of


@register_pass
@dataclass(frozen=True)
class Inline(Pass):
    """Replace calls that are small (``max_nodes``) or the only one of their callee by the body.

    A ``cond`` whose predicate is a constant becomes the branch it takes. A ``custom_vjp`` that has
    not been differentiated becomes its primal function. With ``keep_rules``, as in a graph that is
    to be differentiated, it stays, and so do calls that are to be computed again.
    """

    name: ClassVar[str] = "inline"
    max_nodes: int = 32
    keep_rules: bool = False

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph with calls inlined, those inside inlined bodies too."""
        if not _has_regions(graph):
            return graph
        calls: Counter[Graph] = Counter()
        _count_calls(graph, calls, set())
        worth = {
            callee
            for callee, count in calls.items()
            if count == 1 or count_nodes(callee) <= self.max_nodes
        }
        rules = _rules(worth, self.keep_rules)
        return Rewriter(rules, merge=False, firings=firings).run(graph)


def _rules(worth: set[Graph], keep_rules: bool) -> RuleSet:
    def inline_call(rewriter: Rewriter, node: Node) -> Replacement:
        callee = node.regions[0]
        stays = keep_rules and node.attributes.get("remat", False)
        pays = rewriter.source(callee) in worth and not stays
        return rewriter.inline(callee, node.operands) if pays else None

    inline = Rule("inline-call", "call(f, x) = f(x)", ops.call, inline_call)
    primal = () if keep_rules else (_PRIMAL,)
    return RuleSet((inline, *primal, *rules_of("control")))


def _inline_primal(rewriter: Rewriter, node: Node) -> Replacement:
    return rewriter.inline(node.regions[0], node.operands)


_PRIMAL = Rule("inline-primal", "custom_vjp(f, _, _, x) = f(x)", ops.custom_vjp, _inline_primal)


def _has_regions(graph: Graph) -> bool:
    return any(node.regions for node in graph.nodes)


def _count_calls(graph: Graph, calls: Counter[Graph], seen: set[Graph]) -> None:
    """Count the call sites of each callee; a region that is used twice has its sites once."""
    if graph in seen:
        return
    seen.add(graph)
    for node in graph.nodes:
        for region in node.regions:
            if node.op is ops.call:
                calls[region] += 1
            _count_calls(region, calls, seen)
