"""Names that a function and the functions inside of it assign to, in branches and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

X = np.array([1, 2, 3], "float32")


def in_a_while(x: Any, n: Any) -> Any:
    def inner() -> Any:
        nonlocal n
        n = n - 1
        return x * 2

    while x.sum() < 100:
        if x[0] > 4:
            n = n + 3
            x = x * 2
        else:
            x = inner()
    return x, n


def in_a_for(x: Any, n: Any) -> Any:
    def inner() -> Any:
        nonlocal n
        n = n * 2
        return n

    for row in x:
        n = n + row
        row = row + inner()
        n = n - 1
        inner()
    return n


def in_nested_loops(x: Any, n: Any) -> Any:
    kept = x * 0

    def inner(a: Any) -> None:
        nonlocal kept, n
        kept = kept + a
        n = n + kept[0]

    for row in x:
        kept = kept * 2
        while n < 3:
            inner(row)
            n = n + 1
        if row > 2:
            inner(row)
            kept = kept - 1
    return kept, n


def a_number_that_changes(x: Any, n: Any) -> Any:
    count = 3

    def inner() -> None:
        nonlocal count
        count = count

    while x.sum() < 50:
        if x[0] > 2:
            count = count
        else:
            inner()
        x = x * 2
    return x, count, n


FUNCTIONS = [in_a_while, in_a_for, in_nested_loops, a_number_that_changes]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_names_of_inner_functions(function: Any) -> None:
    numbers = [np.array(n, "float32") for n in (0, 2, 5)]
    agree(function, (X, numbers[0]), (X * 3, numbers[1]), (X - 1, numbers[2]))
    agree(function, (X, 0.5), (X, 1.0), (X, 2.0))


def test_variables_of_two_calls_are_two() -> None:
    def counted(x: Any, again: Any) -> Any:
        n = x[0] * 0

        def up() -> None:
            nonlocal n
            n = n + 1

        for row in x:
            n = n + row
            up()
            if again is not None:
                again()
        return n, up

    def f(x: Any) -> Any:
        _, up = counted(x, None)
        first, again = counted(x, up)
        again()
        return first, counted(x, again)[0], counted(x, None)[0]

    agree(f, X)


def in_a_generator(x: Any) -> Any:
    if x.sum() > 0:
        z = x * 2
    return sum(z for _ in range(2))


def in_a_list(x: Any) -> Any:
    if x.sum() > 0:
        z = x * 2
    return [z + k for k in range(2)]


def in_a_function(x: Any) -> Any:
    if x.sum() > 0:
        z = x * 2

    def inner() -> Any:
        return z + 1

    return inner()


def as_an_operand(x: Any) -> Any:
    if x.sum() > 0:
        z = x * 2
    return x[0] > -9 and z.sum()


@pytest.mark.parametrize("function", [in_a_generator, in_a_list, in_a_function, as_an_operand])
def test_names_that_are_not_bound(function: Any) -> None:
    compiled = pl.graph_function(function, backend="reference", fullgraph=True)
    np.testing.assert_array_equal(compiled(pl.asarray(X)), function(pl.asarray(X)))
    kinds = []
    for f in (function, compiled):
        with pytest.raises(NameError) as caught:
            f(pl.asarray(-X))
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]
