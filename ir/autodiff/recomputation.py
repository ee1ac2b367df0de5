"""What computing a node again is worth, in bytes that would be saved instead."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Node
from plait.ir.op import Trait, node_flops
from plait.ir.types import TensorType, TokenType, Type

#: A symbolic dimension counts as this.
TYPICAL_SIZE = 64
#: Arithmetic that a compiler merges into what reads it: bytes for each operation.
FUSED = 0.25
#: From so many operations for an element on, an elementwise op is a transcendental function.
TRANSCENDENTAL = 8.0


def typical(type_: Type) -> Type:
    """The type with sizes for its symbolic dimensions."""
    if type(type_) is not TensorType or type_.is_static:
        return type_
    return type_.with_shape([d if type(d) is int else TYPICAL_SIZE for d in type_.shape])


def value_bytes(type_: Type) -> float:
    """What it costs to save a value; infinite when it cannot be saved."""
    sized = typical(type_)
    return float(sized.nbytes) if type(sized) is TensorType else math.inf


def can_recompute(node: Node) -> bool:
    """Whether a node may run twice: it, and what is in its regions, has no effect but checks."""
    if node.op.is_effect:
        return False
    inner = [n for r in node.regions for n in r.walk()]
    return all(_is_check(n) or not n.op.is_effect for n in inner) and not any(
        type(v.type) is TokenType for v in (*node.operands, *node.results)
    )


def recomputation_cost(node: Node) -> float:
    """What it costs to run a node again, in bytes; infinite for what never pays.

    Constants and reshapes are (almost) free, arithmetic is cheaper than memory for chains of some
    length, transcendental functions are dearer, and so is all that reads more than it gives.
    """
    op = node.op
    if op.has_regions or op.has(Trait.CONTRACTION):
        return math.inf
    if op.is_constant or op.is_barrier:
        return 0.0
    operands = tuple([typical(v.type) for v in node.operands])
    results = tuple([typical(v.type) for v in node.results])
    size = sum(map(value_bytes, results))
    if op.has(Trait.DATA_MOVEMENT):
        return size / 16 if op.has(Trait.CHEAP) else size / 2
    flops = node_flops(op, operands, results, node.attributes)
    if op.has(Trait.ELEMENTWISE):
        count = max(sum(t.size for t in results if type(t) is TensorType), 1)
        return FUSED * flops if flops < TRANSCENDENTAL * count else max(float(flops), 2 * size)
    return flops + 2 * (size + sum(map(value_bytes, operands)))


_quiet: WeakKeyDictionary[Graph, Graph | None] = WeakKeyDictionary()


def quiet(graph: Graph) -> Graph:
    """The graph without its checks, and those in its regions, for a second run."""
    if graph not in _quiet:
        made = _without_checks(graph)
        _quiet[graph] = None if made is graph else made
    return _quiet[graph] or graph


def _without_checks(graph: Graph) -> Graph:
    if not any(_is_check(n) for n in graph.walk()):
        return graph
    builder = GraphBuilder(graph.name)
    mapping = {v: builder.input(v.type, v.name) for v in graph.inputs}
    for node in graph.nodes:
        if not _is_check(node):
            operands = tuple([mapping[v] for v in node.operands])
            types = tuple([r.type for r in node.results])
            regions = tuple(map(quiet, node.regions))
            made = builder.append(node.op, operands, node.attributes, regions, types, node.location)
            mapping.update(zip(node.results, made.results, strict=True))
    return builder.build([mapping[v] for v in graph.outputs])


def _is_check(node: Node) -> bool:
    return node.op.is_effect and not node.results


__all__ = ["can_recompute", "quiet", "recomputation_cost", "typical", "value_bytes"]
