"""Eager operators on small arrays against NumPy: what one dispatch costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import plait as pl
from benchmarks.measure import Row, compare


def rows() -> Iterator[Row]:
    """Add and tanh of float32[4]."""
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
