"""Calls of compiled functions on small arguments: what guards and wrapping cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

import plait as pl
from benchmarks.measure import Row, compare


def rows() -> Iterator[Row]:
    """4 and 100 arguments, on jax arrays and on NumPy arrays."""
    for count in (4, 100):
        yield from _calls(count)
    yield _checked()


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
