"""Derivatives of reductions, the softmax family and running sums, products and extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.derivatives.define import like, no_gradient, partials
from plait.ir.derivatives.moves import invert, linear_recurrence, repeat, shift, transpose

__all__: list[str] = []

Ints = tuple[int, ...]

partials(ops.reduce_sum, lambda g, z, x, axes: repeat(g, x.shape, axes))


def _reduce_extreme(g: Any, z: Any, x: Any, *, axes: Ints) -> Any:
    """The largest elements share the cotangent equally; none gets it where the result is NaN."""
    if not axes:
        return g
    chosen = ops.equal(x, repeat(z, x.shape, axes))
    count = ops.reduce_sum(ops.cast(chosen, dtype=x.dtype), axes=axes)
    share = repeat(ops.divide_or_zero(g, count), x.shape, axes)
    return ops.select(chosen, share, like(x, 0))


partials(ops.reduce_max, _reduce_extreme)
partials(ops.reduce_min, _reduce_extreme)


def _reduce_prod(g: Any, z: Any, x: Any, *, axes: Ints) -> Any:
    """The product of the others, without division: zeros are fine."""
    if not axes:
        return g
    if not all(type(x.shape[a]) is int for a in axes):
        return ops.divide_or_zero(repeat(ops.multiply(g, z), x.shape, axes), x)
    order = [*[a for a in range(x.ndim) if a not in axes], *axes]
    shape = tuple([x.shape[a] for a in order])
    kept, last = shape[: -len(axes)], len(order) - len(axes)
    sizes: Any = shape[last:]
    line = ops.reshape(transpose(x, order), shape=(*kept, math.prod(sizes)))
    before = shift(ops.cumprod(line, axis=last), last, 1, 1)
    behind = shift(ops.cumprod(line, axis=last, reverse=True), last, -1, 1)
    others = ops.multiply(before, behind)
    found = ops.multiply(repeat(g, others.shape, (last,)), others)
    return transpose(ops.reshape(found, shape=shape), invert(order))


partials(ops.reduce_prod, _reduce_prod)
no_gradient(ops.argmax, ops.argmin, ops.reduce_any, ops.reduce_all)


# The softmax family.
def _total(x: Any, axis: int) -> Any:
    """The sum along an axis, repeated along it."""
    return repeat(ops.reduce_sum(x, axes=(axis,)), x.shape, (axis,))


def _softmax(g: Any, z: Any, x: Any, *, axis: int) -> Any:
    weighted = ops.multiply(g, z)
    return ops.subtract(weighted, ops.multiply(z, _total(weighted, axis)))


def _log_softmax(g: Any, z: Any, x: Any, *, axis: int) -> Any:
    return ops.subtract(g, ops.multiply(ops.exp(z), _total(g, axis)))


def _logsumexp(g: Any, z: Any, x: Any, *, axes: Ints, keepdims: bool) -> Any:
    """Shares ``exp(x - z)``; all are 0 where every element is -inf."""
    finite = ops.select(ops.equal(z, like(z, -np.inf)), like(z, 0), z)
    if not keepdims:
        g, finite = (repeat(v, x.shape, axes) for v in (g, finite))
    elif axes:
        g, finite = (ops.broadcast_to(v, shape=x.shape) for v in (g, finite))
    return ops.multiply(g, ops.exp(ops.subtract(x, finite)))


partials(ops.softmax, _softmax)
partials(ops.log_softmax, _log_softmax)
partials(ops.logsumexp, _logsumexp)


# Running sums, products and extremes.
def _cumsum(g: Any, z: Any, x: Any, *, axis: int, reverse: bool = False) -> Any:
    return ops.cumsum(g, axis=axis, reverse=not reverse)


def _cumprod(g: Any, z: Any, x: Any, *, axis: int, reverse: bool = False) -> Any:
    """What stands before an element, times a recurrence over what stands behind: zeros are fine."""
    forwards = -1 if reverse else 1
    before = shift(z, axis, forwards, 1)
    following = shift(x, axis, -forwards, 0)
    return ops.multiply(before, linear_recurrence(following, g, axis, reverse=not reverse))


def _running_extreme(g: Any, z: Any, x: Any, *, axis: int, reverse: bool = False) -> Any:
    """The elements so far that are equal to the extreme share its cotangent equally."""
    forwards, dtype = -1 if reverse else 1, x.dtype
    chosen = ops.equal(x, z)
    goes_on = ops.cast(ops.equal(z, shift(z, axis, forwards, np.nan)), dtype=dtype)
    count = linear_recurrence(goes_on, ops.cast(chosen, dtype=dtype), axis, reverse)
    zero = like(x, 0)
    weight = ops.select(ops.greater(count, zero), ops.reciprocal(count), zero)
    ahead = shift(goes_on, axis, -forwards, 0)
    share = linear_recurrence(ahead, ops.multiply(g, weight), axis, not reverse)
    return ops.select(chosen, share, zero)


partials(ops.cumsum, _cumsum)
partials(ops.cumprod, _cumprod)
partials(ops.cummax, _running_extreme)
partials(ops.cummin, _running_extreme)
