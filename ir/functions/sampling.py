"""Random integers, booleans, orders and choices, as functions of a state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import CheckError, DTypeError, ShapeError
from plait.ir.functions.axes import as_array, demand, normalize_axis, static_size
from plait.ir.functions.distributions import (
    Drawn,
    as_shape,
    gumbel,
    parameter,
    random_bits,
    shape_first,
    unit,
)
from plait.ir.functions.payload import (
    WeakValue,
    as_payload,
    broadcast_shapes,
    broadcast_to,
    cast,
    check_fits,
    weak_kind,
)
from plait.ir.functions.reductions import fill
from plait.ir.types import (
    DType,
    Shape,
    as_dtype,
    float32,
    float64,
    int32,
    int64,
    is_floating,
    is_integer,
    uint64,
)

__all__ = ["bernoulli", "categorical", "choice", "permutation", "randint"]


def randint(state: Any, shape: Any, low: Any, high: Any, dtype: Any = int32) -> Drawn:
    """Integers of equal probability in [low, high).

    They are 64 random bits modulo ``high - low``, which favors small ones by at most
    ``(high - low) / 2**64``.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    low, high : array_like of integers
        Broadcast to ``shape``; ``low < high``.
    dtype : dtype
        An integer one that holds ``low`` and ``high - 1``.

    Returns
    -------
    values, state

    Raises
    ------
    CheckError
        ``low`` is not below ``high``, also inside a compiled function.
    DTypeError
        Not an integer dtype, or one that does not hold the range.

    Examples
    --------
    >>> from plait.ir.functions.random import seed_state
    >>> randint(seed_state(0), 5, 0, 10)[0].dtype
    dtype('int32')
    """
    shape, dtype = as_shape(shape), as_dtype(dtype)
    _check_span(low, high, dtype)
    bits, state = random_bits(state, shape, uint64)
    first, last = (_modular("randint", bound, shape) for bound in (low, high))
    if type(low) is type(high) is int and high - low == 2**64:
        return cast(bits, dtype), state
    offset = ops.remainder(bits, ops.subtract(last, first))
    found = ops.add(offset, first)
    return (found if dtype == uint64 else cast(cast(found, int64), dtype)), state


def _modular(name: str, bound: Any, shape: Shape) -> Any:
    """An integer modulo 2**64."""
    payload = np.asarray(bound % 2**64, uint64) if type(bound) is int else _wide(bound)
    if not is_integer(payload.dtype):
        raise DTypeError(f"{name}: expected integers, got {payload.dtype.name}")
    found = payload if payload.dtype == uint64 else cast(cast(payload, int64), uint64)
    return parameter(name, found, uint64, shape)


def _wide(bound: Any) -> Any:
    """Integers as they are; a runtime number in its 64 bits."""
    return bound.value if type(bound) is WeakValue else as_array(bound)


def _check_span(low: Any, high: Any, dtype: DType) -> None:
    if not is_integer(dtype):
        raise DTypeError(f"randint: expected an integer dtype, got {dtype.name}")
    if type(low) is int and type(high) is int:
        limits = np.iinfo(dtype)
        if low >= high:
            raise CheckError(f"randint: low {low} must be below high {high}")
        if low < limits.min or high - 1 > limits.max:
            raise DTypeError(f"randint: {dtype.name} does not hold the range [{low}, {high})")
        return
    first, last = (cast(_wide(bound), int64) for bound in (low, high))
    if weak_kind(low) is weak_kind(high) is int and dtype != int64:
        check_fits(first, dtype)
        check_fits(ops.subtract(last, np.asarray(1, int64)), dtype)
    shape = broadcast_shapes("randint", first.shape, last.shape)
    ok = ops.less(broadcast_to(first, shape), broadcast_to(last, shape))
    demand(ok, "randint: every low must be below its high")


def bernoulli(state: Any, shape: Any = (), p: Any = 0.5) -> Drawn:
    """True with probability ``p``.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    p : array_like
        Broadcast to ``shape``; compared in float32.

    Returns
    -------
    values, state
        Values are bool.

    Raises
    ------
    CheckError
        A probability outside of [0, 1], also inside a compiled function.
    ShapeError
        ``p`` does not broadcast to ``shape``.

    Examples
    --------
    >>> from plait.ir.functions.random import seed_state
    >>> int(bernoulli(seed_state(0), 1000, 0.25)[0].sum()) in range(200, 300)
    True
    """
    shape, p = shape_first("bernoulli", shape, p), cast(as_payload(p), float32)
    fine = ops.logical_and(ops.greater_equal(p, fill(0, p)), ops.less_equal(p, fill(1, p)))
    demand(fine, "bernoulli: every p must lie in [0, 1]")
    values, state = unit(state, shape, float32)
    return ops.less(values, parameter("bernoulli", p, float32, shape)), state


def _order(state: Any, count: int) -> Drawn:
    """A random permutation: the order of random numbers. Of 2**32 of them one pair may be equal."""
    bits, state = random_bits(state, (count,), uint64)
    return ops.argsort(bits, axis=0), state


def permutation(state: Any, x: Any, axis: int = 0) -> Drawn:
    """The slices of ``x`` along an axis in random order; for an int, of 0, ..., x - 1.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    x : int or array_like
    axis : int

    Returns
    -------
    values, state

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> from plait.ir.functions.random import seed_state
    >>> sorted(permutation(seed_state(0), 5)[0].tolist())
    [0, 1, 2, 3, 4]
    """
    if isinstance(x, (int, np.integer)):
        return _order(state, int(x))
    x = as_array(x)
    axis = normalize_axis("permutation", axis, x.ndim)
    order, state = _order(state, static_size("permutation", x, axis))
    return (ops.gather(x, order, axes=(axis,)) if x.shape[axis] else x), state


def choice(
    state: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0
) -> Drawn:
    """Random slices of ``a`` along an axis; for an int, of 0, ..., a - 1.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    a : int or array_like
    shape : int or tuple of int
    replace : bool
        Whether one slice may be drawn several times.
    p : array_like, optional
        Probabilities of the slices, 1-d; they are divided by their sum.
    axis : int

    Returns
    -------
    values, state
        Values have shape ``a.shape[:axis] + shape + a.shape[axis + 1:]``.

    Raises
    ------
    ShapeError
        Nothing to draw from, too little without replacement, or ``p`` does not fit.

    Examples
    --------
    >>> from plait.ir.functions.random import seed_state
    >>> sorted(choice(seed_state(0), 4, 4, replace=False)[0].tolist())
    [0, 1, 2, 3]
    """
    shape = as_shape(shape)
    count = math.prod(shape)
    whole = isinstance(a, (int, np.integer))
    a = int(a) if whole else as_array(a)
    axis = 0 if whole else normalize_axis("choice", axis, a.ndim)
    n = a if whole else static_size("choice", a, axis)
    if count and (n < 1 or (not replace and n < count)):
        raise ShapeError(f"choice: cannot draw {count} of {n}{'' if replace else ' different'}")
    p = None if p is None else as_array(p)
    if p is not None and p.shape != (n,):
        raise ShapeError(f"choice: p must have shape ({n},), got {p.shape}")
    index, state = (_draw_again if replace else _draw_once)(state, n, count, p)
    index = ops.reshape(index, shape=shape)
    return (index if whole else ops.gather(a, index, axes=(axis,))), state


def _draw_again(state: Any, n: int, count: int, p: Any) -> Drawn:
    """Positions in [0, n), each drawn by itself."""
    if p is None:
        return randint(state, (count,), 0, max(n, 1), int64)
    p = p if p.dtype == float64 else cast(p, float32)
    below = ops.cumsum(p, axis=0)
    places, state = unit(state, (count,), p.dtype)
    total = ops.gather(below, np.asarray(n - 1), axes=(0,))
    places = ops.multiply(places, broadcast_to(total, places.shape))
    found = ops.searchsorted(below, places, side="right")
    # Rounding may carry a place to the very end.
    return ops.minimum(found, fill(n - 1, found)), state


def _draw_once(state: Any, n: int, count: int, p: Any) -> Drawn:
    """Different positions in [0, n): the largest of log p with Gumbel noise."""
    if p is None:
        order, state = _order(state, n)
    else:
        p = p if p.dtype == float64 else cast(p, float32)
        noise, state = gumbel(state, (n,), p.dtype)
        some = ops.greater(p, fill(0, p))
        weight = ops.log(ops.select(some, p, fill(1, p)))
        weight = ops.select(some, ops.add(weight, noise), fill(-np.inf, p))
        order = ops.argsort(ops.negative(weight), axis=0)
    return ops.slice_(order, starts=(0,), stops=(count,), steps=(1,)), state


def categorical(state: Any, logits: Any, shape: Any = None, axis: int = -1) -> Drawn:
    """Positions along an axis, drawn with probability softmax(logits).

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    logits : array_like
        Log probabilities, up to a constant.
    shape : int or tuple of int, optional
        Of the result; ends with the shape of ``logits`` without ``axis``, which is the default.
    axis : int

    Returns
    -------
    values, state
        Values are int64.

    Raises
    ------
    ShapeError
        The shape does not end as it should, or there is no such axis.

    Examples
    --------
    >>> from plait.ir.functions.random import seed_state
    >>> categorical(seed_state(0), [0.0, 100.0], 3)[0]
    array([1, 1, 1])
    """
    logits = as_array(logits)
    logits = logits if is_floating(logits.dtype) else cast(logits, float32)
    axis = normalize_axis("categorical", axis, logits.ndim)
    order = (*[i for i in range(logits.ndim) if i != axis], axis)
    logits = ops.transpose(logits, permutation=order)
    rest = logits.shape[:-1]
    shape = rest if shape is None else as_shape(shape)
    if shape[len(shape) - len(rest) :] != rest or len(shape) < len(rest):
        raise ShapeError(f"categorical: shape {shape} must end with {rest}, that of the logits")
    whole = (*shape, logits.shape[-1])
    noise, state = gumbel(state, whole, logits.dtype)
    return ops.argmax(ops.add(broadcast_to(logits, whole), noise), axis=len(shape)), state
