"""What each pass does to small graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, Literal, ops
from plait.passes import run_pipeline
from tests.passes.rule_cases import array, make
from tests.passes.rule_cases import number as k

F = "f32[4]"


def run(spec: str, graph: Graph) -> Graph:
    return run_pipeline(graph, spec, verify_each=True).graph


def names(graph: Graph) -> list[str]:
    return [n.op.name for n in graph.nodes]


# Folding.


def test_fold_evaluates_constants_by_the_reference() -> None:
    graph = make(F, lambda x: ops.add(x, ops.exp(array([0, 1, 2, 3]))))
    found = run("fold", graph)
    assert names(found) == ["constant", "add"]
    np.testing.assert_array_equal(
        found.nodes[0].attributes["value"].array, np.exp(np.arange(4, dtype=np.float32))
    )


def test_fold_keeps_fills_small() -> None:
    big = make("f32[1000,1000]", lambda x: ops.add(x, ops.multiply(k(x, 2), k(x, 3))))
    found = run("fold", big)
    assert names(found) == ["full", "add"]
    assert found.nodes[0].attributes["value"] == Literal(np.float32(6))


def test_fold_is_bounded_by_bytes() -> None:
    graph = make(F, lambda x: ops.add(x, ops.exp(array([0, 1, 2, 3]))))
    assert run("fold{max_bytes=8}", graph) is graph
    assert run("fold{max_bytes=16}", graph) is not graph


def test_fold_leaves_a_stretched_constant_a_view() -> None:
    graph = make(
        "f32[3,4]", lambda x: ops.add(x, ops.broadcast_to(array([0, 1, 2, 3]), shape=(3, 4)))
    )
    assert run("fold", graph) is graph


def test_fold_leaves_what_raises_and_what_has_an_effect_to_the_run() -> None:
    def checked(x: ir.Value) -> ir.Value:
        ops.check(array(False, np.bool_), error="CheckError", message="no")
        return x

    graph = make(F, checked)
    assert run("fold", graph) is graph


def test_fold_warns_of_nothing() -> None:
    graph = make(F, lambda x: ops.add(x, ops.log(array([0, -1, 2, 3]))))
    assert names(run("fold", graph)) == ["constant", "add"]


# CSE.


def test_cse_merges_equal_nodes_and_constants() -> None:
    graph = make(
        F, lambda x: ops.add(ops.add(x, array([1, 2, 3, 4])), ops.add(x, array([1, 2, 3, 4])))
    )
    assert names(run("cse", graph)) == ["constant", "add", "add"]


def test_cse_tells_attributes_apart() -> None:
    def both(x: ir.Value) -> tuple[ir.Value, ir.Value]:
        return ops.add(x, k(x, 0.0)), ops.add(x, k(x, -0.0))

    assert run("cse", make(F, both)).outputs[0] is not run("cse", make(F, both)).outputs[1]
    assert len(run("cse", make(F, both)).nodes) == 4


def test_cse_keeps_effects_barriers_and_new_tokens() -> None:
    def effects(x: ir.Value) -> tuple[ir.Value, ...]:
        tokens = ops.create_token(), ops.create_token()
        prints = [ops.print_(t, x, template="{}") for t in tokens]
        return (*prints, *ops.barrier(x), *ops.barrier(x))

    graph = make(F, effects)
    assert run("cse", graph) is graph


def test_cse_compares_regions_by_structure() -> None:
    def twice(c: ir.Value, x: ir.Value) -> tuple[ir.Value, ...]:
        def branches(op: ir.Op) -> tuple[Graph, Graph]:
            return make(F, op), make(F, ops.exp)

        made = [ops.cond(c, x, regions=branches(op)) for op in (ops.tanh, ops.tanh, ops.sin)]
        return tuple([m[0] for m in made])

    found = run("cse", make(f"bool[] {F}", twice))
    assert names(found) == ["cond", "cond"]
    assert found.outputs[0] is found.outputs[1] is not found.outputs[2]


def test_cse_merges_inside_regions() -> None:
    body = make(F, lambda x: ops.add(ops.tanh(x), ops.tanh(x)))
    found = run("cse", make(F, lambda x: ops.call(x, regions=(body,))))
    assert names(found.nodes[0].regions[0]) == ["tanh", "add"]


# DCE.


def test_dce_drops_the_unused_and_keeps_effects() -> None:
    def build(x: ir.Value) -> Any:
        ops.print_(ops.create_token(), x, template="{}")
        ops.exp(ops.sin(x))
        return x

    assert names(run("dce", make(F, build))) == ["create_token", "print"]


def test_dce_works_inside_regions() -> None:
    def inner(x: ir.Value) -> ir.Value:
        ops.exp(x)
        made: ir.Value = ops.tanh(x)
        return made

    found = run("dce", make(F, lambda x: ops.call(x, regions=(make(F, inner),))))
    assert names(found.nodes[0].regions[0]) == ["tanh"]


def test_dce_keeps_a_region_op_that_prints_inside() -> None:
    def inner(x: ir.Value) -> ir.Value:
        ops.print_(ops.create_token(), x, template="{}")
        return x

    def outer(x: ir.Value) -> ir.Value:
        ops.call(x, regions=(make(F, inner),))
        return x

    found = run("dce", make(F, outer))
    assert names(found) == ["call"]
    assert names(found.nodes[0].regions[0]) == ["create_token", "print"]
    assert found.nodes[0].results == ()


# Inlining.


def chain(length: int) -> Graph:
    def build(x: ir.Value) -> Any:
        for _ in range(length):
            x = ops.tanh(x)
        return x

    return make(F, build)


@pytest.mark.parametrize(
    ("length", "calls", "inlined"), [(3, 2, True), (40, 1, True), (40, 2, False)]
)
def test_inline_takes_small_and_single_calls(length: int, calls: int, inlined: bool) -> None:
    callee = chain(length)

    def build(x: ir.Value) -> Any:
        for _ in range(calls):
            x = ops.call(x, regions=(callee,))[0]
        return x

    graph = make(F, build)
    found = run("inline", graph)
    assert (len(found.nodes) == length * calls) if inlined else (found is graph)


def test_inline_goes_through_nested_calls() -> None:
    middle = make(F, lambda x: ops.call(x, regions=(chain(40),)))
    graph = make(F, lambda x: ops.call(x, regions=(middle,)))
    assert names(run("inline", graph)) == ["tanh"] * 40


def test_inline_twice_copies_the_nodes() -> None:
    callee = make(F, lambda x: ops.add(x, array([1, 2, 3, 4])))
    graph = make(F, lambda x: [ops.call(x, regions=(callee,))[0] for _ in range(2)][1])
    double = make(F, lambda x: ops.call(*ops.call(x, regions=(callee,)), regions=(callee,)))
    assert names(run("inline", graph)) == ["constant", "add"]
    assert names(run("inline", double)) == ["constant", "add"] * 2


def test_inlined_nodes_keep_their_own_lines() -> None:
    callee = ir.parse(
        'graph g(%x: f32[4]) -> (f32[4]) { %0: f32[4] = tanh(%x) @ "inner.py":7 return %0 }'
    )
    found = run("inline", make(F, lambda x: ops.call(x, regions=(callee,))))
    assert str(found.nodes[0].location) == "inner.py:7, in g"


# All together.


def test_default_pipeline_reaches_a_fixed_point() -> None:
    def build(x: ir.Value, y: ir.Value) -> Any:
        zero = ops.subtract(array([1, 1, 1, 1]), array([1, 1, 1, 1]))
        doubled = ops.add(ops.multiply(y, x), ops.multiply(x, y))
        return ops.subtract(doubled, ops.negative(ops.subtract(x, zero)))

    found = run_pipeline(make(f"{F} {F}", build)).graph
    assert names(found) == ["multiply", "add", "add"]
    assert run_pipeline(found).graph is found


def test_what_does_not_change_is_the_same_object() -> None:
    graph = make(
        f"{F} {F}", lambda x, y: ops.matmul(*[ops.reshape(v, shape=(2, 2)) for v in (x, y)])
    )
    for spec in ("canonicalize", "fold", "cse", "dce", "inline", "simplify", None):
        assert run_pipeline(graph, spec).graph is graph


def test_unchanged_nodes_are_shared() -> None:
    graph = make(F, lambda x: ops.add(ops.tanh(x), ops.negative(ops.negative(x))))
    assert run("simplify", graph).nodes[0] is graph.nodes[0]
