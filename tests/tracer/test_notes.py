"""What a trace notes: values in words, and what code that is not looked into did."""

from __future__ import annotations

import bisect
import collections
import heapq
import io
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer import Notes, SideEffect, UnrolledLoop, UnseenCall, cut, shown
from plait.tracer.notes import function_name, observed

HERE = "tests/tracer/test_notes.py"


def plain(x: Any) -> Any:
    """Some function."""
    return x


class Opaque:
    """Has no text of its own."""


class Failing:
    """Cannot show itself."""

    def __repr__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (None, "None"),
        ("a", "'a'"),
        ([1, 2], "[1, 2]"),
        (list(range(99)), "list of 99"),
        (tuple(range(99)), "tuple of 99"),
        ({i: i for i in range(20)}, "dict of 20"),
        ("x" * 99, f"'{'x' * 59}..."),
        (pl.zeros((2, 3)), "f32[2,3]"),
        (np.zeros((2, 3)), "array f64[2,3]"),
        (np.float32(1), "np.float32(1.0)"),
        (np, "<module numpy>"),
        (Opaque, "<class Opaque>"),
        (Opaque(), "<Opaque object>"),
        ([Opaque()], "list of 1"),
        (Failing(), "<Failing object>"),
        (plain, f"<plain at {HERE}:{plain.__code__.co_firstlineno}>"),
        (len, "<len>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_in_words(value: Any, text: str) -> None:
    assert shown(value) == text


def test_lambdas_on_two_lines_differ() -> None:
    first = lambda x: x  # noqa: E731
    second = lambda x: x  # noqa: E731
    assert shown(first) != shown(second)


def test_long_text_is_cut() -> None:
    assert cut("a" * 60) == "a" * 60
    assert cut("a" * 61) == "a" * 60 + "..."


def test_each_thing_once() -> None:
    notes = Notes()
    for _ in range(3):
        notes.unseen("a.b")
        notes.side_effect("wrote")
    notes.unseen("a.b")
    assert [type(n) for n in notes] == [UnseenCall, SideEffect, UnseenCall]
    first = next(iter(notes))
    assert first.location is not None
    assert (first.location.file, first.location.function) == (HERE, "test_each_thing_once")
    notes.unrolled(None, 99, "why")
    *_, last = notes
    assert isinstance(last, UnrolledLoop)
    assert str(last) == "a loop of 99 trips is unrolled: why"


def effects(function: Any, *args: Any, **kwargs: Any) -> list[str]:
    """What is noted of a call."""
    notes = Notes()
    assert observed(notes, function, args, kwargs) is not NotImplemented
    found = [n.what for n in notes if isinstance(n, SideEffect)]
    assert all(n.location is not None and n.location.file == HERE for n in notes)
    return found


class Counter:
    """Counts its calls, as library code might."""

    def __init__(self) -> None:
        self.count = 0

    def up(self) -> int:
        """Count."""
        self.count += 1
        return self.count

    def same(self) -> int:
        """Do not count."""
        return self.count


CHANGES: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (bisect.insort, ([1, 3], 2), "bisect.insort_right changed a list that it was given"),
    (heapq.heapify, ([3, 2, 1],), "heapq.heapify changed a list that it was given"),
    ([3, 1].sort, (), "list.sort changed a list that it was given"),
    ({}.update, ({"a": 1},), "dict.update changed a dict that it was given"),
    ({1}.add, (2,), "set.add changed a set that it was given"),
    (collections.deque([1]).append, (2,), "deque.append changed a deque that it was given"),
    (bytearray(b"a").extend, (b"b",), "bytearray.extend changed a bytearray that it was given"),
    (np.copyto, (np.zeros(2), np.ones(2)), "numpy.copyto changed a ndarray that it was given"),
]


@pytest.mark.parametrize(("function", "args", "text"), CHANGES, ids=lambda x: str(x)[:20])
def test_containers_that_change(function: Any, args: Any, text: str) -> None:
    assert effects(function, *args) == [text]


def test_objects_that_change() -> None:
    counter = Counter()
    (text,) = effects(counter.up)
    assert text.endswith("Counter.up changed a Counter that it was given")
    assert effects(counter.same) == []


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (len, ([1, 2],)),
        (sorted, ([2, 1],)),
        ([1, 2].count, (1,)),
        (np.sum, (np.ones(3),)),
        (json.dumps, ({"a": [1]},)),
        (print, ("x",)),
        ("a,b".split, (",",)),
        ("aba".replace, ("a", "b")),
        (np.save, (io.BytesIO(), np.ones(2))),
    ],
    ids=range(9),
)
def test_calls_that_change_nothing_else(
    function: Any, args: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = effects(function, *args)
    assert found == ([] if function is not np.save else ["numpy.save moved on in a BytesIO"])
    capsys.readouterr()


def test_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    notes = Notes()
    observed(notes, open, (path, "w"), {}).close()
    assert [n.what for n in notes if isinstance(n, SideEffect)] == [
        f"open opened {str(path)!r} to write"
    ]
    with path.open("w") as file:
        assert effects(file.write, "a") == [f"TextIOWrapper.write moved on in {str(path)!r}"]
        assert effects(print, "a", file=file) == [f"print moved on in {str(path)!r}"]
        assert effects(json.dump, [1], file) == [f"json.dump moved on in {str(path)!r}"]
    observed(notes, open, (path,), {}).close()
    assert len(list(notes)) == 1
    assert effects(path.write_text, "a")[0].endswith("Path.write_text wrote a file")
    assert effects(path.read_text) == []
    assert effects(os.mkdir, tmp_path / "folder") == ["os.mkdir changed the file system"]
    assert effects(np.savetxt, path, np.ones(2)) == ["numpy.savetxt wrote a file"]


def test_names() -> None:
    assert function_name(os.mkdir) == "os.mkdir"
    assert function_name(np.save) == "numpy.save"
    assert function_name([].append) == "list.append"
    assert function_name(len) == "len"
    assert function_name(np.random.default_rng(0).normal).endswith("Generator.normal")


def test_what_is_raised_passes_on() -> None:
    def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        observed(Notes(), fails, (), {})
