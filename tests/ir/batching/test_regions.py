"""Batching of control flow: who takes part, how often effects run, which values stay shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, Literal, ops, parse_type
from plait.ir.batching import batch_graph
from plait.ir.errors import CheckError, GraphError
from tests.ir.batching.rows import compare

F32 = parse_type("f32[]")
I64 = parse_type("i64[]")
V3 = parse_type("f32[3]")


def number(value: Any) -> Any:
    return ops.constant(value=Literal(np.asarray(value)))


def f32(value: float) -> Any:
    return number(np.float32(value))


def agree(graph: Graph, dims: tuple[int | None, ...], *arrays: Any) -> tuple[Graph, Any]:
    """The batched graph and its batch axes, after it gave what rows give."""
    size = next(a.shape[d] for a, d in zip(arrays, dims, strict=True) if d is not None)
    batched, out_dims = batch_graph(graph, dims, size)
    found = ir.evaluate(batched, arrays)
    rows = [
        [a if d is None else np.take(a, k, axis=d) for a, d in zip(arrays, dims, strict=True)]
        for k in range(size)
    ]
    assert compare(found, out_dims, [ir.evaluate(graph, row) for row in rows], None) == ""
    return batched, out_dims


def count(graph: Graph, op: ir.Op) -> int:
    return sum(node.op is op for node in graph.walk())


def root(x: Any) -> Any:
    """The square root, checked."""
    ok = ops.greater_equal(x, f32(0))
    ops.check(ok, x, error="CheckError", message="root of {}")
    return ops.sqrt(x)


def halved(x: Any, condition: Callable[[Any], Any] | None = None) -> Any:
    """Halve until at most 1."""
    go_on = ir.region("go_on", [F32], condition or (lambda v: ops.greater(v, f32(1))))
    body = ir.region("body", [F32], lambda v: ops.divide(v, f32(2)))
    return ops.while_(x, regions=(go_on, body), num_consts=0)[0]


def branching(then: Callable[..., Any], other: Callable[..., Any]) -> Graph:
    """``then(x) if x > 0 else other(x)``."""

    def f(x: Any) -> Any:
        regions = (ir.region("then", [F32], then), ir.region("else", [F32], other))
        return ops.cond(ops.greater(x, f32(0)), x, regions=regions)

    return ir.region("branching", [F32], f)


def array(*values: float) -> Any:
    return np.asarray(values, np.float32)


# Branches.


def test_a_check_counts_for_rows_that_take_its_branch() -> None:
    graph = branching(root, lambda x: ops.negative(x))
    agree(graph, (0,), array(4, -1, 9))
    other_way = branching(lambda x: ops.negative(x), root)
    batched, _ = batch_graph(other_way, (0,), 3)
    with pytest.raises(CheckError, match=r"root of -2\.0"):
        ir.evaluate(batched, [array(4, -2, -3)])


def test_a_loop_in_a_branch_ends_for_rows_outside() -> None:
    forever = branching(lambda x: halved(x), lambda x: halved(x, lambda v: ops.less(v, f32(-9))))
    agree(forever, (0,), array(5, -1, 8))
    hanging = branching(
        lambda x: halved(x, lambda v: ops.not_equal(v, f32(1))), lambda x: ops.negative(x)
    )
    agree(hanging, (0,), array(4, -3, 8))


def test_branches_that_hand_on_an_operand_select_nothing() -> None:
    def f(x: Any, y: Any) -> Any:
        types = [F32, V3]
        then = ir.region("then", types, lambda a, b: [ops.negative(a), b])
        other = ir.region("else", types, lambda a, b: [a, b])
        return ops.cond(ops.greater(x, f32(0)), x, y, regions=(then, other))

    batched, dims = agree(ir.region("f", [F32, V3], f), (0, None), array(1, -1), array(1, 2, 3))
    assert dims == (0, None)
    assert count(batched, ops.select) <= 2


def test_a_shared_predicate_keeps_the_branch() -> None:
    def f(p: Any, x: Any) -> Any:
        regions = (ir.region("then", [F32], root), ir.region("else", [F32], lambda x: x))
        return ops.cond(p, x, regions=regions)

    graph = ir.region("f", [parse_type("bool[]"), F32], f)
    for p in (True, False):
        batched, _ = agree(graph, (None, 0), np.asarray(p), array(1, 4))
        assert count(batched, ops.cond) == 1


def test_callbacks_run_for_rows_that_take_the_branch() -> None:
    seen: list[float] = []

    def note(x: Any) -> Any:
        seen.append(float(x))
        return x * 10

    def then(x: Any) -> Any:
        token = ops.create_token()
        attributes = {"function": note, "result_types": (F32,)}
        return ops.callback(token, x, **attributes)[1]

    agree(branching(then, lambda x: ops.negative(x)), (0,), array(1, -2, 3))
    assert seen == [1, 3, 1, 3]


def test_effects_of_both_branches_stay_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    token = ir.token

    def side(name: str) -> Graph:
        def run(t: Any, x: Any) -> Any:
            return ops.print_(t, x, template=name + " {}"), x

        return ir.region(name, [token, F32], run)

    def f(t: Any, x: Any) -> Any:
        return ops.cond(ops.greater(x, f32(0)), t, x, regions=(side("then"), side("else")))

    batched, dims = batch_graph(ir.region("f", [token, F32], f), (None, 0), 3)
    assert dims == (None, 0)
    ir.evaluate(batched, [token, array(1, -2, 3)])
    assert capsys.readouterr().out == "then 1.0\nthen 3.0\nelse -2.0\n"


# Loops.


def test_rows_that_are_done_keep_their_values() -> None:
    batched, _ = agree(ir.region("f", [F32], halved), (0,), array(0.5, 8, 3, 100))
    assert count(batched, ops.while_) == 1


def test_a_bound_of_trips_stays() -> None:
    def f(x: Any) -> Any:
        go_on = ir.region("go_on", [F32], lambda v: ops.greater(v, f32(1)))
        step = ir.region("body", [F32], lambda v: ops.divide(v, f32(2)))
        return ops.while_(x, regions=(go_on, step), num_consts=0, bound=9)[0]

    batched, _ = agree(ir.region("f", [F32], f), (0,), array(7, 100))
    assert [n.attributes["bound"] for n in batched.walk() if n.op is ops.while_] == [9]


def test_checks_of_a_loop_count_for_rows_that_go_on() -> None:
    def body(x: Any) -> Any:
        ops.check(ops.greater(x, f32(1)), x, error="CheckError", message="at {}")
        return ops.subtract(x, f32(1))

    def f(x: Any) -> Any:
        go_on = ir.region("go_on", [F32], lambda v: ops.greater(v, f32(1)))
        step = ir.region("body", [F32], body)
        return ops.while_(x, regions=(go_on, step), num_consts=0)[0]

    agree(ir.region("f", [F32], f), (0,), array(1, 5, 3))


def test_a_condition_that_rows_share_stays_a_scalar() -> None:
    def f(n: Any, x: Any) -> Any:
        types = [I64, I64, F32]
        go_on = ir.region("go_on", types, lambda n, i, x: ops.less(i, n))
        step = ir.region(
            "body", types, lambda n, i, x: [ops.add(i, number(np.int64(1))), ops.add(x, x)]
        )
        return ops.while_(n, number(np.int64(0)), x, regions=(go_on, step), num_consts=1)

    batched, dims = agree(
        ir.region("f", [I64, F32], f), (None, 0), np.asarray(3, np.int64), array(1, 2)
    )
    assert dims == (None, 0)
    assert count(batched, ops.select) == 0


def test_a_carry_becomes_batched_through_others() -> None:
    def body(a: Any, b: Any, c: Any, x: Any) -> list[Any]:
        return [ops.add(a, b), ops.multiply(c, b), c, ops.subtract(a, x)]

    def f(x: Any, xs: Any) -> Any:
        step = ir.region("body", [F32] * 4, body)
        attributes = {"num_consts": 0, "num_carry": 3, "length": 3, "reverse": False}
        return ops.scan(f32(1), f32(2), x, xs, regions=(step,), **attributes)

    graph = ir.region("f", [F32, V3], f)
    _, dims = agree(graph, (0, None), array(1, 2), array(1, 2, 3))
    assert dims == (0, 0, 0, 1)
    agree(graph, (None, 1), np.float32(3).reshape(()), np.arange(6, dtype=np.float32).reshape(3, 2))


def test_a_call_is_batched_whole() -> None:
    callee = ir.region("callee", [V3, F32], lambda v, x: [v, ops.reduce_max(v, axes=(0,)), x])

    def f(v: Any, x: Any) -> Any:
        return ops.call(v, x, regions=(callee,), name="callee")

    batched, dims = agree(
        ir.region("f", [V3, F32], f), (1, None), np.ones((3, 2), np.float32), array(1)[0]
    )
    assert dims == (1, 0, None)
    assert count(batched, ops.call) == 1


def test_a_rule_of_its_own_is_batched() -> None:
    def f(w: Any, x: Any) -> Any:
        primal = ir.region("primal", [F32, F32], lambda w, x: ops.multiply(w, x))
        forward = ir.region("forward", [F32, F32], lambda w, x: [ops.multiply(w, x), x])
        backward = ir.region("backward", [F32, F32], lambda x, g: [ops.multiply(g, x), g])
        return ops.custom_vjp(w, x, regions=(primal, forward, backward), name="f")

    from plait.ir.autodiff.graphs import joint

    batched, _ = agree(ir.region("f", [F32, F32], f), (None, 0), np.float32(3), array(1, 2))
    both = joint(batched, (0, 1))
    *_, of_w, of_x = ir.evaluate(both.graph, [np.float32(3), array(1, 2), array(1, 10)])
    assert of_w == 21
    np.testing.assert_array_equal(of_x, [1, 10])


def test_gradients_of_rows_outside_a_branch_are_zero() -> None:
    def f(x: Any, w: Any) -> Any:
        types = [F32, F32]
        then = ir.region("then", types, lambda x, w: ops.multiply(ops.sqrt(x), w))
        other = ir.region("else", types, lambda x, w: ops.negative(x))
        return ops.cond(ops.greater(x, f32(0)), x, w, regions=(then, other))

    from plait.ir.autodiff.graphs import joint

    graph = ir.region("f", [F32, F32], f)
    given = [array(4, -1, 0), np.float32(2), np.ones(3, np.float32)]
    for dims in ((0, None), (0, 0)):
        both = joint(batch_graph(graph, dims, 3)[0], (0, 1))
        w = given[1] if dims[1] is None else np.full(3, given[1])
        *_, of_x, of_w = ir.evaluate(both.graph, [given[0], w, given[2]])
        np.testing.assert_array_equal(of_x, [0.5, -1, -1])
        np.testing.assert_array_equal(of_w.sum(), 2)
    nowhere = joint(batch_graph(graph, (0, None), 3)[0], (0, 1))
    *_, of_w = ir.evaluate(nowhere.graph, [array(-1, -2, -3), given[1], given[2]])
    assert of_w == 0


# Graphs.


def test_outputs_go_where_they_are_wanted() -> None:
    graph = ir.region("f", [V3], lambda x: [x, ops.negative(x), f32(1)])
    batched, dims = batch_graph(graph, (1,), 2, out_dims=(0, 1, 0))
    assert dims == (0, 1, 0)
    assert [str(t) for t in batched.output_types] == ["f32[2,3]", "f32[3,2]", "f32[2]"]
    with pytest.raises(GraphError, match="output 1 of graph 'f' differs by row"):
        batch_graph(graph, (0,), 2, out_dims=(0, None, None))


def test_locations_and_names_are_kept() -> None:
    place = ir.Location("model.py", 7, "f")
    builder = ir.GraphBuilder("f")
    x = builder.input(V3, "x")
    with builder, builder.at(place):
        y = ops.softmax(x, axis=0)
    batched, _ = batch_graph(builder.build([y]), (0,), 2)
    assert batched.name == "f"
    assert [v.name for v in batched.inputs] == ["x"]
    assert {node.location for node in batched.nodes} == {place}


def test_a_number_of_rows_may_be_symbolic() -> None:
    graph = ir.region("f", [V3], lambda x: ops.reduce_sum(ops.exp(x), axes=(0,)))
    batched, _ = batch_graph(graph, (0,), ir.Dim("n"))
    assert str(batched.output_types[0]) == "f32[n]"
    assert ir.evaluate(batched, [np.zeros((4, 3), np.float32)])[0].tolist() == [3, 3, 3, 3]


def test_an_op_without_rule_is_named() -> None:
    from plait.ir.batching import apply_batched

    with pytest.raises(GraphError, match="iota has no batching rule"):
        apply_batched(ops.iota, [array(1)], [0], 1, {})
