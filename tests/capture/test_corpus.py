"""The corpus: each function means the same eagerly, on NumPy, and compiled by each backend."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.entries import ENTRIES, Entry
from tests.capture.observe import Observation, differences, observe

CORPUS = Path(__file__).parent / "corpus"
for _file in sorted(CORPUS.glob("*.py")):
    importlib.import_module(f"tests.capture.corpus.{_file.stem}")

#: By kind of test, the entries that do not pass yet, with the reason.
PENDING: dict[str, dict[str, str]] = {
    "compiled": {},
    "arrays": {},
    "xla": {},
    "graph": {},
    "break": {},
}

CONTROL = ("cond", "while", "scan")
BACKENDS = ("reference", "planned")


def entries(kind: str, wanted: Callable[[Entry], Any] = lambda entry: True) -> pytest.MarkDecorator:
    """A test for each entry; those that do not pass yet are strict expected failures."""
    marks = {n: pytest.mark.xfail(strict=True, reason=why) for n, why in PENDING[kind].items()}
    chosen = {name: entry for name, entry in ENTRIES.items() if wanted(entry)}
    parameters = [
        pytest.param(entry, id=name, marks=[marks[name]] if name in marks else [])
        for name, entry in chosen.items()
    ]
    return pytest.mark.parametrize("entry", parameters)


def plain(function: Any, **_: Any) -> Any:
    """What scenarios take in the place of ``graph_function`` to run eagerly."""
    return function


def array(given: Any) -> Any:
    """What stands for a tensor in calls with NumPy: of no dimensions, what NumPy itself gives."""
    return given if given.ndim else given[()]


def runs(entry: Entry, compiled: Callable[..., Any], convert: Any) -> Iterator[Observation]:
    """Call a function, compiled once, with each input in turn, then with each once more."""
    function = entry.function if entry.is_scenario else compiled(entry.function)
    if entry.is_scenario:
        yield observe(function, (compiled,), {}).without_arguments()
        return
    for call in (*entry.inputs, *entry.inputs):
        yield observe(function, *call.fresh(convert))


def check(entry: Entry, compiled: Callable[..., Any], convert: Any = pl.asarray) -> None:
    """Compare a function compiled with the plain one on all inputs."""
    eager = list(runs(entry, plain, convert))
    always = always_arguments(eager)
    for number, got in enumerate(runs(entry, compiled, convert)):
        wanted = eager[number].with_identities(always | got.arguments())
        if entry.widens:
            wanted, got = wanted.with_identities(set()), got.with_identities(set())
        found = differences(wanted, got, widens=entry.widens)
        if got.warned and not entry.breaks:
            found.append(f"warned: {got.warned}")
        assert not found, "\n".join([describe(entry, number), *found])


def always_arguments(observed: list[Observation]) -> set[str]:
    """The parts of the result that are one argument in all calls: no branch on values decides."""
    paths = {path for o in observed for path in o.arguments()}
    which = {p: {o.argument(p) for o in observed if o.is_object(p)} for p in paths}
    return {p for p, found in which.items() if len(found) == 1}


def describe(entry: Entry, number: int) -> str:
    """The call that differs."""
    if entry.is_scenario:
        return entry.name
    return f"{entry.name}, call {number}: {entry.inputs[number % len(entry.inputs)]}"


def compiler(entry: Entry, backend: str) -> Callable[..., Any]:
    """``graph_function`` that refuses to break, unless the entry breaks."""

    def compiled(function: Any, **options: Any) -> Any:
        options = {"backend": backend, "fullgraph": not entry.breaks, **options}
        return pl.graph_function(function, **options)

    return compiled


@pytest.mark.parametrize("entry", [pytest.param(e, id=n) for n, e in ENTRIES.items() if e.numpy])
def test_eager_means_what_numpy_means(entry: Entry) -> None:
    wanted = list(runs(entry, plain, np.asarray))
    for number, got in enumerate(runs(entry, plain, pl.asarray)):
        found = differences(wanted[number], got, classes=False)
        assert not found, "\n".join([describe(entry, number), *found])


@entries("compiled")
def test_compiled_means_what_eager_means(entry: Entry) -> None:
    for backend in BACKENDS:
        check(entry, compiler(entry, backend))


@entries("arrays", lambda entry: entry.numpy)
def test_compiled_takes_arrays(entry: Entry) -> None:
    check(entry, compiler(entry, "planned"), array)


@entries("xla", lambda entry: entry.xla)
def test_on_xla(entry: Entry) -> None:
    check(entry, compiler(entry, "xla"))


@entries("graph", lambda entry: entry.captures is not None)
def test_control_ops(entry: Entry) -> None:
    assert entry.captures is not None
    positional, named = entry.inputs[0].fresh(pl.asarray)
    graph = compiler(entry, "reference")(entry.function).trace(*positional, **named).graph
    found = Counter(node.op.name for node in graph.walk() if node.op.name in CONTROL)
    assert found == Counter(re.findall(r"\w+", entry.captures))


@entries("break", lambda entry: entry.breaks and not entry.is_scenario)
def test_fullgraph_refuses_a_break(entry: Entry) -> None:
    function = pl.graph_function(entry.function, backend="reference", fullgraph=True)
    positional, named = entry.inputs[0].fresh(pl.asarray)
    with pytest.raises(pl.errors.TraceError, match=r"\n  at "):
        function(*positional, **named)


def test_the_corpus_is_large_enough() -> None:
    assert len(ENTRIES) >= 150


def test_what_is_pending_exists() -> None:
    assert {name for names in PENDING.values() for name in names} <= ENTRIES.keys()
