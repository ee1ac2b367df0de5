"""Structural hash and equality: names and locations do not count, everything else does."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from plait import ir
from plait.ir import Graph, ops, parse_type
from plait.ir.errors import GraphError
from tests.graphs import Options, graphs, seeded_graph

BASE = """graph f(%x: f32[2,2], %y: f32[2,2]) -> (f32[2,2]) {
  %0: f32[2,2] = add(%x, %y)
  %1: f32[2,2] = concat(%0) {axis = 0}
  %2: f32[2,2] = call(%1) callee(%a: f32[2,2]) {
    %0: f32[2,2] = tanh(%a)
    return %0
  }
  return %2
}"""


def hash_of(text: str) -> str:
    return ir.structural_hash(ir.parse(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("graph f", "graph other"),
        ("%x", "%first"),
        ("%1", "%result"),
        ("callee", "body"),
        ("{axis = 0}", '{axis = 0} @ "a.py":3'),
        ("call(%1)", 'call(%1) {name = ""}'),
    ],
)
def test_what_does_not_count(old: str, new: str) -> None:
    text = BASE.replace(old, new)
    assert text != BASE
    assert hash_of(text) == hash_of(BASE)
    assert ir.structural_equal(ir.parse(text), ir.parse(BASE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tanh", "exp"),
        ("add(%x, %y)", "add(%y, %x)"),
        ("axis = 0", "axis = 1"),
        ("f32", "f64"),
        ("[2,2]", "[2,3]"),
        ("return %2", "return %1"),
        ("call(%1)", "call(%0)"),
        ("call(%1)", 'call(%1) {name = "f"}'),
        ("return %2", "%3: f32[2,2] = tanh(%2) return %2"),
    ],
)
def test_what_counts(old: str, new: str) -> None:
    text = BASE.replace(old, new)
    assert hash_of(text) != hash_of(BASE)
    assert not ir.structural_equal(ir.parse(text), ir.parse(BASE))


@given(graphs(options=Options(regions=True)), graphs(options=Options(regions=True)))
def test_equal_means_equal_text(a: Graph, b: Graph) -> None:
    def plain(graph: Graph) -> str:
        return ir.print_graph(graph, locations=False, max_elements=None)

    assert ir.structural_equal(a, b) == (_unnamed(plain(a)) == _unnamed(plain(b)))
    assert ir.structural_equal(a, a)
    again = ir.parse(plain(a))
    assert ir.structural_equal(a, again)
    located = [n for n in a.walk() if n.location != ir.UNKNOWN]
    assert ir.structural_equal(a, again, locations=True) == (not located)


def _unnamed(text: str) -> str:
    """A text with its values and regions named by their positions."""
    return ir.print_graph(_renamed(ir.parse(text)))


def _renamed(graph: Graph) -> Graph:
    builder = ir.GraphBuilder("graph")
    mapping = {v: builder.input(v.type) for v in graph.inputs}
    for node in graph.nodes:
        regions = [_renamed(r) for r in node.regions]
        found = builder.copy(node, [mapping[v] for v in node.operands], regions or None)
        mapping.update(zip(node.results, found, strict=True))
    return builder.build([mapping[v] for v in graph.outputs])


def test_bits_of_constants_count() -> None:
    def constant(x: Any) -> Graph:
        return ir.region("f", [], lambda: ops.constant(value=ir.Literal(x)))

    values = [np.float32(0.0), np.float32(-0.0), np.float64(0.0), np.int32(0), np.array([0.0])]
    assert len({ir.structural_hash(constant(v)) for v in values}) == len(values)
    assert ir.structural_equal(constant(np.float32(np.nan)), constant(np.float32(np.nan)))


def test_attribute_keys_tell_kinds_apart() -> None:
    values = [1, 1.0, True, "1", (1,), None, ir.float32, parse_type("f32[]"), 1j, b"1", len, abs]
    keys = {ir.attribute_key(v) for v in values}
    assert len(keys) == len(values)
    assert ir.attribute_key(np.int64(1)) == ir.attribute_key(1)


def test_functions_count_by_identity() -> None:
    def make(function: Any) -> Graph:
        attributes: Any = {"function": function, "result_types": ()}
        return ir.region("f", [ir.token], lambda t: ops.callback(t, **attributes))

    class Callable_(dict):  # type: ignore[type-arg]
        """Neither hashed nor weakly referenced."""

        def __call__(self) -> None: ...

    one, other = Callable_(), Callable_()
    assert ir.structural_equal(make(len), make(len))
    assert ir.structural_equal(make(one), make(one))
    assert not ir.structural_equal(make(one), make(other))
    hashes = {ir.structural_hash(make(lambda: None)) for _ in range(20)}
    assert len(hashes) == 20


def test_equal_in_every_process() -> None:
    code = f"from plait import ir; print(ir.structural_hash(ir.parse({BASE!r})))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == hash_of(BASE)


def test_an_undefined_value_is_a_clear_error() -> None:
    with pytest.raises(GraphError, match="does not define"):
        ir.structural_hash(Graph("f", (), (), (ir.Value(parse_type("f32[]")),)))


def test_ten_thousand_nodes_are_quick() -> None:
    graph = seeded_graph(0, 8500)
    start = time.perf_counter()
    ir.structural_hash(graph)
    assert time.perf_counter() - start < 1
