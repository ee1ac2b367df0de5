"""Sums of cotangents that are zero but for some places: those are added where they belong.

The cotangent of an array of which a loop's trip reads one row is that row among zeros. Adding all
of it in every trip would take time for the whole array.
"""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.graph import Node, Value


def accumulate(total: Any, value: Value) -> Any:
    """``total + value``, in a graph that is being built."""
    node = value.node
    if node is None or not _is_sparse(node):
        return ops.add(total, value)
    if node.op is ops.add:
        one, other = node.operands
        return accumulate(accumulate(total, one), other)
    _, update, *places = node.operands
    if node.op is ops.scatter:
        return ops.scatter(total, update, *places, **node.attributes)
    held = ops.dynamic_slice(total, *places, sizes=update.shape)
    return ops.dynamic_update_slice(total, ops.add(held, update), *places)


def _is_sparse(node: Node) -> bool:
    """Whether a sum has a part that is zero but for some places."""
    if node.op is ops.add:
        return any(v.node is not None and _is_sparse(v.node) for v in node.operands)
    if node.op is ops.scatter:
        return node.attributes.get("mode") == "add" and _is_zero(node.operands[0])
    return node.op is ops.dynamic_update_slice and _is_zero(node.operands[0])


def _is_zero(value: Value) -> bool:
    node = value.node
    return node is not None and node.op is ops.full and not node.attributes["value"].array


__all__ = ["accumulate"]
