"""Cotangents are those of JAX for the same mathematics, complex numbers above all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from plait.ir import ops
from tests.gradients import pullback

Pair = tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]


def real(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def unreal(*shape: int, seed: int = 0) -> Any:
    return real(*shape, seed=seed) + 1j * real(*shape, seed=seed + 10)


COMPLEX = ("abs", "angle", "real", "imag", "conj")
HOLOMORPHIC = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "square",
               "asin", "atan", "asinh", "atanh", "log1p", "expm1", "reciprocal")  # fmt: skip
NAMES = {"absolute": "abs", "abs": "absolute"}

CONVOLVED: dict[str, Any] = {
    "strides": (2, 1), "low": (1, 0), "high": (2, 1), "dilation": (1, 2),
    "input_dilation": (1, 1), "groups": 2,
}  # fmt: skip
POOLED: dict[str, Any] = {
    "window": (3, 2), "strides": (2, 1), "low": (1, 0), "high": (0, 1), "dilation": (1, 1)
}  # fmt: skip
INDEX = np.asarray([2, 0, 2, 1])


def jax_convolution(x: Any, kernel: Any) -> Any:
    padding = tuple(zip(CONVOLVED["low"], CONVOLVED["high"], strict=True))
    return lax.conv_general_dilated(
        x, kernel, (2, 1), padding, rhs_dilation=(1, 2), feature_group_count=2
    )


def jax_pooled(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (3, 2), (2, 1), ((1, 0), (0, 1)))


PAIRS: list[Pair] = [
    *[
        (name, getattr(ops, NAMES.get(name, name)), getattr(jnp, name), (unreal(5),))
        for name in (*COMPLEX, *(n for n in HOLOMORPHIC if hasattr(jnp, n)))
    ],
    ("multiply", ops.multiply, jnp.multiply, (unreal(3), unreal(3, seed=1))),
    ("divide", ops.divide, jnp.divide, (unreal(3), unreal(3, seed=1))),
    ("power", ops.power, jnp.power, (unreal(3), unreal(3, seed=1))),
    ("complex", ops.complex_, lax.complex, (real(3), real(3, seed=1))),
    ("matmul", ops.matmul, jnp.matmul, (unreal(2, 3), unreal(3, 4, seed=1))),
    ("widening", lambda x: ops.cast(x, dtype=np.dtype("complex128")),
     lambda x: x.astype("complex128"), (real(3),)),
    ("ties", ops.maximum, jnp.maximum, (np.ones(3), np.ones(3))),
    ("largest", lambda x: ops.reduce_max(x, axes=(0,)), lambda x: jnp.max(x, axis=0),
     (np.asarray([2.0, 1.0, 2.0]),)),
    ("power of zero", ops.power, jnp.power, (np.zeros(2), np.asarray([1.0, 2.0]))),
    ("gather", lambda x: ops.gather(x, INDEX, axes=(0,)), lambda x: x[INDEX], (real(3, 2),)),
    ("set", lambda x, u: ops.scatter(x, u, INDEX, axes=(0,)), lambda x, u: x.at[INDEX].set(u),
     (real(3), real(4, seed=1))),
    ("convolution", lambda x, k: ops.convolution(x, k, **CONVOLVED), jax_convolution,
     (real(2, 4, 6, 7), real(6, 2, 3, 2, seed=1))),
    ("pooling", lambda x: ops.reduce_window(x, kind="max", **POOLED), jax_pooled, (real(6, 7),)),
    ("logsumexp", lambda x: ops.logsumexp(x, axes=(1,), keepdims=False),
     lambda x: jax.nn.logsumexp(x, axis=1), (real(2, 4),)),
    ("softmax", lambda x: ops.softmax(x, axis=0), lambda x: jax.nn.softmax(x, axis=0),
     (real(3, 2),)),
    ("sort", lambda x: ops.sort(x, axis=0), lambda x: jnp.sort(x, axis=0), (real(5, 2),)),
    ("product", lambda x: ops.cumprod(x, axis=0), lambda x: jnp.cumprod(x, axis=0),
     (np.asarray([2.0, 3.0, 0.0, 4.0]),)),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_cotangents_are_those_of_jax(pair: Pair) -> None:
    _, function, other, operands = pair
    random = np.random.default_rng(7)
    with jax.enable_x64(True):
        result, pull = jax.vjp(other, *[jnp.asarray(x) for x in operands])
        g = random.normal(size=result.shape)
        g = g + 1j * random.normal(size=result.shape) if result.dtype.kind == "c" else g
        wanted = pull(jnp.asarray(g, result.dtype))
        found = pullback(function, operands, [np.asarray(g, result.dtype)])
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, np.asarray(b), rtol=1e-10, atol=1e-12)
