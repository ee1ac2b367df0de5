"""Derivatives of derivatives, stacked in any order with vmap and compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

Transform = Callable[[Any], Any]
WEIGHTS = pl.asarray(np.array([0.3, -0.2, 0.7]))
X = np.array([0.5, 1.5, -2.0])
ROWS = np.stack([X, 2 * X, X + 1])


def smooth(x: pl.Tensor) -> pl.Tensor:
    return pl.sum(pl.tanh(x * WEIGHTS) * x)


def slope(x: Any) -> Any:
    w = np.array([0.3, -0.2, 0.7])
    t = np.tanh(x * w)
    return t + x * w * (1 - t * t)


def curvature(x: Any) -> Any:
    steps = 1e-5 * np.eye(3)
    return np.stack([(slope(x + e) - slope(x - e)) / 2e-5 for e in steps])


def check(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-6, atol=1e-8)


def plain(f: Any) -> Any:
    return f


@pytest.mark.parametrize("inner", [plain, pl.graph_function])
@pytest.mark.parametrize("outer", [plain, pl.graph_function])
class TestStacks:
    def test_rows_of_gradients(self, outer: Transform, inner: Transform) -> None:
        found = outer(pl.vmap(pl.grad(inner(smooth))))(pl.asarray(ROWS))
        check(found, np.stack([slope(row) for row in ROWS]))

    def test_gradient_of_rows(self, outer: Transform, inner: Transform) -> None:
        f = pl.vmap(inner(smooth))
        found = outer(pl.grad(lambda rows: pl.sum(f(rows))))(pl.asarray(ROWS))
        check(found, np.stack([slope(row) for row in ROWS]))

    def test_forward_over_reverse_and_reverse_over_forward(
        self, outer: Transform, inner: Transform
    ) -> None:
        x, t, f = pl.asarray(X), pl.asarray(np.eye(3)[0]), inner(smooth)
        check(outer(lambda x: pl.jvp(pl.grad(f), (x,), (t,))[1])(x), curvature(X)[0])
        check(outer(pl.grad(lambda x: pl.jvp(f, (x,), (t,))[1]))(x), curvature(X)[0])

    def test_second_derivatives(self, outer: Transform, inner: Transform) -> None:
        f, rows = inner(smooth), pl.asarray(ROWS)
        wanted = np.stack([curvature(row) for row in ROWS])
        check(outer(pl.vmap(pl.hessian(f)))(rows), wanted)
        check(outer(pl.jacobian(pl.jacobian(f)))(rows[0]), wanted[0])
        whole = np.asarray(outer(pl.hessian(lambda rows: pl.sum(pl.vmap(f)(rows))))(rows))
        check(np.einsum("iaib->iab", whole), wanted)
        check(whole[0, :, 1], np.zeros((3, 3)))


@pl.custom_gradient
def steep(x: pl.Tensor) -> Any:
    return x * x, lambda g: g * 3 * x


@pytest.mark.parametrize("compiled", [plain, pl.graph_function])
def test_a_gradient_of_ones_own_in_any_stack(compiled: Transform) -> None:
    f, two = compiled(steep), pl.asarray(2.0)
    check(pl.grad(pl.grad(f))(2.0), 3.0)
    check(pl.jvp(f, (2.0,), (1.0,))[1], 6.0)
    check(pl.jvp(pl.grad(f), (2.0,), (1.0,))[1], 3.0)
    check(pl.grad(lambda x: pl.jvp(f, (x,), (1.0,))[1])(2.0), 3.0)
    check(pl.jacobian(pl.jacobian(f))(two), 3.0)
    check(pl.jacobian(pl.jacobian(f, mode="forward"), mode="reverse")(two), 3.0)
    check(pl.vmap(pl.hessian(f))(pl.asarray([1.0, 2.0])), [3.0, 3.0])
    check(pl.vmap(pl.grad(f))(pl.asarray([1.0, 2.0])), [3.0, 6.0])


# Functions that are computed again.


def noisy(x: pl.Tensor) -> pl.Tensor:
    return pl.sum(pl.tanh(x * pl.random.normal((3,), dtype="float64")))


@pytest.mark.parametrize("compiled", [plain, pl.graph_function])
def test_what_is_computed_again_draws_the_same_random_numbers(compiled: Transform) -> None:
    def run(f: Any) -> list[Any]:
        pl.random.seed(3)
        value, gradient = f(pl.asarray(X))
        return [*map(np.asarray, (value, gradient, pl.random.normal((2,))))]

    wanted = run(pl.value_and_grad(noisy))
    for f in (pl.value_and_grad(pl.remat(noisy)), pl.value_and_grad(compiled(pl.remat(noisy)))):
        for found, value in zip(run(f), wanted, strict=True):
            check(found, value)
    for found, value in zip(run(compiled(pl.value_and_grad(pl.remat(noisy)))), wanted, strict=True):
        check(found, value)


def test_what_is_computed_again_may_assign_variables() -> None:
    scale = pl.Variable(2.0)

    @pl.remat
    def block(x: pl.Tensor) -> pl.Tensor:
        y = pl.tanh(x * scale)
        scale.assign_add(1.0)
        return y * scale

    @pl.graph_function
    def step(x: pl.Tensor) -> Any:
        return pl.grad(block)(x)

    found = [pl.grad(block)(0.0), step(0.0)]
    check(found[0], 6.0)
    check(found[1], 12.0)
    assert float(scale) == 4.0


def test_what_is_computed_again_may_change_nothing_else() -> None:
    kept: list[Any] = []

    @pl.remat
    def block(x: pl.Tensor) -> pl.Tensor:
        kept.append(x)
        return x * x

    with pytest.raises(pl.errors.TraceError, match="computed again in the backward pass"):
        pl.graph_function(pl.grad(block), fullgraph=True)(1.0)


# Constants.


def test_a_constant_is_a_tensor_of_its_own() -> None:
    def write(x: pl.Tensor) -> Any:
        stopped = pl.stop_gradient(x)
        stopped[0] = 5.0
        return x * 1, stopped * 1

    for function in (write, pl.graph_function(write)):
        x, stopped = function(pl.asarray([1.0, 2.0]))
        check(x, [1.0, 2.0])
        check(stopped, [5.0, 2.0])
    x = pl.asarray([1.0, 2.0])
    stopped = pl.stop_gradient(x)
    x[0] = 7.0
    check(stopped, [1.0, 2.0])
    v = pl.Variable([1.0, 2.0])
    stopped = pl.stop_gradient(v)
    v.assign([3.0, 4.0])
    check(stopped, [1.0, 2.0])


# Functions that cannot be captured as one graph.


def gradients_of_all_kinds(x: pl.Tensor, v: pl.Variable) -> list[Any]:
    def cube(x: pl.Tensor) -> pl.Tensor:
        return pl.sum(x * x * x * v)

    with pl.GradientTape() as tape:
        tape.watch(x)
        y = cube(x)
    (implicit, _), *_ = pl.implicit_gradients(cube)(x)
    return [
        tape.gradient(y, [x, v]),
        pl.grad(cube)(x),
        pl.gradients_function(cube)(x),
        implicit,
        pl.vjp(cube, x)[1](2.0),
        pl.jvp(cube, (x,), (x,)),
        pl.jacobian(cube)(x),
        pl.hessian(cube)(x),
        pl.vmap(pl.grad(pl.remat(cube)))(pl.stack([x, x])),
    ]


def test_gradients_inside_of_a_function_that_runs_in_segments() -> None:
    x, v = pl.asarray(X), pl.Variable(np.float64(2.0))

    @pl.graph_function
    def broken(x: pl.Tensor) -> list[Any]:
        assert np.asarray(x * 1).shape == (3,)  # needs the values
        return gradients_of_all_kinds(x, v)

    with pytest.warns(pl.errors.GraphBreakWarning):
        found = broken(x)
    wanted = gradients_of_all_kinds(x, v)
    for mine, other in zip(flat(found), flat(wanted), strict=True):
        check(mine, other)


def flat(x: Any) -> list[Any]:
    return [leaf for item in x for leaf in flat(item)] if isinstance(x, (list, tuple)) else [x]


# Compiled functions under tapes.


@pytest.mark.parametrize("backend", ["xla", "planned", "reference"])
class TestCompiledCalls:
    def test_buffers_of_a_loop_grow_while_state_is_assigned_once(self, backend: str) -> None:
        w, calls = pl.Variable(np.array(1.0)), pl.Variable(np.array(0))

        @pl.graph_function(backend=backend)
        def f(x: pl.Tensor, n: pl.Tensor) -> pl.Tensor:
            calls.assign_add(1)
            while n > 0:
                x = x * w * 1.001
                n -= 1
            w.assign(w * 1.5)
            return x

        with pl.GradientTape() as tape:
            y = f(pl.asarray(np.array(2.0)), pl.asarray(100))
        assert int(calls) == 1
        assert float(w) == 1.5
        check(tape.gradient(y, w), 200 * 1.001**100)

    def test_arguments_that_are_changed_and_their_views(self, backend: str) -> None:
        @pl.graph_function(backend=backend)
        def f(a: pl.Tensor, b: pl.Tensor) -> pl.Tensor:
            a += b
            b *= a
            return a

        a, b = (pl.asarray(np.array(x)) for x in ([1.0, 2.0], [3.0, 4.0]))
        with pl.GradientTape() as tape:
            tape.watch(a, b)
            assert f(a, b) is a
            y = pl.sum(a * b)
        found = tape.gradient(y, [a, b])
        check(found[0], [24.0, 48.0])
        check(found[1], [40.0, 84.0])

        @pl.graph_function(backend=backend)
        def write(v: pl.Tensor) -> None:
            v[0] = v[1] * 3

        x = pl.asarray(np.array([1.0, 2.0, 3.0]))
        with pl.GradientTape() as tape:
            tape.watch(x)
            write(x[1:])
            y = pl.sum(x * x)
        check(x, [1.0, 9.0, 3.0])
        check(tape.gradient(y, x), [2.0, 0.0, 60.0])

    def test_one_tensor_for_two_arguments(self, backend: str) -> None:
        f = pl.graph_function(lambda a, b: pl.sum(a * b), backend=backend)
        x = pl.asarray(np.array([2.0, 3.0]))
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = f(x, x) + f(x[:1], x[:1]) + f(x, x.reshape(2))
        check(tape.gradient(y, x), [12.0, 12.0])

    def test_methods_static_arguments_and_orders(self, backend: str) -> None:
        class Layer:
            def __init__(self) -> None:
                self.w = pl.Variable(np.array([2.0, 3.0]))

            @pl.graph_function(backend=backend, static=("power",))
            def __call__(self, x: pl.Tensor, *, power: int = 2) -> pl.Tensor:
                return pl.sum((self.w * x) ** power)

        layer, x = Layer(), pl.asarray(np.array([1.0, 1.0]))
        ((found, variable),) = pl.implicit_gradients(layer)(x)
        assert variable is layer.w
        check(found, [4.0, 6.0])
        check(pl.grad(lambda x: layer(x, power=3))(x), [24.0, 81.0])
        f: Any = pl.graph_function(lambda x: x**5, backend=backend)
        for _ in range(4):
            f = pl.grad(f)
        check(f(2.0), 240.0)
