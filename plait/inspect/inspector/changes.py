"""What each stage changed: which node of one graph is which node of the graph before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plait.inspect.comparison import node_changes
from plait.inspect.matching import Matching, match
from plait.ir import Graph, Node, structural_equal


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two graphs whose nodes were matched, and the matched nodes that differ, each with what."""

    before: Graph
    after: Graph
    matching: Matching
    changed: dict[Node, tuple[str, ...]]


def pair(before: Graph, after: Graph) -> Iterator[Pairs]:
    """The pairs of two graphs, then those of the regions of nodes that are the same."""
    found = match(before, after)
    changed: dict[Node, tuple[str, ...]] = {}
    for node in after.nodes:
        other = found.nodes.get(node)
        if other is not None and (what := tuple(node_changes(other, node, found))):
            changed[node] = what
    yield Pairs(before, after, found, changed)
    for node in after.nodes:
        other = found.nodes.get(node)
        if other is None:
            continue
        for a, b in zip(other.regions, node.regions, strict=False):
            if a is not b and not structural_equal(a, b):
                yield from pair(a, b)


__all__ = ["Pairs", "pair"]
