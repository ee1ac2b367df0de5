"""Batching of control flow: by batching the regions, and by selecting where rows part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.custom import at_front, safe_operands
from plait.ir.batching.define import (
    Batched,
    Dims,
    align,
    define_batch,
    front_if_batched,
    is_token,
    move_axis,
    region_here,
    select_rows,
    to_front,
    type_of,
)
from plait.ir.batching.graphs import batch_graph, replay_batched
from plait.ir.batching.spread import (
    Flags,
    cond_outputs,
    minds_mask,
    scan_outputs,
    while_carry,
)
from plait.ir.graph import Graph
from plait.ir.types import Dimension

Operands = Sequence[Any]
Attributes = Mapping[str, Any]
Regions = Sequence[Graph]


def _flags(dims: Sequence[int | None]) -> Flags:
    return tuple([d is not None for d in dims])


def _masks(mask: Any, regions: Regions) -> list[Any]:
    """The mask, where something in the regions minds it."""
    return [mask] if mask is not None and minds_mask(*regions) else []


@define_batch(ops.call)
def _call(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
    *,
    regions: Regions,
    mask: Any = None,
) -> Batched:
    masks = _masks(mask, regions)
    callee, axes = batch_graph(regions[0], dims, size, None, bool(masks))
    return ops.call(*masks, *operands, regions=(callee,), **attributes), axes


# Branches.


@define_batch(ops.cond)
def _cond(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
    *,
    regions: Regions,
    mask: Any = None,
) -> Batched:
    if dims[0] is not None:
        return _both(operands, dims[1:], size, regions, mask)
    masks = _masks(mask, regions)
    flags = _flags(dims[1:])
    axes = at_front(cond_outputs(regions, flags, bool(masks)))
    batched = [batch_graph(r, at_front(flags), size, axes, bool(masks))[0] for r in regions]
    arguments = front_if_batched(operands[1:], dims[1:])
    return ops.cond(operands[0], *masks, *arguments, regions=tuple(batched)), axes


def _both(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    regions: Regions,
    mask: Any,
) -> Batched:
    """Both branches on all rows, and of each row the results of the one that it takes."""
    taken, arguments = operands[0], list(operands[1:])
    then, other = regions
    left = ops.logical_not(taken)
    given, axes = safe_operands(then, taken, arguments, dims, size)
    first, first_dims = replay_batched(then, given, axes, size, _part(then, mask, taken))
    given, axes = safe_operands(other, left, arguments, dims, size)
    tokens = [x for x in first if is_token(x)]
    places = [i for i, x in enumerate(arguments) if is_token(x)]
    if len(tokens) == len(places) == 1:  # the effects of the second branch come after
        given[places[0]] = tokens[0]
    second, second_dims = replay_batched(other, given, axes, size, _part(other, mask, left))
    chosen = [
        _choose(taken, pair, pair_of_dims, size)
        for pair, pair_of_dims in zip(
            zip(first, second, strict=True),
            zip(first_dims, second_dims, strict=True),
            strict=True,
        )
    ]
    return tuple([x for x, _ in chosen]), tuple([d for _, d in chosen])


def _part(branch: Graph, mask: Any, taken: Any) -> Any:
    """The rows that take a branch, where it minds them."""
    if not minds_mask(branch):
        return None
    return taken if mask is None else ops.logical_and(mask, taken)


def _choose(
    taken: Any, values: tuple[Any, Any], dims: tuple[int | None, int | None], size: Dimension
) -> tuple[Any, int | None]:
    """Of each row the first value where ``taken`` holds, else the second."""
    if values[0] is values[1] or is_token(values[0]):
        return values[1], dims[1]
    if dims == (None, None):
        values, dims = (to_front(values[0], None, size), values[1]), (0, None)
    (x, y), dim = align(values, dims, size)
    return select_rows(taken, x, y, dim), dim


# Loops.


@define_batch(ops.while_)
def _while(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
    *,
    regions: Regions,
    mask: Any = None,
) -> Batched:
    count = attributes["num_consts"]
    flags, by_row = while_carry(regions, _flags(dims), count, mask is not None)
    consts = front_if_batched(operands[:count], dims[:count])
    carry = _carried(operands[count:], dims[count:], flags, size)
    axes = (*at_front(_flags(dims[:count])), *at_front(flags))
    run = _while_by_row if by_row else _while_together
    return run(consts, carry, axes, size, attributes, regions, mask), at_front(flags)


def _carried(
    values: Operands, dims: Sequence[int | None], flags: Flags, size: Dimension
) -> list[Any]:
    """The first values of a loop's carry, with the batch axes that they keep."""
    return [
        to_front(x, d, size) if flag else x for x, d, flag in zip(values, dims, flags, strict=True)
    ]


def _while_together(
    consts: list[Any],
    carry: list[Any],
    axes: Dims,
    size: Dimension,
    attributes: Attributes,
    regions: Regions,
    mask: Any,
) -> tuple[Any, ...]:
    """A loop in which all rows make the same number of trips; none where no row takes part."""
    condition, body = regions
    if mask is not None:
        consts = [mask, ops.reduce_any(mask, axes=(0,)), *consts]
    types = [type_of(x) for x in (*consts, *carry)]

    def parted(values: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
        return (None, None, values) if mask is None else (values[0], values[1], values[2:])

    def go_on(*values: Any) -> list[Any]:
        inner, takes_part, arguments = parted(values)
        (found,), _ = replay_batched(condition, arguments, axes, size, inner)
        return [found if takes_part is None else ops.logical_and(takes_part, found)]

    def step(*values: Any) -> list[Any]:
        inner, _, arguments = parted(values)
        found, dims = replay_batched(body, arguments, axes, size, inner)
        return _kept(found, dims, axes[len(axes) - len(carry) :], size)

    made = (region_here(condition.name, types, go_on), region_here(body.name, types, step))
    counts = {**attributes, "num_consts": len(consts)}
    found: tuple[Any, ...] = ops.while_(*consts, *carry, regions=made, **counts)
    return found


def _kept(
    values: Sequence[Any], dims: Sequence[int | None], wanted: Sequence[int | None], size: Dimension
) -> list[Any]:
    """The carry after a trip, with the batch axes that it had before."""
    return [
        x if w is None else to_front(x, d, size)
        for x, d, w in zip(values, dims, wanted, strict=True)
    ]


def _while_by_row(
    consts: list[Any],
    carry: list[Any],
    axes: Dims,
    size: Dimension,
    attributes: Attributes,
    regions: Regions,
    mask: Any,
) -> tuple[Any, ...]:
    """A loop that goes on until no row does; rows that are done keep their values.

    The rows that go on are the first carry value.
    """
    condition, body = regions
    count = len(consts)
    wanted = axes[count:]

    def goes_on(values: Operands, rows: Any) -> Any:
        (found,), (dim,) = replay_batched(condition, values, axes, size, rows)
        found = to_front(found, dim, size)
        return found if rows is None else ops.logical_and(rows, found)

    def any_row(*values: Any) -> Any:
        return [ops.reduce_any(values[count], axes=(0,))]

    def step(*values: Any) -> list[Any]:
        inner, rows, before = values[:count], values[count], values[count + 1 :]
        given, places = safe_operands(body, rows, (*inner, *before), axes, size)
        found, dims = replay_batched(body, given, places, size, rows)
        after = [
            select_rows(rows, new, old) if w == 0 else (new if is_token(new) else old)
            for new, old, w in zip(_kept(found, dims, wanted, size), before, wanted, strict=True)
        ]
        return [goes_on((*inner, *after), rows), *after]

    rows = goes_on((*consts, *carry), mask)
    types = [type_of(x) for x in (*consts, rows, *carry)]
    made = (region_here(condition.name, types, any_row), region_here(body.name, types, step))
    _, *results = ops.while_(*consts, rows, *carry, regions=made, **attributes)
    return tuple(results)


@define_batch(ops.scan)
def _scan(
    operands: Operands,
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
    *,
    regions: Regions,
    mask: Any = None,
) -> Batched:
    count, num_carry = attributes["num_consts"], attributes["num_carry"]
    first = count + num_carry
    masks = _masks(mask, regions)
    flags = _flags(dims)
    found = scan_outputs(regions[0], flags, count, num_carry, bool(masks))
    inner = (*flags[:count], *found[:num_carry], *flags[first:])
    body, _ = batch_graph(regions[0], at_front(inner), size, at_front(found), bool(masks))
    items = [
        x if d is None else move_axis(x, d, 1)
        for x, d in zip(operands[first:], dims[first:], strict=True)
    ]
    results = ops.scan(
        *masks,
        *front_if_batched(operands[:count], dims[:count]),
        *_carried(operands[count:first], dims[count:first], found[:num_carry], size),
        *items,
        regions=(body,),
        **{**attributes, "num_consts": count + len(masks)},
    )
    stacked = [1 if flag else None for flag in found[num_carry:]]
    return results, (*at_front(found[:num_carry]), *stacked)
