"""What can be read off a graph: uses, liveness, levels, critical path, a networkx form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Node, Value
from plait.ir.op import Trait
from plait.ir.types import TensorType, Type

if TYPE_CHECKING:
    import networkx

#: Literals up to this size are made once, as they are.
LITERAL_BYTES = 1 << 16


def nested_graphs(graph: Graph) -> tuple[Graph, ...]:
    """The graph and all its regions, each once, regions before the graph that holds them."""
    order: dict[Graph, None] = {}
    opened: set[Graph] = set()
    pending = [graph]
    while pending:
        top = pending[-1]
        if top in opened:
            pending.pop()
            order.setdefault(top)
            continue
        opened.add(top)
        pending += [r for node in reversed(top.nodes) for r in node.regions if r not in opened]
    return tuple(order)


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a value is read: an operand of a node, or an output of the graph.

    Attributes
    ----------
    node : Node or None
        None for an output of the graph.
    index : int
        Position among the operands or outputs.
    """

    node: Node | None
    index: int


def uses(graph: Graph) -> dict[Value, tuple[Use, ...]]:
    """Where each input and result of the graph is read, in program order."""
    found: dict[Value, list[Use]] = {v: [] for v in graph.inputs}
    for node in graph.nodes:
        for i, operand in enumerate(node.operands):
            found[operand].append(Use(node, i))
        for result in node.results:
            found[result] = []
    for i, output in enumerate(graph.outputs):
        found[output].append(Use(None, i))
    return {value: tuple(places) for value, places in found.items()}


@dataclass(frozen=True, slots=True)
class Interval:
    """The life of a value: from the step that makes it to the step that reads it last.

    Attributes
    ----------
    start : int
        Index of the node that makes the value; -1 for an input.
    end : int
        Index of the last node that reads it; the number of nodes for an output; ``start`` for a
        result that nothing reads.
    """

    start: int
    end: int


def liveness(graph: Graph, order: Sequence[Node] | None = None) -> dict[Value, Interval]:
    """When each value lives, in the graph's order of nodes or in another."""
    nodes = graph.nodes if order is None else order
    starts: dict[Value, int] = dict.fromkeys(graph.inputs, -1)
    ends: dict[Value, int] = {}
    for i, node in enumerate(nodes):
        for operand in node.operands:
            ends[operand] = i
        for result in node.results:
            starts[result] = i
    for output in graph.outputs:
        ends[output] = len(nodes)
    return {v: Interval(start, ends.get(v, start)) for v, start in starts.items()}


def live_bytes(graph: Graph, order: Sequence[Node] | None = None) -> tuple[int, ...]:
    """Bytes of all live results while each node runs; inputs and constants are not counted."""
    nodes = graph.nodes if order is None else order
    change = [0] * (len(nodes) + 2)
    for value, life in liveness(graph, nodes).items():
        if value.node is not None and value.node.operands:
            change[life.start] += type_bytes(value.type)
            change[life.end + 1] -= type_bytes(value.type)
    live: list[int] = []
    for step in change[: len(nodes)]:
        live.append((live[-1] if live else 0) + step)
    return tuple(live)


def type_bytes(type_: Type) -> int:
    """Bytes of a value; nothing for tokens, host bytes and symbolic shapes."""
    return type_.nbytes if type(type_) is TensorType and type_.is_static else 0


def spread_literals(graph: Graph) -> frozenset[Node]:
    """Large results of one repeated element that need no memory.

    Their readers are elementwise ops of several operands, whose bits are those that contiguous
    operands give, or outputs, which are copied.
    """
    found = {n for n in graph.nodes if n.op.spread is not None}
    found = {n for n in found if type_bytes(n.results[0].type) > LITERAL_BYTES}
    for node in graph.nodes if found else ():
        op = node.op
        strided = op.has(Trait.ELEMENTWISE) and not op.has(Trait.LAYOUT) and len(node.operands) > 1
        if not strided:
            found.difference_update([v.node for v in node.operands if v.node is not None])
    return frozenset(found)


def is_ordered(graph: Graph, order: Sequence[Node] | None = None) -> bool:
    """Whether each node follows those whose results it reads, and effects keep their order."""
    nodes = graph.nodes if order is None else order
    if order is not None:
        if len(order) != len(graph.nodes) or set(order) != set(graph.nodes):
            return False
        if [n for n in order if n.has_effect] != [n for n in graph.nodes if n.has_effect]:
            return False
    known = set(graph.inputs)
    for node in nodes:
        if not known.issuperset(node.operands):
            return False
        known.update(node.results)
    return known.issuperset(graph.outputs)


def levels(graph: Graph) -> dict[Node, int]:
    """The length of the longest chain of nodes before each node: 0 where none comes before.

    Nodes of one level do not depend on each other through data.
    """
    found: dict[Node, int] = {}
    for node in graph.nodes:
        made_by = [v.node for v in node.operands if v.node is not None]
        found[node] = 1 + max([found[n] for n in made_by], default=-1)
    return found


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of nodes that costs most.

    Attributes
    ----------
    nodes : tuple of Node
    weight : float
        Sum of the weights along the chain.
    total : float
        Sum of the weights of all nodes; ``total / weight`` bounds the parallel speed-up.
    """

    nodes: tuple[Node, ...]
    weight: float
    total: float


def critical_path(graph: Graph, weight: Callable[[Node], float] | None = None) -> CriticalPath:
    """The heaviest chain of dependent nodes.

    Parameters
    ----------
    graph : Graph
    weight : callable, optional
        Weight of a node, at least 0; by default 1 each.
    """
    weights = {n: 1.0 if weight is None else float(weight(n)) for n in graph.nodes}
    reached: dict[Node, float] = {}
    before: dict[Node, Node | None] = {}
    for node in graph.nodes:
        made_by = [v.node for v in node.operands if v.node is not None]
        last = max(made_by, key=reached.__getitem__, default=None)
        before[node] = last
        reached[node] = weights[node] + (reached[last] if last is not None else 0.0)
    end = max(reached, key=reached.__getitem__, default=None)
    top = reached[end] if end is not None else 0.0
    chain: list[Node] = []
    while end is not None:
        chain.append(end)
        end = before[end]
    return CriticalPath(tuple(reversed(chain)), top, sum(weights.values()))


def value_names(graph: Graph) -> dict[Value, str]:
    """The names that the text form gives to the graph's own inputs and results."""
    from plait.ir.text import name_values

    return name_values(graph)


def to_networkx(graph: Graph) -> networkx.MultiDiGraph[Any]:
    """The graph as a ``networkx.MultiDiGraph``.

    Its nodes are the inputs (``Value``), the nodes (``Node``) and, for each output, the tuple
    ``("output", index)``; an edge for each use carries ``value``, ``type`` and ``operand`` (the
    position). Nodes carry ``kind``, ``label`` and, for ops, ``op`` and ``attributes``.
    """
    import networkx

    made: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph(name=graph.name)
    names = value_names(graph)
    for value in graph.inputs:
        made.add_node(value, kind="input", label=f"%{names[value]}: {value.type}")
    for node in graph.nodes:
        made.add_node(
            node, kind="node", label=node.op.name, op=node.op.name, attributes=node.attributes
        )
        for i, operand in enumerate(node.operands):
            _add_edge(made, operand, node, i, names)
    for i, value in enumerate(graph.outputs):
        made.add_node(("output", i), kind="output", label=f"output {i}: {value.type}")
        _add_edge(made, value, ("output", i), i, names)
    return made


def _add_edge(
    made: networkx.MultiDiGraph[Any],
    value: Value,
    target: object,
    index: int,
    names: Mapping[Value, str],
) -> None:
    source: Value | Node | None = value if value.node is None else value.node
    if source is None or source not in made:
        raise GraphError(f"{value!r} is not a value of graph {made.name!r}; verify the graph")
    made.add_edge(source, target, value=value, type=value.type, operand=index, name=names[value])
