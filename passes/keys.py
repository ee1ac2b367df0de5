"""Keys by which equal nodes are found: op, operands, attributes, structure of regions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from plait.ir import Node, structural_hash

_INTEGERS = {int}


def node_key(node: Node) -> Hashable:
    """Equal for nodes that compute the same from the same operands."""
    if not node.regions:
        if not node.attributes:
            return (node.op, node.operands)
        return (node.op, node.operands, attributes_key(node.attributes), ())
    regions = tuple([structural_hash(r) for r in node.regions])
    return (node.op, node.operands, attributes_key(node.attributes), regions)


def attributes_key(attributes: Mapping[str, Any]) -> Hashable:
    """Equal for equal attributes; ``1`` and ``1.0`` differ, as do ``0.0`` and ``-0.0``."""
    if len(attributes) > 1:
        return tuple([(k, attribute_key(attributes[k])) for k in sorted(attributes)])
    return tuple([(k, attribute_key(v)) for k, v in attributes.items()])


def attribute_key(value: Any) -> Hashable:
    """A hashable form of one attribute."""
    kind = type(value)
    if kind is tuple:
        kinds = set(map(type, value))
        if kinds == _INTEGERS:
            return (kind, int, value)  # sizes, axes
        return (kind, *[attribute_key(item) for item in value])
    if kind is float:
        return (kind, value.hex())
    if kind is complex:
        return (kind, value.real.hex(), value.imag.hex())
    return (kind, value)
