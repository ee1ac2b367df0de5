"""Derivatives of branches are those of jax, in both modes, to second order and nested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp

from plait import ir
from plait.ir import Graph, ops
from plait.ir.autodiff.graphs import joint
from tests.ir.autodiff.against_jax import (
    arguments,
    check_forward,
    check_reverse,
    check_second,
    program,
)

Branch = Callable[..., Any]
F = "f64[2,2]"


def branching(types: tuple[str, ...], then: Branch, other: Branch) -> Graph:
    """A graph of one branch on its first input."""
    regions = (program(types, then, "then"), program(types, other, "else"))
    return program(("bool[]", *types), lambda *values: ops.cond(*values, regions=regions))


def in_jax(then: Branch, other: Branch) -> Branch:
    def run(pred: Any, *values: Any) -> Any:
        return lax.cond(pred, lambda *v: list(then(*v)), lambda *v: list(other(*v)), *values)

    return run


def constant() -> Any:
    return ops.full(value=ir.Literal(np.asarray(3.0)), shape=(2, 2))


#: Types, then and else in Plait, then and else in jax.
CONDS: dict[str, tuple[tuple[str, ...], Branch, Branch, Branch, Branch]] = {
    "both": (
        (F, F),
        lambda x, y: [ops.tanh(ops.matmul(x, y))],
        lambda x, y: [ops.exp(ops.sin(ops.multiply(x, y)))],
        lambda x, y: [jnp.tanh(x @ y)],
        lambda x, y: [jnp.exp(jnp.sin(x * y))],
    ),
    "different operands": (
        (F, F),
        lambda x, y: [ops.tanh(x), ops.matmul(x, x)],
        lambda x, y: [ops.exp(y), constant()],
        lambda x, y: [jnp.tanh(x), x @ x],
        lambda x, y: [jnp.exp(y), jnp.full((2, 2), 3.0)],
    ),
    "handed on": (
        (F, F),
        lambda x, y: [y, x, x],
        lambda x, y: [x, ops.multiply(x, y), y],
        lambda x, y: [y, x, x],
        lambda x, y: [x, x * y, y],
    ),
    "integers": (
        (F, "i64[2,2]"),
        lambda x, n: [n, ops.multiply(x, ops.cast(n, dtype=np.dtype("f8")))],
        lambda x, n: [ops.add(n, n), ops.sin(x)],
        lambda x, n: [n, x * n.astype(float)],
        lambda x, n: [n + n, jnp.sin(x)],
    ),
    "constant": (
        (F,),
        lambda x: [constant()],
        lambda x: [constant()],
        lambda x: [jnp.full((2, 2), 3.0)],
        lambda x: [jnp.full((2, 2), 3.0)],
    ),
}


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("name", CONDS)
def test_derivatives(name: str, taken: bool) -> None:
    types, then, other, *reference = CONDS[name]
    graph = branching(types, then, other)
    arrays = [np.asarray(taken), *arguments(graph)[1:]]
    check_reverse(graph, in_jax(*reference), arrays)
    check_forward(graph, in_jax(*reference), arrays)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("name", ["both", "different operands", "handed on"])
def test_second_order(name: str, taken: bool) -> None:
    types, then, other, *reference = CONDS[name]
    graph = branching(types, then, other)
    check_second(graph, in_jax(*reference), [np.asarray(taken), *arguments(graph)[1:]])


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_backends(backend: str) -> None:
    types, then, other, *reference = CONDS["different operands"]
    graph = branching(types, then, other)
    check_reverse(graph, in_jax(*reference), arguments(graph), backend=backend)


def test_branches_share_residuals_by_type() -> None:
    graph = branching(
        (F, F),
        lambda x, y: [ops.multiply(ops.exp(x), ops.tanh(y))],
        lambda x, y: [ops.multiply(ops.sin(x), ops.matmul(y, y))],
    )
    made = joint(graph, [1, 2])
    forward = made.graph.nodes[0]
    assert forward.op is ops.cond
    # The product, and two factors in either branch; the rest are operands.
    assert len(forward.results) == 3


def in_scan(step: Graph) -> Graph:
    """A scan whose body branches on each slice's sign."""

    def body(w: Any, c: Any, x: Any) -> list[Any]:
        zero = ops.constant(value=ir.Literal(np.asarray(0.0)))
        (after,) = ops.cond(ops.less(x, zero), w, c, x, regions=(step, double))
        return [after, ops.multiply(after, x)]

    double = program(("f64[]",) * 3, lambda w, c, x: [ops.multiply(c, ops.exp(w))])
    region = program(("f64[]",) * 3, body, "body")
    return program(
        ("f64[]", "f64[]", "f64[5]"),
        lambda *values: ops.scan(*values, regions=(region,), num_consts=1, num_carry=1, length=5),
    )


def scan_in_jax(w: Any, c: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        after = lax.cond(x < 0, lambda: jnp.sin(w * c) + x, lambda: c * jnp.exp(w))
        return after, after * x

    return lax.scan(step, c, xs)


def test_cond_in_scan() -> None:
    step = program(
        ("f64[]",) * 3, lambda w, c, x: [ops.add(ops.sin(ops.multiply(w, c)), x)], "then"
    )
    graph = in_scan(step)
    arrays = arguments(graph)
    assert {True, False} == set((arrays[2] < 0).tolist())
    check_reverse(graph, scan_in_jax, arrays)
    check_forward(graph, scan_in_jax, arrays)
    check_second(graph, scan_in_jax, arrays)


@pytest.mark.parametrize("taken", [True, False])
def test_scan_in_cond(taken: bool) -> None:
    region = program(("f64[2]",) * 2, lambda c, x: [ops.tanh(ops.add(c, x)), ops.multiply(c, x)])
    types = ("f64[2]", "f64[3,2]")

    def then(c: Any, xs: Any) -> Any:
        return ops.scan(c, xs, regions=(region,), num_consts=0, num_carry=1, length=3)

    def then_in_jax(c: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (jnp.tanh(c + x), c * x), c, xs)

    graph = branching(types, then, lambda c, xs: [ops.sin(c), ops.exp(xs)])
    reference = in_jax(then_in_jax, lambda c, xs: [jnp.sin(c), jnp.exp(xs)])
    arrays = [np.asarray(taken), *arguments(graph)[1:]]
    check_reverse(graph, reference, arrays)
    check_forward(graph, reference, arrays)
    check_second(graph, reference, arrays)


def test_scan_in_scan() -> None:
    inner = program(
        ("f64[2,2]", "f64[2,1]", "f64[2,1]"),
        lambda w, c, x: [ops.sin(ops.add(ops.matmul(w, c), x)), ops.multiply(c, x)],
    )

    def body(w: Any, c: Any, xs: Any) -> Any:
        return ops.scan(w, c, xs, regions=(inner,), num_consts=1, num_carry=1, length=3)

    outer = program(("f64[2,2]", "f64[2,1]", "f64[3,2,1]"), body)
    graph = program(
        ("f64[2,2]", "f64[2,1]", "f64[2,3,2,1]"),
        lambda *v: ops.scan(*v, regions=(outer,), num_consts=1, num_carry=1, length=2),
    )

    def reference(w: Any, c: Any, xs: Any) -> Any:
        def one(c: Any, x: Any) -> Any:
            return jnp.sin(w @ c + x), c * x

        return lax.scan(lambda c, x: lax.scan(one, c, x), c, xs)

    arrays = arguments(graph)
    check_reverse(graph, reference, arrays)
    check_forward(graph, reference, arrays)
    check_second(graph, reference, arrays)
