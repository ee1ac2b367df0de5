"""Keys by which equal nodes are found: op, operands, attributes, structure of regions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from plait.ir import Graph, Node, Value


def node_key(node: Node) -> Hashable:
    """Equal for nodes that compute the same from the same operands."""
    if not node.attributes and not node.regions:
        return (node.op, node.operands)
    regions = tuple([region_key(r) for r in node.regions])
    return (node.op, node.operands, attributes_key(node.attributes), regions)


def attributes_key(attributes: Mapping[str, Any]) -> Hashable:
    """Equal for equal attributes; ``1``, ``1.0`` and ``True`` differ, as do ``0.0`` and ``-0.0``."""
    if len(attributes) > 1:
        return tuple([(k, attribute_key(attributes[k])) for k in sorted(attributes)])
    return tuple([(k, attribute_key(v)) for k, v in attributes.items()])


def attribute_key(value: Any) -> Hashable:
    """A hashable form of one attribute."""
    kind = type(value)
    if kind is tuple:
        return (kind, *[attribute_key(item) for item in value])
    if kind is float:
        return (kind, value.hex())
    if kind is complex:
        return (kind, value.real.hex(), value.imag.hex())
    return (kind, value)


def region_key(graph: Graph) -> Hashable:
    """Equal for graphs of equal structure: types and nodes, whatever the names and places."""
    numbers: dict[Value, int] = {v: i for i, v in enumerate(graph.inputs)}
    rows: list[Hashable] = []
    for node in graph.nodes:
        operands = tuple([numbers[v] for v in node.operands])
        inner = tuple([region_key(r) for r in node.regions])
        types = tuple([v.type for v in node.results])
        rows.append((node.op, operands, attributes_key(node.attributes), inner, types))
        for value in node.results:
            numbers[value] = len(numbers)
    outputs = tuple([numbers[v] for v in graph.outputs])
    return (graph.input_types, tuple(rows), outputs)
