"""Convolution nets, normalization and losses."""

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

LAYOUT = ("NHWC", "HWIO", "NHWC")


def net_draw(r: np.random.Generator) -> tuple[Any, ...]:
    p = {"one": normal(r, 3, 3, 2, 4), "two": normal(r, 3, 3, 4, 2), "dense": normal(r, 8, 3)}
    return p, normal(r, 2, 8, 8, 2), r.integers(0, 3, size=(2,))


def net_jax(p: Any, x: Any, labels: Any) -> Any:
    x = lax.conv_general_dilated(x, p["one"], (1, 1), "SAME", dimension_numbers=LAYOUT)
    x = lax.reduce_window(jax.nn.silu(x), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = lax.conv_general_dilated(x, p["two"], (2, 2), "SAME", dimension_numbers=LAYOUT)
    logits = jnp.tanh(x).reshape(2, 8) @ p["dense"]
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(2), labels])


@program(net_jax, net_draw, differentiated=2, xla=True)
def convolution_net(p: Any, x: Any, labels: Any) -> Any:
    x = pl.convolution(x, p["one"], padding="SAME")
    x = pl.max_pool(pl.silu(x), 2)
    x = pl.convolution(x, p["two"], 2, padding="SAME")
    logits = pl.tanh(x).reshape(2, 8) @ p["dense"]
    return -pl.mean(pl.log_softmax(logits)[pl.arange(2), labels])


def grouped_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3, 3, 1, 4), normal(r, 1, 1, 4, 2), normal(r, 1, 6, 5, 4)


def grouped_jax(deep: Any, point: Any, x: Any) -> Any:
    y = lax.conv_general_dilated(
        x, deep, (2, 1), ((1, 1), (2, 0)), dimension_numbers=LAYOUT, feature_group_count=4
    )
    y = lax.conv_general_dilated(jnp.tanh(y), point, (1, 1), "VALID", dimension_numbers=LAYOUT)
    return jnp.sum(y**2)


@program(grouped_jax, grouped_draw, differentiated=3, second=True)
def depthwise_and_pointwise(deep: Any, point: Any, x: Any) -> Any:
    y = pl.convolution(x, deep, (2, 1), ((1, 1), (2, 0)), groups=4)
    return pl.sum(pl.convolution(pl.tanh(y), point) ** 2)


def dilated_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 3, 2, 3), normal(r, 2, 9, 2)


def dilated_jax(w: Any, x: Any) -> Any:
    y = lax.conv_general_dilated(
        x, w, (1,), "SAME", rhs_dilation=(2,), dimension_numbers=("NWC", "WIO", "NWC")
    )
    return jnp.mean(jnp.sin(y))


@program(dilated_jax, dilated_draw, differentiated=2, second=True)
def dilated_convolution_of_a_line(w: Any, x: Any) -> Any:
    return pl.mean(pl.sin(pl.convolution(x, w, padding="SAME", dilation=2)))


def pools_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return (normal(r, 2, 6, 6, 2),)


def pools_jax(x: Any) -> Any:
    window, strides = (1, 3, 3, 1), (1, 2, 2, 1)
    top = lax.reduce_window(x, -jnp.inf, lax.max, window, strides, "SAME")
    mean = lax.reduce_window(x, 0.0, lax.add, window, strides, "VALID") / 9
    return jnp.sum(top**2) + jnp.sum(jnp.exp(mean))


@program(pools_jax, pools_draw, second=True)
def overlapping_pools(x: Any) -> Any:
    top = pl.max_pool(x, 3, 2, "SAME")
    mean = pl.avg_pool(x, 3, 2)
    return pl.sum(top**2) + pl.sum(pl.exp(mean))


def batch_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return 1 + normal(r, 3), normal(r, 3), normal(r, 4, 2, 3)


def batch_jax(scale: Any, bias: Any, x: Any) -> Any:
    mean, var = x.mean((0, 1)), x.var((0, 1))
    y = (x - mean) * lax.rsqrt(var + 1e-3) * scale + bias
    return jnp.sum(jax.nn.relu(y) ** 3)


@program(batch_jax, batch_draw, differentiated=3, second=True)
def batch_norm(scale: Any, bias: Any, x: Any) -> Any:
    mean, var = x.mean((0, 1)), x.var((0, 1))
    y = (x - mean) * pl.rsqrt(var + 1e-3) * scale + bias
    return pl.sum(pl.relu(y) ** 3)


def running_jax(w: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        mean, total = carry
        y = x @ w
        mean = 0.9 * mean + 0.1 * y.mean(0)
        return (mean, total + jnp.sum((y - mean) ** 2)), None

    return lax.scan(step, (jnp.zeros(3), 0.0), xs)[0][1]


def running_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 2, 3), normal(r, 5, 4, 2)


@program(running_jax, running_draw, differentiated=2, second=True)
def running_means_in_a_variable(w: Any, xs: Any) -> Any:
    MEAN.assign(np.zeros(3))
    total: Any = 0.0
    for x in xs:
        y = x @ w
        MEAN.assign(0.9 * MEAN + 0.1 * y.mean(0))
        total = total + pl.sum((y - MEAN) ** 2)
    return total


MEAN = pl.Variable(np.zeros(3), trainable=False)


def smoothed_jax(logits: Any, labels: Any) -> Any:
    targets = jax.nn.one_hot(labels, 5, dtype=jnp.float64) * 0.9 + 0.02
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(logits), axis=-1))


@program(smoothed_jax, lambda r: (normal(r, 4, 5), r.integers(0, 5, size=(4,))), second=True)
def smoothed_cross_entropy(logits: Any, labels: Any) -> Any:
    targets = pl.one_hot(labels, 5, dtype="float64") * 0.9 + 0.02
    return -pl.mean(pl.sum(targets * pl.log_softmax(logits), axis=-1))


def contrast_jax(x: Any, y: Any) -> Any:
    x = x / jnp.linalg.norm(x, axis=1, keepdims=True)
    y = y / jnp.linalg.norm(y, axis=1, keepdims=True)
    logits = x @ y.T / 0.1
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.diagonal(logits))


@program(contrast_jax, lambda r: (normal(r, 4, 3), normal(r, 4, 3)), differentiated=2)
def contrastive_loss(x: Any, y: Any) -> Any:
    x = x / pl.norm(x, axis=1, keepdims=True)
    y = y / pl.norm(y, axis=1, keepdims=True)
    logits = x @ y.T / 0.1
    return pl.mean(pl.logsumexp(logits, axis=1) - pl.diagonal(logits))


def bilinear_draw(r: np.random.Generator) -> tuple[Any, ...]:
    return normal(r, 5, 6), np.asarray(r.uniform(0.1, 3.4, size=(7, 2)))


def bilinear_jax(image: Any, points: Any) -> Any:
    low = jnp.floor(points)
    t = points - low
    i, j = low.astype(int).T
    one = image[i, j] * (1 - t[:, 1]) + image[i, j + 1] * t[:, 1]
    other = image[i + 1, j] * (1 - t[:, 1]) + image[i + 1, j + 1] * t[:, 1]
    return jnp.sum((one * (1 - t[:, 0]) + other * t[:, 0]) ** 2)


@program(bilinear_jax, bilinear_draw, differentiated=2, second=True)
def bilinear_sampling(image: Any, points: Any) -> Any:
    total = pl.zeros((), dtype="float64")
    for y, x in points:
        i, j = pl.astype(pl.floor(y), "int64"), pl.astype(pl.floor(x), "int64")
        dy, dx = y - i, x - j
        one = image[i, j] * (1 - dx) + image[i, j + 1] * dx
        other = image[i + 1, j] * (1 - dx) + image[i + 1, j + 1] * dx
        total += (one * (1 - dy) + other * dy) ** 2
    return total


def blur_jax(image: Any, kernel: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)
        return jnp.tanh(x), None

    return jnp.sum(lax.scan(step, image, None, length=3)[0] ** 2)


@program(blur_jax, lambda r: (normal(r, 1, 5, 5, 1), normal(r, 3, 3, 1, 1)), differentiated=2)
def convolutions_in_a_loop(image: Any, kernel: Any) -> Any:
    steps = pl.asarray(3)
    while steps > 0:
        image = pl.tanh(pl.convolution(image, kernel, padding="SAME"))
        steps -= 1
    return pl.sum(image**2)
