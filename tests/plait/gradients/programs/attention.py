"""Attention, transformers, embeddings and language models."""

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


def attention_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 2, 4, 3), normal(r, 2, 5, 3), normal(r, 2, 5, 3)


def attention_jax(q: Any, k: Any, v: Any) -> Any:
    weights = jax.nn.softmax(jnp.einsum("bqd,bkd->bqk", q, k) / np.sqrt(3.0), axis=-1)
    return jnp.sum(jnp.einsum("bqk,bkd->bqd", weights, v) ** 2)


@program(attention_jax, attention_draw, differentiated=3, second=True)
def attention(q: Any, k: Any, v: Any) -> Any:
    weights = pl.softmax(pl.einsum("bqd,bkd->bqk", q, k) / np.sqrt(3.0), axis=-1)
    return pl.sum(pl.einsum("bqk,bkd->bqd", weights, v) ** 2)


def causal_jax(x: Any, w: Any) -> Any:
    q, k, v = jnp.split(x @ w, 3, axis=-1)
    mask = jnp.tril(jnp.ones((5, 5), bool))
    scores = jnp.where(mask, q @ k.T / 2.0, -jnp.inf)
    return jnp.mean(jax.nn.softmax(scores, axis=-1) @ v)


@program(causal_jax, lambda r: (normal(r, 5, 4), normal(r, 4, 12)), differentiated=2, second=True)
def causal_attention_with_masked_infinities(x: Any, w: Any) -> Any:
    q, k, v = pl.split(x @ w, 3, axis=-1)
    mask = pl.tril(pl.ones((5, 5), dtype=bool))
    scores = pl.where(mask, q @ k.T / 2.0, -pl.inf)
    return pl.mean(pl.softmax(scores, axis=-1) @ v)


def block_draw(r: np.random.Generator) -> tuple[Any, ...]:
    p = {
        "qkv": normal(r, 4, 12),
        "out": normal(r, 4, 4),
        "up": normal(r, 4, 8),
        "down": normal(r, 8, 4),
        "scale": [1 + normal(r, 4), 1 + normal(r, 4)],
        "bias": [normal(r, 4), normal(r, 4)],
    }
    return p, normal(r, 2, 3, 4)


def layer_norm_jax(x: Any, scale: Any, bias: Any) -> Any:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(var + 1e-5) * scale + bias


def block_jax(p: Any, x: Any) -> Any:
    y = layer_norm_jax(x, p["scale"][0], p["bias"][0])
    q, k, v = (t.reshape(2, 3, 2, 2) for t in jnp.split(y @ p["qkv"], 3, axis=-1))
    weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k), axis=-1)
    x = x + jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(2, 3, 4) @ p["out"]
    y = layer_norm_jax(x, p["scale"][1], p["bias"][1])
    x = x + jax.nn.gelu(y @ p["up"], approximate=False) @ p["down"]
    return jnp.mean(x**2)


def layer_norm(x: Any, scale: Any, bias: Any) -> Any:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / pl.sqrt(var + 1e-5) * scale + bias


@program(block_jax, block_draw, differentiated=2, xla=True)
def transformer_block(p: Any, x: Any) -> Any:
    y = layer_norm(x, p["scale"][0], p["bias"][0])
    q, k, v = (t.reshape(2, 3, 2, 2) for t in pl.split(y @ p["qkv"], 3, axis=-1))
    weights = pl.softmax(pl.einsum("bqhd,bkhd->bhqk", q, k), axis=-1)
    x = x + pl.einsum("bhqk,bkhd->bqhd", weights, v).reshape(2, 3, 4) @ p["out"]
    y = layer_norm(x, p["scale"][1], p["bias"][1])
    x = x + pl.gelu(y @ p["up"], approximate=False) @ p["down"]
    return pl.mean(x**2)


def cache_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3, 3), normal(r, 3, 3), normal(r, 4, 3)


def cache_jax(wk: Any, wv: Any, xs: Any) -> Any:
    def step(carry: Any, i: Any) -> Any:
        keys, values, total = carry
        x = xs[i]
        keys = lax.dynamic_update_slice(keys, (x @ wk)[None], (i, 0))
        values = lax.dynamic_update_slice(values, (x @ wv)[None], (i, 0))
        scores = jnp.where(jnp.arange(4) <= i, keys @ x, -jnp.inf)
        return (keys, values, total + jnp.sum(jax.nn.softmax(scores) @ values)), None

    zeros = jnp.zeros((4, 3))
    return lax.scan(step, (zeros, zeros, 0.0), jnp.arange(4))[0][2]


@program(cache_jax, cache_draw, differentiated=3, second=True)
def key_value_cache_written_by_slices(wk: Any, wv: Any, xs: Any) -> Any:
    keys = pl.zeros((4, 3), dtype="float64")
    values = pl.zeros((4, 3), dtype="float64")
    total = pl.zeros((), dtype="float64")
    for i in range(4):
        x = xs[i]
        keys[i : i + 1] = x @ wk
        values[i] = x @ wv
        scores = pl.where(pl.arange(4) <= i, keys @ x, -pl.inf)
        total += pl.sum(pl.softmax(scores) @ values)
    return total


@program(cache_jax, cache_draw, differentiated=3)
def key_value_cache_with_slices_that_grow(wk: Any, wv: Any, xs: Any) -> Any:
    cache = {"keys": pl.zeros((4, 3), dtype="float64"), "values": pl.zeros((4, 3), dtype="float64")}
    total: Any = 0.0
    for i in range(xs.shape[0]):
        cache["keys"][i] = xs[i] @ wk
        cache["values"][i] = xs[i] @ wv
        weights = pl.softmax(cache["keys"][: i + 1] @ xs[i])
        total = total + pl.sum(weights @ cache["values"][: i + 1])
    return total


def embedding_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 5, 3), normal(r, 3, 5), r.integers(0, 5, size=(2, 6))


def embedding_jax(table: Any, w: Any, tokens: Any) -> Any:
    logits = jnp.tanh(table[tokens[:, :-1]]) @ w
    losses = -jnp.take_along_axis(jax.nn.log_softmax(logits, axis=-1), tokens[:, 1:, None], axis=-1)
    return jnp.mean(losses)


@program(embedding_jax, embedding_draw, differentiated=2, second=True)
def embeddings_with_repeated_indices(table: Any, w: Any, tokens: Any) -> Any:
    logits = pl.tanh(table[tokens[:, :-1]]) @ w
    losses = -pl.take_along_axis(pl.log_softmax(logits, axis=-1), tokens[:, 1:, None], axis=-1)
    return pl.mean(losses)


@program(embedding_jax, embedding_draw, differentiated=2)
def embeddings_token_by_token(table: Any, w: Any, tokens: Any) -> Any:
    total, count = pl.zeros((), dtype="float64"), 0
    for row in tokens:
        for i in range(row.shape[0] - 1):
            logits = pl.tanh(pl.take(table, row[i], axis=0)) @ w
            total += pl.logsumexp(logits) - logits[row[i + 1]]
            count += 1
    return total / count


def positions_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 2, 5, 4), normal(r, 4, 4)


def rotary_jax(x: Any, w: Any) -> Any:
    angles = jnp.arange(5.0)[:, None] / (10.0 ** jnp.arange(2.0))
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    even, odd = x[..., ::2], x[..., 1::2]
    turned = jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
    return jnp.sum(jnp.sin(turned.reshape(2, 5, 4) @ w))


@program(rotary_jax, positions_draw, differentiated=2)
def rotary_positions_written_in_place(x: Any, w: Any) -> Any:
    angles = pl.arange(5.0, dtype="float64")[:, None] / (10.0 ** pl.arange(2.0, dtype="float64"))
    sin, cos = pl.sin(angles), pl.cos(angles)
    turned = pl.empty_like(x)
    turned[..., ::2] = x[..., ::2] * cos - x[..., 1::2] * sin
    turned[..., 1::2] = x[..., ::2] * sin + x[..., 1::2] * cos
    return pl.sum(pl.sin(turned @ w))


def experts_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3, 4), normal(r, 4, 3, 3), normal(r, 5, 3)


def experts_jax(gate: Any, experts: Any, xs: Any) -> Any:
    weights, chosen = lax.top_k(xs @ gate, 2)
    outputs = jnp.einsum("td,tkde->tke", xs, experts[chosen])
    return jnp.sum(jax.nn.softmax(weights)[..., None] * jnp.tanh(outputs))


@program(experts_jax, experts_draw, differentiated=3, second=True)
def mixture_of_experts(gate: Any, experts: Any, xs: Any) -> Any:
    total = pl.zeros((), dtype="float64")
    for x in xs:
        weights, chosen = pl.top_k(x @ gate, 2)
        shares = pl.softmax(weights)
        for k in range(2):
            total = total + pl.sum(shares[k] * pl.tanh(x @ experts[chosen[k]]))
    return total
