"""Cost: FLOPs and bytes of nodes and graphs, loops counted by their trips where known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plait.ir.analysis import nested_graphs, type_bytes
from plait.ir.graph import Graph, Node, Value
from plait.ir.op import Trait, node_flops
from plait.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Cost:
    """Work of a node or a graph.

    Attributes
    ----------
    flops : int
        Floating point (or integer) operations.
    bytes : int
        Bytes read and written, each operand and result once.
    known : bool
        False where a number of trips or a size is not known: a loop then counts as one trip, a
        branch as the dearer one, and a node of unknown size as nothing.
    """

    flops: int = 0
    bytes: int = 0
    known: bool = True

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.flops + other.flops, self.bytes + other.bytes, self.known and other.known)

    def times(self, trips: int) -> Cost:
        """The cost of so many trips."""
        return Cost(self.flops * trips, self.bytes * trips, self.known)


@dataclass(frozen=True, slots=True)
class OpCost:
    """All applications of one op: how many, and their cost together."""

    count: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Report:
    """A graph's cost by op, the trips of loops multiplied out.

    Attributes
    ----------
    total : Cost
    ops : mapping of str to OpCost
        The dearest first.
    """

    total: Cost
    ops: Mapping[str, OpCost]

    def __str__(self) -> str:
        lines = [f"{'op':<24}{'count':>10}{'flops':>16}{'bytes':>16}"]
        for name, one in self.ops.items():
            lines.append(_row(name, one.count, one.cost))
        lines.append(_row("total", sum(o.count for o in self.ops.values()), self.total))
        if not self.total.known:
            lines.append("? holds a loop whose trips, a branch or a size that is not known")
        return "\n".join(lines)


def _row(name: str, count: int, cost: Cost) -> str:
    mark = "" if cost.known else " ?"
    return f"{name:<24}{count:>10}{cost.flops:>16}{cost.bytes:>16}{mark}"


def node_cost(node: Node) -> Cost:
    """The cost of one node, its regions included."""
    inner = {g: cost_report(g) for g in node.regions}
    return _node_table(node, inner).total()


def graph_cost(graph: Graph) -> Cost:
    """The cost of a graph."""
    return cost_report(graph).total


def cost_report(graph: Graph) -> Report:
    """The cost of a graph, op by op.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[8]) -> (f32[8]) { %0: f32[8] = add(%x, %x) return %0 }")
    >>> print(ir.cost_report(graph))
    op                           count           flops           bytes
    add                              1               8              64
    total                            1               8              64
    """
    reports: dict[Graph, Report] = {}
    for inner in nested_graphs(graph):
        table = _Table()
        for node in inner.nodes:
            table.add(_node_table(node, reports))
        reports[inner] = table.report()
    return reports[graph]


@dataclass(slots=True)
class _Table:
    """Costs by op, while they are summed."""

    ops: dict[str, OpCost] = field(default_factory=dict)

    def add(self, other: _Table | Report, trips: int = 1) -> None:
        for name, one in other.ops.items():
            mine = self.ops.get(name, _NOTHING)
            self.ops[name] = OpCost(
                mine.count + one.count * trips, mine.cost + one.cost.times(trips)
            )

    def total(self) -> Cost:
        found = Cost()
        for one in self.ops.values():
            found = found + one.cost
        return found

    def report(self) -> Report:
        order = sorted(self.ops.items(), key=lambda item: (-item[1].cost.flops, item[0]))
        return Report(self.total(), dict(order))


_NOTHING = OpCost(0, Cost())


def _node_table(node: Node, reports: Mapping[Graph, Report]) -> _Table:
    """The cost of a node by op, itself and what its regions do."""
    table = _Table()
    rule = _REGION_RULES.get(node.op.name)
    if rule is not None and node.regions:
        own = Cost(known=rule(node, reports, table))
    else:
        own = _own_cost(node)
        for region in node.regions:
            table.add(reports[region])
    table.add(_Table({node.op.name: OpCost(1, own)}))
    return table


def _own_cost(node: Node) -> Cost:
    """FLOPs and bytes of a node without regions."""
    types = tuple([v.type for v in node.operands])
    results = tuple([v.type for v in node.results])
    known = all(t.is_static for t in (*types, *results) if type(t) is TensorType)
    flops = node_flops(node.op, types, results, node.attributes) if known else 0
    if node.op.view is not None or node.op.has(Trait.CONSTANT) or node.op.has(Trait.BARRIER):
        return Cost(flops, 0, known)
    moved = sum(map(type_bytes, {v: v.type for v in node.operands}.values()))
    return Cost(flops, moved + sum(map(type_bytes, results)), known)


RegionRule = Callable[[Node, Mapping[Graph, Report], _Table], bool]


def _cond_cost(node: Node, reports: Mapping[Graph, Report], table: _Table) -> bool:
    """The dearer branch; known when both cost the same."""
    first, second = (reports[r] for r in node.regions)
    one, other = first.total, second.total
    table.add(first if (one.flops, one.bytes) >= (other.flops, other.bytes) else second)
    return one == other


def _while_cost(node: Node, reports: Mapping[Graph, Report], table: _Table) -> bool:
    """Trips of the body, and one more of the condition."""
    trips = trip_count(node)
    count = 1 if trips is None else trips
    table.add(reports[node.regions[0]], count + 1)
    table.add(reports[node.regions[1]], count)
    return trips is not None


def _scan_cost(node: Node, reports: Mapping[Graph, Report], table: _Table) -> bool:
    length = node.attributes["length"]
    table.add(reports[node.regions[0]], length if type(length) is int else 1)
    return type(length) is int


def _call_cost(node: Node, reports: Mapping[Graph, Report], table: _Table) -> bool:
    """The callee, or the primal function."""
    table.add(reports[node.regions[0]])
    return True


_REGION_RULES: dict[str, RegionRule] = {
    "cond": _cond_cost,
    "while": _while_cost,
    "scan": _scan_cost,
    "call": _call_cost,
    "custom_vjp": _call_cost,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "not_equal": operator.ne,
}
_MIRRORED = {
    "less": "greater",
    "less_equal": "greater_equal",
    "greater": "less",
    "greater_equal": "less_equal",
    "not_equal": "not_equal",
}


def trip_count(node: Node) -> int | None:
    """The trips of a ``while`` that counts from a constant to a constant; None if not known.

    Recognized: the condition compares an integer of the carry with a constant, and the body adds a
    constant to it or subtracts one.
    """
    condition, body = node.regions
    test = condition.outputs[0].node
    if test is None or test.op.name not in _COMPARISONS:
        return None
    left, right = test.operands
    name = test.op.name
    limit = _constant(right, condition, node)
    if limit is None:
        left, right, name = right, left, _MIRRORED[name]
        limit = _constant(right, condition, node)
    place = left.index - node.attributes["num_consts"]
    if limit is None or left.node is not None or place < 0:
        return None
    start = _constant(node.operands[left.index])
    step = _step(body, left.index, place, node)
    if start is None or step is None:
        return None
    return _count(name, start, limit, step)


def _constant(value: Value, region: Graph | None = None, holder: Node | None = None) -> int | None:
    """The integer that a 0-d value always has, seen through the constants of a loop."""
    if value.node is None:
        if region is None or holder is None or value.index >= holder.attributes["num_consts"]:
            return None
        return _constant(holder.operands[value.index])
    node = value.node
    t = value.type
    if not node.op.has(Trait.CONSTANT) or type(t) is not TensorType:
        return None
    if t.shape != () or t.dtype.kind not in "iu":
        return None
    return int(np.asarray(node.op.reference(**node.attributes)))


def _step(body: Graph, index: int, place: int, holder: Node) -> int | None:
    """What the body adds to a carry on each trip."""
    made = body.outputs[place].node
    counter = body.inputs[index]
    if made is None or made.op.name not in ("add", "subtract"):
        return None
    left, right = made.operands
    if left is counter:
        step = _constant(right, body, holder)
        return -step if step is not None and made.op.name == "subtract" else step
    if right is counter and made.op.name == "add":
        return _constant(left, body, holder)
    return None


def _count(name: str, start: int, limit: int, step: int) -> int | None:
    """How often the comparison holds for start, start + step, ...; None if for ever."""
    if not _COMPARISONS[name](start, limit):
        return 0
    distance = limit - start
    if step == 0 or (distance != 0 and (distance > 0) != (step > 0)):
        return None
    if name == "not_equal":
        return distance // step if distance % step == 0 else None
    inclusive = name.endswith("_equal")
    if distance == 0:
        return 1 if (step > 0) == (name == "less_equal") else None
    return distance // step + 1 if inclusive else -(-distance // step)
