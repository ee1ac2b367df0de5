"""Eager operators and gradients on small arrays against NumPy: what one dispatch costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import plait as pl
from benchmarks.measure import Row, compare


def rows() -> Iterator[Row]:
    """Add and tanh of float32[4], and the gradient of a small program."""
    a = np.linspace(0, 1, 4, dtype=np.float32)
    x = pl.asarray(a)
    goal = 2.0
    yield compare("eager x + x, float32[4]", "NumPy", goal, lambda: x + x, lambda: a + a)
    yield compare(
        "eager pl.add, float32[4]", "NumPy", goal, lambda: pl.add(x, x), lambda: np.add(a, a)
    )
    yield compare(
        "eager pl.tanh, float32[4]", "NumPy", goal, lambda: pl.tanh(x), lambda: np.tanh(a)
    )
    yield from _gradients()


def _gradients() -> Iterator[Row]:
    """All three gradients of ``sum(tanh(x * w + b))``, float32[4], against NumPy's forward."""
    arrays = [np.linspace(-1, i, 4, dtype=np.float32) for i in range(1, 4)]
    tensors = [pl.asarray(a) for a in arrays]

    def forward() -> Any:
        x, w, b = arrays
        return np.sum(np.tanh(x * w + b))

    def loss(x: Any, w: Any, b: Any) -> Any:
        return pl.sum(pl.tanh(x * w + b))

    gradients = pl.gradients_function(loss)

    def by_tape() -> Any:
        with pl.GradientTape() as tape:
            tape.watch(*tensors)
            target = loss(*tensors)
        return tape.gradient(target, tensors)

    what, peer, goal = "eager gradient of sum(tanh(x*w+b)), float32[4]", "NumPy's forward", 12.0
    yield compare(what, peer, goal, lambda: gradients(*tensors), forward)
    yield compare(f"{what}, by a tape", peer, goal, by_tape, forward)
