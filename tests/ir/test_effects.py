"""Effects: prints, callbacks and checks that fail; what their type rules refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import display, ops, parse_type
from plait.ir.errors import (
    CheckError,
    DTypeError,
    IndexOutOfRangeError,
    PlaitError,
    ShapeError,
    UnknownNameError,
)
from plait.ir.template import escape, fill

F2, BOOL, I64 = parse_type("f32[2]"), parse_type("bool[]"), parse_type("i64[]")


def test_prints_keep_program_order(capsys: pytest.CaptureFixture[str]) -> None:
    def body(x: Any) -> Any:
        token = ops.print_(ops.create_token(), x, template="first {}")
        return ops.print_(token, x, x, template="then {1} {0:.2f} {{}}")

    graph = ir.region("f", [parse_type("f32[]")], body)
    assert ir.evaluate(graph, [np.float32(0.5).reshape(())]) == [ir.token]
    assert capsys.readouterr().out == "first 0.5\nthen 0.5 0.50 {}\n"


def test_prints_show_arrays_as_registered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_array_text", None)
    display.register_array_text(lambda a: f"<{a.shape}>")
    ops.print_(ops.create_token(), np.ones((2, 3)), template="{!r}", end="; ")
    assert capsys.readouterr().out == "<(2, 3)>; "


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{}", "0.1"),
        ("{!s}", "0.1"),
        ("{!a}", repr(np.float32(0.1))),
        ("{:.3f}", "0.100"),
        ("{0} {0:+}", "0.1 +0.10000000149011612"),
        ("{{{}}}", "{0.1}"),
        ("plain }}", "plain }"),
    ],
)
def test_forms_of_an_array(template: str, text: str) -> None:
    assert fill(template, [np.float32(0.1).reshape(())]) == text
    assert fill(escape(template), []) == template


def test_numpys_form_of_a_vector() -> None:
    assert fill("{0} {0!a}", [np.arange(3)]) == "[0 1 2] array([0, 1, 2])"


@pytest.mark.parametrize(
    ("template", "types"),
    [
        ("{} {}", (F2,)),
        ("{1}", (F2,)),
        ("{x}", (F2,)),
        ("{0.dtype}", (F2,)),
        ("{0[0]}", (F2,)),
        ("{:.3f}", (F2,)),
        ("{:>999999999}", (BOOL,)),
        ("{:{}}", (BOOL, I64)),
        ("{", (F2,)),
        ("{} {0}", (F2,)),
        ("{!x}", (F2,)),
    ],
)
def test_templates_that_do_not_fit(template: str, types: Any) -> None:
    with pytest.raises(ShapeError, match="template"):
        ops.print_.infer(ir.token, *types, template=template)


def test_a_print_takes_a_token_first() -> None:
    with pytest.raises(DTypeError, match=r"print: operand 0 must be a token, got f32\[2\]"):
        ops.print_.infer(F2, template="")
    with pytest.raises(DTypeError, match="print: operand 1: expected a tensor, got token"):
        ops.print_.infer(ir.token, ir.token, template="{}")


def test_checks_raise_their_class_with_their_details() -> None:
    attributes = {"error": "IndexOutOfRangeError", "message": "index {} of [0, {})"}
    details = [np.array(7, np.int64), np.array(3, np.int64)]
    assert ops.check(np.array(True), *details, **attributes) is None
    with pytest.raises(IndexOutOfRangeError, match=r"index 7 of \[0, 3\)"):
        ops.check(np.array(False), *details, **attributes)
    assert issubclass(IndexOutOfRangeError, IndexError)


@pytest.mark.parametrize(
    ("types", "error", "message", "raised", "says"),
    [
        ((), "CheckError", "", ShapeError, "condition"),
        ((parse_type("bool[2]"),), "CheckError", "", ShapeError, r"operand 0 must be bool\[\]"),
        ((I64,), "CheckError", "", DTypeError, r"operand 0 must be bool\[\]"),
        ((BOOL, parse_type("c64[]")), "CheckError", "", DTypeError, "1 must be a real scalar"),
        ((BOOL, F2), "CheckError", "", ShapeError, "operand 1 must be a scalar"),
        ((BOOL,), "CheckError", "{}", ShapeError, "message"),
        ((BOOL, I64), "CheckError", "{0.real}", ShapeError, "message"),
        ((BOOL,), "NoError", "", UnknownNameError, "unknown error 'NoError'"),
        ((BOOL,), "print", "", UnknownNameError, "unknown error 'print'"),
    ],
)
def test_what_check_refuses(
    types: Any, error: str, message: str, raised: type[PlaitError], says: str
) -> None:
    with pytest.raises(raised, match=says):
        ops.check.infer(*types, error=error, message=message)


def test_checks_raise_pythons_errors_and_made_ones() -> None:
    half = np.array(0.5, np.float16)
    with pytest.raises(OverflowError, match=r"^half is 0\.5$"):
        ops.check(np.array(False), half, error="OverflowError", message="half is {}")

    def make(*details: Any) -> KeyError:
        return KeyError(*details)

    with pytest.raises(KeyError) as caught:
        ops.check(np.array(False), half, error=make, message="{}")
    assert caught.value.args == (half,)


def test_the_text_form_names_what_makes_an_error() -> None:
    def make(*_: Any) -> ValueError:
        return ValueError("no")

    graph = ir.region("f", [BOOL], lambda ok: ops.check(ok, error=make, message="no"))
    name = f"{__name__}:{make.__qualname__}"
    assert f'check(%arg0) {{error = python "{name}", message = "no"}}' in graph.as_text()
    parsed = ir.parse(graph.as_text(), functions={name: make})
    assert ir.structural_equal(parsed, graph)
    with pytest.raises(ValueError, match="no"):
        ir.evaluate(parsed, [np.array(False)])


def test_a_callback_gets_copies_and_gives_its_own_arrays() -> None:
    kept: list[Any] = []

    def function(x: Any) -> Any:
        kept.append(x)
        x += 1
        return x

    x = np.zeros(2, np.float32)
    token, found = ops.callback(ir.token, x, function=function, result_types=(F2,))
    assert token == ir.token
    assert (x.tolist(), found.tolist()) == ([0, 0], [1, 1])
    assert not np.shares_memory(kept[0], found)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (np.zeros(2), DTypeError, "result 0 has dtype float64, expected f32"),
        (np.zeros(3, np.float32), ShapeError, r"result 0 has shape \(3,\), expected f32\[2\]"),
        ((), ShapeError, "gave 0 result"),
        (None, DTypeError, "result 0"),
    ],
)
def test_callbacks_that_give_something_else(given: Any, error: type[PlaitError], says: str) -> None:
    with pytest.raises(error, match=says):
        ops.callback(ir.token, function=lambda: given, result_types=(F2,))


def test_what_callback_refuses() -> None:
    with pytest.raises(DTypeError, match="must be callable"):
        ops.callback.infer(ir.token, function="f", result_types=())
    with pytest.raises(DTypeError, match="result type 0"):
        ops.callback.infer(ir.token, function=print, result_types=("f32[2]",))


def test_failed_checks_have_their_line() -> None:
    builder = ir.GraphBuilder("f")
    ok = builder.input(BOOL)
    with builder.at(ir.Location("user.py", 12, "f")):
        builder.emit("check", ok, error="CheckError", message="x must be positive")
    with pytest.raises(CheckError, match=r"x must be positive\n  at user.py:12, in f"):
        ir.evaluate(builder.build([]), [np.array(False)])


def test_a_barrier_gives_the_same_values() -> None:
    x, y = np.ones(2), np.zeros(3)
    first, second = ops.barrier(x, y)
    assert first is x
    assert second is y
    with pytest.raises(ShapeError, match="at least one"):
        ops.barrier.infer()
