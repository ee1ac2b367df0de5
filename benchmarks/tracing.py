"""Trace, passes and lowering of graphs of many small ops, against jax's trace and lower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import plait as pl
from benchmarks.measure import Row, compare


def rows() -> Iterator[Row]:
    """100 and 1,000 ops on f32[16,16]."""
    for count in (100, 1000):
        describe: Any = jax.ShapeDtypeStruct
        spec = describe((16, 16), np.dtype(np.float32))
        own = pl.TensorSpec((16, 16), "float32")
        yield compare(
            f"trace, passes and lowering, {count} ops",
            "jax trace and lower",
            1.0,
            _ours(count, own),
            _theirs(count, spec),
            rounds=11 if count == 100 else 5,
            seconds=0.0,
        )


def _ours(count: int, spec: Any) -> Callable[[], object]:
    def run() -> object:
        function = pl.graph_function(program(pl, count))
        return function.trace(spec, spec).optimize().lower("xla")

    return run


def _theirs(count: int, spec: Any) -> Callable[[], object]:
    return lambda: jax.jit(program(jnp, count)).trace(spec, spec).lower()


def program(xp: Any, count: int) -> Callable[..., Any]:
    """A random graph of ``count`` ops: elementwise, products, reductions with broadcast."""

    def run(x: Any, y: Any) -> Any:
        random = np.random.default_rng(count)
        values = [x, y]
        for _ in range(count):
            a, b = (values[-1 - int(i)] for i in random.integers(0, min(len(values), 8), 2))
            kind = int(random.integers(0, 8))
            if kind < 3:
                values.append([a + b, a * b, a - b][kind])
            elif kind < 5:
                values.append([xp.tanh, xp.sin][kind - 3](a))
            elif kind == 5:
                values.append(a @ b)
            elif kind == 6:
                values.append(xp.permute_dims(a, (1, 0)))
            else:
                values.append(a + xp.sum(b, axis=0, keepdims=True))
        return sum(values[-8:])

    return run
