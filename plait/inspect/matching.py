"""Which nodes of two graphs are the same: by what they compute, then by op and line."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from plait.ir import Graph, Node, Value, attribute_key, structural_digest

Key = Hashable


@dataclass(slots=True)
class Matching:
    """The pairs of two graphs.

    Attributes
    ----------
    nodes : dict of Node to Node
        From the second graph's to the first's.
    values : dict of Value to Value
        Likewise, inputs included.
    """

    nodes: dict[Node, Node] = field(default_factory=dict)
    values: dict[Value, Value] = field(default_factory=dict)

    def add(self, before: Node, after: Node) -> None:
        """Let two nodes be the same."""
        self.nodes[after] = before
        self.values.update(zip(after.results, before.results, strict=False))


def match(before: Graph, after: Graph) -> Matching:
    """Match the nodes of two graphs.

    First those that compute the same from the same values; then, in order, those that would but
    for some operand, or that stand in the place of another; then those of one op at one line of
    the user's. Inputs match by position.
    """
    found = Matching()
    found.values.update(zip(after.inputs, before.inputs, strict=False))
    _match_equal(before, after, found)
    _match_alike(before, after, found)
    return found


def _match_equal(before: Graph, after: Graph, found: Matching) -> None:
    """Match nodes of which everything up to the inputs is equal."""
    known: dict[Key, deque[Node]] = defaultdict(deque)
    numbers: dict[Key, int] = {}
    for node, key in _whole_keys(before, numbers).items():
        known[key].append(node)
    for node, key in _whole_keys(after, numbers).items():
        if known[key]:
            found.add(known[key].popleft(), node)


def _whole_keys(graph: Graph, numbers: dict[Key, int]) -> dict[Node, int]:
    """A number for each node: equal for equal ops on equal values, in both graphs."""
    values: dict[Value, Key] = {v: (i, str(v.type)) for i, v in enumerate(graph.inputs)}
    found: dict[Node, int] = {}
    for node in graph.nodes:
        key = (own_key(node), tuple([values[v] for v in node.operands]))
        found[node] = number = numbers.setdefault(key, len(numbers))
        values.update({r: (number, k, "result") for k, r in enumerate(node.results)})
    return found


def own_key(node: Node) -> Key:
    """What a node is, its operands left out."""
    attributes = tuple([(k, attribute_key(v)) for k, v in sorted(node.attributes.items())])
    regions = tuple([structural_digest(r) for r in node.regions])
    return node.op.name, attributes, regions, _types(node)


def _line(node: Node) -> Key:
    """The user's line; the function is that of the graph, whose name does not count."""
    return node.location.file, node.location.line


def _types(node: Node) -> Key:
    return tuple([str(r.type) for r in node.results])


def _match_alike(before: Graph, after: Graph, found: Matching) -> None:
    """Match what is left, in order of the second graph."""
    taken = set(found.nodes.values())
    left = [n for n in before.nodes if n not in taken]
    exact = _Waiting(left, lambda n: (own_key(n), n.operands))
    alike = _Waiting(left, lambda n: (own_key(n), _line(n)))
    instead = _Waiting(left, lambda n: (n.operands, _line(n), _types(n)))
    rest: list[Node] = []
    for node in after.nodes:
        if node in found.nodes:
            continue
        operands = tuple([found.values.get(v) for v in node.operands])
        other = exact.take((own_key(node), operands), taken)
        other = other or alike.take((own_key(node), _line(node)), taken)
        other = other or instead.take((operands, _line(node), _types(node)), taken)
        if other is not None:
            found.add(other, node)
        else:
            rest.append(node)
    last: tuple[Callable[[Node], Key], ...] = (lambda n: (n.op.name, _line(n)), own_key)
    for key_of in last:
        waiting = _Waiting(left, key_of)
        for node in rest:
            known = waiting.take(key_of(node), taken) if node not in found.nodes else None
            if known is not None:
                found.add(known, node)


class _Waiting:
    """Nodes that are not matched yet, by a key, in order."""

    def __init__(self, nodes: list[Node], key_of: Callable[[Node], Key]) -> None:
        self._nodes: dict[Key, deque[Node]] = defaultdict(deque)
        for node in nodes:
            self._nodes[key_of(node)].append(node)

    def take(self, key: Key, taken: set[Node]) -> Node | None:
        """The first one of a key, which is then taken."""
        waiting = self._nodes.get(key, deque())
        while waiting:
            node = waiting.popleft()
            if node not in taken:
                taken.add(node)
                return node
        return None


__all__ = ["Matching", "match", "own_key"]
