"""Dynamics: integrators of differential equations, and gradients inside of gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from tests.plait.gradients.programs.iterations import bounded
from tests.plait.gradients.programs.table import Table, normal, table_of, uniform

PROGRAMS: Table = []
program = table_of(PROGRAMS)


def rates_jax(p: Any, x: Any) -> Any:
    return jnp.stack([p[0] * x[0] - p[1] * x[0] * x[1], p[2] * x[0] * x[1] - p[3] * x[1]])


def rates(p: Any, x: Any) -> Any:
    return pl.stack([p[0] * x[0] - p[1] * x[0] * x[1], p[2] * x[0] * x[1] - p[3] * x[1]])


def ode_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return uniform(r, 4), uniform(r, 2)


def euler_jax(p: Any, x: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        return x + 0.05 * rates_jax(p, x), None

    return jnp.sum(lax.scan(step, x, None, length=40)[0] ** 2)


@program(euler_jax, ode_draw, differentiated=2, second=True)
def euler(p: Any, x: Any) -> Any:
    for _ in range(40):
        x = x + 0.05 * rates(p, x)
    return pl.sum(x**2)


def rk4_jax(p: Any, x: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        k1 = rates_jax(p, x)
        k2 = rates_jax(p, x + 0.05 * k1)
        k3 = rates_jax(p, x + 0.05 * k2)
        k4 = rates_jax(p, x + 0.1 * k3)
        x = x + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return x, x

    x, path = lax.scan(step, x, None, length=20)
    return jnp.sum(path * path)


@program(rk4_jax, ode_draw, differentiated=2)
def runge_kutta(p: Any, x: Any) -> Any:
    path = pl.zeros((20, 2), dtype="float64")
    for i in range(20):
        k1 = rates(p, x)
        k2 = rates(p, x + 0.05 * k1)
        k3 = rates(p, x + 0.05 * k2)
        k4 = rates(p, x + 0.1 * k3)
        x = x + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path[i] = x
    return pl.sum(path * path)


def adaptive_jax(p: Any, x: Any) -> Any:
    def body(state: Any) -> Any:
        t, h, x = state
        h = jnp.minimum(h, 1.0 - t)
        k1 = rates_jax(p, x)
        k2 = rates_jax(p, x + h * k1)
        error = jnp.max(jnp.abs(h / 2 * (k2 - k1)))
        accepted = error < 1e-2
        new = x + h / 2 * (k1 + k2)
        factor = jnp.clip(0.9 * jnp.sqrt(1e-2 / (error + 1e-12)), 0.3, 2.0)
        return jnp.where(accepted, t + h, t), h * factor, jnp.where(accepted, new, x)

    _, _, x = bounded(lambda s: s[0] < 1.0 - 1e-9, body, (0.0, jnp.asarray(0.3), x))
    return jnp.sum(x**2)


@program(adaptive_jax, lambda r: (3 * uniform(r, 4), uniform(r, 2)), differentiated=2)
def adaptive_steps(p: Any, x: Any) -> Any:
    t, h = pl.asarray(0.0, dtype="float64"), pl.asarray(0.3, dtype="float64")
    while t < 1.0 - 1e-9:
        h = pl.minimum(h, 1.0 - t)
        k1 = rates(p, x)
        k2 = rates(p, x + h * k1)
        error = pl.max(pl.abs(h / 2 * (k2 - k1)))
        if error < 1e-2:
            x = x + h / 2 * (k1 + k2)
            t = t + h
        h = h * pl.clip(0.9 * pl.sqrt(1e-2 / (error + 1e-12)), 0.3, 2.0)
    return pl.sum(x**2)


def potential_jax(p: Any, q: Any) -> Any:
    return jnp.sum(p["k"] * q**2) + jnp.prod(jnp.sin(p["a"] * q))


def potential(p: Any, q: Any) -> Any:
    return pl.sum(p["k"] * q**2) + pl.prod(pl.sin(p["a"] * q))


def hamilton_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return {"k": uniform(r, 3), "a": uniform(r, 3)}, normal(r, 3), normal(r, 3)


def leapfrog_jax(p: Any, q: Any, v: Any) -> Any:
    force = jax.grad(potential_jax, argnums=1)

    def step(state: Any, _: Any) -> Any:
        q, v = state
        v = v - 0.05 * force(p, q)
        q = q + 0.1 * v
        return (q, v - 0.05 * force(p, q)), None

    q, v = lax.scan(step, (q, v), None, length=5)[0]
    return jnp.sum(q * v)


@program(leapfrog_jax, hamilton_draw, differentiated=3)
def leapfrog_with_forces_by_gradients(p: Any, q: Any, v: Any) -> Any:
    force = pl.grad(potential, argnums=1)
    for _ in range(5):
        v = v - 0.05 * force(p, q)
        q = q + 0.1 * v
        v = v - 0.05 * force(p, q)
    return pl.sum(q * v)


@program(leapfrog_jax, hamilton_draw, differentiated=3)
def leapfrog_with_tapes(p: Any, q: Any, v: Any) -> Any:
    def force(q: Any) -> Any:
        with pl.GradientTape() as tape:
            tape.watch(q)
            energy = potential(p, q)
        return tape.gradient(energy, q)

    for _ in range(5):
        v = v - 0.05 * force(q)
        q = q + 0.1 * v
        v = v - 0.05 * force(q)
    return pl.sum(q * v)


def hamiltonian_jax(p: Any, q: Any, v: Any) -> Any:
    def energy(q: Any, v: Any) -> Any:
        return potential_jax(p, q) + jnp.sum(jnp.cosh(v))

    def step(state: Any, _: Any) -> Any:
        q, v = state
        dq, dv = jax.grad(energy, (0, 1))(q, v)
        return (q + 0.1 * dv, v - 0.1 * dq), None

    q, v = lax.scan(step, (q, v), None, length=6)[0]
    return energy(q, v)


@program(hamiltonian_jax, hamilton_draw, differentiated=3)
def hamiltonian_flow(p: Any, q: Any, v: Any) -> Any:
    def energy(q: Any, v: Any) -> Any:
        return potential(p, q) + pl.sum(pl.cosh(v))

    steps = pl.asarray(0)
    while steps < 6:
        dq, dv = pl.grad(energy, (0, 1))(q, v)
        q, v = q + 0.1 * dv, v - 0.1 * dq
        steps += 1
    return energy(q, v)


def pendulum_jax(theta: Any) -> Any:
    def lagrangian(q: Any, dq: Any) -> Any:
        return theta[0] * dq**2 / 2 + theta[1] * jnp.cos(q) * (1 + dq**2)

    def step(state: Any, _: Any) -> Any:
        q, dq = state
        mass = jax.grad(jax.grad(lagrangian, 1), 1)(q, dq)
        mixed = jax.grad(jax.grad(lagrangian, 1), 0)(q, dq)
        ddq = (jax.grad(lagrangian, 0)(q, dq) - mixed * dq) / mass
        return (q + 0.1 * dq, dq + 0.1 * ddq), None

    return lax.scan(step, (theta[2], theta[3]), None, length=4)[0][0]


@program(pendulum_jax, lambda r: (np.asarray([2.0, 0.5, 0.7, 0.1]) + 0.1 * normal(r, 4),))
def lagrangian_pendulum(theta: Any) -> Any:
    def lagrangian(q: Any, dq: Any) -> Any:
        return theta[0] * dq**2 / 2 + theta[1] * pl.cos(q) * (1 + dq**2)

    q, dq = theta[2], theta[3]
    for _ in range(4):
        mass = pl.grad(pl.grad(lagrangian, 1), 1)(q, dq)
        mixed = pl.grad(pl.grad(lagrangian, 1), 0)(q, dq)
        ddq = (pl.grad(lagrangian, 0)(q, dq) - mixed * dq) / mass
        q, dq = q + 0.1 * dq, dq + 0.1 * ddq
    return q


def bounce_jax(x: Any, v: Any, e: Any) -> Any:
    def step(state: Any, _: Any) -> Any:
        x, v = state
        x, v = x + 0.1 * v, v - 0.981
        hit = x < 0
        return (jnp.where(hit, -x, x), jnp.where(hit, -e * v, v)), None

    return lax.scan(step, (x, v), None, length=15)[0][0]


@program(
    bounce_jax,
    lambda r: (uniform(r), uniform(r), uniform(r, low=0.6, high=0.9)),
    differentiated=3,
    second=True,
)
def bouncing_ball(x: Any, v: Any, e: Any) -> Any:
    for _ in range(15):
        x, v = x + 0.1 * v, v - 0.981
        if x < 0:
            x, v = -x, -e * v
    return x


def heat_jax(u: Any, k: Any) -> Any:
    def step(u: Any, _: Any) -> Any:
        flow = k * (u[2:] - 2 * u[1:-1] + u[:-2])
        return u.at[1:-1].add(flow), None

    return jnp.sum(lax.scan(step, u, None, length=8)[0] ** 3)


@program(heat_jax, lambda r: (normal(r, 9), 0.3 * uniform(r, 7)), differentiated=2, second=True)
def heat_equation_by_views(u: Any, k: Any) -> Any:
    u = u.copy()
    inner = u[1:-1]
    for _ in range(8):
        inner += k * (u[2:] - 2 * inner + u[:-2])
    return pl.sum(u**3)


def bodies_jax(x: Any, m: Any) -> Any:
    def energy(x: Any) -> Any:
        d = x[:, None] - x[None]
        r = jnp.sqrt(jnp.sum(d**2, -1) + jnp.eye(3))
        return -jnp.sum(jnp.triu(m[:, None] * m / r, 1))

    return jnp.sum(jax.grad(energy)(x) ** 2)


@program(bodies_jax, lambda r: (normal(r, 3, 2, scale=2), uniform(r, 3)), differentiated=2)
def forces_between_bodies(x: Any, m: Any) -> Any:
    def energy(x: Any) -> Any:
        total = 0.0
        for i in range(3):
            for j in range(i + 1, 3):
                total = total - m[i] * m[j] / pl.sqrt(pl.sum((x[i] - x[j]) ** 2))
        return total

    return pl.sum(pl.grad(energy)(x) ** 2)
