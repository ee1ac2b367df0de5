"""Abstract classes that get members, and Python's builtins patched: both are watched."""

from __future__ import annotations

import abc
import builtins
from typing import Any

import pytest

import plait as pl


class Shape(metaclass=abc.ABCMeta):  # noqa: B024
    """An abstract class."""


class Square:
    """Becomes a shape when it is registered."""


def by_instance(x: Any, thing: Any) -> Any:
    return x * 2 if isinstance(thing, (int, (Shape,))) else x


def by_class(x: Any, thing: Any) -> Any:
    return x * 2 if issubclass(type(thing), Shape) else x


@pytest.mark.parametrize("function", [by_instance, by_class])
def test_a_class_that_is_registered_later(function: Any) -> None:
    kind = type("Circle", (Square,), {})
    compiled = pl.graph_function(function, backend="reference", fullgraph=True)
    x, thing = pl.asarray([1.0]), kind()
    assert compiled(x, thing).tolist() == [1.0]
    Shape.register(kind)
    assert compiled(x, thing).tolist() == [2.0]
    reason = compiled.explain(fixes=False).traces[1].reason
    assert reason == "issubclass(Circle, Shape): False -> True"


def test_other_registrations_do_not_matter() -> None:
    compiled = pl.graph_function(by_instance, backend="reference", fullgraph=True)
    x, thing = pl.asarray([1.0]), Square()
    compiled(x, thing)
    Shape.register(type("Other", (), {}))
    compiled(x, thing)
    assert len(compiled.explain(fixes=False).traces) == 1


def test_a_builtin_that_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return x * len([1, 2]) + ascii(1).count("1")

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    x = pl.asarray([1.0])
    assert compiled(x).tolist() == [3.0]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "ascii", lambda item: "111")
        assert compiled(x).tolist() == [5.0]
        reason = compiled.explain(fixes=False).traces[1].reason
        assert reason.startswith("builtins.ascii: ")
    assert compiled(x).tolist() == [3.0]
    assert len(compiled.explain(fixes=False).traces) == 2


def test_a_builtin_that_a_function_without_source_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    namespace: dict[str, Any] = {}
    exec("def g(x):\n  return x * ord('a')", namespace)
    compiled = pl.graph_function(namespace["g"], backend="reference")
    x = pl.asarray([1.0])
    assert compiled(x).tolist() == [97.0]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "ord", lambda letter: 7)
        assert compiled(x).tolist() == [7.0]
