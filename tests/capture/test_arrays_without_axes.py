"""Arrays of NumPy without axes can be written in place, its scalars cannot."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import plait as pl


def add(a: Any) -> Any:
    b = a
    b += 1
    return a


def add_in_a_branch(a: Any) -> Any:
    b = a
    if a > 2:
        b += 1
    return b * 1


def add_in_a_loop(a: Any) -> Any:
    b = a
    for _ in range(20):
        b += 1
    return a * 1, b is a


def add_anew_in_a_loop(a: Any) -> Any:
    b = a
    for _ in range(20):
        b += 1
        b = b * 1
    return a * 1, b


def add_what_a_branch_chose(a: Any) -> Any:
    c = a * 1
    b = a if a > 2 else c
    b += 1
    return a * 1, c, b * 1


def set_all(a: Any) -> Any:
    if isinstance(a, np.ndarray):
        a[...] = 7
    return a


def view_of_an_element(a: Any) -> Any:
    v = np.stack([a, a])
    one = v[1, ...]
    one += 1
    return v, one


def copies(a: Any) -> Any:
    b = a.copy()
    c, d = b, np.zeros_like(a)
    c += 1
    e = d
    e += 5
    return a * 1, b, d, a.astype("float32")


def sums(a: Any) -> Any:
    b = a.sum()
    c = b
    c += 1
    return b, c, isinstance(b, np.ndarray), isinstance(a, np.ndarray)


FUNCTIONS = [
    add,
    add_in_a_branch,
    add_in_a_loop,
    add_anew_in_a_loop,
    add_what_a_branch_chose,
    set_all,
    view_of_an_element,
    copies,
    sums,
]
GIVEN = [np.array(3.0), np.float64(3.0), np.array(1.0), np.float64(1.0)]


def shown(x: Any) -> Any:
    """A result with its classes."""
    return [shown(y) for y in x] if isinstance(x, tuple) else (type(x), str(x))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_written_in_place(function: Any) -> None:
    compiled = pl.graph_function(function, backend="reference")
    for value in (*GIVEN, *GIVEN):
        mine, yours = value.copy(), value.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted, found = function(mine), compiled(yours)
        assert shown(found) == shown(wanted)
        assert shown(yours) == shown(mine)


def test_an_array_from_outside() -> None:
    held = np.array(1.0)

    def f(x: Any) -> Any:
        total = held
        total += x
        return total * 2

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    assert [float(compiled(np.float64(2.0))) for _ in range(3)] == [6.0, 10.0, 14.0]
    assert float(held) == 7.0


def test_an_array_in_the_place_of_a_scalar_is_told() -> None:
    compiled = pl.graph_function(add, backend="reference")
    compiled(np.float32(1))
    compiled(np.array(1, "float32"))
    reason = compiled.explain(fixes=False).traces[1].reason
    assert reason == "a: scalar f32[] -> ndarray f32[]"
