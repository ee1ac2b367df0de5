"""Control flow in the planned backend: regions run by plans of their own, carries in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.backends.planned.memory import copy_of, empty
from plait.ir import Node, Op, ops

Arrays = Sequence[Any]
Run = Callable[[Arrays], list[Any]]
Runner = Callable[[Node, Sequence[Run], Arrays], Arrays]


def run_cond(node: Node, regions: Sequence[Run], operands: Arrays) -> Arrays:
    """Run the branch that the predicate picks."""
    return regions[0 if operands[0] else 1](operands[1:])


def run_call(node: Node, regions: Sequence[Run], operands: Arrays) -> Arrays:
    """Run the callee, or the primal function."""
    return regions[0](operands)


def run_while(node: Node, regions: Sequence[Run], operands: Arrays) -> Arrays:
    """Run the body as long as the condition holds; it may write over the carry it is given."""
    condition, body = regions
    count = node.attributes["num_consts"]
    consts, carry = operands[:count], [copy_of(x) for x in operands[count:]]
    while condition([*consts, *carry])[0]:
        carry = body([*consts, *carry])
    return carry


def run_scan(node: Node, regions: Sequence[Run], operands: Arrays) -> Arrays:
    """Run the body once for each slice; it may write over the carry it is given."""
    (body,) = regions
    attributes = node.attributes
    count, length = attributes["num_carry"], attributes["length"]
    first = attributes["num_consts"] + count
    consts, xs = operands[: first - count], operands[first:]
    carry = [copy_of(x) for x in operands[first - count : first]]
    types = [v.tensor_type for v in node.results[count:]]
    stacks = [empty(t.shape, t.dtype, t.nbytes) for t in types]
    for i in reversed(range(length)) if attributes.get("reverse", False) else range(length):
        found = body([*consts, *carry, *[x[i, ...] for x in xs]])
        carry = found[:count]
        for stack, y in zip(stacks, found[count:], strict=True):
            np.copyto(stack[i, ...], y)
    return [*carry, *stacks]


RUNNERS: dict[Op, Runner] = {
    ops.cond: run_cond,
    ops.call: run_call,
    ops.custom_vjp: run_call,
    ops.while_: run_while,
    ops.scan: run_scan,
}
