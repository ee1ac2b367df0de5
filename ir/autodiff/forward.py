"""Forward mode: a tangent beside each value; each op's rule is its reverse rule, transposed.

A reverse rule is linear in the cotangent: pulling back its own results, tangents given for them,
gives the tangents of the op's results. That is done once for each op, operand types and attributes,
in a graph of its own, from which all that depends on the cotangent falls away as dead code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from plait.ir import dispatch
from plait.ir.autodiff.function import Differentiable
from plait.ir.autodiff.graphs import is_differentiable, replay
from plait.ir.autodiff.liveness import live_inputs, live_part
from plait.ir.autodiff.recording import Recording
from plait.ir.builder import GraphBuilder
from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Value
from plait.ir.literal import Literal
from plait.ir.op import Op
from plait.ir.types import TensorType, Type

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Tangents:
    """How an op's results change with its operands.

    Attributes
    ----------
    graph : Graph
        Inputs: operands, results, tangents of the active operands. Outputs: tangents of
        ``results``.
    results : tuple of int
        The results that change.
    """

    graph: Graph
    results: tuple[int, ...]


def op_jvp(
    op: Op, operand_types: Sequence[Type], attributes: Attributes, active: Sequence[bool]
) -> Tangents:
    """The tangents of an op's results, derived from its reverse rule.

    Parameters
    ----------
    op : Op
        Without regions.
    operand_types : sequence of Type
    attributes : mapping of str
    active : sequence of bool
        For each operand, whether it has a tangent: of its own dtype and shape, floating or complex.
    """
    items = tuple(sorted(attributes.items()))
    try:
        return _cached_jvp(op, tuple(operand_types), items, tuple(active))
    except TypeError:  # an attribute without hash
        return _make_jvp(op, tuple(operand_types), items, tuple(active))


def _make_jvp(
    op: Op, types: tuple[Type, ...], items: tuple[tuple[str, Any], ...], active: tuple[bool, ...]
) -> Tangents:
    attributes = dict(items)
    builder = GraphBuilder(f"{op.name}_tangents")
    with dispatch.suspended(), builder:
        operands = tuple([builder.input(t, f"x{i}") for i, t in enumerate(types)])
        results = tuple(
            [builder.input(t, f"y{i}") for i, t in enumerate(op.infer_types(types, attributes))]
        )
        tangents = [
            builder.input(v.type, f"dx{i}") if given else None
            for i, (v, given) in enumerate(zip(operands, active, strict=True))
        ]
        cotangents = [
            builder.input(v.type, f"g{i}") if is_differentiable(v) else None
            for i, v in enumerate(results)
        ]
        pulled = _transposed(op, operands, results, attributes, active, tangents, cotangents)
        changed = [i for i, x in enumerate(pulled) if x is not None]
        made = builder.build([pulled[i] for i in changed])
    return Tangents(_without_inputs(made, [g for g in cotangents if g]), tuple(changed))


_cached_jvp = lru_cache(maxsize=4096)(_make_jvp)


def _transposed(
    op: Op,
    operands: tuple[Value, ...],
    results: tuple[Value, ...],
    attributes: Attributes,
    active: tuple[bool, ...],
    tangents: Sequence[Value | None],
    cotangents: Sequence[Value | None],
) -> list[Any]:
    """Apply the reverse rule to cotangents, and pull tangents back through it."""
    from plait.ir.derivatives.define import Application

    rule = op.derivative
    if rule is None:
        return [None] * len(results)
    recording = Recording()
    for cotangent in cotangents:
        if cotangent is not None:
            recording.watch(cotangent)
    with recording.recording():
        found = rule(Application(operands, results, attributes, active), *cotangents)
    pairs = [
        (x, t) for x, t in zip(found, tangents, strict=True) if x is not None and t is not None
    ]
    pulled = recording.pullback([x for x, _ in pairs], [t for _, t in pairs], cotangents)
    return [None if g is None else x for x, g in zip(pulled, cotangents, strict=True)]


def _without_inputs(graph: Graph, dropped: Sequence[Value]) -> Graph:
    """The live part of a graph whose outputs do not depend on some inputs: zeros stand for them."""
    live = live_part(graph)
    read = live_inputs(live, live.outputs)
    if not any(v.index in read for v in dropped):
        kept = [v for v in live.inputs if v not in set(dropped)]
        builder = GraphBuilder(live.name)
        arguments: dict[Value, Any] = {v: builder.input(v.type, v.name) for v in kept}
        held = [arguments.get(v) for v in live.inputs]
        return _copied(builder, live, held)
    builder = GraphBuilder(live.name)
    with dispatch.suspended(), builder:
        held = [
            zeros(v) if v in dropped else builder.input(v.type, v.name) for v in live.inputs
        ]
        return _copied(builder, live, held)
