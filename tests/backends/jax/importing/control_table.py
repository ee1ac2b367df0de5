"""Control flow and functions with derivatives of their own, in the table of jaxprs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.backends.jax.importing.cases import INTS, POSITIVE, Case, X, Y


@jax.custom_vjp
def reversed_gradient(x: Any) -> Any:
    return x * 2


reversed_gradient.defvjp(lambda x: (x * 2, None), lambda _, g: (-g,))


@jax.custom_vjp
def sevenfold(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y, x + 1


sevenfold.defvjp(
    lambda x, y: (sevenfold(x, y), (x, y)), lambda r, g: (7 * g[0] * r[1] + g[1], g[0] * r[0])
)


@jax.custom_jvp
def clipped(x: Any, n: Any) -> Any:
    return jnp.clip(x, -1, 1) * n


@clipped.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return clipped(*primals), tangents[0] * primals[1] * 3


def newton(x: Any) -> Any:
    def go_on(state: Any) -> Any:
        return jnp.abs(state[0] ** 2 - state[1]).max() > 1e-3

    return lax.while_loop(go_on, lambda s: (0.5 * (s[0] + s[1] / s[0]), s[1]), (x, x))[0]


def recurrence(w: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(h @ w + x)
        return h, h.sum()

    return lax.scan(step, jnp.zeros(4, np.float32), xs, reverse=True)


def branches(i: Any, x: Any) -> Any:
    return lax.switch(i, [jnp.sin, lambda x: x * x, jnp.exp, jnp.zeros_like], x)


def floats_square() -> Any:
    return np.random.default_rng(5).normal(0, 0.5, (4, 4)).astype(np.float32)


square = X[:, :3] @ X[:, :3]
FLOW = [
    Case("cond", lambda p, x: lax.cond(p, jnp.sin, jnp.cos, x), (np.array(True), X)),
    Case("cond_false", lambda p, x: lax.cond(p, jnp.sin, jnp.cos, x), (np.array(False), X)),
    *[Case(f"switch_{i}", branches, (np.int32(i), X)) for i in (-1, 0, 1, 2, 3, 9)],
    Case("while", newton, (POSITIVE,), gradients=False),
    Case(
        "while_consts",
        lambda x, n: lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1] * x), (0, x))[1],
        (X, np.int32(3)),
        gradients=False,
    ),
    Case("fori", lambda x: lax.fori_loop(0, 4, lambda i, y: y * x + i, x), (X,)),
    Case("scan", recurrence, (floats_square(), X)),
    Case("scan_counts", lambda x: lax.scan(lambda c, _: (c * x, c), x, None, length=3), (X,)),
    Case("map", lambda x: lax.map(lambda r: r.sum() * r, x), (X,)),
    Case("associative_scan", lambda x: lax.associative_scan(jnp.multiply, x), (X,)),
    Case("jit", lambda x: jax.jit(lambda y: jnp.sin(y) * 2)(x) + x, (X,)),
    Case("checkpoint", jax.checkpoint(lambda x, y: jnp.sin(jnp.sin(x) * y)), (X, Y)),
    Case("vmap", jax.vmap(lambda x, y: lax.cond(x.sum() > 0, jnp.sin, jnp.cos, y)), (X, Y)),
    Case("vmap_while", jax.vmap(newton), (POSITIVE,), gradients=False),
    Case("inner_gradient", jax.grad(lambda x: jnp.sum(jnp.tanh(x) ** 2)), (X,)),
    Case("inner_jvp", lambda x, t: jax.jvp(jnp.tanh, (x,), (t,)), (X, Y)),
    Case(
        "solve", lambda x, y: jnp.linalg.solve(x + 5 * jnp.eye(3), y), (square, Y[:, 0]), foreign=2
    ),
    Case("constants", lambda x: x @ jnp.asarray(Y.T) + np.float32(2), (X,)),
    Case("static_index", lambda x: x[::-1, 1:], (X,)),
]

functions = [
    "relu",
    "relu6",
    "silu",
    "gelu",
    "elu",
    "selu",
    "softplus",
    "leaky_relu",
    "hard_tanh",
    "log_sigmoid",
    "glu",
]
CUSTOMS = [
    *[Case(f"nn_{n}", getattr(jax.nn, n), (X,)) for n in functions],
    Case("custom_vjp", reversed_gradient, (X,)),
    Case("custom_vjp_pair", sevenfold, (X, Y)),
    Case("custom_vjp_half", lambda x, y: sevenfold(x, y)[0], (X, Y)),
    Case("custom_jvp", lambda x: clipped(x, 2.0), (X,)),
    Case("custom_jvp_int", lambda x, i: clipped(x, i.astype(np.float32)), (X, INTS)),
    Case(
        "custom_inside",
        lambda x: lax.fori_loop(0, 3, lambda _, y: reversed_gradient(y) * x, x),
        (X,),
    ),
    Case("logsumexp", lambda x: jax.nn.logsumexp(x, axis=1), (X,)),
    Case("where", lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0), (X,)),
    Case("interp", lambda x: jnp.interp(x, jnp.linspace(-2, 2, 5), jnp.arange(5.0)), (X,)),
    Case("polyval", lambda x: jnp.polyval(jnp.array([1.0, 2.0, 3.0]), x), (X,)),
]

CASES: list[Case] = [*FLOW, *CUSTOMS]
