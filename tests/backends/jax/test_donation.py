"""Donation: which outputs take over which buffers, seen by their pointers."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from plait import ir
from plait.backends.jax import compile
from plait.backends.jax.donation import pair, plan_donation, restore
from plait.backends.jax.lowerings.common import block_until_ready
from plait.ir import ExecutionPlan, Graph, ops
from tests.backends.jax.graphs import graph_of

F8, F4, I8 = (ir.parse_type(t) for t in ("f32[8]", "f32[4]", "i32[8]"))


def step(p: Any, g: Any, q: Any) -> Any:
    """Results before new state, all of one type."""
    return ops.multiply(p, q), ops.subtract(q, g), ops.subtract(p, g)


def fresh(value: float) -> Any:
    # Computed by jax, so that the buffer is its own to give away.
    return block_until_ready(jax.lax.full((4096,), np.float32(value)))


def pointers(arrays: Any) -> list[int]:
    return [x.unsafe_buffer_pointer() for x in arrays]


def run(graph: Graph, **options: Any) -> tuple[list[int], list[int], list[Any], list[Any]]:
    executable = compile(graph, **options)
    arguments = [fresh(1.0 + i) for i in range(3)]
    before = pointers(arguments)
    results = list(block_until_ready(executable(*arguments)))
    values = [float(np.asarray(r)[0]) for r in results]
    assert values == [1.0 * 3.0, 3.0 - 2.0, 1.0 - 2.0]
    return before, pointers(results), arguments, results


@pytest.mark.parametrize("wanted", [{0: 2, 2: 1}, {0: 1, 2: 2}, {2: 0}])
def test_a_mapping_says_which_output_takes_over(wanted: dict[int, int]) -> None:
    graph = graph_of(step, "f32[4096]", "f32[4096]", "f32[4096]")
    before, after, arguments, _ = run(graph, donated=wanted)
    for source, target in wanted.items():
        assert after[target] == before[source]
        assert arguments[source].is_deleted()
    kept = set(range(3)) - set(wanted)
    assert not any(arguments[i].is_deleted() for i in kept)


def test_a_plan_says_which_output_takes_over() -> None:
    graph = graph_of(step, "f32[4096]", "f32[4096]", "f32[4096]")
    plan = ExecutionPlan(graph, "xla", (), (), 0, 0, 0, {1: 2}, frozenset([0, 2]), {})
    before, after, arguments, _ = run(graph, plan=plan)
    assert after[1] == before[2]
    assert not arguments[0].is_deleted()


def test_new_state_after_results_takes_over_by_default() -> None:
    graph = graph_of(step, "f32[4096]", "f32[4096]", "f32[4096]")
    before, after, _, _ = run(graph, donated=(0, 2))
    assert after[1:] == [before[0], before[2]]
    assert after[0] not in before


def test_nothing_is_donated_by_default() -> None:
    graph = graph_of(step, "f32[4096]", "f32[4096]", "f32[4096]")
    _, _, arguments, _ = run(graph)
    assert not any(x.is_deleted() for x in arguments)


def test_donation_shows_as_aliases() -> None:
    graph = graph_of(lambda x: ops.add(x, x), "f32[4096]")
    assert compile(graph, donated=[0]).memory_analysis()["aliases"] == 4 * 4096
    assert compile(graph).memory_analysis()["aliases"] == 0


def test_what_no_output_can_take_over_is_kept() -> None:
    # jax would warn, and warnings are errors here.
    graph = graph_of(lambda x: ops.reshape(x, shape=(2, 4)), "f32[8]")
    x = jax.device_put(np.ones(8, np.float32))
    compile(graph, donated=[0])(x)
    assert not x.is_deleted()


def test_pairing_is_by_type_in_order() -> None:
    assert pair([F8, F4, F8], [F4, F8, F8, F8], [0, 1, 2], range(4)) == {0: 1, 1: 0, 2: 2}
    assert pair([F8, I8], [F8, I8], [1], range(2)) == {1: 1}


def test_plans_of_donation() -> None:
    assert plan_donation([F8], [F8], []).inputs == ()
    natural = plan_donation([F8, F4], [F8, F4], [0, 1])
    assert (natural.inputs, natural.order) == ((0, 1), None)
    crossed = plan_donation([F8, F8], [F8, F8], [0, 1], {0: 1, 1: 0})
    assert (crossed.inputs, crossed.order) == ((0, 1), (1, 0))
    late = plan_donation([F8], [F8, F8], [0])
    assert (late.order, dict(late.aliases)) == ((1, 0), {1: 0})
    assert plan_donation([F8], [F4], [0], {0: 0}).inputs == ()


def test_restore_undoes_an_order() -> None:
    assert restore((2, 0, 1), ["c", "a", "b"]) == ["a", "b", "c"]
