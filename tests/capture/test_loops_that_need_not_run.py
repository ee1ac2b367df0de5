"""Names of one object after a loop are two if the loop does not run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

Y = np.array([3, 4], "float32")
ONE = np.array(1, "float32")
TRIPS = [np.array(n, "int32") for n in (0, 1, 2)]


def returned_and_kept(y: Any, s: Any, trips: Any) -> Any:
    for _ in range(trips):
        s = y.min()
        return 5, s
    return 7, s


def two_names(y: Any, s: Any, trips: Any) -> Any:
    a, b = s, s + 1
    for _ in range(trips):
        a = b = y.max()
    return a, b, a + b


def a_name_and_an_item(y: Any, s: Any, trips: Any) -> Any:
    kept = {"s": s * 4}
    while trips > 0:
        kept["s"] = s = y.max() + s
        trips = trips - 1
    return s, kept


def numbers_before(y: Any, s: Any, trips: Any) -> Any:
    a, b = 0.0, 1.0
    for _ in range(trips):
        a = b = y.max() + s
    return a + s, b + s


def dtypes_before(y: Any, s: Any, trips: Any) -> Any:
    a, b = s, pl.zeros((), dtype="float64")
    for _ in range(trips):
        a = b = y.max()
    return a, b.dtype


def dtypes_of_a_loop_that_runs(y: Any, s: Any, trips: Any) -> Any:
    a, b = pl.zeros((), dtype="float64"), s
    for i in range(20):
        a = b = y.max() + i
    return b.dtype, a * 1.0, b


FUNCTIONS = [returned_and_kept, two_names, a_name_and_an_item, numbers_before]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_names_keep_what_they_held(function: Any) -> None:
    agree(function, *((Y, ONE, trips) for trips in TRIPS))


def test_each_name_has_its_own_dtype() -> None:
    found = pl.graph_function(dtypes_before, backend="reference")(Y, ONE, TRIPS[1])
    assert found[0].dtype == np.float32
    assert found[1] == np.float64
    found = pl.graph_function(dtypes_of_a_loop_that_runs, backend="reference")(Y, ONE, TRIPS[1])
    assert found[0] == np.float32
    assert found[1].dtype == np.float64


def test_two_names_that_are_one_before_and_after_stay_one() -> None:
    def f(y: Any, s: Any, trips: Any) -> Any:
        a = b = s
        for _ in range(trips):
            a = b = y * 2
        return a is b

    f_ = pl.graph_function(f, backend="reference", fullgraph=True)
    assert f_(Y, Y, TRIPS[2])


def rewritten(y: Any, s: Any, trips: Any) -> Any:
    before = y
    for _ in (0, 1):
        for _ in range(trips):
            if s < 0:
                y = y * 1
    y[1] = 16
    return before, y


def rewritten_view(y: Any, s: Any, trips: Any) -> Any:
    v = y[1:]
    for _ in (0, 1):
        for _ in range(trips):
            if s < 0:
                v = v * 1
    y[1] = 16
    return v, y


@pytest.mark.parametrize("function", [rewritten, rewritten_view])
def test_a_tensor_that_two_loops_may_replace_is_still_the_first_one(function: Any) -> None:
    agree(function, *((Y, s, trips) for trips in TRIPS for s in (ONE, -ONE)))


# Places that hold one object before a loop, and one of them what the other had held after it.


class Box:
    """An object with an attribute."""

    v: Any


def moved_on(y: Any, s: Any, trips: Any) -> Any:
    box = Box()
    box.v = x = y
    for _ in y:
        box.v = x
        x = y * 0
    return box.v, x, y


def moved_on_in_a_list(y: Any, s: Any, trips: Any) -> Any:
    pair = [y, y]
    for _ in range(trips):
        pair = [pair[1], pair[0] * 2]
    pair[0][0] += 1
    return pair, y


def moved_on_lists(y: Any, s: Any, trips: Any) -> Any:
    a = b = [y]
    while trips > 0:
        a, b = b, [y + 1]
        trips = trips - 1
    return a, b


@pytest.mark.parametrize("function", [moved_on, moved_on_in_a_list, moved_on_lists])
def test_places_that_hold_one_object_before_a_loop(function: Any) -> None:
    agree(function, *((Y, ONE, trips) for trips in TRIPS))
