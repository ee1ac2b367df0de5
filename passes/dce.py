"""Dead code elimination: drop what no output and no effect needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plait.ir import Graph, Node
from plait.passes.dead_regions import remove_dead_in_regions
from plait.passes.infrastructure import Firing, Pass, register_pass


@register_pass
@dataclass(frozen=True)
class DCE(Pass):
    """Drop unused nodes without effect, and results, carries, operands of regions that are unused.

    Of the results of a region op those go that nothing reads, that are equal to another, or that
    the regions only pass through; of the operands those that no region reads, or that are given
    twice. A carry goes when no result, condition, effect or other live carry needs it; it becomes
    a constant when no trip changes it. Regions that several nodes share stay shared: they keep
    what one of these nodes needs.
    """

    name: ClassVar[str] = "dce"

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph without what is dead; its own inputs and outputs all stay."""
        return remove_dead(graph, firings)


def remove_dead(graph: Graph, firings: list[Firing] | None = None, *, inside: bool = True) -> Graph:
    """The graph without dead nodes; the same object when nothing is dead.

    Parameters
    ----------
    graph : Graph
    firings : list of Firing, optional
        Each dropped node is added as ``"drop"``; what goes at region ops by its own name.
    inside : bool
        Whether to look into regions too.
    """
    if inside and any(node.regions for node in graph.nodes):
        return remove_dead_in_regions(graph, firings)
    live = set(graph.outputs)
    kept: list[Node] = []
    dropped: list[Firing] = []
    for node in reversed(graph.nodes):
        if not live.isdisjoint(node.results) or node.has_effect:
            live.update(node.operands)
            kept.append(node)
        elif firings is not None:
            dropped.append(Firing("drop", node.location))
    if len(kept) == len(graph.nodes):
        return graph
    if firings is not None:
        firings += reversed(dropped)
    return Graph(graph.name, graph.inputs, tuple(reversed(kept)), graph.outputs)
