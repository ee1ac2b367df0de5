"""Runs of nodes that are shown as one box: by function, by iteration, by line, by number.

A run is a stretch of the program order, so that no two boxes depend on each other both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from plait.ir import UNKNOWN, Node

#: A level shows at most about so many boxes.
MOST = 36
#: Up to this many nodes, a graph is shown without groups.
SMALL = 120


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes from ``first`` to before ``last``, and the number of the group that holds them."""

    first: int
    last: int
    label: str
    parent: int = -1


def group_nodes(nodes: Sequence[Node], phases: str = "") -> list[Group]:
    """Groups of a graph's nodes, a holder before what it holds; none when the graph is small.

    Parameters
    ----------
    nodes : sequence of Node
        In program order.
    phases : str
        A character for each node; no group spans two.
    """
    found: list[Group] = []
    if len(nodes) > SMALL:
        _divide(nodes, phases or " " * len(nodes), range(len(nodes)), -1, found, 0)
    return found


def _divide(
    nodes: Sequence[Node],
    phases: str,
    span: range,
    parent: int,
    found: list[Group],
    level: int,
) -> None:
    """Divide a stretch by the first way, from ``level`` on, that gives several runs."""
    if len(span) <= MOST:
        return
    for number in range(level, len(_WAYS)):
        runs = list(_runs(span, _WAYS[number](nodes, phases, span)))
        if len(runs) == 1:
            continue
        bundles = list(_bundle(runs))
        if len(bundles) < len(runs):
            for bundle in bundles:
                inner = range(bundle[0].start, bundle[-1].stop)
                own = _add(nodes, inner, parent, found, len(bundle))
                _divide(nodes, phases, inner, own, found, number)
            return
        for run in runs:
            if len(run) > 1:
                own = _add(nodes, run, parent, found, 1)
                _divide(nodes, phases, run, own, found, number + 1)
        return
    for piece in _pieces(span):
        own = _add(nodes, piece, parent, found, 1)
        _divide(nodes, phases, piece, own, found, len(_WAYS))


Keys = Callable[[Sequence[Node], str, range], list[Hashable]]


def _by_phase(nodes: Sequence[Node], phases: str, span: range) -> list[Hashable]:
    return [phases[i] for i in span]


def _by_function(nodes: Sequence[Node], phases: str, span: range) -> list[Hashable]:
    return [(nodes[i].location.file, nodes[i].location.function) for i in span]


def _by_iteration(nodes: Sequence[Node], phases: str, span: range) -> list[Hashable]:
    """A new run where the lines begin again; backward, where they jump down the page again."""
    lines = [nodes[i].location.line for i in span]
    steps = [(a > b) - (a < b) for a, b in pairwise(lines)]
    rare = 1 if steps.count(1) <= steps.count(-1) else -1
    keys: list[Hashable] = [0]
    count = 0
    for step in steps:
        count += step == rare
        keys.append(count)
    return keys


def _by_line(nodes: Sequence[Node], phases: str, span: range) -> list[Hashable]:
    return [nodes[i].location for i in span]


_WAYS: tuple[Keys, ...] = (_by_phase, _by_function, _by_iteration, _by_line)


def _runs(span: range, keys: Sequence[Hashable]) -> Iterator[range]:
    start = span.start
    for i in range(1, len(span)):
        if keys[i] != keys[i - 1]:
            yield range(start, span.start + i)
            start = span.start + i
    yield range(start, span.stop)


def _bundle(runs: Sequence[range]) -> Iterator[Sequence[range]]:
    """Several runs together where there are more than fit."""
    size = 1
    while -(-len(runs) // size) > MOST:
        size *= 6
    for start in range(0, len(runs), size):
        yield runs[start : start + size]


def _pieces(span: range) -> Iterator[range]:
    size = 12
    while -(-len(span) // size) > MOST:
        size *= 12
    for start in range(span.start, span.stop, size):
        yield range(start, min(start + size, span.stop))


def _add(nodes: Sequence[Node], span: range, parent: int, found: list[Group], runs: int) -> int:
    found.append(Group(span.start, span.stop, _label(nodes, span, runs), parent))
    return len(found) - 1


def _label(nodes: Sequence[Node], span: range, runs: int) -> str:
    """Function and lines, or the numbers of the nodes where they are not known."""
    places = [nodes[i].location for i in span if nodes[i].location != UNKNOWN]
    functions = list(dict.fromkeys([p.function or p.file for p in places]))
    if not functions:
        return f"nodes {span.start} to {span.stop - 1}"
    shown = ", ".join(functions[:3]) + (", …" if len(functions) > 3 else "")
    if len(functions) > 1:
        return f"{shown}: nodes {span.start} to {span.stop - 1}"
    low, high = min(p.line for p in places), max(p.line for p in places)
    lines = f"line {low}" if low == high else f"lines {low} to {high}"
    return f"{shown}, {lines}" + (f", {runs} runs" if runs > 1 else "")


__all__ = ["Group", "group_nodes"]
