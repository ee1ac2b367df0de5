"""Plans as text: slots, in-place ops, views, outputs, donations and reasons."""

from __future__ import annotations

from typing import Any

from plait import ir
from plait.ir import Decision, ExecutionPlan, Graph, Slot, Step, ops, parse_type, print_plan
from tests.golden import check_golden

F = parse_type("f32[8,16]")
SLOTS = (Slot(0, 0, 512), Slot(1, 0x1000, 512))


def plan_of(graph: Graph, steps: tuple[Step, ...], **options: Any) -> ExecutionPlan:
    fields: dict[str, Any] = {"plans": {}, "aliases": {}, "donated": frozenset()} | options
    return ExecutionPlan(graph, "planned", steps, SLOTS, 0x1200, 1024, 0x2000, **fields)


def example() -> ExecutionPlan:
    body = ir.region("callee", [F], lambda x: ops.negative(ops.tanh(x)))

    def function(x: Any, y: Any) -> list[Any]:
        total = ops.tanh(ops.add(x, y))
        turned = ops.transpose(total, permutation=(1, 0))
        top, bottom = ops.split(turned, sizes=(8, 8), axis=0)
        (called,) = ops.call(y, regions=(body,), name="callee")
        return [top, ops.exp(called), bottom, ops.create_token()]

    graph = ir.region("f", [F, F], function)
    add, tanh, transpose, split, call, exp, token = graph.nodes
    taken = Decision("in-place", True, "last use of %0, of the same size")
    refused = Decision("in-place", False, "%arg1 is an input that is not donated")
    inner = plan_of(body, (Step(body.nodes[0], (SLOTS[1],)), Step(body.nodes[1], (None,), 0)))
    steps = (
        Step(add, (SLOTS[0],), decisions=(refused,)),
        Step(tanh, (SLOTS[0],), 0, frees=(add.results[0],), decisions=(taken,)),
        Step(transpose, (None,), view_of=0),
        Step(call, (SLOTS[1],)),
        Step(split, (None, None), frees=(transpose.results[0],)),
        Step(exp, (None,), 0),
        Step(token, (None,)),
    )
    return plan_of(
        graph,
        steps,
        plans={body: inner},
        aliases={1: 1},
        donated=frozenset((1,)),
        decisions=(Decision("donation", False, "%arg0 is read by the caller"),),
    )


def test_the_text_of_a_plan() -> None:
    plan = example()
    check_golden("ir/plan.txt", print_plan(plan))
    check_golden("ir/plan_reasons.txt", print_plan(plan, reasons=True))
    assert str(plan) == print_plan(plan)


def test_a_plan_keeps_the_names_of_the_graph() -> None:
    plan = example()
    lines = {line.strip().partition(" = ")[0] for line in str(plan.graph).splitlines()}
    shown = {line.strip().partition(" = ")[0] for line in str(plan).splitlines() if " = " in line}
    assert shown <= lines


def test_locations() -> None:
    builder = ir.GraphBuilder("f")
    x = builder.input(F)
    with builder.at(ir.Location("a.py", 3, "f")):
        y = builder.emit("tanh", x)
    graph = builder.build([y])
    plan = plan_of(graph, (Step(graph.nodes[0], (SLOTS[1],)),))
    assert print_plan(plan).splitlines()[-3] == "  %0: f32[8,16] = tanh(%arg0)  slot 1 @ 0x1000"
    assert '  slot 1 @ 0x1000          @ "a.py":3\n' in print_plan(plan, locations=True)
