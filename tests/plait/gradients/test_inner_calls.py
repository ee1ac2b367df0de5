"""Gradients taken in compiled functions of variables that other compiled functions read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

X = pl.asarray(np.array([0.5, -1.0, 2.0]))


class Layer:
    """Reads one variable and counts its calls in another."""

    def __init__(self) -> None:
        self.w = pl.Variable(np.array([1.0, 2.0, 3.0]), name="w")
        self.count = pl.Variable(0, name="count")

    @pl.graph_function
    def energy(self, x: Any) -> Any:
        self.count.assign_add(1)
        return pl.sum(pl.square(self.w * x))


def by_tape(layer: Layer, x: Any) -> Any:
    with pl.GradientTape() as tape:
        y = layer.energy(x)
    return tape.gradient(y, layer.w)


def by_function(layer: Layer, x: Any) -> Any:
    ((gradient, variable),) = pl.implicit_gradients(layer.energy)(x)
    assert variable is layer.w
    return gradient


def by_rows(layer: Layer, x: Any) -> Any:
    square = pl.graph_function(lambda w, x: pl.square(w * x))
    ((gradient, _),) = pl.implicit_gradients(lambda x: pl.sum(pl.vmap(square)(layer.w.value, x)))(x)
    return gradient


@pytest.mark.parametrize("way", [by_tape, by_function, by_rows])
@pytest.mark.parametrize("compiled", [True, False])
def test_the_first_call_and_later_ones(way: Callable[..., Any], compiled: bool) -> None:
    layer = Layer()

    def plain(x: Any) -> Any:
        return way(layer, x)

    take: Any = pl.graph_function(plain) if compiled else plain
    for _ in range(2):
        np.testing.assert_allclose(np.asarray(take(X)), np.array([0.5, 4.0, 24.0]), rtol=1e-12)
    layer.w.assign([2.0, 2.0, 2.0])
    np.testing.assert_allclose(np.asarray(take(X)), np.array([1.0, 4.0, 16.0]), rtol=1e-12)


def test_counters_have_no_gradients() -> None:
    layer = Layer()
    with pl.GradientTape() as tape:
        layer.energy(X)
    assert tape.watched_variables() == (layer.w,)
