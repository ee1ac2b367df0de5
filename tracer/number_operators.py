"""Operators on runtime numbers alone: in 64 bits, where Python's numbers do the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import Value, functions, ops
from plait.ir.errors import ShapeError
from plait.ir.functions.payload import WEAK_TYPES, WeakValue
from plait.ir.location import user_location

#: The class of number that a runtime number stands for, by the kind of its dtype.
CLASSES: dict[str, type] = {"b": bool, "i": int, "f": float, "c": complex}
_DTYPES = {bool: np.bool_, int: np.int64, float: np.float64, complex: np.complex128}
_COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
_LOGIC = frozenset(("bitwise_and", "bitwise_or", "bitwise_xor", *_COMPARISONS))
_SIGNS = ("abs", "bitwise_invert", "negative", "positive")
_ARITHMETIC = frozenset(("add", "multiply", "subtract", *_SIGNS))
_DIVISIONS = frozenset(("divide", "floor_divide", "remainder"))


def operands(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of an operator on numbers, one of which is a runtime number.

    Raises
    ------
    NumberNeeded
        The operator gives what 64 bits cannot hold or another class of number, depending on the
        values.
    """
    known = name in _LOGIC or name in _ARITHMETIC or name in _DIVISIONS
    if not known and not (name == "power" and _is_plain_power(*args)):
        ask(*args)
    found = tuple([strong_number(x) for x in args])
    if name not in _LOGIC:
        found = tuple([functions.astype(x, np.int64) if x.dtype == bool else x for x in found])
    if name in _DIVISIONS:
        _demand_divisor(found[1])
    return found


def ask(*args: Any) -> None:
    """Make the runtime numbers among operands part of the signature."""
    for x in args:
        if type(x) not in WEAK_TYPES:
            data = x._data
            WeakValue(data, CLASSES[data.dtype.kind]).number()


def _is_plain_power(base: Any, exponent: Any) -> bool:
    """Whether a power is a float, and one of 64 bits, for all values of the runtime numbers."""
    if type(base) is float:
        return base > 0 and type(exponent) not in WEAK_TYPES and exponent._data.dtype.kind in "if"
    is_natural = type(exponent) is int and exponent >= 0
    return is_natural and type(base) not in WEAK_TYPES and base._data.dtype.kind == "f"


def _demand_divisor(divisor: Any) -> None:
    """Refuse to divide by 0, as Python does: at once where it is known, else by a check."""
    if type(divisor) is np.ndarray and divisor != 0:
        return
    if type(divisor) is Value:
        ok = ops.not_equal(divisor, np.zeros((), divisor.dtype))
    else:
        ok = np.zeros((), bool)
    ops.check(ok, error="DivisionError", message="division of a Python number by zero")


def strong_number(x: Any) -> Any:
    """A runtime or Python number as a 64-bit operand, so that numbers alone compute in 64 bits."""
    if type(x) not in WEAK_TYPES:
        return x._data
    try:
        return np.asarray(x, _DTYPES[type(x)])
    except OverflowError:
        raise ShapeError(f"Python number {x!r} does not fit in 64 bits").at(
            user_location()
        ) from None
