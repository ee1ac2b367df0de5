"""What rules ask of values and nodes, so that a rule stays one line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import (
    Node,
    Op,
    TensorType,
    Value,
    is_bool,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    is_unsigned,
    ops,
)
from plait.passes.rewriter import Rewriter, Rule

__all__ = [
    "Number",
    "Rule",
    "Test",
    "ends_in",
    "float_zero",
    "inner",
    "is_constant",
    "is_exact",
    "is_number",
    "is_one",
    "is_ones",
    "is_ordered_exact",
    "is_real_number",
    "is_zero",
    "keep_first_if",
    "made_by",
    "power_of_two",
    "scalar",
    "unsigned",
    "when",
]

Number = Any
Test = Callable[[Value], bool]
Build = Callable[[Rewriter, Node], Any]


def made_by(value: Value, op: Op) -> Node | None:
    """The node that computes a value, when it is of this op."""
    node = value.node
    return node if node is not None and node.op is op else None


def inner(value: Value, op: Op) -> Value | None:
    """The operand of the node of this op that computes the value."""
    node = value.node
    return node.operands[0] if node is not None and node.op is op else None


def is_constant(value: Value) -> bool:
    """Whether the value is known while compiling."""
    return value.node is not None and value.node.op.is_constant


def scalar(value: Value) -> Number | None:
    """The one number that the value holds everywhere, as a 0-d array; None when not known.

    A constant of several equal elements is a ``full`` in canonical form.
    """
    node = value.node
    if node is None:
        return None
    if node.op is ops.full:
        return node.attributes["value"].array
    if node.op is ops.constant:
        array = node.attributes["value"].array
        return array.reshape(()) if array.size == 1 else None
    return None


def is_number(value: Value, number: Any) -> bool:
    """Whether the value is this number everywhere (not for zero, whose sign counts)."""
    known = scalar(value)
    return known is not None and bool(known == number)


def float_zero(value: Value, negative: bool) -> bool:
    """Whether the value is 0.0 (or -0.0) everywhere, in both parts of a complex number."""
    known = scalar(value)
    if known is None or known != 0:
        return False
    parts = (known.real, known.imag) if is_complex(known.dtype) else (known,)
    return all((math.copysign(1.0, float(part)) < 0) == negative for part in parts)


def is_exact(value: Value) -> bool:
    """Whether the value's arithmetic is exact: integers (modulo their width) and booleans."""
    return type(value.type) is TensorType and not is_inexact(value.type.dtype)


def is_ordered_exact(value: Value) -> bool:
    """Whether every element equals itself: no NaN in integers and booleans."""
    return is_exact(value)


def is_real_number(value: Value) -> bool:
    """Whether the value is of an integer or floating dtype."""
    return is_integer(value.dtype) or is_floating(value.dtype)


def unsigned(value: Value) -> bool:
    """Whether the value is of an unsigned integer dtype."""
    return is_unsigned(value.dtype)


def is_zero(value: Value) -> bool:
    """Whether the value is an exact dtype's zero (or False) everywhere."""
    return is_number(value, 0) and is_exact(value)


def is_one(value: Value) -> bool:
    """Whether the value is 1 (or True) everywhere, and not complex."""
    return is_number(value, 1) and not is_complex(value.dtype)


def is_ones(value: Value) -> bool:
    """Whether every bit of the value is set."""
    if is_bool(value.dtype):
        return is_number(value, True)
    return is_integer(value.dtype) and is_number(value, np.invert(np.zeros((), value.dtype)))


def power_of_two(value: Value) -> int | None:
    """The exponent k > 0 when the integer value is 2**k everywhere."""
    known = scalar(value)
    if known is None or not is_integer(known.dtype):
        return None
    number = int(known)
    return number.bit_length() - 1 if number > 1 and number & (number - 1) == 0 else None


def when(condition: Callable[[Node], Any], build: Build) -> Build:
    """The build of a rule with a condition on the node."""
    return lambda rewriter, node: build(rewriter, node) if condition(node) else None


def keep_first_if(test: Test) -> Build:
    """``op(x, y) = x`` when ``y`` passes the test."""
    return lambda _, node: node.operands[0] if test(node.operands[1]) else None


def ends_in(test: Test) -> Build:
    """``op(x, y) = y`` when ``y`` passes the test."""
    return lambda _, node: node.operands[1] if test(node.operands[1]) else None
