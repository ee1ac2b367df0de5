"""Eager ops on floating arrays that one tape sees: run at once, and noted if a watched value is in.

Each function gives None for what it does not do, which then goes the general way, with the same
result: ops of equal dtypes and shapes, Python's numbers beside arrays, sums, means and products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from plait.ir import Op, float32, float64, ops
from plait.ir.autodiff.tape import UNKNOWN
from plait.tracer.tensor_handle import Handle
from plait.tracer.tensor_storage import FROZEN, freeze

_tensor: Any = Handle
_NONE: dict[str, Any] = {}
_WITH_NUMBERS = frozenset((ops.add, ops.subtract, ops.multiply, ops.divide))
#: The attributes of a reduction over all axes, by the number of axes.
_AXES: list[dict[str, Any]] = [{"axes": tuple(range(n))} for n in range(65)]
#: Numbers beyond it may overflow, of which NumPy warns in its own way.
_LARGE = 1e30


def bind(tensor_class: type[Handle]) -> None:
    """Name the class of the handles that this module makes."""
    global _tensor
    _tensor = tensor_class


def one(tape: Any, op: Op, x: Any) -> Any:
    """An elementwise op on a tensor, which keeps its dtype."""
    a = x._data
    return _single(tape, op, x, a, _NONE) if type(a) is ndarray else None


def two(tape: Any, op: Op, x: Any, y: Any) -> Any:
    """An elementwise op, which keeps the dtype, on a tensor and a tensor or number."""
    if type(y) is not _tensor:
        return with_number(tape, op, x, y, False) if op in _WITH_NUMBERS else None
    a, b = x._data, y._data
    if type(a) is ndarray and type(b) is ndarray and a.shape == b.shape:
        return _pair(tape, op, x, y, a, b)
    return None


def with_number(tape: Any, op: Op, x: Any, number: Any, swap: bool) -> Any:
    """An elementwise op on a tensor and a Python number, in either order."""
    a = x._data
    if type(a) is not ndarray or not (type(number) is float or type(number) is int):
        return None
    if not -_LARGE < number < _LARGE or not (a.dtype is float32 or a.dtype is float64):
        return None
    b = np.empty(a.shape, a.dtype)
    b.fill(number)
    beside = _tensor()
    beside._data = b
    return _pair(tape, op, beside, x, b, a) if swap else _pair(tape, op, x, beside, a, b)


def product(tape: Any, x: Any, y: Any) -> Any:
    """The product of two matrices."""
    a, b = x._data, y._data
    if type(a) is not ndarray or type(b) is not ndarray or a.ndim != 2 or b.ndim != 2:
        return None
    return _pair(tape, ops.matmul, x, y, a, b) if a.shape[1] == b.shape[0] else None


def total(tape: Any, x: Any) -> Any:
    """The sum of all elements."""
    a = x._data
    if type(a) is not ndarray:
        return None
    return _single(tape, ops.reduce_sum, x, a, _AXES[a.ndim])


def mean(tape: Any, x: Any) -> Any:
    """The mean of all elements."""
    found = total(tape, x)
    return None if found is None else with_number(tape, ops.divide, found, x._data.size, False)


def _single(tape: Any, op: Op, x: Any, a: Any, attributes: dict[str, Any]) -> Any:
    dtype = a.dtype
    if not (dtype is float32 or dtype is float64):
        return None
    m = tape.numbers.get(id(a), UNKNOWN)
    if m in tape.vague:
        return None
    try:
        found = op.reference(a, **attributes)
    except Exception:
        return None  # the general way says what is wrong
    if type(found) is not ndarray:
        found = np.asarray(found)
    handle = _tensor()
    handle._data = found
    if m != UNKNOWN:
        known = tape.known  # as tape.note
        number = tape.numbers[id(found)] = len(known)
        known.append(found)
        tape.notes.append((op, attributes, (a,), (m,), found, number))
        handle._storage = FROZEN
        freeze(x)
    return handle


def _pair(tape: Any, op: Op, x: Any, y: Any, a: Any, b: Any) -> Any:
    dtype = a.dtype
    if dtype is not b.dtype or not (dtype is float32 or dtype is float64):
        return None
    numbers, vague = tape.numbers, tape.vague
    m, n = numbers.get(id(a), UNKNOWN), numbers.get(id(b), UNKNOWN)
    if vague and (m in vague or n in vague):
        return None
    try:
        found = op.reference(a, b)
    except Exception:
        return None  # the general way says what is wrong
    if type(found) is not ndarray:
        found = np.asarray(found)
    handle = _tensor()
    handle._data = found
    if m != UNKNOWN or n != UNKNOWN:
        known = tape.known  # as tape.note
        number = numbers[id(found)] = len(known)
        known.append(found)
        tape.notes.append((op, _NONE, (a, b), (m, n), found, number))
        handle._storage = FROZEN
        try:
            if x._storage is FROZEN is y._storage:
                return handle
        except AttributeError:
            pass  # the fast path leaves it unset
        freeze(x)
        freeze(y)
    return handle


__all__ = ["bind", "mean", "one", "product", "total", "two", "with_number"]
