"""Exceptions that a graph raises, by names of Python's classes or ours in place of Python code."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from plait.ir import Graph, Node, Value, errors, nested_graphs, ops, template


def with_named_errors(graph: Graph) -> Graph:
    """The graph with ``check`` nodes that name the class of their error.

    An exception of a class of the user's becomes one of its nearest base that Python or Plait has,
    with the class in its message.
    """
    graphs = list(nested_graphs(graph))
    if not any(_is_made(node) for one in graphs for node in one.nodes):
        return graph
    made: dict[Graph, Graph] = {}
    for one in graphs:
        made[one] = _renamed(one, made)
    return made[graph]


def _is_made(node: Node) -> bool:
    return node.op is ops.check and callable(node.attributes["error"])


def _renamed(graph: Graph, regions: Mapping[Graph, Graph]) -> Graph:
    inputs = tuple([Value(v.type, None, v.index, v.name) for v in graph.inputs])
    mapping = dict(zip(graph.inputs, inputs, strict=True))
    nodes: list[Node] = []
    for node in graph.nodes:
        attributes = _named(node.attributes) if _is_made(node) else node.attributes
        operands = tuple([mapping[v] for v in node.operands])
        inner = tuple([regions[region] for region in node.regions])
        types = tuple([v.type for v in node.results])
        made = Node.make(node.op, operands, attributes, inner, node.location, types)
        mapping.update(zip(node.results, made.results, strict=True))
        nodes.append(made)
    return Graph(graph.name, inputs, tuple(nodes), tuple([mapping[v] for v in graph.outputs]))


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a check with the name of the class."""
    error, message = attributes["error"], attributes["message"]
    kind = getattr(error, "kind", error)
    known = next((base for base in kind.__mro__ if _is_known(base)), Exception)
    if known is not kind:
        shown = template.escape(kind.__name__)
        message = f"{shown}: {message}" if message else shown
    return {**attributes, "error": known.__name__, "message": message}


def _is_known(kind: type) -> bool:
    """Whether a class is found by its name, and made with a message."""
    name = kind.__name__
    home: Any = errors if name in errors.__all__ else builtins
    found: Any = getattr(home, name, None)
    if found is not kind or not issubclass(kind, Exception):
        return False
    try:
        kind("message")
    except TypeError:
        return False
    return True


__all__ = ["with_named_errors"]
