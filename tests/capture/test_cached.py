"""Functions of ``functools.lru_cache``: what they change is changed as often as in eager code."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")


def counted() -> tuple[Any, list[Any]]:
    """A cached function, and the arguments that it was run for."""
    runs: list[Any] = []

    @functools.lru_cache
    def table(n: Any) -> Any:
        runs.append(n)
        return n * 2

    return table, runs


def twice(x: Any) -> Any:
    table, runs = counted()
    return x * table(1) + table(1) + table(2), runs


def twice_in_a_branch(x: Any) -> Any:
    table, runs = counted()
    if x[0] > 0:
        x = x + table(1) * table(1)
    return x, len(runs)


def in_each_branch(x: Any) -> Any:
    table, runs = counted()
    if x[0] > 0:
        x = x + table(1)
    else:
        x = x - table(1)
    return x, runs


def after_a_branch(x: Any) -> Any:
    table, runs = counted()
    if x[0] > 0:
        x = x + table(1)
    return x + table(1), len(runs)


def in_a_loop(x: Any) -> Any:
    table, runs = counted()
    for row in x:
        x = x + row * table(1)
    return x, len(runs)


def in_a_loop_of_unknown_length(x: Any) -> Any:
    table, runs = counted()
    while x[0] < 5:
        x = x + table(1)
    return x, len(runs)


def by_a_number(x: Any, n: Any) -> Any:
    table, runs = counted()
    return x + table(n) + table(n), len(runs)


FUNCTIONS = [
    twice,
    twice_in_a_branch,
    in_each_branch,
    after_a_branch,
    in_a_loop,
    in_a_loop_of_unknown_length,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_runs_change(function: Any) -> None:
    agree(function, X, NEGATIVE)


def test_a_number_that_is_an_input() -> None:
    agree(by_a_number, (X, 1.0), (X, 2.0), (X, 3.0))


def test_functions_that_change_nothing_are_part_of_the_graph() -> None:
    @functools.lru_cache
    def table(n: Any) -> Any:
        return n * 2

    def f(x: Any) -> Any:
        if x[0] > 0:
            x = x + table(1)
        for row in x.reshape(-1, 1):
            x = x + row * table(3)
        return x + table(1)

    agree(f, X, NEGATIVE)
    pl.graph_function(f, backend="reference", fullgraph=True)(pl.asarray(X))


def test_what_was_kept_before_is_not_stale() -> None:
    rate = [2.0]

    @functools.lru_cache
    def table(n: Any) -> Any:
        return n * rate[0]

    compiled = pl.graph_function(lambda x: x * table(1), backend="reference", fullgraph=True)
    assert compiled(pl.asarray([1.0])).tolist() == [2.0]
    rate[0] = 3.0
    assert compiled(pl.asarray([1.0])).tolist() == [3.0]
