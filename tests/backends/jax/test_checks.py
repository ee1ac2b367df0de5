"""Checks of compiled graphs: the status output says which failed first, and with what details."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir, passes
from plait.backends.jax import compile
from plait.ir import ops
from tests.backends.jax.graphs import graph_of


def check_below(x: Any, limit: int, message: str) -> None:
    ok = ops.less(x, np.int64(limit))
    ops.check(ok, x, error="IndexOutOfRangeError", message=message)


def status_of(graph: ir.Graph, *arguments: Any) -> list[int]:
    lowered, table = passes.lower_checks(graph)
    assert table
    status = np.asarray(compile(lowered)(*arguments)[-1])
    assert status.dtype == np.int64
    return [int(n) for n in status]


@pytest.mark.parametrize(
    ("x", "y", "status"), [(1, 1, [0, 0]), (7, 1, [1, 7]), (1, 9, [2, 9]), (8, 9, [1, 8])]
)
def test_the_first_failed_check_is_reported(x: int, y: int, status: list[int]) -> None:
    def function(x: Any, y: Any) -> Any:
        check_below(x, 5, "x is {}")
        check_below(y, 5, "y is {}")
        return ops.add(x, y)

    graph = graph_of(function, "i64[]", "i64[]")
    assert status_of(graph, np.int64(x), np.int64(y)) == [*status, 0, 0]


def test_a_check_in_a_loop() -> None:
    def step(i: Any) -> Any:
        check_below(i, 3, "i is {}")
        return ops.add(i, np.int64(1))

    regions = (graph_of(lambda i: ops.less(i, np.int64(6)), "i64[]"), graph_of(step, "i64[]"))

    def function(i: Any) -> Any:
        return ops.while_(i, regions=regions, num_consts=0)

    assert status_of(graph_of(function, "i64[]"), np.int64(0)) == [1, 3, 0, 0]
    assert status_of(graph_of(function, "i64[]"), np.int64(6)) == [0, 0, 0, 0]


def test_a_check_in_a_branch_counts_only_when_taken() -> None:
    def risky(i: Any) -> Any:
        check_below(i, 3, "i is {}")
        return i

    regions = (graph_of(risky, "i64[]"), graph_of(lambda i: i, "i64[]"))

    def function(pred: Any, i: Any) -> Any:
        return ops.cond(pred, i, regions=regions)

    graph = graph_of(function, "bool[]", "i64[]")
    assert status_of(graph, np.bool_(True), np.int64(4)) == [1, 4, 0, 0]
    assert status_of(graph, np.bool_(False), np.int64(4)) == [0, 0, 0, 0]
