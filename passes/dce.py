"""Dead code elimination: drop what no output and no effect needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plait.ir import Graph, Node, Value
from plait.passes.infrastructure import Firing, Pass, register_pass


@register_pass
@dataclass(frozen=True)
class DCE(Pass):
    """Drop nodes whose results are unused and that have no effect, inside regions too."""

    name: ClassVar[str] = "dce"

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The graph without dead nodes. Inputs and the results of region ops all stay."""
        return remove_dead(graph, firings)


def remove_dead(
    graph: Graph,
    firings: list[Firing] | None = None,
    *,
    inside: bool = True,
    memo: dict[Graph, Graph] | None = None,
) -> Graph:
    """The graph without dead nodes; the same object when none is dead.

    Parameters
    ----------
    graph : Graph
    firings : list of Firing, optional
        Each dropped node is added as ``"drop"``.
    inside : bool
        Whether to look into regions too.
    memo : dict, optional
        Regions that are done already.
    """
    memo = {} if memo is None else memo
    if graph in memo:
        return memo[graph]
    live = set(graph.outputs)
    kept: list[Node] = []
    dropped: list[Firing] = []
    regions_changed = False
    for node in reversed(graph.nodes):
        if not (live.isdisjoint(node.results) and not node.has_effect):
            live.update(node.operands)
            kept.append(node)
            if node.regions and inside:
                cleaned = [remove_dead(r, firings, memo=memo) for r in node.regions]
                regions_changed |= any(
                    a is not b for a, b in zip(cleaned, node.regions, strict=True)
                )
        elif firings is not None:
            dropped.append(Firing("drop", node.location))
    kept.reverse()
    if firings is not None:
        firings += reversed(dropped)
    result = graph
    if regions_changed:
        result = _with_regions(graph, kept, memo)
    elif len(kept) != len(graph.nodes):
        result = Graph(graph.name, graph.inputs, tuple(kept), graph.outputs)
    memo[graph] = memo[result] = result
    return result


def _with_regions(graph: Graph, kept: list[Node], memo: dict[Graph, Graph]) -> Graph:
    """Rebuild the nodes whose regions changed, and those that read their results."""
    renamed: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in kept:
        operands = tuple([renamed.get(v, v) for v in node.operands])
        regions = tuple([memo[r] for r in node.regions])
        if operands != node.operands or regions != node.regions:
            types = tuple([r.type for r in node.results])
            made = Node.make(node.op, operands, node.attributes, regions, node.location, types)
            renamed.update(zip(node.results, made.results, strict=True))
            node = made
        nodes.append(node)
    outputs = tuple([renamed.get(v, v) for v in graph.outputs])
    return Graph(graph.name, graph.inputs, tuple(nodes), outputs)
