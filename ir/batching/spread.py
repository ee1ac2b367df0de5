"""Which outputs of a graph differ by row, given which inputs do; and what minds masked rows."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from plait.ir import ops
from plait.ir.graph import Graph, Node, Value
from plait.ir.types import TokenType

Flags = tuple[bool, ...]

_minds: WeakKeyDictionary[Graph, bool] = WeakKeyDictionary()
_outputs: WeakKeyDictionary[Graph, dict[tuple[Flags, bool], Flags]] = WeakKeyDictionary()


def minds_mask(*graphs: Graph) -> bool:
    """Whether anything in graphs must know which rows take part: effects, and loops that may hang.

    All else is computed for every row, and not used for those that do not.
    """
    return any(map(_minds_mask, graphs))


def _minds_mask(graph: Graph) -> bool:
    known = _minds.get(graph)
    if known is None:
        known = _minds[graph] = any(map(node_minds_mask, graph.nodes))
    return known


def node_minds_mask(node: Node) -> bool:
    """Whether a node must know which rows take part."""
    if node.op in (ops.check, ops.while_) or node.op.is_host_effect:
        return True
    return minds_mask(*node.regions)


def batched_outputs(graph: Graph, batched: Sequence[bool], is_masked: bool) -> Flags:
    """For each output whether it may differ by row.

    Parameters
    ----------
    graph : Graph
    batched : sequence of bool
        For each input whether it does.
    is_masked : bool
        Whether only some rows take part.
    """
    known = _outputs.setdefault(graph, {})
    key = (tuple(batched), is_masked)
    if key not in known:
        held = dict(zip(graph.inputs, batched, strict=True))
        for node in graph.nodes:
            flags = _node(node, tuple([held[v] for v in node.operands]), is_masked)
            for result, flag in zip(node.results, flags, strict=True):
                held[result] = flag and not _is_token(result)
        known[key] = tuple([held[v] for v in graph.outputs])
    return known[key]


def _is_token(value: Value) -> bool:
    return type(value.type) is TokenType


def _node(node: Node, flags: Flags, is_masked: bool) -> Flags:
    if node.op is ops.cond and not flags[0]:
        return cond_outputs(node.regions, flags[1:], is_masked)
    if node.op is ops.while_:
        return while_carry(node.regions, flags, node.attributes["num_consts"], is_masked)[0]
    if node.op is ops.scan:
        counts = (node.attributes["num_consts"], node.attributes["num_carry"])
        return scan_outputs(node.regions[0], flags, *counts, is_masked)
    if node.op is ops.call:
        return batched_outputs(node.regions[0], flags, is_masked)
    if node.op is ops.custom_vjp:
        return custom_outputs(node.regions, flags, is_masked)
    is_batched = any(flags) or (is_masked and node.op.is_host_effect)
    return (is_batched,) * len(node.results)


def cond_outputs(regions: Sequence[Graph], flags: Flags, is_masked: bool) -> Flags:
    """Of a branch that all rows take: whether results differ by row in one of the two."""
    then, other = [batched_outputs(r, flags, is_masked) for r in regions]
    return tuple([a or b for a, b in zip(then, other, strict=True)])


def custom_outputs(regions: Sequence[Graph], flags: Flags, is_masked: bool) -> Flags:
    """Of a function with a derivative of its own: whether results do in one of its two forms."""
    primal, forward = [batched_outputs(r, flags, is_masked) for r in regions[:2]]
    return tuple([a or b for a, b in zip(primal, forward, strict=False)])


def while_carry(
    regions: Sequence[Graph], flags: Flags, num_consts: int, is_masked: bool
) -> tuple[Flags, bool]:
    """Which carry values differ by row, and whether the number of trips does."""
    condition, body = regions
    consts, carry = flags[:num_consts], flags[num_consts:]
    while True:
        (by_row,) = batched_outputs(condition, (*consts, *carry), is_masked)
        found = batched_outputs(body, (*consts, *carry), is_masked or by_row)
        made = tuple([
            before or after or (by_row and _changes(body, num_consts, i))
            for i, (before, after) in enumerate(zip(carry, found, strict=True))
        ])  # fmt: skip
        if made == carry:
            return carry, by_row
        carry = made


def _changes(body: Graph, num_consts: int, index: int) -> bool:
    """Whether a carry value is a tensor that the body does not hand on as it is."""
    output = body.outputs[index]
    return output is not body.inputs[num_consts + index] and not _is_token(output)


def scan_outputs(
    body: Graph, flags: Flags, num_consts: int, num_carry: int, is_masked: bool
) -> Flags:
    """Which results of a scan differ by row."""
    first = num_consts + num_carry
    consts, carry, items = flags[:num_consts], flags[num_consts:first], flags[first:]
    while True:
        found = batched_outputs(body, (*consts, *carry, *items), is_masked)
        made = tuple([a or b for a, b in zip(carry, found, strict=False)])
        if made == carry:
            return (*carry, *found[num_carry:])
        carry = made


__all__ = [
    "Flags",
    "batched_outputs",
    "cond_outputs",
    "custom_outputs",
    "minds_mask",
    "node_minds_mask",
    "scan_outputs",
    "while_carry",
]
