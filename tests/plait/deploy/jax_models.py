"""Models in plain jax: a perceptron, a transformer block, a convolution net."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Tree = dict[str, Any]


def weights(*shape: int, seed: int) -> Any:
    scale = 1 / np.sqrt(shape[0])
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def perceptron_weights() -> Tree:
    return {
        "layers": [
            {"w": weights(6, 8, seed=1), "b": weights(8, seed=2)},
            {"w": weights(8, 3, seed=3), "b": weights(3, seed=4)},
        ]
    }


def perceptron(params: Tree, x: Any) -> Any:
    *hidden, last = params["layers"]
    for layer in hidden:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    return x @ last["w"] + last["b"]


def block_weights(size: int = 8) -> Tree:
    names = ("q", "k", "v", "out")
    return {
        **{n: weights(size, size, seed=10 + i) for i, n in enumerate(names)},
        "up": weights(size, 2 * size, seed=20),
        "down": weights(2 * size, size, seed=21),
        "scale": np.ones((2, size), np.float32),
    }


def normalized(x: Any, scale: Any) -> Any:
    mean = jnp.mean(x, -1, keepdims=True)
    return (x - mean) * lax.rsqrt(jnp.var(x, -1, keepdims=True) + 1e-5) * scale


def transformer_block(params: Tree, x: Any, heads: int = 2, key: Any = None) -> Any:
    """Attention that sees what came before, then two dense layers, each beside a shortcut."""
    length, size = x.shape[-2:]

    def split(y: Any) -> Any:
        return jnp.moveaxis(y.reshape(*y.shape[:-1], heads, size // heads), -2, -3)

    h = normalized(x, params["scale"][0])
    q, k, v = (split(h @ params[n]) for n in "qkv")
    scores = q @ jnp.swapaxes(k, -1, -2) / np.sqrt(size // heads)
    scores = jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -1e9)
    mixed = jnp.moveaxis(jax.nn.softmax(scores) @ v, -3, -2).reshape(x.shape)
    x = x + mixed @ params["out"]
    if key is not None:
        x = jnp.where(jax.random.bernoulli(key, 0.8, x.shape), x / 0.8, 0)
    h = normalized(x, params["scale"][1])
    return x + jax.nn.gelu(h @ params["up"]) @ params["down"]


def net_weights() -> Tree:
    return {
        "first": weights(3, 3, 2, 4, seed=30),
        "second": weights(3, 3, 4, 4, seed=31),
        "dense": weights(16, 5, seed=32),
    }


def convolution_net(params: Tree, x: Any) -> Any:
    """Two convolutions, each pooled, and a dense layer; images with channels last."""
    numbers = ("NHWC", "HWIO", "NHWC")
    for name in ("first", "second"):
        x = lax.conv_general_dilated(x, params[name], (1, 1), "SAME", dimension_numbers=numbers)
        x = jax.nn.silu(x)
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return x.reshape(x.shape[0], -1) @ params["dense"]
