"""The verifier: each rule sees what it forbids, names it, and shows the line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from plait import ir
from plait.ir import Graph, Node, TensorType, Value, parse_type
from plait.ir.errors import VerificationError
from plait.ir.verifier import RULES
from tests.graphs import Options, graphs, seeded_graph

F2, F3 = parse_type("f32[2]"), parse_type("f32[3]")
HERE = ir.Location("user.py", 7, "f")


def node(
    op: str, *operands: Value, types: Any = (F2,), regions: Any = (), **attributes: Any
) -> Node:
    return Node.make(ir.get_op(op), operands, attributes, regions, HERE, types)


def graph(nodes: list[Node], outputs: Any, inputs: Any = (), name: str = "f") -> Graph:
    return Graph(name, tuple(inputs), tuple(nodes), tuple(outputs))


def value(type_: Any = F2, index: int = 0, name: str = "x") -> Value:
    return Value(type_, None, index, name)


def bad_name() -> Graph:
    return graph([], [], name="")


def bad_input_name() -> Graph:
    return graph([], [], [value(name=3)])  # type: ignore[arg-type]


def bad_index() -> Graph:
    return graph([], [], [value(index=1)])


def input_twice() -> Graph:
    x = Value(F2, None, 0, "x")
    y = Value(F2, None, 1, "x")
    return graph([], [], [x, y, x])


def input_of_a_node() -> Graph:
    made = node("tanh", value())
    return graph([], [], made.results)


def twice() -> Graph:
    x = value()
    made = node("tanh", x)
    return graph([made, made], made.results, [x])


def stolen_result() -> Graph:
    x = value()
    made = node("tanh", x)
    object.__setattr__(made, "results", node("tanh", x).results)
    return graph([made], made.results, [x])


def used_early() -> Graph:
    x = value()
    first = node("tanh", x)
    second = node("tanh", *first.results)
    return graph([second, first], first.results, [x])


def undefined() -> Graph:
    return graph([node("tanh", value())], [])


def open_region() -> Graph:
    x = value()
    region = graph([node("tanh", x)], [], name="callee")
    return graph([node("call", regions=(region,), types=())], [], [x])


def undefined_output() -> Graph:
    return graph([], [value()])


def bad_size() -> Graph:
    return graph([], [], [value(TensorType(ir.float32, (-1,)))])


def bad_dim() -> Graph:
    return graph([], [], [value(TensorType(ir.float32, (ir.Dim("a b"),)))])


def bad_dtype() -> Graph:
    return graph([], [], [value(TensorType(np.dtype("M8[s]"), (2,)))])


def no_type() -> Graph:
    return graph([], [], [value("f32")])


def unknown_attribute() -> Graph:
    x = value()
    return graph([node("tanh", x, fast=True)], [], [x])


def missing_attribute() -> Graph:
    x = value()
    return graph([node("concat", x)], [], [x])


def list_attribute() -> Graph:
    x = value()
    return graph([node("reshape", x, shape=[2])], [], [x])


def unexpected_regions() -> Graph:
    x = value()
    region = graph([], [], name="callee")
    return graph([node("tanh", x, regions=(region,))], [], [x])


def wrong_type() -> Graph:
    x = value()
    return graph([node("tanh", x, types=(F3,))], [], [x])


def wrong_count() -> Graph:
    x = value()
    return graph([node("tanh", x, types=(F2, F2))], [], [x])


def refused_by_infer() -> Graph:
    x, y = value(), value(F3, 1, "y")
    return graph([node("add", x, y)], [], [x, y])


def crash_in_infer() -> Graph:
    x = value()
    return graph([node("concat", x, axis="a")], [], [x])


def wrong_region() -> Graph:
    x = value()
    region = ir.region("callee", [F3], lambda v: v)
    return graph([node("call", x, regions=(region,), types=(F3,))], [], [x])


def token_twice() -> Graph:
    t = value(ir.token)
    nodes = [node("print", t, types=(ir.token,), template="") for _ in range(2)]
    return graph(nodes, [], [t])


def token_used_and_returned() -> Graph:
    t = value(ir.token)
    return graph([node("print", t, types=(ir.token,), template="")], [t], [t])


BROKEN: list[tuple[str, Callable[[], Graph], str]] = [
    ("names", bad_name, "not empty"),
    ("names", bad_input_name, "name of input 0"),
    ("inputs", bad_index, "input 0 has index 1"),
    ("inputs", input_twice, "input 2 has index 0"),
    ("inputs", input_of_a_node, "input 0 is the result of a node"),
    ("single-assignment", twice, "stands in the graph twice"),
    ("single-assignment", stolen_result, "does not point back"),
    ("dominance", used_early, "operand 0 is used before it is defined"),
    ("dominance", undefined, "operand 0 is not defined in this graph"),
    ("dominance", open_region, "region 'callee' of graph 'f'.*outer graphs as operands"),
    ("outputs", undefined_output, "output 0 is not defined"),
    ("types", bad_size, "-1 is not a size"),
    ("types", bad_dim, "'a b' is not an identifier"),
    ("types", bad_dtype, "not supported"),
    ("types", no_type, "'f32' is not a type"),
    ("attributes", unknown_attribute, "op tanh has no attribute 'fast'"),
    ("attributes", missing_attribute, "attribute 'axis' is missing"),
    ("attributes", list_attribute, "attribute 'shape'.*class list"),
    ("regions", unexpected_regions, "op tanh takes no regions, found 1"),
    ("inference", wrong_type, r"results are \(f32\[3\]\), but its operands give \(f32\[2\]\)"),
    ("inference", wrong_count, r"results are \(f32\[2\], f32\[2\]\)"),
    ("inference", refused_by_infer, "add: shapes differ"),
    ("inference", crash_in_infer, "concat"),
    ("inference", wrong_region, "call: region 'callee': input 0"),
    ("effects", token_twice, "used already by an earlier node"),
    ("effects", token_used_and_returned, "output 0 is a token that is used already"),
]


@pytest.mark.parametrize(("rule", "make", "says"), BROKEN, ids=[m.__name__ for _, m, _ in BROKEN])
def test_a_broken_rule_is_named(rule: str, make: Callable[[], Graph], says: str) -> None:
    with pytest.raises(VerificationError, match=says) as caught:
        ir.verify(make())
    assert caught.value.rule == rule
    assert f"breaks the rule {rule!r}" in str(caught.value)


def test_every_rule_is_tested() -> None:
    assert {rule.name for rule in RULES} == {name for name, _, _ in BROKEN}
    assert all(rule.doc for rule in RULES)


def test_the_error_shows_the_line_and_the_location() -> None:
    with pytest.raises(VerificationError) as caught:
        ir.verify(wrong_type())
    assert "\n  in: %0: f32[3] = tanh(%x)\n  at user.py:7, in f" in str(caught.value)
    with pytest.raises(VerificationError, match=r"in: %0: f32\[2\] = tanh\(%\?\)"):
        ir.verify(undefined())
    with pytest.raises(VerificationError, match=r"in: reshape\(f32\[2\]\)"):
        ir.verify(list_attribute())


@given(graphs(options=Options(regions=True, effects=True)))
def test_good_graphs_pass(made: Graph) -> None:
    assert ir.verify(made) is made


def test_ten_thousand_nodes_are_quick() -> None:
    made = seeded_graph(0, 8500)
    start = time.perf_counter()
    ir.verify(made)
    assert time.perf_counter() - start < 1.5
