"""Guards: what it costs a call that its function reads from outside."""

from __future__ import annotations

import timeit
from collections.abc import Iterator
from typing import Any

import plait as pl
from benchmarks.measure import Row

READS = 10
GOAL = 5.0


class Layer:
    """What a function reads: numbers, tensors, strings, a list."""

    def __init__(self) -> None:
        self.scale, self.units, self.name = 2.0, 3, "relu"
        self.w, self.b = pl.ones((3,)), pl.zeros((3,))
        self.sizes = [1, 2, 3]


layer = Layer()


def function(x: Any) -> Any:
    """Ten reads: a global, its attributes, a function, a module, a container."""
    y = x * layer.w + layer.b
    if layer.name == "relu" and layer.units == len(layer.sizes):
        y = pl.tanh(y) * layer.scale
    return helper(y)


def helper(x: Any) -> Any:
    """A function that is called."""
    return x + 1


def microseconds() -> tuple[float, int]:
    """How long all guards of the function take, and how many they are."""
    f = pl.graph_function(function, backend="reference")
    x = pl.ones((3,))
    f(x)
    program = f._specializer.last
    assert program is not None
    look = program.quick_look
    assert look is not None
    assert look((x,)) is not None
    count = 20_000
    best = min(timeit.repeat(lambda: look((x,)), number=count, repeat=7))
    return 1e6 * best / count, len(program.traced.guards)


def rows() -> Iterator[Row]:
    """One row: the time against the goal."""
    spent, guards = microseconds()
    what = f"guards of a call that reads {READS} things outside ({guards} guards)"
    yield Row(what, "5 microseconds", spent / 1e6, GOAL / 1e6, spent / GOAL, 1.0)


__all__ = ["microseconds", "rows"]
