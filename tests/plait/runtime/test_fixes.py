"""Fixes that ``explain()`` tells: those that work, and none that was not tried or fails."""

from __future__ import annotations

import functools
import gc
import importlib
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import dispatch
from plait.runtime import fixes as fix_module
from plait.runtime.specialize import Specializer
from plait.tracer.asked import is_asked

compiled = functools.partial(pl.graph_function, backend="planned")


def ones(*shape: int) -> Any:
    return pl.ones(shape)


def fixes(f: Any, *calls: tuple[Any, ...]) -> list[str]:
    """The advice after some calls."""
    for call in calls:
        f(*call)
    return [fix.advice for fix in f.explain().fixes]


CUT = "pad x with zeros to a few sizes, and cut the results: one graph then serves all that fit"
WHOLE = "pad x with zeros to a few sizes: one graph then serves all that fit"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (pl.tanh, CUT),
        (lambda x: x @ x.T, CUT),
        (pl.sum, WHOLE),
        (lambda x: (pl.sum(x), x + 1), CUT),
        (pl.mean, None),
        (pl.softmax, None),
        (lambda x: pl.cumsum(pl.flip(x)), None),
        (lambda x: pl.ones(2) * pl.max(pl.abs(x)), WHOLE),
    ],
)
def test_padding_is_told_when_the_results_are_equal(
    function: Callable[..., Any], expected: str | None
) -> None:
    f = compiled(lambda x: function(x))
    rank = 2 if expected == CUT else 1
    calls = [(ones(*[size] * rank),) for size in (3, 5)]
    assert fixes(f, *calls) == ([] if expected is None else [expected])
    assert fixes(f, *[(ones(*[size] * rank),) for size in (4, 2)]) == (
        [] if expected is None else [expected]
    )


def test_padding_of_several_arguments() -> None:
    f = compiled(lambda x, y: pl.sum(x * y))
    assert fixes(f, (ones(3), ones(3)), (ones(2), ones(2))) == [
        "pad x and y with zeros to a few sizes: one graph then serves all that fit"
    ]
    crossed = compiled(lambda x, y: pl.sum(x) + pl.sum(y))
    assert fixes(crossed, (ones(3), ones(2)), (ones(2), ones(3))) == []


def test_padding_is_not_tried_on_what_has_state() -> None:
    total = pl.Variable(np.zeros((), np.float32))

    @compiled
    def f(x: Any) -> Any:
        total.assign_add(pl.sum(x))
        return pl.sum(x)

    assert fixes(f, (ones(2),), (ones(3),)) == []
    assert float(total.numpy()) == 5

    @compiled
    def g(x: Any) -> Any:
        x[0] = 1
        return pl.sum(x)

    assert fixes(g, (np.ones(2),), (np.ones(3),)) == []


def test_nothing_is_compiled_for_a_trial() -> None:
    f = compiled(pl.sum)
    f.trace(ones(2))
    f.trace(ones(3))
    assert f.explain().fixes == ()
    assert [r.compile_ms for r in f.explain().traces] == [None, None]


def test_one_kind_of_array() -> None:
    expected = ["pass x as a tensor each time: pl.asarray(x)"]
    a = np.ones(2, np.float32)
    for calls in ([(ones(2),), (a,)], [(a,), (ones(2),)]):
        f = compiled(lambda x: x + 1)
        assert fixes(f, *calls) == expected
        count = len(f.explain().traces)
        f(pl.asarray(a))
        assert len(f.explain().traces) == count


def test_a_number_that_is_static_without_need() -> None:
    def times(x: Any, n: int) -> Any:
        return x * n

    def shaped(x: Any, n: int) -> Any:
        return x + pl.zeros((n,))

    calls = [(ones(1), 2), (ones(1), 3)]
    assert fixes(compiled(times, static="n"), *calls) == [
        "take n out of static=: it then is an input of the graph, and one serves all values"
    ]
    assert fixes(compiled(shaped, static="n"), *calls) == []
    assert fixes(compiled(shaped), *calls) == []
    assert fixes(compiled(times), *calls) == []


def test_a_truth_value() -> None:
    def chosen(x: Any, flag: bool) -> Any:
        return pl.where(flag, x, -x)

    def named(x: Any, flag: bool) -> Any:
        return {True: x, False: -x}[flag]

    calls = [(ones(1), True), (ones(1), False)]
    assert fixes(compiled(chosen), *calls) == [
        "pass flag as a tensor, pl.asarray(flag): one graph then serves all values"
    ]
    assert fixes(compiled(named), *calls) == []


def test_a_tensor_that_would_change_the_dtype() -> None:
    def scaled(x: Any, n: int) -> Any:
        return pl.ones((n,)) * x

    def gathered(x: Any, n: int, k: int) -> Any:
        return x * k * pl.ones((n,))

    assert fixes(compiled(scaled), (ones(1), 2), (ones(1), 3)) == []
    f = compiled(gathered, static=("n", "k"))
    assert fixes(f, (ones(1), 2, 3), (ones(1), 2, 4)) == [
        "take k out of static=: it then is an input of the graph, and one serves all values"
    ]


def test_strings_have_no_fix() -> None:
    assert fixes(compiled(lambda x, k: x), (ones(1), "a"), (ones(1), "b")) == []


def test_trials_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    trials: list[Specializer] = []

    def trial(*args: Any) -> Specializer:
        trials.append(Specializer(*args))
        return trials[-1]

    monkeypatch.setattr(fix_module, "Specializer", trial)
    log: list[int] = []

    def chosen(x: Any, flag: bool) -> Any:
        log.append(1)
        return pl.where(flag, x, -x)

    f = compiled(chosen)
    f(ones(1), True)
    f(ones(1), False)
    assert f.explain(fixes=False).fixes == ()
    assert trials == []
    first = f.explain()
    assert len(first.fixes) == 1
    assert len(trials) == 1
    second = f.explain()
    assert second.fixes == first.fixes
    assert len(trials) == 1
    assert len(second.traces) == 2
    assert log == [1, 1]


def test_no_trial_of_what_cannot_be_done_again() -> None:
    runs: list[int] = []

    def writes(x: Any, flag: bool) -> Any:
        runs.append(1)
        trace: Any = dispatch.current()
        trace.notes.side_effect("wrote a file")
        return pl.where(flag, x, -x)

    assert fixes(compiled(writes), (ones(1), True), (ones(1), False)) == []
    assert len(runs) == 2


def test_a_dropped_program_has_no_trial() -> None:
    f = compiled(pl.sum, cache_size=1)
    assert fixes(f, (ones(2),), (ones(3),)) == []


def test_random_indices_that_are_out_of_range() -> None:
    f = compiled(lambda x, i: pl.take(x, i + 7))
    assert fixes(f, (ones(9), pl.asarray([0])), (ones(9), pl.asarray([0, 1]))) == [
        "pad i with zeros to a few sizes, and cut the results: one graph then serves all that fit"
    ]
    g = compiled(lambda x, i: pl.take(x, i - 7))
    assert fixes(g, (ones(3), pl.asarray([7])), (ones(3), pl.asarray([7, 8]))) == []


LIBRARY = """
def clipped(x):
    if x.sum() > 0:
        return x
    return -x


def printed(x):
    return float(x.numpy().sum())
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed module of its own for each test."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    name = f"library_{tmp_path.name}"
    (folder / f"{name}.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.mark.filterwarnings("ignore::plait.ir.errors.GraphBreakWarning")
def test_a_library_whose_code_breaks_the_graph(library: Any) -> None:
    f = compiled(lambda x: library.clipped(x) + 1)
    name = library.__name__
    assert fixes(f, (ones(2),), (ones(2),)) == [
        f'call pl.convert_modules("{name}") before the first call'
    ]
    (fix,) = f.explain().fixes
    assert (fix.path, fix.location.line) == (name, 3)
    assert not is_asked(name)
    f.clear_cache()
    assert f.explain().fixes == ()
    f(ones(2))
    assert len(f.explain().breaks) == 1  # a trial changes nothing
    f.clear_cache()
    pl.convert_modules(name)
    f(ones(2))
    assert f.explain().breaks == ()
    assert len(f.explain().traces) == 1


@pytest.mark.filterwarnings("ignore::plait.ir.errors.GraphBreakWarning")
def test_a_library_that_needs_values_has_no_fix(library: Any) -> None:
    f = compiled(lambda x: library.printed(x) + x)
    assert fixes(f, (ones(2),), (ones(2),)) == []
    assert f.explain().breaks[0].count == 2


@pytest.mark.filterwarnings("ignore::plait.ir.errors.GraphBreakWarning")
def test_no_argument_is_kept_for_a_trial(library: Any) -> None:
    f = compiled(lambda x: library.clipped(x) + 1)
    x = ones(2)
    held = weakref.ref(x)
    f(x)
    del x
    gc.collect()
    assert held() is None
    assert len(f.explain().fixes) == 1
