"""Rows for cases of ops, and what batched graphs must give for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, GraphBuilder, TokenType, Trait, ops
from plait.ir.batching import batch_graph
from tests.backends.agreement import TOLERANCES, disagreement
from tests.ir.op_cases import Case

Dims = tuple[int | None, ...]
SIZE = 3


def variations(case: Case, index: int, size: int) -> list[Any]:
    """An operand of a case and others of its type."""
    x = case.operands[index]
    if x.ndim:
        rows = [np.roll(x, k) for k in range(size)]
        is_searched = case.op is ops.searchsorted and index == 0
        return [np.sort(row) for row in rows] if is_searched else rows
    if case.op is ops.check and index == 0:
        return [x] * size
    if x.dtype == bool:
        return [np.asarray(x ^ bool(k % 2)) for k in range(size)]
    return [np.asarray(x + np.asarray(k, x.dtype), x.dtype) for k in range(size)]


def graph_of(case: Case) -> Graph:
    """A graph of the case's op alone."""
    builder = GraphBuilder("one")
    inputs = [builder.input(t) for t in case.types]
    with builder:
        found = case.op(*inputs, regions=case.regions, **case.attributes)
    return builder.build(found if type(found) is tuple else () if found is None else (found,))


def choices(case: Case) -> Iterator[Dims]:
    """Batch axes for the operands: all of them, each alone, all but each; at several places."""
    tensors = [i for i, x in enumerate(case.operands) if not isinstance(x, TokenType)]
    sets = {frozenset(tensors), *(frozenset((i,)) for i in tensors)}
    sets |= {frozenset(tensors) - {i} for i in tensors} - {frozenset()}
    for chosen in sorted(sets, key=sorted):
        for place in range(3 if len(chosen) < 3 else 2):
            yield tuple([
                _axis(x.ndim, place, i) if i in chosen else None
                for i, x in enumerate(case.operands)
            ])  # fmt: skip


def _axis(ndim: int, place: int, index: int) -> int:
    """An axis of the batched operand: the first, the last, or one that differs by operand."""
    return (0, ndim, (index + 1) % (ndim + 1))[place]


def disagreements(case: Case, dims: Dims, size: int = SIZE) -> str:
    """How batched results differ from those of single rows; empty when they do not."""
    rows = [
        [x] * size if d is None else variations(case, i, size)
        for i, (x, d) in enumerate(zip(case.operands, dims, strict=True))
    ]
    singles = [Case(case.op, row, case.attributes, case.regions) for row in zip(*rows, strict=True)]
    wanted = [single.run() for single in singles]
    graph, out_dims = batch_graph(graph_of(case), dims, size)
    given = [row[0] if d is None else np.stack(row, d) for row, d in zip(rows, dims, strict=True)]
    found = ir.evaluate(graph, given)
    return compare(found, out_dims, wanted, tolerance_of(case))


def tolerance_of(case: Case) -> float | None:
    """Sums of products in another order may cancel less well."""
    dtype = case.operands[0].dtype if case.op.has(Trait.CONTRACTION) else None
    return case.tolerance if dtype is None else 10 * TOLERANCES.get(dtype, 0.0)


def compare(
    found: Sequence[Any], dims: Dims, wanted: Sequence[Sequence[Any]], tolerance: float | None
) -> str:
    """How results with batch axes differ from the rows' results."""
    for i, (x, d) in enumerate(zip(found, dims, strict=True)):
        for k, row in enumerate(wanted):
            got = x if d is None or isinstance(x, TokenType) else np.take(x, k, axis=d)
            wrong = disagreement(got, row[i], tolerance)
            if wrong:
                return f"result {i}, row {k}: {wrong}"
    return ""


def nested_disagreements(case: Case, inner: Dims, outer: Dims) -> str:
    """As ``disagreements``, of a graph that is batched twice."""
    graph, inner_dims = batch_graph(graph_of(case), inner, SIZE)
    graph, outer_dims = batch_graph(graph, outer, 2)
    picks = [_Picks(case, i, d, e) for i, (d, e) in enumerate(zip(inner, outer, strict=True))]
    found = ir.evaluate(graph, [p.whole() for p in picks])
    for a in range(2):
        part = [
            x if d is None or isinstance(x, TokenType) else np.take(x, a, axis=d)
            for x, d in zip(found, outer_dims, strict=True)
        ]
        singles = [tuple([p.at(a, b) for p in picks]) for b in range(SIZE)]
        wanted = [Case(case.op, x, case.attributes, case.regions).run() for x in singles]
        wrong = compare(part, inner_dims, wanted, tolerance_of(case))
        if wrong:
            return f"part {a}: {wrong}"
    return ""


class _Picks:
    """The values of one operand in rows of rows."""

    def __init__(self, case: Case, index: int, inner: int | None, outer: int | None) -> None:
        self.inner, self.outer = inner, outer
        is_token = isinstance(case.operands[index], TokenType)
        count = 2 * SIZE
        self.values = [ir.token] * count if is_token else variations(case, index, count)

    def at(self, a: int, b: int) -> Any:
        """The value in row b of part a."""
        part = 0 if self.outer is None else a
        return self.values[part * SIZE + (0 if self.inner is None else b)]

    def part(self, a: int) -> Any:
        """The rows of a part."""
        if self.inner is None:
            return self.at(a, 0)
        return np.stack([self.at(a, b) for b in range(SIZE)], self.inner)

    def whole(self) -> Any:
        """The operand."""
        if self.outer is None:
            return self.part(0)
        return np.stack([self.part(a) for a in range(2)], self.outer)
