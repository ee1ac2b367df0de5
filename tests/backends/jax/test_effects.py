"""Prints and callbacks of compiled graphs: order, types, exceptions; tokens; barriers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends.jax import compile
from plait.backends.jax.lowerings.effects import failures
from plait.ir import Graph, GraphBuilder, ops
from tests.backends.jax.graphs import graph_of

F64 = ir.parse_type("f64[]")


def loop(body: Any, count: int) -> Graph:
    """A loop that counts down from its argument and runs ``body(token, i, x)`` on the way."""
    types = ("i32[]", "token", "f64[]")

    def step(i: Any, t: Any, x: Any) -> Any:
        t, x = body(t, i, x)
        return ops.subtract(i, np.int32(1)), t, x

    condition = graph_of(lambda i, t, x: ops.greater(i, np.int32(0)), *types)
    regions = (condition, graph_of(step, *types))

    def function(x: Any) -> Any:
        start = (np.int32(count), ops.create_token(), x)
        return ops.while_(*start, regions=regions, num_consts=0)[2]

    return graph_of(function, "f64[]")


def test_prints_come_in_program_order(capfd: pytest.CaptureFixture[str]) -> None:
    def function(x: Any) -> Any:
        t = ops.print_(ops.create_token(), x, template="first {:.1f}")
        t, y = ops.callback(
            t, x, function=lambda a: (print("second", flush=True), a * 2)[1], result_types=(F64,)
        )
        ops.print_(t, y, template="third {:.1f}")
        return y

    executable = compile(graph_of(function, "f64[]"))
    for _ in range(3):
        assert float(executable(np.array(1.5))[0]) == 3.0
        assert capfd.readouterr().out == "first 1.5\nsecond\nthird 3.0\n"


def test_prints_in_a_loop(capfd: pytest.CaptureFixture[str]) -> None:
    def body(t: Any, i: Any, x: Any) -> Any:
        return ops.print_(t, i, x, template="{} {:.0f}"), ops.add(x, x)

    (found,) = compile(loop(body, 3))(np.array(1.0))
    assert float(found) == 8.0
    assert capfd.readouterr().out == "3 1\n2 2\n1 4\n"


def test_a_print_in_a_branch_comes_only_when_taken(capfd: pytest.CaptureFixture[str]) -> None:
    def shout(t: Any, x: Any) -> Any:
        return ops.print_(t, x, template="negative: {:.0f}"), ops.negative(x)

    types = ("token", "f64[]")
    regions = (graph_of(shout, *types), graph_of(lambda t, x: (t, x), *types))

    def function(x: Any) -> Any:
        below = ops.less(x, np.zeros(()))
        return ops.cond(below, ops.create_token(), x, regions=regions)[1]

    executable = compile(graph_of(function, "f64[]"))
    assert float(executable(np.array(2.0))[0]) == 2.0
    assert capfd.readouterr().out == ""
    assert float(executable(np.array(-2.0))[0]) == 2.0
    assert capfd.readouterr().out == "negative: -2\n"


@pytest.mark.parametrize("name", ["f64", "i64", "u64", "c128", "bf16", "bool"])
def test_callbacks_keep_types(name: str) -> None:
    type_: Any = ir.parse_type(f"{name}[2]")
    seen: list[Any] = []

    def host(x: Any) -> Any:
        seen.append(x)
        return x

    def function(x: Any) -> Any:
        return ops.callback(ops.create_token(), x, function=host, result_types=(type_,))[1]

    x = np.array([1, 0]).astype(type_.dtype) if name != "f64" else np.array([1 / 3, 1e300])
    (found,) = compile(graph_of(function, f"{name}[2]"))(x)
    assert type(seen[0]) is np.ndarray
    assert seen[0].dtype == found.dtype == x.dtype
    assert np.asarray(found).tobytes() == x.tobytes()


class Stop(Exception):
    """What a user's function raises."""


def test_an_exception_of_a_callback_is_raised_at_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[int] = []

    def host(i: Any, x: Any) -> Any:
        calls.append(int(i))
        if i == 2:
            raise Stop("at two")
        return x

    def body(t: Any, i: Any, x: Any) -> Any:
        return ops.callback(t, i, x, function=host, result_types=(F64,))

    executable = compile(loop(body, 4))
    for _ in range(2):
        calls.clear()
        with pytest.raises(Stop, match="at two"):
            executable(np.array(1.0))
        assert calls == [4, 3, 2]
    assert failures == {}
    assert "Stop" not in caplog.text


def test_a_result_of_another_type_is_an_error_that_names_the_function() -> None:
    def halves(x: Any) -> Any:
        return x.astype(np.float32)

    def function(x: Any) -> Any:
        return ops.callback(ops.create_token(), x, function=halves, result_types=(F64,))[1]

    with pytest.raises(ir.errors.DTypeError, match=r"halves.*float32"):
        compile(graph_of(function, "f64[]"))(np.array(1.0))


def test_tokens_go_in_and_out() -> None:
    builder = GraphBuilder("example")
    x, t = builder.input(F64, "x"), builder.input(ir.parse_type("token"), "t")
    with builder:
        y = ops.add(x, x)
    found = compile(builder.build([t, y, t]))(np.array(1.5), ir.token)
    assert found[0] is found[2] is ir.token
    assert float(found[1]) == 3.0


def test_a_barrier_stays_in_the_program() -> None:
    graph = graph_of(lambda x: ops.barrier(x, ops.add(x, x)), "f32[4]")
    executable = compile(graph)
    assert "optimization_barrier" in executable.as_text("stablehlo")
    assert [np.asarray(y).tolist() for y in executable(np.ones(4, np.float32))] == [
        [1.0] * 4,
        [2.0] * 4,
    ]
