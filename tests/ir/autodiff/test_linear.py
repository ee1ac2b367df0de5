"""Backward graphs without zero cotangents, and without what nobody asks for; loop invariants."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait import ir
from plait.ir import ops
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.linear import peel, trim
from plait.ir.autodiff.partition import split
from tests.ir.autodiff.against_jax import program

F = "f64[2,2]"


def two_results(x: Any, y: Any) -> list[Any]:
    return [ops.multiply(ops.tanh(x), y), ops.sin(ops.subtract(x, y))]


def backward() -> ir.Graph:
    """Residuals, then the cotangents of two results, to those of two operands."""
    return split(joint(program((F, F), two_results), [0, 1])).backward


def test_zeros_go_through_linear_ops() -> None:
    full = backward()
    made = trim(full, (True, False), (True, True))
    assert made.outputs == (0, 1)
    assert ops.cos not in {n.op for n in made.graph.nodes}
    made = trim(full, (False, True), (False, True))
    assert made.outputs == (1,)
    assert {n.op for n in made.graph.nodes} <= {ops.cos, ops.subtract, ops.multiply, ops.negative}


def test_nothing_is_left_of_zeros() -> None:
    made = trim(backward(), (False, False), (True, True))
    assert made.outputs == made.residuals == ()
    assert not made.graph.nodes


def test_trimmed_graphs_give_equal_numbers() -> None:
    full = backward()
    random = np.random.default_rng(0)
    arrays = [random.normal(size=(2, 2)) for _ in full.inputs]
    count = len(full.inputs) - 2
    for given in ((True, True), (True, False), (False, True)):
        for wanted in ((True, True), (True, False), (False, True)):
            made = trim(full, given, wanted)
            masked = [a if g else 0 * a for a, g in zip(arrays[count:], given, strict=True)]
            expected = ir.evaluate(full, [*arrays[:count], *masked])
            there = [a for a, g in zip(arrays[count:], given, strict=True) if g]
            found = ir.evaluate(made.graph, [*[arrays[i] for i in made.residuals], *there])
            for i, one in zip(made.outputs, found, strict=True):
                np.testing.assert_allclose(one, expected[i], rtol=1e-14)
            missing = [i for i in (0, 1) if wanted[i] and i not in made.outputs]
            assert not any(np.any(expected[i]) for i in missing)


def test_zeros_beside_others_are_filled_in() -> None:
    graph = program((F, F), lambda x, y: ops.concat(ops.negative(x), y, axis=0))
    made = trim(graph, (True, False), (True,))
    (found,) = ir.evaluate(made.graph, [np.ones((2, 2))])
    np.testing.assert_array_equal(found, [[-1, -1], [-1, -1], [0, 0], [0, 0]])


def test_a_barrier_keeps_cotangents_apart() -> None:
    def function(r: Any, g: Any, h: Any) -> list[Any]:
        kept, one, other = ops.barrier(r, g, h)
        return [ops.multiply(one, kept), ops.multiply(other, kept)]

    made = trim(program((F, F, F), function), (True, False), (True, True))
    assert made.outputs == (0,)
    assert [n.op for n in made.graph.nodes] == [ops.barrier, ops.multiply]
    assert len(made.graph.nodes[0].results) == 2


def test_invariants_are_peeled() -> None:
    def body(w: Any, b: Any, c: Any) -> list[Any]:
        square = ops.exp(ops.matmul(w, w))
        return [ops.add(ops.matmul(square, c), ops.broadcast_to(b, shape=(2, 2)))]

    graph = program((F, "f64[2]", F), body)
    made = peel(graph, 2)
    assert made is not None
    assert [n.op for n in made.prelude.nodes] == [ops.matmul, ops.exp]
    assert [n.op for n in made.body.nodes] == [ops.matmul, ops.broadcast_to, ops.add]
    arrays = [np.full((2, 2), 0.5), np.ones(2), np.eye(2)]
    extra = ir.evaluate(made.prelude, arrays[:2])
    found = ir.evaluate(made.body, [*arrays[:2], *extra, arrays[2]])
    np.testing.assert_array_equal(found, ir.evaluate(graph, arrays))


def test_a_transposed_matrix_is_made_once() -> None:
    def body(w: Any, c: Any) -> list[Any]:
        return [ops.matmul(ops.transpose(w, permutation=(1, 0)), c)]

    made = peel(program((F, F), body), 1)
    assert made is not None
    assert [n.op for n in made.prelude.nodes] == [ops.transpose]
    assert [n.op for n in made.body.nodes] == [ops.matmul]


def test_a_body_without_invariants_stays() -> None:
    assert peel(program((F, F), lambda w, c: ops.matmul(w, c)), 1) is None
