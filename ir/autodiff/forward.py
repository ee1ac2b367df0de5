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
from plait.ir.autodiff.liveness import live_part
from plait.ir.autodiff.recording import Recording
from plait.ir.autodiff.tape import EagerState
from plait.ir.builder import GraphBuilder
from plait.ir.derivatives.define import Application, like
from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Value
from plait.ir.op import Op
from plait.ir.types import TensorType, TokenType, Type

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
    make = _cached_jvp if _has_hash(items) else _make_jvp
    return make(op, tuple(operand_types), items, tuple(active))


def _has_hash(items: Any) -> bool:
    try:
        hash(items)
    except TypeError:
        return False
    return True


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
    return Tangents(_without_inputs(made, [g for g in cotangents if g is not None]), tuple(changed))


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
    rule = op.derivative
    if rule is None or all(g is None for g in cotangents):
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
    builder = GraphBuilder(graph.name)
    with builder:
        held = [like(v, 0) if v in dropped else builder.input(v.type, v.name) for v in graph.inputs]
    return live_part(builder.build(builder.inline(live_part(graph), held)))


_graphs: WeakKeyDictionary[Graph, dict[tuple[int, ...], tuple[Graph, tuple[int, ...]]]] = (
    WeakKeyDictionary()
)


def jvp_graph(graph: Graph, inputs: Sequence[int]) -> tuple[Graph, tuple[int, ...]]:
    """A graph that also computes tangents.

    Parameters
    ----------
    graph : Graph
    inputs : sequence of int
        The inputs that have a tangent.

    Returns
    -------
    graph : Graph
        Inputs: those of the graph, then tangents of ``inputs``. Outputs: those of the graph, then
        the tangents of some outputs.
    outputs : tuple of int
        The outputs that have a tangent; those of the others are zero.
    """
    key = tuple(inputs)
    known = _graphs.setdefault(graph, {})
    if key not in known:
        known[key] = _make_jvp_graph(graph, key)
    return known[key]


def _make_jvp_graph(graph: Graph, inputs: tuple[int, ...]) -> tuple[Graph, tuple[int, ...]]:
    builder = GraphBuilder(graph.name)
    with dispatch.suspended(), builder:
        values = [builder.input(v.type, v.name) for v in graph.inputs]
        recording = ForwardRecording()
        for i in inputs:
            if not is_differentiable(values[i]):
                raise GraphError(
                    f"input {i} of graph {graph.name!r}, {values[i].type}, has no tangent"
                )
            recording.watch(values[i], builder.input(values[i].type, f"d_{values[i].name}"))
        with recording.recording():
            results = replay(graph, values)
        tangents = [recording.tangent_of(x) for x in results]
        changed = tuple([i for i, t in enumerate(tangents) if t is not None])
        return builder.build([*results, *[tangents[i] for i in changed]]), changed


class ForwardRecording(EagerState):
    """A tape that gives each value that depends on watched ones its tangent, at once.

    Values are known by the identity of their payloads, which are never written to, for as long as
    something else holds them: no trajectory is kept. Tangents are computed by the tapes below, so
    that those see the computation, and the tape itself does not take tangents for values.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tangents: dict[int, tuple[Any, Any]] = {}  # what holds the payload, and its tangent
        self._depth = dispatch.depth()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Push tangents forward through what this thread runs inside the block."""
        with dispatch.record(self):
            yield

    def watch(self, payload: Any, tangent: Any) -> None:
        """Give a payload a tangent of its dtype and shape."""
        key = id(payload)

        def forget(holder: Any) -> None:
            found = self._tangents.get(key)
            if found is not None and found[0] is holder:
                del self._tangents[key]

        try:
            holder: Any = ref(payload, forget)
        except TypeError:
            holder = payload
        self._tangents[key] = (holder, tangent)

    def tangent_of(self, payload: Any) -> Any:
        """The tangent of a payload; None where it does not depend on watched values."""
        found = self._tangents.get(id(payload))
        return None if found is None else found[1]

    def number(self, payload: Any) -> int | None:
        """A number for a payload that has a tangent; None for others."""
        return id(payload) if id(payload) in self._tangents else None

    def alias(self, payload: Any, known: Any) -> None:
        """Let a payload be known as the value that another one stands for."""
        tangent = self.tangent_of(known)
        if tangent is None:
            self._tangents.pop(id(payload), None)
        else:
            self.watch(payload, tangent)

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Attributes,
        regions: tuple[Any, ...],
        level: int,
    ) -> Any:
        """Apply an op; its results get their tangents."""
        tangents = self._tangents_of(operands)
        if tangents is None:
            return dispatch.run_at(level, op, operands, attributes, regions)
        if op.has_regions:
            from plait.ir.autodiff.regions import region_function

            return self.apply(region_function(op, attributes, regions), operands, level)
        found = dispatch.run_at(level, op, operands, attributes, regions)
        if op.is_effect or op.derivative is None:
            return found
        results = found if type(found) is tuple else (found,)
        with dispatch.below(level), np.errstate(all="ignore"):
            self._push(op, operands, results, attributes, tangents)
        return found

    def _tangents_of(self, operands: tuple[Any, ...]) -> list[Any] | None:
        """Tangents of the operands, None for zero; None when there are none."""
        known = self._tangents
        if dispatch.depth() != self._depth or not any(id(x) in known for x in operands):
            return None
        return [known[id(x)][1] if id(x) in known else None for x in operands]

    def _push(
        self,
        op: Op,
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
        attributes: Attributes,
        tangents: list[Any],
    ) -> None:
        active = tuple([t is not None for t in tangents])
        rule = op_jvp(op, [type_of(x) for x in operands], attributes, active)
        if rule.results:
            made = replay(
                rule.graph, [*operands, *results, *[t for t in tangents if t is not None]]
            )
            for i, tangent in zip(rule.results, made, strict=True):
                self.watch(results[i], tangent)

    def apply(
        self, function: Differentiable, operands: tuple[Any, ...], level: int
    ) -> tuple[Any, ...]:
        """Apply a function; its results get their tangents."""
        tangents = self._tangents_of(operands)
        if tangents is None:
            return dispatch.apply_at(level, function, operands)

        def apply(inner: Differentiable, values: tuple[Any, ...]) -> tuple[Any, ...]:
            return dispatch.apply_at(level, inner, values)

        with dispatch.below(level):
            results, made = function.push_forward(operands, tuple(tangents), apply)
        for result, tangent in zip(results, made, strict=True):
            if tangent is not None:
                self.watch(result, tangent)
        return results


def type_of(payload: Any) -> Type:
    """The type of an operand."""
    if type(payload) is Value:
        return payload.type
    if type(payload) is TokenType:
        return payload
    array = payload if hasattr(payload, "dtype") else np.asarray(payload)
    return TensorType(np.dtype(array.dtype), tuple(array.shape))


__all__ = ["ForwardRecording", "Tangents", "jvp_graph", "op_jvp", "type_of"]
