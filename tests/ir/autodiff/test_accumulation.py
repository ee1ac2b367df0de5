"""Sums of cotangents that are mostly zero: the same numbers, without the zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import ops, parse_type
from plait.ir.autodiff.accumulation import accumulate
from plait.ir.autodiff.liveness import live_part
from tests.ir.autodiff.loops import number, spread

TABLE, ROW, PLACE = parse_type("f64[6,2]"), parse_type("f64[1,2]"), parse_type("i64[]")


def window(table: Any, row: Any, k: Any) -> Any:
    return ops.dynamic_update_slice(spread(0.0, table), row, k, number(0))


def rows(table: Any, row: Any, k: Any) -> Any:
    places = ops.reshape(k, shape=(1,))
    return ops.scatter(spread(0.0, table), row, places, axes=(0,), mode="add")


def on_ones(table: Any, row: Any, k: Any) -> Any:
    return ops.dynamic_update_slice(spread(1.0, table), row, k, number(0))


def both(table: Any, row: Any, k: Any) -> Any:
    return ops.add(ops.add(window(table, row, k), ops.sin(table)), rows(table, row, k))


@pytest.mark.parametrize(
    ("make", "fills"), [(window, 0), (rows, 0), (both, 0), (on_ones, 1), (lambda t, *_: t, 0)]
)
def test_sums_are_equal_and_zeros_are_gone(make: Callable[..., Any], fills: int) -> None:
    types = [TABLE, TABLE, ROW, PLACE]
    plain = ir.region("plain", types, lambda total, *given: ops.add(total, make(*given)))
    sparse = live_part(
        ir.region("sparse", types, lambda total, *given: accumulate(total, make(*given)))
    )
    random = np.random.default_rng(0)
    operands = [random.normal(size=s) for s in ((6, 2), (6, 2), (1, 2))]
    for k in (0, 3, 9):
        (found,) = ir.evaluate(sparse, [*operands, np.asarray(k)])
        np.testing.assert_allclose(found, ir.evaluate(plain, [*operands, np.asarray(k)])[0])
    assert sum(n.op is ops.full for n in sparse.nodes) == fills
