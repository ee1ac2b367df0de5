"""Axes and indices as users give them: counted from the end, out of range, one or several."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import (
    AxisError,
    CheckError,
    DTypeError,
    IndexOutOfRangeError,
    PlaitError,
    ShapeError,
    TraceError,
)
from plait.ir.functions.payload import (
    WeakValue,
    as_payload,
    ask_number,
    broadcast_to,
    cast,
    dtype_of,
    weak_kind,
)
from plait.ir.graph import Value
from plait.ir.types import DType, Shape, int32, int64, is_integer, is_unsigned, show_shape


def as_array(x: Any) -> Any:
    """A payload with a dtype: a Python number becomes a 0-d array of its own."""
    payload = as_payload(x)
    return payload if weak_kind(payload) is None else cast(payload, dtype_of(payload))


def is_traced(payload: Any) -> bool:
    """Whether the elements are not known while the program is written down."""
    return type(payload) is Value or type(payload) is WeakValue


def concrete(name: str, payload: Any, remedy: str) -> Any:
    """The elements as an ndarray, for functions whose result's shape depends on them.

    Raises
    ------
    TraceError
        The payload is a graph value; says the remedy.
    """
    if is_traced(payload):
        ask_number(payload.value if type(payload) is WeakValue else payload)
        raise TraceError(
            f"{name}: the shape of the result depends on values that are not known while "
            f"tracing; {remedy}"
        )
    return np.asarray(payload)


def as_int(name: str, what: str, value: Any, least: int | None = None) -> int:
    """A Python integer that a function takes as an option.

    Raises
    ------
    DTypeError
        Not an integer.
    ShapeError
        Below the least that it may be.
    """
    try:
        found = operator.index(value)
    except PlaitError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: {what} must be an integer, got {_shown(value)}") from None
    if least is not None and found < least:
        bound = f"be at least {least}" if least else "not be negative"
        raise ShapeError(f"{name}: {what} must {bound}, got {found}")
    return found


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return f"an array of shape {tuple(shape)}" if shape else repr(value)


def no_elements(name: str, axis: Any, shape: Shape) -> str:
    """What to say where a function has nothing to choose from."""
    where = "in" if axis is None else f"along axis {axis} of"
    return f"{name}: no elements {where} a tensor of shape {show_shape(shape)}"


def normalize_axis(name: str, axis: Any, ndim: int) -> int:
    """An axis in ``[0, ndim)``; negative ones count from the end.

    Raises
    ------
    AxisError
        There is no such axis.
    DTypeError
        Not an integer.
    """
    try:
        found = operator.index(axis)
    except TypeError:
        raise DTypeError(f"{name}: axis must be an integer, got {axis!r}") from None
    if not -ndim <= found < ndim:
        raise AxisError(f"{name}: axis {found} is out of range for {ndim} dimension(s)")
    return found % ndim


def normalize_axes(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that ``axis`` names, ascending: all of them for None.

    Raises
    ------
    ShapeError
        There is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, (tuple, list)):
        return (normalize_axis(name, axis, ndim),)
    axes = tuple(sorted([normalize_axis(name, a, ndim) for a in axis]))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{name}: axis {tuple(axis)} names an axis twice")
    return axes


def static_size(name: str, x: Any, axis: int) -> int:
    """The size of an axis, which must be a number."""
    size = x.shape[axis]
    if type(size) is not int:
        raise ShapeError(f"{name}: axis {axis} has the symbolic size {size}; a number is needed")
    return size


def as_index(name: str, x: Any) -> Any:
    """An integer payload with a dtype.

    Raises
    ------
    DTypeError
        Not integers.
    IndexOutOfRangeError
        A Python integer beyond 64 bits.
    """
    payload = as_payload(x)
    kind = weak_kind(payload)
    if kind is int:
        if type(payload) is WeakValue:
            return payload.value
        if not -(2**63) <= payload < 2**63:
            raise IndexOutOfRangeError(f"{name}: index {payload} is out of range")
        return np.asarray(payload, int64)
    if kind is None and is_integer(payload.dtype):
        return payload
    if isinstance(x, (list, tuple)) and payload.size == 0:
        return payload.astype(int64)
    raise DTypeError(f"{name}: indices must be integers, got {dtype_of(payload).name}")


def check_range(index: Any, low: int, high: int, message: str) -> None:
    """Demand ``low <= index < high``: at once where elements are known, else by a ``check``.

    Parameters
    ----------
    index : payload
        Integers.
    message : str
        A template over one number, an offending index: the smallest if that is below ``low``,
        else the largest.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range.
    """
    if 0 in index.shape:
        return
    if low >= high:
        some = int(index.flat[0]) if type(index) is np.ndarray else "?"
        raise IndexOutOfRangeError(message.format(some))
    if type(index) is np.ndarray:
        least, most = int(index.min()), int(index.max())
        worst = least if least < low else most
        if not low <= worst < high:
            raise IndexOutOfRangeError(message.format(worst))
        return
    if is_unsigned(index.dtype):
        low = max(low, 0)
    bound = np.asarray(low, int64)
    value = cast(index, int64)
    if index.shape:
        axes = tuple(range(index.ndim))
        least, most = ops.reduce_min(value, axes=axes), ops.reduce_max(value, axes=axes)
        value = ops.select(ops.less(least, bound), least, most)
    ok = ops.logical_and(ops.greater_equal(value, bound), ops.less(value, np.asarray(high, int64)))
    ops.check(ok, value, error="IndexOutOfRangeError", message=message)


def demand(ok: Any, message: str) -> None:
    """Demand that every element is true: at once where they are known, else by a ``check``.

    Raises
    ------
    CheckError
        One is false.
    """
    if is_traced(ok):
        ok = ops.reduce_all(ok, axes=tuple(range(ok.ndim))) if ok.ndim else ok
        ops.check(ok, error="CheckError", message=message)
    elif not np.all(np.asarray(ok)):
        raise CheckError(message)


def index_dtype(size: int) -> DType:
    """The dtype in which positions up to ``size`` are counted."""
    return int32 if size < 2**31 else int64


def from_front(index: Any, size: int) -> Any:
    """Positions counted from the front for indices in ``[-size, size)``."""
    if type(index) is np.ndarray:
        wide = index.astype(int64)
        return np.where(wide < 0, wide + size, wide)
    if is_unsigned(index.dtype):
        return index
    if index.dtype.itemsize < 4:
        index = cast(index, index_dtype(size))
    zero, whole = np.asarray(0, index.dtype), np.asarray(size, index.dtype)
    zeros, sizes = broadcast_to(zero, index.shape), broadcast_to(whole, index.shape)
    return ops.select(ops.less(index, zeros), ops.add(index, sizes), index)
