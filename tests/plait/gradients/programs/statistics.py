"""Filters, likelihoods, searches over sequences, sums by index."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from tests.plait.gradients.programs.table import Table, normal, table_of, uniform

PROGRAMS: Table = []
program = table_of(PROGRAMS)


def kalman_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return {"a": normal(r, 2, 2), "q": uniform(r, 2), "r": uniform(r)}, normal(r, 6)


def kalman_jax(p: Any, ys: Any) -> Any:
    def step(state: Any, y: Any) -> Any:
        x, cov = state
        x, cov = p["a"] @ x, p["a"] @ cov @ p["a"].T + jnp.diag(p["q"])
        s = cov[0, 0] + p["r"]
        gain = cov[:, 0] / s
        e = y - x[0]
        loss = jnp.log(s) + e**2 / s
        return (x + gain * e, cov - jnp.outer(gain, cov[0])), loss

    return jnp.sum(lax.scan(step, (jnp.zeros(2), jnp.eye(2)), ys)[1])


@program(kalman_jax, kalman_draw, differentiated=2, second=True)
def kalman_filter(p: Any, ys: Any) -> Any:
    x, cov = pl.zeros(2, dtype="float64"), pl.eye(2, dtype="float64")
    loss: Any = 0.0
    for y in ys:
        x, cov = p["a"] @ x, p["a"] @ cov @ p["a"].T + pl.diag(p["q"])
        s = cov[0, 0] + p["r"]
        gain = cov[:, 0] / s
        e = y - x[0]
        loss += pl.log(s) + e**2 / s
        x = x + gain * e
        cov = cov - pl.outer(gain, cov[0])
    return loss


def forward_jax(start: Any, moves: Any, seen: Any, observed: Any) -> Any:
    moves, seen = jax.nn.log_softmax(moves), jax.nn.log_softmax(seen)

    def step(alpha: Any, o: Any) -> Any:
        return jax.nn.logsumexp(alpha[:, None] + moves, axis=0) + seen[:, o], None

    alpha = jax.nn.log_softmax(start) + seen[:, observed[0]]
    return jax.nn.logsumexp(lax.scan(step, alpha, observed[1:])[0])


def hidden_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3), normal(r, 3, 3), normal(r, 3, 4), r.integers(0, 4, size=(6,))


@program(forward_jax, hidden_draw, differentiated=3, second=True)
def hidden_markov_model(start: Any, moves: Any, seen: Any, observed: Any) -> Any:
    moves, seen = pl.log_softmax(moves), pl.log_softmax(seen)
    alpha = pl.log_softmax(start) + seen[:, observed[0]]
    for o in observed[1:]:
        alpha = pl.logsumexp(alpha[:, None] + moves, axis=0) + seen[:, o]
    return pl.logsumexp(alpha)


def viterbi_jax(moves: Any, seen: Any) -> Any:
    def step(best: Any, s: Any) -> Any:
        return jnp.max(best[:, None] + moves, axis=0) + s, None

    return jnp.max(lax.scan(step, seen[0], seen[1:])[0])


@program(viterbi_jax, lambda r: (normal(r, 3, 3), normal(r, 6, 3)), differentiated=2)
def viterbi(moves: Any, seen: Any) -> Any:
    best = seen[0]
    for s in seen[1:]:
        best = pl.max(best[:, None] + moves, axis=0) + s
    return pl.max(best)


def beam_jax(table: Any, start: Any) -> Any:
    def step(state: Any, _: Any) -> Any:
        scores, tokens = state
        new = scores[:, None] + jax.nn.log_softmax(table[tokens])
        scores, places = lax.top_k(new.reshape(-1), 2)
        return (scores, places % 5), None

    scores, tokens = lax.top_k(jax.nn.log_softmax(start), 2)
    scores, _ = lax.scan(step, (scores, tokens), None, length=3)[0]
    return jax.nn.logsumexp(scores)


@program(beam_jax, lambda r: (normal(r, 5, 5), normal(r, 5)), differentiated=2, second=True)
def beam_search(table: Any, start: Any) -> Any:
    scores, tokens = pl.top_k(pl.log_softmax(start), 2)
    for _ in range(3):
        new = scores[:, None] + pl.log_softmax(table[tokens])
        scores, places = pl.top_k(new.reshape(-1), 2)
        tokens = places % 5
    return pl.logsumexp(scores)


def warping_jax(x: Any, y: Any) -> Any:
    cost = (x[:, None] - y) ** 2
    table = jnp.full((5, 6), 1e3).at[0, 0].set(0.0)
    for i in range(4):
        for j in range(5):
            near = jnp.stack([table[i, j], table[i, j + 1], table[i + 1, j]])
            table = table.at[i + 1, j + 1].set(cost[i, j] - jax.nn.logsumexp(-near))
    return table[4, 5]


@program(warping_jax, lambda r: (normal(r, 4), normal(r, 5)), differentiated=2)
def soft_time_warping(x: Any, y: Any) -> Any:
    table = pl.full((5, 6), 1e3, dtype="float64")
    table[0, 0] = 0.0
    for i in range(4):
        for j in range(5):
            near = pl.stack([table[i, j], table[i, j + 1], table[i + 1, j]])
            table[i + 1, j + 1] = (x[i] - y[j]) ** 2 - pl.logsumexp(-near)
    return table[4, 5]


def segments_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 8), r.integers(0, 3, size=(8,))


def segments_jax(x: Any, parts: Any) -> Any:
    sums = jnp.zeros(3).at[parts].add(jnp.exp(x))
    return jnp.sum(jnp.log1p(sums)) - jnp.sum(x * sums[parts])


@program(segments_jax, segments_draw, second=True)
def sums_of_segments(x: Any, parts: Any) -> Any:
    sums = pl.zeros(3, dtype="float64").at[parts].add(pl.exp(x))
    return pl.sum(pl.log1p(sums)) - pl.sum(x * sums[parts])


@program(segments_jax, segments_draw, second=True)
def sums_of_segments_in_a_loop(x: Any, parts: Any) -> Any:
    sums = pl.zeros(3, dtype="float64")
    for i in range(8):
        sums[parts[i]] += pl.exp(x[i])
    weighted = 0.0
    for i, part in enumerate(parts):
        weighted = weighted + x[i] * sums[part]
    return pl.sum(pl.log1p(sums)) - weighted


def network_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 4, 3), normal(r, 3, 3), r.integers(0, 4, size=(2, 7))


def network_jax(nodes: Any, w: Any, edges: Any) -> Any:
    for _ in range(2):
        sent = jnp.tanh(nodes[edges[0]] @ w)
        nodes = nodes + jnp.zeros((4, 3)).at[edges[1]].add(sent)
    return jnp.sum(nodes**2)


@program(network_jax, network_draw, differentiated=2, second=True)
def messages_in_a_network(nodes: Any, w: Any, edges: Any) -> Any:
    for _ in range(2):
        sent = pl.tanh(nodes[edges[0]] @ w)
        got = pl.zeros((4, 3), dtype="float64")
        for k in range(7):
            got[edges[1, k]] += sent[k]
        nodes = nodes + got
    return pl.sum(nodes**2)


def ranks_jax(x: Any) -> Any:
    s = jnp.sort(x)
    return jnp.sum(s * jnp.arange(6.0)) + jnp.sum(jnp.cumsum(s) ** 2) + jnp.max(jnp.cumprod(x))


@program(ranks_jax, lambda r: (uniform(r, 6, low=0.5, high=1.5),), second=True)
def sorted_and_cumulated(x: Any) -> Any:
    s = pl.sort(x)
    return pl.sum(s * pl.arange(6.0)) + pl.sum(pl.cumsum(s) ** 2) + pl.max(pl.cumprod(x))


def bubble_jax(x: Any) -> Any:
    return jnp.sum(jnp.sort(x) * jnp.arange(5.0) ** 2)


@program(bubble_jax, lambda r: (normal(r, 5),))
def bubble_sort_in_place(x: Any) -> Any:
    x = x.copy()
    for i in range(5):
        for j in range(4 - i):
            if x[j] > x[j + 1]:
                low, high = x[j + 1].copy(), x[j].copy()
                x[j], x[j + 1] = low, high
    return pl.sum(x * pl.arange(5.0) ** 2)


def gains_jax(x: Any) -> Any:
    running = lax.cummax(x)
    return jnp.sum(running - x) + jnp.max(running - x) + jnp.median(x)


@program(gains_jax, lambda r: (normal(r, 7),))
def drawdown(x: Any) -> Any:
    running = pl.cummax(x)
    return pl.sum(running - x) + pl.max(running - x) + pl.median(x)


def contraction_jax(a: Any, b: Any, c: Any) -> Any:
    one = jnp.einsum("ijk,kl->ijl", a, b)
    other = jnp.einsum("ijl,ilm,jm->i", one, c, jnp.tanh(b))
    return jnp.sum(jnp.sin(other)) + jnp.einsum("iij->", a[:, :2])


@program(
    contraction_jax,
    lambda r: (normal(r, 2, 3, 3), normal(r, 3, 4), normal(r, 2, 4, 4)),
    differentiated=3,
    second=True,
)
def contractions(a: Any, b: Any, c: Any) -> Any:
    one = pl.einsum("ijk,kl->ijl", a, b)
    other = pl.einsum("ijl,ilm,jm->i", one, c, pl.tanh(b))
    return pl.sum(pl.sin(other)) + pl.einsum("iij->", a[:, :2])


def cholesky_jax(m: Any, y: Any) -> Any:
    k = m @ m.T + 2 * jnp.eye(4)
    factor = jnp.linalg.cholesky(k)
    solved = jax.scipy.linalg.solve_triangular(factor, y, lower=True)
    return jnp.sum(solved**2) / 2 + jnp.sum(jnp.log(jnp.diagonal(factor)))


@program(cholesky_jax, lambda r: (normal(r, 4, 4), normal(r, 4)), differentiated=2)
def likelihood_of_a_gaussian_process(m: Any, y: Any) -> Any:
    k = m @ m.T + 2 * pl.eye(4, dtype="float64")
    factor = pl.zeros((4, 4), dtype="float64")
    for j in range(4):
        factor[j, j] = pl.sqrt(k[j, j] - pl.sum(factor[j, :j] ** 2))
        for i in range(j + 1, 4):
            factor[i, j] = (k[i, j] - factor[i, :j] @ factor[j, :j]) / factor[j, j]
    solved = pl.zeros(4, dtype="float64")
    for i in range(4):
        solved[i] = (y[i] - factor[i, :i] @ solved[:i]) / factor[i, i]
    return pl.sum(solved**2) / 2 + pl.sum(pl.log(pl.diagonal(factor)))
