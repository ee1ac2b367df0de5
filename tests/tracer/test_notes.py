"""What a trace notes, each thing once; values and functions in words."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer import Notes, SideEffect, UnrolledLoop, UnseenCall, cut, shown
from plait.tracer.notes import function_name

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


def test_names() -> None:
    assert function_name(os.mkdir) == "os.mkdir"
    assert function_name(np.save) == "numpy.save"
    assert function_name([].append) == "list.append"
    assert function_name(len) == "len"
    assert function_name(np.random.default_rng(0).normal).endswith("Generator.normal")
