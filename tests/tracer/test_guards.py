"""Guards: each kind holds as long as what was read is the same, and says what is not."""

from __future__ import annotations

import gc
import math
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer.guards import Guard, Strong, compile_check, weakly
from plait.tracer.paths import Argument, Attr, Cell, Class, Given, Global, Held, Item, Path


class Thing:
    """An object with attributes."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def method(self) -> Any:
        return self.value


def holds(guard: Guard, leaves: Any = (), given: Any = None) -> bool:
    """Whether a guard holds, by the generated function and by itself, which agree."""
    quick = compile_check([guard], [])(leaves, given) is not None
    assert quick is (guard.failure(leaves, given) is None)
    return quick


SPACE: dict[str, Any] = {}
PATH = Global(SPACE, "x")
NAN = math.nan

VALUES = [
    (3, 3, [3.0, True, 4, "3", None]),
    (10**30, 10**30, [10**30 + 1, 1e30]),
    (True, True, [1, False]),
    (None, None, [False, 0]),
    (0.0, 0.0, [-0.0, 0, NAN]),
    (NAN, math.nan, [0.0, 1.0]),
    (1.5, 1.5, [np.float64(1.5), 2.5]),
    (1j, 1j, [1, -1j, complex(-0.0, 1)]),
    ("ab", "a" + "b", [b"ab", "b"]),
    (range(3), range(3), [range(4), [0, 1, 2]]),
    (np.float32(2), np.float32(2), [np.float64(2), 2.0]),
    (np.dtype("f4"), np.dtype("float32"), [np.dtype("f8"), "f4"]),
]


@pytest.mark.parametrize(("wanted", "equal", "others"), VALUES)
def test_values(wanted: Any, equal: Any, others: list[Any]) -> None:
    guard = Guard(PATH, "value", wanted)
    SPACE["x"] = equal
    assert holds(guard)
    for other in others:
        SPACE["x"] = other
        assert not holds(guard), other
    del SPACE["x"]
    assert not holds(guard)
    change = guard.failure((), None)
    assert change is not None
    assert (change.path, change.after) == ("x", "absent")


KINDS = [
    ("type", list, [1], (1,)),
    ("length", 2, [1, 2], [1]),
    ("keys", ["a", 1], {"a": 0, 1: 0}, {"a": 0, True: 0}),
    ("keys", ["a", "b"], {"a": 0, "b": 0}, {"b": 0, "a": 0}),
    ("contents", [1, "a"], [1, "a"], [1.0, "a"]),
    ("set", {1, 2}, {2, 1}, {1}),
    ("tensor", (np.dtype("f4"), (2,)), pl.ones(2), pl.ones(3)),
    ("tensor", (np.dtype("f4"), (2,)), pl.ones(2), np.ones(2, np.float32)),
    ("tensor", (np.dtype("f4"), (2,)), pl.ones(2), pl.ones(2, "int32")),
    ("array", (np.ndarray, np.dtype("f8"), (2,)), np.ones(2), np.ones((2, 1))),
    ("array", (np.ndarray, np.dtype("f8"), (2,)), np.ones(2), np.ones(2, ">f8")),
    ("number", int, 7, 2**70),
    ("number", float, 7.0, 7),
    ("is", Strong(len), len, max),
    ("method", Thing.method, Thing().method, Thing().__init__),  # type: ignore[misc]
]


@pytest.mark.parametrize(("kind", "expected", "good", "bad"), KINDS)
def test_kinds(kind: str, expected: Any, good: Any, bad: Any) -> None:
    guard = Guard(PATH, kind, expected)
    SPACE["x"] = good
    assert holds(guard)
    SPACE["x"] = bad
    assert not holds(guard)
    change = guard.failure((), None)
    assert change is not None
    assert change.before != change.after


def test_objects_are_held_weakly() -> None:
    thing = Thing()
    guard = Guard(PATH, "is", weakly(thing))
    SPACE["x"] = thing
    assert holds(guard)
    SPACE["x"] = Thing()
    assert not holds(guard)
    del thing
    gc.collect()
    SPACE["x"] = None
    assert not holds(guard)
    assert str(guard.failure((), None)) == "x: an object that is gone -> None"


def test_paths_find_what_code_finds() -> None:
    thing, number = Thing([1, {"k": Thing(5)}]), 7
    cell = (lambda: number).__closure__[0]  # type: ignore[index]
    SPACE["x"] = thing
    inner = Attr(Item(Item(Attr(PATH, "value"), 1), "k"), "value")
    paths: list[Path] = [
        inner,
        Cell(cell, "number"),
        Argument(1, "y"),
        Given((0, 0), "a"),
        Given((1, "k"), "k"),
        Held(thing, "self", weak=True),
        Class(PATH),
        Attr(PATH, "odd name"),
    ]
    vars(thing)["odd name"] = 1
    leaves, given = ["a", "b"], (("c",), {"k": "d"})
    wanted = (5, 7, "b", "c", "d", thing, Thing, 1)
    assert compile_check([], paths)(leaves, given) == wanted
    assert tuple(path.find(leaves, given) for path in paths) == wanted
    assert inner.text == "x.value[1]['k'].value"
    assert inner == Attr(Item(Item(Attr(PATH, "value"), 1), "k"), "value")
    del thing.value
    assert compile_check([], paths)(leaves, given) is None


def test_the_same_and_another() -> None:
    one, other = Item(PATH, 0), Item(PATH, 1)
    same = Guard(other, "same", one)
    a = [1]
    SPACE["x"] = [a, a]
    assert holds(same)
    SPACE["x"] = [a, [1]]
    assert not holds(same)
    assert str(same.failure((), None)) == "x[1]: x[0] -> another object"


@pytest.mark.parametrize(
    ("path", "empty", "full"),
    [
        (Item(PATH, "k"), {}, {"k": 1}),
        (Attr(PATH, "value"), object(), Thing()),
        (Attr(PATH, "method"), object(), Thing()),
    ],
)
def test_what_is_absent(path: Path, empty: Any, full: Any) -> None:
    guard = Guard(path, "absent", None)
    SPACE["x"] = empty
    assert holds(guard)
    SPACE["x"] = full
    assert not holds(guard)


def test_a_global_that_shadows_a_builtin() -> None:
    guard = Guard(Global(SPACE, "len"), "absent", None)
    assert holds(guard)
    SPACE["len"] = 3
    assert not holds(guard)
    assert str(guard.failure((), None)) == "len: absent -> 3"
    del SPACE["len"]
