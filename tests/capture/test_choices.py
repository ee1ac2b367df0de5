"""Tensors that a branch chooses are written in place: the write reaches the one that it was."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree, given

X = np.array([1, 2, 3], "float32")
SIGNS = [np.array(s, "float32") for s in itertools.product((-1, 1), repeat=2)]
M = np.arange(6, dtype="float32").reshape(2, 3)


def replaced(x: Any, s: Any) -> Any:
    y = x
    if s[0] > 0:
        y = y / 2
    y += 10
    return x, y


def chosen_of_two(x: Any, s: Any) -> Any:
    a, b = x * 2, x * 3
    z = a if s[0] > 0 else b
    z[0] = 7
    a[1] += 100
    b[2] += z[1]
    return a, b, z


def chosen_twice(x: Any, s: Any) -> Any:
    a, b = x * 2, x * 3
    z = a if s[0] > 0 else b
    w = z if s[1] > 0 else a
    w[0] = 7
    z[1] = 8
    a[2] = w.sum()
    return a, b, z, w


def one_between_is_gone(x: Any, s: Any) -> Any:
    z = x if s[0] > 0 else x * 5
    z = z if s[1] > 0 else z * 3
    z[0] = 7
    x[1] -= 1
    return x, z


def replaced_in_turn(x: Any, s: Any) -> Any:
    y = x
    for k in range(2):
        if s[k] > 0:
            y = y * 2
    y[1:] = 9
    return x, y


def views(x: Any, s: Any) -> Any:
    a = x * 2
    top, b = a[:2], a * 3
    z = a if s[0] > 0 else b
    part = z[1:]
    part += 50
    top[0] = z[2]
    w = top if s[1] > 0 else z[:2]
    w *= 2
    return a, b, z, part, top, w


def attributes(x: Any, s: Any) -> Any:
    held = {"a": x, "b": x + 1}
    if s[0] > 0:
        held["a"] = held["b"]
    held["a"][0] = 5
    held["b"] *= 2
    return held, x


def in_a_branch(x: Any, s: Any) -> Any:
    y = x if s[0] > 0 else x + 1
    if s[1] > 0:
        y[0] = 5
    else:
        x[1] = 6
    return x, y


def in_a_loop(x: Any, s: Any) -> Any:
    y = x if s[0] > 0 else x + 1
    for k in range(20):
        y[0] += k
        x[1] += y[0]
    return x, y


def in_a_loop_over_rows(x: Any, s: Any) -> Any:
    y = x if s[0] > 0 else x + 1
    for row in x:
        y[2] += row
    return x, y


def of_a_loop(x: Any, s: Any) -> Any:
    total = x * 0
    for k in range(20):
        z = x if s[0] > k - 5 else total
        z[0] += 1
        total = total + z
    return x, total


def in_a_chain(x: Any, s: Any) -> Any:
    if s[0] > 0:
        y = x
    elif s[1] > 0:
        y = x + 1
    else:
        y = x[::-1]
    y[0] = 9
    return x, y


def other_dtypes(x: Any, s: Any) -> Any:
    y = x if s[0] > 0 else x.astype("float64")
    z = x if s[1] > 0 else x * 2
    z += y.sum().astype("float32")
    return x, z


FUNCTIONS = [
    replaced,
    chosen_of_two,
    chosen_twice,
    one_between_is_gone,
    replaced_in_turn,
    views,
    attributes,
    in_a_branch,
    in_a_loop,
    in_a_loop_over_rows,
    of_a_loop,
    in_a_chain,
    other_dtypes,
]
WHOLE = [
    replaced,
    chosen_of_two,
    chosen_twice,
    one_between_is_gone,
    replaced_in_turn,
    attributes,
    in_a_branch,
    in_a_loop,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_writes_reach_what_was_chosen(function: Any) -> None:
    agree(function, *((X, s) for s in SIGNS))


@pytest.mark.parametrize("function", [replaced, chosen_of_two, replaced_in_turn])
def test_writes_reach_ndarrays(function: Any) -> None:
    for s in SIGNS:
        wanted, found = (X.copy(), s), (X.copy(), s)
        results = function(*wanted), pl.graph_function(function, backend="reference")(*found)
        for one, other in zip(*results, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(wanted[0], found[0])


@pytest.mark.parametrize("function", WHOLE)
def test_they_are_one_graph(function: Any) -> None:
    f = pl.graph_function(function, backend="reference", fullgraph=True)
    f(*given((X, SIGNS[0])))
    assert not f.explain().breaks


def test_a_choice_in_another_order_of_memory() -> None:
    def f(x: Any, s: Any) -> Any:
        y = x.T if s[0] > 0 else pl.zeros((3, 2))
        flat = y.reshape(-1)
        flat[0] = 90
        return x, y, flat

    agree(f, *((M, s) for s in SIGNS))


def test_a_tensor_from_outside_that_is_chosen() -> None:
    kept = {"v": pl.asarray(X)}

    def f(x: Any, s: Any) -> Any:
        y = kept["v"]
        if s[0] > 0:
            y = y + x
        y[0] = 50
        return y

    found = []
    for function in (f, pl.graph_function(f, backend="reference", fullgraph=True)):
        for s in SIGNS:
            kept["v"] = pl.asarray(X)
            y = function(pl.asarray(X), pl.asarray(s))
            found.append([y.numpy().tolist(), kept["v"].numpy().tolist()])
    assert found[:4] == found[4:]
