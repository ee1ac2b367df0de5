"""Graphs as short JSON: texts and places by number, each graph once however often it is shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from plait.inspect.inspector.changes import Pairs
from plait.inspect.inspector.gradients import BACKWARD, FORWARD
from plait.inspect.inspector.grouping import group_nodes
from plait.inspect.inspector.memory import live_bytes, lives_of
from plait.inspect.naming import attribute_texts, shorten, value_names
from plait.inspect.scene import category
from plait.ir import UNKNOWN, ExecutionPlan, Graph, Location, Node, Step, Trait, Value, node_cost

#: Attributes and type texts are cut in the middle beyond this.
MOST_TEXT = 400


class Encoder:
    """Gives numbers to texts, places and graphs.

    Attributes
    ----------
    strings : dict of str to int
    locations : dict of Location to int
    commutative : set of str
        Names of ops whose operands may be exchanged in the drawing.
    graphs : list of dict
        The encoded graphs, each region a graph of its own.
    """

    def __init__(self) -> None:
        self.strings: dict[str, int] = {}
        self.locations: dict[Location, int] = {}
        self.graphs: list[dict[str, Any]] = []
        self.commutative: set[str] = set()
        self._known: dict[tuple[Graph, bool], int] = {}
        self._orders: dict[int, dict[Node, int]] = {}
        self._values: dict[int, dict[Value, int]] = {}

    def string(self, text: str) -> int:
        """The number of a text."""
        return self.strings.setdefault(shorten(text, MOST_TEXT), len(self.strings))

    def location(self, location: Location) -> int:
        """The number of a place; -1 where it is not known."""
        if location == UNKNOWN:
            return -1
        return self.locations.setdefault(location, len(self.locations))

    def graph(
        self,
        graph: Graph,
        plan: ExecutionPlan | None = None,
        forward: Collection[Node] | None = None,
    ) -> int:
        """The number of a graph, which is encoded when it is new.

        Parameters
        ----------
        graph : Graph
        plan : ExecutionPlan, optional
            Its nodes are then in the order of the steps.
        forward : collection of Node, optional
            The nodes of the forward pass, in a gradient.
        """
        key = (graph, plan is not None)
        if key not in self._known:
            regions = {
                r: self.graph(r, plan.plans.get(r) if plan is not None else None)
                for node in graph.nodes
                for r in node.regions
            }
            self._known[key] = len(self.graphs)
            self.graphs.append(self._encode(graph, plan, forward, regions))
        return self._known[key]

    def _encode(
        self,
        graph: Graph,
        plan: ExecutionPlan | None,
        forward: Collection[Node] | None,
        regions: dict[Graph, int],
    ) -> dict[str, Any]:
        names = value_names(graph)
        nodes = _ordered(graph, plan)
        values: dict[Value, int] = {v: i for i, v in enumerate(graph.inputs)}
        for node in nodes:
            values.update({r: len(values) + k for k, r in enumerate(node.results)})
        number = len(self.graphs)
        self._orders[number] = {node: i for i, node in enumerate(nodes)}
        self._values[number] = values
        marks = FORWARD, BACKWARD
        phases = "" if forward is None else "".join([marks[n not in forward] for n in nodes])
        made: dict[str, Any] = {
            "name": graph.name,
            "inputs": [self._typed(v, names) for v in graph.inputs],
            "nodes": [self._node(n, values, names, regions) for n in nodes],
            "outputs": [values[v] for v in graph.outputs],
            "phases": phases,
            "groups": [[g.first, g.last, g.label, g.parent] for g in group_nodes(nodes, phases)],
        }
        if plan is not None:
            made["plan"] = self._plan(plan, number)
        return made

    def _typed(self, value: Value, names: dict[Value, str]) -> list[int]:
        return [self.string(names[value]), self.string(str(value.type))]

    def _node(
        self,
        node: Node,
        values: dict[Value, int],
        names: dict[Value, str],
        regions: dict[Graph, int],
    ) -> list[Any]:
        """Op, class, operands, results, attributes, place, regions, FLOPs, bytes, known."""
        cost = node_cost(node)
        if node.op.has(Trait.COMMUTATIVE):
            self.commutative.add(node.op.name)
        return [
            self.string(node.op.name),
            self.string(category(node)),
            [values[v] for v in node.operands],
            [number for r in node.results for number in self._typed(r, names)],
            self.string(", ".join(attribute_texts(node))),
            self.location(node.location),
            [regions[r] for r in node.regions],
            cost.flops,
            cost.bytes,
            int(cost.known),
        ]

    def pairs(self, pairs: Pairs, before: int, after: int) -> dict[str, Any]:
        """For each node of the second graph its number in the first, or -1; and what differs."""
        old, new = self._orders[before], self._orders[after]
        found = pairs.matching.nodes
        return {
            "before": before,
            "after": after,
            "pairs": [old[found[n]] if n in found else -1 for n in new],
            "changed": {str(new[n]): ", ".join(what) for n, what in pairs.changed.items()},
        }

    def number(self, graph: Graph, planned: bool) -> int:
        """The number of a graph that is encoded."""
        return self._known[graph, planned]

    def _plan(self, plan: ExecutionPlan, graph: int) -> dict[str, Any]:
        lives = lives_of(plan)
        values = self._values[graph]
        return {
            "backend": plan.backend,
            "arena": plan.arena_bytes,
            "peak": plan.peak_bytes,
            "unplanned": plan.unplanned_bytes,
            "slots": [[s.index, s.offset, s.nbytes] for s in plan.slots],
            "lives": [
                [
                    values[life.value],
                    life.slot,
                    life.start,
                    life.end,
                    int(life.in_place),
                    life.bytes,
                ]
                for life in lives
            ],
            "live": live_bytes(lives, len(plan.steps)),
            "steps": [self._step(step, values) for step in plan.steps],
            "aliases": [list(pair) for pair in sorted(plan.aliases.items())],
            "donated": sorted(plan.donated),
            "decisions": [self._decision(d.kind, d.taken, d.reason) for d in plan.decisions],
        }

    def _step(self, step: Step, values: dict[Value, int]) -> list[Any]:
        """Slots (-1 for none), in place of, view of, frees, decisions."""
        return [
            [slot.index if slot is not None else -1 for slot in step.slots],
            -1 if step.in_place_of is None else step.in_place_of,
            -1 if step.view_of is None else step.view_of,
            [values[v] for v in step.frees if v in values],
            [self._decision(d.kind, d.taken, d.reason) for d in step.decisions],
        ]

    def _decision(self, kind: str, taken: bool, reason: str) -> list[int]:
        return [self.string(kind), int(taken), self.string(reason)]


def _ordered(graph: Graph, plan: ExecutionPlan | None) -> Sequence[Node]:
    return graph.nodes if plan is None else [step.node for step in plan.steps]


__all__ = ["Encoder"]
