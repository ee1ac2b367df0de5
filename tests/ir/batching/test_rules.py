"""Every op's batching rule gives what the op gives row by row, over all cases of the registry."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from plait import ir
from plait.ir import Op
from plait.ir.batching import batch_graph
from plait.ir.batching.define import NOT_BATCHED
from tests.ir.batching.rows import choices, disagreements, graph_of, nested_disagreements
from tests.ir.op_cases import Case, all_cases

CASES = all_cases()
OPS = tuple(ir.all_ops())
each_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


def cases_of(op: Op) -> list[Case]:
    """The op's cases that have an operand which can differ by row."""
    cases = [c for c in CASES if c.op is op]
    return [c for c in cases if any(not isinstance(x, ir.TokenType) for x in c.operands)]


@each_op
def test_every_op_has_a_rule_or_a_reason(op: Op) -> None:
    assert (op.batching is None) == (op in NOT_BATCHED)
    if op in NOT_BATCHED:
        assert op.parameters or not cases_of(op)


@each_op
def test_a_batch_is_the_stack_of_its_rows(op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    for case in cases_of(op):
        for dims in choices(case):
            with np.errstate(all="ignore"):
                wrong = disagreements(case, dims)
            assert not wrong, f"{case}, batch axes {dims}: {wrong}"


@each_op
def test_no_rows_give_empty_results(op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    for case in cases_of(op)[:4]:
        dims = tuple([None if isinstance(x, ir.TokenType) else 0 for x in case.operands])
        graph, out_dims = batch_graph(graph_of(case), dims, 0)
        given = [
            x if d is None else np.empty((0, *x.shape), x.dtype)
            for x, d in zip(case.operands, dims, strict=True)
        ]
        for found, dim in zip(ir.evaluate(graph, given), out_dims, strict=True):
            assert isinstance(found, ir.TokenType) or dim is None or not found.shape[dim]
    assert capsys.readouterr().out == ""


@each_op
def test_rows_of_rows(op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    for case in cases_of(op)[:6]:
        outer, *_, inner = [*choices(case), *choices(case)]
        with np.errstate(all="ignore"):
            wrong = nested_disagreements(case, inner, outer)
        assert not wrong, f"{case}, batch axes {inner}, then {outer}: {wrong}"


def test_an_elementwise_op_has_a_rule_by_its_trait() -> None:
    other = dataclasses.replace(ir.ops.tanh, name="other", batch=None)
    assert other.batching is not None
    opaque = dataclasses.replace(other, name="opaque", batch=None, traits=frozenset())
    assert opaque.batching is None
