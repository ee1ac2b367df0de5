"""What Python finds by way of classes, and imports in functions: guarded as other reads are."""

from __future__ import annotations

import collections
import functools
import operator
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl


def compiled(function: Callable[..., Any]) -> Any:
    """The function, captured as one graph or not at all."""
    return pl.graph_function(function, backend="reference", fullgraph=True)


def one() -> Any:
    """A tensor."""
    return pl.constant(1.0)


class Doubled:
    """A descriptor."""

    factor = 2.0

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, owner: Any, kind: type) -> Any:
        return getattr(owner, self.name) * self.factor

    def __set__(self, owner: Any, value: Any) -> None:
        setattr(owner, self.name, value + 1)


def test_descriptors_are_looked_into() -> None:
    class Held:
        value = Doubled()

    held: Any = Held()
    held.value = 3.0

    def f(x: Any) -> Any:
        held.value = held.value + 1
        return x * held.value

    other: Any = Held()
    g = compiled(f)
    other.value = 3.0
    for _ in range(3):
        want = (other._value * 2 + 2) * 2
        other.value = other.value + 1
        assert float(g(one())) == want
        assert held._value == other._value
    Held.__dict__["value"].factor = 0.5
    want = (held._value * 0.5 + 2) * 0.5
    assert float(g(one())) == want


class Table:
    """Attributes that stand in a dictionary."""

    calls = 0

    def __init__(self) -> None:
        self.table = {"rate": 2.0}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["table"][name]
        except KeyError:
            raise AttributeError(name) from None

    def count(self, x: Any) -> Any:
        Table.calls += 1
        return x * Table.calls


def test_attributes_by_getattr() -> None:
    table: Any = Table()
    f = compiled(lambda x: x * table.rate)
    assert float(f(one())) == 2.0
    table.table["rate"] = 3.0
    assert float(f(one())) == 3.0
    table.rate = 9.0
    assert float(f(one())) == 9.0


def test_a_method_may_name_its_own_class() -> None:
    table = Table()
    f = compiled(lambda x: table.count(x))
    before = Table.calls
    assert [float(f(one())) - before for _ in range(3)] == [1.0, 2.0, 3.0]
    assert Table.calls == before + 3


def test_what_super_finds_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Base:
        def scaled(self, x: Any) -> Any:
            return x + 1

    class Derived(Base):
        def scaled(self, x: Any) -> Any:
            return super().scaled(x) * 2

    held = Derived()
    f = compiled(lambda x: held.scaled(x))
    assert float(f(one())) == 4.0
    monkeypatch.setattr(Base, "scaled", lambda self, x: x + 5)
    assert float(f(one())) == 12.0


class Written:
    """Notes what is set."""

    def __init__(self) -> None:
        object.__setattr__(self, "names", [])
        self.n = 0

    def __setattr__(self, name: str, value: Any) -> None:
        self.names.append(name)
        super().__setattr__(name, value)

    def __getattribute__(self, name: str) -> Any:
        return object.__getattribute__(self, name)


def test_writes_by_super_are_made_again() -> None:
    held = Written()

    def f(x: Any) -> Any:
        held.n += 1
        return x * held.n

    g = compiled(f)
    assert [float(g(one())) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert held.n == 3
    assert held.names == ["n"] * 4


def test_the_class_of_an_object_is_watched() -> None:
    class Held:
        rate = 2.0

    held = Held()
    f = compiled(lambda x: x * type(held).rate * len(held.__class__.__name__))
    assert float(f(one())) == 8.0
    Held.rate = 3.0
    assert float(f(one())) == 12.0
    Held.__name__ = "He"
    assert float(f(one())) == 6.0


def test_all_attributes_of_an_object() -> None:
    held = types.SimpleNamespace(a=1.0)
    f = compiled(lambda x: x * sum(vars(held).values()) + len(vars(held)) + ("b" in dir(held)))
    assert float(f(one())) == 2.0
    held.a = 5.0
    assert float(f(one())) == 6.0
    held.b = 1.0
    assert float(f(one())) == 9.0


def test_items_of_classes() -> None:
    class Meta(type):
        def __getitem__(cls: Any, index: int) -> Any:
            return cls.base + index

    class Held(metaclass=Meta):
        base = 1.0

    f = compiled(lambda x: x * Held[1])
    assert float(f(one())) == 2.0
    Held.base = 4.0
    assert float(f(one())) == 5.0


def test_partials_are_read_part_by_part() -> None:
    part = functools.partial(lambda a, x, b: a * x + b, 2.0, b=3.0)
    f = compiled(lambda x: part(x))
    assert float(f(one())) == 5.0
    part.keywords["b"] = 5.0
    assert float(f(one())) == 7.0


def test_getters_of_operator() -> None:
    class Held:
        def times(self: Any, x: Any) -> Any:
            return x * self.rate

    held: Any = Held()
    table = {"a": 1.0}
    held.rate = 2.0
    attribute, item = operator.attrgetter("rate"), operator.itemgetter("a")
    method = operator.methodcaller("times", 10.0)
    f = compiled(lambda x: x * attribute(held) + item(table) + method(held))
    assert float(f(one())) == 23.0
    held.rate, table["a"] = 3.0, 5.0
    assert float(f(one())) == 38.0


def test_weak_references_are_followed() -> None:
    class Held:
        rate = 2.0

    held = Held()
    reference: Any = weakref.ref(held)
    f = compiled(lambda x: x if reference() is None else x * reference().rate)
    assert float(f(one())) == 2.0
    held.rate = 3.0
    assert float(f(one())) == 3.0
    del held
    assert float(f(one())) == 1.0


def test_functions_registered_for_a_class() -> None:
    @functools.singledispatch
    def scaled(kind: Any, x: Any) -> Any:
        return x

    f = compiled(lambda x: scaled("a", x))
    assert float(f(one())) == 1.0
    scaled.register(str, lambda kind, x: x + 9)
    assert float(f(one())) == 10.0


def test_imports_in_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = types.ModuleType("settings_of_a_test")
    made.rate = 2.0
    monkeypatch.setitem(sys.modules, "settings_of_a_test", made)

    def f(x: Any) -> Any:
        import settings_of_a_test as settings  # type: ignore[import-not-found]
        from settings_of_a_test import rate

        return x * settings.rate + rate

    g = compiled(f)
    assert float(g(one())) == 4.0
    made.rate = 3.0
    assert float(g(one())) == 6.0


RATE = 2.0


@pytest.mark.parametrize(
    "function",
    [
        lambda held: lambda x: x * next(held),
        lambda held: lambda x: x * next(iter(held), 0.0),
    ],
)
def test_iterators_from_outside_break_the_graph(function: Any) -> None:
    held = iter([1.0, 2.0, 3.0])
    f = pl.graph_function(function(held), backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match="moves on at each call"):
        assert float(f(one())) == 1.0
    assert float(f(one())) == 2.0


@pytest.mark.parametrize(
    ("held", "match"),
    [
        (collections.UserDict(a=2.0), "is a UserDict"),
        (collections.ChainMap({"a": 2.0}), "is a ChainMap"),
        (np.array([(2.0,)], dtype=[("a", "f8")])[0:1], "cannot be watched"),
    ],
)
def test_what_nobody_can_watch_breaks_the_graph(held: Any, match: str) -> None:
    f = pl.graph_function(lambda x: x * held["a"], backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match=match):
        f(one())
    held["a"] = 5.0
    assert float(np.asarray(f(one())).reshape(())) == 5.0


def test_names_that_are_looked_up_by_text_break_the_graph() -> None:
    f = pl.graph_function(lambda x: x * globals()["RATE"], backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match=r"globals\(\) reads names"):
        f(one())
    try:
        globals()["RATE"] = 7.0
        assert float(f(one())) == 7.0
    finally:
        globals()["RATE"] = 2.0


def test_methods_of_the_standard_library_that_change_a_container() -> None:
    found: Any = collections.Counter()

    def f(x: Any) -> Any:
        found["a"] += 1
        found.update("aab")
        return x * len(found)

    g = compiled(f)
    assert [float(g(one())) for _ in range(3)] == [2.0, 2.0, 2.0]
    assert found == {"a": 9, "b": 3}
