"""Layers, orders and places of drawings."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.inspect.layering import Edge, layer, rank
from plait.inspect.layout import Layout, lay_out


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Edge]]:
    count = draw(st.integers(0, 25))
    sizes = [
        (draw(st.integers(20, 200)) * 1.0, draw(st.integers(20, 90)) * 1.0) for _ in range(count)
    ]
    edges = []
    for target in range(1, count):
        for source in draw(st.lists(st.integers(0, target - 1), max_size=4)):
            edges.append(Edge(source, target, draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    return sizes, edges


def overlaps(layout: Layout, sizes: list[tuple[float, float]]) -> list[tuple[int, int]]:
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes, strict=True)]
    return [
        (i, j)
        for i, a in enumerate(boxes)
        for j, b in enumerate(boxes[:i])
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


@given(drawings())
def test_boxes_never_overlap_and_lines_join_them(
    drawing: tuple[list[tuple[float, float]], list[Edge]],
) -> None:
    sizes, edges = drawing
    layout = lay_out(sizes, edges)
    assert overlaps(layout, sizes) == []
    for edge, route in zip(edges, layout.routes, strict=True):
        (x, y), (w, h) = layout.corners[edge.source], sizes[edge.source]
        assert x - 0.1 <= route[0][0] <= x + w + 0.1
        assert route[0][1] == y + h
        (x, y), (w, _) = layout.corners[edge.target], sizes[edge.target]
        assert x - 0.1 <= route[-1][0] <= x + w + 0.1
        assert route[-1][1] == y
        assert all(a[1] <= b[1] for a, b in pairwise(route))
    for (x, y), (w, h) in zip(layout.corners, sizes, strict=True):
        assert x >= 0
        assert y >= 0
        assert x + w <= layout.width + 0.2
        assert y + h <= layout.height


@given(drawings())
def test_a_line_goes_down_one_layer_at_a_time(
    drawing: tuple[list[tuple[float, float]], list[Edge]],
) -> None:
    sizes, edges = drawing
    layers = layer(len(sizes), edges)
    level = {v: i for i, one in enumerate(layers.layers) for v in one}
    assert sorted(v for v in level if v < len(sizes)) == list(range(len(sizes)))
    for edge, chain in zip(edges, layers.chains, strict=True):
        assert (chain[0], chain[-1]) == (edge.source, edge.target)
        assert all(level[b] == level[a] + 1 for a, b in pairwise(chain))


@given(drawings())
def test_the_same_drawing_comes_out_the_same(
    drawing: tuple[list[tuple[float, float]], list[Edge]],
) -> None:
    assert lay_out(*drawing) == lay_out(*drawing)


def test_ranks_are_longest_paths_and_sources_stay_near() -> None:
    # 0 -> 1 -> 2 -> 4, and 3 is used by 4 only.
    edges = [Edge(0, 1), Edge(1, 2), Edge(2, 4), Edge(3, 4)]
    assert rank(5, edges) == [0, 1, 2, 2, 3]


def test_bottom_vertices_share_the_last_layer() -> None:
    edges = [Edge(0, 1), Edge(1, 2), Edge(0, 3)]
    assert rank(4, edges, frozenset({2, 3})) == [0, 1, 2, 2]


def crossings(positions: dict[int, int], edges: list[Edge]) -> int:
    ends = [(positions[e.source], positions[e.target]) for e in edges]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a in ends for b in ends) // 2


def test_the_order_in_layers_uncrosses_lines() -> None:
    # Drawn in order of numbers, every line crosses every other one.
    edges = [Edge(i, 9 - i) for i in range(5)]
    layers = layer(10, edges)
    positions = {v: i for one in layers.layers for i, v in enumerate(one)}
    assert crossings(positions, edges) == 0


def test_lines_into_a_commutative_op_exchange_their_ends() -> None:
    # 2 lies right of 1 since it also feeds 4, but is operand 0 of 3.
    edges = [Edge(0, 1), Edge(0, 2, 0.9), Edge(2, 3, 0.5, 0.3), Edge(1, 3, 0.5, 0.7)]
    layers = layer(4, edges, free=frozenset({3}))
    left = next(one for one in layers.layers if 1 in one)[0]
    ports = {e.source: e.target_port for e in layers.edges if e.target == 3}
    assert ports[left] == 0.3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_boxes_without_lines_stand_side_by_side(count: int) -> None:
    layout = lay_out([(50.0, 20.0)] * count, [])
    assert len({y for _, y in layout.corners}) <= 1
    assert layout.height == (20.0 if count else 0.0)
