"""The table of programs: a function as a user writes it, the same mathematics in jax, arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]
Draw = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and what it is compared with.

    Attributes
    ----------
    function : callable
        Written with ``pl``; gives a real number.
    twin : callable
        The same mathematics in jax.
    draw : callable
        Arguments from a random generator: nests of arrays, and Python values. The first
        ``differentiated`` of them are differentiated with respect to.
    differentiated : int
    second : bool
        Whether second derivatives are compared, too.
    xla : bool
        Whether it is compiled by XLA, not only planned.
    fullgraph : bool
        Whether all of it is captured.
    """

    function: Function
    twin: Function
    draw: Draw
    differentiated: int = 1
    second: bool = False
    xla: bool = False
    fullgraph: bool = True

    @property
    def name(self) -> str:
        """That of the function."""
        return str(self.function.__name__)

    def arguments(self, seed: int) -> tuple[Any, ...]:
        """The arguments of a seed."""
        return self.draw(np.random.default_rng(seed))


Table = list[Program]


def table_of(table: Table) -> Callable[..., Callable[[Function], Function]]:
    """A decorator that puts a function into a table beside its twin."""

    def program(twin: Function, draw: Draw, **options: Any) -> Callable[[Function], Function]:
        def note(function: Function) -> Function:
            table.append(Program(function, twin, draw, **options))
            return function

        return note

    return program


def normal(random: np.random.Generator, *shape: int, scale: float = 0.5) -> Any:
    """Normal numbers."""
    return np.asarray(scale * random.normal(size=shape))


def uniform(random: np.random.Generator, *shape: int, low: float = 0.2, high: float = 1.0) -> Any:
    """Numbers of a range."""
    return np.asarray(random.uniform(low, high, size=shape))
