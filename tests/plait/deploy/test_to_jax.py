"""``pl.to_jax``: functions of tensors under jax's transformations, with the graph's derivatives."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plait as pl
from plait.ir.errors import SignatureError, TraceError
from tests.plait.deploy import jax_models as models
from tests.plait.deploy.test_from_jax import close

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)


def loss(x: Any, scale: float = 2.0) -> Any:
    h = pl.relu(x @ pl.asarray(W)) * scale
    return pl.sum(pl.softmax(h, axis=-1) ** 2)


def same(x: Any, scale: float = 2.0) -> Any:
    h = jax.nn.relu(x @ jnp.asarray(W)) * scale
    return jnp.sum(jax.nn.softmax(h, axis=-1) ** 2)


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, jax.grad, jax.value_and_grad])
def test_transformations(transform: Any) -> None:
    function = pl.to_jax(loss)
    assert function.__name__ == "loss"
    close(transform(function)(X), transform(same)(X))
    close(jax.jit(transform(function))(X), jax.jit(transform(same))(X))


def test_vmap_and_jvp() -> None:
    function, rows = pl.to_jax(loss), np.stack([X, 2 * X])
    close(jax.vmap(function)(rows), jax.vmap(same)(rows))
    close(jax.vmap(jax.grad(function))(rows), jax.vmap(jax.grad(same))(rows))
    close(jax.jvp(function, (X,), (X + 1,)), jax.jvp(same, (X,), (X + 1,)))
    close(jax.hessian(function)(X[:1]), jax.hessian(same)(X[:1]), 1e-4)
    close(function(X, scale=3.0), same(X, scale=3.0))


def test_containers() -> None:
    def function(tree: Any) -> Any:
        x, y = tree["pair"]
        return {"sum": x + y, "place": pl.argmax(x), "same": y, "number": 3}

    found = pl.to_jax(function)({"pair": (X, X * 2)})
    close(found["sum"], X * 3)
    assert found["place"].dtype == np.int32  # where jax is configured for 32 bits
    assert isinstance(found["sum"], jax.Array)
    assert found["number"] == 3


# Where jax would differentiate otherwise, or not at all.
DERIVATIVES: dict[str, Any] = {
    "relu": lambda x: pl.relu(x),
    "softplus": lambda x: pl.softplus(x),
    "copysign": lambda x: pl.copysign(x, -pl.cos(x)) * x,
    "hypot": lambda x: pl.hypot(x, x * x),
    "logaddexp": lambda x: pl.logaddexp(x, -x),
    "power": lambda x: pl.power(pl.abs(x), 1.5),
    "remainder": lambda x: pl.remainder(x, 0.7) * x,
    "acosh": lambda x: pl.acosh(x * x + 1.5),
    "sign": lambda x: pl.sign(x) * x,
    "stop_gradient": lambda x: pl.stop_gradient(x) * x,
    "gelu": lambda x: pl.gelu(x),
    "sort": lambda x: pl.sort(x) * x,
    "cumulative_product": lambda x: pl.cumprod(x),
    "erf": lambda x: pl.erf(x) * pl.expm1(x),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_those_of_the_graph(name: str) -> None:
    f = DERIVATIVES[name]
    x = np.array([0.0, 0.4, -1.3, 2.2], np.float32)

    def ours(x: Any) -> Any:
        return pl.sum(f(x) * pl.asarray([1.0, 2.0, 3.0, 4.0]))

    function = pl.to_jax(ours)
    close(jax.grad(function)(x), np.asarray(pl.grad(ours)(pl.asarray(x))))
    tangent = np.array([1, 2, -1, 0.5], np.float32)
    wanted = np.asarray(pl.jvp(ours, (pl.asarray(x),), (pl.asarray(tangent),))[1])
    close(jax.jvp(function, (x,), (tangent,))[1], wanted)


@pl.custom_gradient
def sevenfold(x: Any) -> Any:
    return x * x, lambda g: g * 7 * x


@pl.custom_gradient
def clipped(x: Any) -> Any:
    return x * x, lambda g: pl.clip(g * 7 * x, -1.0, 1.0)


def test_own_gradients() -> None:
    function = pl.to_jax(lambda x: pl.sum(sevenfold(x)))
    close(jax.jit(jax.grad(function))(X), 7 * X)
    close(jax.jvp(function, (X,), (X,))[1], np.float32((7 * X * X).sum()), 1e-4)
    close(jax.jacrev(jax.grad(lambda x: function(x)))(X[0]), 7 * np.eye(4, dtype=np.float32))
    nonlinear = pl.to_jax(lambda x: pl.sum(clipped(x)))
    close(jax.grad(nonlinear)(X), np.clip(7 * X, -1, 1))
    with pytest.raises(Exception, match=r"can't apply forward-mode .* to a custom_vjp function"):
        jax.jvp(nonlinear, (X,), (X,))


def test_control_flow() -> None:
    @pl.graph_function
    def function(x: Any, n: Any) -> Any:
        total = pl.zeros_like(x)
        for row in pl.stack([x, 2 * x, 3 * x]):
            total = pl.sin(total) + row
        while n > 0:
            n = n - 1
            total = total * 1.5
        return total if pl.sum(x) > 0 else -total

    jitted = jax.jit(pl.to_jax(function))
    close(jitted(X, np.int32(2)), np.asarray(function(X, np.int32(2))))
    scanned = pl.to_jax(lambda x: pl.sum(function(x, 2)))
    close(jax.vmap(scanned)(np.stack([X, -X])), np.array([scanned(X), scanned(-X)], np.float32))


def test_variables() -> None:
    w = pl.Variable(W, name="w")

    def function(x: Any) -> Any:
        return pl.sum(pl.tanh(x @ w))

    def step(x: Any) -> Any:
        w.assign(w * 2)
        return function(x)

    close(pl.to_jax(function)(X), jnp.sum(jnp.tanh(X @ W)))  # a constant
    taking = pl.to_jax(function, variables=[w])
    wanted = jax.grad(lambda w: jnp.sum(jnp.tanh(X @ w)))(W * 3)
    close(jax.grad(taking)([W * 3], X), [wanted])
    result, (new,) = jax.jit(pl.to_jax(step, variables=[w]))([W], X)
    close((result, new), (jnp.sum(jnp.tanh(X @ (W * 2))), W * 2))
    close(np.asarray(w), W)
    with pytest.raises(TraceError, match="step assigns to 'w'; name it in"):
        pl.to_jax(step)(X)


def test_what_jax_cannot_do_is_refused() -> None:
    def writes(x: Any) -> Any:
        x[0] = 0.0
        return x

    kept: list[Any] = []

    def keeps(x: Any) -> Any:
        kept.append(1)
        return x

    with pytest.raises(TraceError, match="writes writes into x: arrays of jax do not change"):
        pl.to_jax(writes)(X)
    with pytest.raises(TraceError, match="keeps changes what is outside of it"):
        pl.to_jax(keeps)(X)
    with pytest.raises(SignatureError, match="to_jax takes a function, got int"):
        pl.to_jax(3)  # type: ignore[arg-type]


def test_checks_are_dropped() -> None:
    function = pl.to_jax(lambda x, i: pl.gather(x, i))
    close(jax.jit(function)(X[0], np.int32(9)), X[0, 3])


def test_wide_dtypes() -> None:
    function = pl.to_jax(lambda x: pl.sum(x.astype("float64") + 1e-12) - 12)
    assert function(np.ones((3, 4), np.float32)).dtype == np.float32
    with jax.enable_x64(True):
        found = function(np.ones((3, 4), np.float32))
        assert found.dtype == np.float64
        assert 0 < float(found) < 1e-10


@pytest.mark.parametrize("name", ["perceptron", "transformer_block", "convolution_net"])
def test_round_trip(name: str) -> None:
    x, params = {
        "perceptron": (X[:, :3] @ np.ones((3, 6), np.float32), models.perceptron_weights()),
        "transformer_block": (np.tile(X, 2)[None], models.block_weights()),
        "convolution_net": (np.tile(X, (2, 8, 4))[..., None][..., [0, 0]][:, :8, :8], None),
    }[name]
    if params is None:
        x, params = np.ones((2, 8, 8, 2), np.float32) * X[0, 0], models.net_weights()
    function = getattr(models, name)
    back = pl.to_jax(pl.from_jax(function))
    close(jax.jit(back)(params, x), jax.jit(function)(params, x))

    def summed(f: Any) -> Any:
        return jax.jit(jax.grad(lambda p: jnp.sum(jnp.tanh(f(p, x)))))

    close(summed(back)(params), summed(function)(params), 1e-4)


def test_round_trip_keeps_modes() -> None:
    def function(x: Any) -> Any:
        return jnp.sum(jax.nn.relu(x) * jax.nn.softplus(x) + jax.scipy.special.betainc(
            2.0, 3.0, jax.nn.sigmoid(x)))  # fmt: skip

    back, x = pl.to_jax(pl.from_jax(function)), X[0]
    close(jax.jvp(back, (x,), (x,)), jax.jvp(function, (x,), (x,)), 1e-4)
    close(jax.vmap(jax.grad(back))(X), jax.vmap(jax.grad(function))(X), 1e-4)
    close(jax.hessian(back)(x), jax.hessian(function)(x), 1e-3)


def test_and_into_plait_again() -> None:
    function = pl.from_jax(jax.jit(pl.to_jax(loss)))
    close(np.asarray(function(X)), np.asarray(same(X)))
    close(np.asarray(pl.grad(function)(pl.asarray(X))), np.asarray(jax.grad(same)(X)))
