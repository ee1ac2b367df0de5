"""Optimizers and learning: gradients of what is computed with gradients."""

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


def tasks_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return {"w": normal(r, 2, 3), "b": normal(r, 3)}, normal(r, 2, 4, 2), normal(r, 2, 4, 3)


def maml_jax(p: Any, xs: Any, ys: Any) -> Any:
    def loss(p: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ p["w"] + p["b"]) - y) ** 2)

    def task(x: Any, y: Any) -> Any:
        mine = p
        for _ in range(2):
            g = jax.grad(loss)(mine, x[:2], y[:2])
            mine = {k: mine[k] - 0.3 * g[k] for k in mine}
        return loss(mine, x[2:], y[2:])

    return task(xs[0], ys[0]) + task(xs[1], ys[1])


@program(maml_jax, tasks_draw, second=True)
def maml(p: Any, xs: Any, ys: Any) -> Any:
    def loss(p: Any, x: Any, y: Any) -> Any:
        return pl.mean((pl.tanh(x @ p["w"] + p["b"]) - y) ** 2)

    total: Any = 0.0
    for x, y in zip(xs, ys, strict=True):
        mine = dict(p)
        for _ in range(2):
            g = pl.grad(loss)(mine, x[:2], y[:2])
            for k in mine:
                mine[k] = mine[k] - 0.3 * g[k]
        total = total + loss(mine, x[2:], y[2:])
    return total


@program(maml_jax, tasks_draw)
def maml_with_tapes_over_compiled_losses(p: Any, xs: Any, ys: Any) -> Any:
    total: Any = 0.0
    for x, y in zip(xs, ys, strict=True):
        mine = p
        for _ in range(2):
            with pl.GradientTape() as tape:
                tape.watch(mine)
                found = compiled_loss(mine, x[:2], y[:2])
            g = tape.gradient(found, mine)
            mine = {k: mine[k] - 0.3 * g[k] for k in mine}
        total = total + compiled_loss(mine, x[2:], y[2:])
    return total


@pl.graph_function(backend="planned")
def compiled_loss(p: Any, x: Any, y: Any) -> Any:
    return pl.mean((pl.tanh(x @ p["w"] + p["b"]) - y) ** 2)


def rosenbrock_jax(x: Any) -> Any:
    return jnp.sum(10 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock(x: Any) -> Any:
    return pl.sum(10 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def lbfgs_jax(x: Any) -> Any:
    g = jax.grad(rosenbrock_jax)(x)
    steps: list[Any] = []
    for _ in range(3):
        q, alphas = g, []
        for s, y in reversed(steps):
            alphas.append((s @ q) / (y @ s))
            q = q - alphas[-1] * y
        if steps:
            s, y = steps[-1]
            q = q * (s @ y) / (y @ y)
        for (s, y), a in zip(steps, reversed(alphas), strict=True):
            q = q + s * (a - (y @ q) / (y @ s))
        new = x - 0.02 * q
        changed = jax.grad(rosenbrock_jax)(new)
        steps.append((new - x, changed - g))
        x, g = new, changed
    return jnp.sum(x**2)


@program(lbfgs_jax, lambda r: (normal(r, 4),), second=True)
def lbfgs(x: Any) -> Any:
    gradient = pl.grad(rosenbrock)
    g = gradient(x)
    steps: list[Any] = []
    for _ in range(3):
        q, alphas = g, []
        for s, y in reversed(steps):
            alphas.append((s @ q) / (y @ s))
            q = q - alphas[-1] * y
        if steps:
            s, y = steps[-1]
            q = q * (s @ y) / (y @ y)
        for (s, y), a in zip(steps, reversed(alphas), strict=True):
            q = q + s * (a - (y @ q) / (y @ s))
        new = x - 0.02 * q
        changed = gradient(new)
        steps.append((new - x, changed - g))
        x, g = new, changed
    return pl.sum(x**2)


def adam_jax(x: Any, rate: Any, beta: Any) -> Any:
    def step(state: Any, i: Any) -> Any:
        x, m, v = state
        g = jax.grad(rosenbrock_jax)(x)
        m = beta[0] * m + (1 - beta[0]) * g
        v = beta[1] * v + (1 - beta[1]) * g**2
        corrected = m / (1 - beta[0] ** (i + 1)) / jnp.sqrt(v / (1 - beta[1] ** (i + 1)) + 1e-8)
        return (x - rate * corrected, m, v), None

    zeros = jnp.zeros(3)
    return rosenbrock_jax(lax.scan(step, (x, zeros, zeros), jnp.arange(5.0))[0][0])


def adam_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3), 0.1 * uniform(r), uniform(r, 2, low=0.5, high=0.9)


@program(adam_jax, adam_draw, differentiated=3)
def hyperparameters_of_adam(x: Any, rate: Any, beta: Any) -> Any:
    state: Any = {"m": pl.zeros(3, dtype="float64"), "v": pl.zeros(3, dtype="float64"), "i": 0}
    for _ in range(5):
        g = pl.grad(rosenbrock)(x)
        state["i"] += 1
        state["m"] = beta[0] * state["m"] + (1 - beta[0]) * g
        state["v"] = beta[1] * state["v"] + (1 - beta[1]) * g**2
        m = state["m"] / (1 - beta[0] ** state["i"])
        v = state["v"] / (1 - beta[1] ** state["i"])
        x = x - rate * m / pl.sqrt(v + 1e-8)
    return rosenbrock(x)


def momentum_jax(x: Any, rate: Any) -> Any:
    def step(state: Any, _: Any) -> Any:
        x, v = state
        v = 0.9 * v - rate * jax.grad(rosenbrock_jax)(x)
        return (x + v, v), None

    return rosenbrock_jax(lax.scan(step, (x, jnp.zeros(3)), None, length=6)[0][0])


@program(momentum_jax, lambda r: (normal(r, 3), 0.01 * uniform(r)), differentiated=2, second=True)
def descent_until_it_is_flat(x: Any, rate: Any) -> Any:
    v = pl.zeros(3, dtype="float64")
    steps = pl.asarray(0)
    while steps < 6:
        v = 0.9 * v - rate * pl.grad(rosenbrock)(x)
        x = x + v
        steps += 1
    return rosenbrock(x)


def penalty_jax(w: Any, x: Any) -> Any:
    def critic(x: Any) -> Any:
        return jnp.sum(jnp.tanh(x @ w) ** 2)

    return (jnp.sqrt(jnp.sum(jax.grad(critic)(x) ** 2)) - 1) ** 2


@program(penalty_jax, lambda r: (normal(r, 3, 4), normal(r, 3)), differentiated=2, second=True)
def gradient_penalty(w: Any, x: Any) -> Any:
    def critic(x: Any) -> Any:
        return pl.sum(pl.tanh(x @ w) ** 2)

    return (pl.sqrt(pl.sum(pl.grad(critic)(x) ** 2)) - 1) ** 2


def step_jax(x: Any) -> Any:
    g, h = jax.grad(rosenbrock_jax)(x), jax.hessian(rosenbrock_jax)(x)
    a, b, c, d = h[0, 0] + 20, h[0, 1], h[1, 0], h[1, 1] + 20
    p = jnp.stack([d * g[0] - b * g[1], a * g[1] - c * g[0]]) / (a * d - b * c)
    return rosenbrock_jax(x - p)


@program(step_jax, lambda r: (normal(r, 2),))
def newton_step_with_a_hessian(x: Any) -> Any:
    g, h = pl.grad(rosenbrock)(x), pl.hessian(rosenbrock)(x)
    a, b, c, d = h[0, 0] + 20, h[0, 1], h[1, 0], h[1, 1] + 20
    p = pl.stack([d * g[0] - b * g[1], a * g[1] - c * g[0]]) / (a * d - b * c)
    return rosenbrock(x - p)


def products_jax(x: Any, v: Any) -> Any:
    _, changed = jax.jvp(jax.grad(rosenbrock_jax), (x,), (v,))
    return v @ changed


@program(products_jax, lambda r: (normal(r, 4), normal(r, 4)), differentiated=2, second=True)
def curvature_by_forward_over_reverse(x: Any, v: Any) -> Any:
    _, changed = pl.jvp(pl.grad(rosenbrock), (x,), (v,))
    return v @ changed


def rows_jax(w: Any, xs: Any) -> Any:
    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.sin(x @ w))

    each = jax.vmap(jax.grad(loss), in_axes=(None, 0))(w, xs)
    return jnp.sum(jnp.mean(each, axis=0) ** 2 / (1 + jnp.var(each, axis=0)))


@program(rows_jax, lambda r: (normal(r, 3, 2), normal(r, 5, 3)), differentiated=2)
def gradients_of_each_row(w: Any, xs: Any) -> Any:
    def loss(w: Any, x: Any) -> Any:
        return pl.sum(pl.sin(x @ w))

    each = pl.vmap(pl.grad(loss), in_axes=(None, 0))(w, xs)
    return pl.sum(pl.mean(each, axis=0) ** 2 / (1 + pl.var(each, axis=0)))
