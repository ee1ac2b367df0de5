"""Programs written to break capture: jumps out of finally, objects that move on, odd views."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")
LONG = np.arange(20, dtype="float32")


class Holder:
    """An object with attributes."""

    v: Any


# Jumps out of finally, and context managers that drop exceptions.


def a_raise_that_finally_drops(x: Any) -> Any:
    try:
        if x[0] > 0:
            return x
        raise ValueError("negative")
    finally:
        return x * 2  # noqa: B012


def an_index_that_finally_drops(x: Any, i: Any) -> Any:
    s: Any = 0
    for _ in [0, 1]:
        try:
            s = s + x[i]
        finally:
            continue  # noqa: B012
    return s


class Dropping:
    """Drops exceptions."""

    def __enter__(self) -> Dropping:
        return self

    def __exit__(self, *failure: Any) -> Any:
        return True


def a_raise_that_a_manager_drops(x: Any) -> Any:
    with Dropping():
        if x[0] > 0:
            raise ValueError("positive")
        x = x * 2
    return x


def an_assertion_that_a_manager_drops(x: Any) -> Any:
    with Dropping():
        assert x[0] > 0
        x = x * 2
    return x


def an_index_that_a_manager_drops(x: Any, i: Any) -> Any:
    with Dropping():
        x = x[i]
    return x


INDEX = np.array(7, "int32")
DROPPING = [
    (a_raise_that_finally_drops, [X, NEGATIVE]),
    (an_index_that_finally_drops, [(X, INDEX), (X, INDEX - 6)]),
    (a_raise_that_a_manager_drops, [X, NEGATIVE]),
    (an_assertion_that_a_manager_drops, [X, NEGATIVE]),
    (an_index_that_a_manager_drops, [(X, INDEX), (X, INDEX - 6)]),
]


@pytest.mark.parametrize(("function", "calls"), DROPPING)
def test_exceptions_that_are_dropped(function: Any, calls: Any) -> None:
    agree(function, *calls)


class Keeping(Dropping):
    """Drops no exception."""

    def __exit__(self, *failure: Any) -> Any:
        return None


def test_a_manager_that_drops_nothing_is_part_of_the_graph() -> None:
    def f(x: Any, i: Any) -> Any:
        with Keeping():
            return x[i]

    agree(f, (X, INDEX - 6))
    pl.graph_function(f, fullgraph=True, backend="reference")(pl.asarray(X), pl.asarray(1))


# Objects that move on: iterators, files, NumPy arrays made inside.


def an_iterator_in_a_branch(x: Any) -> Any:
    it = iter([1, 2, 3])
    a = next(it) if x[0] > 0 else 0
    return a, next(it)


def an_iterator_in_a_test(x: Any) -> Any:
    k, s = x[0], 0
    it = iter(range(10))
    while k < 4 and next(it) < 3:
        k = k + 1
        s += 1
    return float(k), list(it)


def a_counter_in_a_loop(x: Any) -> Any:
    c = itertools.count()
    s: Any = 0
    for v in x:
        s = s + next(c) * v
    return s


def a_file_in_a_branch(x: Any) -> Any:
    file = io.StringIO()
    if x[0] > 0:
        file.write("a")
    file.write("b")
    return file.getvalue()


def an_array_in_a_branch(x: Any) -> Any:
    a = np.zeros(3)
    if x[0] > 0:
        a[0] = 1
    return a


def attributes_as_a_dict(x: Any) -> Any:
    h = Holder()
    if x[0] > 0:
        vars(h).update(v=3)
    else:
        vars(h).update(v=4)
    return float(h.v)


class Counted(list[Any]):
    """Knows its length."""

    def append(self, v: Any) -> None:
        """Append, and count."""
        super().append(v)
        self.count_ = len(self)


def a_list_that_counts(x: Any) -> Any:
    items = Counted()
    for v in x:
        items.append(v)
    return items.count_, items[-1]


MOVING = [
    an_iterator_in_a_branch,
    an_iterator_in_a_test,
    a_counter_in_a_loop,
    a_file_in_a_branch,
    an_array_in_a_branch,
    attributes_as_a_dict,
    a_list_that_counts,
]


@pytest.mark.parametrize("function", MOVING)
def test_objects_that_move_on(function: Any) -> None:
    agree(function, X, NEGATIVE)


def test_iterators_of_a_branch_are_part_of_the_graph() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            for a, b in zip([1, 2], [x, x * 2], strict=True):
                x = x + a * b
        return x, dict(zip("ab", [x, x], strict=True))["a"]

    agree(f, X, NEGATIVE)
    pl.graph_function(f, fullgraph=True, backend="reference")(pl.asarray(X))


# Views that NumPy copies, methods that are compiled.


def test_a_transposed_tensor_is_copied_by_reshape() -> None:
    def f(x: Any) -> Any:
        y = x.reshape(4, 5).T
        y[0] = 0
        z = y.reshape(-1)
        z[0] = 50
        w = x.ravel()
        w[1] = 60
        return x, y, z, w

    agree(f, LONG)


def test_a_compiled_method_of_what_is_made_inside() -> None:
    class Sum:
        """Adds up."""

        def __init__(self, start: Any) -> None:
            self.count, self.total = 0, start

        @pl.graph_function
        def step(self, v: Any) -> Any:
            self.count += 1
            if v > 0:
                self.total = self.total + v
            return self.total

    def f(x: Any) -> Any:
        found = Sum(x * 0)
        for v in [x[0], x[1]]:
            found.step(v)
        return found.total, found.count

    agree(f, X, NEGATIVE)
