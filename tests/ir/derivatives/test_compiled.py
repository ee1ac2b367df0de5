"""Derivative graphs: built and evaluated they give what eager arrays give, and so compiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.backends.jax import compile
from plait.ir import Graph, GraphBuilder, TensorType, ops
from plait.ir.derivatives.define import Application
from plait.ir.types import is_inexact
from tests.backends.agreement import disagreement
from tests.gradients import differentiable
from tests.ir.op_cases import Case, all_cases

CASES = [
    case
    for case in all_cases()
    if case.op.derivative is not None
    and not case.op.is_barrier
    and any(differentiable(x) for x in case.operands)
    and any(is_inexact(t.dtype) for t in case.infer() if isinstance(t, TensorType))
]


def emit(case: Case, builder: GraphBuilder) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs of a case's pullback: operands, results and cotangents in."""
    operands = [builder.input(t) for t in case.types]
    types = [t for t in case.infer() if isinstance(t, TensorType)]
    results = [builder.input(t) for t in types]
    gs = [builder.input(t) if is_inexact(t.dtype) else None for t in types]
    needs = tuple([differentiable(x) for x in operands])
    at = Application(tuple(operands), tuple(results), case.attributes, needs)
    found = case.op.derivative(at, *gs)  # type: ignore[misc]
    inputs = [*operands, *results, *[g for g in gs if g is not None]]
    return inputs, [x for x in found if x is not None]


def arguments(case: Case) -> list[Any]:
    """What a case's pullback takes: cotangents are the results' own values, or 1."""
    results = [np.asarray(y) for y in case.run()]
    random = np.random.default_rng(0)
    gs = [random.integers(-2, 3, y.shape).astype(y.dtype) for y in results if is_inexact(y.dtype)]
    return [*case.operands, *results, *gs]


def eager(case: Case) -> list[Any]:
    """The pullback on arrays."""
    values, count = arguments(case), len(case.operands)
    number = len(case.infer())
    results, rest = values[count : count + number], iter(values[count + number :])
    gs = [next(rest) if is_inexact(y.dtype) else None for y in results]
    needs = tuple([differentiable(x) for x in case.operands])
    at = Application(case.operands, tuple(results), case.attributes, needs)
    with np.errstate(all="ignore"):
        return [x for x in case.op.derivative(at, *gs) if x is not None]  # type: ignore[misc]


def pullback_graph(cases: list[Case]) -> Graph:
    """One graph with the pullbacks of several cases."""
    builder, outputs = GraphBuilder("pullbacks"), []
    with builder:
        for case in cases:
            outputs += emit(case, builder)[1]
    return builder.build(outputs)


def test_graphs_give_what_arrays_give() -> None:
    wrong = []
    for case in CASES:
        with np.errstate(all="ignore"):
            found = ir.evaluate(pullback_graph([case]), arguments(case))
        pairs = zip(found, eager(case), strict=True)
        wrong += [f"{case}: {d}" for a, b in pairs if (d := disagreement(a, b, 0.0))]
    assert wrong == []


def few_cases() -> Iterator[tuple[str, list[Case]]]:
    """Two cases of each op in single precision, by family; together a program each."""
    chosen: dict[str, list[Case]] = {}
    for op in dict.fromkeys(case.op for case in CASES):
        own = [case for case in CASES if case.op is op]
        single = [c for c in own if c.operands[0].dtype in (ir.float32, ir.complex64)]
        full = [c for c in single if c.operands[0].size > 1]
        chosen.setdefault(op.family, []).extend((full or single or own)[:2])
    yield from chosen.items()


FEW = dict(few_cases())


@pytest.mark.parametrize("cases", FEW.values(), ids=FEW.keys())
def test_xla_gives_what_arrays_give(cases: list[Case]) -> None:
    values = [x for case in cases for x in arguments(case)]
    found = iter(compile(pullback_graph(cases)).call(*values))
    wrong = []
    for case in cases:
        for wanted in eager(case):
            d = disagreement(np.asarray(next(found)), wanted, 2e-4)
            wrong += [f"{case}: {d}"] if d else []
    assert wrong == []
    assert ops.add in {case.op for case in FEW["elementwise"]}
