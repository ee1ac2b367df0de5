"""Derivatives of calls: kept whole, recomputed, or with rules of their own."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from plait import ir
from plait.ir import Graph, ops
from plait.ir.autodiff.graphs import joint, replay
from plait.ir.autodiff.recording import Recording
from tests.ir.autodiff.against_jax import (
    arguments,
    check_forward,
    check_reverse,
    check_second,
    program,
)

TYPES = ("f64[2,2]", "f64[2,2]", "i64[]")


def callee(x: Any, y: Any, n: Any) -> list[Any]:
    product = ops.tanh(ops.matmul(x, ops.sin(y)))
    return [ops.exp(product), ops.add(n, n), product, y]


def in_jax(x: Any, y: Any, n: Any) -> list[Any]:
    product = jnp.tanh(x @ jnp.sin(y))
    return [jnp.exp(product), n + n, product, y]


def calling(**attributes: Any) -> Graph:
    region = program(TYPES, callee, "callee")
    return program(TYPES, lambda *values: ops.call(*values, regions=(region,), **attributes))


@pytest.mark.parametrize("remat", [False, True])
def test_derivatives(remat: bool) -> None:
    graph = calling(name="f", remat=remat)
    arrays = arguments(graph)
    check_reverse(graph, in_jax, arrays)
    check_forward(graph, in_jax, arrays)
    check_second(graph, in_jax, arrays)


@pytest.mark.parametrize("backend", ["planned", "xla"])
@pytest.mark.parametrize("remat", [False, True])
def test_backends(backend: str, remat: bool) -> None:
    graph = calling(remat=remat)
    check_reverse(graph, in_jax, arguments(graph), backend=backend)


def test_remat_leaves_the_forward_call_as_it_is() -> None:
    graph = calling(remat=True)
    forward, backward = joint(graph, [0, 1]).graph.nodes[:2]
    assert forward.op is backward.op is ops.call
    assert forward.regions == graph.nodes[0].regions
    (inner,) = backward.regions
    assert inner.nodes[0].op is ops.barrier
    assert ops.sin in {n.op for n in inner.nodes}
    assert len(forward.results) == len(graph.outputs)


def test_remat_keeps_results_of_effects() -> None:
    def noisy(x: Any) -> list[Any]:
        function = np.sin
        _, y = ops.callback(ops.create_token(), x, function=function, result_types=(x.type,))
        return [ops.multiply(ops.multiply(y, x), x)]

    region = program(("f64[2]",), noisy)
    graph = program(("f64[2]",), lambda x: ops.call(x, regions=(region,), remat=True))
    made = joint(graph, [0])
    assert sum(n.op is ops.callback for n in made.graph.walk()) == 1
    x, g = np.asarray([0.5, 2.0]), np.ones(2)
    _, found = ir.evaluate(made.graph, [x, g])
    np.testing.assert_allclose(found, 2 * x * np.sin(x))


def test_remat_runs_checks_once() -> None:
    def checked(x: Any) -> list[Any]:
        ok = ops.constant(value=ir.Literal(np.asarray(True)))
        ops.check(ok, error="CheckError", message="no")
        step = program(("f64[2]",), inner_checked)
        return [*ops.scan(x, regions=(step,), num_consts=0, num_carry=1, length=2)]

    def inner_checked(x: Any) -> list[Any]:
        ok = ops.constant(value=ir.Literal(np.asarray(True)))
        ops.check(ok, error="CheckError", message="no")
        return [ops.sin(x)]

    region = program(("f64[2]",), checked)
    graph = program(("f64[2]",), lambda x: ops.call(x, regions=(region,), remat=True))
    made = joint(graph, [0])
    assert sum(n.op is ops.check for n in made.graph.walk()) == 2
    x, g = np.asarray([0.5, 2.0]), np.ones(2)
    _, found = ir.evaluate(made.graph, [x, g])
    np.testing.assert_allclose(found, np.cos(np.sin(x)) * np.cos(x))


def custom(x: Any, y: Any, n: Any) -> Any:
    """sin(x) * y and n, of which the cotangent of x is doubled."""
    f, i = x.type, n.type
    primal = ir.region("primal", [f, f, i], lambda x, y, n: [ops.multiply(ops.sin(x), y), n])
    forward = ir.region(
        "forward", [f, f, i], lambda x, y, n: [ops.multiply(ops.sin(x), y), n, ops.cos(x), y, x]
    )

    def pull(cosine: Any, y: Any, x: Any, g: Any) -> list[Any]:
        gx = ops.multiply(ops.multiply(g, y), cosine)
        return [ops.add(gx, gx), ops.multiply(g, ops.sin(x))]

    backward = ir.region("backward", [f, f, f, f], pull)
    return ops.custom_vjp(x, y, n, regions=(primal, forward, backward), name="doubled")


@jax.custom_vjp
def custom_in_jax(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y


custom_in_jax.defvjp(
    lambda x, y: (jnp.sin(x) * y, (x, y)),
    lambda kept, g: (2 * g * kept[1] * jnp.cos(kept[0]), g * jnp.sin(kept[0])),
)


def test_custom_rule() -> None:
    graph = program(TYPES, lambda x, y, n: custom(ops.exp(x), y, n))

    def reference(x: Any, y: Any, n: Any) -> Any:
        return [custom_in_jax(jnp.exp(x), y), n]

    arrays = arguments(graph)
    check_reverse(graph, reference, arrays)
    check_second(graph, reference, arrays)


def test_custom_rule_is_transposed_in_forward_mode() -> None:
    graph = program(TYPES, lambda x, y, n: custom(ops.exp(x), y, n))

    @jax.custom_jvp
    def doubled(x: Any, y: Any) -> Any:
        return jnp.sin(x) * y

    @doubled.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        return doubled(x, y), 2 * dx * y * jnp.cos(x) + dy * jnp.sin(x)

    check_forward(graph, lambda x, y, n: [doubled(jnp.exp(x), y), n], arguments(graph))


def test_custom_rule_of_two_results_one_cotangent() -> None:
    f = ir.parse_type("f64[]")
    primal = ir.region("primal", [f], lambda x: [ops.sin(x), ops.cos(x)])
    forward = ir.region("forward", [f], lambda x: [ops.sin(x), ops.cos(x)])
    backward = ir.region("backward", [f, f], lambda g, h: [ops.add(g, ops.add(h, h))])
    graph = program(("f64[]",), lambda x: ops.custom_vjp(x, regions=(primal, forward, backward))[0])
    made = joint(graph, [0])
    _, found = ir.evaluate(made.graph, [np.asarray(0.0), np.asarray(5.0)])
    assert found == 5.0


def test_differentiating_twice_makes_the_graphs_once() -> None:
    graph = calling()
    first, second = joint(graph, [0, 1]), joint(graph, [0, 1])
    assert [n.regions for n in first.graph.nodes] == [n.regions for n in second.graph.nodes]


def test_eager_results_that_are_operands() -> None:
    region = program(("f64[2]",), lambda x: [x, x, ops.multiply(x, x)])
    recording = Recording()
    x = np.asarray([1.0, 2.0])
    recording.watch(x)
    with recording.recording():
        results = ops.call(x, regions=(region,))
    ones = np.ones(2)
    (found,) = recording.pullback(results, [ones, 10 * ones, 100 * ones], [x])
    np.testing.assert_allclose(found, 11 + 200 * x)


def test_replay_of_a_differentiated_call_gives_equal_numbers() -> None:
    made = joint(calling(), [0, 1])
    arrays = arguments(made.graph)
    for one, other in zip(replay(made.graph, arrays), ir.evaluate(made.graph, arrays), strict=True):
        np.testing.assert_array_equal(one, other)
