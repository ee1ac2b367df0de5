"""Backward graphs made smaller: cotangents that are zero, results that nobody asks for, invariants.

A backward graph is linear in its cotangents: what is computed from zeros only is zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plait.ir import ops
from plait.ir.autodiff.liveness import live_nodes
from plait.ir.autodiff.recomputation import can_recompute, value_bytes
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Node, Value
from plait.ir.literal import Literal
from plait.ir.op import Trait


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A backward graph for the cotangents that are there and those that are asked for.

    Attributes
    ----------
    graph : Graph
        Inputs: the residuals that it reads, then the cotangents that are given.
    residuals, outputs : tuple of int
        Positions in the full backward graph; outputs that are missing are zero.
    """

    graph: Graph
    residuals: tuple[int, ...]
    outputs: tuple[int, ...]


def trim(backward: Graph, given: Sequence[bool], wanted: Sequence[bool]) -> Linear:
    """Specialize a backward graph.

    Parameters
    ----------
    backward : Graph
        Inputs: residuals, then one cotangent for each of ``given``.
    given : sequence of bool
        The cotangents that are not zero.
    wanted : sequence of bool
        The outputs that are asked for.
    """
    first = len(backward.inputs) - len(given)
    builder = GraphBuilder(backward.name)
    mapping: dict[Value, Value | None] = {}
    for value in backward.inputs[:first]:
        mapping[value] = builder.input(value.type, value.name)
    for value, there in zip(backward.inputs[first:], given, strict=True):
        mapping[value] = builder.input(value.type, value.name) if there else None
    late = dependent(backward, backward.inputs[first:])
    live = set(
        live_nodes(backward, [v for v, w in zip(backward.outputs, wanted, strict=True) if w])
    )
    for node in backward.nodes:
        if node in live:
            mapping.update(zip(node.results, _propagate(builder, node, mapping, late), strict=True))
    places = [i for i, v in enumerate(backward.outputs) if wanted[i] and mapping.get(v) is not None]
    full = builder.build([mapping[backward.outputs[i]] for i in places])
    return _without_unused(full, first, tuple(places))


def _propagate(
    builder: GraphBuilder,
    node: Node,
    mapping: Mapping[Value, Value | None],
    late: Collection[Value],
) -> Sequence[Value | None]:
    """The results of a node, of which some operands may be zero."""
    operands = [mapping[v] for v in node.operands]
    if node.op.is_barrier and any(x is not None for x in operands):
        there = tuple([x for x in operands if x is not None])
        types = tuple([x.type for x in there])
        kept = builder.append(node.op, there, node.attributes, (), types, node.location)
        found = iter(kept.results)
        return [None if x is None else next(found) for x in operands]
    if all(x is not None for x in operands):
        return _copied(builder, node, operands)
    if not node.has_effect and all(
        x is None for x, v in zip(operands, node.operands, strict=True) if v in late
    ):
        return [None] * len(node.results)
    if node.op in (ops.add, ops.subtract):
        one, other = operands
        with builder, builder.at(node.location):
            if other is None:
                return [one]
            return [other if node.op is ops.add else ops.negative(other)]
    with builder, builder.at(node.location):
        filled = [
            _zero(v) if x is None else x for x, v in zip(operands, node.operands, strict=True)
        ]
    return _copied(builder, node, filled)


def _zero(value: Value) -> Value:
    made: Value = ops.full(value=Literal(np.zeros((), value.dtype)), shape=value.shape)
    return made


def _copied(builder: GraphBuilder, node: Node, operands: Iterable[Value | None]) -> Sequence[Value]:
    types = tuple([r.type for r in node.results])
    values = tuple([x for x in operands if x is not None])
    made = builder.append(node.op, values, node.attributes, node.regions, types, node.location)
    return made.results


def dependent(graph: Graph, inputs: Iterable[Value]) -> frozenset[Value]:
    """The inputs and what depends on them; a barrier keeps its operands apart."""
    found = set(inputs)
    for node in graph.nodes:
        if node.op.is_barrier:
            pairs = zip(node.operands, node.results, strict=True)
            found.update([r for v, r in pairs if v in found])
        elif not found.isdisjoint(node.operands):
            found.update(node.results)
    return frozenset(found)


def _without_unused(graph: Graph, first: int, outputs: tuple[int, ...]) -> Linear:
    """Drop dead nodes, and those of the first inputs that nothing reads."""
    live = live_nodes(graph, graph.outputs)
    read = {v for n in live for v in n.operands} | set(graph.outputs)
    kept = [i for i, v in enumerate(graph.inputs) if i >= first or v in read]
    builder = GraphBuilder(graph.name)
    mapping: dict[Value, Value] = {}
    for i in kept:
        value = graph.inputs[i]
        mapping[value] = builder.input(value.type, value.name)
    _copy_nodes(builder, live, mapping)
    made = builder.build([mapping[v] for v in graph.outputs])
    return Linear(made, tuple([i for i in kept if i < first]), outputs)


def _copy_nodes(builder: GraphBuilder, nodes: Iterable[Node], mapping: dict[Value, Value]) -> None:
    for node in nodes:
        results = _copied(builder, node, [mapping[v] for v in node.operands])
        mapping.update(zip(node.results, results, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Peeled:
    """A loop's body, and what is the same in each of its trips.

    Attributes
    ----------
    prelude : Graph
        Inputs: the body's constants. Outputs: further constants.
    body : Graph
        Inputs: the constants, the further constants, then the other inputs.
    """

    prelude: Graph
    body: Graph


def peel(body: Graph, num_consts: int) -> Peeled | None:
    """Take out of a loop's body what only reads its constants; None when there is nothing.

    What makes a larger value of a smaller one, a broadcast for example, stays inside.
    """
    consts = body.inputs[:num_consts]
    known = set(consts)
    nodes: list[Node] = []
    for node in body.nodes:
        if known.issuperset(node.operands) and can_recompute(node):
            known.update(node.results)
            nodes.append(node)
    worth = {n for n in nodes if _is_worth_peeling(n)}
    inside = [n for n in body.nodes if n not in worth]
    read = {v for n in inside for v in n.operands} | set(body.outputs)
    moved = [r for n in nodes if n in worth for r in n.results if r in read]
    if not moved:
        return None
    prelude = _part(f"{body.name}_prelude", consts, moved, nodes)
    builder = GraphBuilder(body.name)
    mapping = {v: builder.input(v.type, v.name) for v in consts}
    mapping.update((v, builder.input(v.type, f"invariant{i}")) for i, v in enumerate(moved))
    mapping.update((v, builder.input(v.type, v.name)) for v in body.inputs[num_consts:])
    rest = Graph(body.name, body.inputs, tuple(inside), body.outputs)
    _copy_nodes(builder, live_nodes(rest, rest.outputs), mapping)
    return Peeled(prelude, builder.build([mapping[v] for v in body.outputs]))


def _is_worth_peeling(node: Node) -> bool:
    """Whether the results are not larger than the operands, and take work.

    A transposed matrix does: XLA makes a copy of it in every trip otherwise.
    """
    if node.op.is_constant or node.op.is_barrier:
        return False
    if node.op.has(Trait.DATA_MOVEMENT, Trait.CHEAP) and node.op is not ops.transpose:
        return False
    results = sum(value_bytes(v.type) for v in node.results)
    return results <= sum(value_bytes(v.type) for v in node.operands)


def _part(
    name: str, inputs: tuple[Value, ...], outputs: Sequence[Value], nodes: Sequence[Node]
) -> Graph:
    """A graph of some of the nodes of another."""
    part = Graph(name, inputs, tuple(nodes), tuple(outputs))
    builder = GraphBuilder(name)
    mapping = {v: builder.input(v.type, v.name) for v in inputs}
    _copy_nodes(builder, live_nodes(part, outputs), mapping)
    return builder.build([mapping[v] for v in outputs])


__all__ = ["Linear", "Peeled", "dependent", "peel", "trim"]
