"""Debuggers, coverage tools and tracebacks see the user's file, lines and names."""

from __future__ import annotations

import bdb
import copy
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.tracer.convert import corpus_control as control
from tests.tracer.convert import corpus_exceptions, corpus_names
from tests.tracer.convert.fake import idle, tracing


def lines_run(function: Callable[..., Any], *arguments: Any) -> list[int]:
    """The lines of a function's own code, as a tracing tool is told of them."""
    found: list[int] = []
    code = function.__code__

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            found.append(frame.f_lineno)
        return local

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code is code:
            return local(frame, event, argument)
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*copy.deepcopy(arguments))
    finally:
        sys.settrace(before)
    return found


SAME_LINES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (control.if_else, (1,)),
    (control.if_else, (0,)),
    (control.early_returns, (5,)),
    (control.nested_returns, (1, -1)),
    (control.collatz, (7,)),
    (control.while_else, (3, 9)),
    (control.while_else, (3, 1)),
    (control.continues, (6,)),
    (control.while_continue, (5,)),
    (control.sieve, (12,)),
    (control.endless, (3,)),
    (control.static_tests, (2,)),
    (control.falls_off, (0,)),
]


@pytest.mark.parametrize("number", range(len(SAME_LINES)))
def test_the_same_lines_in_the_same_order(number: int) -> None:
    function, arguments = SAME_LINES[number]
    expected = lines_run(function, *arguments)
    found = lines_run(idle().convert(function), *arguments)
    # Steps that stand for one line may come in several pieces.
    assert _merged(found) == _merged(expected)


def _merged(lines: list[int]) -> list[int]:
    return [line for i, line in enumerate(lines) if not i or lines[i - 1] != line]


@pytest.mark.parametrize("make", [idle, tracing])
def test_coverage_is_complete(make: Any) -> None:
    for function, arguments in control.CASES:
        try:
            expected = set(lines_run(function, *arguments))
        except Exception:
            continue
        found = set(lines_run(make().convert(function), *arguments))
        assert found >= expected - {function.__code__.co_firstlineno}, function.__name__


class Debugger(bdb.Bdb):
    """Stops at a breakpoint and notes what it sees there."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, dict[str, Any]]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            own = {k: v for k, v in frame.f_locals.items() if not k.startswith("_plait")}
            self.seen.append((frame.f_code.co_name, frame.f_lineno, own))
        self.set_continue()


@pytest.mark.parametrize("make", [idle, tracing])
def test_a_breakpoint_is_met(make: Any) -> None:
    file = control.__file__
    first = control.collatz.__code__.co_firstlineno
    line = first + 8  # the last statement of the loop
    debugger = Debugger()
    converted = make().convert(control.collatz)
    assert debugger.set_break(file, line) is None
    before = sys.gettrace()
    try:
        debugger.runcall(converted, 4)
    finally:
        sys.settrace(before)
    assert [(name, where) for name, where, _ in debugger.seen] == [("collatz", line)] * 2
    assert [seen for *_, seen in debugger.seen] == [
        {"n": 2, "steps": 0},
        {"n": 1, "steps": 1},
    ]


@pytest.mark.parametrize("make", [idle, tracing])
def test_a_traceback_points_into_the_file(make: Any) -> None:
    converted = make().convert(corpus_exceptions.raises)
    with pytest.raises(ValueError, match="zero") as caught:
        converted(0)
    frame = traceback.extract_tb(caught.tb)[-1]
    assert (frame.filename, frame.name) == (corpus_exceptions.__file__, "raises")
    assert frame.line == 'raise ValueError("zero")'


def codes(code: Any) -> list[Any]:
    inner = [c for c in code.co_consts if isinstance(c, type(code))]
    return [code, *(found for one in inner for found in codes(one))]


def test_code_keeps_its_names_and_places() -> None:
    for function in (corpus_names.closures, corpus_names.classes, corpus_names.Derived.get):
        converted = idle().convert(function)
        assert converted.__qualname__ == function.__qualname__
        expected = {(c.co_qualname, c.co_firstlineno) for c in codes(function.__code__)}
        found = {(c.co_qualname, c.co_firstlineno) for c in codes(converted.__code__)}
        assert found >= expected
        assert {c.co_filename for c in codes(converted.__code__)} == {function.__code__.co_filename}
        assert converted.__code__.co_freevars == function.__code__.co_freevars
