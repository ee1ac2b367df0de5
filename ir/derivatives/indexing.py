"""Derivatives of gather, scatter, slices at run-time positions, and of sorting."""

from __future__ import annotations

import math
from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import Application, define_vjp, like, literal, no_gradient
from plait.ir.derivatives.moves import invert, shift, transpose
from plait.ir.types import int32, int64

__all__: list[str] = []

INT32_LIMIT = 2**31


def _positions(x: Any) -> Any:
    """The number of each element in row-major order, in the shape of a payload."""
    sizes: Any = x.shape
    count = math.prod(sizes)
    dtype = int32 if count < INT32_LIMIT else int64
    return ops.reshape(ops.iota(dtype=dtype, shape=(count,), axis=0), shape=x.shape)


def _nothing(at: Application) -> list[Any]:
    return [None] * len(at.operands)


@define_vjp(ops.gather)
def _gather(at: Application, g: Any) -> tuple[Any, ...]:
    x, *indices = at.operands
    zeros = like(x, 0)
    return (ops.scatter(zeros, g, *indices, mode="add", **at.attributes), *_nothing(at)[1:])


@define_vjp(ops.scatter)
def _scatter(at: Application, g: Any) -> tuple[Any, ...]:
    found = _nothing(at)
    rule = _MODES[at.attributes.get("mode", "set")]
    found[:2] = rule(at, g)
    return tuple(found)


def _pick(at: Application, x: Any) -> Any:
    """What ``gather`` takes from the places that the updates went to."""
    named = {k: v for k, v in at.attributes.items() if k in ("axes", "batch")}
    return ops.gather(x, *at.operands[2:], **named)


def _put(at: Application, x: Any, updates: Any, **changed: Any) -> Any:
    return ops.scatter(x, updates, *at.operands[2:], **{**at.attributes, **changed})


def _is_unique(at: Application) -> bool:
    return bool(at.attributes.get("unique", False))


def _set(at: Application, g: Any) -> tuple[Any, Any]:
    """The elements that were replaced get 0, and so do updates that a later one replaced."""
    updates = at.operands[1]
    zeros = like(updates, 0)
    first = _put(at, g, zeros) if at.needs[0] else None
    if not at.needs[1]:
        return first, None
    second = _pick(at, g)
    if not _is_unique(at) and 0 not in updates.shape:
        own = _positions(updates)
        nobody = ops.full(value=literal(own.dtype, -1), shape=at.operands[0].shape)
        winners = _pick(at, _put(at, nobody, own))
        second = ops.select(ops.equal(own, winners), second, zeros)
    return first, second


def _add(at: Application, g: Any) -> tuple[Any, Any]:
    return g, _pick(at, g) if at.needs[1] else None


def _mul(at: Application, g: Any) -> tuple[Any, Any]:
    x, updates = at.operands[:2]
    first = _put(at, g, updates) if at.needs[0] else None
    if not at.needs[1]:
        return first, None
    second = _pick(at, ops.multiply(g, x))
    if not _is_unique(at) and 0 not in updates.shape:
        second = ops.multiply(second, _other_updates(at))
    return first, second


def _extreme(at: Application, g: Any) -> tuple[Any, Any]:
    """The element and the updates that are equal to the extreme share its cotangent equally."""
    (x, updates), (z,) = at.operands[:2], at.results
    kept, came = ops.equal(x, z), ops.equal(updates, _pick(at, z))
    counts = [ops.cast(chosen, dtype=x.dtype) for chosen in (kept, came)]
    share = ops.divide_or_zero(g, _put(at, *counts, mode="add"))
    return (
        ops.select(kept, share, like(x, 0)) if at.needs[0] else None,
        ops.select(came, _pick(at, share), like(updates, 0)) if at.needs[1] else None,
    )


_MODES = {"set": _set, "add": _add, "mul": _mul, "min": _extreme, "max": _extreme}


def _other_updates(at: Application) -> Any:
    """For each update, the product of the others that go to the same element.

    Without division, so that zeros are fine: updates are sorted by where they go and multiplied
    from both ends of each run of equal places.
    """
    updates = at.operands[1]
    sizes: Any = updates.shape
    line = (math.prod(sizes),)
    places = ops.reshape(_pick(at, _positions(at.operands[0])), shape=line)
    order = ops.argsort(places, axis=0)
    places = ops.gather(places, order, axes=(0,))
    values = ops.gather(ops.reshape(updates, shape=line), order, axes=(0,))
    others = ops.multiply(_so_far(values, places, 1), _so_far(values, places, -1))
    back = ops.scatter(like(others, 0), others, order, axes=(0,), unique=True)
    return ops.reshape(back, shape=updates.shape)


def _so_far(values: Any, places: Any, by: int) -> Any:
    """The product of a run's values before each element; ``by`` -1: behind it. By doubling."""
    joined = ops.equal(places, shift(places, 0, by, -1))
    one = like(values, 1)
    found = ops.select(joined, shift(values, 0, by, 1), one)
    step = by
    while abs(step) < values.shape[0]:
        found = ops.multiply(found, ops.select(joined, shift(found, 0, step, 1), one))
        joined = ops.logical_and(joined, shift(joined, 0, step, False))
        step *= 2
    return found


@define_vjp(ops.dynamic_slice)
def _dynamic_slice(at: Application, g: Any) -> tuple[Any, ...]:
    x, *starts = at.operands
    return (ops.dynamic_update_slice(like(x, 0), g, *starts), *_nothing(at)[1:])


@define_vjp(ops.dynamic_update_slice)
def _dynamic_update_slice(at: Application, g: Any) -> tuple[Any, ...]:
    _, update, *starts = at.operands
    found = _nothing(at)
    if at.needs[0]:
        found[0] = ops.dynamic_update_slice(g, like(update, 0), *starts)
    if at.needs[1]:
        found[1] = ops.dynamic_slice(g, *starts, sizes=update.shape)
    return tuple(found)


# Sorting: the cotangents go back to where the elements came from.
@define_vjp(ops.sort)
def _sort(at: Application, g: Any) -> tuple[Any, ...]:
    (x,), axis = at.operands, at.attributes["axis"]
    to_last = [*[a for a in range(x.ndim) if a != axis], axis]
    order = transpose(ops.argsort(x, axis=axis), to_last)
    moved = transpose(g, to_last)
    found = _to_positions(like(moved, 0), moved, order)
    return (transpose(found, invert(to_last)),)


@define_vjp(ops.top_k)
def _top_k(at: Application, g: Any, _: Any) -> tuple[Any, ...]:
    if g is None:
        return (None,)
    return (_to_positions(like(at.operands[0], 0), g, at.results[1]),)


def _to_positions(zeros: Any, g: Any, positions: Any) -> Any:
    """``g`` at positions along the last axis, row by row."""
    last = zeros.ndim - 1
    return ops.scatter(zeros, g, positions, axes=(last,), batch=last, mode="add", unique=True)


no_gradient(ops.argsort, ops.searchsorted, ops.one_hot, ops.bitcast)
