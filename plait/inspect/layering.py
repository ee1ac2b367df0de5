"""Layers of a drawing: ranks by longest path, then an order in each layer with few crossings."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from one vertex to another; both are numbered in an order that respects the edges.

    Attributes
    ----------
    source, target : int
        Vertices, ``source < target``.
    source_port, target_port : float
        Where on the vertex the line ends: 0 is the left end, 1 the right one.
    """

    source: int
    target: int
    source_port: float = 0.5
    target_port: float = 0.5


@dataclass(frozen=True, slots=True)
class Layers:
    """Vertices in layers, long edges cut at each layer by a vertex of their own.

    Attributes
    ----------
    layers : tuple of tuple of int
        Vertices from top to bottom, each layer from left to right. Numbers from ``count`` on are
        the bends of long edges.
    edges : tuple of Edge
        The edges given, with their final ports.
    links : tuple of Edge
        Edges between neighboring layers.
    chains : tuple of tuple of int
        For each edge given, the vertices it goes through, its ends included.
    count : int
        Number of the vertices given.
    """

    layers: tuple[tuple[int, ...], ...]
    edges: tuple[Edge, ...]
    links: tuple[Edge, ...]
    chains: tuple[tuple[int, ...], ...]
    count: int


def rank(count: int, edges: Sequence[Edge], bottom: frozenset[int] = frozenset()) -> list[int]:
    """The layer of each vertex: below all its sources, and near its targets if that is shorter.

    Vertices in ``bottom`` go to the last layer.
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for edge in edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    ranks = [0] * count
    for v in range(count):
        ranks[v] = max((ranks[u] + 1 for u in sources[v]), default=0)
    last = max(ranks, default=0)
    for v in bottom:
        ranks[v] = last
    for v in reversed(range(count)):
        if len(set(targets[v]) - bottom) > len(set(sources[v])) or (targets[v] and not sources[v]):
            ranks[v] = min(ranks[t] for t in targets[v]) - 1
    return ranks


def layer(
    count: int,
    edges: Sequence[Edge],
    bottom: frozenset[int] = frozenset(),
    free: frozenset[int] = frozenset(),
) -> Layers:
    """Put vertices into layers, in an order with few crossings; the same for the same graph.

    Lines into vertices of ``free`` (commutative ops) may exchange their ports.
    """
    ranks = rank(count, edges, bottom)
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for v in range(count):
        layers[ranks[v]].append(v)
    chains: list[tuple[int, ...]] = []
    fresh = count
    for edge in edges:
        levels = range(ranks[edge.source] + 1, ranks[edge.target])
        for level in levels:
            layers[level].append(fresh + level - levels.start)
        chains.append((edge.source, *range(fresh, fresh + len(levels)), edge.target))
        fresh += len(levels)
    loose = [replace(e, target_port=0.5) if e.target in free else e for e in edges]
    links = [link for edge, chain in zip(loose, chains, strict=True) for link in _cut(edge, chain)]
    ordered = _order(layers, links, fresh)
    final = _settle(edges, chains, ordered, free)
    links = [link for edge, chain in zip(final, chains, strict=True) for link in _cut(edge, chain)]
    return Layers(tuple(map(tuple, ordered)), tuple(final), tuple(links), tuple(chains), count)


def _cut(edge: Edge, chain: Sequence[int]) -> Iterator[Edge]:
    """The links of an edge from layer to layer."""
    last = len(chain) - 2
    for i, (u, v) in enumerate(pairwise(chain)):
        yield Edge(
            u, v, edge.source_port if i == 0 else 0.5, edge.target_port if i == last else 0.5
        )


def _settle(
    edges: Sequence[Edge],
    chains: Sequence[Sequence[int]],
    layers: Sequence[Sequence[int]],
    free: frozenset[int],
) -> list[Edge]:
    """Give lines into ``free`` vertices their ports from left to right."""
    position = {v: i for one in layers for i, v in enumerate(one)}
    incoming: dict[int, list[int]] = {}
    for i, edge in enumerate(edges):
        if edge.target in free:
            incoming.setdefault(edge.target, []).append(i)
    settled = list(edges)
    for found in incoming.values():
        ports = sorted(edges[i].target_port for i in found)
        found.sort(key=lambda i: (position[chains[i][-2]], settled[i].source_port))
        for i, port in zip(found, ports, strict=True):
            settled[i] = replace(edges[i], target_port=port)
    return settled


def _order(layers: list[list[int]], links: Sequence[Edge], count: int) -> list[list[int]]:
    above: list[list[Edge]] = [[] for _ in range(count)]
    below: list[list[Edge]] = [[] for _ in range(count)]
    for link in links:
        above[link.target].append(link)
        below[link.source].append(link)
    position = [0.0] * count

    def place(layer_: list[int]) -> None:
        for i, v in enumerate(layer_):
            position[v] = float(i)

    for one in layers:
        place(one)
    best, fewest = [list(one) for one in layers], _crossings(layers, below, position)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        downward = sweep % 2 == 0
        for one in layers if downward else reversed(layers):
            keys = {v: _barycenter(v, above if downward else below, position) for v in one}
            one.sort(key=keys.__getitem__)
            place(one)
        _exchange(layers, above, below, position)
        crossings = _crossings(layers, below, position)
        if crossings < fewest:
            best, fewest = [list(one) for one in layers], crossings
    return best


def _barycenter(v: int, neighbors: list[list[Edge]], position: list[float]) -> float:
    found = [
        position[e.source] + e.source_port if e.target == v else position[e.target] + e.target_port
        for e in neighbors[v]
    ]
    return sum(found) / len(found) if found else position[v] + 0.5


def _exchange(
    layers: list[list[int]],
    above: list[list[Edge]],
    below: list[list[Edge]],
    position: list[float],
) -> None:
    """Exchange neighbors in a layer where that uncrosses lines."""
    for one in layers:
        for i in range(len(one) - 1):
            u, v = one[i], one[i + 1]
            if _pair_gain(u, v, above, below, position) > 0:
                one[i], one[i + 1] = v, u
                position[u], position[v] = position[v], position[u]


def _pair_gain(
    u: int, v: int, above: list[list[Edge]], below: list[list[Edge]], position: list[float]
) -> int:
    gain = 0
    for edges, up in ((above, True), (below, False)):
        ends = [
            [
                position[e.source] + e.source_port if up else position[e.target] + e.target_port
                for e in edges[w]
            ]
            for w in (u, v)
        ]
        gain += sum((a > b) - (a < b) for a in ends[0] for b in ends[1])
    return gain


def _crossings(layers: list[list[int]], below: list[list[Edge]], position: list[float]) -> int:
    total = 0
    for one in layers:
        ends = sorted(
            (position[e.source] + e.source_port, position[e.target] + e.target_port)
            for v in one
            for e in below[v]
        )
        seen: list[float] = []
        for _, end in ends:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total
