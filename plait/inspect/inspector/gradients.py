"""Which nodes of a gradient are forward: what the function's own results need; all else is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from plait.ir import Graph, GraphBuilder, Node, Value

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


def joined(forward: Graph, backward: Graph, residuals: Sequence[Any], own: int) -> Graph:
    """Both passes as one graph: its outputs are the function's own, then the cotangents.

    Parameters
    ----------
    forward, backward : Graph
    residuals : sequence of Residual
        Where the first inputs of the backward pass come from.
    own : int
        Number of the function's own outputs.
    """
    builder = GraphBuilder(f"{forward.name} and {backward.name}")
    inputs = [builder.input(v.type, v.name) for v in forward.inputs]
    results = builder.inline(forward, inputs)
    kept = [inputs[r.index] if r.kind == "input" else results[r.index] for r in residuals]
    given = [builder.input(v.type, v.name) for v in backward.inputs[len(residuals) :]]
    return builder.build([*results[:own], *builder.inline(backward, [*kept, *given])])


__all__ = ["BACKWARD", "FORWARD", "forward_nodes", "joined"]
