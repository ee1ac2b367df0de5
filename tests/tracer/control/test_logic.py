"""``and``, ``or``, ``not``, ``in`` and conditional expressions on traced values."""

# ruff: noqa: RUF021, RUF060, SIM222, SIM223 - operands that Python knows are to be captured, too
from __future__ import annotations

from typing import Any

import pytest

import plait as pl
from tests.tracer.control.same import ops_of, same

X, Y = pl.asarray(1.0), pl.asarray([3.0, 1.0])
CALLS = [(X, Y), (-X, Y * 2), (X * 0, -Y), (X * 3, Y)]

OPERANDS = {
    "and": lambda x, y: x > 0 and y[0] > 2,
    "or": lambda x, y: x > 2 or y[0] > 4,
    "chain": lambda x, y: 0 < x < y[0] < 5,
    "not": lambda x, y: (not x > 0, not x, not 0, not []),
    "operand": lambda x, y: (x and y[0], x or y[0]),
    "long": lambda x, y: x > 0 and y[0] > 2 and y[1] > 0 or x < -5,
    "mixed": lambda x, y: (True and x, False or x > 1, None or x, 0 and x),
    "if": lambda x, y: y if x > 0 else y * 2,
    "nested if": lambda x, y: y if x > 2 else y * 2 if x > 0 else y * 3,
    "in tensor": lambda x, y: (x in y, x not in y),
    "in list": lambda x, y: (x in [1, 3.0], x in (y[0], y[1]), 1 in [1, x], x in []),
    "in range": lambda x, y: (x in range(3), x in range(5, -5, -2), x in range(0)),
    "in dict": lambda x, y: ("a" in {"a": x}, "a" in "abc", 3 in {3}, x),
    "of known": lambda x, y: ((1 and 2), ([] or "a"), (0 if y.ndim else 1), x),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_logic_means_what_python_means(name: str) -> None:
    same(OPERANDS[name], *CALLS)


def test_cheap_conditions_need_no_branch() -> None:
    for name, op in (("and", "logical_and"), ("or", "logical_or"), ("chain", "logical_and")):
        names = ops_of(pl.graph_function(OPERANDS[name], backend="planned"), X, Y)
        assert op in names
        assert "cond" not in names


def test_operands_that_can_fail_or_are_dear_are_branches() -> None:
    def guarded(x: Any, y: Any) -> Any:
        return x > 0 and pl.sum(y @ y) > 0 and y[int(x)] > 0

    compiled = same(guarded, (X, Y), (X * 9 - 10, Y))
    assert "cond" in ops_of(compiled, X, Y)

    def printed(x: Any, y: Any) -> Any:
        return x > 0 and show(y)

    same(printed, *CALLS)


def show(y: Any) -> Any:
    print("asked", y)
    return y[0] > 2


def test_changes_in_an_operand_are_those_of_python() -> None:
    def f(x: Any, y: Any) -> Any:
        seen = [x]
        found = x > 0 and grow(seen, y)
        return found, seen

    def grow(seen: Any, y: Any) -> Any:
        seen[0] = y[0]
        return y[1] > 0

    same(f, *CALLS)


def test_truth_of_several_elements_is_an_error() -> None:
    def f(x: Any, y: Any) -> Any:
        return y and x

    compiled = pl.graph_function(f, backend="planned", fullgraph=True)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        compiled(X, Y)
