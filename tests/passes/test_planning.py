"""Schedules and plans: lower peaks, slots, in-place ops, donations, and their reasons."""

from __future__ import annotations

from typing import Any

import pytest

from plait import ir
from plait.ir import ExecutionPlan, Graph, Step, Value, ops
from plait.ir.errors import GraphError, ShapeError
from plait.passes import plan, run_pipeline, schedule
from plait.passes.arena import ALIGNMENT
from tests.passes.corpus import corpus, lstm, with_all_outputs
from tests.passes.rule_cases import array, make
from tests.passes.rule_cases import number as k

F = "f32[64]"


def steps_of(made: ExecutionPlan, op: ir.Op) -> list[Step]:
    return [s for s in made.steps if s.node.op is op]


def reasons(step: Step, kind: str = "in-place") -> list[tuple[bool, str]]:
    return [(d.taken, d.reason) for d in step.decisions if d.kind == kind]


def refusal(inputs: str, build: Any, op: ir.Op, donated: tuple[int, ...] = ()) -> str:
    """Why an op is not in place."""
    step = steps_of(plan(make(inputs, build), donated=donated), op)[-1]
    assert step.in_place_of is None
    ((taken, reason),) = reasons(step)
    assert not taken
    return reason


# Schedules.


def test_schedule_is_an_order_and_never_worse() -> None:
    for graph in corpus():
        found = schedule(graph)
        assert ir.is_ordered(graph, found.order)
        assert found.peak_bytes <= peak_in_program_order(graph)


def peak_in_program_order(graph: Graph) -> int:
    from plait.passes.scheduling import _Work

    return _Work.of(graph).peak(range(len(graph.nodes)))


def test_schedule_finishes_a_chain_before_it_begins_the_next() -> None:
    def build(x: Value) -> Any:
        wide = [ops.broadcast_to(x, shape=(100, 64)) for _ in range(8)]
        grown = [ops.exp(w) for w in wide]
        total = x
        for g in grown:
            total = ops.add(total, ops.reduce_sum(g, axes=(0,)))
        return total

    graph = make(F, build)
    found = schedule(graph)
    assert found.peak_bytes < peak_in_program_order(graph) / 6
    assert schedule(graph).order == found.order


def test_effects_keep_their_order() -> None:
    def build(x: Value) -> Any:
        for i in range(6):
            ops.print_(
                ops.create_token(), ops.reduce_sum(ops.exp(x), axes=(0,)), template=f"{i}: {{}}"
            )
        return x

    graph = make(F, build)
    order = schedule(graph).order
    assert [n for n in order if n.has_effect] == [n for n in graph.nodes if n.has_effect]


# Slots.


def test_arena_is_near_the_bound_on_the_corpus() -> None:
    ratios = []
    for graph in corpus():
        made = plan(graph)
        assert all(s.offset % ALIGNMENT == 0 for s in made.slots)
        assert all(s.offset + s.nbytes <= made.arena_bytes for s in made.slots)
        if made.peak_bytes:
            ratios.append(made.arena_bytes / made.peak_bytes)
    assert len(ratios) > 40
    assert max(ratios) <= 1.1


def test_values_that_live_together_lie_apart() -> None:
    for graph in corpus():
        check_apart(plan(graph))


def check_apart(made: ExecutionPlan) -> None:
    """Walk the steps; a slot that is written must not touch one that is still to be read."""
    homes: dict[Value, Any] = {}
    needed = needed_after(made)
    for i, step in enumerate(made.steps):
        bases = [step.in_place_of, *[None] * len(step.node.results)]
        for r, value in enumerate(step.node.results):
            slot = step.slots[r]
            if slot is not None:
                over = step.node.operands[bases[0]] if r == 0 and bases[0] is not None else None
                for other, home in homes.items():
                    meets = home.offset < slot.offset + slot.nbytes and (
                        slot.offset < home.offset + home.nbytes
                    )
                    still = needed[other] > i or (needed[other] == i and other is not over)
                    holds = slot.nbytes and home.nbytes
                    assert not (meets and still and holds), f"{value!r} is written over {other!r}"
                homes[value] = slot
            elif r == 0 and step.view_of is not None and step.node.operands[step.view_of] in homes:
                homes[value] = homes[step.node.operands[step.view_of]]


def needed_after(made: ExecutionPlan) -> dict[Value, int]:
    """The last step that reads each value."""
    last = {r: i for i, s in enumerate(made.steps) for r in s.node.results}
    for i, step in enumerate(made.steps):
        last.update(dict.fromkeys(step.node.operands, i))
    last.update(dict.fromkeys(made.graph.outputs, len(made.steps)))
    return last


def test_plan_of_an_lstm_writes_in_place_and_saves() -> None:
    made = plan(run_pipeline(lstm(4)).graph)
    gates = [s for s in steps_of(made, ops.tanh) if s.node.operands[0].node.op is ops.split]  # type: ignore[union-attr]
    assert [s.in_place_of for s in gates] == [0] * 4
    assert made.arena_bytes < made.unplanned_bytes / 4
    assert made.arena_bytes == made.peak_bytes


def test_outputs_live_outside_the_arena() -> None:
    made = plan(make(F, lambda x: ops.tanh(ops.exp(x))))
    assert made.slots == ()
    assert made.steps[0].slots == (None,)
    assert reasons(made.steps[0], "slot") == [(False, "it becomes output 0, outside the arena")]
    assert made.steps[1].in_place_of == 0


def test_constants_are_made_once() -> None:
    small = plan(make(F, lambda x: ops.add(x, k(x, 2))))
    assert reasons(small.steps[0], "slot") == [(False, "it is a constant, made once")]


def test_large_fills_that_elementwise_ops_read_are_constants() -> None:
    made = plan(make("f32[100000]", lambda x: ops.add(k(x, 2), ops.tanh(x))))
    fill = steps_of(made, ops.full)[0]
    assert reasons(fill, "slot") == [(False, "it is a constant, made once")]
    assert (fill.slots, made.slots, made.unplanned_bytes) == ((None,), (), 400_000)
    assert steps_of(made, ops.add)[0].in_place_of == 1


@pytest.mark.parametrize("read", [ops.power, ops.matmul])
def test_large_fills_that_other_ops_read_are_written(read: Any) -> None:
    made = plan(make("f32[200,200]", lambda x: read(ops.tanh(x), k(x, 2))))
    assert 160_000 in [slot.nbytes for slot in made.slots]
    assert reasons(steps_of(made, ops.full)[0], "slot") != [(False, "it is a constant, made once")]


def test_a_large_fill_that_is_an_output_is_copied() -> None:
    made = plan(make("f32[100000]", lambda x: k(x, 2)))
    assert [d.reason for d in made.decisions] == ["output 0 is copied: it is a constant"]


# Views.


def test_views_share_their_operands_slot() -> None:
    made = plan(make("f32[8,8]", lambda x: ops.exp(turn(ops.tanh(x)))))
    view = steps_of(made, ops.transpose)[0]
    assert (view.view_of, view.slots) == (0, (None,))
    assert reasons(view, "alias") == [(True, "transpose is a view of operand 0")]


def turn(x: Value) -> Value:
    made: Value = ops.transpose(x, permutation=(1, 0))
    return made


def test_a_reshape_that_strides_do_not_allow_is_copied() -> None:
    made = plan(make("f32[8,8]", lambda x: ops.exp(ops.reshape(turn(ops.tanh(x)), shape=(64,)))))
    step = steps_of(made, ops.reshape)[0]
    assert step.view_of is None
    assert step.slots[0] is not None or made.steps[-1].in_place_of == 0
    ((taken, reason),) = reasons(step, "alias")
    assert (taken, reason) == (False, "the strides of operand 0 do not allow a view: it is copied")


# In place: each refusal with its reason.


def test_in_place_says_so() -> None:
    made = plan(make(F, lambda x: ops.tanh(ops.exp(x))))
    assert reasons(made.steps[1]) == [(True, "tanh writes over operand 0: this is its last use")]


def test_not_over_an_input() -> None:
    assert refusal(F, ops.tanh, ops.tanh) == "operand 0 is an input that the caller keeps"


def test_not_over_a_constant() -> None:
    reason = refusal(F, lambda x: ops.add(x, k(x, 2)), ops.add)
    assert reason == "operand 0 is an input that the caller keeps; operand 1 is a constant"


def test_not_over_what_is_read_later() -> None:
    def build(x: Value) -> Any:
        y = ops.exp(x)
        return ops.add(ops.negative(y), y)

    reason = refusal(F, build, ops.negative)
    assert reason == "operand 0 is still needed: it, or a view of it, is read later"


def test_not_over_an_output() -> None:
    def build(x: Value) -> tuple[Value, Value]:
        y = ops.exp(x)
        return y, ops.tanh(y)

    assert refusal(F, build, ops.tanh) == "operand 0 is still needed: it is an output"


def test_not_while_a_view_is_live() -> None:
    def build(x: Value) -> Any:
        y = ops.exp(x)
        view = turn(y)
        return ops.add(ops.tanh(y), view)

    assert "read later" in refusal("f32[8,8]", build, ops.tanh)


def test_not_while_another_operand_views_it() -> None:
    def build(x: Value) -> Any:
        y = ops.exp(x)
        return ops.add(y, turn(y))

    reason = refusal("f32[8,8]", build, ops.add)
    assert reason.startswith("operand 1 is another view of operand 0's buffer")


def test_not_over_a_part_or_another_order() -> None:
    reason = refusal("f32[8,8]", lambda x: ops.tanh(turn(ops.exp(x))), ops.tanh)
    assert reason == "operand 0 is a view of a part, or in another order"
    cut = refusal(
        F,
        lambda x: ops.tanh(ops.slice_(ops.exp(x), starts=(1,), stops=(3,), steps=(1,))),
        ops.tanh,
    )
    assert cut == "operand 0 and the result differ in size"


def test_not_between_sizes() -> None:
    reason = refusal(F, lambda x: ops.isnan(ops.exp(x)), ops.isnan)
    assert reason == "operand 0 and the result differ in size"


def test_not_by_an_op_that_cannot() -> None:
    reason = refusal("f32[8,8]", lambda x: ops.matmul(ops.exp(x), ops.tanh(x)), ops.matmul)
    assert reason == "matmul cannot write over an operand that it reads"


def test_over_a_whole_view() -> None:
    made = plan(make("f32[8,8]", lambda x: ops.tanh(ops.reshape(ops.exp(x), shape=(64,)))))
    assert made.steps[-1].in_place_of == 0


# Donation.


def test_an_output_takes_over_a_donated_input() -> None:
    made = plan(make(f"{F} {F}", ops.subtract), donated=(0,))
    assert made.steps[0].in_place_of == 0
    assert made.aliases == {0: 0}
    assert [(d.taken, d.reason) for d in made.decisions] == [
        (True, "output 0 takes over the buffer of input 0")
    ]


def test_an_output_made_after_the_inputs_end_takes_it_over() -> None:
    def build(x: Value) -> Any:
        y = ops.matmul(x, x)
        made: Value = ops.matmul(y, y)
        return made

    made = plan(make("f32[8,8]", build), donated=(0,))
    assert made.aliases == {0: 0}
    assert reasons(made.steps[1], "slot") == [(False, "it lives in donated input 0")]


def test_a_donated_input_that_fits_nothing_says_so() -> None:
    made = plan(make(F, lambda x: ops.reduce_sum(x, axes=(0,))), donated=(0,))
    assert made.aliases == {}
    assert made.decisions[0].reason == "no output of 256 bytes begins after input 0 ends"


def test_wishes_are_granted() -> None:
    def build(a: Value, b: Value) -> tuple[Value, Value]:
        return ops.tanh(ops.add(a, b)), ops.exp(ops.subtract(a, b))

    for wishes in ({0: 0, 1: 1}, {0: 1, 1: 0}):
        made = plan(make(f"{F} {F}", build), donated=wishes)
        taken = {v: k for k, v in made.aliases.items()}
        assert taken.items() <= wishes.items()
        assert taken


def test_a_donated_input_that_is_returned_is_not_written() -> None:
    made = plan(make(F, lambda x: (x, ops.tanh(x))), donated=(0,))
    assert made.aliases == {0: 0}
    assert made.steps[0].in_place_of is None


def test_donating_what_is_not_there_is_an_error() -> None:
    with pytest.raises(GraphError, match="donated input 3 is not one of 1 inputs"):
        plan(make(F, ops.tanh), donated=(3,))


def test_outputs_that_share_are_copied_and_say_so() -> None:
    def build(x: Value) -> Any:
        y = ops.exp(ops.reshape(x, shape=(8, 8)))
        return y, y, turn(y), x, array([1, 2])

    found = [d.reason for d in plan(make(F, build)).decisions]
    assert found == [
        "output 1 is copied: it shares the buffer of output 0",
        "output 2 is copied: it shares the buffer of output 0",
        "output 3 is copied: it shares input 0, which the caller keeps",
        "output 4 is copied: it is a constant",
    ]


# Regions.


def test_loop_bodies_may_write_over_their_carry() -> None:
    go_on = make(f"i64[] {F}", lambda i, x: ops.less(i, array(3, "int64")))
    body = make(f"i64[] {F}", lambda i, x: (ops.add(i, array(1, "int64")), ops.tanh(x)))
    graph = make(f"i64[] {F}", lambda i, x: ops.while_(i, x, regions=(go_on, body), num_consts=0))
    made = plan(graph)
    assert made.plans[go_on].donated == frozenset()
    assert made.plans[body].donated == {0, 1}
    assert made.plans[body].aliases == {0: 0, 1: 1}


def test_a_region_used_twice_writes_over_what_both_uses_allow() -> None:
    region = make(F, ops.tanh)
    go_on = make(F, lambda x: array(False, "bool"))

    def build(x: Value) -> Any:
        called = ops.call(x, regions=(region,))[0]
        return ops.while_(called, regions=(go_on, region), num_consts=0)

    assert plan(make(F, build)).plans[region].donated == frozenset()


def test_symbolic_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"value of type f32\[B\]; a plan needs sizes"):
        plan(make("f32[B]", ops.tanh))


def test_every_refusal_and_every_slot_has_a_reason() -> None:
    for graph in corpus()[:12]:
        for step in plan(with_all_outputs(graph)).steps:
            kinds = {d.kind for d in step.decisions}
            assert all(d.reason for d in step.decisions)
            tensors = [v for v in step.node.results if isinstance(v.type, ir.TensorType)]
            assert not tensors or kinds & {"slot", "alias", "in-place"}
