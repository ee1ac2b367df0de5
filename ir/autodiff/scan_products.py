"""Sums of products over the trips of a loop, taken as one product after it.

The cotangent of a matrix that each trip multiplies by is a sum of one product for each trip. To add
it up in the carry reads and writes the whole sum in every trip; with the factors stacked it is one
product that also sums over the trips.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait.ir import ops
from plait.ir.autodiff.liveness import live_nodes
from plait.ir.autodiff.recomputation import value_bytes
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Node, Value

Axes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A value of each trip.

    Attributes
    ----------
    source : Value
        Of the trip's graph: a slice, or what has to be stacked.
    moves : tuple of Node
        Transpositions and reshapes that make the factor of it, in order.
    """

    source: Value
    moves: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product of each trip, to be summed over the trips.

    Attributes
    ----------
    factors : pair of Factor
    contracting, batch : pair of tuple of int
        Axes of one trip's factors, as of ``dot_general``.
    moves : tuple of Node
        Transpositions and reshapes of the product, in order.
    """

    factors: tuple[Factor, Factor]
    contracting: Axes
    batch: Axes
    moves: tuple[Node, ...]

    def summed(self, stacks: Mapping[Value, Any]) -> Any:
        """The sum over all trips, of the stacks of the factors' sources."""
        one, other = (_moved(stacks[f.source], f.moves, True) for f in self.factors)
        contracting = tuple([(0, *[a + 1 for a in axes]) for axes in self.contracting])
        batch = tuple([tuple([a + 1 for a in axes]) for axes in self.batch])
        found = ops.dot_general(one, other, contracting=contracting, batch=batch)
        return _moved(found, self.moves, False)


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A loop's body without the products that it summed.

    Attributes
    ----------
    body : Graph
        Without the sums that are gone; its last outputs are what is stacked for the products.
    kept : tuple of int
        The sums that stay in the carry.
    products : tuple of tuple of Product
        For each sum.
    sources : tuple of Value
        What the products are made of: the slices, then what is stacked for them.
    """

    body: Graph
    kept: tuple[int, ...]
    products: tuple[tuple[Product, ...], ...]
    sources: tuple[Value, ...]


def take_products(body: Graph, sums: range, first_output: int, slices: range) -> Taken | None:
    """Take products out of the sums that a loop carries; None when there are none.

    A product goes when the factors that have to be stacked for it are not larger than itself, and
    all these together not larger than the slices.

    Parameters
    ----------
    body : Graph
    sums, slices : range
        Inputs of the body: the sums before the trip, and what there is a stack of.
    first_output : int
        The first sum after the trip among the outputs.
    """
    taken = _Taking(body, slices)
    rests: list[list[Value]] = []
    products: list[tuple[Product, ...]] = []
    for k, i in enumerate(sums):
        own, rest = taken.divide(body.outputs[first_output + k])
        # The sum before the trip is a term, or another term has been added into it in place.
        rests.append([] if rest == [body.inputs[i]] else rest)
        products.append(own)
    if not any(products):
        return None
    kept = tuple([k for k, rest in enumerate(rests) if rest])
    made = _without(body, sums, first_output, [rests[k] for k in kept], kept, tuple(taken.stacked))
    inputs = [body.inputs[i] for i in slices]
    return Taken(made, kept, tuple(products), (*inputs, *taken.stacked))


class _Taking:
    """Divides sums, as long as there is room for stacks."""

    def __init__(self, body: Graph, slices: range) -> None:
        self.slices = {body.inputs[i] for i in slices}
        self.fixed = set(body.inputs) - self.slices
        self.stacked: dict[Value, None] = {}
        self.room = sum(value_bytes(v.type) for v in self.slices)

    def divide(self, value: Value) -> tuple[tuple[Product, ...], list[Value]]:
        """The products that are taken of a sum, and its other terms."""
        products: list[Product] = []
        rest: list[Value] = []
        for term in _terms(value):
            product = _as_product(term)
            if product is not None and self._take(product, term):
                products.append(product)
            else:
                rest.append(term)
        return tuple(products), rest

    def _take(self, product: Product, term: Value) -> bool:
        new = dict.fromkeys(
            f.source
            for f in product.factors
            if f.source not in self.slices and f.source not in self.stacked
        )
        cost = sum(value_bytes(v.type) for v in new)
        if not self.fixed.isdisjoint(new) or cost > min(self.room, value_bytes(term.type)):
            return False
        self.room -= cost
        self.stacked |= new
        return True


def _without(
    body: Graph,
    sums: range,
    first_output: int,
    rests: Sequence[Sequence[Value]],
    kept: tuple[int, ...],
    stacked: tuple[Value, ...],
) -> Graph:
    """The body that sums the rest only, and gives what is to be stacked."""
    before, after = body.outputs[:first_output], body.outputs[first_output + len(sums) :]
    gone = {i for k, i in enumerate(sums) if k not in kept}
    builder = GraphBuilder(body.name)
    mapping = {v: builder.input(v.type, v.name) for i, v in enumerate(body.inputs) if i not in gone}
    wanted = (*before, *[v for rest in rests for v in rest], *after, *stacked)
    for node in live_nodes(body, wanted):
        operands = tuple([mapping[v] for v in node.operands])
        types = tuple([r.type for r in node.results])
        made = builder.append(
            node.op, operands, node.attributes, node.regions, types, node.location
        )
        mapping.update(zip(node.results, made.results, strict=True))
    with builder:
        totals = [functools.reduce(ops.add, [mapping[v] for v in rest]) for rest in rests]
    held = [[mapping[v] for v in part] for part in (before, after, stacked)]
    return builder.build([*held[0], *totals, *held[1], *held[2]])


def _terms(value: Value) -> list[Value]:
    """The values of which one is the sum."""
    node = value.node
    if node is None or node.op is not ops.add:
        return [value]
    return [term for operand in node.operands for term in _terms(operand)]


def _as_product(value: Value) -> Product | None:
    """A term as a product; None when it is none."""
    inner, moves = _without_moves(value)
    node = inner.node
    if node is None or node.op not in (ops.matmul, ops.dot_general):
        return None
    if node.op is ops.matmul:
        rank = len(inner.shape)
        kept = tuple(range(rank - 2))
        contracting, batch = ((rank - 1,), (rank - 2,)), (kept, kept)
    else:
        contracting, batch = node.attributes["contracting"], node.attributes["batch"]
    one, other = (Factor(*_without_moves(v)) for v in node.operands)
    return Product((one, other), contracting, batch, moves)


def _without_moves(value: Value) -> tuple[Value, tuple[Node, ...]]:
    """What a value is a transposition or reshape of, and these."""
    moves: list[Node] = []
    inner = value
    while inner.node is not None and inner.node.op in (ops.transpose, ops.reshape):
        moves.append(inner.node)
        inner = inner.node.operands[0]
    return inner, tuple(reversed(moves))


def _moved(payload: Any, moves: Iterable[Node], is_stack: bool) -> Any:
    """A value after the moves; of a stack, those of each of its rows."""
    for node in moves:
        if node.op is ops.transpose:
            axes = node.attributes["permutation"]
            axes = (0, *[a + 1 for a in axes]) if is_stack else axes
            payload = ops.transpose(payload, permutation=axes)
        else:
            shape = node.attributes["shape"]
            shape = (payload.shape[0], *shape) if is_stack else shape
            payload = ops.reshape(payload, shape=shape)
    return payload


__all__ = ["Product", "Taken", "take_products"]
