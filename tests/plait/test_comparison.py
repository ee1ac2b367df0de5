"""What differs between two graphs: every node is told of once, and what was put in is found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from plait import inspect, passes
from plait.inspect.matching import match
from plait.ir import Graph, GraphBuilder, Node, TensorType, Value, ops, structural_equal
from tests.graphs import Options, graphs, seeded_graph


def check(before: Graph, after: Graph) -> None:
    """Demand that the differences account for every node of both graphs."""
    found = inspect.compare(before, after)
    assert found.is_equal == structural_equal(before, after)
    own = [c for c in found.changes if not c.region]
    counts = {k: sum(c.kind == k for c in own) for k in ("removed", "added", "changed")}
    matching = match(before, after)
    pairs = len(matching.nodes)
    assert len(set(matching.nodes.values())) == pairs
    if not found.is_equal:
        assert counts["removed"] == len(before.nodes) - pairs
        assert counts["added"] == len(after.nodes) - pairs
        assert found.equal <= pairs
        assert pairs - found.equal >= counts["changed"]
    assert found.as_dict()["is_equal"] == found.is_equal


@pytest.mark.parametrize("seed", range(6))
def test_graphs_before_and_after_passes(seed: int) -> None:
    graph = seeded_graph(seed, 80, Options(regions=True))
    after = passes.run_pipeline(graph).graph
    check(graph, after)
    check(after, graph)
    check(graph, seeded_graph(seed + 100, 80, Options(regions=True)))


@settings(max_examples=30, deadline=None)
@given(graph=graphs(max_nodes=15, options=Options(regions=True)))
def test_a_graph_is_equal_to_itself(graph: Graph) -> None:
    check(graph, graph)
    assert str(inspect.compare(graph, graph)).startswith("equal: ")


def with_negation(graph: Graph, place: int) -> Graph:
    """The graph with the result of a node negated twice before it is used."""
    mapping: dict[Value, Value] = {}
    builder = GraphBuilder(graph.name)
    mapping.update({v: builder.input(v.type, v.name) for v in graph.inputs})
    with builder:
        for i, node in enumerate(graph.nodes):
            operands = [mapping[v] for v in node.operands]
            found = node.op(*operands, regions=node.regions, **node.attributes)
            results = found if isinstance(found, tuple) else (found,) if node.results else ()
            if i == place:
                results = (ops.negative(ops.negative(results[0])), *results[1:])
            mapping.update(zip(node.results, results, strict=True))
    return builder.build([mapping[v] for v in graph.outputs])


def is_number(node: Node) -> bool:
    kind = node.results[0].type if node.results else None
    return isinstance(kind, TensorType) and kind.dtype.kind in "fic"


@pytest.mark.parametrize("seed", range(6))
def test_what_was_put_in_is_all_that_is_added(seed: int) -> None:
    graph = seeded_graph(seed, 60)
    read = {v for n in graph.nodes for v in n.operands} | set(graph.outputs)
    place = next(
        i for i, n in enumerate(graph.nodes) if i > 2 and is_number(n) and n.results[0] in read
    )
    found = inspect.compare(graph, with_negation(graph, place))
    added = [c.after.split(" = ")[1].split("(")[0] for c in found.changes if c.kind == "added"]
    assert added == ["negative", "negative"]
    assert not [c for c in found.changes if c.kind == "removed"]
    assert {c.what for c in found.changes if c.kind == "changed"} <= {("operands",)}
