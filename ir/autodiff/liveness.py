"""What a graph's outputs need: dead nodes dropped, effects too where they have happened already."""

from __future__ import annotations

from collections.abc import Iterable

from plait.ir import ops
from plait.ir.graph import Graph, Node, Value


def live_nodes(graph: Graph, outputs: Iterable[Value], *, effects: bool = True) -> list[Node]:
    """The nodes that some outputs need, in order.

    Parameters
    ----------
    graph : Graph
    outputs : iterable of Value
    effects : bool
        Whether nodes with an effect count as needed.
    """
    needed = set(outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.results) or (effects and node.has_effect):
            needed.update(node.operands)
            kept.append(node)
    kept.reverse()
    return kept


def live_part(
    graph: Graph, outputs: Iterable[Value] | None = None, *, effects: bool = True
) -> Graph:
    """A graph of the same inputs that computes some outputs, all by default, and no more."""
    asked = graph.outputs if outputs is None else tuple(outputs)
    nodes = live_nodes(graph, asked, effects=effects)
    if asked == graph.outputs and len(nodes) == len(graph.nodes):
        return graph
    return Graph(graph.name, graph.inputs, tuple(nodes), asked)


def live_inputs(graph: Graph, outputs: Iterable[Value], *, effects: bool = True) -> set[int]:
    """The inputs that some outputs need."""
    asked = tuple(outputs)
    read = set(asked)
    for node in live_nodes(graph, asked, effects=effects):
        read.update(node.operands)
    return {i for i, v in enumerate(graph.inputs) if v in read}


def num_checks(graph: Graph) -> int:
    """How many checks a graph has, those in its regions too."""
    return sum(node.op is ops.check for node in graph.walk())


__all__ = ["live_inputs", "live_nodes", "live_part", "num_checks"]
