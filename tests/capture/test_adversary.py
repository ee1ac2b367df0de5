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


# Aliases out of branches.


def two_names(x: Any) -> Any:
    if x[0] > 0:
        a = b = x * 2
    else:
        a, b = x * 3, x * 4
    a += 100
    return a, b


def a_view_of_what_the_branch_made(x: Any) -> Any:
    if x[0] > 0:
        a = x * 2
        b = a[1:]
    else:
        a = x * 3
        b = a[:2]
    a[:] = 0
    return a, b


def views_of_what_was_there(x: Any) -> Any:
    y = x[1:] if x[0] > 0 else x[:2]
    x[1] = 100
    return y


def a_view_beside_an_error(x: Any) -> Any:
    if x[0] > 0:
        y = x[1:]
    else:
        raise ValueError("negative")
    y[0] = 100
    return x, y


def one_list_under_two_names(x: Any) -> Any:
    if x[0] > 0:
        a = b = [x * 2]
    else:
        a = b = [x * 3]
    a.append(1)
    return a, b, a is b


def one_list_or_two(x: Any) -> Any:
    if x[0] > 0:
        a = b = [x * 2]
    else:
        a, b = [x * 3], [x * 3]
    a.append(1)
    return a, b, a is b


BRANCHES = [
    two_names,
    a_view_of_what_the_branch_made,
    views_of_what_was_there,
    a_view_beside_an_error,
    one_list_under_two_names,
    one_list_or_two,
]


@pytest.mark.parametrize("function", BRANCHES)
def test_aliases_of_what_a_branch_gives(function: Any) -> None:
    agree(function, X, NEGATIVE)


def test_two_names_of_one_tensor_stay_one_graph() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            a = b = x * 2
        else:
            a = b = x * 3
        a += 100
        return a, b

    agree(f, X, NEGATIVE)
    assert pl.graph_function(f, fullgraph=True)(pl.asarray(X))[1].numpy().tolist() == [
        102,
        104,
        106,
    ]
