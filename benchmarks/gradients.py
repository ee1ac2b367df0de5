"""Compiled gradients of programs of a millisecond and more, against jax.jit of jax.grad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import plait as pl
from benchmarks.measure import Row, compare
from benchmarks.programs import mlp, normal, transformer

GOAL = 1.05
WHILE_GOAL = 1.4


def rows() -> Iterator[Row]:
    """An MLP, an LSTM as a loop over its inputs, a transformer; a loop of unknown length."""
    for name, make in (("MLP", mlp), ("transformer, 12 layers", transformer)):
        ours, arrays = make(pl, pl.sigmoid, pl.softmax)
        theirs, _ = make(jnp, jax.nn.sigmoid, jax.nn.softmax)
        yield _row(
            f"gradient of {name}", squared_mean(pl, ours), squared_mean(jnp, theirs), arrays, GOAL
        )
    arrays = [normal(50, 32, 64), normal(128, 256), normal(32, 64), normal(32, 64)]
    yield _row("gradient of an LSTM, a loop of 50 steps", lstm, _lstm_scan, arrays, GOAL)
    arrays = [normal(64), normal(64, 64) / 8]
    what = "gradient of a while of 700 trips, D = 64"
    yield _row(what, _while, _scan, arrays, WHILE_GOAL, "jax.jit of a scan of known length")


def _row(
    what: str,
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    arrays: list[Any],
    goal: float,
    against: str = "jax.jit(jax.grad)",
) -> Row:
    argnums = tuple(range(len(arrays)))
    mine = pl.graph_function(pl.grad(ours, argnums))
    peer = jax.jit(jax.grad(theirs, argnums))
    same = pl.graph_function(lambda v: v + 0)
    own_args = [same(pl.asarray(a)) for a in arrays]
    peer_args = [jax.device_put(a) for a in arrays]
    for a, b in zip(mine(*own_args), peer(*peer_args), strict=True):
        np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=2e-2, atol=1e-4)

    def run_mine() -> object:
        return mine(*own_args)[0].numpy()

    def run_peer() -> object:
        return np.asarray(peer(*peer_args)[0])

    return compare(what, against, goal, run_mine, run_peer, rounds=31, seconds=0.05)


def squared_mean(xp: Any, body: Callable[..., Any]) -> Callable[..., Any]:
    """The mean square of what a program gives."""

    def loss(*args: Any) -> Any:
        return xp.mean(xp.square(body(*args)))

    return loss


def lstm(xs: Any, w: Any, h: Any, c: Any) -> Any:
    """An LSTM over the rows of its inputs."""
    for x in xs:
        gates = pl.split(pl.matmul(pl.concat([x, h], axis=1), w), 4, axis=1)
        c = pl.sigmoid(gates[2]) * c + pl.sigmoid(gates[1]) * pl.tanh(gates[0])
        h = pl.sigmoid(gates[3]) * pl.tanh(c)
    return pl.mean(pl.square(h))


def _lstm_scan(xs: Any, w: Any, h: Any, c: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        gates = jnp.split(jnp.matmul(jnp.concatenate([x, h], axis=1), w), 4, axis=1)
        c = jax.nn.sigmoid(gates[2]) * c + jax.nn.sigmoid(gates[1]) * jnp.tanh(gates[0])
        return (jax.nn.sigmoid(gates[3]) * jnp.tanh(c), c), None

    (h, _), _ = jax.lax.scan(step, (h, c), xs)
    return jnp.mean(jnp.square(h))


TRIPS = 700


def _while(x: Any, w: Any) -> Any:
    trips = pl.constant(0)
    while (trips < TRIPS) & (pl.max(x) < 1e6):
        x = pl.tanh(x @ w) + 0.1 * pl.sin(x)
        trips += 1
    return pl.sum(x)


def _scan(x: Any, w: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        return jnp.tanh(x @ w) + 0.1 * jnp.sin(x), None

    return jnp.sum(jax.lax.scan(step, x, None, TRIPS)[0])
