"""Turning, shifting, repeating and bordering: flip, rot90, roll, tile, repeat, pad."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from plait.ir.functions.axes import (
    as_array,
    as_int,
    concrete,
    normalize_axes,
    normalize_axis,
    static_size,
)
from plait.ir.functions.manipulation import as_shape, cut, expand_dims, ravel, reshape, swapaxes
from plait.ir.functions.payload import as_payload, broadcast_to, cast

__all__ = [
    "flip",
    "fliplr",
    "flipud",
    "pad",
    "repeat",
    "roll",
    "rot90",
    "tile",
]


def flip(x: Any, axis: Any = None) -> Any:
    """Reverse the order along axes.

    Parameters
    ----------
    x : array_like
    axis : int or tuple of int, optional
        All axes by default.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        No such axis.

    Examples
    --------
    >>> pl.flip([1, 2, 3])
    pl.Tensor([3, 2, 1], dtype=int32, shape=(3,))
    """
    payload = as_array(x)
    axes = normalize_axes("flip", axis, payload.ndim)
    bounds = [
        (static_size("flip", payload, i) - 1, -1, -1) if i in axes else (0, d, 1)
        for i, d in enumerate(payload.shape)
    ]
    starts, stops, steps = zip(*bounds, strict=True) if bounds else ((), (), ())
    return ops.slice_(payload, starts=starts, stops=stops, steps=steps)


def fliplr(x: Any) -> Any:
    """Reverse the order along the second axis: left becomes right.

    Parameters
    ----------
    x : array_like
        At least 2-d.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> pl.fliplr([[1, 2], [3, 4]])
    pl.Tensor([[2, 1],
               [4, 3]], dtype=int32, shape=(2, 2))
    """
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """Reverse the order along the first axis: up becomes down.

    Parameters
    ----------
    x : array_like
        At least 1-d.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        No axis.

    Examples
    --------
    >>> pl.flipud([[1, 2], [3, 4]])
    pl.Tensor([[3, 4],
               [1, 2]], dtype=int32, shape=(2, 2))
    """
    return flip(x, 0)


def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turn by 90 degrees, ``k`` times, from the first of two axes towards the second.

    Parameters
    ----------
    x : array_like
        At least 2-d.
    k : int, optional
    axes : tuple of two ints, optional

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        No such axes, or twice the same.

    Examples
    --------
    >>> pl.rot90([[1, 2], [3, 4]])
    pl.Tensor([[2, 4],
               [1, 3]], dtype=int32, shape=(2, 2))
    """
    payload = as_array(x)
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ShapeError(f"rot90: axes must be two axes, got {axes!r}")
    first, second = (normalize_axis("rot90", a, payload.ndim) for a in axes)
    if first == second:
        raise ShapeError(f"rot90: axes {axes} must differ")
    turns = as_int("rot90", "k", k) % 4
    if turns in (0, 2):
        return flip(payload, (first, second)) if turns else payload
    if turns == 1:
        return swapaxes(flip(payload, second), first, second)
    return flip(swapaxes(payload, first, second), second)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Shift along axes; what leaves at the end comes in at the front.

    Parameters
    ----------
    x : array_like
    shift : int or tuple of int
        One for each axis.
    axis : int or tuple of int, optional
        By default the flattened tensor is shifted.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ShapeError
        No such axis, or another number of shifts than of axes.

    Examples
    --------
    >>> pl.roll([1, 2, 3, 4], 1)
    pl.Tensor([4, 1, 2, 3], dtype=int32, shape=(4,))
    """
    payload = as_array(x)
    if axis is None:
        shape = payload.shape
        return reshape(roll(ravel(payload), shift, 0), shape)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,) * len(axes)
    if len(axes) == 1 and len(shifts) > 1:
        axes = tuple(axes) * len(shifts)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes")
    for amount, a in zip(shifts, axes, strict=True):
        place = normalize_axis("roll", a, payload.ndim)
        size = static_size("roll", payload, place)
        turn = -as_int("roll", "shift", amount) % size if size else 0
        parts = (cut(payload, place, turn, size), cut(payload, place, 0, turn))
        payload = ops.concat(*parts, axis=place)
    return payload


def tile(x: Any, repetitions: Any) -> Any:
    """Repeat the whole tensor along each axis.

    Parameters
    ----------
    x : array_like
    repetitions : int or tuple of int
        Aligned at the last axis; missing ones are 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        A negative number.

    Examples
    --------
    >>> pl.tile([1, 2], 2)
    pl.Tensor([1, 2, 1, 2], dtype=int32, shape=(4,))
    """
    payload, times = as_array(x), as_shape("tile", repetitions)
    rank = max(payload.ndim, len(times))
    shape = (1,) * (rank - payload.ndim) + tuple(payload.shape)
    times = (1,) * (rank - len(times)) + times
    if any(type(n) is int and n < 0 for n in times):
        raise ShapeError(f"tile: repetitions {times} must not be negative")
    apart = ops.reshape(payload, shape=tuple([n for d in shape for n in (1, d)]))
    wide = tuple([n for pair in zip(times, shape, strict=True) for n in pair])
    whole: Any = [n * d for n, d in zip(times, shape, strict=True)]
    return ops.reshape(broadcast_to(apart, wide), shape=tuple(whole))


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element along an axis.

    Parameters
    ----------
    x : array_like
    repeats : int or sequence of int
        How often; one number for all, or one for each position.
    axis : int, optional
        By default the flattened tensor is repeated.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        A negative number, no such axis, or another number of repeats than of positions.
    TraceError
        ``repeats`` is a traced tensor: the result's shape would depend on its values.

    Examples
    --------
    >>> pl.repeat([1, 2], 2)
    pl.Tensor([1, 1, 2, 2], dtype=int32, shape=(4,))
    >>> pl.repeat([1, 2], [1, 3])
    pl.Tensor([1, 2, 2, 2], dtype=int32, shape=(4,))
    """
    payload = ravel(x) if axis is None else as_array(x)
    place = normalize_axis("repeat", 0 if axis is None else axis, payload.ndim)
    size = static_size("repeat", payload, place)
    counts = concrete("repeat", as_payload(repeats), "give the repeats as Python integers")
    if counts.size == 0:
        counts = counts.astype(np.int64)
    elif counts.dtype.kind not in "iu" or counts.min() < 0:
        raise ShapeError(f"repeat: repeats must be integers of at least 0, got {counts}")
    if counts.size == 1:
        count = int(counts.reshape(()))
        shape = (*payload.shape[: place + 1], count, *payload.shape[place + 1 :])
        apart = broadcast_to(expand_dims(payload, place + 1), shape)
        return reshape(apart, (*shape[:place], size * count, *shape[place + 2 :]))
    if counts.shape != (size,):
        raise ShapeError(f"repeat: {counts.size} repeats for {size} positions")
    from plait.ir.functions.picking import take

    return take(payload, np.repeat(np.arange(size), counts), axis=place)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Add a border.

    Parameters
    ----------
    x : array_like
    pad_width : int, pair or sequence of pairs
        Elements before and after, for all axes or for each.
    mode : str, optional
        ``"constant"``, ``"edge"``, ``"reflect"``, ``"symmetric"`` or ``"wrap"``, as NumPy's.
    constant_values : number or 0-d tensor, optional
        What a constant border holds; NumPy's pairs are accepted as well.

    Returns
    -------
    Tensor
        Of the same dtype.

    Raises
    ------
    ShapeError
        Negative widths, another number of pairs than of axes, or an empty axis to extend.
    UnknownNameError
        No such mode.

    Examples
    --------
    >>> pl.pad([1, 2], (1, 2))
    pl.Tensor([0, 1, 2, 0, 0], dtype=int32, shape=(5,))
    >>> pl.pad([1, 2, 3], 2, mode="reflect")
    pl.Tensor([3, 2, 1, 2, 3, 2, 1], dtype=int32, shape=(7,))
    """
    payload = as_array(x)
    widths = _per_axis("pad", pad_width, payload.ndim)
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad: widths {pad_width} must not be negative")
    if mode == "constant":
        return _pad_constant(payload, widths, constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise UnknownNameError(
            f"pad: unknown mode {mode!r}; modes are constant, edge, reflect, symmetric and wrap"
        )
    for axis, (low, high) in enumerate(widths):
        if low or high:
            payload = _extend(payload, axis, low, high, mode)
    return payload


def _per_axis(name: str, given: Any, rank: int) -> list[tuple[int, int]]:
    try:
        pairs = np.broadcast_to(np.asarray(given), (rank, 2))
        return [(operator.index(a), operator.index(b)) for a, b in pairs.tolist()]
    except ValueError:
        raise ShapeError(f"{name}: {given!r} is no pair for each of {rank} axes") from None
    except TypeError:
        raise DTypeError(f"{name}: widths must be integers, got {given!r}") from None


def _pad_constant(x: Any, widths: list[tuple[int, int]], values: Any) -> Any:
    """One ``pad`` op, or one for each side when the values differ."""
    zeros = (0,) * x.ndim
    if not isinstance(values, (tuple, list)):
        lows, highs = tuple([low for low, _ in widths]), tuple([high for _, high in widths])
        value = cast(as_payload(values), x.dtype)
        value = value if value.shape == () else reshape(value, ())
        return ops.pad(x, value, low=lows, high=highs, interior=zeros)
    pairs = np.broadcast_to(np.asarray(values), (x.ndim, 2)).tolist()
    for axis, ((low, high), (before, after)) in enumerate(zip(widths, pairs, strict=True)):
        place = tuple(int(i == axis) for i in range(x.ndim))
        first = ops.pad(
            x,
            cast(before, x.dtype),
            low=tuple(low * i for i in place),
            high=zeros,
            interior=zeros,
        )
        x = ops.pad(
            first,
            cast(after, x.dtype),
            low=zeros,
            high=tuple(high * i for i in place),
            interior=zeros,
        )
    return x


def _extend(x: Any, axis: int, low: int, high: int, mode: Any) -> Any:
    """One axis extended by its own elements: runs of them, forward, backward or standing."""
    size = static_size("pad", x, axis)
    if size == 0:
        raise ShapeError(f"pad: axis {axis} is empty and cannot be extended by mode {mode!r}")
    positions = np.pad(np.arange(size), (low, high), mode=mode).tolist()
    parts = []
    while positions:
        run = _run(positions)
        positions = positions[len(run) :]
        start, step = run[0], run[1] - run[0] if len(run) > 1 else 1
        if step == 0:
            one = cut(x, axis, start, start + 1)
            parts.append(broadcast_to(one, (*x.shape[:axis], len(run), *x.shape[axis + 1 :])))
        else:
            parts.append(cut(x, axis, start, start + step * len(run), step))
    return ops.concat(*parts, axis=axis)


def _run(positions: list[int]) -> list[int]:
    """The longest beginning with one stride of -1, 0 or 1."""
    stride = positions[1] - positions[0] if len(positions) > 1 else 1
    if abs(stride) > 1:
        return positions[:1]
    count = 1
    while count < len(positions) and positions[count] - positions[count - 1] == stride:
        count += 1
    return positions[:count]
