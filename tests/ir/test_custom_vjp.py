"""The op with a derivative of its own: what it demands, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, ops
from plait.ir.errors import CheckError, DTypeError, GraphError, PlaitError, ShapeError
from plait.passes import lower_checks, run_pipeline

F = ir.parse_type("f32[2]")
N = ir.parse_type("i32[]")


def regions() -> list[Graph]:
    """A function of a float and an integer, which keeps the integer."""
    return [
        ir.region("primal", [F, N], lambda x, n: [ops.sin(x), n]),
        ir.region("forward", [F, N], lambda x, n: [ops.sin(x), n, ops.cos(x)]),
        ir.region("backward", [F, F], lambda kept, g: [ops.multiply(kept, g)]),
    ]


def test_results_are_those_of_the_primal_function() -> None:
    assert ops.custom_vjp.infer_types((F, N), {}, tuple(regions())) == (F, N)
    x, n = np.asarray([1, 2], np.float32), np.asarray(3, np.int32)
    y, m = ops.custom_vjp(x, n, regions=tuple(regions()))
    np.testing.assert_array_equal(y, np.sin(x))
    assert m == 3


def replaced(role: int, region: Graph) -> list[Graph]:
    made = regions()
    made[role] = region
    return made


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        (regions()[:2], GraphError, "expected 3 region"),
        (replaced(1, regions()[2]), DTypeError, "region 'forward': input 1 is f32"),
        (
            replaced(1, ir.region("forward", [F, N], lambda x, n: [x])),
            ShapeError,
            "must give the 2 result",
        ),
        (
            replaced(1, ir.region("forward", [F, N], lambda x, n: [x, x])),
            DTypeError,
            "region 'forward': output 1 is f32",
        ),
        (
            replaced(2, ir.region("backward", [F], lambda g: [g])),
            ShapeError,
            "region 'backward': inputs: expected 2 as residual or cotangent, found 1",
        ),
        (
            replaced(2, ir.region("backward", [F, F], lambda kept, g: [g, g])),
            ShapeError,
            "region 'backward': outputs: expected 1 as cotangent, found 2",
        ),
    ],
)
def test_regions_must_fit(wrong: Sequence[Graph], error: type[PlaitError], match: str) -> None:
    with pytest.raises(error, match=match):
        ops.custom_vjp.infer_types((F, N), {}, tuple(wrong))


def calling(made: Sequence[Graph]) -> Graph:
    return ir.region("f", [F, N], lambda x, n: ops.custom_vjp(x, n, regions=tuple(made), name="g"))


def test_text_reads_back() -> None:
    graph = calling(regions())
    assert ir.structural_equal(ir.parse(str(graph)), graph)


def test_the_pipeline_leaves_the_primal_function() -> None:
    made = run_pipeline(calling(regions()), "inline,dce").graph
    assert [n.op for n in made.nodes] == [ops.sin]


def test_checks_inside_are_lowered() -> None:
    def checked(x: object, n: object) -> list[object]:
        zero = ops.constant(value=ir.Literal(np.int32(0)))
        ops.check(ops.equal(n, zero), n, error="CheckError", message="{} is not zero")
        return [x, n]

    made = [ir.region("primal", [F, N], checked), *regions()[1:]]
    lowered, table = lower_checks(calling(made))
    ir.verify(lowered)
    x = np.zeros(2, np.float32)
    *_, status = ir.evaluate(lowered, [x, np.asarray(7, np.int32)])
    error = table[int(status[0]) - 1].exception(status)
    assert isinstance(error, CheckError)
    assert "7 is not zero" in str(error)
    *_, status = ir.evaluate(lowered, [x, np.asarray(0, np.int32)])
    assert status[0] == 0
