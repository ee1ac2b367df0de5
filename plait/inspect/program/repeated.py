"""Values that only repeat others: elementwise NumPy broadcasts, so they need not be written out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from plait.ir import Graph, Literal, Node, TensorType, Trait, Value

Source = Value | Literal
#: Elements up to which a constant stands where it is used.
INLINE_ELEMENTS = 16
#: Families whose results are new arrays in C order, whatever their operands.
_FRESH = frozenset(
    ("creation", "linear", "convolution", "random", "encoding", "searching", "indexing")
)
#: Families whose results are so where their operands are.
_KEEPING = frozenset(("reductions", "softmax"))
_KEPT = frozenset(("complex",))


class Repeated:
    """Which operands of a graph's nodes NumPy's broadcasting gives.

    A value that is the same everywhere is a number there. The bits stay those of the reference:
    ops whose bits depend on strides are left alone, and so is a filled array where the layout of
    the result would not be the same without it.

    Parameters
    ----------
    graph : Graph
    dense : collection of Value
        Inputs that are arrays in C order.
    """

    def __init__(self, graph: Graph, dense: Collection[Value]) -> None:
        self._dense = set(dense)
        self._sources: dict[tuple[Node, int], Source] = {}
        for node in graph.nodes:
            if node.op.has(Trait.ELEMENTWISE) and len(node.operands) > 1:
                self._find(node)
            self._note(node)
        used = Counter(v for v in graph.outputs)
        for node in graph.nodes:
            used.update(
                v
                for v in [self.source(node, k) for k in range(len(node.operands))]
                if isinstance(v, Value)
            )
        self._used = used

    def source(self, node: Node, k: int) -> Source:
        """What stands for an operand."""
        return self._sources.get((node, k), node.operands[k])

    def is_needed(self, node: Node) -> bool:
        """Whether a node has to be written."""
        if is_inline(node):
            return False
        if node.op.name in ("broadcast_to", "full"):
            return node.results[0] in self._used
        return True

    def _find(self, node: Node) -> None:
        """Choose sources for the operands of a node, if they still give its shape."""
        if node.op.has(Trait.LAYOUT) or node.op.name in _KEPT:
            return
        wanted = node.results[0].shape
        whole = [v for v in node.operands if _source(v) is None]
        is_dense = len(wanted) < 2 or (bool(whole) and all(v in self._dense for v in whole))
        chosen: dict[int, Source] = {}
        for k, value in enumerate(node.operands):
            source = _source(value)
            if isinstance(source, Value) or (isinstance(source, Literal) and is_dense):
                chosen[k] = source
        shapes = [_shape(chosen.get(k, v)) for k, v in enumerate(node.operands)]
        if chosen and _broadcast(shapes) == tuple(wanted):
            self._sources.update({(node, k): s for k, s in chosen.items()})

    def _note(self, node: Node) -> None:
        """Whether the results are arrays in C order."""
        if node.op.view is not None or node.regions:
            return
        fresh = node.op.family in _FRESH or node.op.name in ("concat", "split", "pad")
        if node.op.has(Trait.ELEMENTWISE) or node.op.family in _KEEPING:
            operands = [
                node.operands[k]
                for k in range(len(node.operands))
                if (node, k) not in self._sources
            ]
            fresh = bool(operands) and all(v in self._dense for v in operands)
        if fresh:
            self._dense.update(node.results)


def is_inline(node: Node) -> bool:
    """Whether a node is a number, or a constant with a name of its own."""
    literal = node.attributes.get("value") if node.op.is_constant else None
    if not isinstance(literal, Literal):
        return False
    is_named = node.op.name == "constant" and literal.array.size > INLINE_ELEMENTS
    return node.results[0].shape == () or is_named


def _source(value: Value) -> Source | None:
    """What a value repeats."""
    node = value.node
    if node is None or not isinstance(value.type, TensorType):
        return None
    if node.op.name == "broadcast_to":
        return node.operands[0]
    if node.op.name == "full":
        literal: Literal = node.attributes["value"]
        return literal
    return None


def _shape(source: Source) -> tuple[Any, ...]:
    return source.shape if isinstance(source, Value) else ()


def _broadcast(shapes: Sequence[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    """The shape that NumPy's rule gives; symbolic sizes are equal by name only."""
    rank = max(map(len, shapes))
    found: list[Any] = []
    for axis in range(-rank, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1:
            return None
        found.append(sizes.pop() if sizes else 1)
    return tuple(found)
