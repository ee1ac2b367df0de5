"""Analyses: uses, lives, levels, the critical path, the networkx form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from plait import ir
from plait.ir import Graph, Interval, Use, ops, parse_type
from plait.ir.errors import GraphError
from tests.graphs import Options, graphs

TEXT = """graph f(%x: f32[4], %y: f32[4]) -> (f32[4], f32[4]) {
  %0: f32[4] = tanh(%x)
  %1: f32[4] = add(%0, %0)
  %2: f32[4] = exp(%x)
  %3: f32[4] = constant() {value = [1.0, 2.0, 3.0, 4.0]: f32[4]}
  %4: f32[4] = add(%1, %3)
  return %4, %4
}"""


@pytest.fixture
def graph() -> Graph:
    return ir.parse(TEXT)


def test_uses(graph: Graph) -> None:
    tanh, add, exp, _constant, last = graph.nodes
    found = ir.uses(graph)
    assert found[graph.inputs[0]] == (Use(tanh, 0), Use(exp, 0))
    assert found[graph.inputs[1]] == ()
    assert found[tanh.results[0]] == (Use(add, 0), Use(add, 1))
    assert found[last.results[0]] == (Use(None, 0), Use(None, 1))
    assert found[exp.results[0]] == ()


def test_liveness(graph: Graph) -> None:
    lives = {name: ir.liveness(graph)[v] for v, name in ir.name_values(graph).items()}
    assert lives == {
        "x": Interval(-1, 2),
        "y": Interval(-1, -1),
        "0": Interval(0, 1),
        "1": Interval(1, 4),
        "2": Interval(2, 2),
        "3": Interval(3, 4),
        "4": Interval(4, 5),
    }


def test_live_bytes(graph: Graph) -> None:
    assert ir.live_bytes(graph) == (16, 32, 32, 16, 32)
    tanh, add, exp, constant, last = graph.nodes
    assert ir.live_bytes(graph, (exp, constant, tanh, add, last)) == (16, 0, 16, 32, 32)
    assert ir.live_bytes(ir.parse("graph f() -> () { return }")) == ()


@given(graphs(options=Options(effects=True)))
def test_live_bytes_are_the_sum_of_lives(graph: Graph) -> None:
    lives = ir.liveness(graph)
    for i, live in enumerate(ir.live_bytes(graph)):
        alive = [
            v.type.nbytes
            for v, life in lives.items()
            if isinstance(v.type, ir.TensorType)
            and v.node is not None
            and v.node.operands
            and life.start <= i <= life.end
        ]
        assert live == sum(alive)


def test_order(graph: Graph) -> None:
    tanh, add, exp, constant, last = graph.nodes
    assert ir.is_ordered(graph)
    assert ir.is_ordered(graph, (constant, exp, tanh, add, last))
    assert not ir.is_ordered(graph, (add, tanh, exp, constant, last))
    assert not ir.is_ordered(graph, (tanh, add, constant, last))
    assert not ir.is_ordered(graph, (tanh, tanh, add, exp, constant, last))


def test_effects_keep_their_order() -> None:
    check = 'check(%p) {error = "CheckError", message = "a"}'
    graph = ir.parse(f"graph f(%p: bool[]) -> () {{ {check} {check} return }}")
    first, second = graph.nodes
    assert ir.is_ordered(graph, (first, second))
    assert not ir.is_ordered(graph, (second, first))


def test_levels(graph: Graph) -> None:
    assert list(ir.levels(graph).values()) == [0, 1, 0, 0, 2]


def test_critical_path(graph: Graph) -> None:
    tanh, add, exp, _constant, last = graph.nodes
    path = ir.critical_path(graph)
    assert (path.nodes, path.weight, path.total) == ((tanh, add, last), 3, 5)
    heavy = ir.critical_path(graph, lambda n: 9 if n is exp else 1)
    assert (heavy.nodes, heavy.weight) == ((exp,), 9)
    empty = ir.critical_path(ir.parse("graph f() -> () { return }"))
    assert (empty.nodes, empty.weight) == ((), 0)


def test_nested_graphs_come_once_and_inside_out() -> None:
    leaf = ir.region("leaf", [parse_type("f32[]")], lambda x: ops.tanh(x))

    def twice(x: ir.Value) -> Any:
        (once,) = ops.call(x, regions=(leaf,))
        (again,) = ops.call(once, regions=(leaf,))
        return again

    for _ in range(50):  # 2**50 paths to the leaf
        inner = leaf
        leaf = ir.region("twice", [parse_type("f32[]")], twice)
        assert ir.nested_graphs(leaf)[-2:] == (inner, leaf)
    assert len(ir.nested_graphs(leaf)) == 51
    assert ir.verify(leaf) is leaf
    assert len(ir.structural_hash(leaf)) == 32
    assert leaf.cost().flops == 10 * 2**50


def test_networkx(graph: Graph) -> None:
    networkx = pytest.importorskip("networkx")
    made = graph.to_networkx()
    assert networkx.is_directed_acyclic_graph(made)
    assert made.number_of_nodes() == 2 + 5 + 2
    tanh, add = graph.nodes[:2]
    edges = made.get_edge_data(tanh, add)
    assert [e["operand"] for e in edges.values()] == [0, 1]
    assert edges[0]["name"] == "0"
    assert edges[0]["type"] == parse_type("f32[4]")
    assert made.nodes[tanh]["label"] == "tanh"
    assert made.nodes[graph.inputs[0]]["label"] == "%x: f32[4]"
    assert networkx.dag_longest_path_length(made) == 4


@given(graphs(options=Options(regions=True, effects=True)))
def test_networkx_has_an_edge_for_each_use(graph: Graph) -> None:
    edges = graph.to_networkx().number_of_edges()
    assert edges == sum(map(len, ir.uses(graph).values()))


def test_networkx_of_a_broken_graph() -> None:
    stray = ir.Value(parse_type("f32[]"))
    with pytest.raises(GraphError, match="not a value of graph"):
        ir.to_networkx(Graph("f", (), (), (stray,)))


def test_spread_literals_are_large_and_read_elementwise() -> None:
    def spread(build: Any, shape: str = "f32[20000]") -> int:
        builder = ir.GraphBuilder("f")
        x = builder.input(parse_type(shape))
        with builder:
            filled = ops.full(value=ir.Literal(np.float32(2)), shape=x.shape)
            graph = builder.build([build(x, filled)])
        found = ir.spread_literals(graph)
        assert found <= {graph.nodes[0]}
        return len(found)

    assert spread(ops.multiply) == 1
    assert spread(lambda x, filled: filled) == 1
    assert spread(ops.multiply, "f32[16384]") == 0  # small
    assert spread(ops.power) == 0  # its bits depend on strides
    assert spread(lambda x, filled: ops.exp(filled)) == 0
    assert spread(lambda x, filled: ops.add(ops.multiply(x, filled), ops.exp(filled))) == 0
