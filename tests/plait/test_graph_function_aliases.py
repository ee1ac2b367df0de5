"""graph_function: what shares memory stays apart or is written as eager code writes it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned")
BACKENDS = ["planned", "reference", "xla"]


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_read_from_a_variable_stays_when_its_buffer_is_given_up(backend: str) -> None:
    v = pl.Variable(np.zeros(2, np.float32))

    @pl.graph_function(backend=backend)
    def step() -> None:
        v.assign_add(pl.ones((2,)))

    reads = (
        lambda: v.value,
        lambda: v.numpy(),
        lambda: np.asarray(v),
        lambda: np.from_dlpack(v.value),
        lambda: np.reshape(v, (2, 1)),
        lambda: pl.reshape(v, (2, 1)),
        lambda: v[0:2],
        lambda: v.T,
    )
    kept = []
    for i in range(3):
        kept += [(i, read()) for read in reads]
        step()
    for i, value in kept:
        assert np.asarray(value).ravel().tolist() == [i, i]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_variable_was_given_stays_when_its_buffer_is_given_up(backend: str) -> None:
    source = pl.tanh(x32(2))
    expected = source.numpy().tolist()
    v, w = pl.Variable(source), pl.Variable(source)

    @pl.graph_function(backend=backend)
    def step(x: Any) -> Any:
        v.assign_add(x)
        w.assign_sub(x)
        return x + 1

    given = step(pl.ones((2,)))
    assert source.numpy().tolist() == expected
    v.assign(source)
    w.assign(source)
    step(pl.ones((2,)))
    assert source.numpy().tolist() == expected
    v.assign(given)
    w.assign(v.value)
    step(pl.ones((2,)))
    step(pl.ones((2,)))
    assert given.numpy().tolist() == [2, 2]
    assert (v.numpy().tolist(), w.numpy().tolist()) == ([4, 4], [0, 0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_argument_that_becomes_state_stays_the_callers(backend: str) -> None:
    v = pl.Variable(np.zeros(2, np.float32))

    @pl.graph_function(backend=backend)
    def store(x: Any) -> None:
        v.assign(x)

    @pl.graph_function(backend=backend)
    def add() -> None:
        v.assign_add(pl.ones((2,)))

    double = pl.graph_function(lambda x: x * 2, backend=backend)
    for x in (x32(2), np.ones(2, np.float32), double(x32(2))):
        before = np.array(x).tolist()
        store(x)
        add()
        assert np.asarray(x).tolist() == before
        x[0] = 5
        assert v.numpy().tolist() == [n + 1 for n in before]


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_swap_inside(backend: str) -> None:
    v, w = pl.Variable(np.zeros(2)), pl.Variable(np.ones(2))

    @pl.graph_function(backend=backend)
    def swap() -> None:
        old = v.value
        v.assign(w)
        w.assign(old)

    for i in range(3):
        swap()
        assert (v.numpy()[0], w.numpy()[0]) == ((0, 1) if i % 2 else (1, 0))


def test_an_outside_array_assigned_inside_is_read_at_each_call() -> None:
    v, outside = pl.Variable(np.zeros(2)), np.ones(2)

    @compiled
    def load() -> None:
        v.assign(outside)

    load()
    outside[:] = 3
    load()
    assert v.numpy().tolist() == [3, 3]
