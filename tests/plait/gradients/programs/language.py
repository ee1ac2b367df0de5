"""Python as users write it: early returns, breaks, mutation, classes, variables, randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import plait as pl
from tests.plait.gradients.programs.table import Table, normal, table_of, uniform

PROGRAMS: Table = []
program = table_of(PROGRAMS)


def vector_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return (normal(r, 6),)


def returning_jax(x: Any) -> Any:
    zero: Any = jnp.zeros(())
    total, out, found = zero, zero, jnp.asarray(False)
    for v in x:
        total = total + jnp.sin(v)
        stops = ~found & (total > 0.3)
        out = jnp.where(stops, total**2 * v, out)
        found = found | stops
    return jnp.where(found, out, total)


@program(returning_jax, vector_draw, second=True)
def early_return_in_a_loop(x: Any) -> Any:
    total = pl.zeros((), dtype="float64")
    for v in x:
        total = total + pl.sin(v)
        if total > 0.3:
            return total**2 * v
    return total


def skipping_jax(x: Any) -> Any:
    total, on = jnp.zeros(()), jnp.asarray(True)
    for v in x:
        on = on & (v < 0.8)
        total = jnp.where(on & (v >= 0), total * 0.5 + jnp.exp(v), total)
    return total


@program(skipping_jax, vector_draw, second=True)
def break_and_continue(x: Any) -> Any:
    total = pl.zeros((), dtype="float64")
    for v in x:
        if v < 0:
            continue
        if v >= 0.8:
            break
        total = total * 0.5 + pl.exp(v)
    return total


def searched_jax(x: Any, y: Any) -> Any:
    total = jnp.zeros(())
    for i in range(4):
        found = jnp.asarray(False)
        for j in range(4):
            hit = ~found & (y[j] > x[i])
            total = jnp.where(hit, total + x[i] * y[j] ** 2, total)
            found = found | hit
        total = jnp.where(found, total, total - jnp.cos(x[i]))
    return total


@program(searched_jax, lambda r: (normal(r, 4), normal(r, 4)), differentiated=2, second=True)
def nested_loops_with_else(x: Any, y: Any) -> Any:
    total: Any = 0.0
    for v in x:
        for w in y:
            if w > v:
                total = total + v * w**2
                break
        else:
            total = total - pl.cos(v)
    return total


def branches_jax(x: Any) -> Any:
    s = jnp.sum(x)
    inner = jnp.where(x[0] > 0, jnp.sum(x**3), jnp.prod(1 + x))
    return jnp.where(s > 1, inner, jnp.where(s > -1, jnp.sum(jnp.exp(x)), s**2))


@program(branches_jax, vector_draw, second=True)
def branches_in_branches(x: Any) -> Any:
    s = pl.sum(x)
    if s > 1:
        if x[0] > 0:
            return pl.sum(x**3)
        found = pl.prod(1 + x)
    elif s > -1:
        found = pl.sum(pl.exp(x))
    else:
        found = s**2
    return found


def collatz_jax(x: Any, n: Any) -> Any:
    def step(state: Any, _: Any) -> Any:
        x, n = state
        even = n % 2 == 0
        new = jnp.where(even, jnp.tanh(x), x * x + 0.1)
        return (
            jnp.where(n != 1, new, x),
            jnp.where(n != 1, jnp.where(even, n // 2, 3 * n + 1), n),
        ), 0

    return lax.scan(step, (x, n), None, length=30)[0][0]


@program(collatz_jax, lambda r: (uniform(r), np.asarray(r.choice([3, 6, 7, 11]))), second=True)
def collatz_with_state(x: Any, n: Any) -> Any:
    while n != 1:
        if n % 2 == 0:
            n = n // 2
            x = pl.tanh(x)
        else:
            n = 3 * n + 1
            x = x * x + 0.1
    return x


def lists_jax(x: Any) -> Any:
    items = [jnp.sin(x[0]), x[1] ** 2]
    for k in range(2, 6):
        items.append(items[-1] * items[-2] + x[k])
    return jnp.sum(jnp.stack(items) ** 2) + items[0] * items[3]


@program(lists_jax, vector_draw, second=True)
def lists_and_dicts_that_grow(x: Any) -> Any:
    items = [pl.sin(x[0]), x[1] ** 2]
    memo = {"first": items[0]}
    for k in range(2, 6):
        items.append(items[-1] * items[-2] + x[k])
        memo[f"item {k}"] = items[k]
    total = memo.pop("first") * memo["item 3"]
    while items:
        total = total + items.pop() ** 2
    return total


@dataclass
class Layer:
    """Parameters of one layer."""

    w: Any
    b: Any

    def __call__(self, x: Any) -> Any:
        return pl.tanh(x @ self.w + self.b)


def layers_jax(w: Any, b: Any, x: Any) -> Any:
    g = jax.grad(lambda w, b: jnp.sum(jnp.tanh(x @ w + b) ** 2), (0, 1))(w, b)
    return jnp.sum(jnp.tanh(x @ (w - g[0]) + (b - g[1])) ** 2)


@program(
    layers_jax,
    lambda r: (normal(r, 2, 3), normal(r, 3), normal(r, 4, 2)),
    differentiated=2,
    second=True,
)
def dataclasses_of_parameters(w: Any, b: Any, x: Any) -> Any:
    layer = Layer(w, b)
    g = pl.grad(lambda layer: pl.sum(layer(x) ** 2))(layer)
    layer.w, layer.b = layer.w - g.w, layer.b - g.b
    return pl.sum(layer(x) ** 2)


WEIGHT = pl.Variable(np.asarray([0.5, -0.3]))


def variables_jax(x: Any) -> Any:
    w = jnp.asarray([0.5, -0.3])
    total: Any = 0.0
    for _ in range(3):
        total = total + jnp.sum(jnp.sin(x * w))
        w = w * 0.9 + 0.1 * x
    return total + jnp.prod(w)


@program(variables_jax, lambda r: (normal(r, 2),), second=True)
def variables_assigned_in_a_loop(x: Any) -> Any:
    WEIGHT.assign([0.5, -0.3])
    total: Any = 0.0
    for _ in range(3):
        total = total + pl.sum(pl.sin(x * WEIGHT))
        WEIGHT.assign(WEIGHT * 0.9 + 0.1 * x)
    return total + pl.prod(WEIGHT)


def views_jax(x: Any) -> Any:
    y = x.reshape(2, 3)
    y = y.at[0].multiply(2.0)
    y = y.at[:, 1].add(y[:, 0] ** 2)
    y = y.at[1, ::2].set(jnp.sin(y[0, :2]))
    return jnp.sum(y**2 * jnp.arange(6.0).reshape(2, 3))


@program(views_jax, vector_draw, second=True)
def writes_through_views(x: Any) -> Any:
    y = x.reshape(2, 3).copy()
    row, columns = y[0], y.T
    row *= 2.0
    columns[1] += columns[0] ** 2
    y[1][::2] = pl.sin(row[:2])
    return pl.sum(y**2 * pl.arange(6.0).reshape(2, 3))


def masks_jax(x: Any) -> Any:
    y = jnp.where(x < -0.2, jnp.sum(x), x)
    y = jnp.where((x > 0.3) & (jnp.arange(6) > 1), x[0], y)
    return jnp.sum(y * jnp.cos(x))


@program(masks_jax, vector_draw, second=True)
def writes_by_masks(x: Any) -> Any:
    y = x.copy()
    y[y < -0.2] = pl.sum(x)
    y[2:][x[2:] > 0.3] = x[0]
    return pl.sum(y * pl.cos(x))


def bent_jax(x: Any, w: Any) -> Any:
    @jax.custom_vjp
    def f(x: Any) -> Any:
        return jnp.sin(x)

    f.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (0.5 * g * x,))

    def step(x: Any, _: Any) -> Any:
        return f(x * w), None

    return jnp.sum(lax.scan(step, x, None, length=4)[0])


@pl.custom_gradient
def bent(x: Any) -> Any:
    return pl.sin(x), lambda g: 0.5 * g * x


@program(bent_jax, lambda r: (normal(r, 3), normal(r, 3)), differentiated=2, second=True)
def custom_gradients_in_a_loop(x: Any, w: Any) -> Any:
    steps = pl.asarray(4)
    while steps > 0:
        x = bent(x * w)
        steps -= 1
    return pl.sum(x)


def layers_again_jax(w: Any, x: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        return jnp.tanh(jnp.sin(x @ w) @ w.T), None

    return jnp.sum(lax.scan(step, x, None, length=3)[0] ** 2)


@program(
    layers_again_jax, lambda r: (normal(r, 3, 4), normal(r, 2, 3)), differentiated=2, second=True
)
def recomputed_layers_in_a_loop(w: Any, x: Any) -> Any:
    layer = pl.remat(lambda x: pl.tanh(pl.sin(x @ w) @ w.T))
    for _ in range(pl.asarray(3)):
        x = layer(x)
    return pl.sum(x**2)


def stopped_jax(x: Any, y: Any) -> Any:
    def step(y: Any, v: Any) -> Any:
        return 0.9 * y + lax.stop_gradient(y) * v, None

    return lax.scan(step, y, x)[0] ** 2


@program(stopped_jax, lambda r: (normal(r, 5), uniform(r)), differentiated=2, second=True)
def gradients_stopped_in_a_loop(x: Any, y: Any) -> Any:
    for v in x:
        y = 0.9 * y + pl.stop_gradient(y) * v
    return y**2


def fourier_jax(x: Any, w: Any) -> Any:
    waves = jnp.exp(-2j * np.pi * jnp.outer(jnp.arange(6.0), jnp.arange(6.0)) / 6)
    changed = (waves @ x) * jnp.exp(1j * w)
    back = waves.conj() @ changed / 6
    return jnp.sum(jnp.real(back) ** 3) + jnp.sum(jnp.abs(changed))


@program(fourier_jax, lambda r: (normal(r, 6), normal(r, 6)), differentiated=2, second=True)
def fourier_transform_by_hand(x: Any, w: Any) -> Any:
    waves = pl.exp(-2j * np.pi * pl.outer(pl.arange(6.0, dtype="float64"), np.arange(6.0)) / 6)
    changed = (waves @ x) * pl.exp(1j * w)
    back = waves.conj() @ changed / 6
    return pl.sum(pl.real(back) ** 3) + pl.sum(pl.abs(changed))


def escape_jax(c: Any) -> Any:
    def step(z: Any, _: Any) -> Any:
        return jnp.where(jnp.abs(z) < 2, z * z + c, z), None

    z, _ = lax.scan(step, jnp.zeros((), jnp.complex128), None, length=8)
    return jnp.log(jnp.abs(z) + 1)


@program(escape_jax, lambda r: (np.asarray(r.normal() + 1j * r.normal()),), second=True)
def complex_numbers_that_escape(c: Any) -> Any:
    z = pl.zeros((), dtype="complex128")
    steps = pl.asarray(0)
    while pl.abs(z) < 2 and steps < 8:
        z = z * z + c
        steps += 1
    return pl.log(pl.abs(z) + 1)


def noise() -> Any:
    """The numbers that Plait draws."""
    pl.random.seed(3)
    return [np.asarray(pl.random.normal((3,), dtype="float64")) for _ in range(4)]


def noisy_jax(x: Any, w: Any) -> Any:
    for e in NOISE:
        x = jnp.tanh(x * w + e) + 0.1 * e * w
    return jnp.sum(x**2)


NOISE = noise()


@program(noisy_jax, lambda r: (normal(r, 3), normal(r, 3)), differentiated=2, second=True)
def random_numbers_in_a_loop(x: Any, w: Any) -> Any:
    pl.random.seed(3)
    for _ in range(4):
        e = pl.random.normal((3,), dtype="float64")
        x = pl.tanh(x * w + e) + 0.1 * e * w
    return pl.sum(x**2)


def power_jax(x: Any) -> Any:
    return jnp.sum(x**5) + jnp.sum(x**3)


def power(x: Any, n: int) -> Any:
    """A power by squaring."""
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    return half * half * x if n % 2 else half * half


@program(power_jax, vector_draw, second=True)
def recursion(x: Any) -> Any:
    return pl.sum(power(x, 5)) + pl.sum(power(x, 3))


def shapes_jax(x: Any) -> Any:
    parts = [jnp.sum(x[:k] ** k) for k in range(1, 7)]
    return jnp.max(jnp.stack(parts)) + parts[2] / (1 + parts[4] ** 2)


@program(shapes_jax, vector_draw)
def comprehensions_and_generators(x: Any) -> Any:
    parts = [pl.sum(x[:k] ** k) for k in range(1, len(x) + 1)]
    return max(p for p in parts) + parts[2] / (1 + parts[4] ** 2)


def exceptions_jax(x: Any) -> Any:
    return jnp.sum(jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), -x))


def root(v: Any) -> Any:
    """A root that refuses negative numbers."""
    if v <= 0:
        raise ValueError("negative")
    return pl.sqrt(v)


@program(exceptions_jax, vector_draw, fullgraph=False)
def exceptions_that_are_caught(x: Any) -> Any:
    total: Any = 0.0
    for v in x:
        try:
            total = total + root(v)
        except ValueError:
            total = total - v
    return total
