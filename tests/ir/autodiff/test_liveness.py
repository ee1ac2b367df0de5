"""Which nodes some outputs need, with effects and without."""

from __future__ import annotations

from typing import Any

from plait import ir
from plait.ir import ops, parse_type
from plait.ir.autodiff.liveness import live_inputs, live_nodes, live_part

F = parse_type("f64[]")


def function(x: Any, y: Any) -> list[Any]:
    ops.check(ops.less(x, y), error="CheckError", message="no")
    ops.exp(y)
    return [ops.sin(x), ops.cos(y)]


GRAPH = ir.region("f", [F, F], function)


def names(nodes: Any) -> list[str]:
    return [n.op.name for n in nodes]


def test_dead_nodes_go_and_effects_stay() -> None:
    made = live_part(GRAPH)
    assert names(made.nodes) == ["less", "check", "sin", "cos"]
    assert live_part(made) is made
    assert made.inputs == GRAPH.inputs


def test_effects_go_where_they_have_happened() -> None:
    made = live_part(GRAPH, GRAPH.outputs[:1], effects=False)
    assert names(made.nodes) == ["sin"]
    assert made.outputs == GRAPH.outputs[:1]
    assert names(live_nodes(GRAPH, (), effects=False)) == []


def test_inputs_that_are_read() -> None:
    assert live_inputs(GRAPH, GRAPH.outputs[1:], effects=False) == {1}
    assert live_inputs(GRAPH, GRAPH.outputs[1:]) == {0, 1}
    assert live_inputs(GRAPH, GRAPH.inputs[:1], effects=False) == {0}
