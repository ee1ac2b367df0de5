"""Models of flax and equinox brought in; skipped, loudly, where these are not installed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plait as pl
from tests.plait.deploy.test_from_jax import close

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
IMAGES = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)


def needed(name: str) -> Any:
    package = name.partition(".")[0]
    return pytest.importorskip(name, reason=f"needs {package}: pip install {package}")


def compare(function: Any, params: Any, x: Any) -> None:
    """Values and gradients of a model, none of it left whole."""
    imported = pl.from_jax(function)
    close(imported(params, x), jax.jit(function)(params, x), 1e-4)
    assert not [n for n in imported.graph(params, x).walk() if n.op.name == "foreign"]
    tensors = jax.tree_util.tree_map(pl.asarray, params)
    got = pl.grad(lambda p: pl.sum(imported(p, x) ** 2))(tensors)
    wanted = jax.jit(jax.grad(lambda p: jnp.sum(function(p, x) ** 2)))(params)
    close(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(wanted), 1e-3)


def test_flax_perceptron() -> None:
    nn = needed("flax.linen")
    model = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(3), nn.log_softmax])
    compare(model.apply, model.init(KEY, X), X)


def test_flax_transformer_block() -> None:
    nn = needed("flax.linen")

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            mask = nn.make_causal_mask(x[..., 0])
            x = x + nn.MultiHeadDotProductAttention(2)(nn.LayerNorm()(x), mask=mask)
            return x + nn.Dense(6)(nn.gelu(nn.Dense(12)(nn.LayerNorm()(x))))

    model, sequence = Block(), X[None]
    compare(model.apply, model.init(KEY, sequence), sequence)


def test_flax_convolution_net() -> None:
    nn = needed("flax.linen")

    class Net(nn.Module):  # type: ignore[name-defined, misc]
        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any, train: bool = False) -> Any:
            x = nn.Conv(4, (3, 3), strides=(1, 2))(x)
            x = nn.swish(nn.BatchNorm(use_running_average=not train)(x))
            x = nn.avg_pool(nn.max_pool(x, (2, 2), (2, 1)), (2, 2))
            x = nn.Dropout(0.5, deterministic=not train)(x)
            return nn.Dense(5)(x.reshape(x.shape[0], -1))

    model = Net()
    params = model.init(KEY, IMAGES)
    imported = pl.from_jax(model.apply)
    close(imported(params, IMAGES), model.apply(params, IMAGES), 1e-4)
    options: Any = {"train": True, "mutable": ["batch_stats"]}
    found = imported(params, IMAGES, rngs={"dropout": KEY}, **options)
    close(found, model.apply(params, IMAGES, rngs={"dropout": KEY}, **options), 1e-4)
    trained = pl.from_jax(lambda v, x: model.apply(v, x, rngs={"dropout": KEY}, **options)[0])
    got = pl.grad(lambda p: pl.sum(trained({**params, "params": p}, IMAGES) ** 2))(
        jax.tree_util.tree_map(pl.asarray, params["params"])
    )

    def loss(p: Any) -> Any:
        made, _ = model.apply({**params, "params": p}, IMAGES, rngs={"dropout": KEY}, **options)
        return jnp.sum(made**2)

    close(got, jax.jit(jax.grad(loss))(params["params"]), 1e-3)


def test_flax_nnx() -> None:
    nnx = needed("flax.nnx")
    model = nnx.Linear(6, 3, rngs=nnx.Rngs(0))
    form, state = nnx.split(model)
    imported = pl.from_jax(lambda state, x: nnx.merge(form, state)(x))
    close(imported(state, X), model(X))
    held = pl.from_jax(lambda state, x: nnx.merge(form, state)(x), variables=state)
    assert sorted(v.shape for v in held.variables) == [(3,), (6, 3)]
    assert len(pl.implicit_gradients(lambda: pl.sum(held(X)))()) == 2


def test_equinox() -> None:
    eqx = needed("equinox")
    model = eqx.nn.MLP(6, 3, 8, 2, key=KEY)

    def rows(model: Any, x: Any) -> Any:
        return jax.vmap(model)(x)

    close(pl.from_jax(rows)(model, X), rows(model, X))
    imported = pl.from_jax(rows, variables=model)
    names = [v.name for v in imported.variables]
    assert names == [f"layers/{i}/{n}" for i in range(3) for n in ("weight", "bias")]
    found = pl.implicit_gradients(lambda: pl.sum(imported(X) ** 2))()
    wanted = eqx.filter_grad(lambda m: jnp.sum(rows(m, X) ** 2))(model)
    by_name = {v.name: g for g, v in found}
    close(by_name["layers/1/weight"], wanted.layers[1].weight, 1e-4)
