"""What dead code elimination does to the signatures of region ops, case by case."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph, Node, Value, ops
from plait.passes import lower_checks, run_pipeline
from plait.passes.dce import remove_dead
from tests.passes.rule_cases import array, make

F = "f32[2]"
XS = "f32[3,2]"


def run(graph: Graph, spec: str = "dce") -> Graph:
    """The graph after the pass, which means the same, and of which a second run changes nothing."""
    found = run_pipeline(graph, spec, verify_each=True).graph
    arrays = [np.random.default_rng(1).random(v.shape).astype(v.dtype) for v in graph.inputs]
    wanted, got = (ir.evaluate(g, arrays) for g in (graph, found))
    for a, b in zip(wanted, got, strict=True):
        np.testing.assert_array_equal(a, b)
    assert remove_dead(found) is found
    return found


def check(before: Graph, after: str) -> None:
    assert run(before).as_text(locations=False) == textwrap.dedent(after).strip()


def firings(graph: Graph) -> dict[str, int]:
    return run_pipeline(graph, "dce").report.passes[0].counts


def only(graph: Graph) -> Node:
    (node,) = [n for n in graph.nodes if n.regions]
    return node


def shape(node: Node) -> tuple[Any, ...]:
    """Numbers of operands and results, and the counts."""
    counts = [node.attributes[k] for k in ("num_consts", "num_carry") if k in node.attributes]
    return (len(node.operands), len(node.results), *counts)


def below(limit: float) -> Any:
    return lambda i, *_: ops.less(i, array(limit, np.int32))


def one_more(i: Value) -> Value:
    made: Value = ops.add(i, array(1, np.int32))
    return made


# Branches and callees.


def test_unused_results_of_branches_go_with_what_they_need() -> None:
    then = make(f"{F} {F}", lambda x, y: (ops.tanh(x), ops.exp(y)))
    other = make(f"{F} {F}", lambda x, y: (x, ops.sin(y)))
    graph = make(f"bool[] {F} {F}", lambda c, x, y: ops.cond(c, x, y, regions=(then, other))[0])
    check(
        graph,
        """
        graph case(%arg0: bool[], %arg1: f32[2], %arg2: f32[2]) -> (f32[2]) {
          %0: f32[2] = cond(%arg0, %arg1) case(%arg0: f32[2]) {
            %0: f32[2] = tanh(%arg0)
            return %0
          } case(%arg0: f32[2]) {
            return %arg0
          }
          return %0
        }
        """,
    )
    assert firings(graph) == {"drop": 2, "drop-operand": 1, "drop-result": 1}


def test_an_operand_stays_while_one_branch_reads_it() -> None:
    then, other = make(f"{F} {F}", lambda x, y: x), make(f"{F} {F}", lambda x, y: ops.tanh(y))
    graph = make(f"bool[] {F} {F}", lambda c, x, y: ops.cond(c, x, y, regions=(then, other)))
    assert run(graph) is graph


def test_equal_operands_are_passed_once() -> None:
    callee = make(f"{F} {F}", lambda x, y: ops.add(x, y))
    graph = make(F, lambda x: ops.call(x, x, regions=(callee,)))
    check(
        graph,
        """
        graph case(%arg0: f32[2]) -> (f32[2]) {
          %0: f32[2] = call(%arg0) case(%arg0: f32[2]) {
            %0: f32[2] = add(%arg0, %arg0)
            return %0
          }
          return %0
        }
        """,
    )
    assert firings(graph) == {"merge-operands": 1}


def test_equal_operands_are_passed_once_at_every_depth() -> None:
    callee = make(f"{F} {F}", lambda x, y: ops.add(x, y))
    for _ in range(5):
        inner = callee
        callee = make(f"{F} {F}", lambda x, y, inner=inner: ops.call(x, y, regions=(inner,)))
    found = run(make(F, lambda x: ops.call(x, x, regions=(callee,))))
    assert all(len(node.operands) == 1 for node in found.walk() if node.regions)


def test_equal_outputs_are_one_result() -> None:
    def inner(x: Value) -> tuple[Value, Value]:
        y = ops.tanh(x)
        return y, y

    graph = make(F, lambda x: ops.call(x, regions=(make(F, inner),)))
    found = run(graph)
    assert shape(only(found)) == (1, 1)
    assert found.outputs[0] is found.outputs[1]
    assert firings(graph) == {"merge-results": 1}


def test_what_both_branches_pass_through_is_the_operand() -> None:
    then = make(f"{F} {F} {F}", lambda x, y, z: (y, ops.tanh(x)))
    other = make(f"{F} {F} {F}", lambda x, y, z: (z, x))

    def build(c: Value, x: Value, y: Value) -> Any:
        return ops.cond(c, x, y, y, regions=(then, other))

    graph = make(f"bool[] {F} {F}", build)
    found = run(graph)
    assert found.outputs[0] is found.inputs[2]
    assert shape(only(found)) == (2, 1)
    assert firings(graph) == {"pass-through": 1, "drop-operand": 1, "merge-operands": 1}


def test_what_the_branches_pass_through_differently_stays() -> None:
    then, other = make(f"{F} {F}", lambda x, y: x), make(f"{F} {F}", lambda x, y: y)
    graph = make(f"bool[] {F} {F}", lambda c, x, y: ops.cond(c, x, y, regions=(then, other)))
    assert run(graph) is graph


# Loops.


def scan(
    body: Graph, *operands: Value, consts: int = 0, carry: int = 0, **attributes: Any
) -> Sequence[Value]:
    counts = {"num_consts": consts, "num_carry": carry, "length": 3}
    found: Sequence[Value] = ops.scan(*operands, regions=(body,), **{**counts, **attributes})
    return found


def test_stacks_that_nothing_reads_go_with_their_slices() -> None:
    body = make(f"{F} {F} {F}", lambda c, x, y: (ops.add(c, x), ops.tanh(x), ops.exp(y)))
    graph = make(f"{F} {XS} {XS}", lambda c, xs, ys: scan(body, c, xs, ys, carry=1)[:2])
    check(
        graph,
        """
        graph case(%arg0: f32[2], %arg1: f32[3,2], %arg2: f32[3,2]) -> (f32[2], f32[3,2]) {
          %0: f32[2], %1: f32[3,2] = scan(%arg0, %arg1) {num_consts = 0, num_carry = 1, length = 3} case(%arg0: f32[2], %arg1: f32[2]) {
            %0: f32[2] = add(%arg0, %arg1)
            %1: f32[2] = tanh(%arg1)
            return %0, %1
          }
          return %0, %1
        }
        """,  # noqa: E501
    )


def test_carries_that_need_only_each_other_go() -> None:
    def body(a: Value, b: Value, c: Value) -> tuple[Value, ...]:
        return ops.add(a, b), ops.subtract(b, a), ops.tanh(c)

    graph = make(
        f"{F} {F} {F}", lambda a, b, c: scan(make(f"{F} {F} {F}", body), a, b, c, carry=3)[2]
    )
    assert shape(only(run(graph))) == (1, 1, 0, 1)
    assert firings(graph) == {"drop": 2, "drop-carry": 2}


def test_carries_stay_that_a_live_carry_needs() -> None:
    def body(a: Value, b: Value, c: Value) -> tuple[Value, ...]:
        return ops.tanh(a), ops.add(a, b), ops.add(b, c)

    graph = make(
        f"{F} {F} {F}", lambda a, b, c: scan(make(f"{F} {F} {F}", body), a, b, c, carry=3)[2]
    )
    assert run(graph) is graph


def test_a_while_keeps_what_its_condition_needs() -> None:
    condition = make(f"i32[] {F} {F}", below(3))
    body = make(f"i32[] {F} {F}", lambda i, x, y: (one_more(i), ops.tanh(x), ops.exp(y)))

    def build(i: Value, x: Value, y: Value) -> Any:
        return ops.while_(i, x, y, regions=(condition, body), num_consts=0)[1]

    found = run(make(f"i32[] {F} {F}", build))
    assert shape(only(found)) == (2, 2, 0)
    assert [v.type for v in only(found).results] == [ir.parse_type("i32[]"), ir.parse_type(F)]


def test_a_carry_that_no_trip_changes_is_a_constant() -> None:
    body = make(f"{F} {F} {F}", lambda x, w, y: (x, w, ops.add(ops.multiply(y, w), x)))
    graph = make(f"{F} {F} {F}", lambda x, w, y: scan(body, x, w, y, consts=0, carry=3))
    check(
        graph,
        """
        graph case(%arg0: f32[2], %arg1: f32[2], %arg2: f32[2]) -> (f32[2], f32[2], f32[2]) {
          %0: f32[2] = scan(%arg0, %arg1, %arg2) {num_consts = 2, num_carry = 1, length = 3} case(%arg0: f32[2], %arg1: f32[2], %arg2: f32[2]) {
            %0: f32[2] = multiply(%arg2, %arg1)
            %1: f32[2] = add(%0, %arg0)
            return %1
          }
          return %arg0, %arg1, %0
        }
        """,  # noqa: E501
    )
    assert firings(graph) == {"pass-through": 2}


def test_constants_of_a_while_are_moved_in_both_regions() -> None:
    condition = make(f"i32[] i32[] {F}", lambda i, n, x: ops.less(i, n))
    body = make(f"i32[] i32[] {F}", lambda i, n, x: (one_more(i), n, ops.tanh(x)))

    def build(i: Value, n: Value, x: Value) -> Any:
        return ops.while_(i, n, x, regions=(condition, body), num_consts=0)[1:]

    before = make(f"i32[] {F}", lambda i, x: build(i, array(4, np.int32), x))
    found = run(before)
    assert shape(only(found)) == (3, 2, 1)
    assert found.outputs[0].node is found.nodes[0]


def test_a_carry_that_starts_and_goes_on_as_a_constant_is_one() -> None:
    body = make(f"{F} {F} {F}", lambda w, a, b: (w, ops.add(a, b)))
    graph = make(f"{F} {F}", lambda w, b: scan(body, w, w, b, consts=1, carry=2))
    found = run(graph)
    assert shape(only(found)) == (2, 1, 1, 1)
    assert found.outputs[0] is found.inputs[0]


def test_carries_that_start_and_go_on_equal_are_one() -> None:
    def body(a: Value, b: Value) -> tuple[Value, ...]:
        c = ops.add(ops.tanh(a), b)
        return c, c

    graph = make(F, lambda x: scan(make(f"{F} {F}", body), x, x, carry=2))
    found = run(graph)
    assert shape(only(found)) == (1, 1, 0, 1)
    assert firings(graph) == {"merge-results": 1, "merge-operands": 1}


def test_carries_that_start_apart_are_two() -> None:
    def body(a: Value, b: Value) -> tuple[Value, ...]:
        c = ops.add(ops.tanh(a), b)
        return c, c

    graph = make(f"{F} {F}", lambda x, y: scan(make(f"{F} {F}", body), x, y, carry=2))
    assert run(graph) is graph


def test_values_stacked_twice_are_stacked_once() -> None:
    def body(x: Value) -> tuple[Value, ...]:
        y = ops.tanh(x)
        return y, y

    found = run(make(XS, lambda xs: scan(make(F, body), xs)))
    assert shape(only(found)) == (1, 1, 0, 0)
    assert found.outputs[0] is found.outputs[1]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_stack_of_the_slices_is_what_they_are_of(reverse: bool) -> None:
    body = make(f"{F} {F}", lambda c, x: (ops.add(c, x), x))
    graph = make(f"{F} {XS}", lambda c, xs: scan(body, c, xs, carry=1, reverse=reverse))
    found = run(graph)
    assert found.outputs[1] is found.inputs[1]
    assert firings(graph) == {"stack-of-slices": 1}


def test_a_stack_of_a_constant_is_stretched() -> None:
    body = make(f"{F} {F} {F}", lambda w, u, c: (u, ops.multiply(c, w), w, u, w))
    graph = make(f"{F} {F} {F}", lambda w, u, c: scan(body, w, u, c, consts=1, carry=2)[1:])
    check(
        graph,
        """
        graph case(%arg0: f32[2], %arg1: f32[2], %arg2: f32[2]) -> (f32[2], f32[3,2], f32[3,2], f32[3,2]) {
          %0: f32[3,2] = broadcast_to(%arg0) {shape = (3, 2)}
          %1: f32[3,2] = broadcast_to(%arg1) {shape = (3, 2)}
          %2: f32[2] = scan(%arg0, %arg2) {num_consts = 1, num_carry = 1, length = 3} case(%arg0: f32[2], %arg2: f32[2]) {
            %0: f32[2] = multiply(%arg2, %arg0)
            return %0
          }
          return %2, %0, %1, %0
        }
        """,  # noqa: E501
    )
    assert firings(graph)["stack-of-constant"] == 2


def test_a_stack_of_a_constant_of_symbolic_length_stays() -> None:
    body = make(f"{F} {F}", lambda w, x: (w, ops.add(w, x)))
    length = ir.Dim("n")
    graph = make(f"{F} f32[n,2]", lambda w, xs: scan(body, w, xs, consts=1, length=length))
    assert remove_dead(graph) is graph


def test_a_loop_whose_results_all_go_goes() -> None:
    body = make(F, lambda x: (x, x))
    found = run(make(F, lambda x: scan(body, x, carry=1)))
    assert found.nodes[0].op is ops.broadcast_to
    assert len(found.nodes) == 1


# Nests, and regions with several holders.


def test_residuals_go_through_loops_in_branches_in_callees() -> None:
    body = make(f"{F} {F}", lambda c, x: (ops.multiply(c, x), ops.tanh(c), ops.exp(x)))
    then = make(f"{F} {XS}", lambda c, xs: scan(body, c, xs, carry=1))

    def other(c: Value, xs: Value) -> tuple[Value, ...]:
        return c, ops.tanh(xs), ops.exp(xs)

    branches = (then, make(f"{F} {XS}", other))
    callee = make(f"bool[] {F} {XS}", lambda p, c, xs: ops.cond(p, c, xs, regions=branches))
    found = run(make(f"bool[] {F} {XS}", lambda p, c, xs: ops.call(p, c, xs, regions=(callee,))[0]))
    assert [len(n.results) for n in found.walk() if n.regions] == [1, 1, 1]
    assert "exp" not in found.as_text()


def test_a_shared_callee_keeps_what_one_of_its_calls_needs() -> None:
    callee = make(f"{F} {F}", lambda x, y: (ops.tanh(x), ops.exp(y), ops.sin(y)))

    def build(x: Value, y: Value) -> tuple[Value, Value]:
        first, second = (ops.call(x, y, regions=(callee,)) for _ in range(2))
        return first[0], second[1]

    found = run(make(f"{F} {F}", build))
    first, second = found.nodes
    assert first.regions[0] is second.regions[0]
    assert [shape(n) for n in found.nodes] == [(2, 2), (2, 2)]


def test_a_call_that_is_dead_does_not_hold_its_callee() -> None:
    callee = make(f"{F} {F}", lambda x, y: ops.add(x, y))

    def build(x: Value, y: Value) -> Any:
        ops.call(x, y, regions=(callee,))
        return ops.call(x, x, regions=(callee,))

    assert shape(only(run(make(f"{F} {F}", build)))) == (1, 1)


def test_a_shared_callee_merges_what_is_equal_at_each_call() -> None:
    callee = make(f"{F} {F} {F}", lambda x, y, z: ops.add(ops.multiply(x, y), z))

    def build(x: Value, y: Value) -> tuple[Value, ...]:
        calls = ops.call(x, x, x, regions=(callee,)), ops.call(y, y, x, regions=(callee,))
        return calls[0][0], calls[1][0]

    found = run(make(f"{F} {F}", build))
    assert [shape(n) for n in found.nodes] == [(2, 1), (2, 1)]
    assert found.nodes[0].regions[0] is found.nodes[1].regions[0]


def test_a_region_of_a_branch_and_of_a_call_changes_for_both() -> None:
    shared = make(f"{F} {F} {F}", lambda x, y, z: (ops.tanh(x), z))
    other = make(f"{F} {F} {F}", lambda x, y, z: (y, z))

    def build(c: Value, x: Value, y: Value) -> tuple[Value, ...]:
        branch = ops.cond(c, x, y, x, regions=(shared, other))
        return branch[0], ops.call(x, y, y, regions=(shared,))[0]

    found = run(make(f"bool[] {F} {F}", build))
    cond, call = found.nodes
    assert shape(cond) == (3, 1)
    assert shape(call) == (2, 1)
    assert cond.regions[0] is call.regions[0]


def test_a_region_whose_holders_take_its_inputs_differently_stays() -> None:
    shared = make(f"{F} {F} {F}", lambda x, y, z: (x, ops.tanh(y)))

    def build(x: Value, y: Value) -> tuple[Value, ...]:
        return (*scan(shared, x, y, y, carry=2, consts=1), *ops.call(x, x, y, regions=(shared,)))

    graph = make(f"{F} {F}", build)
    found = run(graph)
    assert [n.regions[0] for n in found.nodes] == [shared, shared]
    assert found.outputs[2] is found.inputs[0]


def test_a_graph_that_is_condition_and_body_stays() -> None:
    def step(x: Value, c: Value) -> Value:
        ops.print_(ops.create_token(), c, template="{}")
        made: Value = ops.logical_and(c, ops.logical_not(c))
        return made

    both = make(f"{F} bool[]", step)

    def build(x: Value, c: Value) -> Value:
        ops.while_(x, c, regions=(both, both), num_consts=1)
        return x

    graph = make(f"{F} bool[]", build)
    assert run(graph) is graph


def test_the_signatures_of_an_op_that_is_not_known_here_stay() -> None:
    def backward(x: Value, g: Value, h: Value) -> Value:
        ops.exp(h)
        made: Value = ops.multiply(x, g)
        return made

    regions = (
        make(F, lambda x: (ops.tanh(x), x)),
        make(F, lambda x: (ops.tanh(x), x, ops.exp(x))),
        make(f"{F} {F} {F}", backward),
    )
    found = run(make(F, lambda x: ops.custom_vjp(x, regions=regions)[0]))
    assert shape(only(found)) == (1, 2)
    assert only(found).regions[:2] == regions[:2]
    assert len(only(found).regions[2].inputs) == 3
    assert len(only(found).regions[2].nodes) == 1


# Effects and tokens.


def printing(x: Value, y: Value) -> tuple[Value, Value]:
    ops.print_(ops.create_token(), x, template="{}")
    return ops.tanh(x), ops.exp(y)


def test_effects_and_what_they_need_stay(capsys: pytest.CaptureFixture[str]) -> None:
    def body(i: Value, x: Value, y: Value) -> tuple[Value, ...]:
        return (one_more(i), *ops.call(x, y, regions=(make(f"{F} {F}", printing),)))

    types = f"i32[] {F} {F}"

    def build(i: Value, x: Value, y: Value) -> Value:
        ops.while_(i, x, y, regions=(make(types, below(3)), make(types, body)), num_consts=0)
        return x

    graph = make(types, build)
    found = run(graph)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[:3] == lines[3:]
    assert shape(only(found)) == (2, 2, 0)


def test_a_check_in_a_loop_without_results_still_fails() -> None:
    def body(x: Value) -> tuple[Value, ...]:
        ok = ops.less(ops.reduce_sum(x, axes=(0,)), array(1.0))
        ops.check(ok, error="CheckError", message="too large")
        return (ops.tanh(x),)

    def build(xs: Value) -> Value:
        scan(make(F, body), xs)
        return xs

    found = run_pipeline(make(XS, build), "dce", verify_each=True).graph
    assert shape(only(found)) == (1, 0, 0, 0)
    with pytest.raises(ir.errors.CheckError, match="too large"):
        ir.evaluate(found, [np.ones((3, 2), np.float32)])
    lowered, table = lower_checks(found)
    assert len(table) == 1
    assert ir.evaluate(ir.verify(lowered), [np.ones((3, 2), np.float32)])[-1][0] == 1


def test_tokens_are_threaded_as_before() -> None:
    def body(token: Value, idle: Value, x: Value) -> tuple[Value, ...]:
        return ops.print_(token, x, template="{}"), idle, ops.tanh(x)

    loop = make(f"token token {F}", body)

    def build(x: Value) -> Any:
        first, second = ops.create_token(), ops.create_token()
        token, idle, _ = scan(loop, first, second, x, carry=3)
        return ops.print_(token, x, template="{}"), idle

    found = run_pipeline(make(F, build), "dce", verify_each=True).graph
    assert shape(only(found)) == (3, 3, 0, 3)


# Backends, depth and time.


@pytest.mark.parametrize("backend", ["planned", "reference"])
def test_loops_without_carry_results_or_slices_run(
    backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(i: Value, x: Value, y: Value) -> tuple[Value, ...]:
        ops.print_(ops.create_token(), template="trip")
        return one_more(i), ops.tanh(x), ops.exp(y)

    loop = make(f"i32[] {F} {F}", body)
    branches = (make(F, lambda x: printing(x, x)), make(F, lambda x: (x, x)))

    def build(c: Value, i: Value, x: Value) -> Value:
        scan(loop, i, x, x, carry=3)
        ops.cond(c, x, regions=branches)
        return x

    found = run_pipeline(make(f"bool[] i32[] {F}", build), verify_each=True).graph
    assert [len(n.results) for n in found.nodes] == [0, 0]
    executable = get_backend(backend).compile(found)
    x = np.zeros(2, np.float32)
    (got,) = executable(np.asarray(True), np.asarray(0, np.int32), x)
    np.testing.assert_array_equal(got, x)
    assert capsys.readouterr().out == "trip\n" * 3 + "[0. 0.]\n"


def nest(depth: int) -> Graph:
    inner = make(f"{F} {F}", lambda x, y: (ops.tanh(x), ops.exp(y)))
    for _ in range(depth):
        held = inner
        inner = make(f"{F} {F}", lambda x, y, held=held: scan(held, x, y, carry=2))
    return make(f"{F} {F}", lambda x, y: ops.call(x, y, regions=(inner,))[0])


def test_a_nest_of_thousands_of_levels_is_cleaned_without_recursion_in_linear_time() -> None:
    graph = nest(3_000)
    start = time.perf_counter()
    found = remove_dead(graph)
    assert time.perf_counter() - start < 2
    for _ in range(3_001):
        assert len(only(found).operands) == 1
        found = only(found).regions[0]
    assert [n.op.name for n in found.nodes] == ["tanh"]


def test_a_region_that_is_shared_at_every_level_is_cleaned_once() -> None:
    def twice(held: Graph) -> Any:
        def build(x: Value, y: Value) -> Any:
            return ops.call(*ops.call(x, y, regions=(held,)), regions=(held,))

        return build

    inner = make(f"{F} {F}", lambda x, y: (ops.tanh(x), ops.exp(y)))
    for _ in range(200):
        inner = make(f"{F} {F}", twice(inner))
    found = remove_dead(make(f"{F} {F}", lambda x, y: ops.call(x, y, regions=(inner,))[0]))
    assert only(found).operands == found.inputs[:1]


def test_ten_thousand_nodes_with_large_signatures_take_at_most_two_seconds() -> None:
    def body(*carry: Value) -> tuple[Value, ...]:
        mixed = [ops.add(a, b) for a, b in zip(carry, (*carry[1:], carry[0]), strict=True)]
        return (*mixed, *[ops.tanh(m) for m in mixed])

    types = " ".join([F] * 500)
    loop = make(types, body)

    def build(*starts: Value) -> Value:
        values: Sequence[Value] = starts
        for _ in range(10):
            values = scan(loop, *values[:500], carry=500)
        return values[0]

    graph = make(types, build)
    start = time.perf_counter()
    found = run_pipeline(graph).graph
    assert time.perf_counter() - start < 2
    assert all(len(n.results) == 500 for n in found.nodes if n.regions)


def test_what_has_nothing_dead_is_the_same_object() -> None:
    body = make(f"{F} {F} {F}", lambda w, c, x: (ops.add(c, x), ops.multiply(w, x)))
    graph = make(f"{F} {F} {XS}", lambda w, c, xs: scan(body, w, c, xs, consts=1, carry=1))
    assert run(graph) is graph
    assert firings(graph) == {}


def test_simplification_drops_what_it_makes_dead_at_regions() -> None:
    branches = make(f"{F} {F}", ops.add), make(f"{F} {F}", lambda x, y: ops.multiply(x, y))

    def build(c: Value, x: Value) -> Any:
        weighted = [ops.multiply(x, array([2, 3])) for _ in range(2)]
        return ops.cond(c, *weighted, regions=branches)

    graph = make(f"bool[] {F}", build)
    assert run(graph) is graph
    assert shape(only(run(graph, "simplify"))) == (2, 1)
