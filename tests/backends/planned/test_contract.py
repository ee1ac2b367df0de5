"""Every registered op, over all its cases: the planned backend gives the bits of the reference."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends import planned
from plait.ir import Graph, GraphBuilder, Op, TensorType, TokenType, ops
from plait.passes import plan, run_pipeline
from tests.ir.op_cases import Case, all_cases
from tests.passes.arrays import same_values

BY_OP = {
    op: list(cases)
    for op, cases in groupby(sorted(all_cases(), key=lambda c: c.op.name), key=lambda c: c.op)
}


def graph_of(case: Case, *, inside: bool) -> Graph:
    """The case alone; ``inside`` puts copies before it and after it, so that slots are used."""
    builder = GraphBuilder(case.op.name)
    inputs = [builder.input(t) for t in case.types]
    with builder:
        operands = [copied(v) if inside else v for v in inputs]
        options: dict[str, Any] = {"regions": case.regions} if case.op.has_regions else {}
        made = case.op(*operands, **options, **case.attributes)
        results = made if isinstance(made, tuple) else (made,)
        outputs = [copied(v) if inside else v for v in results]
    return builder.build(outputs)


def copied(value: ir.Value) -> ir.Value:
    """The same elements in a buffer of their own."""
    if type(value.type) is not TensorType or value.ndim == 0:
        return value
    empty = ops.slice_(value, starts=(0,) * value.ndim, stops=(0, *value.shape[1:]),
                       steps=(1,) * value.ndim)  # fmt: skip
    made: ir.Value = ops.concat(value, empty, axis=0)
    return made


def raises(case: Case) -> bool:
    """Whether the reference itself refuses the case (a check that fails)."""
    try:
        case.run()
    except ir.errors.PlaitError:
        return True
    return False


@pytest.mark.parametrize("op", BY_OP, ids=lambda op: op.name)
def test_agrees_with_the_reference(op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    for case in BY_OP[op]:
        if any(not isinstance(t, TensorType | TokenType) for t in case.types) or raises(case):
            continue
        for inside in (False, True):
            graph = graph_of(case, inside=inside)
            check(case, graph)
        check(case, run_pipeline(graph_of(case, inside=False)).graph)


def check(case: Case, graph: Graph) -> None:
    arrays = list(case.operands)
    wanted = ir.evaluate(graph, arrays)
    for donated in ((), range(len(arrays))):
        run = planned.compile(graph, plan=plan(graph, donated=donated))
        for _ in range(2):
            got = run(*[a.copy() if isinstance(a, np.ndarray) else a for a in arrays])
            for a, b in zip(wanted, got, strict=True):
                assert same_values(a, b), f"{case}:\n{a}\nbecame\n{b}\n{run.plan}"
