"""Which nodes of a gradient are forward: what the function's own results need; all else is not."""

from __future__ import annotations

from collections.abc import Iterable

from plait.ir import Graph, Node, Value

FORWARD, BACKWARD = "f", "b"


def forward_nodes(graph: Graph, outputs: Iterable[int]) -> set[Node]:
    """The nodes that some outputs depend on, and those with effects."""
    found: set[Node] = {node for node in graph.nodes if node.has_effect}
    pending: list[Value] = [graph.outputs[i] for i in outputs]
    pending += [v for node in found for v in node.operands]
    while pending:
        node = pending.pop().node
        if node is not None and node not in found:
            found.add(node)
            pending += node.operands
    return found


__all__ = ["BACKWARD", "FORWARD", "forward_nodes"]
