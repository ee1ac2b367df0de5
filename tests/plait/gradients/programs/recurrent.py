"""Recurrent nets."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from tests.plait.gradients.programs.table import Table, normal, table_of

PROGRAMS: Table = []
program = table_of(PROGRAMS)


def lstm_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 5, 12), normal(r, 12), normal(r, 4, 2, 2)


def lstm_jax(w: Any, b: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(jnp.concatenate([x, h], axis=1) @ w + b, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), jnp.sum(h * h)

    zeros = jnp.zeros((2, 3))
    (h, _), losses = lax.scan(step, (zeros, zeros), xs)
    return jnp.sum(losses) + jnp.sum(h)


@program(lstm_jax, lstm_draw, differentiated=3, second=True, xla=True)
def lstm(w: Any, b: Any, xs: Any) -> Any:
    h = pl.zeros((2, 3), dtype="float64")
    c = pl.zeros((2, 3), dtype="float64")
    loss: Any = 0.0
    for x in xs:
        i, f, g, o = pl.split(pl.concat([x, h], axis=1) @ w + b, 4, axis=1)
        c = pl.sigmoid(f) * c + pl.sigmoid(i) * pl.tanh(g)
        h = pl.sigmoid(o) * pl.tanh(c)
        loss = loss + pl.sum(h * h)
    return loss + pl.sum(h)


def gru_draw(r: np.random.Generator) -> tuple[Any, ...]:
    parameters = {
        "gates": normal(r, 5, 6),
        "bias": normal(r, 6),
        "new": normal(r, 5, 3),
    }
    return parameters, normal(r, 2, 3), normal(r, 4, 2, 2)


def gru_jax(p: Any, h: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        gates = jax.nn.sigmoid(jnp.concatenate([x, h], axis=1) @ p["gates"] + p["bias"])
        z, r = jnp.split(gates, 2, axis=1)
        new = jnp.tanh(jnp.concatenate([x, r * h], axis=1) @ p["new"])
        return (1 - z) * h + z * new, None

    h, _ = lax.scan(step, h, xs)
    return jnp.mean(h**2)


class Gru:
    """A cell with parameters in a dict."""

    def __init__(self, p: Any) -> None:
        self.p = p

    def __call__(self, h: Any, x: Any) -> Any:
        gates = pl.sigmoid(pl.concat([x, h], axis=1) @ self.p["gates"] + self.p["bias"])
        z, r = pl.split(gates, 2, axis=1)
        new = pl.tanh(pl.concat([x, r * h], axis=1) @ self.p["new"])
        return (1 - z) * h + z * new


@program(gru_jax, gru_draw, differentiated=2)
def gru(p: Any, h: Any, xs: Any) -> Any:
    cell = Gru(p)
    for x in xs:
        h = cell(h, x)
    return pl.mean(h**2)


def stacked_draw(r: np.random.Generator) -> tuple[Any, ...]:
    layers = [{"w": normal(r, 3, 3), "u": normal(r, 3, 3), "b": normal(r, 3)} for _ in range(2)]
    return layers, normal(r, 5, 3)


def stacked_rnn_jax(layers: Any, xs: Any) -> Any:
    for p in layers:

        def step(h: Any, x: Any, p: Any = p) -> Any:
            h = jnp.tanh(x @ p["w"] + h @ p["u"] + p["b"])
            return h, h

        _, xs = lax.scan(step, jnp.zeros(3), xs)
    return jnp.sum(xs[-1] * jnp.arange(3.0))


@program(stacked_rnn_jax, stacked_draw, second=True)
def stacked_rnn(layers: Any, xs: Any) -> Any:
    for p in layers:
        h = pl.zeros(3, dtype="float64")
        made = []
        for x in xs:
            h = pl.tanh(x @ p["w"] + h @ p["u"] + p["b"])
            made.append(h)
        xs = pl.stack(made)
    return pl.sum(xs[-1] * pl.arange(3.0))


def padded_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 5, 3), normal(r, 6, 2), np.asarray(r.integers(1, 7))


def padded_rnn_jax(w: Any, xs: Any, length: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, i = carry
        new = jnp.tanh(jnp.concatenate([x, h]) @ w)
        return (jnp.where(i < length, new, h), i + 1), None

    (h, _), _ = lax.scan(step, (jnp.zeros(3), 0), xs)
    return jnp.sum(h**3)


@program(padded_rnn_jax, padded_draw, differentiated=2, second=True)
def padded_rnn(w: Any, xs: Any, length: Any) -> Any:
    h = pl.zeros(3, dtype="float64")
    for i in range(length):
        h = pl.tanh(pl.concat([xs[i], h]) @ w)
    return pl.sum(h**3)


def backwards_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3, 3), normal(r, 4, 3)


def bidirectional_jax(w: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(h @ w + x)
        return h, h

    _, ahead = lax.scan(step, jnp.zeros(3), xs)
    _, back = lax.scan(step, jnp.zeros(3), xs, reverse=True)
    return jnp.sum(ahead * back)


@program(bidirectional_jax, backwards_draw, differentiated=2)
def bidirectional(w: Any, xs: Any) -> Any:
    ahead, back = pl.zeros_like(xs), pl.zeros_like(xs)
    h = pl.zeros(3, dtype="float64")
    for i in range(xs.shape[0]):
        h = pl.tanh(h @ w + xs[i])
        ahead[i] = h
    h = pl.zeros(3, dtype="float64")
    for i in reversed(range(xs.shape[0])):
        h = pl.tanh(h @ w + xs[i])
        back[i] = h
    return pl.sum(ahead * back)


def ssm_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3), normal(r, 3), normal(r, 3), normal(r, 20)


def state_space_jax(a: Any, b: Any, c: Any, u: Any) -> Any:
    decay = jax.nn.sigmoid(a)

    def step(h: Any, x: Any) -> Any:
        h = decay * h + b * x
        return h, jnp.dot(c, h)

    _, y = lax.scan(step, jnp.zeros(3), u)
    return jnp.mean((y - jnp.cumsum(u)) ** 2)


@program(state_space_jax, ssm_draw, differentiated=4, second=True)
def state_space(a: Any, b: Any, c: Any, u: Any) -> Any:
    decay = pl.sigmoid(a)
    h = pl.zeros(3, dtype="float64")
    y = []
    for x in u:
        h = decay * h + b * x
        y.append(pl.dot(c, h))
    return pl.mean((pl.stack(y) - pl.cumsum(u)) ** 2)
