"""Batching of effects: prints and callbacks run row by row, a check is one for all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    define_batch,
    is_token,
    move_to_front,
    region_here,
    to_front,
    type_of,
)
from plait.ir.graph import Graph
from plait.ir.literal import Literal
from plait.ir.op import Op
from plait.ir.types import Dimension, TensorType, Type

Attributes = Mapping[str, Any]


@define_batch(ops.barrier)
def _barrier(
    operands: Sequence[Any], dims: Sequence[int | None], size: Dimension, attributes: Attributes
) -> Batched:
    return ops.barrier(*operands), tuple(dims)


@define_batch(ops.check)
def _check(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
    *,
    regions: Sequence[Graph] = (),
    mask: Any = None,
) -> Batched:
    """All rows must be ok; the details are those of the first that is not."""
    if size == 0:
        return (), ()
    if all(d is None for d in dims):
        out = ops.logical_not(ops.reduce_any(mask, axes=(0,)))
        ops.check(ops.logical_or(operands[0], out), *operands[1:], **attributes)
        return (), ()
    ok = to_front(operands[0], dims[0], size)
    if mask is not None:
        ok = ops.logical_or(ok, ops.logical_not(mask))
    first = ops.argmin(ok, axis=0)
    details = [
        x if d is None else ops.gather(move_to_front(x, d), first, axes=(0,))
        for x, d in zip(operands[1:], dims[1:], strict=True)
    ]
    ops.check(ops.reduce_all(ok, axes=(0,)), *details, **attributes)
    return (), ()


def row_by_row_rule(op: Op) -> Any:
    """The rule of a host effect: a loop over the rows, in their order, which the token enters."""

    def rule(
        operands: Sequence[Any],
        dims: Sequence[int | None],
        size: Dimension,
        attributes: Attributes,
        *,
        regions: Sequence[Graph] = (),
        mask: Any = None,
    ) -> Batched:
        token, *tensors = operands
        shared = [x for x, d in zip(tensors, dims[1:], strict=True) if d is None]
        pairs = zip(tensors, dims[1:], strict=True)
        mapped = [move_to_front(x, d) for x, d in pairs if d is not None]
        masks = [] if mask is None else [mask]

        def body(*values: Any) -> Any:
            consts, found = iter(values[: len(shared)]), values[len(shared)]
            items = iter(values[len(shared) + 1 : len(values) - len(masks)])
            row = [next(consts) if d is None else next(items) for d in dims[1:]]
            if mask is None:
                return _as_tuple(op(found, *row, **attributes))
            return _if_taken(op, values[-1], [found, *row], attributes)

        xs = [*mapped, *masks]
        slices = [_slice_of(x) for x in xs]
        region = region_here(op.name, [*map(type_of, (*shared, token)), *slices], body)
        counts = {"num_consts": len(shared), "num_carry": 1, "length": size}
        results = ops.scan(*shared, token, *xs, regions=(region,), **counts)
        return results, tuple([None if is_token(r) else 0 for r in results])

    return rule


def _slice_of(x: Any) -> Type:
    return TensorType(x.dtype, tuple(x.shape[1:]))


def _as_tuple(found: Any) -> tuple[Any, ...]:
    return found if type(found) is tuple else (found,)


def _if_taken(op: Op, is_taken: Any, operands: list[Any], attributes: Attributes) -> Any:
    """The effect in a row that takes part; else zeros."""
    types = [type_of(x) for x in operands]
    results = op.infer_types(tuple(types), attributes)

    def then(*values: Any) -> Any:
        return _as_tuple(op(*values, **attributes))

    def other(token: Any, *_: Any) -> list[Any]:
        return [token, *[_zeros(t) for t in results[1:]]]

    regions = (region_here("then", types, then), region_here("else", types, other))
    return ops.cond(is_taken, *operands, regions=regions)


def _zeros(type_: Type) -> Any:
    assert isinstance(type_, TensorType)
    return ops.full(value=Literal(np.zeros((), type_.dtype)), shape=type_.shape)


for _op in (ops.print_, ops.callback):
    define_batch(_op)(row_by_row_rule(_op))
