"""Checks as a status output: first failure, details, regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph, GraphBuilder, Value, ops
from plait.ir.errors import CheckError, GraphError, IndexOutOfRangeError
from plait.passes import lower_checks, run_pipeline
from tests.passes.rule_cases import make

I = "i64[]"  # noqa: E741 - the type's own letter


def demand(i: Value, limit: int, message: str = "{0}") -> None:
    """A check that i is below a limit."""
    ok = ops.less(i, np.int64(limit))
    ops.check(ok, i, error="IndexOutOfRangeError", message=message)


def status_of(graph: Graph, *numbers: int) -> list[int]:
    lowered, _ = lower_checks(graph)
    ir.verify(lowered)
    status: list[int] = ir.evaluate(lowered, [np.asarray(n, np.int64) for n in numbers])[
        -1
    ].tolist()
    return status


def test_without_checks_nothing_changes() -> None:
    graph = make("f32[4]", ops.tanh)
    assert lower_checks(graph) == (graph, ())


def test_the_first_failure_in_program_order_counts() -> None:
    def build(i: Value) -> Any:
        demand(i, 10, "ten {0}")
        demand(i, 5, "five {0}")
        ops.check(ops.less(i, np.int64(7)), error="CheckError", message="seven")
        return i

    graph = make(I, build)
    assert status_of(graph, 3) == [0, 0, 0, 0]
    assert status_of(graph, 6) == [2, 6, 0, 0]
    assert status_of(graph, 20) == [1, 20, 0, 0]
    table = lower_checks(graph)[1]
    assert [(r.error, r.message) for r in table] == [
        ("IndexOutOfRangeError", "ten {0}"),
        ("IndexOutOfRangeError", "five {0}"),
        ("CheckError", "seven"),
    ]


def test_three_details_fit_and_four_do_not() -> None:
    def build(count: int) -> Any:
        def checked(i: Value) -> Value:
            ok = ops.less(i, np.int64(5))
            ops.check(ok, *[i] * count, error="CheckError", message="{} {}")
            return i

        return checked

    assert status_of(make(I, build(3)), 9) == [1, 9, 9, 9]
    with pytest.raises(GraphError, match="at most 3 details"):
        lower_checks(make(I, build(4)))


def test_dropped_when_not_enabled() -> None:
    def build(i: Value) -> Any:
        demand(i, 5)
        return ops.add(i, i)

    found, table = lower_checks(make(I, build), enabled=False)
    assert table == ()
    assert [n.op.name for n in found.nodes] == ["add"]


def test_the_room_of_a_loop_is_checked_in_any_case() -> None:
    """Else its gradient would be wrong, and nobody would know."""

    def room(i: Value) -> Any:
        ok = ops.less(i, np.int64(3))
        ops.check(ok, i, error="LoopCapacityError", message="{} trips")
        demand(i, 1)
        return ops.add(i, np.int64(1))

    def function(i: Value) -> Any:
        demand(i, 5)
        go_on = make(I, lambda i: ops.less(i, np.int64(5)))
        return ops.while_(i, regions=(go_on, make(I, room)), num_consts=0)

    found, table = lower_checks(make(I, function), enabled=False)
    assert [record.error for record in table] == ["LoopCapacityError"]
    assert ir.evaluate(found, [np.asarray(9)])[1].tolist() == [0, 0, 0, 0]
    assert ir.evaluate(found, [np.asarray(1)])[1].tolist() == [1, 3, 0, 0]


def test_the_record_has_the_users_line() -> None:
    graph = ir.parse(
        'graph f(%ok: bool[]) -> () { check(%ok) {error = "CheckError", message = "no"} '
        '@ "model.py":12 return }'
    )
    assert str(lower_checks(graph)[1][0].location) == "model.py:12, in f"


def body(limit: int) -> Any:
    def build(i: Value) -> Any:
        demand(i, limit)
        return ops.add(i, np.int64(1))

    return build


def test_branches_give_their_status() -> None:
    regions = (make(I, body(5)), make(I, lambda i: i))

    def build(i: Value, j: Value) -> Any:
        return ops.cond(ops.less(j, np.int64(0)), i, regions=regions)

    graph = make(f"{I} {I}", build)
    assert status_of(graph, 9, -1) == [1, 9, 0, 0]
    assert status_of(graph, 9, 1) == [0, 0, 0, 0]


def test_calls_and_nested_regions_give_their_status() -> None:
    inner = make(I, lambda i: ops.call(i, regions=(make(I, body(5)),)))
    graph = make(I, lambda i: ops.call(i, regions=(inner,)))
    assert status_of(graph, 7) == [1, 7, 0, 0]


def loop(condition: Any, limit: int) -> Graph:
    return make(I, lambda i: ops.while_(
        i, regions=(make(I, condition), make(I, body(limit))), num_consts=0))  # fmt: skip


def test_a_while_stops_at_the_failure() -> None:
    graph = loop(lambda i: ops.less(i, np.int64(10)), 5)
    assert status_of(graph, 2) == [1, 5, 0, 0]
    lowered, _ = lower_checks(graph)
    assert ir.evaluate(lowered, [np.asarray(2)])[0] == 6
    endless = loop(lambda i: ops.greater_equal(i, np.int64(0)), 5)
    assert status_of(endless, 0) == [1, 5, 0, 0]


def test_checks_of_a_condition_count_on_each_evaluation() -> None:
    def condition(i: Value) -> Any:
        demand(i, 4, "condition {0}")
        return ops.less(i, np.int64(4))

    graph = loop(condition, 100)
    assert status_of(graph, 9) == [1, 9, 0, 0]
    assert status_of(graph, 1) == [1, 4, 0, 0]


def test_a_scan_carries_the_first_failure() -> None:
    def step(total: Value, x: Value) -> tuple[Value, Value]:
        demand(x, 3)
        return ops.add(total, x), x

    region = make(f"{I} {I}", step)
    builder = GraphBuilder("f")
    start, xs = builder.input(ir.parse_type(I)), builder.input(ir.parse_type("i64[4]"))
    with builder:
        results = ops.scan(start, xs, regions=(region,), num_consts=0, num_carry=1, length=4)
    lowered, _ = lower_checks(builder.build(results))
    ir.verify(lowered)
    total, ys, status = ir.evaluate(lowered, [np.asarray(0), np.asarray([1, 5, 2, 7])])
    assert (total, ys.tolist(), status.tolist()) == (15, [1, 5, 2, 7], [1, 5, 0, 0])


@pytest.mark.parametrize("number", [0, 4, 5, 6, 30])
def test_status_agrees_with_the_reference(number: int) -> None:
    def build(i: Value) -> Any:
        demand(i, 20)
        go_on = make(I, lambda j: ops.less(j, np.int64(8)))
        return ops.while_(i, regions=(go_on, make(I, body(7))), num_consts=0)

    graph = run_pipeline(make(I, build)).graph
    lowered, table = lower_checks(graph)
    status = ir.evaluate(lowered, [np.asarray(number)])[-1]
    if not status[0]:
        ir.evaluate(graph, [np.asarray(number)])
        return
    record = table[status[0] - 1]
    with pytest.raises((IndexOutOfRangeError, CheckError)) as caught:
        ir.evaluate(graph, [np.asarray(number)])
    assert caught.type.__name__ == record.error
    assert caught.value.message == record.message.format(*status[1:])


DETAILS = [
    np.array(x, d)
    for d, x in {
        "bool": True,
        "int8": -3,
        "uint8": 250,
        "int16": -300,
        "uint16": 65535,
        "int32": -(2**31),
        "uint32": 2**32 - 1,
        "int64": -(2**63),
        "uint64": 2**64 - 1,
        "float16": -0.333,
        "float32": 1e-40,
        "float64": -1e300,
    }.items()
] + [np.array(-2.5, ir.bfloat16), np.array(np.nan), np.array(-np.inf, np.float32)]


@pytest.mark.parametrize("backend", ["reference", "planned"])
@pytest.mark.parametrize("detail", DETAILS, ids=lambda x: f"{x.dtype}-{x}")
def test_details_of_any_real_dtype_come_back_exactly(detail: Any, backend: str) -> None:
    spec = "" if detail.dtype.kind in "biu" else ":.9"

    def build(x: Value) -> Any:
        ops.check(np.array(False), x, x, error="ValueError", message=f"{{}} and {{{spec}}}")
        return ()

    lowered, table = lower_checks(make(str(ir.TensorType(detail.dtype, ())), build))
    ir.verify(lowered)
    (status,) = get_backend(backend).compile(lowered)(detail)
    with pytest.raises(ValueError, match=" and ") as caught:
        ir.evaluate(make(str(ir.TensorType(detail.dtype, ())), build), [detail])
    made = table[0].exception(np.asarray(status))
    assert (type(made), str(made)) == (ValueError, str(caught.value))
    assert str(made).startswith(f"{np.array_str(detail)} and ")


def test_an_error_that_is_made_gets_the_details() -> None:
    class Failed(Exception):
        pass

    def build(x: Value) -> Any:
        ops.check(np.array(False), x, error=lambda y: Failed(float(y)), message="")
        return ()

    lowered, table = lower_checks(make("f32[]", build))
    status = ir.evaluate(lowered, [np.array(2.5, np.float32)])[-1]
    made = table[0].exception(status)
    assert (type(made), made.args) == (Failed, (2.5,))


def printed(token: Value, text: str, x: Value) -> Value:
    shown: Value = ops.print_(token, x, template=f"{text} {{}}")
    return shown


def test_nothing_is_printed_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def step(token: Value, i: Value) -> Any:
        token = printed(token, "body", i)
        demand(i, 3)
        return printed(token, "checked", i)

    body_of_loop = make(f"token {I}", step)

    def build(xs: Value, n: Value) -> Any:
        token = printed(ops.create_token(), "start", n)
        demand(n, 9)
        token = printed(token, "after", n)
        token = ops.scan(token, xs, regions=(body_of_loop,), num_consts=0, num_carry=1, length=4)[0]
        return printed(token, "end", n)

    builder = GraphBuilder("f")
    inputs = [builder.input(ir.parse_type(t)) for t in ("i64[4]", I)]
    with builder:
        build(*inputs)
    graph = builder.build(())
    lowered, table = lower_checks(graph)
    ir.verify(lowered)
    for xs, n in (([0, 1, 2, 0], 1), ([0, 5, 2, 7], 1), ([0, 1, 2, 0], 12)):
        arrays = [np.asarray(xs), np.asarray(n)]
        status = np.asarray(get_backend("planned").compile(lowered)(*arrays)[-1])
        after = capsys.readouterr().out
        if status[0]:
            failed = table[status[0] - 1].exception(status)
            with pytest.raises(IndexOutOfRangeError, match=failed.args[0]):
                ir.evaluate(graph, arrays)
        else:
            ir.evaluate(graph, arrays)
        assert after == capsys.readouterr().out
