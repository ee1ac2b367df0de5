"""What differs between two graphs: nodes that are gone, new, or changed, as records and as text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plait.inspect.matching import Matching, match
from plait.inspect.naming import attribute_texts, node_line, value_names
from plait.ir import UNKNOWN, Graph, Node, Value, structural_equal

RED, GREEN, DIM, RESET = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class GraphChange:
    """One difference.

    Attributes
    ----------
    kind : str
        ``"removed"``, ``"added"``, ``"changed"``, ``"inputs"``, ``"outputs"`` or ``"order"``.
    before, after : str
        The node in the first and in the second graph, as in the text form; empty where there is
        none.
    what : tuple of str
        What differs about a changed node: ``"op"``, ``"operands"``, ``"attributes"``, ``"type"``,
        ``"regions"``.
    region : tuple of str
        In which regions, outermost first.
    location : str
        The user's line.
    """

    kind: str
    before: str = ""
    after: str = ""
    what: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    location: str = ""


@dataclass(frozen=True, slots=True)
class GraphDifference:
    """What differs between two graphs.

    Attributes
    ----------
    before, after : str
        Names of the two.
    equal : int
        Number of nodes that both have.
    changes : tuple of GraphChange
        In the order of the second graph; what is gone stands before what followed it.
    """

    before: str
    after: str
    equal: int
    changes: tuple[GraphChange, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the graphs compute the same in the same way."""
        return not self.changes

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        made = asdict(self)
        made["changes"] = [
            {k: list(v) if isinstance(v, tuple) else v for k, v in change.items()}
            for change in made["changes"]
        ]
        return {"format": "plait.diff", "version": 1, "is_equal": self.is_equal, **made}

    def as_text(self, color: bool = False) -> str:
        """A line for each node that is gone (``-``) or new (``+``); two for a changed one."""
        if not self.changes:
            return f"equal: {_counted(self.equal)}"
        lines = [f"--- {self.before}", f"+++ {self.after}", f"  {_counted(self.equal)} equal"]
        region: tuple[str, ...] = ()
        for change in self.changes:
            if change.region != region:
                region = change.region
                lines.append(f"@@ {' / '.join(region) or 'outside of regions'} @@")
            lines += _change_lines(change)
        return "\n".join([_colored(line) for line in lines] if color else lines)

    def __str__(self) -> str:
        return self.as_text()


def _counted(nodes: int) -> str:
    return f"{nodes} node{'' if nodes == 1 else 's'}"


def _change_lines(change: GraphChange) -> list[str]:
    if change.kind == "order":
        return ["  the order of the nodes differs"]
    title = f"  {change.kind}:" if change.kind in ("inputs", "outputs") else ""
    what = f"  # {', '.join(change.what)} changed" if change.what else ""
    where = f"   @ {change.location}" if change.location else ""
    lines = [title] if title else []
    if change.before:
        lines.append(f"- {change.before}{where}")
    if change.after:
        lines.append(f"+ {change.after}{where}{what}")
    return lines


def _colored(line: str) -> str:
    color = {"-": RED, "+": GREEN, "@": DIM}.get(line[:1])
    return f"{color}{line}{RESET}" if color else line


def compare(
    before: Graph, after: Graph, names: tuple[str, str] = ("before", "after")
) -> GraphDifference:
    """Compare two graphs by their structure; names of values and lines do not count.

    Parameters
    ----------
    before, after : Graph
    names : tuple of str
        What to call them.

    Examples
    --------
    >>> from plait import inspect, ir
    >>> f = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> g = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = exp(%x) return %0 }")
    >>> [(change.kind, change.after) for change in inspect.compare(f, g).changes]
    [('changed', '%0: f32[2] = exp(%x)')]
    """
    if structural_equal(before, after):
        return GraphDifference(*names, len(before.nodes), ())
    equal, changes = _compare(before, after, ())
    return GraphDifference(*names, equal, tuple(changes) or (GraphChange("order"),))


def _compare(before: Graph, after: Graph, region: tuple[str, ...]) -> tuple[int, list[GraphChange]]:
    """How many nodes are equal, and the differences."""
    found = match(before, after)
    old, new = value_names(before), value_names(after)
    changes = list(_heads(before, after, region))
    equal = 0
    gone = _Gone(before, found, old, region)
    for node, stop in zip(after.nodes, _stops(before, after, found), strict=True):
        changes += gone.until(stop)
        other = found.nodes.get(node)
        if other is None:
            line = node_line(node, new)
            changes.append(GraphChange("added", "", line, (), region, _where(node)))
            continue
        what = tuple(node_changes(other, node, found))
        equal += not what
        if set(what) - {"regions"}:
            lines = node_line(other, old), node_line(node, new)
            changes.append(GraphChange("changed", *lines, what, region, _where(node)))
        if "regions" in what:
            changes += _inner(other, node, region)
    changes += gone.until(len(before.nodes))
    changes += _tails(before, after, found, region)
    return equal, changes


class _Gone:
    """The nodes of the first graph that the second one lacks, in order."""

    def __init__(
        self, before: Graph, found: Matching, names: Mapping[Value, str], region: tuple[str, ...]
    ) -> None:
        partners = set(found.nodes.values())
        self._nodes = deque([(i, n) for i, n in enumerate(before.nodes) if n not in partners])
        self._names, self._region = names, region

    def until(self, stop: int) -> Iterator[GraphChange]:
        """Those before a place."""
        while self._nodes and self._nodes[0][0] < stop:
            _, node = self._nodes.popleft()
            line = node_line(node, self._names)
            yield GraphChange("removed", line, "", (), self._region, _where(node))


def _stops(before: Graph, after: Graph, found: Matching) -> list[int]:
    """For each node of the second graph, the place in the first of the next one that matches."""
    place = {n: i for i, n in enumerate(before.nodes)}
    stops, stop = [], len(before.nodes)
    for node in reversed(after.nodes):
        if node in found.nodes:
            stop = place[found.nodes[node]]
        stops.append(stop)
    return stops[::-1]


def _where(node: Node) -> str:
    return f"{node.location.file}:{node.location.line}" if node.location != UNKNOWN else ""


def node_changes(before: Node, after: Node, found: Matching) -> Iterator[str]:
    """What differs between two nodes that match."""
    if before.op is not after.op:
        yield "op"
    if tuple([found.values.get(v) for v in after.operands]) != before.operands:
        yield "operands"
    if attribute_texts(before) != attribute_texts(after) or before.attributes != after.attributes:
        yield "attributes"
    if [r.type for r in before.results] != [r.type for r in after.results]:
        yield "type"
    pairs = zip(before.regions, after.regions, strict=False)
    if not all(structural_equal(a, b) for a, b in pairs):
        yield "regions"


def _inner(before: Node, after: Node, region: tuple[str, ...]) -> list[GraphChange]:
    """The differences in the regions of two nodes."""
    changes: list[GraphChange] = []
    for a, b in zip(before.regions, after.regions, strict=False):
        inner = (*region, f"{after.op.name} {b.name}")
        found = [] if structural_equal(a, b) else _compare(a, b, inner)[1]
        changes += found
        if not found and not structural_equal(a, b):
            changes.append(GraphChange("order", region=inner))
    return changes


def _heads(before: Graph, after: Graph, region: tuple[str, ...]) -> Iterator[GraphChange]:
    """Inputs that differ in type or number."""
    if before.input_types != after.input_types:
        old, new = value_names(before), value_names(after)
        texts = [
            ", ".join([f"{names[v]}: {v.type}" for v in graph.inputs]) or "none"
            for graph, names in ((before, old), (after, new))
        ]
        yield GraphChange("inputs", texts[0], texts[1], (), region)


def _tails(
    before: Graph, after: Graph, found: Matching, region: tuple[str, ...]
) -> Iterator[GraphChange]:
    """Outputs that are other values."""
    if tuple([found.values.get(v) for v in after.outputs]) != before.outputs:
        old, new = value_names(before), value_names(after)
        texts = [
            ", ".join([names[v] for v in graph.outputs]) or "none"
            for graph, names in ((before, old), (after, new))
        ]
        yield GraphChange("outputs", texts[0], texts[1], (), region)


__all__ = ["GraphChange", "GraphDifference", "compare", "node_changes"]
