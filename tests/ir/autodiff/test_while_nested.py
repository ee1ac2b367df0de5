"""Gradients of loops in loops, branches and calls: none is silently too short of room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait import ir, passes
from plait.ir import Graph, TensorType, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.graphs import Joint, joint
from plait.ir.errors import CheckError, LoopCapacityError
from tests.gradients import check_gradients
from tests.ir.autodiff.loops import COUNT, Counted, number, trips

F64 = TensorType(np.dtype(np.float64), ())


def joint_of(graph: Graph, inputs: list[int], **options: Any) -> Joint:
    with capacity.use(LoopOptions(**options)):
        return joint(graph, inputs)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_loop_in_a_loop(n: int) -> None:
    inner = Counted([F64], [F64], lambda c, y: [ops.sin(ops.multiply(c, y))])

    def step(c: Any, x: Any, k: Any) -> list[Any]:
        return [ops.add(inner(k, c, x)[0], x), ops.add(k, number(1))]

    outer = Counted([F64], [F64, COUNT], step)
    check_gradients(
        lambda c, x: outer(trips(n), c, x, trips(0))[0], np.asarray(1.2), np.asarray(0.4)
    )


def test_a_check_of_an_inner_loop_reaches_the_top() -> None:
    inner = Counted([], [F64], lambda y: [ops.sin(y)])
    outer = Counted([], [F64, COUNT], lambda x, k: [inner(k, x)[0], ops.add(k, number(1))])
    made = joint_of(outer.graph(F64, COUNT), [1], capacity=4)
    lowered, table = passes.lower_checks(made.graph)
    operands = [np.asarray(0.3), trips(0), np.asarray(1.0)]
    *_, status = ir.evaluate(lowered, [trips(4), *operands])
    assert status[0] == 0
    *_, status = ir.evaluate(lowered, [trips(4), np.asarray(0.3), trips(3), np.asarray(1.0)])
    failure = table[status[0] - 1].exception(status)
    assert isinstance(failure, LoopCapacityError)
    assert failure.trips == 5


def test_a_loop_in_a_scan() -> None:
    inner = Counted([F64], [F64], lambda c, y: [ops.sin(ops.multiply(c, y))])

    def body(c: Any, x: Any, k: Any) -> list[Any]:
        y = inner(k, c, x)[0]
        return [y, ops.multiply(y, y)]

    region = ir.region("body", [F64, F64, COUNT], body)

    def run(c: Any, x: Any) -> Any:
        return ops.scan(c, x, np.arange(3), regions=(region,), num_consts=1, num_carry=1, length=3)

    check_gradients(run, np.asarray(1.2), np.asarray(0.4))


SINES = Counted([], [F64], lambda x: [ops.sin(x)])


def called(n: Any, x: Any) -> Any:
    return ops.call(n, x, regions=(SINES.graph(F64),), name="sines")


def called_again(n: Any, x: Any) -> Any:
    return ops.call(n, x, regions=(SINES.graph(F64),), name="sines", remat=True)


def branched(n: Any, x: Any) -> Any:
    regions = (SINES.graph(F64), ir.region("else", [COUNT, F64], lambda _, x: x))
    return ops.cond(ops.greater(n, number(0)), n, x, regions=regions)


def in_a_scan(n: Any, x: Any) -> Any:
    body = ir.region("body", [COUNT, F64], SINES)
    return ops.scan(n, x, regions=(body,), num_consts=1, num_carry=1, length=1)


def in_a_loop(n: Any, x: Any) -> Any:
    return Counted([COUNT], [F64], lambda n, x: SINES(n, x))(number(1), n, x)


@pytest.mark.parametrize(
    "options",
    [{}, {"checkpoint": "sqrt"}, {"checkpoints": 2, "max_iterations": 4}, {"max_iterations": 4}],
    ids=str,
)
@pytest.mark.parametrize("function", [called, called_again, branched, in_a_scan, in_a_loop])
def test_a_loop_inside_is_never_silently_too_short(
    function: Callable[..., Any], options: dict[str, Any]
) -> None:
    graph = ir.region("f", [COUNT, F64], function)
    x, g = np.asarray(0.5), np.asarray(1.0)
    short = joint_of(graph, [1], **{"capacity": 4, **options}).graph
    with pytest.raises((LoopCapacityError, CheckError), match="made 9 trips"):
        ir.evaluate(short, [trips(9), x, g])
    again = passes.run_pipeline(short).graph
    with pytest.raises((LoopCapacityError, CheckError), match="made 9 trips"):
        ir.evaluate(again, [trips(9), x, g])
    wider = options | ({"max_iterations": 16} if "max_iterations" in options else {"capacity": 16})
    wanted, y = 1.0, 0.5
    for _ in range(9):
        wanted, y = wanted * np.cos(y), np.sin(y)
    made = joint_of(graph, [1], **wider).graph
    np.testing.assert_allclose(ir.evaluate(made, [trips(9), x, g]), [y, wanted])
