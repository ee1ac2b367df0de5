"""Steady state of programs of a millisecond and more, the same code for Plait and for jax.jit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import plait as pl
from benchmarks.measure import Row, compare

GOAL = 1.05


def rows() -> Iterator[Row]:
    """An LSTM over 50 steps, an MLP and a 12-layer transformer."""
    for name, make in (
        ("LSTM, 50 steps", lstm),
        ("MLP", mlp),
        ("transformer, 12 layers", transformer),
    ):
        ours_body, arrays = make(pl, pl.sigmoid, pl.softmax)
        theirs_body, _ = make(jnp, jax.nn.sigmoid, jax.nn.softmax)
        ours, theirs = pl.graph_function(ours_body), jax.jit(theirs_body)
        same = pl.graph_function(lambda v: v + 0)
        ours_args = [same(pl.asarray(a)) for a in arrays]
        theirs_args = [jax.device_put(a) for a in arrays]
        mine, peer = ours(*ours_args).numpy(), np.asarray(theirs(*theirs_args))
        np.testing.assert_allclose(mine, peer, rtol=1e-3, atol=1e-4)
        yield compare(
            f"{name}, steady state",
            "jax.jit",
            GOAL,
            _ours(ours, ours_args),
            _theirs(theirs, theirs_args),
            rounds=31,
            seconds=0.05,
        )

    yield _checks()


def _checks() -> Row:
    """What the index checks of an embedding cost, in a program of about a millisecond."""

    def run(table: Any, ids: Any, *weights: Any) -> Any:
        x = pl.gather(table, ids, axis=0)
        for w in weights:
            x = pl.tanh(x @ w)
        return x

    checked, unchecked = pl.graph_function(run), pl.graph_function(run, checks="off")
    ids = np.random.default_rng(0).integers(0, 5000, 512).astype(np.int32)
    same = pl.graph_function(lambda v: v + 0)
    arrays = [normal(5000, 256), ids, *[normal(256, 256) for _ in range(4)]]
    args = [same(pl.asarray(a)) for a in arrays]
    return compare(
        "512 checked indices, then an MLP",
        'the same with checks="off"',
        1.03,
        _ours(checked, args),
        _ours(unchecked, args),
        rounds=61,
        seconds=0.03,
    )


def _ours(function: Callable[..., Any], args: list[Any]) -> Callable[[], object]:
    return lambda: function(*args).numpy()


def _theirs(function: Callable[..., Any], args: list[Any]) -> Callable[[], object]:
    return lambda: np.asarray(function(*args))


Made = tuple[Callable[..., Any], list[Any]]


def normal(*shape: int) -> Any:
    """Weights of a fixed seed."""
    return (np.random.default_rng(0).normal(size=shape) / shape[0] ** 0.5).astype(np.float32)


def lstm(xp: Any, sigmoid: Any, _: Any) -> Made:
    """An LSTM over 50 steps, batch 32, 64 features, 128 hidden units."""
    steps, batch, features, hidden = 50, 32, 64, 128

    def run(x: Any, w: Any) -> Any:
        h, c = (
            xp.zeros((batch, hidden), dtype="float32"),
            xp.zeros((batch, hidden), dtype="float32"),
        )
        for t in range(steps):
            gates = xp.split(xp.concat([x[t], h], axis=1) @ w, 4, axis=1)
            c = sigmoid(gates[1]) * c + sigmoid(gates[2]) * xp.tanh(gates[0])
            h = sigmoid(gates[3]) * xp.tanh(c)
        return h

    return run, [normal(steps, batch, features), normal(features + hidden, 4 * hidden)]


def mlp(xp: Any, _: Any, __: Any) -> Made:
    """Four layers of 512 on a batch of 256."""

    def run(x: Any, *weights: Any) -> Any:
        for w in weights:
            x = xp.tanh(x @ w)
        return x

    return run, [normal(256, 512), *[normal(512, 512) for _ in range(4)]]


def transformer(xp: Any, _: Any, softmax: Any) -> Made:
    """Twelve pre-norm blocks: 64 positions, width 128, 4 heads."""
    width, heads, positions = 128, 4, 64

    def norm(x: Any) -> Any:
        centered = x - xp.mean(x, axis=-1, keepdims=True)
        return centered / xp.sqrt(xp.mean(centered * centered, axis=-1, keepdims=True) + 1e-5)

    def split_heads(x: Any) -> Any:
        return xp.permute_dims(xp.reshape(x, (positions, heads, width // heads)), (1, 0, 2))

    def block(x: Any, qkv: Any, out: Any, up: Any, down: Any) -> Any:
        q, k, v = (split_heads(part) for part in xp.split(norm(x) @ qkv, 3, axis=1))
        scores = q @ xp.permute_dims(k, (0, 2, 1)) * (width // heads) ** -0.5
        mixed = xp.permute_dims(softmax(scores, axis=-1) @ v, (1, 0, 2))
        x = x + xp.reshape(mixed, (positions, width)) @ out
        return x + xp.maximum(norm(x) @ up, 0.0) @ down

    def run(x: Any, *weights: Any) -> Any:
        for i in range(0, len(weights), 4):
            x = block(x, *weights[i : i + 4])
        return x

    shapes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    return run, [normal(positions, width), *[normal(*s) for _ in range(12) for s in shapes]]
