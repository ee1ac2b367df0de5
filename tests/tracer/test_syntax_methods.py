"""Special methods of users' classes that syntax calls: captured, watched and given back."""

from __future__ import annotations

from typing import Any

import pytest

import plait as pl


class Scaled:
    """A number that adds with a factor of its class, and counts."""

    factor = 2.0
    count = 0

    def __init__(self, value: Any) -> None:
        self.value = value

    def __add__(self, other: Any) -> Any:
        Scaled.count += 1
        return Scaled(self.value + other.value * Scaled.factor)

    def __lt__(self, other: Any) -> Any:
        return self.value < other.value

    def __neg__(self) -> Any:
        return Scaled(-self.value)


class Steps:
    """Gives some multiples."""

    step = 1.0

    def __init__(self, size: int) -> None:
        self.size = size

    def __iter__(self) -> Any:
        for i in range(self.size):
            yield i * self.step


A, B = Scaled(1.0), Scaled(2.0)
STEPS = Steps(3)


def uses(x: Any) -> Any:
    """Operators, a comparison that is traced, and iteration."""
    y = x * (A + B).value + (-A).value
    if Scaled(x) < Scaled(y):
        y = y + 1
    for step in STEPS:
        y = y + step
    return y


def test_what_special_methods_read_and_change_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = pl.graph_function(uses, fullgraph=True, backend="reference")
    monkeypatch.setattr(Scaled, "count", 0)

    def agree() -> None:
        before = Scaled.count
        for x in (3.0, -3.0):
            assert float(compiled(pl.constant(x))) == float(uses(pl.constant(x)))
        assert Scaled.count == before + 4

    agree()
    for owner, name, value in (
        (Scaled, "factor", 3.0),
        (STEPS, "size", 4),
        (Steps, "step", 2.0),
        (Steps, "step", 0.5),
    ):
        monkeypatch.setattr(owner, name, value)
        agree()
    monkeypatch.setattr(Scaled, "__neg__", lambda self: Scaled(self.value * 100))
    agree()
    records = compiled.explain(fixes=False).retraces
    paths = {change.path for record in records for change in record.changes}
    assert "type(A).__neg__" in paths


def test_classes_keep_their_own_methods() -> None:
    before = {name: vars(Scaled)[name] for name in ("__add__", "__lt__", "__neg__")}
    compiled = pl.graph_function(uses, backend="reference")
    compiled(pl.constant(1.0))
    assert {name: vars(Scaled)[name] for name in before} == before

    def fails(x: Any) -> Any:
        (A + B).missing  # noqa: B018 - the error is meant
        return x

    with pytest.raises(AttributeError):
        pl.graph_function(fails, fullgraph=True)(pl.constant(1.0))
    assert {name: vars(Scaled)[name] for name in before} == before


def test_a_compiled_function_inside_meets_the_same_class() -> None:
    inner = pl.graph_function(lambda x: (A + B).value * x, fullgraph=True, backend="reference")
    outer = pl.graph_function(
        lambda x: inner(x) + (A + B).value, fullgraph=True, backend="reference"
    )
    for x in (1.0, 2.0):
        value = (A + B).value
        assert float(outer(pl.constant(x))) == value * x + value
        assert float(inner(pl.constant(x))) == value * x
