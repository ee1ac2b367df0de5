"""Functions with derivatives of their own: their batching, and the one that guards branches.

Where rows part, a branch is computed for rows that do not take it. Their cotangents are zero, but a
derivative that is infinite or NaN there would turn zero into NaN. ``safe_operands`` stops them at
the entry of the branch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    Dims,
    define_batch,
    filled,
    front_if_batched,
    is_token,
    move_to_front,
    region_here,
    select_rows,
    to_front,
    type_of,
)
from plait.ir.batching.graphs import batch_graph, replay_batched
from plait.ir.batching.spread import Flags, batched_outputs, custom_outputs, minds_mask
from plait.ir.graph import Graph
from plait.ir.types import Dimension, TensorType, is_inexact

__all__ = ["at_front", "safe_operands"]

Operands = Sequence[Any]


def at_front(flags: Sequence[bool]) -> Dims:
    """A batch axis in front for what differs by row."""
    return tuple([0 if flag else None for flag in flags])


@define_batch(ops.custom_vjp)
def _custom_vjp(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
    *,
    regions: Sequence[Graph],
    mask: Any = None,
) -> Batched:
    primal, forward, backward = regions
    masks = [mask] if mask is not None and minds_mask(*regions) else []
    flags = tuple([d is not None for d in dims])
    results = custom_outputs(regions, flags, bool(masks))
    residuals = batched_outputs(forward, flags, bool(masks))[len(results) :]
    run, _ = batch_graph(primal, at_front(flags), size, at_front(results), bool(masks))
    kept = _forward(forward, flags, (*results, *residuals), len(results), size, bool(masks))
    back = _backward(primal, backward, kept, flags, residuals, results, size)
    arguments = front_if_batched(operands, dims)
    found = ops.custom_vjp(*masks, *arguments, regions=(run, kept, back), **attributes)
    return found, at_front(results)


def _forward(
    forward: Graph, flags: Flags, wanted: Flags, count: int, size: Dimension, is_masked: bool
) -> Graph:
    """The batched region; a mask is the first of its residuals, too."""
    graph, _ = batch_graph(forward, at_front(flags), size, at_front(wanted), is_masked)
    if not is_masked:
        return graph
    outputs = (*graph.outputs[:count], graph.inputs[0], *graph.outputs[count:])
    return Graph(graph.name, graph.inputs, graph.nodes, outputs)


def _backward(
    primal: Graph,
    backward: Graph,
    forward: Graph,
    flags: Flags,
    residuals: Flags,
    results: Flags,
    size: Dimension,
) -> Graph:
    """The way back for all rows; the cotangents of what rows share are summed."""
    count = len(results)
    smooth = [i for i, t in enumerate(primal.output_types) if _is_smooth(t)]
    types = [*forward.output_types[count:], *[forward.output_types[i] for i in smooth]]
    axes = at_front((*residuals, *[results[i] for i in smooth]))
    by_row = [f for f, t in zip(flags, primal.input_types, strict=True) if _is_smooth(t)]
    has_mask = len(types) > len(axes)

    def body(*values: Any) -> list[Any]:
        mask, given = (values[0], values[1:]) if has_mask else (None, values)
        found, dims = replay_batched(backward, given, axes, size, mask)
        made = []
        for x, dim, flag in zip(found, dims, by_row, strict=True):
            if flag or any(results):
                x = to_front(x, dim, size)
            made.append(x if flag or not any(results) else ops.reduce_sum(x, axes=(0,)))
        return made

    return region_here(backward.name, types, body)


def _is_smooth(type_: Any) -> bool:
    return type(type_) is TensorType and is_inexact(type_.dtype)


# Guards.


def safe_operands(
    branch: Graph, rows: Any, operands: Operands, dims: Sequence[int | None], size: Dimension
) -> tuple[list[Any], list[int | None]]:
    """Operands of a branch that only some rows take, safe for those that do not.

    The cotangents of these rows are zero on the way back, whatever the branch makes of them. When
    the branch also computes with floats that all rows share, these rows are computed with the
    operands of a row that does take it: zeros times what they give are added to the others'.

    Parameters
    ----------
    branch : Graph
        Its inputs are the operands.
    rows : payload
        Which rows take the branch.
    operands, dims
        The operands with their batch axes.
    size : int or Dim
    """
    used = {v for node in branch.nodes for v in node.operands}
    made, axes = list(operands), list(dims)
    read = [
        i
        for i, v in enumerate(branch.inputs)
        if v in used and not is_token(operands[i]) and size != 0
    ]
    smooth = [i for i in read if is_inexact(operands[i].dtype)]
    if all(dims[i] is None for i in read) or not smooth:
        return made, axes
    is_shared = any(dims[i] is None for i in smooth)
    for i in read:
        if dims[i] is not None and (is_shared or i in smooth):
            made[i], axes[i] = move_to_front(operands[i], dims[i] or 0), 0
    if is_shared:
        for i in read:
            if axes[i] == 0 and i not in smooth:
                made[i] = _of_one_row(rows, made[i])
    given = [made[i] for i in smooth]
    flags = [axes[i] is not None for i in smooth]
    for i, x in zip(smooth, _guarded(rows, given, flags, is_shared), strict=True):
        made[i] = x
    return made, axes


def _of_one_row(rows: Any, x: Any) -> Any:
    """The operand, with those of the first row that is taken for all rows that are not."""
    one = ops.gather(x, ops.argmax(rows, axis=0), axes=(0,))
    return select_rows(rows, x, ops.broadcast_to(one, shape=x.shape))


def _guarded(
    rows: Any, operands: list[Any], by_row: Sequence[bool], is_shared: bool
) -> Sequence[Any]:
    """The operands; on the way back, cotangents of rows that are not taken are zero."""
    types = [type_of(x) for x in (rows, *operands)]

    def forward(rows: Any, *values: Any) -> list[Any]:
        return [
            _of_one_row(rows, x) if is_shared and flag else x
            for x, flag in zip(values, by_row, strict=True)
        ]

    def backward(rows: Any, *cotangents: Any) -> list[Any]:
        return [
            select_rows(rows, g, filled(g, 0)) if flag else _if_any(rows, g)
            for g, flag in zip(cotangents, by_row, strict=True)
        ]

    regions = (
        region_here("guard", types, forward),
        region_here("guard_forward", types, lambda rows, *x: [*forward(rows, *x), rows]),
        region_here("guard_backward", types, backward),
    )
    found: Sequence[Any] = ops.custom_vjp(rows, *operands, regions=regions, name="guard")
    return found


def _if_any(rows: Any, g: Any) -> Any:
    """A cotangent where any row is taken, else zeros."""
    is_any = ops.reduce_any(rows, axes=(0,))
    if g.ndim:
        is_any = ops.broadcast_to(is_any, shape=g.shape)
    return ops.select(is_any, g, filled(g, 0))
