"""``pl.from_jax``: values and gradients of jax, in all the ways that functions are used."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plait as pl
from plait.backends.jax.lowerings.common import shape_struct
from plait.ir.errors import DTypeError, GraphError, SaveError, ShapeError, SignatureError
from tests.plait.deploy import jax_models as models

X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
SEQUENCE = np.random.default_rng(1).normal(size=(2, 5, 8)).astype(np.float32)
IMAGES = np.random.default_rng(2).normal(size=(2, 8, 8, 2)).astype(np.float32)

MODELS = {
    "perceptron": (models.perceptron, models.perceptron_weights(), X),
    "transformer_block": (models.transformer_block, models.block_weights(), SEQUENCE),
    "convolution_net": (models.convolution_net, models.net_weights(), IMAGES),
}


def close(got: Any, wanted: Any, tolerance: float = 2e-5) -> None:
    got, wanted = jax.tree_util.tree_map(np.asarray, (got, wanted))
    found, expected = jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(wanted)
    structures: Any = [jax.tree_util.tree_structure(x) for x in (got, wanted)]
    assert structures[0] == structures[1]
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, tolerance, tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    function, params, x = MODELS[name]
    imported = pl.from_jax(function)
    close(imported(params, x), jax.jit(function)(params, x))
    assert not [n for n in imported.graph(params, x).walk() if n.op.name == "foreign"]
    tensors = jax.tree_util.tree_map(pl.asarray, params)
    got = pl.grad(lambda p: pl.sum(pl.tanh(imported(p, x))))(tensors)
    close(got, jax.jit(jax.grad(lambda p: jnp.sum(jnp.tanh(function(p, x)))))(params), 1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_models_inside_compiled_functions(name: str) -> None:
    function, params, x = MODELS[name]
    imported = pl.from_jax(function)

    @pl.graph_function(backend="planned")
    def loss(x: Any) -> Any:
        return pl.sum(pl.softmax(imported(params, x)) ** 2)

    def same(x: Any) -> Any:
        return jnp.sum(jax.nn.softmax(function(params, x)) ** 2)

    close(loss(pl.asarray(x)), same(x))
    close(pl.grad(loss)(pl.asarray(x)), jax.jit(jax.grad(same))(x), 1e-4)


def test_higher_orders() -> None:
    def function(x: Any) -> Any:
        return jnp.sum(jax.nn.softplus(x) * jnp.sin(x) ** 3)

    imported, x = pl.from_jax(function), X[0]
    close(pl.hessian(imported)(x), jax.hessian(function)(x), 1e-4)
    third = pl.grad(lambda x: pl.sum(pl.grad(lambda y: pl.sum(pl.grad(imported)(y)))(x)))
    same = jax.grad(lambda x: jnp.sum(jax.grad(lambda y: jnp.sum(jax.grad(function)(y)))(x)))
    close(third(pl.asarray(x)), same(x), 1e-3)
    close(pl.jvp(imported, (x,), (x,)), jax.jvp(function, (x,), (x,)), 1e-4)


@jax.custom_vjp
def straight_through(x: Any) -> Any:
    return jnp.round(x)


straight_through.defvjp(lambda x: (straight_through(x), None), lambda _, g: (g,))


def test_own_rules_hold_in_higher_orders() -> None:
    imported = pl.from_jax(lambda x: jnp.sum(straight_through(x) ** 3))
    x = pl.asarray([1.2, -2.7])
    close(pl.grad(imported)(x), np.array([3.0, 27.0], np.float32))
    close(pl.hessian(imported)(x), np.diag(np.array([6.0, -18.0], np.float32)))
    assert "custom_vjp" in str(imported.trace(x))
    assert 'name = "straight_through"' in str(imported.trace(x))


def test_vmap() -> None:
    function, params, _ = MODELS["perceptron"]
    imported = pl.from_jax(function)
    close(pl.vmap(imported, in_axes=(None, 0))(params, X), function(params, X))
    rows = pl.vmap(pl.grad(lambda x: pl.sum(imported(params, x))))(pl.asarray(X))
    close(rows, jax.vmap(jax.grad(lambda x: jnp.sum(function(params, x))))(X), 1e-4)


def test_a_primitive_without_ops_stays_whole() -> None:
    def function(x: Any) -> Any:
        return jnp.sum(jax.scipy.special.betainc(2.0, 3.0, jax.nn.sigmoid(x)))

    imported, x = pl.from_jax(function), X[0]
    graph = imported.graph(x)
    assert [n.op.name for n in graph.nodes].count("foreign") == 1
    assert 'python "jax:regularized_incomplete_beta"' in str(graph)
    for backend in ("xla", "planned", "reference"):
        there = pl.from_jax(function, backend=backend)
        close(there(x), function(x), 1e-4)
        close(pl.grad(there)(pl.asarray(x)), jax.grad(function)(x), 1e-4)
    close(pl.vmap(imported)(X), jax.vmap(function)(X), 1e-4)
    close(pl.hessian(imported)(x), jax.hessian(function)(x), 1e-3)


def test_one_graph_for_each_signature() -> None:
    traces = []

    def function(x: Any, n: int, flag: bool, scale: Any = 2.0) -> Any:
        traces.append((x.shape, n))
        return x * scale + n if flag else x

    imported = pl.from_jax(function, backend="planned")
    for scale in (2.0, 3.0):
        close(imported(X, 1, True, scale), X * np.float32(scale) + 1)
    assert len(traces) == 1
    close(imported(X, 2, True), X * 2 + 2)
    close(imported(X[:1], 2, False), X[:1])
    assert traces == [((4, 6), 1), ((4, 6), 2), ((1, 6), 2)]
    assert repr(imported) == "<function of jax function, 3 graph(s)>"


class Pair(NamedTuple):
    first: Any
    second: Any


def test_containers_and_values_that_are_no_tensors() -> None:
    @jax.tree_util.register_pytree_node_class
    class Box:
        def __init__(self, inside: Any) -> None:
            self.inside = inside

        def tree_flatten(self) -> Any:
            return (self.inside,), None

        @classmethod
        def tree_unflatten(cls, _: Any, children: Any) -> Any:
            return cls(*children)

    def function(box: Any, apply: Any, *, at: str) -> Any:
        return Pair(Box(apply(box.inside)), [box.inside.shape[0], None, at])

    imported = pl.from_jax(function, backend="planned")
    found = imported(Box(X), jnp.tanh, at="here")
    assert isinstance(found, Pair)
    assert isinstance(found.first, Box)
    assert isinstance(found.first.inside, pl.Tensor)
    close(found.first.inside, np.tanh(X), 1e-5)
    assert found.second == [4, None, "here"]


def test_names_of_inputs() -> None:
    imported = pl.from_jax(lambda params, x, **more: params["w"] @ x + more["bias"], name="dense")
    graph = imported.graph({"w": "f32[3,2]"}, "f32[2]", bias="f32[3]")
    assert str(graph).startswith(
        "graph dense(%params_w: f32[3,2], %x: f32[2], %bias: f32[3]) -> (f32[3])"
    )
    assert '@ "tests/plait/deploy/test_from_jax.py":' in str(graph)


def test_random_keys() -> None:
    def function(key: Any, x: Any) -> Any:
        key, other = jax.random.split(key)
        return key, x + jax.random.normal(other, x.shape)

    imported, key = pl.from_jax(function, backend="reference"), jax.random.key(3)
    data, noisy = imported(key, X)
    wanted_key, wanted = function(key, X)
    assert np.array_equal(data, jax.random.key_data(wanted_key))
    close(noisy, wanted)
    again, _ = imported(data, X)  # a legacy key is its data
    assert np.array_equal(again, jax.random.key_data(jax.random.split(wanted_key)[0]))


def test_effects_happen_at_each_call(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []

    def function(x: Any) -> Any:
        jax.debug.print("x is {x} of {}", 7, x=x[0])
        jax.debug.callback(lambda y: seen.append(float(y)), x.sum())
        return jax.pure_callback(np.square, shape_struct(x.shape, x.dtype), x)

    imported = pl.from_jax(function)
    for k in (1.0, 2.0):
        x = np.full(2, k, np.float32)
        close(imported(x), x**2)
    assert capfd.readouterr().out == "x is 1.0 of 7\nx is 2.0 of 7\n"
    assert seen == [2.0, 4.0]


def test_variables() -> None:
    function, params, x = MODELS["perceptron"]
    imported = pl.from_jax(function, variables=params)
    names = [v.name for v in imported.variables]
    assert names == [f"layers/{i}/{n}" for i in range(2) for n in "bw"]
    close(imported(x), function(params, x))
    found = pl.implicit_gradients(lambda: pl.sum(imported(x)))()
    wanted = jax.tree_util.tree_leaves(jax.grad(lambda p: jnp.sum(function(p, x)))(params))
    by_name = {v.name: g for g, v in found}
    for name, gradient in zip(names, wanted, strict=True):
        close(by_name[name], gradient, 1e-4)

    @pl.graph_function(backend="planned")
    def step(x: Any) -> Any:
        for g, v in pl.implicit_gradients(lambda: pl.sum(imported(x) ** 2))():
            v.assign_sub(0.01 * g)

    before = float(pl.sum(imported(x) ** 2))
    step(x)
    assert float(pl.sum(imported(x) ** 2)) < before


def test_large_constants_are_inputs() -> None:
    table = np.arange(40, dtype=np.float32)
    imported = pl.from_jax(lambda i: jnp.asarray(table)[i] * 2, backend="planned")
    close(imported(np.int32(7)), np.float32(14))
    traced = imported.trace(np.int32(7))
    assert traced.graph.inputs[-1].type == pl.TensorSpec((40,), "float32").type
    assert len(traced.captures) == 1


def test_saved_and_loaded(tmp_path: Path) -> None:
    function, params, x = MODELS["perceptron"]
    imported = pl.from_jax(function)
    compiled = pl.graph_function(lambda x: imported(params, x), backend="planned", name="net")
    compiled.save(tmp_path / "net.plait", x)
    close(pl.load(tmp_path / "net.plait", backend="planned")(x), function(params, x))
    whole = pl.graph_function(pl.from_jax(jax.lax.bessel_i1e), name="bessel")
    with pytest.raises((SaveError, GraphError)):
        whole.save(tmp_path / "bessel.plait", x)


def test_wide_dtypes() -> None:
    imported = pl.from_jax(jnp.sin, backend="planned")
    with pytest.raises(DTypeError, match=r"is f64\[2\], but jax computes in 32 bits.*x64=True"):
        imported(np.ones(2))
    wide = pl.from_jax(lambda x: jnp.sin(x) + jnp.ones(2), x64=True, backend="planned")
    close(wide(np.ones(2)), np.sin(np.ones(2)) + 1)
    index = pl.from_jax(lambda x, i: x[i], backend="planned")
    close(index(X, pl.argmax(pl.asarray(X[0]))), X[np.argmax(X[0])])
    assert imported(0.5).dtype == np.float32


def test_errors_at_the_users_line() -> None:
    with pytest.raises(SignatureError, match="from_jax takes a function of jax, got int"):
        pl.from_jax(3)  # type: ignore[arg-type]
    with pytest.raises(DTypeError) as caught:
        pl.from_jax(jnp.sin)(np.ones(2))
    assert caught.value.location.file == "tests/plait/deploy/test_from_jax.py"
    assert caught.value.location.line == caught.tb.tb_lineno
    with pytest.raises(ShapeError, match="needs sizes that are numbers"):
        pl.from_jax(jnp.sin).graph("f32[n]")
    with pytest.raises(TypeError, match="dot_general requires contracting dimensions") as failed:
        pl.from_jax(lambda x, y: x @ y)(X, X)
    assert Path(__file__) in [entry.path for entry in failed.traceback[1:]]


def test_a_users_error_comes_as_it_is() -> None:
    def function(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        pl.from_jax(function)(X)


def test_importing_plait_loads_no_jax() -> None:
    import subprocess
    import sys

    code = "import sys, plait as pl; pl.from_jax, pl.to_jax; print('jax' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_no_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pl.from_jax(lambda i: jnp.zeros(3).at[i].add(1.0), backend="planned")(np.int64(1))
