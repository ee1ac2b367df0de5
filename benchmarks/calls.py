"""Calls of compiled functions on small arguments: what guards and wrapping cost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import jax
import numpy as np

import plait as pl
from benchmarks.measure import Row, compare
from plait.runtime.unrolled import LOOK_EVERY


def rows() -> Iterator[Row]:
    """4 and 100 arguments, on jax arrays and on NumPy arrays."""
    for count in (4, 100):
        yield from _calls(count)
    yield _checked()
    yield from _written()


def _body(*arrays: Any) -> Any:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total, total * 2


def _calls(count: int) -> Iterator[Row]:
    ours, theirs = pl.graph_function(_body), jax.jit(_body)
    arrays = [np.full(4, i, np.float32) for i in range(count)]
    backed = [pl.asarray(a) for a in arrays]
    device = [jax.device_put(a) for a in arrays]
    double = pl.graph_function(lambda x: x + 0)
    on_device = [double(x) for x in backed]
    what = f"compiled call, {count} arguments"
    yield compare(
        f"{what}, on the device",
        "jax.jit on jax arrays",
        1.3,
        lambda: ours(*on_device),
        lambda: theirs(*device),
    )
    yield compare(
        f"{what}, NumPy-backed",
        "jax.jit on NumPy arrays",
        1.1,
        lambda: ours(*backed),
        lambda: theirs(*arrays),
    )
    # More sets than a quick call waits until it looks which tensors have come again.
    others = [[a + i for a in arrays] for i in range(2 * LOOK_EVERY + 1)]
    ours_next = cycle([[*map(pl.asarray, each)] for each in others])
    theirs_next = cycle(others)
    yield compare(
        f"{what}, NumPy-backed, others than before",
        "jax.jit on NumPy arrays",
        1.1,
        lambda: ours(*next(ours_next)),
        lambda: theirs(*next(theirs_next)),
    )


def _checked() -> Row:
    """A call whose graph has a status output."""

    def pick(x: Any, i: Any) -> Any:
        return pl.gather(x, i), x + 1, x + 2, x + 3

    def pick_jax(x: Any, i: Any) -> Any:
        return x[i], x + 1, x + 2, x + 3

    ours, theirs = pl.graph_function(pick), jax.jit(pick_jax)
    x, i = np.arange(4, dtype=np.float32), np.asarray(2, np.int32)
    same = pl.graph_function(lambda v: v + 0)
    ours_x, ours_i = same(pl.asarray(x)), same(pl.asarray(i))
    theirs_x, theirs_i = jax.device_put(x), jax.device_put(i)
    return compare(
        "compiled call with an index check",
        "jax.jit, unchecked",
        1.3,
        lambda: ours(ours_x, ours_i),
        lambda: theirs(theirs_x, theirs_i),
    )


def _written() -> Iterator[Row]:
    """Calls as they are written: arguments by name and in containers, and state."""
    array = np.ones(4, np.float32)
    same = pl.graph_function(lambda v: v + 0)
    ours_x, theirs_x = same(pl.asarray(array)), jax.device_put(array)

    def add(params: Any, x: Any) -> Any:
        return params["w"] * x + params["b"]

    ours, theirs = pl.graph_function(add), jax.jit(add)
    ours_params, theirs_params = dict.fromkeys("wb", ours_x), dict.fromkeys("wb", theirs_x)
    yield compare(
        "compiled call, a dict and an argument by name",
        "jax.jit",
        1.3,
        lambda: ours(ours_params, x=ours_x),
        lambda: theirs(theirs_params, x=theirs_x),
    )
    state = [pl.Variable(array) for _ in range(4)]

    def step(x: Any) -> Any:
        for variable in state:
            variable.assign(variable + x)
        return x * 2

    our_step = pl.graph_function(step)
    arrays = [jax.device_put(array) for _ in state]
    given_up = tuple(range(1, 5))
    their_step = jax.jit(lambda x, *s: (x * 2, [v + x for v in s]), donate_argnums=given_up)

    def next_step() -> None:
        arrays[:] = their_step(theirs_x, *arrays)[1]

    yield compare(
        "compiled call that assigns 4 variables",
        "jax.jit with donated arrays",
        1.6,
        lambda: our_step(ours_x),
        next_step,
    )
