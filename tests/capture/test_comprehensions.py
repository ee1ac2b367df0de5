"""List comprehensions over tensors: one scan for many rows, what they mean in any case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree
from tests.tracer.control.same import ops_of

X = np.arange(60, dtype="float32").reshape(20, 3)
SHORT = np.arange(6, dtype="float32").reshape(2, 3)


def rows(x: Any) -> Any:
    return [pl.sum(r) * 2 for r in x]


def stacked(x: Any) -> Any:
    scale = x[0, 1]
    return pl.stack([r * scale if pl.sum(r) > 20 else r for r in x])


def pairs(x: Any) -> Any:
    return [(i, a + b) for i, (a, b) in enumerate(zip(x, x * 2, strict=True))]


def nested(x: Any) -> Any:
    return [[pl.sum(r) + v for v in r] for r in x]


def views(x: Any) -> Any:
    found = [r for r in x]  # noqa: C416
    found[1][0] = 100
    return found[1], x


def one_for_all(x: Any) -> Any:
    y = x[0] * 2
    found = [y for _ in x]
    found[0][0] = 7
    return found[0], found[5 % len(found)], y


def fresh_lists(x: Any) -> Any:
    found: list[Any] = [[] for _ in x]
    found[0].append(1)
    return found


def with_changes(x: Any) -> Any:
    seen = []

    def note(value: Any) -> Any:
        seen.append(value)
        return value * 2

    found = [note(pl.sum(r)) for r in x]
    return found[0], len(seen), seen[-1]


def of_its_index(x: Any) -> Any:
    names = ["a", "b", "c"]
    return [names[i % 3] for i, _ in enumerate(x)]


def of_functions(x: Any) -> Any:
    made: Any = [lambda: r * 2 for r in x]  # noqa: B023
    return [f() for f in made]


def filtered(x: Any) -> Any:
    return [r * 2 for i, r in enumerate(x) if i % 2]


def hidden_name(x: Any) -> Any:
    r = 5
    found = [r * 2 for r in x]
    return r, found


class Point:
    """An object."""

    def __init__(self, at: Any) -> None:
        self.at = at


def objects(x: Any) -> Any:
    return [p.at * 2 for p in [Point(r) for r in x]]


def in_a_branch(x: Any) -> Any:
    found = [x[0], x[1]]
    if pl.sum(x) > 100:
        found = [pl.max(r) + x[0] for r in x][:2]
    return found


def an_error(x: Any) -> Any:
    return [r.nothing for r in x]


FUNCTIONS = [
    rows,
    stacked,
    pairs,
    nested,
    views,
    one_for_all,
    fresh_lists,
    with_changes,
    of_its_index,
    of_functions,
    filtered,
    hidden_name,
    objects,
    in_a_branch,
    an_error,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_comprehensions_mean_what_they_say(function: Any) -> None:
    agree(function, X, SHORT, X[:1])


@pytest.mark.parametrize("function", [rows, stacked, pairs, nested, hidden_name])
def test_many_rows_are_one_scan(function: Any) -> None:
    compiled = pl.graph_function(function, backend="reference", fullgraph=True)
    ops = ops_of(compiled, pl.asarray(X))
    assert ops.count("scan") == 1
    assert "scan" not in ops_of(compiled, pl.asarray(SHORT))


def test_numbers_of_a_range_stay_numbers() -> None:
    def f(x: Any) -> Any:
        places = [i * 2 for i in range(30)]
        return x * places[7], [f"{i}" for i in places]

    agree(f, X)
    assert "scan" not in ops_of(pl.graph_function(f, backend="reference"), pl.asarray(X))


def test_in_a_class_and_in_a_method() -> None:
    class Sums:
        """Keeps a factor."""

        factor = 3
        table = tuple([i + 1 for i in range(2)])

        def __init__(self) -> None:
            self.count = 0

        def sums(self, x: Any) -> Any:
            self.count += 1
            return [pl.sum(r) * self.factor + self.table[0] for r in x]

    def f(x: Any) -> Any:
        sums = Sums()
        return sums.sums(x), sums.count

    agree(f, X, SHORT)
