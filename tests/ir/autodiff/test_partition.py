"""Which values are saved for the backward pass, and which are computed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, Node, ops
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.partition import Residual, Split, split
from plait.ir.errors import GraphError
from tests.ir.autodiff.against_jax import arguments, cotangents, program, run_split

LARGE = "f32[64,64]"


def parts(types: tuple[str, ...], function: Callable[..., Any], **options: Any) -> Split:
    """The division of a program, differentiated by all its inputs that can be."""
    return split(joint(program(types, function), range(len(types))), **options)


def saved(made: Split) -> list[str]:
    """Names of the ops whose results are saved."""
    return [c.name for c in made.choices if c.kind == "saved"]


def recomputed(made: Split) -> set[str]:
    """Names of the ops that run again."""
    return {c.name for c in made.choices if c.kind == "recomputed"}


def test_a_chain_of_tanh_saves_its_values_only() -> None:
    made = parts((LARGE,), lambda x: ops.tanh(ops.tanh(ops.tanh(x))))
    assert saved(made) == ["tanh", "tanh"]
    assert made.residuals[-1] == Residual("output", 0)
    assert made.saved_bytes == 2 * 64 * 64 * 4
    assert "tanh" not in recomputed(made)


def test_a_product_reads_its_operands() -> None:
    made = parts((LARGE, LARGE), ops.matmul)
    assert made.residuals == (Residual("input", 0), Residual("input", 1))
    assert made.saved_bytes == 0


def test_products_are_saved_and_not_run_again() -> None:
    made = parts((LARGE, LARGE), lambda x, w: ops.matmul(ops.matmul(ops.matmul(x, w), w), w))
    assert saved(made) == ["matmul", "matmul"]
    assert not any(
        n.op is ops.matmul and not _reads_cotangent(made.backward, n) for n in made.backward.nodes
    )


def _reads_cotangent(graph: Graph, node: Node) -> bool:
    late = {v for v in graph.inputs if v.name.startswith("cotangent")}
    for other in graph.nodes:
        if not late.isdisjoint(other.operands):
            late.update(other.results)
    return not late.isdisjoint(node.operands)


def test_arithmetic_is_computed_again() -> None:
    made = parts(
        (LARGE, LARGE), lambda x, y: ops.exp(ops.multiply(ops.add(x, y), ops.subtract(x, y)))
    )
    assert saved(made) == []
    assert {"add", "subtract"} <= recomputed(made)
    assert "exp" not in recomputed(made)


def test_long_chains_of_arithmetic_are_cut() -> None:
    def chain(length: int) -> Split:
        def function(x: Any, y: Any) -> Any:
            for _ in range(length):
                x = ops.add(ops.multiply(x, y), y)
            return ops.sin(x)

        return split(joint(program((LARGE, LARGE), function), [0]))

    assert saved(chain(4)) == []
    assert saved(chain(40)) == ["add"]
    assert recomputed(chain(4)) == {"add", "multiply"}
    assert recomputed(chain(40)) == set()


def test_broadcasts_are_not_saved() -> None:
    def function(b: Any, x: Any) -> Any:
        return ops.sin(ops.multiply(ops.broadcast_to(b, shape=(64, 64)), ops.exp(x)))

    made = parts(("f32[64]", LARGE), function)
    assert saved(made) == ["exp"]
    assert {"broadcast_to", "multiply"} <= recomputed(made)


def test_a_mask_of_random_bits_is_saved_small() -> None:
    def dropout(x: Any, state: Any) -> Any:
        bits = ops.philox(state, shape=(64, 64))
        half = ops.full(value=ir.Literal(np.uint32(1 << 31)), shape=(64, 64))
        zero = ops.full(value=ir.Literal(np.float32(0)), shape=(64, 64))
        return ops.select(ops.less(bits, half), x, zero)

    made = parts((LARGE, "u64[2]"), dropout)
    assert saved(made) == ["less"]
    assert made.saved_bytes == 64 * 64


def test_what_only_the_backward_pass_needs_runs_there() -> None:
    made = parts((LARGE,), ops.sin)
    assert [n.op for n in made.forward.nodes] == [ops.sin]
    assert made.residuals == (Residual("input", 0),)
    assert ops.cos in [n.op for n in made.backward.nodes]


def test_inputs_that_are_not_free_are_saved_when_read() -> None:
    made = parts((LARGE, LARGE), ops.matmul, free_inputs=(1,))
    assert made.residuals == (Residual("saved", 1), Residual("input", 1))
    assert made.forward.outputs[1] is made.forward.inputs[0]


def test_outputs_that_are_not_free_are_saved_once_more() -> None:
    made = parts((LARGE,), ops.exp, free_inputs=(), free_outputs=())
    assert made.residuals == (Residual("saved", 1),)
    assert made.forward.outputs[0] is made.forward.outputs[1]


def test_what_is_made_of_invariants_is_never_saved() -> None:
    def function(w: Any, x: Any) -> Any:
        return ops.matmul(ops.matmul(w, w), x)

    options: dict[str, Any] = {"free_inputs": (0,), "invariant": (0,)}
    assert saved(parts((LARGE, LARGE), function, **options)) == ["arg1"]
    options = {"free_inputs": (0,)}
    assert saved(parts((LARGE, LARGE), function, **options)) == ["arg1", "matmul"]


def layers(x: Any, w: Any) -> Any:
    for _ in range(3):
        x = ops.sin(ops.square(ops.tanh(ops.matmul(x, w))))
    return x


@pytest.mark.parametrize("policy", ["min-cut", "save-all", "recompute-all"])
def test_policies_give_equal_numbers(policy: str) -> None:
    graph = program(("f64[4,4]", "f64[4,4]"), layers)
    made = joint(graph, [0, 1])
    arrays, given = arguments(graph), cotangents(made)
    expected = ir.evaluate(made.graph, [*arrays, *given])
    found = run_split(split(made, policy=policy), arrays, given)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_policies_save_more_or_less() -> None:
    types = (LARGE, LARGE)
    most, some, none = (
        parts(types, layers, policy=p) for p in ("save-all", "min-cut", "recompute-all")
    )
    assert most.saved_bytes > some.saved_bytes > none.saved_bytes == 0
    assert recomputed(most).isdisjoint({"matmul", "tanh", "sin"})
    assert "matmul" in recomputed(none)


def test_effects_stay_in_the_forward_graph() -> None:
    def function(x: Any) -> Any:
        token = ops.create_token()
        token, y = ops.callback(token, x, function=np.sin, result_types=(x.type,))
        ok = ops.constant(value=ir.Literal(np.asarray(True)))
        ops.check(ok, error="CheckError", message="no")
        ops.print_(token, y, template="{}")
        return ops.multiply(ops.exp(x), y)

    made = parts((LARGE,), function, policy="recompute-all")
    assert sum(n.op.is_effect for n in made.forward.nodes) == 4
    assert not any(n.op.is_effect for n in made.backward.nodes)
    assert saved(made) == ["callback"]


def test_dead_code_is_in_neither_graph() -> None:
    def function(x: Any) -> Any:
        ops.sinh(x)
        return ops.exp(x)

    made = parts((LARGE,), function)
    assert [n.op for n in made.forward.nodes] == [ops.exp]
    assert ops.sinh not in {n.op for n in made.backward.nodes}


def test_the_division_is_deterministic() -> None:
    one, other = (parts((LARGE, LARGE), layers) for _ in range(2))
    assert str(one.forward) == str(other.forward)
    assert str(one.backward) == str(other.backward)
    assert one.choices == other.choices


def test_symbolic_sizes_count_as_typical_ones() -> None:
    made = parts(("f32[n,4]",), lambda x: ops.tanh(ops.tanh(x)))
    assert saved(made) == ["tanh"]


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(GraphError, match="policy must be one of min-cut"):
        parts((LARGE,), ops.exp, policy="best")
