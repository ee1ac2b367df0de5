"""Calls of code that is not looked into: what they do outside is noted once, with its line."""

from __future__ import annotations

import io
import json
import os
import pathlib
from typing import Any

import numpy as np
import pytest

from plait.tracer import Notes, SideEffect
from plait.tracer.observed import observed

HERE = "tests/tracer/test_observed.py"


class Way:
    """A path as a trace knows it."""

    def __init__(self, text: str) -> None:
        self.text = text


class Known:
    """Stands for a trace that knows some objects from outside."""

    def __init__(self, **outside: Any) -> None:
        self.notes = Notes()
        self.outside = outside
        self.root = self.provenance = self

    def path_of(self, value: Any) -> Way | None:
        """The name of an object from outside."""
        return next((Way(name) for name, held in self.outside.items() if held is value), None)


def effects(trace: Any, function: Any, *args: Any, **kwargs: Any) -> list[str]:
    """What is noted of a call."""
    observed(trace, function, args, kwargs)
    found = [n for n in trace.notes if isinstance(n, SideEffect)]
    assert all(n.location is not None and n.location.file == HERE for n in found)
    trace.notes = Notes()
    return [n.what.removeprefix(f"{__name__}.") for n in found]


class Counter:
    """Counts its calls, as library code might."""

    def __init__(self) -> None:
        self.count = 0
        self.seen: list[int] = [0]


def count(counter: Counter) -> None:
    """Set an attribute."""
    counter.count += 1


def remember(counter: Counter) -> None:
    """Append to a list below."""
    counter.seen.append(counter.count)


def look(counter: Counter) -> int:
    """Change nothing."""
    return counter.count + len(counter.seen)


def test_objects_from_outside_that_change() -> None:
    one, other = Counter(), Counter()
    trace = Known(one=one)
    assert effects(trace, count, one) == ["count changed one"]
    assert effects(trace, remember, one) == ["remember changed one"]
    assert effects(trace, look, one) == []
    assert effects(trace, count, other) == []
    assert effects(trace, count, counter=one) == ["count changed one"]


def test_lists_in_containers() -> None:
    inner = [1]
    outer = {"a": inner}
    trace = Known(table=outer)
    assert effects(trace, lambda t: t["a"].append(2), outer)[0].endswith("changed table")
    assert effects(trace, lambda t: t.update(b=1), outer) == []  # journaled, and guarded
    assert effects(trace, lambda t: t["a"][0], outer) == []


def test_arrays() -> None:
    array, made = np.zeros(2), np.zeros(2)
    trace = Known(array=array)
    assert effects(trace, np.copyto, array, np.ones(2)) == ["numpy.copyto changed array"]
    assert effects(trace, np.copyto, array, np.ones(2)) == []
    assert effects(trace, np.copyto, made, np.ones(2)) == []


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (len, ([1, 2],)),
        (sorted, ([2, 1],)),
        (json.dumps, ({"a": [1]},)),
        (print, ("x",)),
        ("a,b".split, (",",)),
        ("aba".replace, ("a", "b")),
        (os.path.join, ("a", "b")),
    ],
    ids=["len", "sorted", "dumps", "print", "split", "replace", "join"],
)
def test_calls_that_do_nothing_else(
    function: Any, args: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert effects(Known(), function, *args) == []
    capsys.readouterr()


def test_files(tmp_path: pathlib.Path) -> None:
    path, trace = tmp_path / "log", Known()
    watched: Any = trace
    observed(watched, open, (path, "w"), {}).close()
    observed(watched, open, (path,), {}).close()
    assert [str(n).partition(":")[0] for n in trace.notes] == [
        f"open opened {str(path)!r} to write"
    ]
    trace.notes = Notes()
    with path.open("w") as file:
        assert effects(trace, file.write, "a") == [f"TextIOWrapper.write moved on in {str(path)!r}"]
        assert effects(trace, print, "a", file=file) == [f"print moved on in {str(path)!r}"]
        assert effects(trace, json.dump, [1], file) == [f"json.dump moved on in {str(path)!r}"]
    assert effects(trace, np.save, io.BytesIO(), np.ones(2)) == ["numpy.save moved on in a BytesIO"]
    (found,) = effects(trace, path.write_text, "a")
    assert found.endswith("Path.write_text wrote to a file or stream")
    assert effects(trace, path.read_text) == []
    assert effects(trace, os.mkdir, tmp_path / "folder") == ["os.mkdir changed the file system"]
    assert effects(trace, np.savetxt, path, [1.0]) == ["numpy.savetxt wrote to a file or stream"]


class Pipe(io.StringIO):
    """Has no position."""

    def tell(self) -> int:
        """Fail."""
        raise OSError("no position")


def test_streams_without_a_position() -> None:
    assert effects(Known(), print, "x", file=Pipe()) == ["print printed to a stream"]
    assert effects(Known(), Pipe().write, "x")[0].endswith("wrote to a file or stream")


def test_what_is_raised_passes_on() -> None:
    def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        effects(Known(), fails)
