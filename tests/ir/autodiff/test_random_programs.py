"""Random programs with nested control flow: the modes, divisions and differences agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.partition import POLICIES, split
from plait.passes import lower_checks, run_pipeline
from tests.ir.autodiff.against_jax import run_split
from tests.ir.autodiff.random_programs import Programs, arrays

STEP = 1e-6


def pairing(xs: Any, ys: Any) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True)))


def tangents_of(graph: Graph, values: Any, directions: Any, wrt: tuple[int, ...]) -> list[Any]:
    """Tangents of the outputs by forward mode."""
    both, changed = jvp_graph(graph, wrt)
    ir.verify(both)
    found = ir.evaluate(both, [*values, *directions])
    made = dict(zip(changed, found[len(graph.outputs) :], strict=True))
    return [made.get(i, np.zeros_like(found[i])) for i in range(len(graph.outputs))]


@pytest.mark.parametrize("block", range(8))
def test_modes_agree_with_differences(block: int) -> None:
    for seed in range(5 * block, 5 * block + 5):
        graph, values = Programs(seed).program(), arrays(seed)
        random = np.random.default_rng(seed)
        wrt = (0, 1, 2)
        directions = [random.normal(size=(2, 2)) for _ in wrt]
        made = joint(graph, wrt)
        ir.verify(made.graph)
        weights = [random.normal(size=(2, 2)) for _ in made.outputs]
        found = ir.evaluate(made.graph, [*values, *weights])
        cotangents = dict(zip(made.inputs, found[len(graph.outputs) :], strict=True))
        pulled = pairing(cotangents.values(), [directions[i] for i in cotangents])
        pushed = tangents_of(graph, values, directions, wrt)
        by_output = dict(zip(made.outputs, weights, strict=True))
        scale = 1e-9 * (1 + sum(np.abs(x).sum() for x in cotangents.values()))
        forward = pairing([pushed[j] for j in by_output], by_output.values())
        assert pulled == pytest.approx(forward, rel=1e-9, abs=scale), seed
        moved = [
            ir.evaluate(
                graph, [*[v + h * d for v, d in zip(values, directions, strict=False)], values[3]]
            )
            for h in (STEP, -STEP)
        ]
        change = [(a - b) / (2 * STEP) for a, b in zip(*moved, strict=True)]
        differences = pairing([change[j] for j in by_output], by_output.values())
        assert pulled == pytest.approx(differences, rel=1e-5, abs=1e4 * scale), seed
        for policy in POLICIES:
            again = run_split(split(made, policy=policy), values, weights)
            for one, other in zip(again, found, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12, err_msg=str(seed))


@pytest.mark.parametrize("seed", range(6))
def test_second_order_is_symmetric(seed: int) -> None:
    graph, values = Programs(seed).program(2), arrays(seed)
    random = np.random.default_rng(seed)
    one, other = ([random.normal(size=(2, 2)) for _ in range(3)] for _ in range(2))
    made = joint(graph, (0, 1, 2))
    weights = [random.normal(size=(2, 2)) for _ in made.outputs]
    wrt = (0, 1, 2)

    def curvature(first: Any, second: Any) -> float:
        tangents = tangents_of(made.graph, [*values, *weights], first, wrt)[len(graph.outputs) :]
        return pairing(tangents, [second[i] for i in made.inputs])

    forward = curvature(one, other)
    assert forward == pytest.approx(curvature(other, one), rel=1e-8, abs=1e-8)
    twice = joint(made.graph, wrt, range(len(graph.outputs), len(made.graph.outputs)))
    given = [other[made.inputs[j - len(graph.outputs)]] for j in twice.outputs]
    found = ir.evaluate(twice.graph, [*values, *weights, *given])[len(made.graph.outputs) :]
    backward = pairing(found, [one[i] for i in twice.inputs])
    assert backward == pytest.approx(forward, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_backends_agree(backend: str) -> None:
    for seed in range(100, 104):
        graph, values = Programs(seed).program(2), arrays(seed)
        made = joint(graph, (0, 1, 2))
        given = [np.ones((2, 2)) for _ in made.outputs]
        expected = ir.evaluate(made.graph, [*values, *given])
        lowered, _ = lower_checks(run_pipeline(made.graph).graph)
        found = get_backend(backend).compile(lowered)(*values, *given)
        for one, other in zip(found, expected, strict=False):
            np.testing.assert_allclose(np.asarray(one), other, rtol=1e-9, atol=1e-11)
