"""Gathers, scatters and slices, in the table of jaxprs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import INTS, INTS_2, Case, X, Y, floats

z, rows = floats(5, 4, 3), np.array([[0, 4], [2, 7]], np.int32)
vmapped = jax.vmap(lambda x, i: x[i], in_axes=(1, 0))
scattered = jax.vmap(lambda x, i, v: x.at[i].add(v))
numbers = lax.GatherDimensionNumbers((1, 2), (1,), (0, 1))
spread = lax.ScatterDimensionNumbers((1, 2), (1,), (0, 1))
starts = np.array([[0, 0], [2, 3], [4, 1]], np.int32)
updates = floats(3, 2, 3, seed=4)


def gather(mode: str) -> Any:
    return lambda x, i: lax.gather(x, i, numbers, (2, 1, 3), mode=mode)


def scatter(name: str, mode: str) -> Any:
    function = getattr(lax, name)
    return lambda x, i, u: function(x, i, u, spread, mode=mode)


CASES: list[Case] = [
    Case("take", lambda x, i: x[i], (z, rows % 5)),
    Case("take_fill", lambda x, i: jnp.take(x, i, axis=0, mode="fill"), (z, rows)),
    Case("take_fill_value", lambda x, i: x.at[i].get(mode="fill", fill_value=-1.0), (z, rows)),
    Case("take_fill_int", lambda x, i: x.at[i].get(mode="fill"), (INTS[0], rows)),
    Case("take_clip", lambda x, i: jnp.take(x, i, axis=1, mode="clip"), (z, rows)),
    Case("take_along", lambda x, i: jnp.take_along_axis(x, i, axis=1), (X, np.abs(INTS) % 4)),
    Case("take_points", lambda x, i, j: x[i, :, j], (z, rows % 5, rows % 3)),
    Case("take_apart", lambda x, i: x[:, i, None], (X, rows % 4)),
    Case("take_rows", vmapped, (z, np.array([0, 3, -1, 4], np.int32))),
    Case("take_uint8", lambda x, i: x[i], (floats(200), np.array([3, 199], np.uint8))),
    Case("element", lambda x, i: x[i], (z, np.int32(-2))),
    *[Case(f"gather_{m}", gather(m), (z, starts)) for m in ("clip", "fill")],
    Case("gather_promise", gather("promise_in_bounds"), (z, np.minimum(starts, 3))),
    Case(
        "gather_whole",
        lambda x, i: lax.gather(
            x, i, lax.GatherDimensionNumbers((1, 2), (), (0,)), (3, 4), mode="fill"
        ),
        (X, np.array([[0], [1]], np.int32)),
    ),
    *[
        Case(f"{n}_{m}", scatter(n, m), (z, starts, updates))
        for m in ("clip", "fill")
        for n in ("scatter_add",)
    ],
    *[
        Case(f"{n}_{m}", scatter(n, m), (z, starts, updates), gradients=False)
        for m in ("clip", "fill")
        for n in ("scatter_mul", "scatter_min", "scatter_max")
    ],
    Case("scatter_fill", scatter("scatter", "fill"), (z, starts[:2], updates[:2])),
    Case(
        "scatter_promise",
        scatter("scatter_add", "promise_in_bounds"),
        (z, np.minimum(starts, 3), updates),
    ),
    Case("set", lambda x, v: x.at[1].set(v), (X, Y[0])),
    Case(
        "set_points",
        lambda x, i, v: x.at[i, i % 3].set(v),
        (z, np.array([0, 4, 9], np.int32), floats(3, 3)),
    ),
    Case("set_slice", lambda x, v: x.at[:, 1:3].set(v), (X, Y[:, :2])),
    Case(
        "add_repeated",
        lambda x, i, v: x.at[i].add(v),
        (X, np.array([0, 0, 2, 5], np.int32), floats(4, 4)),
    ),
    Case(
        "multiply",
        lambda x, i, v: x.at[i].multiply(v, unique_indices=True),
        (X, np.array([2, 0], np.int32), floats(2, 4)),
        gradients=False,
    ),
    Case("max_at", lambda x, i, v: x.at[i].max(v), (INTS, np.array([0, 0, 2], np.int32), INTS_2)),
    Case("scatter_rows", scattered, (X, np.array([1, -1, 3], np.int32), Y[:, 0])),
    Case(
        "scatter_whole",
        lambda x, i, u: lax.scatter_add(x, i, u, lax.ScatterDimensionNumbers((0, 1), (), (0,))),
        (X, np.array([0], np.int32), Y),
    ),
    Case(
        "scatter_dropped",
        lambda x, i, u: lax.scatter_add(x, i, u, lax.ScatterDimensionNumbers((0, 1), (), (0,))),
        (X, np.array([1], np.int32), Y),
    ),
    Case("dynamic_slice", lambda x, i: lax.dynamic_slice(x, (i, 1), (2, 3)), (X, np.int32(5))),
    Case(
        "dynamic_update",
        lambda x, y, i: lax.dynamic_update_slice(x, y, (i, i)),
        (X, Y[:2, :2], np.int32(-4)),
    ),
    Case("dynamic_index", lambda x, i: lax.dynamic_index_in_dim(x, i, 1), (X, np.int32(2))),
    Case("bincount", lambda i: jnp.bincount(i, length=5), (np.abs(INTS[0]) % 5,)),
    Case("one_hot", lambda i: jax.nn.one_hot(i, 5), (np.abs(INTS) % 6,)),
    Case("searchsorted", lambda x, v: jnp.searchsorted(jnp.sort(x), v), (X[0], Y[0])),
    Case("nonzero", lambda x: jnp.nonzero(x > 0, size=6, fill_value=-1), (X,)),
    Case("unique", lambda i: jnp.unique(i, size=5, fill_value=0), (INTS[0],)),
]
