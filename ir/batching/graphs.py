"""Batching of whole graphs: the nodes applied again, each to all rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from plait.ir import dispatch
from plait.ir.batching.define import NOT_BATCHED, Dims, to_axis
from plait.ir.batching.spread import node_minds_mask
from plait.ir.builder import GraphBuilder
from plait.ir.errors import GraphError
from plait.ir.graph import Graph, Node, Value
from plait.ir.op import Op
from plait.ir.types import Dimension, TensorType, Type, bool_

_Key = tuple[Dims, Dimension, Dims | None, bool]
_made: WeakKeyDictionary[Graph, dict[_Key, tuple[Graph, Dims]]] = WeakKeyDictionary()


def batch_graph(
    graph: Graph,
    in_dims: Sequence[int | None],
    size: Dimension,
    out_dims: Sequence[int | None] | None = None,
    is_masked: bool = False,
) -> tuple[Graph, Dims]:
    """The graph that does for many rows what ``graph`` does for one.

    Parameters
    ----------
    graph : Graph
    in_dims : sequence of int or None
        For each input the axis along which its rows lie; None for one that all rows share.
    size : int or Dim
        The number of rows.
    out_dims : sequence of int or None, optional
        Where the rows of each output are to lie; None for an output that does not differ by row.
        By default wherever it costs nothing.
    is_masked : bool, optional
        Whether the new graph has a first input more, ``bool[size]``, which says which rows take
        part: for others nothing is printed, called or checked, and loops end.

    Returns
    -------
    graph : Graph
    out_dims : tuple of int or None
        Where the rows of its outputs lie.

    Raises
    ------
    GraphError
        An op that has no batching rule, or an output that differs by row and must not.

    Examples
    --------
    >>> from plait import ir
    >>> from plait.ir.batching import batch_graph
    >>> t = ir.parse_type("f32[2]")
    >>> total = ir.region("total", [t], lambda x: ir.ops.reduce_sum(x, axes=(0,)))
    >>> batched, dims = batch_graph(total, (1,), 8)
    >>> print(batched.input_types[0], batched.output_types[0], dims)
    f32[2,8] f32[8] (0,)
    """
    wanted = None if out_dims is None else tuple(out_dims)
    key = (tuple(in_dims), size, wanted, is_masked)
    known = _made.setdefault(graph, {})
    if key not in known:
        known[key] = _batch_graph(graph, *key)
    return known[key]


def _batch_graph(
    graph: Graph, in_dims: Dims, size: Dimension, out_dims: Dims | None, is_masked: bool
) -> tuple[Graph, Dims]:
    builder = GraphBuilder(graph.name)
    mask = builder.input(TensorType(bool_, (size,)), "mask") if is_masked else None
    inputs = [
        builder.input(batched_type(v.type, dim, size), v.name)
        for v, dim in zip(graph.inputs, in_dims, strict=True)
    ]
    with dispatch.suspended(), builder:
        results, dims = replay_batched(graph, inputs, in_dims, size, mask)
        if out_dims is not None:
            results = tuple(_placed(graph, results, dims, size, out_dims))
            dims = out_dims
    return builder.build(results), dims


def batched_type(type_: Type, dim: int | None, size: Dimension) -> Type:
    """The type of all rows of what has ``type_`` in one."""
    if dim is None:
        return type_
    assert isinstance(type_, TensorType)
    return type_.with_shape((*type_.shape[:dim], size, *type_.shape[dim:]))


def _placed(
    graph: Graph, results: Sequence[Any], dims: Dims, size: Dimension, out_dims: Dims
) -> list[Any]:
    """The outputs with their rows where they are wanted."""
    placed = []
    for i, (x, dim, wanted) in enumerate(zip(results, dims, out_dims, strict=True)):
        if wanted is None and dim is not None:
            raise GraphError(f"output {i} of graph {graph.name!r} differs by row")
        placed.append(x if wanted is None else to_axis(x, dim, size, wanted))
    return placed


def replay_batched(
    graph: Graph,
    arguments: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    mask: Any = None,
) -> tuple[tuple[Any, ...], Dims]:
    """Apply the nodes of a graph to all rows by the strict emitters; its outputs and their axes.

    Parameters
    ----------
    graph : Graph
    arguments : sequence of payload
        One for each input.
    dims : sequence of int or None
        Their batch axes.
    size : int or Dim
    mask : payload, optional
        Which rows take part.
    """
    held: dict[Value, Any] = dict(zip(graph.inputs, arguments, strict=True))
    axes: dict[Value, int | None] = dict(zip(graph.inputs, dims, strict=True))
    for node in graph.nodes:
        operands = [held[v] for v in node.operands]
        given = [axes[v] for v in node.operands]
        with _located(node):
            results, found = apply_batched(
                node.op,
                operands,
                given,
                size,
                node.attributes,
                node.regions,
                mask if mask is not None and node_minds_mask(node) else None,
            )
        held.update(zip(node.results, results, strict=True))
        axes.update(zip(node.results, found, strict=True))
    outputs = graph.outputs
    return tuple([held[v] for v in outputs]), tuple([axes[v] for v in outputs])


def _located(node: Node) -> AbstractContextManager[Any]:
    builder = dispatch.current()
    return builder.at(node.location) if isinstance(builder, GraphBuilder) else nullcontext()


def apply_batched(
    op: Op,
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
    regions: Sequence[Graph] = (),
    mask: Any = None,
) -> tuple[tuple[Any, ...], Dims]:
    """Apply one op to all rows; its results and their batch axes.

    An op whose operands all rows share runs once.
    """
    found: Any
    axes: Any
    if mask is None and all(d is None for d in dims):
        options = {"regions": tuple(regions)} if op.has_regions else {}
        found, axes = op(*operands, **options, **attributes), None
    else:
        rule = op.batching
        if rule is None:
            reason = NOT_BATCHED.get(op, "define one with define_batch")
            raise GraphError(f"{op.name} has no batching rule: {reason}")
        if op.has_regions or op.is_effect:
            found, axes = rule(operands, dims, size, attributes, regions=regions, mask=mask)
        else:
            found, axes = rule(operands, dims, size, attributes)
    results = found if type(found) is tuple else () if found is None else (found,)
    return results, axes if type(axes) is tuple else (axes,) * len(results)


__all__ = ["apply_batched", "batch_graph", "batched_type", "replay_batched"]
