"""Symbolic dimensions: binding them to sizes, and a graph with sizes in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plait.ir.analysis import nested_graphs
from plait.ir.errors import PlaitError, ShapeError
from plait.ir.graph import Graph, Node, Value
from plait.ir.types import BytesType, Dim, Dimension, TensorType, Type

Sizes = Mapping[Dim, Dimension]


def has_dims(type_: Type) -> bool:
    """Whether a type has a symbolic dimension."""
    return type(type_) is TensorType and not type_.is_static


def bind_dims(types: Iterable[Type], shapes: Iterable[Sequence[int]]) -> dict[Dim, int]:
    """The size of each symbolic dimension, from the shapes that stand for the types.

    Raises
    ------
    ShapeError
        One name stands for two sizes.
    """
    sizes: dict[Dim, int] = {}
    for type_, shape in zip(types, shapes, strict=True):
        if type(type_) is not TensorType:
            continue
        for dim, size in zip(type_.shape, shape, strict=True):
            if type(dim) is Dim and sizes.setdefault(dim, size) != size:
                raise ShapeError(f"dimension {dim} is both {sizes[dim]} and {size}")
    return sizes


def specialize(graph: Graph, sizes: Sizes) -> Graph:
    """The graph with sizes for symbolic dimensions, in types, attributes and regions.

    Parameters
    ----------
    graph : Graph
    sizes : mapping of Dim to int or Dim
        Dimensions that are missing stay symbolic.

    Raises
    ------
    PlaitError
        An op does not take the sizes, at the user's line.
    """
    made: dict[Graph, Graph] = {}
    for one in nested_graphs(graph):
        made[one] = _specialize(one, sizes, made)
    return made[graph]


def _specialize(graph: Graph, sizes: Sizes, regions: Mapping[Graph, Graph]) -> Graph:
    """One graph, its regions done already."""
    inputs = tuple([Value(_type(v.type, sizes), None, v.index, v.name) for v in graph.inputs])
    mapping = dict(zip(graph.inputs, inputs, strict=True))
    nodes: list[Node] = []
    for node in graph.nodes:
        operands = tuple([mapping[v] for v in node.operands])
        attributes = {k: substitute(v, sizes) for k, v in node.attributes.items()}
        inner = tuple([regions[r] for r in node.regions])
        try:
            types = node.op.infer_types(tuple([v.type for v in operands]), attributes, inner)
        except PlaitError as error:
            raise error.at(node.location) from None
        made = Node.make(node.op, operands, attributes, inner, node.location, types)
        nodes.append(made)
        mapping.update(zip(node.results, made.results, strict=True))
    return Graph(graph.name, inputs, tuple(nodes), tuple([mapping[v] for v in graph.outputs]))


def substitute(attribute: Any, sizes: Sizes) -> Any:
    """An attribute with sizes for its symbolic dimensions."""
    if type(attribute) is Dim:
        return sizes.get(attribute, attribute)
    if type(attribute) is tuple:
        return tuple([substitute(item, sizes) for item in attribute])
    if type(attribute) in (TensorType, BytesType):
        return _type(attribute, sizes)
    return attribute


def _type(type_: Type, sizes: Sizes) -> Type:
    if type(type_) is TensorType:
        return type_.with_shape([sizes.get(d, d) if type(d) is Dim else d for d in type_.shape])
    return type_
