"""Python's builtins on traced tensors: what they give is what they give on values."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.tracer.control.same import ops_of, same

X = pl.asarray([3.0, 1.0, 2.0, 1.0])
LONG = pl.asarray(np.linspace(-3, 3, 24))

REDUCTIONS = {
    "sum": lambda x: (sum(x), sum(x, 10), sum([x[0], x[1], 2]), sum(v * 2 for v in x)),
    "max": lambda x: (max(x), max(x[0], x[1]), max(x[0], x[1], x[2] * 5), max([x[0], x[3]])),
    "min": lambda x: (min(x), min(x[0], x[1]), min(x[i] for i in range(4))),
    "key": lambda x: (max(x[0], x[1], key=lambda v: -v), min([x[0], x[2]], key=abs)),
    "default": lambda x: (max([], default=x[0]), min((), default=3)),
    "known": lambda x: (max(1, 2.5), min([3, 1], key=lambda n: -n), x),
    "any": lambda x: (any(x), any(x - x), any([x[0] > 5, x[1] > 0]), any(v > 2 for v in x)),
    "all": lambda x: (all(x), all(x - 1), all([x[0] > 5, True]), all([]), any([0, ""])),
    "len": lambda x: (len(x), len([x, x]), len("abc")),
    "reduce": lambda x: functools.reduce(lambda a, b: a * b, x, 1.0),
}
ORDERS = {
    "sorted": lambda x: (sorted(x), sorted(x, reverse=True), sorted([x[0], x[1]])),
    "key": lambda x: (sorted(x, key=lambda v: -v), sorted([x[0], x[1]], key=lambda v: abs(v - 3))),
    "numbers": lambda x: sorted([int(x[0]), int(x[1]), int(x[2])], reverse=True),
    "known": lambda x: (sorted([3, 1, 2]), sorted("bca", key=ord), x),
}
ITERABLES = {
    "enumerate": lambda x: [(i, v) for i, v in enumerate(x, 1)],
    "zip": lambda x: [a * b for a, b in zip(x, x[::-1], strict=True)],
    "zip list": lambda x: [a * b for a, b in zip(x, [1, 2], strict=False)],
    "reversed": lambda x: (list(reversed(x)), next(reversed([1, x]))),
    "map": lambda x: (list(map(math.sqrt, x)), list(map(lambda a, b: a if a > b else b, x, x * 2))),
    "filter": lambda x: (list(filter(lambda n: n > 1, [1, 2, 3])), x),
    "accumulate": lambda x: list(itertools.accumulate(x, lambda a, b: a if a > b else b)),
    "list": lambda x: (list(x), tuple(x), [*x], dict(enumerate(x))),
    "range": lambda x: (list(range(3)), x),
}
CLASSES = {
    "isinstance": lambda x: (
        isinstance(x, pl.Tensor),
        isinstance(int(x[0]), int),
        isinstance(x[0] > 1, bool),
        isinstance(float(x[0]), (str, float)),
        isinstance(bool(x[0]), bool),
    ),
    "type": lambda x: (
        type(x) is pl.Tensor,
        type(int(x[0])) is int,
        type(bool(x[0])).__name__,
        type(x).__name__,
    ),
    "operator": lambda x: (
        operator.add(x, 1),
        operator.not_(x[0]),
        operator.truth(x[0]),
        operator.contains(x, 2.0),
        operator.itemgetter(1)([1, x]),
    ),
    "text": lambda x: (str(1.5), repr("a"), format(2.0, ".1f"), ascii("ä"), x),
}
TABLES: dict[str, dict[str, Any]] = {
    "r": REDUCTIONS,
    "o": ORDERS,
    "i": ITERABLES,
    "c": CLASSES,
}
ALL = {f"{k} {name}": f for k, table in TABLES.items() for name, f in table.items()}


@pytest.mark.parametrize("name", ALL)
def test_builtins_of_tensors(name: str) -> None:
    same(ALL[name], X, X * -1)


def test_reductions_of_long_tensors_are_one_op() -> None:
    def f(x: Any) -> Any:
        return max(x), min(x), any(x), all(x > -5)

    compiled = same(f, LONG, LONG.astype("int32"), LONG.astype("float16"))
    assert len(ops_of(compiled, LONG)) < 30
    total = pl.graph_function(lambda x: sum(x), backend="planned", fullgraph=True)
    assert np.isclose(total(LONG + 1).numpy(), np.sum((LONG + 1).numpy()))
    assert ops_of(total, LONG).count("reduce_sum") == 1
    same(lambda x: sum(x), LONG.astype("int8"), LONG > 0)


@pytest.mark.parametrize("order", [(1.0, np.nan, 2.0), (np.nan, 1.0, 2.0), (1.0, 2.0, np.nan)])
def test_extremes_treat_nan_as_python_does(order: Any) -> None:
    same(lambda x: (max(x), min(x)), pl.asarray(order))


def test_arrays_are_arrays() -> None:
    def f(x: Any) -> Any:
        return isinstance(x, np.ndarray), isinstance(x, pl.Tensor), type(x) is np.ndarray, x

    same(f, np.ones(3))


def test_ranges_of_traced_numbers() -> None:
    def f(x: Any) -> Any:
        total = x * 0
        for i in range(int(x)):
            total = total + i
        return total

    compiled = same(f, pl.asarray(5.0), pl.asarray(0.0))
    assert "while" in ops_of(compiled, pl.asarray(5.0))


def test_lists_are_sorted_in_place() -> None:
    def f(x: Any) -> Any:
        items = [x[0], x[1], x[2]]
        again = items
        items.sort(key=lambda v: -v)
        return again

    same(f, X, -X)


def test_errors_of_builtins_are_pythons() -> None:
    same(lambda x: (max([]), x), X)
    same(lambda x: (functools.reduce(lambda a, b: a, []), x), X)
    same(lambda x: (sorted([x, "a"], key=lambda v: 1, reverse=False)[1], x), X)
