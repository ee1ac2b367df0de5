"""Gradients of whole graphs: the nodes applied again under a recording, then the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plait.ir import dispatch
from plait.ir.autodiff.recording import INEXACT, Recording
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Value
from plait.ir.types import TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A graph that also computes cotangents.

    Attributes
    ----------
    graph : Graph
        Inputs: those of the source graph, then the cotangents of ``outputs``. Outputs: those of
        the source graph, then the cotangents of ``inputs``.
    num_inputs, num_outputs : int
        Of the source graph.
    outputs : tuple of int
        The outputs of the source graph that have a cotangent among the inputs.
    inputs : tuple of int
        The inputs of the source graph that have a cotangent among the outputs.
    """

    graph: Graph
    num_inputs: int
    num_outputs: int
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]


def replay(graph: Graph, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Apply the nodes of a graph by the strict emitters; gives its outputs.

    Parameters
    ----------
    graph : Graph
    arguments : sequence of payload
        One for each input.
    """
    builder = dispatch.current()
    held: dict[Value, Any] = dict(zip(graph.inputs, arguments, strict=True))
    for node in graph.nodes:
        operands = [held[v] for v in node.operands]
        if isinstance(builder, GraphBuilder):
            with builder.at(node.location):
                found = node.op(*operands, regions=node.regions, **node.attributes)
        else:
            found = node.op(*operands, regions=node.regions, **node.attributes)
        results = found if type(found) is tuple else (found,)
        held.update(zip(node.results, results, strict=False))
    return tuple([held[v] for v in graph.outputs])


def joint(graph: Graph, inputs: Sequence[int], outputs: Sequence[int] | None = None) -> Joint:
    """The graph together with the cotangents of some inputs.

    Parameters
    ----------
    graph : Graph
    inputs : sequence of int
        The inputs that are differentiated with respect to; those that are not inexact, or that no
        output depends on, get no cotangent.
    outputs : sequence of int, optional
        The outputs whose cotangents are given; all by default. Those that do not depend smoothly
        on any of the inputs have none.
    """
    builder = GraphBuilder(graph.name)
    with dispatch.suspended(), builder:
        values = [builder.input(v.type, v.name) for v in graph.inputs]
        recording = Recording()
        for i in inputs:
            if is_differentiable(values[i]):
                recording.watch(values[i])
        with recording.recording():
            results = replay(graph, values)
        asked = range(len(results)) if outputs is None else outputs
        watched = [n for i in inputs if (n := recording.number(values[i])) is not None]
        reached = recording.reached(watched)
        given = [i for i in asked if recording.number(results[i]) in reached]
        cotangents = [builder.input(results[i].type, f"cotangent{i}") for i in given]
        found = recording.pullback(
            [results[i] for i in given], cotangents, [values[i] for i in inputs]
        )
        pairs = [(i, x) for i, x in zip(inputs, found, strict=True) if x is not None]
        made = builder.build([*results, *[x for _, x in pairs]])
    return Joint(
        made, len(graph.inputs), len(graph.outputs), tuple(given), tuple([i for i, _ in pairs])
    )


def is_differentiable(value: Value) -> bool:
    """Whether a value is a tensor of a floating or complex dtype."""
    return type(value.type) is TensorType and value.type.dtype in INEXACT


__all__ = ["Joint", "is_differentiable", "joint", "replay"]
