"""Products and quotients in which 0 wins over infinities and NaN: what derivatives are made of.

Where ``select`` masks an element, its cotangent is 0; times an infinite or undefined derivative,
as that of ``sqrt`` at 0 or of ``log`` below it, it must stay 0. Both ops are linear in what they
guard, and their own derivatives are made of themselves. A 0 that they give has either sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir.op import Trait
from plait.ir.ops.elementwise import define

__all__ = ["divide_or_zero", "multiply_or_zero"]

_DOT = frozenset("fd")


def _has_nan(x: Any) -> bool:
    """Whether any element is NaN; for the common dtypes in one pass without a temporary."""
    if x.dtype.char in _DOT and x.flags.c_contiguous:
        flat = x.reshape(-1)
        total = np.dot(flat, flat)  # of squares: infinite at worst
        return bool(total != total)
    return bool(np.isnan(x).any())


def _multiply_or_zero(x: Any, y: Any) -> Any:
    found = np.asarray(np.multiply(x, y))
    if _has_nan(found):  # else no 0 met an infinity or NaN
        np.copyto(found, 0, where=np.isnan(found) & ((x == 0) | (y == 0)))
    return found


def _divide_or_zero(x: Any, y: Any) -> Any:
    found = np.asarray(np.divide(x, y))
    if _has_nan(found):
        np.copyto(found, 0, where=np.isnan(found) & (x == 0))
    return found


multiply_or_zero = define(
    "multiply_or_zero",
    "x * y; 0 where x or y is 0, against infinities and NaN too",
    _multiply_or_zero,
    arity=2,
    traits=(Trait.COMMUTATIVE,),
    flops=4,
)
divide_or_zero = define(
    "divide_or_zero", "x / y; 0 where x is 0, whatever y is", _divide_or_zero, arity=2, flops=3
)
