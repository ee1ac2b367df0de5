"""Checks become data: one status output tells the first failure of a compiled graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import (
    Graph,
    GraphBuilder,
    Literal,
    Location,
    Node,
    TensorType,
    TokenType,
    Value,
    bool_,
    int64,
    ops,
)
from plait.ir.errors import GraphError, PlaitError
from plait.ir.template import make_error
from plait.ir.types import DType, is_floating
from plait.passes.dce import remove_dead

#: A status: 0, or 1 + the number of the first failed check; then its details, by their bits.
STATUS = TensorType(int64, (4,))
SCALAR_BOOL = TensorType(bool_, ())
MAX_DETAILS = 3


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """What a failed check raises.

    Attributes
    ----------
    error : str or callable
        A class of ``plait.ir.errors`` or of Python's own, or what makes the exception of the
        details.
    message : str
        A template over the details.
    location : Location
        The user's line.
    dtypes : tuple of dtype
        Of the details.
    """

    error: str | Callable[..., Any]
    message: str
    location: Location
    dtypes: tuple[DType, ...] = ()

    def exception(self, status: Any) -> BaseException:
        """What a status, an int64 array that names this check, is raised as."""
        details = [_from_bits(x, d) for x, d in zip(status[1:], self.dtypes, strict=False)]
        made: BaseException = make_error(self.error, self.message, details)
        return made.at(self.location) if isinstance(made, PlaitError) else made


CheckTable = tuple[CheckRecord, ...]


def lower_checks(graph: Graph, enabled: bool = True) -> tuple[Graph, CheckTable]:
    """Turn all checks, those in regions too, into one more last output ``status: i64[4]``.

    Parameters
    ----------
    graph : Graph
    enabled : bool
        When False, the checks are dropped, but for those of the room for trips of loops.

    Returns
    -------
    graph : Graph
        With the status output; without it (and without a table) when there are no checks.
    table : tuple of CheckRecord
        ``status[0] - 1`` is an index into it; ``status[1:]`` are the details.
    """
    lowering = _Lowering()
    if not lowering.has_checks(graph):
        return graph, ()
    if not enabled:
        graph = remove_dead(_without_checks(graph, {}))
        if not lowering.has_checks(graph):
            return graph, ()
    return lowering.graph(graph), tuple(lowering.table)


def _without_checks(graph: Graph, memo: dict[Graph, Graph]) -> Graph:
    """The graph without checks that the user can do without."""
    if graph in memo:
        return memo[graph]
    renamed: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op is ops.check and node.attributes["error"] != "LoopCapacityError":
            continue
        operands = tuple([renamed.get(v, v) for v in node.operands])
        regions = tuple([_without_checks(r, memo) for r in node.regions])
        if operands != node.operands or regions != node.regions:
            types = tuple([r.type for r in node.results])
            made = Node.make(node.op, operands, node.attributes, regions, node.location, types)
            renamed.update(zip(node.results, made.results, strict=True))
            node = made
        nodes.append(node)
    outputs = tuple([renamed.get(v, v) for v in graph.outputs])
    memo[graph] = Graph(graph.name, graph.inputs, tuple(nodes), outputs)
    return memo[graph]


class _Builder(GraphBuilder):
    """A builder that has each of the lowering's own constants once."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._numbers: dict[tuple[int, ...] | int, Value] = {}

    def number(self, content: tuple[int, ...] | int) -> Value:
        """An int64 constant."""
        known = self._numbers.get(content)
        if known is None:
            known = self._numbers[content] = self.constant(np.asarray(content, np.int64))
        return known


class _Lowering:
    """One run: numbers the checks, and lowers each region once."""

    def __init__(self) -> None:
        self.table: list[CheckRecord] = []
        self._checked: dict[Graph, bool] = {}
        self._lowered: dict[tuple[Graph, bool], Graph] = {}

    def has_checks(self, graph: Graph) -> bool:
        known = self._checked.get(graph)
        if known is None:
            known = self._checked[graph] = any(
                n.op is ops.check or (n.regions and any(map(self.has_checks, n.regions)))
                for n in graph.nodes
            )
        return known

    def graph(self, graph: Graph, guarded: bool = False) -> Graph:
        """The graph with its status as one more output; zeros when it has no checks.

        With ``guarded``, one more input says whether nothing has failed before.
        """
        known = self._lowered.get((graph, guarded))
        if known is not None:
            return known
        builder = _Builder(graph.name)
        inputs = [builder.input(v.type, v.name) for v in graph.inputs]
        mapping = dict(zip(graph.inputs, inputs, strict=True))
        failures: list[tuple[Value, Value]] = []
        if guarded:
            failures.append((builder.input(SCALAR_BOOL, "ok"), _no_failure(builder)))
        with builder:
            for node in graph.nodes:
                operands = [mapping[v] for v in node.operands]
                with builder.at(node.location):
                    results = self._node(builder, node, operands, failures)
                mapping.update(zip(node.results, results, strict=True))
            status = _first_failure(builder, failures)
        outputs = [mapping[v] for v in graph.outputs]
        lowered = self._lowered[graph, guarded] = builder.build([*outputs, status])
        return lowered

    def _node(
        self,
        builder: _Builder,
        node: Node,
        operands: list[Value],
        failures: list[tuple[Value, Value]],
    ) -> Sequence[Value]:
        """Copy a node; what it can fail with is added to ``failures`` as (ok, status)."""
        if node.op is ops.check:
            failures.append((operands[0], self._record(builder, node, operands[1:])))
            return ()
        if failures and has_host_effect(node) and _can_be_left_out(node):
            return self._guarded(builder, node, operands, failures)
        if not any(self.has_checks(r) for r in node.regions):
            return builder.copy(node, operands)
        results, status = self._region_node(builder, node, operands)
        failures.append((_is_ok(builder, status), status))
        return results

    def _guarded(
        self,
        builder: _Builder,
        node: Node,
        operands: list[Value],
        failures: list[tuple[Value, Value]],
    ) -> Sequence[Value]:
        """A print, a callback or a region with one: not after a failure, as in eager code."""
        ok = failures[0][0]
        for other, _ in failures[1:]:
            ok = ops.logical_and(ok, other)
        checked = any(self.has_checks(r) for r in node.regions)
        then, other_side = _Builder("then"), _Builder("else")
        with then, then.at(node.location):
            inner = [then.input(v.type) for v in operands]
            if checked:
                results, status = self._region_node(then, node, inner)
                done = [*results, status]
            else:
                done = list(then.copy(node, inner))
        with other_side:
            left_out = _left_out(other_side, [other_side.input(v.type) for v in operands], done)
        regions = (then.build(done), other_side.build(left_out))
        found = builder.emit(ops.cond, ok, *operands, regions=regions)
        if not checked:
            return list(found)
        failures.append((_is_ok(builder, found[-1]), found[-1]))
        return list(found[:-1])

    def _record(self, builder: _Builder, node: Node, details: list[Value]) -> Value:
        """Number a check; gives its status if it fails."""
        if len(details) > MAX_DETAILS:
            raise GraphError(f"check: at most {MAX_DETAILS} details fit the status", node.location)
        attributes = node.attributes
        dtypes = tuple([v.dtype for v in details])
        self.table.append(
            CheckRecord(attributes["error"], attributes["message"], node.location, dtypes)
        )
        if not details:
            return builder.number((len(self.table), 0, 0, 0))
        parts = [builder.number((len(self.table),)), *[_bits(d) for d in details]]
        if len(details) < MAX_DETAILS:
            parts.append(builder.number((0,) * (MAX_DETAILS - len(details))))
        status: Value = ops.concat(*parts, axis=0)
        return status

    def _region_node(
        self, builder: _Builder, node: Node, operands: list[Value]
    ) -> tuple[Sequence[Value], Value]:
        if node.op is ops.while_:
            return self._while(builder, node, operands)
        if node.op is ops.scan:
            return self._scan(builder, node, operands)
        if node.op is ops.custom_vjp:
            called = self.graph(node.regions[0])
            results = builder.emit(ops.call, *operands, regions=[called], **node.attributes)
            return results[:-1], results[-1]
        regions = [self.graph(r) for r in node.regions]
        results = builder.emit(node.op, *operands, regions=regions, **node.attributes)
        return results[:-1], results[-1]

    def _scan(
        self, builder: _Builder, node: Node, operands: list[Value]
    ) -> tuple[Sequence[Value], Value]:
        """The status is one more carry, after the others; the first failure stays."""
        (body,) = node.regions
        carry = node.attributes["num_carry"]
        first = node.attributes["num_consts"] + carry
        inner = _Builder(body.name)
        inputs = [inner.input(v.type, v.name) for v in body.inputs[:first]]
        before = inner.input(STATUS, "status")
        inputs += [inner.input(v.type, v.name) for v in body.inputs[first:]]
        with inner:
            if any(map(has_host_effect, body.nodes)):
                lowered, given = self.graph(body, guarded=True), [*inputs, _is_ok(inner, before)]
            else:
                lowered, given = self.graph(body), inputs
            *outputs, failed = inner.inline(lowered, given)
            after = _earlier(inner, before, failed)
        region = inner.build([*outputs[:carry], after, *outputs[carry:]])
        attributes = {**node.attributes, "num_carry": carry + 1}
        results = builder.emit(
            node.op,
            *operands[:first],
            _no_failure(builder),
            *operands[first:],
            regions=[region],
            **attributes,
        )
        return [*results[:carry], *results[carry + 1 :]], results[carry]

    def _while(
        self, builder: _Builder, node: Node, operands: list[Value]
    ) -> tuple[Sequence[Value], Value]:
        """The status is the last carry and stops the loop.

        The condition's own checks run again at the head of the body, and after the loop.
        """
        condition, body = node.regions
        checked = self.has_checks(condition)
        go_on = self.graph(condition)
        condition_graph = _condition_until_failure(go_on)
        inner = _Builder(body.name)
        inputs = [inner.input(v.type, v.name) for v in body.inputs]
        inner.input(STATUS, "status")
        with inner:
            *carry, status = inner.inline(self.graph(body), inputs)
            if checked:
                status = _earlier(inner, inner.inline(go_on, inputs)[-1], status)
        region = remove_dead(inner.build([*carry, status]))
        *results, status = builder.emit(
            node.op,
            *operands,
            _no_failure(builder),
            regions=[condition_graph, region],
            **node.attributes,
        )
        if checked:
            consts = operands[: node.attributes["num_consts"]]
            status = _earlier(builder, status, builder.inline(go_on, [*consts, *results])[-1])
        return results, status


def has_host_effect(node: Node) -> bool:
    """Whether a node, or one inside of it, prints or runs the user's code."""
    return node.op.is_host_effect or any(has_host_effect(n) for r in node.regions for n in r.nodes)


def _can_be_left_out(node: Node) -> bool:
    """Whether something can stand for the results: tokens go through, tensors are zeros."""
    taken = sum(type(v.type) is TokenType for v in node.operands)
    given = sum(type(v.type) is TokenType for v in node.results)
    tensors = [v.type for v in node.results if type(v.type) is not TokenType]
    return taken >= given and all(type(t) is TensorType and t.is_static for t in tensors)


def _left_out(builder: _Builder, operands: list[Value], results: list[Value]) -> list[Value]:
    """What stands for the results of a node that does not run."""
    tokens = iter([v for v in operands if type(v.type) is TokenType])
    found: list[Value] = []
    for result in results:
        if type(result.type) is TokenType:
            found.append(next(tokens))
        else:
            zero = Literal(np.zeros((), result.dtype))
            found.append(builder.emit(ops.full, value=zero, shape=result.shape))
    return found


def _condition_until_failure(lowered: Graph) -> Graph:
    """The condition of a loop that also stops when the status, its last carry, is a failure."""
    builder = _Builder(lowered.name)
    inputs = [builder.input(v.type, v.name) for v in lowered.inputs]
    status = builder.input(STATUS, "status")
    with builder:
        go_on = builder.inline(lowered, inputs)[0]
        both = ops.logical_and(go_on, _is_ok(builder, status))
    return remove_dead(builder.build([both]))


def _bits(detail: Value) -> Value:
    """The bits of a real scalar as ``i64[1]``."""
    if is_floating(detail.dtype):
        detail = ops.bitcast(detail, dtype=np.dtype(f"i{detail.dtype.itemsize}"))
    if detail.dtype == np.uint64:
        detail = ops.bitcast(detail, dtype=int64)
    if detail.dtype != int64:
        detail = ops.cast(detail, dtype=int64)
    bits: Value = ops.reshape(detail, shape=(1,))
    return bits


def _from_bits(bits: Any, dtype: DType) -> Any:
    """The scalar whose bits ``_bits`` gave."""
    if not is_floating(dtype):
        return np.asarray(bits).astype(dtype)
    return np.asarray(bits).astype(f"i{dtype.itemsize}").view(dtype)


def _no_failure(builder: _Builder) -> Value:
    return builder.number((0, 0, 0, 0))


def _is_ok(builder: _Builder, status: Value) -> Value:
    """Whether a status says that nothing failed, as ``bool[]``."""
    head = ops.reshape(ops.slice_(status, starts=(0,), stops=(1,), steps=(1,)), shape=())
    ok: Value = ops.equal(head, builder.number(0))
    return ok


def _either(ok: Value, status: Value, failure: Value) -> Value:
    """``status`` if ok, else ``failure``."""
    chosen: Value = ops.select(ops.broadcast_to(ok, shape=(4,)), status, failure)
    return chosen


def _earlier(builder: _Builder, first: Value, second: Value) -> Value:
    """The first of two statuses, unless it is ok."""
    return _either(_is_ok(builder, first), second, first)


def _first_failure(builder: _Builder, failures: list[tuple[Value, Value]]) -> Value:
    """The status of the first that is not ok: later ones are chosen first and overruled."""
    status = _no_failure(builder)
    for ok, failure in reversed(failures):
        status = _either(ok, status, failure)
    return status
