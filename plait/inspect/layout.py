"""Places for the boxes and lines of a layered drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from plait.inspect.layering import Edge, Layers, layer

BEND_WIDTH = 4.0
BOX_GAP = 18.0
BEND_GAP = 11.0
LAYER_GAP = 30.0
SWEEPS = 30

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes.

    Attributes
    ----------
    corners : tuple of (float, float)
        The upper left corner of each box.
    routes : tuple of tuple of (float, float)
        Points of each edge, from its source down to its target. Two points in a row with the same
        x are joined by a straight line.
    width, height : float
        Size of the whole.
    """

    corners: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def lay_out(
    sizes: Sequence[Point],
    edges: Sequence[Edge],
    bottom: frozenset[int] = frozenset(),
    free: frozenset[int] = frozenset(),
) -> Layout:
    """Place boxes of the given sizes in layers, from top to bottom along the edges.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Width and height of each box, numbered in an order that respects the edges.
    edges : sequence of Edge
    bottom : frozenset of int
        Boxes for the last layer.
    free : frozenset of int
        Boxes whose incoming lines may exchange their ends.
    """
    layers = layer(len(sizes), edges, bottom, free)
    widths = [w for w, _ in sizes]
    bends = sum(len(chain) - 2 for chain in layers.chains)
    widths += [BEND_WIDTH] * bends
    centers = _centers(layers, widths)
    left = min((c - w / 2 for c, w in zip(centers, widths, strict=True)), default=0.0)
    centers = [round(c - left, 1) for c in centers]
    tops, heights = _tops(layers, sizes, centers, widths)
    level = {v: i for i, one in enumerate(layers.layers) for v in one}
    corners = tuple(
        [(round(centers[v] - sizes[v][0] / 2, 1), tops[level[v]]) for v in range(len(sizes))]
    )
    routes = [
        _route(
            edge,
            chain,
            corners,
            sizes,
            centers,
            [(tops[level[v]], heights[level[v]]) for v in chain],
        )
        for edge, chain in zip(layers.edges, layers.chains, strict=True)
    ]
    right = max((c + w / 2 for c, w in zip(centers, widths, strict=True)), default=0.0)
    height = tops[-1] + heights[-1] if tops else 0.0
    return Layout(corners, tuple(routes), right, height)


def _tops(
    layers: Layers, sizes: Sequence[Point], centers: Sequence[float], widths: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Top and height of each layer; lines that go far to the side get more room below."""
    heights = [
        max((sizes[v][1] for v in one if v < layers.count), default=0.0) for one in layers.layers
    ]
    level = {v: i for i, one in enumerate(layers.layers) for v in one}
    spans = [0.0] * len(heights)
    for link in layers.links:
        start = centers[link.source] + (link.source_port - 0.5) * widths[link.source]
        end = centers[link.target] + (link.target_port - 0.5) * widths[link.target]
        spans[level[link.source]] = max(spans[level[link.source]], abs(end - start))
    tops, y = [], 0.0
    for height, span in zip(heights, spans, strict=True):
        tops.append(round(y, 1))
        y += height + LAYER_GAP + min(span * 0.06, 40.0)
    return tops, heights


def _route(
    edge: Edge,
    chain: Sequence[int],
    corners: Sequence[Point],
    sizes: Sequence[Point],
    centers: Sequence[float],
    bands: Sequence[Point],
) -> tuple[Point, ...]:
    (x, y), (width, height) = corners[edge.source], sizes[edge.source]
    start = round(x + width * edge.source_port, 1)
    points = [(start, y + height)]
    if height < bands[0][1]:
        points.append((start, bands[0][0] + bands[0][1]))
    for v, (top, band) in zip(chain[1:-1], bands[1:-1], strict=True):
        points += [(centers[v], top), (centers[v], top + band)]
    (x, y), (width, _) = corners[edge.target], sizes[edge.target]
    points.append((round(x + width * edge.target_port, 1), y))
    return tuple(points)


def _centers(layers: Layers, widths: Sequence[float]) -> list[float]:
    """Centers such that lines are short and straight: isotonic regression, layer by layer."""
    pulls: list[list[tuple[int, float, float]]] = [[] for _ in widths]
    above: list[list[tuple[int, float, float]]] = [[] for _ in widths]
    below: list[list[tuple[int, float, float]]] = [[] for _ in widths]
    for link in layers.links:
        u, v = link.source, link.target
        shift = (link.source_port - 0.5) * widths[u] - (link.target_port - 0.5) * widths[v]
        weight = (1.0, 2.0, 8.0)[(u >= layers.count) + (v >= layers.count)]
        above[v].append((u, shift, weight))
        below[u].append((v, -shift, weight))
    pulls = [a + b for a, b in zip(above, below, strict=True)]
    chain_of = {v: chain for chain in layers.chains for v in chain[1:-1]}
    centers = [0.0] * len(widths)
    for one in layers.layers:
        _place(one, widths, layers.count, centers, lambda v: (0.0, 1.0))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        last = sweep >= SWEEPS - 4
        neighbors = pulls if last else above if down else below
        wish = _wish(neighbors, centers, chain_of if sweep >= SWEEPS // 2 else {})
        for one in layers.layers if down else reversed(layers.layers):
            _place(one, widths, layers.count, centers, wish)
    return centers


def _wish(
    neighbors: list[list[tuple[int, float, float]]],
    centers: list[float],
    chain_of: Mapping[int, Sequence[int]],
) -> Callable[[int], tuple[float, float]]:
    """Where a vertex would go, and how much: to its neighbors; a bend to its line's other bends."""

    def wish(v: int) -> tuple[float, float]:
        chain = chain_of.get(v)
        if chain is not None:
            inner = chain[1:-1]
            return sum(centers[u] for u in inner) / len(inner), 4.0
        total = sum(weight for _, _, weight in neighbors[v])
        if not total:
            return centers[v], 0.05
        return sum((centers[u] + s) * weight for u, s, weight in neighbors[v]) / total, total

    return wish


def _place(
    one: Sequence[int],
    widths: Sequence[float],
    count: int,
    centers: list[float],
    wish: Callable[[int], tuple[float, float]],
) -> None:
    """Move a layer's vertices as near to their wishes as their order and widths allow.

    Pool adjacent violators: the least squares fit of wishes minus offsets by a rising sequence.
    """
    offsets, offset = [], 0.0
    for i, v in enumerate(one):
        if i:
            u = one[i - 1]
            gap = BEND_GAP if u >= count or v >= count else BOX_GAP
            offset += (widths[u] + widths[v]) / 2 + gap
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []
    for v, at in zip(one, offsets, strict=True):
        target, weight = wish(v)
        mean, total, size = target - at, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, heavy, many = blocks.pop()
            mean = (mean * total + other * heavy) / (total + heavy)
            total, size = total + heavy, size + many
        blocks.append((mean, total, size))
    flat = [mean for mean, _, size in blocks for _ in range(size)]
    for v, mean, at in zip(one, flat, offsets, strict=True):
        centers[v] = mean + at
