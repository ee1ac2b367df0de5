"""Programs with control flow, batched by ``pl.vmap`` and by ``jax.vmap``, agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import plait as pl

R = np.random.default_rng(0)
F32 = np.float32


def normal(*shape: int) -> Any:
    return R.normal(size=shape).astype(F32)


# Each pair is one program: Plait's with Python's control flow, and jax's with jax.lax's.


def newton(a: Any) -> Any:
    x = a
    while pl.abs(x * x - a) > 1e-3 * a:
        x = 0.5 * (x + a / x)
    return x


def newton_jax(a: Any) -> Any:
    def go_on(x: Any) -> Any:
        return jnp.abs(x * x - a) > 1e-3 * a

    return lax.while_loop(go_on, lambda x: 0.5 * (x + a / x), a)


def piecewise(x: Any) -> Any:
    if x < -1:
        return -x
    if x < 1:
        return x * x
    return pl.sqrt(x)


def piecewise_jax(x: Any) -> Any:
    return lax.cond(
        x < -1, lambda v: -v, lambda v: lax.cond(v < 1, lambda u: u * u, jnp.sqrt, v), x
    )


def recurrent(w: Any, xs: Any) -> Any:
    h = pl.zeros(3)
    for x in xs:
        h = pl.tanh(w @ h + x)
    return h


def recurrent_jax(w: Any, xs: Any) -> Any:
    return lax.scan(lambda h, x: (jnp.tanh(w @ h + x), None), jnp.zeros(3, F32), xs)[0]


def first_above(v: Any, limit: Any) -> Any:
    found = -1
    for i in range(5):
        if v[i] > limit:
            found = i
            break
    return found


def first_above_jax(v: Any, limit: Any) -> Any:
    above = v > limit
    return jnp.where(above.any(), above.argmax(), -1)


def bisect(edges: Any, x: Any) -> Any:
    low, high = 0, 8
    while low < high:
        middle = (low + high) // 2
        if edges[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


def power_iteration(m: Any) -> Any:
    v = pl.ones(3)
    for _ in range(20):
        v = m @ v
        v = v / pl.sqrt(v @ v)
    return v @ m @ v


def power_iteration_jax(m: Any) -> Any:
    def step(_: Any, v: Any) -> Any:
        v = m @ v
        return v / jnp.sqrt(v @ v)

    v = lax.fori_loop(0, 20, step, jnp.ones(3, F32))
    return v @ m @ v


def shift(state: Any, at: Any, value: Any) -> Any:
    state[at] = value
    return state[::-1]


PROGRAMS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any, tuple[Any, ...]]] = {
    "newton": (newton, newton_jax, 0, (np.asarray([2, 9, 0.25, 100], F32),)),
    "piecewise": (piecewise, piecewise_jax, 0, (np.asarray([-3, -0.5, 0.5, 4], F32),)),
    "recurrent": (recurrent, recurrent_jax, (None, 0), (normal(3, 3), normal(4, 6, 3))),
    "recurrent_weights": (recurrent, recurrent_jax, (0, None), (normal(4, 3, 3), normal(6, 3))),
    "first_above": (first_above, first_above_jax, (0, None), (normal(6, 5), F32(0.7))),
    "bisect": (
        bisect,
        jnp.searchsorted,
        0,
        (np.sort(normal(4, 8), axis=1), normal(4)),
    ),
    "power_iteration": (power_iteration, power_iteration_jax, 0, (normal(4, 3, 3),)),
    "searchsorted": (pl.searchsorted, jnp.searchsorted, 0, (np.sort(normal(4, 9)), normal(4, 3))),
    "sort": (pl.sort, jnp.sort, 1, (normal(5, 4),)),
    "softmax": (
        lambda x: pl.softmax(x, axis=-1),
        lambda x: jax.nn.softmax(x, axis=-1),
        2,
        (normal(2, 3, 4),),
    ),
    "einsum": (
        lambda a, b: pl.einsum("ij,jk->ki", a, b),
        lambda a, b: jnp.einsum("ij,jk->ki", a, b),
        (1, None),
        (normal(2, 5, 3), normal(3, 4)),
    ),
    "update": (
        shift,
        lambda s, i, v: s.at[i].set(v)[::-1],
        (0, 0, None),
        (normal(3, 4), np.asarray([0, 3, 1]), normal()),
    ),
    "take": (
        lambda x, i: x[i, :, 1],
        lambda x, i: x[i, :, 1],
        (None, 0),
        (normal(4, 3, 2), np.asarray([[0, 3], [1, 1]])),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program(name: str) -> None:
    ours, theirs, axes, arrays = PROGRAMS[name]
    wanted = jax.jit(jax.vmap(theirs, in_axes=axes))(*map(jnp.asarray, arrays))
    tensors = [pl.asarray(np.array(x)) for x in arrays]
    found = pl.vmap(ours, in_axes=axes)(*tensors)
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=2e-5, atol=1e-6)
    twice = pl.graph_function(pl.vmap(pl.vmap(ours, in_axes=axes), in_axes=None, axis_size=2))
    again = np.asarray(twice(*tensors))
    np.testing.assert_allclose(again, np.stack([np.asarray(wanted)] * 2), rtol=2e-5, atol=1e-6)
