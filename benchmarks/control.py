"""Captured loops against those written by hand for jax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from benchmarks.measure import Row, compare

STEPS, SIZE = 100, 64


def rows() -> Iterator[Row]:
    """Collatz from 27, one ``while`` and one ``cond``; a recurrent net, one ``scan``.

    Arguments lie where XLA has put them, on both sides.
    """
    ours: Any = pl.graph_function(collatz)
    theirs: Any = jax.jit(collatz_by_hand)
    on_device = pl.graph_function(lambda x: x + 0)
    start, given = on_device(pl.constant(27)), jnp.asarray(27, jnp.int32)
    assert int(ours(start)) == int(theirs(given)) == 111
    yield compare(
        "Collatz from 27, captured",
        "lax.while_loop by hand, jax.jit",
        1.5,
        lambda: ours(start),
        lambda: theirs(given),
    )
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in ((STEPS, SIZE), (SIZE, SIZE)))
    w /= SIZE**0.5
    ours, theirs = pl.graph_function(recurrent), jax.jit(recurrent_by_hand)
    mine = on_device(pl.constant(x)), on_device(pl.constant(w))
    his = jnp.asarray(x), jnp.asarray(w)
    np.testing.assert_allclose(ours(*mine).numpy(), np.asarray(theirs(*his)), rtol=1e-4, atol=1e-5)
    yield compare(
        "recurrent net, 100 steps, captured",
        "lax.scan by hand, jax.jit",
        1.5,
        lambda: ours(*mine).numpy(),
        lambda: np.asarray(theirs(*his)),
    )


def collatz(a: Any) -> Any:
    """Steps down to 1, as anybody writes it."""
    steps = pl.constant(0)
    while a != 1:
        if a % 2 == 0:
            a = a // 2
        else:
            a = 3 * a + 1
        steps += 1
    return steps


def collatz_by_hand(a: Any) -> Any:
    """The same for jax."""

    def body(state: Any) -> Any:
        a, steps = state
        return lax.cond(a % 2 == 0, lambda a: a // 2, lambda a: 3 * a + 1, a), steps + 1

    return lax.while_loop(lambda state: state[0] != 1, body, (a, jnp.int32(0)))[1]


def recurrent(x: Any, w: Any) -> Any:
    """All states of a recurrent net."""
    h = pl.zeros_like(x[0])
    states = []
    for row in x:
        h = pl.tanh(row + h @ w)
        states.append(h)
    return pl.stack(states)


def recurrent_by_hand(x: Any, w: Any) -> Any:
    """The same for jax."""

    def body(h: Any, row: Any) -> Any:
        h = jnp.tanh(row + h @ w)
        return h, h

    return lax.scan(body, jnp.zeros_like(x[0]), x)[1]
