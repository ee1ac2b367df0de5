"""Derivatives of scans are those of jax, in both modes and to second order."""

from __future__ import annotations

import numpy as np
import pytest

from plait import ir
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import joint
from tests.ir.autodiff.against_jax import (
    arguments,
    check_forward,
    check_reverse,
    check_second,
)
from tests.ir.autodiff.scans import SCANS


@pytest.mark.parametrize("name", SCANS)
def test_cotangents(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_reverse(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("name", SCANS)
def test_tangents(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_forward(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("name", ["lstm", "power", "overwritten", "integer carry", "no trip"])
def test_second_order(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    check_second(graph, scan.in_jax, arguments(graph))


@pytest.mark.parametrize("name", ["lstm", "overwritten", "complex"])
def test_mixed_orders(name: str) -> None:
    scan = SCANS[name]
    graph = scan.graph()
    wrt = tuple(range(len(graph.inputs)))
    made = joint(graph, wrt)
    both, changed = jvp_graph(made.graph, range(len(made.graph.inputs)))
    pushed, moved = jvp_graph(graph, wrt)
    other = joint(pushed, range(len(pushed.inputs)))
    ir.verify(both)
    ir.verify(other.graph)
    values = arguments(graph)
    tangents, weights = arguments(graph, 3), arguments(made.graph, 4)[len(wrt) :]
    # How the cotangents change along the tangents, in either order: d(J(x) t, g)/dx.
    zeros = [np.zeros_like(w) for w in weights]
    found = ir.evaluate(both, [*values, *weights, *tangents, *zeros])
    count = len(made.graph.outputs)
    change = dict(zip(changed, found[count:], strict=True))
    outputs = len(graph.outputs)
    given = [
        weights[moved[j - outputs]] if j >= outputs else np.zeros_like(found[j])
        for j in other.outputs
    ]
    results = ir.evaluate(other.graph, [*values, *tangents, *given])[len(pushed.outputs) :]
    by_input = dict(zip(other.inputs, results, strict=True))
    for place, i in enumerate(made.inputs):
        np.testing.assert_allclose(by_input[i], change[outputs + place], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_backends(backend: str) -> None:
    scan = SCANS["lstm"]
    graph = scan.graph()
    check_reverse(graph, scan.in_jax, arguments(graph), backend=backend)
