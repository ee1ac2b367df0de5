"""Minimum cuts: our own and scipy's agree, and both with the flow that networkx finds."""

from __future__ import annotations

import math
import random

import networkx
import pytest

from plait.ir.autodiff.flow import SCALE, sink_side
from plait.ir.errors import GraphError

Edges = dict[tuple[int, int], float]


def random_network(seed: int) -> tuple[Edges, int]:
    """Random capacities, some zero, some infinite; how many nodes there are."""
    chosen = random.Random(seed)
    count = chosen.randint(2, 30)
    edges: Edges = {}
    for _ in range(chosen.randint(1, 4 * count)):
        u, v = chosen.randrange(count), chosen.randrange(count)
        if u != v:
            edges[u, v] = chosen.choice([0.0, 1.0, 2.5, chosen.randint(1, 10**9), math.inf])
    return edges, count


def value(edges: Edges, behind: frozenset[int]) -> float:
    """Capacity of the edges into a set."""
    return math.fsum(c for (u, v), c in edges.items() if v in behind and u not in behind)


def rounding(edges: Edges) -> float:
    """How far capacities scaled to integers may be off."""
    total = math.fsum(c for c in edges.values() if c != math.inf)
    return (len(edges) + 1) * total / SCALE


def flow(edges: Edges, count: int) -> float:
    """The maximum flow from node 0 to node 1, by networkx; infinite without a finite cut."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(count))
    for (u, v), c in edges.items():
        if c == math.inf:
            graph.add_edge(u, v)
        else:
            graph.add_edge(u, v, capacity=c)
    try:
        return float(networkx.maximum_flow_value(graph, 0, 1))
    except networkx.NetworkXUnbounded:
        return math.inf


@pytest.mark.parametrize("block", range(10))
def test_cuts_are_minimum_and_the_same(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        edges, count = random_network(seed)
        best = flow(edges, count)
        if best == math.inf:
            for method in ("own", "scipy"):
                with pytest.raises(GraphError, match="no finite cut"):
                    sink_side(edges, 0, 1, method)
            continue
        own = sink_side(edges, 0, 1, "own")
        assert 1 in own, seed
        assert 0 not in own, seed
        assert value(edges, own) == pytest.approx(best, abs=rounding(edges)), seed
        assert sink_side(edges, 0, 1, "scipy") == own, seed


def test_of_equal_cuts_the_one_near_the_sink_is_taken() -> None:
    assert sink_side({(0, 2): 1.0, (2, 3): 1.0, (3, 1): 1.0}, 0, 1) == {1}
    assert sink_side({(0, 2): 1.0, (2, 3): 0.5, (3, 1): 1.0}, 0, 1) == {1, 3}


def test_nothing_is_cut_where_nothing_leads_to_the_sink() -> None:
    assert sink_side({(0, 2): 1.0}, 0, 1) == {1}
    assert sink_side({}, 0, 1, "scipy") == {1}


def test_huge_and_tiny_capacities() -> None:
    edges = {(0, 2): 1e15, (2, 1): 2e15, (0, 3): 1e-6, (3, 1): 1e-6}
    for method in ("own", "scipy"):
        assert sink_side(edges, 0, 1, method) == {1, 2}
