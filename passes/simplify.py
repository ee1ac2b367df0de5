"""The passes that run rules: canonical forms, CSE, and all the algebra at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from plait.ir import Graph
from plait.passes.dce import remove_dead
from plait.passes.fold import MAX_BYTES, fold_rule
from plait.passes.infrastructure import Firing, Pass, register_pass
from plait.passes.rewriter import Rewriter, RuleSet
from plait.passes.rules import FAMILIES, rule_set


@register_pass
@dataclass(frozen=True)
class Canonicalize(Pass):
    """Write each node in its one canonical form: order of operands, fills."""

    name: ClassVar[str] = "canonicalize"

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph in canonical form."""
        rules = rule_set(("canonical",), exact=True)
        return Rewriter(rules, merge=False, firings=firings).run(graph)


@register_pass
@dataclass(frozen=True)
class CSE(Pass):
    """Compute once what is equal in op, operands, attributes and regions; keep effects."""

    name: ClassVar[str] = "cse"

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph with equal nodes merged."""
        return Rewriter(RuleSet(()), merge=True, firings=firings).run(graph)


@register_pass
@dataclass(frozen=True)
class Simplify(Pass):
    """Run every rule, folding, merging and dropping to a fixed point; ``exact`` keeps every bit.

    ``families`` names families of rules, joined by ``+``.
    """

    name: ClassVar[str] = "simplify"
    families: str = "all"
    exact: bool = True
    max_bytes: int = MAX_BYTES

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The simplified graph, without what became dead at its region ops."""
        rules = _simplify_rules(self.families, self.exact, self.max_bytes)
        while True:
            made = Rewriter(rules, merge=True, firings=firings).run(graph)
            graph = remove_dead(made, firings)
            if graph is made:
                return made


@cache
def _simplify_rules(families: str, exact: bool, max_bytes: int) -> RuleSet:
    names = FAMILIES if families == "all" else tuple([f for f in families.split("+") if f])
    return RuleSet((fold_rule(max_bytes), *rule_set(names, exact=exact).rules))
