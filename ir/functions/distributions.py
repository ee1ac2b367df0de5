"""Random bits, and floating point numbers computed from them, as functions of a state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, as_int
from plait.ir.functions.payload import as_payload, broadcast_to, cast, number_of_elements
from plait.ir.functions.reductions import fill
from plait.ir.ops.random import blocks_of
from plait.ir.types import (
    Dim,
    DType,
    Shape,
    as_dtype,
    bfloat16,
    float16,
    float32,
    float64,
    is_floating,
    show_shape,
    uint32,
    uint64,
)

__all__ = [
    "exponential",
    "gumbel",
    "normal",
    "random_bits",
    "seed_state",
    "split",
    "truncated_normal",
    "uniform",
]

Drawn = tuple[Any, Any]


def seed_state(seed: int) -> Any:
    """The state at the start of the stream that an integer names.

    Parameters
    ----------
    seed : int
        Taken modulo 2**64.

    Returns
    -------
    ndarray of uint64, shape (2,)

    Examples
    --------
    >>> seed_state(7)
    array([7, 0], dtype=uint64)
    """
    return np.asarray([as_int("seed", "the seed", seed) % 2**64, 0], uint64)


def as_shape(shape: Any) -> Shape:
    """A number or numbers as a shape."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    if isinstance(shape, str):
        raise DTypeError(f"random: a shape is made of integers, got {shape!r}")
    return tuple([n if type(n) is Dim else as_int("random", "a size", n) for n in shape])


# The parameters of distributions, which stand behind the shape; NumPy's stand before it.
_PARAMETERS = {
    "bernoulli": "p",
    "exponential": "scale",
    "gumbel": "loc, scale",
    "normal": "mean, std",
    "truncated_normal": "low, high, mean, std",
    "uniform": "low, high",
}


def shape_first(name: str, shape: Any, *parameters: Any) -> Shape:
    """A shape, unless the arguments stand in NumPy's order: a number first, sizes behind it."""
    sizes = any(type(p) is tuple and all(type(n) is int for n in p) for p in parameters)
    if isinstance(shape, float) or (sizes and isinstance(shape, (int, np.integer))):
        raise ShapeError(f"{name}: {shape!r} is given as the shape{_order(name)}")
    return as_shape(shape)


def _order(name: str) -> str:
    """What to say of the order of a distribution's arguments."""
    known = _PARAMETERS.get(name)
    return f"; the shape comes first, unlike in NumPy: {name}(shape, {known})" if known else ""


def random_bits(state: Any, shape: Any = (), dtype: Any = uint32) -> Drawn:
    """Uniform random bits.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : uint32 or uint64

    Returns
    -------
    bits, state

    Raises
    ------
    DTypeError
        Another dtype, or the state is none.

    Examples
    --------
    >>> bits, state = random_bits(seed_state(0), 2)
    >>> [hex(word) for word in bits]
    ['0x6627e8d5', '0xe169c58d']
    >>> state
    array([0, 1], dtype=uint64)
    """
    state, shape, dtype = as_array(state), as_shape(shape), as_dtype(dtype)
    bits = ops.philox(state, shape=shape, dtype=dtype)
    return bits, ops.add(state, _taken(shape, dtype))


def _taken(shape: Shape, dtype: DType) -> Any:
    """What the bits of a shape add to a state."""
    if all(type(n) is int for n in shape):
        return np.asarray([0, blocks_of(shape, dtype)], uint64)
    words = ops.multiply(number_of_elements(shape), np.asarray(dtype.itemsize // 4))
    blocks = ops.floor_divide(ops.add(words, np.asarray(3)), np.asarray(4))
    place = ops.reshape(ops.cast(blocks, dtype=uint64), shape=(1,))
    return ops.concat(np.zeros(1, uint64), place, axis=0)


def split(state: Any, count: int = 2) -> Drawn:
    """States of new streams, whose keys are drawn from a stream.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    count : int

    Returns
    -------
    states, state
        States have shape (count, 2).

    Examples
    --------
    >>> states, state = split(seed_state(0), 3)
    >>> states.shape
    (3, 2)
    """
    keys, state = random_bits(state, (as_int("split", "count", count, least=0),), uint64)
    columns = [ops.reshape(column, shape=(count, 1)) for column in (keys, fill(0, keys))]
    return ops.concat(*columns, axis=1), state


# dtype: bits drawn, bits of them that a uniform number keeps
_PRECISION: dict[DType, tuple[DType, int]] = {
    float16: (uint32, 11),
    bfloat16: (uint32, 8),
    float32: (uint32, 24),
    float64: (uint64, 53),
}


def _whole(state: Any, shape: Shape, dtype: DType, lost: int = 0) -> tuple[Any, int, Any]:
    """Random integers of as many bits as ``dtype`` holds, less ``lost``, in that dtype."""
    drawn, kept = _PRECISION[dtype]
    kept -= lost
    bits, state = random_bits(state, shape, drawn)
    bits = ops.shift_right(bits, fill(drawn.itemsize * 8 - kept, bits))
    return cast(bits, dtype), kept, state


def _scaled(x: Any, factor: float, offset: float) -> Any:
    """``x * factor + offset``, exact for the numbers below."""
    found = ops.multiply(x, fill(factor, x))
    return ops.add(found, fill(offset, found)) if offset else found


def unit(state: Any, shape: Shape, dtype: DType) -> Drawn:
    """Multiples of 2**-bits in [0, 1)."""
    whole, kept, state = _whole(state, shape, dtype)
    return _scaled(whole, 2.0**-kept, 0.0), state


def _open_unit(state: Any, shape: Shape, dtype: DType) -> Drawn:
    """Odd multiples of 2**-bits in (0, 1)."""
    whole, kept, state = _whole(state, shape, dtype, lost=1)
    return _scaled(whole, 2.0**-kept, 2.0 ** (-kept - 1)), state


def _symmetric(state: Any, shape: Shape, dtype: DType) -> Drawn:
    """Odd multiples of 2**-bits in (-1, 1)."""
    whole, kept, state = _whole(state, shape, dtype, lost=1)
    return _scaled(whole, 2.0 ** (1 - kept), 2.0**-kept - 1), state


def _floating(name: str, dtype: Any) -> tuple[DType, DType]:
    """The dtype to compute in and that of the result."""
    found = as_dtype(dtype)
    if not is_floating(found):
        raise DTypeError(f"{name}: expected a floating dtype, got {found.name}")
    return (float32 if found.itemsize == 2 else found), found


def parameter(name: str, value: Any, dtype: DType, shape: Shape) -> Any:
    """A parameter of a distribution, stretched to the shape of the result."""
    found = cast(as_payload(value), dtype)
    if not _fits(found.shape, shape):
        shown = f"{show_shape(found.shape)} does not broadcast to shape {show_shape(shape)}"
        raise ShapeError(f"{name}: a parameter of shape {shown}{_order(name)}")
    return broadcast_to(found, shape)


def _fits(found: Shape, shape: Shape) -> bool:
    """Whether a shape broadcasts to another one."""
    pairs = zip(reversed(found), reversed(shape), strict=False)
    return len(found) <= len(shape) and all(d in (1, n) for d, n in pairs)


def _moved(name: str, x: Any, loc: Any, scale: Any) -> Any:
    """``loc + scale * x``; nothing to do for the standard distribution."""
    if not (type(scale) in (int, float) and scale == 1):
        x = ops.multiply(x, parameter(name, scale, x.dtype, x.shape))
    if not (type(loc) in (int, float) and loc == 0):
        x = ops.add(x, parameter(name, loc, x.dtype, x.shape))
    return x


def uniform(
    state: Any, shape: Any = (), dtype: Any = float32, low: Any = 0.0, high: Any = 1.0
) -> Drawn:
    """Numbers of equal density in [low, high).

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : dtype
        A floating one.
    low, high : array_like
        Broadcast to ``shape``.

    Returns
    -------
    values, state

    Raises
    ------
    DTypeError
        Not a floating dtype.
    ShapeError
        ``low`` or ``high`` does not broadcast to ``shape``.

    Examples
    --------
    >>> uniform(seed_state(0), 2)[0]
    array([0.39904642, 0.88052016], dtype=float32)
    """
    shape = shape_first("uniform", shape, low, high)
    _, dtype = _floating("uniform", dtype)
    values, state = unit(state, shape, dtype)
    if type(low) in (int, float) and type(high) in (int, float):
        return _moved("uniform", values, low, high - low), state
    first = parameter("uniform", low, dtype, shape)
    width = ops.subtract(parameter("uniform", high, dtype, shape), first)
    return ops.add(ops.multiply(values, width), first), state


def normal(
    state: Any, shape: Any = (), dtype: Any = float32, mean: Any = 0.0, std: Any = 1.0
) -> Drawn:
    """Numbers of the normal distribution, by the inverse error function.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : dtype
        A floating one.
    mean, std : array_like
        Broadcast to ``shape``.

    Returns
    -------
    values, state

    Raises
    ------
    DTypeError
        Not a floating dtype.
    ShapeError
        A parameter does not broadcast to ``shape``, or NumPy's order of arguments.

    Examples
    --------
    >>> values, state = normal(seed_state(0), 1000)
    >>> bool(abs(values.mean()) < 0.1), bool(abs(values.std() - 1) < 0.1)
    (True, True)
    """
    compute, dtype = _floating("normal", dtype)
    values, state = _symmetric(state, shape_first("normal", shape, mean, std), compute)
    values = _scaled(ops.erfinv(values), math.sqrt(2), 0.0)
    return cast(_moved("normal", values, mean, std), dtype), state


def truncated_normal(
    state: Any,
    shape: Any = (),
    dtype: Any = float32,
    low: Any = -2.0,
    high: Any = 2.0,
    mean: Any = 0.0,
    std: Any = 1.0,
) -> Drawn:
    """Numbers of the normal distribution between ``mean + low * std`` and ``mean + high * std``.

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : dtype
        A floating one.
    low, high : array_like
        Bounds in standard deviations; broadcast to ``shape``.
    mean, std : array_like
        Of the distribution before it is cut; broadcast to ``shape``.

    Returns
    -------
    values, state

    Raises
    ------
    DTypeError
        Not a floating dtype.
    ShapeError
        A parameter does not broadcast to ``shape``, or NumPy's order of arguments.

    Examples
    --------
    >>> values, state = truncated_normal(seed_state(0), 1000)
    >>> bool(abs(values).max() <= 2)
    True
    """
    name = "truncated_normal"
    shape = shape_first(name, shape, low, high, mean, std)
    compute, dtype = _floating(name, dtype)
    places, state = _open_unit(state, shape, compute)
    least, most = (parameter(name, bound, compute, shape) for bound in (low, high))
    first, last = (ops.erf(_scaled(bound, math.sqrt(0.5), 0.0)) for bound in (least, most))
    inner = ops.add(first, ops.multiply(places, ops.subtract(last, first)))
    values = _scaled(ops.erfinv(inner), math.sqrt(2), 0.0)
    values = ops.minimum(ops.maximum(values, least), most)
    return cast(_moved(name, values, mean, std), dtype), state


def exponential(state: Any, shape: Any = (), dtype: Any = float32, scale: Any = 1.0) -> Drawn:
    """Numbers of the exponential distribution with mean ``scale``: -scale * log(1 - u).

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : dtype
        A floating one.
    scale : array_like
        Broadcast to ``shape``.

    Returns
    -------
    values, state

    Raises
    ------
    DTypeError
        Not a floating dtype.
    ShapeError
        A parameter does not broadcast to ``shape``, or NumPy's order of arguments.

    Examples
    --------
    >>> values, state = exponential(seed_state(0), 1000)
    >>> bool(values.min() >= 0), bool(abs(values.mean() - 1) < 0.1)
    (True, True)
    """
    compute, dtype = _floating("exponential", dtype)
    values, state = unit(state, shape_first("exponential", shape, scale), compute)
    values = ops.negative(ops.log1p(ops.negative(values)))
    return cast(_moved("exponential", values, 0, scale), dtype), state


def gumbel(
    state: Any, shape: Any = (), dtype: Any = float32, loc: Any = 0.0, scale: Any = 1.0
) -> Drawn:
    """Numbers of the Gumbel distribution: loc - scale * log(-log(u)).

    Parameters
    ----------
    state : array_like of uint64, shape (2,)
    shape : int or tuple of int
    dtype : dtype
        A floating one.
    loc, scale : array_like
        Broadcast to ``shape``.

    Returns
    -------
    values, state

    Raises
    ------
    DTypeError
        Not a floating dtype.
    ShapeError
        A parameter does not broadcast to ``shape``, or NumPy's order of arguments.

    Examples
    --------
    >>> values, state = gumbel(seed_state(0), 1000)
    >>> bool(abs(values.mean() - 0.5772) < 0.1)
    True
    """
    compute, dtype = _floating("gumbel", dtype)
    values, state = _open_unit(state, shape_first("gumbel", shape, loc, scale), compute)
    values = ops.negative(ops.log(ops.negative(ops.log(values))))
    return cast(_moved("gumbel", values, loc, scale), dtype), state
