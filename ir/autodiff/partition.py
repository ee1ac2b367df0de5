"""Which values the backward pass gets from the forward pass, and which it computes again.

A minimum cut over bytes (as in AOTAutograd): to save a value costs its bytes, to compute a node
again costs what its work is worth in bytes; inputs and outputs of the forward pass cost nothing.
What the results of the forward pass do not need runs once, wherever it runs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import POLICIES
from plait.ir.autodiff.flow import sink_side
from plait.ir.autodiff.graphs import Joint
from plait.ir.autodiff.liveness import live_nodes
from plait.ir.autodiff.recomputation import (
    can_recompute,
    quiet,
    recomputation_cost,
    value_bytes,
)
from plait.ir.builder import GraphBuilder
from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Node, Value
from plait.ir.location import UNKNOWN, Location

_SOURCE, _SINK = 0, 1
#: What only the backward pass reads is better computed there, from what the forward pass has.
LATER = 1.0625


@dataclass(frozen=True, slots=True)
class Residual:
    """Where the backward graph's input comes from.

    Attributes
    ----------
    kind : {"input", "output", "saved"}
        An input of the forward graph, one of the source graph's outputs, or an output that the
        forward graph has for this.
    index : int
        Position among the forward graph's inputs or outputs.
    """

    kind: str
    index: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that the backward pass reads, for explanations.

    Attributes
    ----------
    kind : {"input", "output", "saved", "recomputed"}
    name : str
        Of the op or input that makes it.
    type : str
    bytes : int
        What it holds in memory for the backward pass: nothing when recomputed.
    location : Location
        The user's line.
    """

    kind: str
    name: str
    type: str
    bytes: int
    location: Location


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A joint graph in two.

    Attributes
    ----------
    forward : Graph
        Inputs: the source graph's. Outputs: the source graph's, then saved values.
    backward : Graph
        Inputs: the residuals, then the joint's cotangents. Outputs: the cotangents of inputs.
    residuals : tuple of Residual
    outputs, inputs : tuple of int
        As of the joint: the outputs whose cotangents are taken, the inputs whose are given.
    num_outputs : int
        Of the source graph.
    choices : tuple of Choice
        What was saved and what is recomputed.
    """

    forward: Graph
    backward: Graph
    residuals: tuple[Residual, ...]
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    num_outputs: int
    choices: tuple[Choice, ...]

    @property
    def saved_bytes(self) -> int:
        """Bytes of the values that only the backward pass keeps alive."""
        return sum(c.bytes for c in self.choices if c.kind == "saved")


def split(
    joint: Joint,
    *,
    free_inputs: Collection[int] | None = None,
    free_outputs: Collection[int] | None = None,
    invariant: Collection[int] = (),
    policy: str | None = None,
) -> Split:
    """Divide a joint graph into a forward and a backward graph.

    Parameters
    ----------
    joint : Joint
    free_inputs, free_outputs : collection of int, optional
        The inputs and outputs of the source graph that the backward pass may read at no cost; all
        by default. In a loop, the carry of each trip is not free.
    invariant : collection of int
        Free inputs that are the same in each trip of a loop: what is computed from these alone is
        never saved. See ``plait.ir.autodiff.linear.peel``.
    policy : {"min-cut", "save-all", "recompute-all"}, optional
        ``"save-all"`` computes nothing twice; ``"recompute-all"`` saves only what it must:
        inputs, and results of effects. By default that of the thread's options, which are
        ``"min-cut"`` unless chosen.

    Raises
    ------
    GraphError
        The policy is unknown, or the backward pass needs something that cannot be kept.
    """
    policy = capacity.current().residuals if policy is None else policy
    if policy not in POLICIES:
        raise GraphError(f"the policy must be one of {', '.join(POLICIES)}, got {policy!r}")
    return _Splitter(joint, free_inputs, free_outputs, invariant, policy).make()


class _Splitter:
    """One run."""

    def __init__(
        self,
        joint: Joint,
        free_inputs: Collection[int] | None,
        free_outputs: Collection[int] | None,
        invariant: Collection[int],
        policy: str,
    ) -> None:
        self.joint, self.policy, graph = joint, policy, joint.graph
        self.primals = graph.inputs[: joint.num_inputs]
        results = graph.outputs[: joint.num_outputs]
        self.cotangents = graph.outputs[joint.num_outputs :]
        self.backward = _dependent(graph, graph.inputs[joint.num_inputs :])
        free = range(joint.num_inputs) if free_inputs is None else free_inputs
        self.free_inputs = {self.primals[i]: i for i in free}
        kept = range(joint.num_outputs) if free_outputs is None else sorted(free_outputs)
        self.free_outputs: dict[Value, int] = {}
        for i in kept:
            if results[i] not in self.backward:
                self.free_outputs.setdefault(results[i], i)
        self.invariant = _invariant(graph, {self.primals[i] for i in invariant})
        self.results = results
        self.early = frozenset(live_nodes(graph, results))

    def make(self) -> Split:
        needed = self._needed()
        behind = self._cut(needed)
        available, again = self._sort_out(behind, needed)
        saved = [v for v in available if self._free(v) is None]
        forward = _part(self.joint.graph, self.primals, (*self.results, *saved), self.backward)
        places = {v: len(self.results) + i for i, v in enumerate(saved)}
        residuals = tuple([self._free(v) or Residual("saved", places[v]) for v in available])
        return Split(
            forward,
            self._backward_graph(available, again),
            residuals,
            self.joint.outputs,
            self.joint.inputs,
            self.joint.num_outputs,
            tuple(self._explain(available, residuals, again)),
        )

    def _free(self, value: Value) -> Residual | None:
        if value in self.free_inputs:
            return Residual("input", self.free_inputs[value])
        if value in self.free_outputs:
            return Residual("output", self.free_outputs[value])
        return None

    def _needed(self) -> dict[Value, None]:
        """What nodes that depend on cotangents read of the rest, in order."""
        graph = self.joint.graph
        live = set(self.cotangents)
        kept: list[Node] = []
        for node in reversed(graph.nodes):
            late = any(v in self.backward for v in node.operands)
            if late and (node.has_effect or not live.isdisjoint(node.results)):
                live.update(node.operands)
                kept.append(node)
        self.late = frozenset(kept)
        read = [v for node in reversed(kept) for v in node.operands]
        return dict.fromkeys(v for v in (*read, *self.cotangents) if v not in self.backward)

    def _cut(self, needed: Iterable[Value]) -> frozenset[Value | Node]:
        """What stands behind the minimum cut: values that are read, nodes that run again."""
        numbers: dict[Value | Node, int] = {}
        edges: dict[tuple[int, int], float] = {}

        def number(item: Value | Node) -> int:
            return numbers.setdefault(item, len(numbers) + 2)

        pending = list(needed)
        for value in pending:
            edges[number(value), _SINK] = math.inf
        seen = set(pending)
        while pending:
            value = pending.pop()
            node = value.node
            cost = self._saving_cost(value)
            if node is None:
                edges[_SOURCE, number(value)] = cost
                continue
            edges[number(node), number(value)] = cost
            edges[_SOURCE, number(node)] = self._recomputation_cost(node)
            for operand in node.operands:
                edges[number(operand), number(node)] = math.inf
                if operand not in seen:
                    seen.add(operand)
                    pending.append(operand)
        behind = sink_side(edges, _SOURCE, _SINK)
        return frozenset([item for item, i in numbers.items() if i in behind])

    def _saving_cost(self, value: Value) -> float:
        if self._free(value) is not None:
            return 0.0
        if value.node is not None and value.node.op.is_barrier:
            return math.inf
        size = value_bytes(value.type)
        return size if value.node is None or value.node in self.early else LATER * size

    def _recomputation_cost(self, node: Node) -> float:
        if not can_recompute(node):
            return math.inf
        if node not in self.early:
            return 0.0
        if node in self.invariant or self.policy == "recompute-all":
            return 0.0
        if self.policy == "save-all" and not (node.op.is_constant or node.op.is_barrier):
            return math.inf
        return recomputation_cost(node)

    def _sort_out(
        self, behind: frozenset[Value | Node], needed: Mapping[Value, None]
    ) -> tuple[list[Value], frozenset[Node]]:
        """The values that the backward graph takes, in order, and the nodes it computes again."""
        graph = self.joint.graph
        again = frozenset([n for n in graph.nodes if n in behind])
        read = set(needed)
        for node in again:
            read.update(node.operands)
        order = [*self.primals, *[r for n in graph.nodes if n not in again for r in n.results]]
        return [v for v in order if v in read and v not in self.backward], again

    def _backward_graph(self, available: list[Value], again: frozenset[Node]) -> Graph:
        joint = self.joint
        builder = GraphBuilder(f"{joint.graph.name}_backward")
        mapping: dict[Value, Value] = {}
        for value in available:
            mapping[value] = builder.input(value.type, f"residual{len(mapping)}")
        for value in joint.graph.inputs[joint.num_inputs :]:
            mapping[value] = builder.input(value.type, value.name)
        for node in joint.graph.nodes:
            if node in again or node in self.late:
                regions = tuple(map(quiet, node.regions)) if node in again else node.regions
                operands = tuple([mapping[v] for v in node.operands])
                types = tuple([r.type for r in node.results])
                made = builder.append(
                    node.op, operands, node.attributes, regions, types, node.location
                )
                mapping.update(zip(node.results, made.results, strict=True))
        return builder.build([mapping[v] for v in self.cotangents])

    def _explain(
        self, available: list[Value], residuals: tuple[Residual, ...], again: frozenset[Node]
    ) -> Iterable[Choice]:
        for value, residual in zip(available, residuals, strict=True):
            name = value.node.op.name if value.node is not None else value.name
            location = value.node.location if value.node is not None else UNKNOWN
            size = int(value_bytes(value.type))
            yield Choice(residual.kind, name, str(value.type), size, location)
        for node in self.joint.graph.nodes:
            if node in again and node in self.early:
                for result in node.results:
                    yield Choice("recomputed", node.op.name, str(result.type), 0, node.location)


def _dependent(graph: Graph, inputs: Iterable[Value]) -> frozenset[Value]:
    """The inputs and what depends on them."""
    found = set(inputs)
    for node in graph.nodes:
        if not found.isdisjoint(node.operands):
            found.update(node.results)
    return frozenset(found)


def _invariant(graph: Graph, inputs: Collection[Value]) -> frozenset[Node]:
    """The nodes that read nothing but the inputs, and what is computed from them."""
    known = set(inputs)
    found: set[Node] = set()
    for node in graph.nodes:
        if known.issuperset(node.operands) and can_recompute(node):
            known.update(node.results)
            found.add(node)
    return frozenset(found)


def _part(
    graph: Graph, inputs: tuple[Value, ...], outputs: tuple[Value, ...], without: Collection[Value]
) -> Graph:
    """The nodes that the outputs need, and the effects that do not depend on cotangents."""
    live = set(outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        early = not any(v in without for v in node.operands)
        if early and (node.has_effect or not live.isdisjoint(node.results)):
            live.update(node.operands)
            kept.append(node)
    return Graph(f"{graph.name}_forward", inputs, tuple(reversed(kept)), outputs)


__all__ = ["POLICIES", "Choice", "Residual", "Split", "split"]
