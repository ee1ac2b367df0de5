"""The public functions on tensors: every function on payloads, lifted; elementwise ones fast."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from plait.ir import functions
from plait.tracer import tensor_taped as taped
from plait.tracer.tensor import binary_function, lift, unary_function
from plait.tracer.tensor_fast import total_function

# Functions that are exactly one NumPy ufunc on tensors of every dtype.
_UNARY = (
    "abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh "
    "cbrt cos cosh exp expm1 isfinite isinf isnan log log10 log1p log2 logical_not negative "
    "sign sin sinh sqrt square tan tanh"
)
_BINARY = (
    "add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor "
    "copysign divide equal floor_divide fmod greater greater_equal hypot left_shift less "
    "less_equal logaddexp logical_and logical_or logical_xor maximum minimum mod multiply "
    "nextafter not_equal pow power remainder right_shift subtract true_divide"
)
_TOTALS = {"sum": taped.total, "mean": taped.mean}
UNARY = frozenset(_UNARY.split())
BINARY = frozenset(_BINARY.split())


def public_functions() -> dict[str, Callable[..., Any]]:
    """Every function of ``plait.ir.functions`` as users call it, by name; aliases stay one object.

    Returns
    -------
    dict of str to callable
    """
    made: dict[int, Callable[..., Any]] = {}
    found: dict[str, Callable[..., Any]] = {}
    for name, function in vars(functions).items():
        if type(function) is FunctionType and not name.startswith("_"):
            if id(function) not in made:
                made[id(function)] = _public(name, function)
            found[name] = made[id(function)]
    return found


def _public(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if name in UNARY:
        return unary_function(function, getattr(np, name))
    if name in BINARY:
        return binary_function(function, getattr(np, name))
    if name in _TOTALS:
        return total_function(function, _TOTALS[name])
    return lift(function)
