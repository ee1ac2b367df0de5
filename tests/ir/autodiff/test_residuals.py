"""What loops and branches keep for the way back, and what they do not do twice."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph, Node, TensorType, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.partition import POLICIES
from plait.passes import lower_checks, run_pipeline
from tests.ir.autodiff.against_jax import arguments, program
from tests.ir.autodiff.scans import SCANS

F = "f64[2,2]"
LENGTH = 3


def scanning(types: tuple[str, ...], consts: int, carry: int, body: Any) -> Graph:
    """A graph of one scan."""
    region = program(types, body, "body")
    first = consts + carry
    stacked = [t.replace("[", f"[{LENGTH},") for t in types[first:]]
    options = {"num_consts": consts, "num_carry": carry, "length": LENGTH}
    return program(
        (*types[:first], *stacked), lambda *v: ops.scan(*v, regions=(region,), **options)
    )


def scans(graph: Graph) -> tuple[Node, ...]:
    """The scans of a graph, in order."""
    return tuple([n for n in graph.nodes if n.op is ops.scan])


def stacked_shapes(node: Node, count: int) -> list[Any]:
    """Shapes of the results after the first ``count``."""
    return [v.shape for v in node.results[count:]]


def test_constants_are_not_stacked() -> None:
    graph = scanning((F, F), 1, 1, lambda w, c: [ops.matmul(ops.exp(ops.matmul(w, w)), c)])
    made = joint(graph, [0, 1])
    forward, backward = scans(made.graph)
    assert stacked_shapes(forward, 1) == [(LENGTH, 2, 2)]  # the carry of each trip
    # exp(w @ w) is computed once, before the loop.
    assert ops.exp not in {n.op for n in backward.regions[0].nodes}
    assert ops.exp in {n.op for n in made.graph.nodes}


def test_slices_and_stacked_outputs_are_not_stacked_again() -> None:
    graph = scanning((F, F), 0, 1, lambda c, x: [ops.add(c, x), ops.exp(ops.sin(x))])
    forward, _ = scans(joint(graph, [0, 1]).graph)
    assert len(forward.results) == 2


def test_a_carry_that_no_trip_changes_is_not_stacked() -> None:
    graph = scanning((F, F, F), 0, 2, lambda k, c, x: [k, ops.matmul(k, c), ops.multiply(k, x)])
    forward, _ = scans(joint(graph, [0, 1, 2]).graph)
    assert len(forward.results) == 4  # one more: the carry c


def test_inactive_carries_have_no_cotangents() -> None:
    def body(n: Any, unused: Any, c: Any, x: Any) -> list[Any]:
        return [ops.add(n, n), ops.sin(unused), ops.sin(ops.multiply(c, x))]

    graph = scanning(("i64[]", F, F, F), 0, 3, body)
    made = joint(graph, [3])
    _, backward = scans(made.graph)
    assert backward.attributes["num_carry"] == 1


@pytest.mark.parametrize("name", ["lstm", "products of vectors"])
def test_sums_of_products_are_one_product_after_the_loop(name: str) -> None:
    graph = SCANS[name].graph()
    made = joint(graph, range(len(graph.inputs)))
    _, backward = scans(made.graph)
    assert backward.attributes["num_carry"] == SCANS[name].carry
    place = made.graph.nodes.index(backward)
    assert any(n.op is ops.dot_general for n in made.graph.nodes[place:])


def test_large_factors_of_products_are_not_stacked() -> None:
    # The product of 2 x 2 numbers is smaller than its factors.
    types = ("f64[2,2]", "f64[9,2]")
    graph = scanning(types, 1, 1, lambda w, c: [ops.sin(ops.matmul(c, w))])
    _, backward = scans(joint(graph, [0, 1]).graph)
    assert backward.attributes["num_carry"] == 2


def test_the_thread_chooses_the_policy() -> None:
    def body(c: Any, x: Any) -> list[Any]:
        return [ops.tanh(ops.square(ops.square(ops.add(c, x))))]

    graph = scanning((F, F), 0, 1, body)
    kept: dict[str, int] = {}
    results: list[Any] = []
    for policy in POLICIES:
        with capacity.use(LoopOptions(residuals=policy)):
            made = joint(graph, [0, 1])
        kept[policy] = len(scans(made.graph)[0].results)
        results.append(ir.evaluate(made.graph, arguments(made.graph)))
    assert kept["save-all"] > kept["min-cut"] > kept["recompute-all"] == 2
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_zero_cotangents_are_not_carried() -> None:
    def body(a: Any, b: Any, x: Any) -> list[Any]:
        return [ops.sin(ops.multiply(a, x)), ops.cos(ops.multiply(b, x)), x]

    graph = scanning((F, F, F), 0, 2, body)
    _, backward = scans(joint(graph, [0, 1, 2], [0]).graph)
    assert backward.attributes["num_carry"] == 1
    assert ops.sin not in {n.op for n in backward.regions[0].nodes}


def test_results_that_depend_on_nothing_smoothly_have_no_cotangents() -> None:
    graph = program((F,), lambda x: [ops.floor(x), ops.sin(ops.floor(x)), ops.exp(x)])
    made = joint(graph, [0])
    assert made.outputs == (2,)


def test_cotangents_that_nobody_asks_for_are_not_computed() -> None:
    graph = scanning((F, F, F), 1, 1, lambda w, c, x: [ops.matmul(w, ops.sin(ops.add(c, x)))])
    _, backward = scans(joint(graph, [2]).graph)
    assert backward.attributes["num_carry"] == 1
    assert len(backward.results) == 2
    assert sum(n.op is ops.matmul for n in backward.regions[0].nodes) == 1


def test_residuals_that_nothing_reads_are_removed() -> None:
    def body(w: Any, c: Any, x: Any) -> list[Any]:
        return [ops.sin(ops.matmul(w, c)), ops.exp(x)]

    made = joint(scanning((F, F, F), 1, 1, body), [0, 1, 2])
    # Of the cotangents only that of the slices is used.
    graph = Graph(
        "f", made.graph.inputs, made.graph.nodes, (*made.graph.outputs[:2], made.graph.outputs[-1])
    )
    forward, *_ = scans(run_pipeline(graph, "dce").graph)
    assert len(scans(graph)[0].results) == 4
    assert len(forward.results) == 2


def test_bodies_keep_their_locations() -> None:
    place = ir.Location("model.py", 7, "step")
    builder = ir.GraphBuilder("body")
    c = builder.input(ir.parse_type(F), "c")
    with builder, builder.at(place):
        out = ops.sin(c)
    options: dict[str, Any] = {"num_consts": 0, "num_carry": 1, "length": LENGTH}
    region = builder.build([out])
    graph = program((F,), lambda c: ops.scan(c, regions=(region,), **options))
    made = joint(graph, [0])
    assert place in {n.location for n in scans(made.graph)[0].regions[0].nodes}


@pytest.mark.parametrize("backend", ["", "xla"])
def test_prints_and_checks_run_in_the_forward_pass_only(backend: str, capfd: Any) -> None:
    def body(token: Any, c: Any, x: Any) -> list[Any]:
        zero = ops.constant(value=ir.Literal(np.asarray(0.0)))
        ops.check(ops.less(zero, x), x, error="CheckError", message="{} is not positive")
        after = ops.print_(token, x, template="at {}")
        return [after, ops.sin(ops.multiply(c, x)), ops.exp(c)]

    region = program(("token", "f64[]", "f64[]"), body, "body")

    def whole(c: Any, xs: Any) -> Any:
        token = ops.create_token()
        found = ops.scan(token, c, xs, regions=(region,), num_consts=0, num_carry=2, length=LENGTH)
        return found[1:]

    made = joint(program(("f64[]", f"f64[{LENGTH}]"), whole), [0, 1])
    forward, backward = scans(made.graph)
    assert any(isinstance(v.type, ir.TokenType) for v in forward.operands)
    assert all(isinstance(v.type, TensorType) for v in backward.operands)
    assert not any(n.op.is_effect for n in backward.regions[0].walk())
    arrays = [np.asarray(0.5), np.asarray([1.0, 2.0, 3.0]), np.asarray(1.0), np.ones(LENGTH)]
    if backend:
        lowered, table = lower_checks(made.graph)
        assert len(table) == 1
        get_backend(backend).compile(lowered)(*arrays)
    else:
        ir.evaluate(made.graph, arrays)
    assert capfd.readouterr().out.split("\n") == ["at 1.0", "at 2.0", "at 3.0", ""]


def test_recorded_twice_the_graphs_are_made_once() -> None:
    graph = scanning((F, F), 1, 1, lambda w, c: [ops.sin(ops.matmul(w, c))])
    one, other = (scans(joint(graph, [0, 1]).graph) for _ in range(2))
    assert [n.regions for n in one] == [n.regions for n in other]
    changed = scans(joint(graph, [1]).graph)
    assert changed[1].regions != one[1].regions


def test_what_was_made_goes_with_the_graph() -> None:
    graph = scanning((F, F), 1, 1, lambda w, c: [ops.sin(ops.matmul(w, c))])
    calling = _calling(program((F,), ops.exp))
    joint(graph, [0, 1])
    joint(calling, [0])
    alive = [weakref.ref(g.nodes[0].regions[0]) for g in (graph, calling)]
    del graph, calling
    gc.collect()
    assert [r() for r in alive] == [None, None]


def _calling(callee: Graph) -> Graph:
    return program((F,), lambda x: ops.call(x, regions=(callee,), remat=True))


def test_a_scan_of_a_symbolic_length() -> None:
    region = program((F, F), lambda c, x: [ops.sin(ops.add(c, x)), ops.exp(c)], "body")
    length = ir.Dim("n")
    graph = program(
        (F, "f64[n,2,2]"),
        lambda *v: ops.scan(*v, regions=(region,), num_consts=0, num_carry=1, length=length),
    )
    made = joint(graph, [0, 1])
    ir.verify(made.graph)
    fixed = scanning((F, F), 0, 1, lambda c, x: [ops.sin(ops.add(c, x)), ops.exp(c)])
    known = joint(fixed, [0, 1])
    arrays = arguments(known.graph)
    expected = ir.evaluate(known.graph, arrays)
    for one, other in zip(ir.evaluate(made.graph, arrays), expected, strict=True):
        np.testing.assert_array_equal(one, other)
