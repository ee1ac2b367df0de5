"""Contract cases run by XLA, many as one graph, because the smallest compile costs 45 ms."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from plait.backends.jax import compile
from plait.ir import GraphBuilder, ops
from plait.ir.types import TokenType
from tests.backends.agreement import disagreement
from tests.ir.op_cases import Case, all_cases

#: Checks do not reach a backend: passes turn them into the status output.
CASES = [case for case in all_cases() if case.op is not ops.check]


def batches(size: int = 250) -> Iterator[tuple[str, Sequence[Case]]]:
    """The cases of each family in parts, each with a name."""
    for family in sorted({case.op.family for case in CASES}):
        cases = [case for case in CASES if case.op.family == family]
        for part, start in enumerate(range(0, len(cases), size)):
            yield f"{family}-{part}", cases[start : start + size]


def run_together(cases: Sequence[Case], device: Any = None) -> list[tuple[Any, ...]]:
    """The results of each case, computed by one program."""
    builder = GraphBuilder("cases")
    arguments: list[Any] = []
    counts: list[int] = []
    outputs: list[Any] = []
    for case in cases:
        inputs = [builder.input(t) for t in case.types]
        found = builder.run(case.op, tuple(inputs), case.attributes, case.regions)
        results = found if type(found) is tuple else (found,)
        arguments += case.operands
        counts.append(len(results))
        outputs += results
    found = compile(builder.build(outputs), device=device)(*arguments)
    values = [x if isinstance(x, TokenType) else np.asarray(x) for x in found]
    ends = itertools.accumulate(counts)
    return [tuple(values[end - n : end]) for end, n in zip(ends, counts, strict=True)]


def failures(cases: Sequence[Case], device: Any = None) -> list[str]:
    """What disagrees with the reference, case by case."""
    found = []
    for case, got in zip(cases, run_together(cases, device), strict=True):
        wanted = case.run()
        for g, w in zip(got, wanted, strict=True):
            wrong = disagreement(g, w, case.tolerance)
            if wrong:
                found.append(f"{case}: {wrong}")
    return found
