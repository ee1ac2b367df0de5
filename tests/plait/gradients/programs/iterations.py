"""Loops whose number of trips depends on values: solvers, fixed points, searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from tests.plait.gradients.programs.table import Table, normal, table_of, uniform

PROGRAMS: Table = []
program = table_of(PROGRAMS)


def bounded(goes_on: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
    """A while of at most 60 trips that jax can differentiate."""

    def step(state: Any, _: Any) -> Any:
        return lax.cond(goes_on(state), body, lambda s: s, state), None

    return lax.scan(step, state, None, length=60)[0]


def root_jax(a: Any, x: Any) -> Any:
    def body(x: Any) -> Any:
        return x - (x**3 - a) / (3 * x**2)

    return bounded(lambda x: jnp.abs(x**3 - a) > 1e-3, body, x)


@program(root_jax, lambda r: (uniform(r, low=1, high=9), uniform(r)), differentiated=2, second=True)
def newton(a: Any, x: Any) -> Any:
    while abs(x**3 - a) > 1e-3:
        x = x - (x**3 - a) / (3 * x**2)
    return x


def system_jax(p: Any, x: Any) -> Any:
    def residual(x: Any) -> Any:
        return jnp.stack([x[0] ** 2 + x[1] - p[0], x[0] - x[1] ** 3 + p[1]])

    def body(x: Any) -> Any:
        r = residual(x)
        a, b, c, d = 2 * x[0], 1.0, 1.0, -3 * x[1] ** 2
        det = a * d - b * c
        return x - jnp.stack([d * r[0] - b * r[1], a * r[1] - c * r[0]]) / det

    return jnp.sum(bounded(lambda x: jnp.max(jnp.abs(residual(x))) > 1e-4, body, x) ** 2)


@program(
    system_jax,
    lambda r: (uniform(r, 2, low=1, high=2), uniform(r, 2, low=1, high=1.5)),
    differentiated=2,
    second=True,
)
def newton_of_two_equations(p: Any, x: Any) -> Any:
    while True:
        r = pl.stack([x[0] ** 2 + x[1] - p[0], x[0] - x[1] ** 3 + p[1]])
        if pl.max(pl.abs(r)) <= 1e-4:
            break
        a, b, c, d = 2 * x[0], 1.0, 1.0, -3 * x[1] ** 2
        det = a * d - b * c
        x = x - pl.stack([d * r[0] - b * r[1], a * r[1] - c * r[0]]) / det
    return pl.sum(x**2)


def fixed_jax(w: Any, b: Any) -> Any:
    def body(state: Any) -> Any:
        x, _ = state
        return jnp.tanh(w @ x + b), x

    start = (jnp.zeros(3), jnp.ones(3))
    return jnp.sum(bounded(lambda s: jnp.max(jnp.abs(s[0] - s[1])) > 1e-5, body, start)[0] ** 2)


@program(
    fixed_jax,
    lambda r: (normal(r, 3, 3, scale=0.2), normal(r, 3)),
    differentiated=2,
    second=True,
    xla=True,
)
def fixed_point(w: Any, b: Any) -> Any:
    x, before = pl.zeros(3, dtype="float64"), pl.ones(3, dtype="float64")
    while pl.max(pl.abs(x - before)) > 1e-5:
        x, before = pl.tanh(w @ x + b), x
    return pl.sum(x**2)


def bisection_jax(a: Any, low: Any, high: Any) -> Any:
    def body(state: Any) -> Any:
        low, high = state
        middle = (low + high) / 2
        positive = middle**3 + middle > a
        return jnp.where(positive, low, middle), jnp.where(positive, middle, high)

    low, high = bounded(lambda s: s[1] - s[0] > 1e-4, body, (low, high))
    x = (low + high) / 2
    return x - (x**3 + x - a) / (3 * x**2 + 1)


@program(
    bisection_jax,
    lambda r: (uniform(r, low=1, high=5), np.asarray(0.0), np.asarray(3.0)),
    differentiated=3,
)
def bisection(a: Any, low: Any, high: Any) -> Any:
    while high - low > 1e-4:
        middle = (low + high) / 2
        if middle**3 + middle > a:
            high = middle
        else:
            low = middle
    x = (low + high) / 2
    return x - (x**3 + x - a) / (3 * x**2 + 1)


def mean_jax(a: Any, b: Any) -> Any:
    def body(state: Any) -> Any:
        a, b = state
        return (a + b) / 2, jnp.sqrt(a * b)

    return bounded(lambda s: jnp.abs(s[0] - s[1]) > 1e-8, body, (a, b))[0]


@program(
    mean_jax,
    lambda r: (uniform(r, low=1, high=2), uniform(r, low=3, high=9)),
    differentiated=2,
    second=True,
)
def arithmetic_geometric_mean(a: Any, b: Any) -> Any:
    while abs(a - b) > 1e-8:
        a, b = (a + b) / 2, pl.sqrt(a * b)
    return a


def power_jax(m: Any) -> Any:
    s = m @ m.T + jnp.diag(jnp.asarray([3.0, 1.0, 0.5]))

    def body(state: Any) -> Any:
        v, _, i = state
        u = s @ v
        return u / jnp.linalg.norm(u), v, i + 1

    start = (jnp.ones(3) / np.sqrt(3.0), jnp.zeros(3), 0)
    v, _, _ = bounded(lambda t: (jnp.linalg.norm(t[0] - t[1]) > 1e-4) & (t[2] < 40), body, start)
    return v @ s @ v


@program(power_jax, lambda r: (normal(r, 3, 3),), second=True)
def power_iteration(m: Any) -> Any:
    s = m @ m.T + pl.diag(pl.asarray([3.0, 1.0, 0.5], dtype="float64"))
    v = pl.ones(3, dtype="float64") / np.sqrt(3.0)
    before = pl.zeros(3, dtype="float64")
    trips = 0
    while pl.norm(v - before) > 1e-4 and trips < 40:
        before = v
        v = s @ v
        v = v / pl.norm(v)
        trips += 1
    return v @ s @ v


def conjugate_jax(m: Any, b: Any) -> Any:
    a = m @ m.T + jnp.eye(4)

    def body(state: Any) -> Any:
        x, r, p = state
        ap = a @ p
        alpha = (r @ r) / (p @ ap)
        new = r - alpha * ap
        return x + alpha * p, new, new + (new @ new) / (r @ r) * p

    x, _, _ = bounded(lambda s: s[1] @ s[1] > 1e-3, body, (jnp.zeros(4), b, b))
    return jnp.sum(x**2)


@program(conjugate_jax, lambda r: (normal(r, 4, 4), normal(r, 4)), differentiated=2, second=True)
def conjugate_gradients(m: Any, b: Any) -> Any:
    a = m @ m.T + pl.eye(4, dtype="float64")
    x, r, p = pl.zeros(4, dtype="float64"), b, b
    while r @ r > 1e-3:
        ap = a @ p
        alpha = (r @ r) / (p @ ap)
        x = x + alpha * p
        new = r - alpha * ap
        p = new + (new @ new) / (r @ r) * p
        r = new
    return pl.sum(x**2)


def series_jax(x: Any) -> Any:
    def body(state: Any) -> Any:
        total, term, k = state
        return total + term, term * x / (k + 1), k + 1

    start = (jnp.zeros(()), jnp.ones(()), 0.0)
    return bounded(lambda s: jnp.abs(s[1]) > 1e-9, body, start)[0]


@program(series_jax, lambda r: (uniform(r, low=-2, high=2),), second=True)
def series_until_the_terms_vanish(x: Any) -> Any:
    total, term, k = pl.zeros((), dtype="float64"), pl.ones((), dtype="float64"), 0
    while abs(term) > 1e-9:
        total = total + term
        k += 1
        term = term * x / k
    return total


def search_jax(x: Any) -> Any:
    def f(x: Any) -> Any:
        return jnp.sum((x - 1) ** 2 + 0.1 * x**4)

    def outer(x: Any, _: Any) -> Any:
        g = 2 * (x - 1) + 0.4 * x**3
        t = bounded(lambda t: f(x - t * g) > f(x) - 0.3 * t * (g @ g), lambda t: t / 2, 2.0)
        return x - t * g, None

    x, _ = lax.scan(outer, x, None, length=3)
    return jnp.sum(x * jnp.arange(1.0, 4.0))


@program(search_jax, lambda r: (normal(r, 3),), second=True)
def descent_with_line_search(x: Any) -> Any:
    def f(x: Any) -> Any:
        return pl.sum((x - 1) ** 2 + 0.1 * x**4)

    for _ in range(3):
        g = 2 * (x - 1) + 0.4 * x**3
        t = pl.asarray(2.0, dtype="float64")
        while f(x - t * g) > f(x) - 0.3 * t * (g @ g):
            t = t / 2
        x = x - t * g
    return pl.sum(x * pl.arange(1.0, 4.0))


def sinkhorn_jax(cost: Any) -> Any:
    k = jnp.exp(-cost)

    def body(state: Any) -> Any:
        u, v, _ = state
        new = 0.25 / (k @ v)
        return new, 0.25 / (k.T @ new), u

    ones = jnp.ones(4)
    u, v, _ = bounded(lambda s: jnp.max(jnp.abs(s[0] - s[2])) > 1e-5, body, (ones, ones, 2 * ones))
    return jnp.sum(u[:, None] * k * v * cost)


@program(sinkhorn_jax, lambda r: (uniform(r, 4, 4),))
def sinkhorn(cost: Any) -> Any:
    k = pl.exp(-cost)
    u, v = pl.ones(4, dtype="float64"), pl.ones(4, dtype="float64")
    before = 2 * u
    while pl.max(pl.abs(u - before)) > 1e-5:
        before = u
        u = 0.25 / (k @ v)
        v = 0.25 / (k.T @ u)
    return pl.sum(u[:, None] * k * v * cost)
