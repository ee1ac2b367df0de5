"""``explain()``: each capture has one record with its reason, line and times."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import dispatch
from plait.runtime import explain_text
from plait.runtime.explain import Explanation, definition
from plait.runtime.records import BreakRecord, Fix, SideEffect, TraceRecord, UnseenCall

compiled = functools.partial(pl.graph_function, backend="planned")
HERE = "tests/plait/runtime/test_explain.py"


def ones(*shape: int) -> Any:
    return pl.ones(shape)


def line_of(function: Callable[..., Any], text: str) -> int:
    """The line of a function that holds a text."""
    lines, start = inspect.getsourcelines(function)
    (found,) = [i for i, line in enumerate(lines) if text in line]
    return start + found


def changed(*calls: tuple[Any, ...]) -> TraceRecord:
    """The record of the last of some calls, of which each but it was captured or known."""
    f = compiled(lambda x, k=None: x)
    for call in calls:
        f(*call)
    record = f.explain(fixes=False).traces[-1]
    assert isinstance(record, TraceRecord)
    return record


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([(ones(2),), (ones(3),)], [("argument", "x", "f32[2]", "f32[3]", "")]),
        (
            [(ones(2, 3),), (ones(4, 3),)],
            [("argument", "x", "f32[2,3]", "f32[4,3]", "dimension 0")],
        ),
        (
            [(ones(2, 3, 4),), (ones(3, 3, 5),)],
            [("argument", "x", "f32[2,3,4]", "f32[3,3,5]", "dimensions 0, 2")],
        ),
        ([(ones(2),), (pl.ones(2, dtype="int32"),)], [("argument", "x", "f32[2]", "i32[2]", "")]),
        (
            [(ones(2),), (np.ones(2, np.float32),)],
            [("argument", "x", "tensor f32[2]", "ndarray f32[2]", "")],
        ),
        ([(ones(2), "a"), (ones(2), "b")], [("argument", "k", "'a'", "'b'", "")]),
        ([(ones(2), 1), (ones(2), None)], [("argument", "k", "1", "None", "")]),
        ([({"a": ones(2)},), ({"b": ones(2)},)], None),
        ([([ones(2)],), ((ones(2),),)], None),
        (
            [(ones(2), 1), (ones(2), 2)],
            [("number", "k", "1", "any int", "it is an input of the graph now")],
        ),
    ],
)
def test_what_differs(calls: Any, expected: Any) -> None:
    record = changed(*calls)
    found = [(c.kind, c.path, c.before, c.after, c.note) for c in record.changes]
    if expected is None:
        kinds = {c.kind for c in record.changes}
        assert kinds in ({"structure"}, {"argument"})
    else:
        assert found == expected
    assert (record.number, record.against) == (2, 1)


def test_paths_that_come_and_go() -> None:
    record = changed(({"a": ones(2)},), ({"b": ones(2)},))
    assert [str(c) for c in record.changes] == [
        "x['a']: f32[2] -> absent",
        "x['b']: absent -> f32[2]",
    ]


def test_the_lines_that_call() -> None:
    @compiled
    def f(x: Any) -> Any:
        return x + 1

    f(ones(2))  # first
    f(ones(3))  # second
    f(ones(2))
    first, second = f.explain(fixes=False).traces
    me = test_the_lines_that_call
    assert (first.location.file, first.location.function) == (HERE, me.__name__)
    assert first.location.line == line_of(me, "# first\n")
    assert second.location.line == line_of(me, "# second\n")
    assert second.changes[0].location == second.location
    assert first.changes == ()
    assert first.is_first
    assert first.reason == "first call"
    assert second.reason == "x: f32[2] -> f32[3]"
    assert second.signature == "(f32[3])"


def test_the_nearest_capture_is_compared() -> None:
    f = compiled(lambda x, y: (x, y))
    for sizes in ((2, 2), (3, 3), (2, 4), (3, 5)):
        f(ones(sizes[0]), ones(sizes[1]))
    assert [r.against for r in f.explain(fixes=False).traces] == [0, 1, 1, 2]


def test_a_number_whose_value_is_needed_gives_its_line() -> None:
    @compiled
    def f(x: Any, k: int) -> Any:
        y = x + 1
        return y + pl.zeros((k,))  # needs it

    for k in (2, 3, 4):
        f(ones(1), k)
    first, *others = f.explain(fixes=False).traces
    assert first.is_first
    assert [c.kind for r in others for c in r.changes] == ["number", "number"]
    assert [str(c) for r in others for c in r.changes] == ["k: 2 -> 3", "k: 3 -> 4"]
    lines = {c.location.line for r in others for c in r.changes}
    assert lines == {line_of(test_a_number_whose_value_is_needed_gives_its_line, "# needs it\n")}
    assert {c.note for r in others for c in r.changes} == {"its value decides a shape or a branch"}


def test_a_number_that_cannot_be_an_input_gives_the_line_that_fails() -> None:
    names = {1.0: "one", 2.0: "two", 3.0: "three"}

    @compiled
    def f(x: Any, k: float) -> Any:
        return x, names[k]  # fails

    f(ones(1), 1.0)
    f(ones(1), 2.0)
    (change,) = f.explain(fixes=False).traces[1].changes
    assert change.kind == "number"
    assert str(change) == "k: 1.0 -> 2.0"


def test_a_variable_made_by_the_first_call() -> None:
    made: list[Any] = []

    @compiled
    def f(x: Any) -> Any:
        if not made:
            made.append(pl.Variable(np.zeros(2, np.float32)))  # made
        return x + made[0]

    for _ in range(3):
        f(ones(2))
    first, second = f.explain(fixes=False).traces
    assert first.is_first
    assert second.reason == "pl.Variable: absent -> made by the call"
    where = second.changes[0].location
    assert where.line == line_of(test_a_variable_made_by_the_first_call, "# made\n")


def test_arguments_that_are_one_object() -> None:
    @compiled
    def f(x: Any, y: Any) -> Any:
        x[0] = 5
        return y + 0

    f(np.ones(2), np.ones(2))
    a = np.ones(2)
    assert f(a, a)[0] == 5
    (change,) = f.explain(fixes=False).traces[-1].changes
    assert (change.kind, str(change)) == ("aliasing", "arguments: different objects -> y is x")


def test_a_program_that_left_the_cache() -> None:
    f = compiled(lambda x: x, cache_size=1)
    for size in (2, 3, 2):
        f(ones(size))
    reasons = [r.reason for r in f.explain(fixes=False).traces]
    assert reasons == [
        "first call",
        "x: f32[2] -> f32[3]",
        "program: kept -> dropped for newer ones",
    ]
    assert f.explain().traces[2].changes[0].note == "cache_size= keeps more"


def test_clear_cache_starts_anew() -> None:
    f = compiled(lambda x: x)
    f(ones(2))
    f(ones(3))
    f.clear_cache()
    assert len(f.explain()) == 0
    f(ones(3))
    assert [r.reason for r in f.explain().traces] == ["first call"]


@pytest.mark.parametrize("backend", ["xla", "planned", "reference"])
def test_times_of_what_was_done(backend: str) -> None:
    f = pl.graph_function(lambda x: pl.tanh(x) + 1, backend=backend)
    f.trace(ones(2))
    (record,) = f.explain().traces
    assert (record.trace_ms or 0) > 0
    assert (record.passes_ms, record.lower_ms, record.compile_ms) == (None, None, None)
    f(ones(2))
    (record,) = f.explain().traces
    assert (record.passes_ms or 0) > 0
    assert (record.compile_ms or 0) > 0
    assert (record.lower_ms is not None) == (backend == "xla")
    assert (record.backend, record.device, record.nodes) == (backend, "default", 3)


def test_nothing_happened_yet() -> None:
    e = compiled(lambda x: x, name="idle").explain()
    assert len(e) == 0
    assert str(e).startswith("idle (")
    assert str(e).endswith("): not captured yet")


def test_a_function_called_in_another() -> None:
    inner = compiled(lambda x: x * 2, name="inner")
    outer = compiled(lambda x: inner(x) + 1, name="outer")
    outer(ones(2))
    outer(ones(3))
    assert [r.reason for r in inner.explain(fixes=False).traces] == [
        "first call",
        "x: f32[2] -> f32[3]",
    ]
    assert inner.explain(fixes=False).traces[0].compile_ms is None


def test_captured_again_in_each_function_around_it() -> None:
    def outer(x: Any) -> Any:
        y = x * 2
        inner = made.setdefault("inner", compiled(lambda z: z + held[-1], name="inner"))
        held.append(y)
        return inner(x)

    made: dict[str, Any] = {}
    held: list[Any] = []
    compiled(outer)(ones(2))
    compiled(outer)(ones(2))
    records = made["inner"].explain(fixes=False).traces
    assert [r.reason for r in records] == ["first call", "program: not kept -> captured again"]


class Model:
    """Has a compiled method."""

    @compiled
    def apply(self, x: Any) -> Any:
        """Add one."""
        return x + 1


def test_methods_by_instance_and_together() -> None:
    one, two = Model(), Model()
    one.apply(ones(2))
    two.apply(ones(2))
    two.apply(ones(3))
    assert len(one.apply.explain().traces) == 1
    assert len(two.apply.explain().traces) == 2
    assert len(Model.apply.explain().traces) == 3


def test_where_it_is_defined() -> None:
    def plain(x: Any) -> Any:
        return x

    class Callable_:
        def __call__(self, x: Any) -> Any:
            return x

    line = plain.__code__.co_firstlineno
    assert (definition(plain).file, definition(plain).line) == (HERE, line)
    assert definition(functools.partial(plain, 1)).line == line
    assert definition(Callable_()).line == Callable_.__call__.__code__.co_firstlineno
    assert definition(np.add).line == 0


# Its forms.


def explained() -> Explanation:
    """An explanation that has a record of each kind."""

    def noisy(x: Any, name: str) -> Any:
        trace: Any = dispatch.current()
        trace.notes.unseen("library.solve")
        trace.notes.unseen("library.solve")
        trace.notes.side_effect("open wrote <log>")
        trace.notes.unrolled(None, 100, "its body needs the number")
        return x

    f = compiled(noisy)
    f(ones(2), "<a>")
    f(ones(2), "<b>")
    breaks = f._specializer.history.breaks
    first = [breaks.note("x.numpy() needs the values") for _ in range(2)]
    assert first == [True, False]
    f(ones(3), "<b>")
    return f.explain()


def test_all_kinds_of_records() -> None:
    e = explained()
    assert isinstance(e, Explanation)
    assert [type(r) for r in e[:3]] == [TraceRecord] * 3
    assert len(e) == len(e.traces) + len(e.breaks) + len(e.unseen) + len(e.unrolled) + len(
        e.side_effects
    ) + len(e.fixes)
    assert [r.number for r in e.retraces] == [2, 3]
    assert [r.function for r in e.unseen] == ["library.solve"] * len(e.unseen)
    assert all(isinstance(r, UnseenCall) for r in e.unseen)
    assert [type(r) for r in e.side_effects] == [SideEffect]
    assert e.unrolled[0].trips == 100
    assert isinstance(e.breaks[0], BreakRecord)
    assert e.side_effects[0].location.file == HERE
    first: Any = e.traces[0]
    with pytest.raises(AttributeError):
        first.number = 7


def test_as_json() -> None:
    e = explained()
    read = json.loads(json.dumps(e.as_dict()))
    assert read["function"] == "noisy"
    assert read["location"]["file"] == HERE
    assert [t["reason"] for t in read["traces"]] == [t.reason for t in e.traces]
    assert read["traces"][1]["changes"][0]["path"] == "name"
    assert read["traces"][1]["changes"][0]["location"]["file"] == HERE
    assert read["side_effects"][0]["what"] == "open wrote <log>"
    assert {len(read[group]) == len(getattr(e, group)) for group in explain_text.TITLES} == {True}


def test_as_text() -> None:
    e = explained()
    text = str(e)
    assert text == repr(e)
    lines = text.splitlines()
    assert lines[0].endswith(": captured 3 times; times in milliseconds")
    assert lines[1].split() == list(explain_text.HEADER)
    assert "name: '<a>' -> '<b>'" in lines[3]
    assert "library.solve" in text
    assert "a loop of 100 trips is unrolled: its body needs the number" in text
    assert "x.numpy() needs the values (2 times)" in text


def test_a_long_reason_is_folded() -> None:
    f = compiled(lambda **xs: None)
    f(**{f"argument_{i}": ones(2) for i in range(9)})
    f(**{f"argument_{i}": ones(3) for i in range(9)})
    text = str(f.explain())
    assert max(map(len, text.splitlines()[:12])) < 180
    assert text.count("f32[2] -> f32[3]") >= 9


def test_as_html() -> None:
    page = explained()._repr_html_()
    assert "&lt;a&gt;" in page
    assert "<a>" not in page
    assert page.count("<table>") == page.count("</table>") >= 4


# max_traces.


def test_one_capture_too_many() -> None:
    f = compiled(lambda x, k: x, max_traces=2, name="f")
    f(ones(2), "a")
    f(ones(2), "b")
    f(ones(2), "a")
    with pytest.raises(
        pl.errors.RetraceError,
        match=r"^f would be captured 3 times, and max_traces=2: k: 'a' -> 'c'; f\.explain\(\)",
    ) as caught:
        f(ones(2), "c")  # too many
    assert caught.value.location.line == line_of(test_one_capture_too_many, "# too many\n")
    assert isinstance(caught.value, pl.errors.TraceError)
    assert len(f.explain().traces) == 2
    f(ones(2), "b")
    f.clear_cache()
    f(ones(2), "c")


def test_captures_that_fail_do_not_count() -> None:
    @compiled(max_traces=1)
    def f(x: Any, fail: bool) -> Any:
        if fail:
            raise KeyError("mine")
        return x

    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            f(ones(2), True)
    f(ones(2), False)


@pytest.mark.parametrize("bad", [0, -1, "2", 1.5])
def test_max_traces_is_a_number(bad: Any) -> None:
    with pytest.raises(pl.errors.SignatureError, match="max_traces"):
        compiled(lambda x: x, max_traces=bad)


# The log.


def test_the_log_says_what_the_records_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = compiled(lambda x, k: x, name="f")
    f(ones(2), 1)
    monkeypatch.setenv("PLAIT_LOG", "retrace")
    f(ones(3), 1)
    f(ones(3), "a")
    monkeypatch.delenv("PLAIT_LOG")
    lines = capsys.readouterr().err.splitlines()
    retraces = f.explain(fixes=False).retraces
    assert lines == [
        f"plait [retrace] f{r.signature}: {r.reason}, at {r.location}" for r in retraces
    ]


def test_fixes_print_what_was_tried() -> None:
    fix = Fix("x", "pad x", "equal results")
    assert str(fix) == "pad x (tried: equal results)"
