"""Objects and unusual arrays as arguments: by identity, watched, and not kept alive."""

from __future__ import annotations

import argparse
import gc
import types
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl


class Config:
    """Hashed by identity."""

    rate = 2.0


class Equal:
    """Has a meaning of equality, and no hash."""

    rate = 2.0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)


class Items(list[Any]):
    """A list of its own class."""


def scaled(x: Any, config: Any) -> Any:
    return x * config.rate


def test_objects_are_not_kept_alive() -> None:
    compiled = pl.graph_function(scaled, backend="reference", fullgraph=True)
    x, config = pl.asarray([1.0]), Config()
    compiled(x, config)
    held = weakref.ref(config)
    del config
    gc.collect()
    assert held() is None
    compiled(x, Config())
    text = str(compiled.explain())
    assert "Config that is gone" in text


MADE: list[Any] = [
    lambda: types.SimpleNamespace(rate=2.0),
    lambda: argparse.Namespace(rate=2.0),
    Config,
    Equal,
]


@pytest.mark.parametrize("make", MADE)
def test_objects_count_as_themselves_and_are_watched(make: Any) -> None:
    compiled = pl.graph_function(scaled, backend="reference", fullgraph=True)
    x, config, other = pl.asarray([1.0]), make(), make()
    other.rate = 5.0
    assert compiled(x, config).tolist() == [2.0]
    assert compiled(x, other).tolist() == [5.0]
    config.rate = 3.0
    assert compiled(x, config).tolist() == [3.0]
    assert compiled(x, other).tolist() == [5.0]


def test_what_is_set_on_an_object_stays() -> None:
    def f(x: Any, config: Any) -> Any:
        config.last = x * 2
        config.count += 1
        return x

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    config = types.SimpleNamespace(count=0)
    for i in range(3):
        compiled(pl.asarray([float(i)]), config)
    assert (config.count, config.last.tolist()) == (3, [4.0])


def total(x: Any, items: Any) -> Any:
    for item in items:
        x = x + item
    return x, len(items)


@pytest.mark.parametrize("kind", [Items, deque, bytearray])
def test_collections_that_cannot_be_hashed(kind: Any) -> None:
    compiled = pl.graph_function(total, backend="reference")
    items = kind([1, 2])
    x = pl.asarray([1.0])
    for _ in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compiled(x, items)
        wanted = total(x, items)
        assert (found[0].tolist(), found[1]) == (wanted[0].tolist(), wanted[1])
        items.append(7)


ARRAYS = [
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    np.array(["a", "b"]),
    np.array([None, 1], dtype=object),
    np.ma.array([1.0, 2.0], mask=[True, False]),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
]


@pytest.mark.parametrize("array", ARRAYS)
def test_arrays_that_tensors_cannot_hold_break_the_graph(array: Any) -> None:
    def f(x: Any, given: Any) -> Any:
        return x * len(given), given[0], type(given)

    compiled = pl.graph_function(f, backend="reference")
    x = pl.asarray([1.0])
    with pytest.warns(pl.errors.GraphBreakWarning, match="argument given is a"):
        found = compiled(x, array)
    wanted = f(x, array)
    assert str(found) == str(wanted)
    with pytest.raises(pl.errors.DTypeError, match="argument given is a"):
        pl.graph_function(f, backend="reference", fullgraph=True)(x, array)


def test_an_object_whose_hash_raises() -> None:
    class Raising:
        """Cannot be hashed today."""

        def __hash__(self) -> int:
            raise ValueError("not today")

    with pytest.raises(pl.errors.SignatureError, match="not today"):
        pl.graph_function(scaled, backend="reference")(pl.asarray([1.0]), Raising())


def test_arrays_in_containers_from_outside_are_read_at_each_call() -> None:
    items = [np.ones(2), np.ones(2)]
    table = {"a": np.ones(2)}
    inner = pl.graph_function(lambda p, x: p["a"] * x)

    def f(x: Any) -> Any:
        return pl.stack(items) + inner(table, x)

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    x = pl.ones(2)
    changes: list[Callable[[], Any]] = [
        lambda: items.__setitem__(0, np.full(2, 5.0)),
        lambda: items[1].__setitem__(0, 9.0),
        lambda: table.__setitem__("a", np.full(2, 7.0)),
        lambda: items.append(np.zeros(2)),
    ]
    for change in changes:
        np.testing.assert_array_equal(np.asarray(compiled(x)), np.asarray(f(x)))
        change()
        np.testing.assert_array_equal(np.asarray(compiled(x)), np.asarray(f(x)))
