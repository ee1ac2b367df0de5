"""New shapes of arguments that do not lie in C order: copies where eager code copies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import SignatureError

Make = Callable[[], Any]


def grid() -> Any:
    """A fresh square."""
    return np.arange(9.0).reshape(3, 3)


def cube() -> Any:
    """A fresh array of three dimensions."""
    return np.arange(24.0).reshape(2, 3, 4)


LAYOUTS: list[Make] = [
    lambda: pl.asarray(grid()),
    lambda: pl.asarray(grid()).T,
    lambda: pl.asarray(grid())[:, ::2],
    lambda: pl.asarray(grid())[::-1],
    lambda: pl.asarray(cube()).T,
    lambda: pl.asarray(cube())[0],
    grid,
    lambda: grid().T,
    lambda: grid()[:, ::-2],
]


def new_shape(x: Any) -> Any:
    z = x.reshape(-1)
    z[0] = 50
    return z


def flat(x: Any) -> Any:
    z = x.ravel()
    z[0] = 50
    return z


def transposed_first(x: Any) -> Any:
    z = x.T.reshape(-1)
    z[1] = 7
    return z


def written_afterwards(x: Any) -> Any:
    z = x.reshape(-1)
    x[0, 0] = 9
    return z


def written_by_another_view(x: Any) -> Any:
    z, row = x.reshape(-1), x[0]
    row += 5
    return z


def computed(x: Any) -> Any:
    y = x * 2
    z = y.reshape(-1)
    z[0] = 7
    return y, z


def in_a_branch(x: Any) -> Any:
    z = x.reshape(-1)
    if pl.sum(x) < 100:
        z[0] = 50
    return z


def in_a_loop(x: Any) -> Any:
    for _ in range(20):
        z = x.reshape(-1)
        z[0] = z[0] + 1
    return x


def computed_in_a_loop(x: Any) -> Any:
    y = x
    for _ in range(20):
        y = y + 1
        z = y.reshape(-1)
        z[0] = 7
    return y


def computed_by_a_loop(x: Any) -> Any:
    y = x
    for _ in range(20):
        y = y + 1
    y.reshape(-1)[0] = 7
    return y


FUNCTIONS = [
    new_shape,
    flat,
    transposed_first,
    written_afterwards,
    written_by_another_view,
    computed,
    in_a_branch,
    in_a_loop,
    computed_in_a_loop,
    computed_by_a_loop,
]


def numbers(x: Any) -> Any:
    """What a result or an argument holds."""
    return [numbers(y) for y in x] if isinstance(x, tuple) else np.asarray(x).tolist()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_results_and_arguments_for_each_layout(function: Any) -> None:
    compiled = pl.graph_function(function, backend="reference")
    for make in (*LAYOUTS, *LAYOUTS):
        mine, yours = make(), make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted, found = function(mine), compiled(yours)
        assert numbers(found) == numbers(wanted)
        assert numbers(yours) == numbers(mine)


def test_a_layout_that_matters_is_named() -> None:
    compiled = pl.graph_function(new_shape, backend="reference", fullgraph=True)
    compiled(pl.zeros((2, 3)))
    compiled(pl.zeros((3, 2)).T)
    compiled(pl.zeros((3, 2)).T)
    reasons = [trace.reason for trace in compiled.explain(fixes=False).traces]
    assert reasons[1:] == ["x: f32[2,3] -> f32[2,3] with strides (4, 8)"]


def test_a_layout_that_does_not_matter_is_not_looked_at() -> None:
    compiled = pl.graph_function(lambda x: x.reshape(-1) + 1, backend="reference", fullgraph=True)
    compiled(pl.zeros((2, 3)))
    compiled(pl.zeros((3, 2)).T)
    assert len(compiled.explain(fixes=False).traces) == 1


def test_a_ravel_of_every_other_element_of_an_array_is_a_copy() -> None:
    def f(x: Any) -> Any:
        x[::2].ravel()[0] = 1
        x[::2].reshape(-1)[1] = 2
        return x

    a, b = np.zeros(4), np.zeros(4)
    assert numbers(pl.graph_function(f, backend="reference")(a)) == numbers(f(b))


@pytest.mark.parametrize("wrap", [pl.asarray, np.asarray])
def test_a_tensor_or_array_from_outside(wrap: Any) -> None:
    held = [wrap(grid())]

    def f(x: Any) -> Any:
        z = held[0].reshape(-1)
        z[0] = x
        return z

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    views: list[Any] = [lambda x: x, lambda x: x.T, lambda x: x[::-1]]
    for view in views:
        held[0] = mine = view(wrap(grid()))
        wanted = f(pl.asarray(3.0))
        held[0] = yours = view(wrap(grid()))
        assert numbers(compiled(pl.asarray(3.0))) == numbers(wanted)
        assert numbers(yours) == numbers(mine)
    assert "in C order" in compiled.explain(fixes=False).traces[1].reason


def test_computed_from_a_tensor_from_outside() -> None:
    held = pl.asarray(grid()).T

    def f(x: Any) -> Any:
        y = held + x
        y.reshape(-1)[0] = 50
        return y

    with pytest.warns(pl.errors.GraphBreakWarning, match="copy it first"):
        found = pl.graph_function(f, backend="reference")(pl.asarray(1.0))
    assert numbers(found) == numbers(f(pl.asarray(1.0)))


def test_a_compiled_function_in_another_one() -> None:
    inner = pl.graph_function(new_shape, backend="reference")

    def f(x: Any) -> Any:
        return inner(x), inner(x.T)

    compiled = pl.graph_function(f, backend="reference", fullgraph=True)
    for make in LAYOUTS:
        mine, yours = make(), make()
        wanted = (new_shape(mine), new_shape(mine.T))
        assert numbers(compiled(yours)) == numbers(wanted)
        assert numbers(yours) == numbers(mine)


def test_a_program_is_for_its_layout_only() -> None:
    program = pl.graph_function(new_shape, backend="reference").trace(pl.zeros((2, 3)))
    run = program.optimize().lower().compile()
    with pytest.raises(SignatureError, match="in C order, got one with strides"):
        run(pl.zeros((3, 2)).T)
