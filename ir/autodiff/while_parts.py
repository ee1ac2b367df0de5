"""What the rules of loops share: a loop's parts, regions made by functions, reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import dispatch, ops
from plait.ir.autodiff.graphs import is_differentiable
from plait.ir.autodiff.linear import Linear, trim
from plait.ir.autodiff.liveness import live_part
from plait.ir.autodiff.partition import Split
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph
from plait.ir.literal import Literal
from plait.ir.types import TensorType, Type, int64

COUNT = TensorType(int64, ())
Indices = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A ``while``.

    Attributes
    ----------
    num_consts : int
    condition, body : Graph
    bound : int or None
        No more trips than this are made.
    """

    num_consts: int
    condition: Graph
    body: Graph
    bound: int | None = None

    @staticmethod
    def make(attributes: Mapping[str, Any], regions: tuple[Graph, ...]) -> Loop:
        """The parts of an op with these attributes and regions."""
        condition, body = regions
        return Loop(attributes["num_consts"], condition, body, attributes.get("bound"))

    @property
    def num_carry(self) -> int:
        """How many values are carried."""
        return len(self.body.outputs)

    @property
    def carry_types(self) -> tuple[Type, ...]:
        """Types of the carry."""
        return self.body.output_types

    @property
    def unchanged(self) -> frozenset[int]:
        """The carried values that every trip gives back as they were."""
        values, first = self.body.inputs, self.num_consts
        return frozenset([j for j, v in enumerate(self.body.outputs) if v is values[first + j]])

    def active(self, needs: Sequence[bool]) -> tuple[Indices, Indices]:
        """The constants and the carry that depend smoothly on operands that matter.

        A carried value may come to depend on them after any number of trips: the least set that a
        trip maps into itself.
        """
        first, values = self.num_consts, self.body.inputs
        known = {i for i, need in enumerate(needs) if need and is_differentiable(values[i])}
        while True:
            more = {first + j for j in reached(self.body, known)} - known
            if not more:
                break
            known |= more
        consts = tuple([i for i in sorted(known) if i < first])
        return consts, tuple([i - first for i in sorted(known) if i >= first])


def reached(graph: Graph, inputs: Iterable[int]) -> set[int]:
    """The outputs that depend on some inputs through differentiable values, or may do so."""
    known = {graph.inputs[i] for i in inputs}
    for node in graph.nodes:
        smooth = node.op.has_regions or (node.op.derivative is not None and not node.op.is_effect)
        if smooth and not known.isdisjoint(node.operands):
            known.update([v for v in node.results if is_differentiable(v)])
    return {i for i, v in enumerate(graph.outputs) if v in known and is_differentiable(v)}


def make_region(name: str, types: Iterable[Type], function: Callable[..., Sequence[Any]]) -> Graph:
    """A graph of what ``function(builder, *inputs)`` gives; no tape looks on."""
    builder = GraphBuilder(name)
    inputs = [builder.input(t) for t in types]
    with dispatch.suspended(), builder:
        return live_part(builder.build(function(builder, *inputs)))


def zeros(type_: Type) -> Any:
    """Zeros of a tensor type."""
    assert type(type_) is TensorType
    return ops.full(value=Literal(np.zeros((), type_.dtype)), shape=type_.shape)


def or_zeros(payload: Any, type_: Type) -> Any:
    """A tangent or cotangent, of which None stands for zero."""
    return zeros(type_) if payload is None else payload


def number(value: int) -> Any:
    """A count."""
    return ops.constant(value=Literal(np.asarray(value, np.int64)))


def buffer_type(type_: Type, size: int) -> TensorType:
    """The type of a buffer of values."""
    assert type(type_) is TensorType
    return type_.with_shape((size, *type_.shape))


def write(buffer: Any, value: Any, place: Any) -> Any:
    """The buffer with a value in one of its places; behind its end, in the last."""
    row = ops.reshape(value, shape=(1, *value.shape))
    return ops.dynamic_update_slice(buffer, row, place, *[number(0) for _ in value.shape])


def read(buffer: Any, place: Any) -> Any:
    """The value in one of a buffer's places."""
    shape = buffer.shape[1:]
    row = ops.dynamic_slice(buffer, place, *[number(0) for _ in shape], sizes=(1, *shape))
    return ops.reshape(row, shape=shape)


def trimmed(
    parts: Split, num_consts: int, given: Indices, wanted: Indices
) -> tuple[Linear, Indices]:
    """A trip's backward graph for the cotangents that are ever not zero, and which these are.

    Parameters
    ----------
    parts : Split
        Of the body's joint.
    num_consts : int
    given : tuple of int
        The carried values whose cotangents are not zero after the loop.
    wanted : tuple of int
        The constants whose cotangents are asked for.
    """
    asked = [i >= num_consts or i in wanted for i in parts.inputs]
    known = set(given)
    while True:
        linear = trim(parts.backward, [j in known for j in parts.outputs], asked)
        made = {parts.inputs[i] - num_consts for i in linear.outputs}
        more = {j for j in made if j >= 0} - known
        if not more:
            return linear, tuple(sorted(known))
        known |= more


def run_while(
    consts: Sequence[Any],
    carry: Sequence[Any],
    regions: tuple[Graph, Graph],
    bound: int | None = None,
) -> tuple[Any, ...]:
    """The final carry of a loop."""
    limit = {} if bound is None else {"bound": bound}
    found: tuple[Any, ...] = ops.while_(
        *consts, *carry, regions=regions, num_consts=len(consts), **limit
    )
    return found


def inner_while(
    consts: Sequence[Any],
    carry: Sequence[Any],
    go_on: Callable[..., Any],
    step: Callable[..., Sequence[Any]],
    bound: int | None = None,
    name: str = "body",
) -> tuple[Any, ...]:
    """The final carry of a loop in a graph that is being built.

    ``go_on(consts, carry)`` and ``step(builder, consts, carry)`` are applied to the values of the
    regions.
    """
    n, types = len(consts), [v.type for v in (*consts, *carry)]
    condition = make_region(
        f"{name}_condition", types, lambda _, *given: [go_on(given[:n], given[n:])]
    )
    body = make_region(name, types, lambda builder, *given: step(builder, given[:n], given[n:]))
    return run_while(consts, carry, (condition, body), bound)


__all__ = [
    "COUNT",
    "Indices",
    "Loop",
    "buffer_type",
    "inner_while",
    "make_region",
    "number",
    "or_zeros",
    "reached",
    "read",
    "run_while",
    "trimmed",
    "write",
    "zeros",
]
