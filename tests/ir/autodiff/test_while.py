"""Reverse mode through loops on a condition: exact counts, capacity, bounds, any order."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from plait import ir, passes
from plait.backends import get_backend
from plait.ir import Graph, TensorType, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import Joint, joint
from plait.ir.errors import CheckError, IndexOutOfRangeError, LoopCapacityError
from tests.gradients import check_gradients
from tests.ir.autodiff.loops import (
    COUNT,
    F64_3,
    F64_33,
    Counted,
    gradient,
    layer,
    layer_values,
    layers,
    layers_gradient,
    number,
    spread,
    trips,
)

F64 = TensorType(np.dtype(np.float64), ())
BOOL = TensorType(np.dtype(np.bool_), ())
CLOSE: Any = {"rtol": 1e-9, "atol": 1e-11}


def joint_of(graph: Graph, inputs: list[int], **options: Any) -> Joint:
    with capacity.use(LoopOptions(**options)):
        return joint(graph, inputs)


def scanned(w: Any, x: Any, n: int) -> Any:
    """The layers as a scan of known length."""

    def step(x: Any, _: Any) -> Any:
        return jnp.tanh(x @ w) + 0.1 * jnp.sin(x), None

    return lax.scan(step, x, None, length=n)[0]


@pytest.mark.parametrize("n", [0, 1, 2, 7, 64, 65, 200])
def test_an_eager_gradient_is_that_of_a_scan_of_the_same_length(n: int) -> None:
    w, x = layer_values()
    found = gradient(layers(), [trips(n), w, x], [np.ones(3)])
    with jax.enable_x64(True):
        wanted = jax.grad(lambda w, x: scanned(w, x, n).sum(), (0, 1))(w, x)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.parametrize("n", [0, 1, 7, 8])
def test_a_graph_has_room_for_its_capacity(n: int) -> None:
    w, x = layer_values()
    made = joint_of(layers().graph(F64_33, F64_3), [1, 2], capacity=8)
    _, *found = ir.evaluate(made.graph, [trips(n), w, x, np.ones(3)])
    for one, other in zip(found, layers_gradient(n, w, x, np.ones(3)), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_more_trips_than_the_capacity_are_an_error_that_knows_the_exact_count() -> None:
    w, x = layer_values()
    made = joint_of(layers().graph(F64_33, F64_3), [1, 2], capacity=8)
    with pytest.raises(LoopCapacityError, match=r"made 21 trips.*room for 8.*max_") as caught:
        ir.evaluate(made.graph, [trips(21), w, x, np.ones(3)])
    assert caught.value.trips == 21
    assert capacity.next_capacity(caught.value.trips) == 32


def test_a_lowered_check_gives_the_count_through_the_status() -> None:
    w, x = layer_values()
    made = joint_of(layers().graph(F64_33, F64_3), [1, 2], capacity=8)
    lowered, table = passes.lower_checks(made.graph)
    *_, status = ir.evaluate(lowered, [trips(21), w, x, np.ones(3)])
    failure = table[status[0] - 1].exception(status)
    assert isinstance(failure, LoopCapacityError)
    assert failure.trips == 21


def test_the_reverse_loop_makes_exactly_as_many_trips() -> None:
    ran: list[int] = []

    def step(x: Any) -> list[Any]:
        return [ops.tanh(x)]

    made = joint_of(Counted([], [F64], step).graph(F64), [1], capacity=8)
    (back,) = [n for n in made.graph.nodes if n.attributes.get("bound") == 8]
    evaluate = back.regions[1]
    assert any(n.op is ops.dynamic_slice for n in evaluate.nodes)
    counted = _counting(made.graph, evaluate, ran)
    ir.evaluate(counted, [trips(5), np.asarray(0.5), np.asarray(1.0)])
    assert len(ran) == 5


def _counting(graph: Graph, body: Graph, ran: list[int]) -> Graph:
    """The graph with a note for each run of a body."""

    def note(*_: Any) -> None:
        ran.append(1)

    def noted(*values: Any) -> Any:
        token = ops.create_token()
        ops.callback(token, function=note, result_types=())
        return ir.GraphBuilder.inline(builder[0], body, values)

    builder = [ir.GraphBuilder("body")]
    inputs = [builder[0].input(v.type) for v in body.inputs]
    with builder[0]:
        made = builder[0].build(noted(*inputs))
    outer = ir.GraphBuilder("counting")
    held = {v: outer.input(v.type) for v in graph.inputs}
    for node in graph.nodes:
        regions = [made if r is body else r for r in node.regions]
        found = outer.copy(node, [held[v] for v in node.operands], regions)
        held.update(zip(node.results, found, strict=True))
    return outer.build([held[v] for v in graph.outputs])


def test_max_iterations_is_a_promise_and_an_error_when_it_is_broken() -> None:
    w, x = layer_values()
    made = joint_of(layers().graph(F64_33, F64_3), [1, 2], max_iterations=5)
    _, *found = ir.evaluate(made.graph, [trips(5), w, x, np.ones(3)])
    np.testing.assert_allclose(found[1], layers_gradient(5, w, x, np.ones(3))[1], **CLOSE)
    with pytest.raises(CheckError, match="made 6 trips, more than max_iterations=5; give a larger"):
        ir.evaluate(made.graph, [trips(6), w, x, np.ones(3)])


def test_a_bound_needs_no_check_and_makes_the_buffers_as_large() -> None:
    w, x = layer_values()
    graph = layers(bound=5).graph(F64_33, F64_3)
    made = joint_of(graph, [1, 2], capacity=64).graph
    assert not any(n.op is ops.check for n in made.nodes)
    assert {n.attributes.get("bound") for n in made.nodes if n.op is ops.while_} == {5}
    assert any(v.type == TensorType(np.dtype("f8"), (5, 3)) for n in made.nodes for v in n.results)
    _, *found = ir.evaluate(made, [trips(5), w, x, np.ones(3)])
    np.testing.assert_allclose(found[0], layers_gradient(5, w, x, np.ones(3))[0], **CLOSE)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_both_modes_to_second_order(n: int) -> None:
    w, x = layer_values()
    check_gradients(lambda w, x: layers()(trips(n), w, x), w, x)


def test_second_derivatives_of_graphs_in_all_combinations() -> None:
    w, x = layer_values()
    random = np.random.default_rng(1)
    u, v = random.normal(size=(3, 3)), random.normal(size=3)
    with capacity.use(LoopOptions(capacity=8)):
        first = joint(layers().graph(F64_33, F64_3), [1, 2]).graph
        reverse = joint(first, [1, 2], [1, 2]).graph
        forward, _ = jvp_graph(first, [1, 2])
    operands = [trips(5), w, x, np.ones(3)]
    step = 1e-6
    ahead = layers_gradient(5, w + step * u, x + step * v, np.ones(3))
    back = layers_gradient(5, w - step * u, x - step * v, np.ones(3))
    wanted = [(a - b) / (2 * step) for a, b in zip(ahead, back, strict=True)]
    for graph in (reverse, forward):
        found = ir.evaluate(graph, [*operands, u, v])[-2:]
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-8)


def test_the_gradient_of_the_reverse_loop_needs_no_check_of_its_own() -> None:
    with capacity.use(LoopOptions(capacity=8)):
        first = joint(layers().graph(F64_33, F64_3), [1, 2]).graph
        second = joint(first, [1, 2], [1, 2]).graph
    count = [sum(n.op is ops.check for n in g.walk()) for g in (first, second)]
    assert count == [1, 2]  # the forward loop's, and that of the loop with buffers


def newton(x: Any) -> tuple[Any, ...]:
    """Square root by Newton's method, until it does not change: no count at all."""

    def go_on(target: Any, y: Any) -> Any:
        error = ops.subtract(ops.multiply(y, y), target)
        return ops.greater(ops.square(error), number(1e-20, np.float64))

    def step(target: Any, y: Any) -> Any:
        both = ops.add(y, ops.divide(target, y))
        return ops.multiply(both, number(0.5, np.float64))

    types = [F64, F64]
    regions = (ir.region("condition", types, go_on), ir.region("body", types, step))
    found: tuple[Any, ...] = ops.while_(x, x, regions=regions, num_consts=1)
    return found


def test_a_loop_that_stops_by_its_values() -> None:
    x = np.asarray(7.0)
    (found,) = gradient(newton, [x], [np.asarray(1.0)])
    np.testing.assert_allclose(found, 0.5 / np.sqrt(7), rtol=1e-9)


SWAPS = Counted([], [F64, F64], lambda a, b: [b, ops.multiply(ops.sin(a), b)])
SHARED = Counted([F64], [F64, F64], lambda c, a, b: [ops.add(a, ops.multiply(b, c)), b])
FORGETS = Counted([], [F64, F64], lambda a, b: [number(0.5, np.float64), ops.multiply(a, b)])


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("loop", "count"), [(SWAPS, 2), (SHARED, 3), (FORGETS, 2)], ids=["swaps", "shared", "forgets"]
)
def test_carries_that_change_places_stay_or_are_forgotten(
    loop: Counted, count: int, n: int
) -> None:
    operands = [np.asarray(v) for v in (0.7, 1.3, -0.4)[:count]]
    check_gradients(lambda *xs: loop(trips(n), *xs), *operands)


def test_what_no_trip_changes_is_not_kept_per_trip() -> None:
    made = joint_of(SHARED.graph(F64, F64, F64), [1, 2, 3], capacity=8).graph
    types = [v.type for n in made.nodes if n.op is ops.full for v in n.results]
    assert TensorType(np.dtype("f8"), (8,)) not in types


def test_the_values_before_and_after_a_trip_share_a_buffer() -> None:
    loop = Counted([F64_33], [F64_3], lambda w, x: [ops.tanh(_times(w, x))])
    made = joint_of(loop.graph(F64_33, F64_3), [1, 2], capacity=8).graph
    buffers = [n for n in made.nodes if n.op is ops.full and n.results[0].shape == (8, 3)]
    assert len(buffers) == 1
    w, x = layer_values()
    check_gradients(lambda w, x: loop(trips(3), w, x), w, x, order=1)


def _times(w: Any, x: Any) -> Any:
    return ops.reshape(ops.matmul(ops.reshape(x, shape=(1, 3)), w), shape=(3,))


def test_integer_and_boolean_carries_steer_and_have_no_cotangents() -> None:
    """Break as a flag, continue as a select: what captured loops are made of."""

    def step(x: Any, k: Any, stopped: Any) -> list[Any]:
        odd = ops.equal(ops.remainder(k, number(2)), number(1))
        grown = ops.multiply(x, ops.sin(x))
        after = ops.select(odd, x, grown)
        return [after, ops.add(k, number(3)), ops.greater(k, number(9))]

    loop = Counted([], [F64, COUNT, BOOL], step, lambda x, k, stopped: ops.logical_not(stopped))
    start = (trips(1), np.asarray(False))

    def run(x: Any) -> Any:
        return loop(trips(50), x, *start)[0]

    check_gradients(run, np.asarray(2.1))


def test_effects_in_the_body_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    token = ir.token

    def step(x: Any, t: Any) -> list[Any]:
        return [ops.sin(x), ops.print_(t, x, template="x={:.2f}")]

    loop = Counted([], [F64, token], step)
    (found,) = gradient(
        lambda x: loop(trips(2), x, ops.create_token())[:1], [np.asarray(1.0)], [np.asarray(1.0)]
    )
    assert capsys.readouterr().out == "x=1.00\nx=0.84\n"
    np.testing.assert_allclose(found, np.cos(1.0) * np.cos(np.sin(1.0)))


def test_what_a_callback_gives_is_kept_not_asked_for_again() -> None:
    asked: list[float] = []

    def double(x: Any) -> Any:
        asked.append(float(x))
        return 2 * x

    def step(x: Any, t: Any) -> list[Any]:
        t, factor = ops.callback(t, x, function=double, result_types=(F64,))
        return [ops.multiply(ops.sin(x), factor), t]

    loop = Counted([], [F64, ir.token], step)
    (found,) = gradient(
        lambda x: loop(trips(2), x, ops.create_token())[:1], [np.asarray(0.5)], [np.asarray(1.0)]
    )
    second = np.sin(0.5) * 1.0
    assert asked == [0.5, second]
    np.testing.assert_allclose(found, 2 * second * np.cos(second) * np.cos(0.5))


def test_a_failed_check_in_the_body_is_an_error_of_the_forward_pass() -> None:
    def step(x: Any) -> list[Any]:
        small = ops.less(x, number(3.0, np.float64))
        ops.check(small, error="IndexOutOfRangeError", message="too far")
        return [ops.multiply(x, x)]

    loop = Counted([], [F64], step)
    made = joint_of(loop.graph(F64), [1]).graph
    assert sum(n.op is ops.check for n in made.walk()) == 2
    with pytest.raises(IndexOutOfRangeError, match="too far"):
        ir.evaluate(made, [trips(4), np.asarray(1.5), np.asarray(1.0)])


def complex_step(z: Any) -> list[Any]:
    return [ops.add(ops.multiply(z, z), ops.exp(z))]


@pytest.mark.parametrize(
    ("x", "step"),
    [
        (np.asarray([0.1 + 0.2j, -0.3j]), complex_step),
        (np.empty((0, 2)), lambda x: [ops.sin(x)]),
        (np.ones((2, 1, 3)) / 3, lambda x: [ops.multiply(ops.sin(x), x)]),
    ],
    ids=["complex", "empty", "shape"],
)
def test_dtypes_and_shapes(x: Any, step: Callable[..., Any]) -> None:
    loop = Counted([], [TensorType(x.dtype, x.shape)], step)
    check_gradients(lambda x: loop(trips(3), x), x, order=1)


def test_half_precision_stays_as_it_is() -> None:
    kind = TensorType(np.dtype(np.float16), (2,))
    loop = Counted([kind], [kind], lambda c, x: [ops.multiply(c, ops.sin(x))])
    c, x = np.asarray([1, 2], np.float16), np.asarray([0.5, 0.25], np.float16)
    found = gradient(lambda c, x: loop(trips(2), c, x), [c, x], [np.ones(2, np.float16)])
    assert [g.dtype for g in found] == [np.float16, np.float16]


def test_rows_of_a_constant_get_their_cotangents_in_place() -> None:
    """No array of the constant's size is made in a trip."""
    table = TensorType(np.dtype(np.float64), (50, 3))

    def step(rows: Any, x: Any, k: Any) -> list[Any]:
        row = ops.dynamic_slice(rows, k, number(0), sizes=(1, 3))
        picked = ops.gather(rows, ops.reshape(k, shape=(1,)), axes=(0,))
        both = ops.add(ops.reshape(row, shape=(3,)), ops.reshape(picked, shape=(3,)))
        return [ops.multiply(ops.sin(x), both), ops.add(k, number(1))]

    loop = Counted([table], [F64_3, COUNT], step)
    made = joint_of(loop.graph(table, F64_3, COUNT), [1, 2], capacity=8).graph
    (back,) = [n for n in made.nodes if n.attributes.get("bound") == 8]
    large = [n.op.name for n in back.regions[1].nodes if n.results[0].type == table]
    assert sorted(large) == ["dynamic_update_slice", "scatter"]
    rows = np.random.default_rng(0).normal(size=(50, 3))
    check_gradients(
        lambda rows, x: loop(trips(4), rows, x, trips(2))[0], rows, np.ones(3) / 2, order=1
    )


def test_only_the_cotangents_that_are_asked_for_are_computed() -> None:
    made = joint_of(layers().graph(F64_33, F64_3), [2], capacity=8).graph
    (back,) = [n for n in made.nodes if n.attributes.get("bound") == 8]
    assert F64_33 not in [v.type for v in back.results]


def test_the_number_of_trips_has_no_cotangent() -> None:
    made = joint_of(layers().graph(F64_33, F64_3), [0, 1, 2])
    assert made.inputs == (1, 2)


def test_compile_size_does_not_depend_on_the_capacity() -> None:
    graph = layers().graph(F64_33, F64_3)
    sizes = {len(list(joint_of(graph, [1, 2], capacity=c).graph.walk())) for c in (1, 64, 4096)}
    assert len(sizes) == 1


def test_forward_mode_carries_tangents_and_keeps_no_trajectory() -> None:
    w, x = layer_values()
    made, outputs = jvp_graph(layers().graph(F64_33, F64_3), [1, 2])
    (loop,) = [n for n in made.nodes if n.op is ops.while_]
    assert outputs == (0,)
    assert [v.type for v in loop.results] == [COUNT, F64_3, F64_3]
    dw, dx = np.ones((3, 3)), np.asarray([1.0, -1.0, 2.0])
    _, found = ir.evaluate(made, [trips(100), w, x, dw, dx])
    with jax.enable_x64(True):
        _, wanted = jax.jvp(lambda w, x: scanned(w, x, 100), (w, x), (dw, dx))
    np.testing.assert_allclose(found, wanted, **CLOSE)


@pytest.mark.parametrize("backend", ["planned", "xla"])
@pytest.mark.parametrize("options", [{"capacity": 8}, {"checkpoints": 2}], ids=str)
def test_backends_run_gradients_of_loops(backend: str, options: dict[str, Any]) -> None:
    w, x = layer_values()
    made = joint_of(layers().graph(F64_33, F64_3), [1, 2], **options).graph
    lowered, _ = passes.lower_checks(passes.run_pipeline(made).graph)
    compiled = get_backend(backend).compile(lowered)
    for n in (0, 1, 5, 8):
        _, *found = compiled(trips(n), w, x, np.ones(3))
        for one, other in zip(found, layers_gradient(n, w, x, np.ones(3)), strict=False):
            np.testing.assert_allclose(one, other, **CLOSE)


def test_a_layer_is_what_the_gradient_by_hand_takes() -> None:
    w, x = layer_values()
    np.testing.assert_allclose(layer(w, x)[0], np.tanh(x @ w) + spread(0.1, x) * np.sin(x))


def test_symbolic_sizes() -> None:
    def loop_of(size: Any) -> tuple[Counted, TensorType]:
        rows = TensorType(np.dtype(np.float64), (size, 2))
        return Counted([rows], [rows], lambda c, x: [ops.multiply(c, ops.sin(x))]), rows

    c, x = np.full((3, 2), 0.5), np.full((3, 2), 0.7)
    wanted = gradient(loop_of(3)[0], [trips(4), c, x], [np.ones((3, 2))])
    loop, rows = loop_of(ir.Dim("n"))
    for options in ({"capacity": 8}, {"checkpoints": 2}):
        made = joint_of(loop.graph(rows, rows), [1, 2], **options).graph
        _, *found = ir.evaluate(made, [trips(4), c, x, np.ones((3, 2))])
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("options", [{"capacity": 8}, {"checkpoints": 2}], ids=str)
def test_a_check_in_the_condition(options: dict[str, Any]) -> None:
    def go_on(x: Any) -> Any:
        ops.check(ops.less(x, number(9.0, np.float64)), x, error="CheckError", message="x is {}")
        return ops.less(x, number(100.0, np.float64))

    loop = Counted([], [F64], lambda x: [ops.multiply(x, x)], go_on)
    made = joint_of(loop.graph(F64), [1], **options)
    lowered, table = passes.lower_checks(made.graph)
    *found, status = ir.evaluate(lowered, [trips(2), np.asarray(1.5), np.asarray(1.0)])
    assert status[0] == 0
    np.testing.assert_allclose(found[1], 4 * 1.5**3)
    *_, status = ir.evaluate(lowered, [trips(4), np.asarray(1.5), np.asarray(1.0)])
    failure = table[status[0] - 1].exception(status)
    assert isinstance(failure, CheckError)
    assert "x is 25.6" in str(failure)


@pytest.mark.parametrize("options", [{}, {"checkpoints": 2}], ids=str)
def test_what_was_made_of_a_loop_lives_no_longer_than_the_loop(options: dict[str, Any]) -> None:
    loop = layers()
    w, x = layer_values()
    with capacity.use(LoopOptions(**options)):
        gradient(loop, [trips(3), w, x], [np.ones(3)])
    jvp_graph(loop.graph(F64_33, F64_3), [1, 2])
    body = weakref.ref(loop.body)
    del loop
    gc.collect()
    assert body() is None
