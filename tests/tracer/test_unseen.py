"""Functions without source: captured where guards see all that they use, else run in segments."""

from __future__ import annotations

import types
from typing import Any

import pytest

import plait as pl

SOURCE = """
class Layer:
    rate = 1.0
    def __call__(self, x):
        self.calls += 1
        return x * self.calls
def helper(x): return x * K
def plain(x): return pl.tanh(x) * K + pl.sum(x)
def calls(x): return helper(x)
def attribute(x): return x * config.rate
def appends(x):
    items.append(1.0)
    return x * len(items)
def puts(x):
    add(1.0)
    return x * len(items)
def assigns(x):
    global K
    K += 1
    return x * K
def default(x, *, held={"n": 0}):
    held["n"] += 1
    return x * held["n"]
def of_class(x): return x * Layer.rate
def evaluates(x): return x * eval("K")
def given(o, x): return x * o.rate
def reads(x): return x * sum(items)
"""


def typed() -> dict[str, Any]:
    """What a shell knows after the source was typed into it."""
    items: list[float] = [1.0]
    config = types.SimpleNamespace(rate=2.0)
    names = {"pl": pl, "K": 2.0, "items": items, "config": config, "add": items.append}
    names["__name__"] = "typed"
    exec(SOURCE, names)
    return names


def calls(f: Any, names: dict[str, Any]) -> list[float]:
    """Results before and after changes outside."""
    found = [float(f(pl.constant(1.0))) for _ in range(2)]
    names["K"], names["config"].rate, names["Layer"].rate = 5.0, 6.0, 7.0
    names["items"].append(4.0)
    found += [float(f(pl.constant(1.0))) for _ in range(2)]
    exec("def helper(x): return x + 100", names)
    return [*found, float(f(pl.constant(1.0)))]


@pytest.mark.parametrize("name", ["plain", "calls", "reads"])
def test_what_guards_can_see_is_one_graph(name: str) -> None:
    ours, theirs = typed(), typed()
    f = pl.graph_function(ours[name], backend="reference", fullgraph=True)
    assert calls(f, ours) == pytest.approx(calls(theirs[name], theirs))


BROKEN = ["attribute", "appends", "puts", "assigns", "default", "of_class", "evaluates"]


@pytest.mark.parametrize("name", BROKEN)
def test_what_guards_cannot_see_runs_in_segments(name: str) -> None:
    ours, theirs = typed(), typed()
    f = pl.graph_function(ours[name], backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match=f"{name} has no source"):
        found = calls(f, ours)
    assert found == calls(theirs[name], theirs)


@pytest.mark.parametrize("name", BROKEN)
def test_so_does_what_calls_it(name: str) -> None:
    ours, theirs = typed(), typed()
    inner = ours[name]
    f = pl.graph_function(lambda x: inner(x), backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match=f"{name} has no source"):
        found = calls(f, ours)
    assert found == calls(theirs[name], theirs)


class Held:
    rate = 2.0


def test_objects_that_it_is_given() -> None:
    held = Held()
    f = pl.graph_function(typed()["given"], backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match="it is given a Held"):
        assert float(f(held, pl.constant(1.0))) == 2.0
    held.rate = 3.0
    assert float(f(held, pl.constant(1.0))) == 3.0


def test_methods_without_source() -> None:
    layer = typed()["Layer"]()
    layer.calls = 0
    f = pl.graph_function(layer, backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match="it is given a Layer"):
        assert [float(f(pl.constant(1.0))) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert layer.calls == 3
