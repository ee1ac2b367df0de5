"""Never stale: each kind of outside change is seen, and explained by its path and line."""

from __future__ import annotations

from typing import Any

import pytest

import plait as pl
from tests.capture.changes.kind import Change
from tests.capture.changes.run import call, execute, load
from tests.capture.changes.table import KINDS, NUMBERS
from tests.capture.fuzz.execute import freeze


def compiled(change: Change) -> tuple[dict[str, Any], Any]:
    """The module of a change and its function, captured."""
    module = load(change.source, f"<change: {change.name}>")
    return module, pl.graph_function(module["f"], backend="reference")


def agree(text: str, f: Any, module: dict[str, Any]) -> None:
    """The compiled function gives what the plain one gives."""
    assert freeze(call(text, f, module)) == freeze(call(text, module["f"], module))


@pytest.mark.parametrize("change", KINDS, ids=lambda change: change.name)
def test_a_change_is_seen_and_has_one_record(change: Change) -> None:
    module, f = compiled(change)
    agree(change.call, f, module)
    agree(change.call, f, module)
    assert len(f.explain().traces) == 1
    execute(change.change, module, "<the change>")
    for _ in range(2):
        agree(change.again or change.call, f, module)
    found = f.explain()
    if change.path is None:
        assert len(found.traces) == 1, found.as_text()
        return
    assert len(found.retraces) == 1, found.as_text()
    check_record(change, found.retraces[0])


def check_record(change: Change, record: Any) -> None:
    """The record names the path and the line."""
    assert change.path in [c.path for c in record.changes], str(record)
    places = {(c.location.file, c.location.line) for c in record.changes}
    file, line = (f"<change: {change.name}>", change.line) if change.here else ("<call>", 1)
    assert places == {(file, line)}, str(record)
    assert all(c.before != c.after for c in record.changes)


@pytest.mark.parametrize("change", NUMBERS, ids=lambda change: change.name)
def test_a_number_in_arithmetic_becomes_an_input(change: Change) -> None:
    module, f = compiled(change)
    for _ in range(5):
        agree(change.call, f, module)
        execute(change.change, module, "<the change>")
    found = f.explain()
    assert len(found.traces) <= 2, found.as_text()
    for record in found.retraces:
        check_record(change, record)


def test_there_are_more_than_forty_kinds() -> None:
    names = [change.name for change in (*KINDS, *NUMBERS)]
    assert len(set(names)) == len(names) >= 40
