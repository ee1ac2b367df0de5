"""Programs written to break capture: aliasing across branches and loops, jumps out of finally."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.tracer.control.same import shown

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")
LONG = np.arange(20, dtype="float32")


def given(args: tuple[Any, ...]) -> list[Any]:
    """Fresh arguments: arrays as tensors."""
    return [pl.asarray(a) if isinstance(a, np.ndarray) else copy.copy(a) for a in args]


def outcome(function: Any, args: tuple[Any, ...]) -> tuple[str, str]:
    """What a call gives or raises, and what it leaves in its arguments."""
    mine = given(args)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = shown(function(*mine))
    except Exception as error:
        return f"{type(error).__name__}: {error}", ""
    return found, shown(mine)


def agree(function: Any, *calls: Any, backend: str = "reference") -> None:
    """Compiled, a function does what it does plain, breaks or none."""
    compiled = pl.graph_function(function, backend=backend)
    for call in calls:
        args = call if isinstance(call, tuple) else (call,)
        wanted = outcome(function, args)
        for _ in range(2):
            assert outcome(compiled, args) == wanted


# Elements of tensors of one dimension are copies, rows of others are views.


def test_elements_in_a_loop_are_copies() -> None:
    def f(x: Any) -> Any:
        for v in x:
            v += 1
        for i, v in enumerate(x):
            if i > 0:
                v += x[i - 1]
        return x

    agree(f, X, LONG)


def test_rows_in_a_loop_are_views() -> None:
    def f(x: Any) -> Any:
        for v in x.reshape(-1, 2):
            v += 1
        return x

    agree(f, LONG)
