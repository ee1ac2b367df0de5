"""Algebra of reductions: axes that hold one element, or one element many times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import Node, Op, Value, ops
from plait.passes.rewriter import Replacement, Rewriter
from plait.passes.rules.match import Rule, is_exact, made_by, scalar

#: Reductions of which the result is one of the elements: any order, any number of repeats.
SELECTIONS = (ops.reduce_max, ops.reduce_min, ops.reduce_any, ops.reduce_all)
ALL = (*SELECTIONS, ops.reduce_sum, ops.reduce_prod)


def _any_order(node: Node) -> bool:
    """Whether the order of the elements does not change a bit of the result."""
    return is_exact(node.operands[0])  # the maximum of 0.0 and -0.0 is the one read first or last


def _reduced_sizes(node: Node) -> list[int] | None:
    shape = node.operands[0].shape
    sizes = [shape[a] for a in node.attributes["axes"]]
    return [d for d in sizes if type(d) is int] if all(type(d) is int for d in sizes) else None


def _no_axes(_: Rewriter, node: Node) -> Replacement:
    keeps = node.op is not ops.reduce_sum or is_exact(node.operands[0])
    return node.operands[0] if keeps and node.attributes["axes"] == () else None


def _axes_of_one(rewriter: Rewriter, node: Node) -> Replacement:
    """The sum of -0.0 alone is 0.0, so the sum of floats stays."""
    if _reduced_sizes(node) != [1] * len(node.attributes["axes"]) or not node.attributes["axes"]:
        return None
    if node.op is ops.reduce_sum and not is_exact(node.operands[0]):
        return None
    return rewriter.emit(ops.reshape, node.operands[0], shape=node.results[0].shape)


def _of_number(rewriter: Rewriter, node: Node) -> Replacement:
    number, sizes = scalar(node.operands[0]), _reduced_sizes(node)
    if number is None or sizes is None or 0 in sizes:
        return None
    if node.op in SELECTIONS:
        return rewriter.fill(number, node.results[0].type)
    if node.op is ops.reduce_sum and is_exact(node.operands[0]):
        return rewriter.fill(_times(number, math.prod(sizes)), node.results[0].type)
    return None


def _times(number: Any, count: int) -> Any:
    """Number * count, modulo the width of the integer dtype."""
    return np.multiply(number.reshape(1), np.asarray([count]).astype(number.dtype))[0]


def _of_transpose(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.transpose)
    if made is None or not _any_order(node):
        return None
    permutation = made.attributes["permutation"]
    axes = tuple(sorted([permutation[a] for a in node.attributes["axes"]]))
    kept = [p for a, p in enumerate(permutation) if a not in node.attributes["axes"]]
    reduced = rewriter.emit(node.op, made.operands[0], axes=axes)
    order = tuple([sorted(kept).index(p) for p in kept])
    return rewriter.emit(ops.transpose, reduced, permutation=order)


def _of_reshape(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.reshape)
    if made is None or not _any_order(node) or node.results[0].shape != ():
        return None
    x = made.operands[0]
    return rewriter.emit(node.op, x, axes=tuple(range(x.ndim)))


def _repeats(node: Node, source: Value) -> tuple[list[int], int] | None:
    """The source's axes still to reduce, and how often the rest repeats each element."""
    shape = node.operands[0].shape
    extra = len(shape) - source.ndim
    axes: list[int] = []
    count = 1
    for axis in node.attributes["axes"]:
        size = shape[axis]
        if axis >= extra and source.shape[axis - extra] == size:
            axes.append(axis - extra)
        elif type(size) is int and size > 0:
            count *= size
        else:
            return None
    return axes, count


def _of_broadcast(rewriter: Rewriter, node: Node) -> Replacement:
    """op(broadcast(x)) = broadcast(op(x)); a sum counts the repeats."""
    made = made_by(node.operands[0], ops.broadcast_to)
    if made is None or not (node.op in SELECTIONS or is_exact(node.operands[0])):
        return None
    source, result = made.operands[0], node.results[0]
    found = _repeats(node, source)
    if found is None or found[1] == 1 or node.op is ops.reduce_prod:
        return None
    axes, count = found
    if axes and not is_exact(source):
        return None  # the maximum of 0.0 and -0.0 depends on their order
    small = rewriter.emit(node.op, source, axes=tuple(axes)) if axes else source
    small = _drop_repeated(rewriter, node, source, small, axes)
    if node.op is ops.reduce_sum:
        number = _times(np.ones((), source.dtype), count)
        small = rewriter.emit(ops.multiply, small, rewriter.fill(number, small.type))
    return rewriter.emit(ops.broadcast_to, small, shape=result.shape)


def _drop_repeated(
    rewriter: Rewriter, node: Node, source: Value, small: Value, axes: list[int]
) -> Value:
    """Take away the source's axes of size 1 that the reduction removes after the repeat."""
    extra = node.operands[0].ndim - source.ndim
    gone = [a - extra for a in node.attributes["axes"] if a >= extra]
    shape = tuple([d for a, d in enumerate(source.shape) if a not in gone])
    return rewriter.emit(ops.reshape, small, shape=shape) if gone != axes else small


def _sum_of_broadcast(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.broadcast_to)
    if made is None or is_exact(node.operands[0]):
        return None
    source, result = made.operands[0], node.results[0]
    found = _repeats(node, source)
    if found is None or found[1] == 1:
        return None
    axes, count = found
    small = rewriter.emit(node.op, source, axes=tuple(axes)) if axes else source
    small = _drop_repeated(rewriter, node, source, small, axes)
    scaled = rewriter.emit(ops.multiply, small, rewriter.fill(count, small.type))
    return rewriter.emit(ops.broadcast_to, scaled, shape=result.shape)


def _for_each(name: str, equation: str, roots: tuple[Op, ...], build: Any) -> list[Rule]:
    return [Rule(f"{op.name.replace('_', '-')}-{name}", equation, op, build) for op in roots]


RULES: tuple[Rule, ...] = (
    *_for_each("nothing", "reduce(x, no axes) = x", ALL, _no_axes),
    *_for_each("one", "reduce(x, axes of size 1) = reshape(x)", ALL, _axes_of_one),
    *_for_each("number", "max(full(c)) = full(c), sum(full(c)) = full(n * c), integers",
               (*SELECTIONS, ops.reduce_sum), _of_number),
    *_for_each("transpose", "reduce(transpose(x)) = transpose(reduce(x)), integers", ALL,
               _of_transpose),
    *_for_each("reshape", "reduce(reshape(x), all axes) = reduce(x, all axes), integers", ALL,
               _of_reshape),
    *_for_each("broadcast", "max(broadcast(x)) = broadcast(max(x)), sum: n times, integers",
               (*SELECTIONS, ops.reduce_sum), _of_broadcast),
    Rule("sum-broadcast-float", "sum(broadcast(x)) = broadcast(n * sum(x)), rounds once less",
         ops.reduce_sum, _sum_of_broadcast, exact=False),
)  # fmt: skip
