"""Random nests of region ops with signatures full of what is dead, and what dead means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from plait import ir
from plait.ir import Graph, GraphBuilder, Literal, Node, Value, ops
from plait.ir.analysis import nested_graphs

F = ir.parse_type("f32[2]")
XS = ir.parse_type("f32[3,2]")
COUNT = ir.parse_type("i32[]")
DEPTH = 3


class Nest:
    """Draws one program; all values are ``f32[2]``, but for stacks and predicates."""

    def __init__(self, draw: Any, effects: bool) -> None:
        self.draw = draw
        self.effects = effects
        self.shared: list[Graph] = []

    def number(self, low: int, high: int) -> int:
        drawn: int = self.draw(st.integers(low, high))
        return drawn

    def some(self, values: Sequence[Value], count: int) -> list[Value]:
        return [values[self.number(0, len(values) - 1)] for _ in range(count)]

    def fill(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        """Add a few nodes; grows the lists of values."""
        for _ in range(self.number(0, 4)):
            kind = self.number(0, 7 if depth < DEPTH else 2)
            x, y = self.some(values, 2)
            if kind <= 1:
                values.append(ops.add(x, y) if kind else ops.tanh(x))
            elif kind == 2:
                self.effect(x)
            else:
                add = (self.cond, self.scan, self.while_, self.call, self.call_again)[kind - 3]
                add(values, stacks, depth)

    def effect(self, x: Value) -> None:
        if self.effects:
            ops.print_(ops.create_token(), x, template="{}")

    def predicate(self, x: Value) -> Value:
        total = ops.reduce_sum(x, axes=(0,))
        made: Value = ops.less(total, ops.constant(value=Literal(np.float32(self.number(-1, 1)))))
        return made

    def region(self, depth: int, inputs: int, outputs: int) -> Graph:
        builder = GraphBuilder("region")
        values = [builder.input(F) for _ in range(inputs)]
        with builder:
            self.fill(values, [], depth + 1)
            found = self.some(values, outputs)
        return builder.build(found)

    def cond(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        inputs, outputs = self.number(1, 3), self.number(1, 3)
        branches = [self.region(depth, inputs, outputs) for _ in range(2)]
        pred = self.predicate(self.some(values, 1)[0])
        values += ops.cond(pred, *self.some(values, inputs), regions=branches)

    def call(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        inputs = self.number(1, 3)
        callee = self.region(depth, inputs, self.number(1, 3))
        self.shared.append(callee)
        values += ops.call(*self.some(values, inputs), regions=(callee,))

    def call_again(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        """One more site of a callee, maybe in another graph, or as a branch."""
        if not self.shared:
            return
        callee = self.shared[self.number(0, len(self.shared) - 1)]
        operands = self.some(values, len(callee.inputs))
        if self.number(0, 2):
            values += ops.call(*operands, regions=(callee,))
        else:
            pred = self.predicate(operands[0])
            other = self.region(depth, len(operands), len(callee.outputs))
            values += ops.cond(pred, *operands, regions=(callee, other))

    def scan(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        consts, carry = self.number(0, 2), self.number(0, 3)
        slices = self.number(0, 2) if stacks else 0
        if consts + carry + slices == 0:
            return
        stacked = self.number(0, 3)
        body = self.region(depth, consts + carry + slices, carry + stacked)
        self.shared.append(body)
        found = ops.scan(
            *self.some(values, consts + carry),
            *(self.some(stacks, slices) if slices else ()),
            regions=(body,),
            num_consts=consts,
            num_carry=carry,
            length=3,
            reverse=bool(self.number(0, 1)),
        )
        values += found[:carry]
        for stack in found[carry:]:
            stacks.append(stack)
            values.append(ops.reduce_sum(stack, axes=(0,)))

    def while_(self, values: list[Value], stacks: list[Value], depth: int) -> None:
        consts, carry = self.number(0, 2), self.number(1, 3)
        step = self.region(depth, consts + carry, carry)
        types = [*[F] * consts, COUNT, *[F] * carry]
        regions = []
        for name in ("condition", "body"):
            builder = GraphBuilder(name)
            inputs = [builder.input(t) for t in types]
            count = inputs[consts]
            with builder:
                if name == "condition":
                    outputs = [ops.less(count, builder.constant(np.int32(3)))]
                else:
                    others = [v for v in inputs if v is not count]
                    after = ops.add(count, builder.constant(np.int32(1)))
                    outputs = [after, *builder.inline(step, others)]
            regions.append(builder.build(outputs))
        given = self.some(values, consts + carry)
        start = ops.constant(value=Literal(np.int32(0)))
        operands = [*given[:consts], start, *given[consts:]]
        values += ops.while_(*operands, regions=regions, num_consts=consts)[1:]


@st.composite
def nests(draw: Any, effects: bool = False) -> Graph:
    """Programs whose region ops have dead, equal, and unchanged results and operands."""
    nest = Nest(draw, effects)
    builder = GraphBuilder("program")
    values = [builder.input(F, "x"), builder.input(F, "y")]
    stacks = [builder.input(XS, "xs")]
    with builder:
        for _ in range(3):
            nest.fill(values, stacks, 0)
        outputs = nest.some(values, nest.number(1, 3)) + nest.some(stacks, nest.number(0, 1))
    return builder.build(outputs)


def dead_parts(graph: Graph) -> list[str]:
    """What is dead, equal or unchanged in a program, by the definitions; slow and plain."""
    found: list[str] = []
    holders: dict[Graph, int] = {}
    for one in nested_graphs(graph):
        for node in one.nodes:
            for region in node.regions:
                holders[region] = holders.get(region, 0) + 1
    for one in nested_graphs(graph):
        read = {v for n in one.nodes for v in n.operands} | set(one.outputs)
        for node in one.nodes:
            if not node.has_effect and read.isdisjoint(node.results):
                found.append(f"dead {node} in {one.name}")
            if node.regions and all(holders[r] == 1 for r in node.regions):
                found += [f"{what} of {node} in {one.name}" for what in _dead_at(node, read)]
    return found


def _dead_at(node: Node, read: set[Value]) -> list[str]:
    """What is dead at one node, whose regions no other node holds."""
    inputs = len(node.regions[0].inputs)
    consts = node.attributes.get("num_consts", inputs)
    carry = node.attributes.get("num_carry", inputs - consts)
    bodies = node.regions[1:] if node.op is ops.while_ else node.regions
    carries = range(consts, consts + carry)
    found = [f"result {r.index}" for r in node.results if r.index >= carry and r not in read]
    for body in bodies:
        used = list(body.outputs[carry:])
        if node.op is ops.scan and len(set(used)) < len(used):
            found.append("output stacked twice")
    operands = node.operands[len(node.operands) - inputs :]
    constant = [v for i, v in enumerate(operands) if i not in carries]
    if len(set(constant)) < len(constant):
        found.append("operand given twice")
    live = _live_inputs(node, read, consts, carry)
    found += [f"operand {i}" for i in range(inputs) if i not in live]
    for i in carries:
        if all(b.outputs[i - consts] is b.inputs[i] for b in bodies):
            found.append(f"unchanged carry {i}")
    return found


def _live_inputs(node: Node, read: set[Value], consts: int, carry: int) -> set[int]:
    """Inputs that a result, an effect, the condition or a live carry reads, by iteration."""
    live = {i + consts for i in range(carry) if node.results[i] in read}
    while True:
        grown = set(live)
        for i, region in enumerate(node.regions):
            outputs = set(region.outputs)
            if carry and not (node.op is ops.while_ and i == 0):
                outputs = {
                    v for k, v in enumerate(region.outputs) if k >= carry or k + consts in live
                }
            needed = _needs(region, outputs)
            grown |= {v.index for v in region.inputs if v in needed}
        if grown == live:
            return live
        live = grown


def _needs(graph: Graph, outputs: set[Value]) -> set[Value]:
    """What some outputs and the effects of a graph read, nodes taken as wholes."""
    needed = set(outputs)
    for node in reversed(graph.nodes):
        if node.has_effect or not needed.isdisjoint(node.results):
            needed.update(node.operands)
    return needed
