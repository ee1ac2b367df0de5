"""Gradients of loops from a fixed number of states: right at all counts, memory of the slots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, TensorType, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import joint
from plait.ir.errors import CheckError, GraphError, LoopCapacityError
from tests.gradients import check_gradients
from tests.ir.autodiff.loops import (
    COUNT,
    F64_3,
    F64_33,
    Counted,
    gradient,
    layer_values,
    layers,
    layers_gradient,
    number,
    trips,
)

F64 = TensorType(np.dtype(np.float64), ())
CLOSE: Any = {"rtol": 1e-9, "atol": 1e-11}


def gradient_graph(graph: Graph, inputs: list[int], **options: Any) -> Graph:
    with capacity.use(LoopOptions(**options)):
        return joint(graph, inputs).graph


def check_layers(graph: Graph, n: int) -> None:
    w, x = layer_values()
    _, *found = ir.evaluate(graph, [trips(n), w, x, np.ones(3)])
    for one, other in zip(found, layers_gradient(n, w, x, np.ones(3)), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 8])
def test_gradients_are_right_at_all_counts(k: int) -> None:
    graph = gradient_graph(layers().graph(F64_33, F64_3), [1, 2], checkpoints=k)
    for n in {0, 1, 2, k - 1, k, k + 1, 2 * k + 1, k * k, k * k + 1, 10 * k}:
        check_layers(graph, n)


def test_a_thousand_trips_from_eight_slots() -> None:
    check_layers(gradient_graph(layers().graph(F64_33, F64_3), [1, 2], checkpoints=8), 1000)


@pytest.mark.parametrize("room", [9, 16, 64])
def test_square_root_checkpoints(room: int) -> None:
    graph = gradient_graph(layers().graph(F64_33, F64_3), [1, 2], checkpoint="sqrt", capacity=room)
    for n in (0, 1, 2, 3, 7, room - 1, room):
        check_layers(graph, n)
    w, x = layer_values()
    with pytest.raises(LoopCapacityError) as caught:
        ir.evaluate(graph, [trips(room + 3), w, x, np.ones(3)])
    assert caught.value.trips == room + 3


def held_bytes(graph: Graph) -> int:
    """Bytes of all arrays of rows that loops of a graph carry: buffers and slots."""
    total = 0
    for node in graph.walk():
        if node.op is ops.full and node.results[0].ndim > 1:
            total += node.results[0].tensor_type.nbytes
    return total


def test_memory_is_that_of_the_slots_whatever_the_count() -> None:
    loop = Counted([], [F64_3], lambda x: [ops.sin(ops.multiply(x, x))])
    row = 3 * 8

    def held(**options: Any) -> int:
        return held_bytes(gradient_graph(loop.graph(F64_3), [1], **options))

    assert held(capacity=1024) == 1024 * row
    for k in (2, 4, 8, 32):
        assert held(checkpoints=k) == 2 * k * row  # two levels
        assert held(checkpoints=k, capacity=1 << 20) == 2 * k * row
    assert held(checkpoints=1) == 2 * row
    assert held(checkpoints=5) == 2 * 4 * row
    assert held(checkpoint="sqrt", capacity=1024) == 2 * 32 * row
    assert held(checkpoint="sqrt", capacity=1 << 20) == 2 * 1024 * row


def test_graphs_do_not_grow_with_the_slots() -> None:
    graph = layers().graph(F64_33, F64_3)
    sizes = {len(list(gradient_graph(graph, [1, 2], checkpoints=k).walk())) for k in (2, 8, 1024)}
    assert len(sizes) == 1


def test_few_trips_at_most_are_kept_whole() -> None:
    bounded = layers(bound=4).graph(F64_33, F64_3)
    whole = gradient_graph(bounded, [1, 2])
    assert str(gradient_graph(bounded, [1, 2], checkpoints=4)) == str(whole)
    assert str(gradient_graph(bounded, [1, 2], checkpoint="sqrt")) == str(whole)


@pytest.mark.parametrize("options", [{"checkpoints": 2}, {"checkpoint": "sqrt", "capacity": 16}])
def test_second_order(options: dict[str, Any]) -> None:
    w, x = layer_values()
    random = np.random.default_rng(1)
    u, v = random.normal(size=(3, 3)), random.normal(size=3)
    with capacity.use(LoopOptions(**options)):
        first = joint(layers().graph(F64_33, F64_3), [1, 2]).graph
        graphs = [joint(first, [1, 2], [1, 2]).graph, jvp_graph(first, [1, 2])[0]]
    step = 1e-6
    for n in (0, 1, 4, 7):
        ahead = layers_gradient(n, w + step * u, x + step * v, np.ones(3))
        back = layers_gradient(n, w - step * u, x - step * v, np.ones(3))
        for graph in graphs:
            found = ir.evaluate(graph, [trips(n), w, x, np.ones(3), u, v])[-2:]
            for one, a, b in zip(found, ahead, back, strict=True):
                np.testing.assert_allclose(one, (a - b) / (2 * step), atol=1e-7)


def test_only_what_the_next_trips_need_is_kept() -> None:
    """Not the running sum, which nothing reads, nor what no trip changes."""

    def step(c: Any, x: Any, total: Any, same: Any) -> list[Any]:
        return [ops.multiply(ops.sin(x), same), ops.add(total, ops.multiply(c, x)), same]

    loop = Counted([F64_3], [F64_3, F64_3, F64_3], step)
    graph = gradient_graph(loop.graph(*[F64_3] * 4), [1, 2, 3, 4], checkpoints=4)
    assert held_bytes(graph) == 2 * 4 * 3 * 8
    random = np.random.default_rng(0)
    with capacity.use(LoopOptions(checkpoints=4)):
        check_gradients(
            lambda *xs: loop(trips(11), *xs), *[random.normal(size=3) for _ in range(4)], order=1
        )


def test_integer_carries_are_kept_where_trips_need_them() -> None:
    def step(x: Any, k: Any) -> list[Any]:
        factor = ops.cast(k, dtype=np.dtype(np.float64))
        return [ops.add(ops.sin(x), ops.divide(x, factor)), ops.add(k, number(2))]

    loop = Counted([], [F64, COUNT], step)
    with capacity.use(LoopOptions(checkpoints=2)):
        check_gradients(lambda x: loop(trips(9), x, trips(1))[0], np.asarray(0.3), order=1)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_loop_in_a_loop(n: int) -> None:
    inner = Counted([F64], [F64], lambda c, y: [ops.sin(ops.multiply(c, y))])

    def step(c: Any, x: Any, k: Any) -> list[Any]:
        return [ops.add(inner(k, c, x)[0], x), ops.add(k, number(1))]

    outer = Counted([F64], [F64, COUNT], step)
    with capacity.use(LoopOptions(checkpoints=2)):
        check_gradients(
            lambda c, x: outer(trips(n), c, x, trips(1))[0],
            np.asarray(1.2),
            np.asarray(0.4),
            order=1,
        )


def test_max_iterations_still_holds() -> None:
    w, x = layer_values()
    graph = gradient_graph(layers().graph(F64_33, F64_3), [1, 2], checkpoints=2, max_iterations=9)
    check_layers(graph, 9)
    with pytest.raises(CheckError, match="made 10 trips"):
        ir.evaluate(graph, [trips(10), w, x, np.ones(3)])


def test_prints_and_checks_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    def step(x: Any, t: Any) -> list[Any]:
        ops.check(ops.less(x, number(9.0, np.float64)), error="CheckError", message="large")
        return [ops.sin(x), ops.print_(t, x, template="x={:.2f}")]

    loop = Counted([], [F64, ir.token], step)
    with capacity.use(LoopOptions(checkpoints=2)):
        (found,) = gradient(
            lambda x: loop(trips(3), x, ops.create_token())[:1],
            [np.asarray(1.0)],
            [np.asarray(1.0)],
        )
    assert capsys.readouterr().out == "x=1.00\nx=0.84\nx=0.75\n"
    xs = [1.0, np.sin(1.0), np.sin(np.sin(1.0))]
    np.testing.assert_allclose(found, np.prod(np.cos(xs)))


def _asking(reads: bool) -> Counted:
    def step(x: Any, t: Any) -> list[Any]:
        t, factor = ops.callback(t, x, function=lambda x: 2 * x, result_types=(F64,))
        made = ops.sin(x)
        return [ops.multiply(made, factor) if reads else ops.add(made, factor), t]

    return Counted([], [F64, ir.token], step)


@pytest.mark.parametrize(
    ("reads", "says"), [(True, "backward pass needs"), (False, "next trip needs")]
)
def test_what_a_callback_gives_cannot_be_computed_again(reads: bool, says: str) -> None:
    graph = _asking(reads).graph(F64, ir.token)
    with pytest.raises(GraphError, match=f"checkpoints when its {says}.*leave checkpoints out"):
        gradient_graph(graph, [1], checkpoints=2)
