"""Structural hash and equality: what a graph computes, whatever its names and locations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from plait.ir.analysis import nested_graphs
from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Node, Value
from plait.ir.host import MissingFunction
from plait.ir.literal import Literal
from plait.ir.op import Op
from plait.ir.text import format_value
from plait.ir.types import Type

_digests: WeakKeyDictionary[Graph, bytes] = WeakKeyDictionary()


def structural_hash(graph: Graph) -> str:
    """A hash of what the graph computes, as 32 hexadecimal digits, equal in every process.

    Ops, attributes, types, the order of nodes, and regions count; names and locations do not. An
    attribute left out counts as its default. Python functions of callbacks count by identity.

    Examples
    --------
    >>> from plait import ir
    >>> f = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> g = ir.parse("graph g(%y: f32[2]) -> (f32[2]) { %z: f32[2] = tanh(%y) return %z }")
    >>> ir.structural_hash(f) == ir.structural_hash(g)
    True
    """
    return structural_digest(graph).hex()


def structural_digest(graph: Graph) -> bytes:
    """The 16 bytes of ``structural_hash``; computed once for each graph."""
    known = _digests.get(graph)
    if known is not None:
        return known
    for inner in nested_graphs(graph):
        if inner not in _digests:
            text = _encode(inner, _digests)
            _digests[inner] = hashlib.blake2b(text, digest_size=16).digest()
    return _digests[graph]


def structural_equal(a: Graph, b: Graph, *, locations: bool = False) -> bool:
    """Whether two graphs compute the same in the same way, whatever their names.

    Parameters
    ----------
    a, b : Graph
    locations : bool
        Whether nodes must also have equal locations.
    """
    if a is b:
        return True
    if structural_digest(a) != structural_digest(b):
        return False
    if not locations:
        return True
    pairs = zip(nested_nodes(a), nested_nodes(b), strict=True)
    return all(m.location == n.location for m, n in pairs)


def nested_nodes(graph: Graph) -> list[Node]:
    """All nodes, those of each region once for each node that holds it."""
    found: list[Node] = []
    pending = [graph]
    while pending:
        nodes = pending.pop().nodes
        found += nodes
        pending += [r for n in nodes for r in n.regions]
    return found


def attribute_key(value: Any) -> str:
    """A text for an attribute: equal for equal attributes only, short for large literals."""
    return format_value(value, _literal_key, _function_key)


def _literal_key(literal: Literal) -> str:
    return f"@{literal.digest.hex()}: {literal.type}"


_numbers = count()
_weak_numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_kept_numbers: dict[int, tuple[Any, int]] = {}


def _function_key(function: Callable[..., Any]) -> str:
    """A number that no other function gets, even after this one is gone."""
    if isinstance(function, MissingFunction):
        return f"missing {function.name!r}"
    try:
        return f"python {_weak_numbers.setdefault(function, next(_numbers))}"
    except TypeError:  # neither hashed nor weakly referenced: keep it
        kept = _kept_numbers.setdefault(id(function), (function, next(_numbers)))
        return f"python {kept[1]}"


class _Encoder:
    """Texts of types and attributes, made once for each graph."""

    def __init__(self, graph: Graph) -> None:
        self.types: dict[Type, str] = {}
        self.defaults: dict[Op, dict[str, str]] = {}
        self.numbers: dict[Value, str] = {v: str(i) for i, v in enumerate(graph.inputs)}

    def type(self, type_: Type) -> str:
        text = self.types.get(type_)
        if text is None:
            text = self.types[type_] = str(type_)
        return text

    def attributes(self, node: Node) -> str:
        op = node.op
        defaults = self.defaults.get(op)
        if defaults is None:
            given = {n: p.default for n, p in op.parameters.items() if p.default is not p.empty}
            defaults = self.defaults[op] = {n: attribute_key(v) for n, v in given.items()}
        if not node.attributes and not defaults:
            return ""
        keys = {**defaults, **{n: attribute_key(v) for n, v in node.attributes.items()}}
        return ";".join([f"{name}={keys[name]}" for name in sorted(keys)])


def _encode(graph: Graph, regions: Mapping[Graph, bytes]) -> bytes:
    """A text that two graphs share exactly when their structure is the same."""
    encoder = _Encoder(graph)
    numbers = encoder.numbers
    lines = [",".join([encoder.type(v.type) for v in graph.inputs])]
    try:
        for node in graph.nodes:
            operands = ",".join([numbers[v] for v in node.operands])
            for result in node.results:
                numbers[result] = str(len(numbers))
            types = ",".join([encoder.type(v.type) for v in node.results])
            inner = ",".join([regions[r].hex() for r in node.regions])
            attributes = encoder.attributes(node)
            lines.append(f"{node.op.name}({operands}){{{attributes}}}[{inner}]:{types}")
        lines.append(",".join([numbers[v] for v in graph.outputs]))
    except KeyError:
        raise GraphError(
            f"graph {graph.name!r} uses a value that it does not define; verify the graph"
        ) from None
    return "\n".join(lines).encode("utf-8", "surrogatepass")
