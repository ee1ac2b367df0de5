"""Algebra of numbers, bits and choices, true to the last bit for floats too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import (
    Node,
    Op,
    Trait,
    Value,
    is_bool,
    is_complex,
    is_floating,
    is_integer,
    ops,
    real_dtype,
)
from plait.passes.rewriter import Replacement, Rewriter
from plait.passes.rules.match import (
    Rule,
    ends_in,
    float_zero,
    inner,
    is_exact,
    is_number,
    is_one,
    is_ones,
    is_real_number,
    is_zero,
    keep_first_if,
    made_by,
    power_of_two,
    scalar,
    unsigned,
    when,
)


def _plus_nothing(y: Value) -> bool:
    """0 for exact dtypes; -0.0 for floats, since -0.0 + 0.0 is 0.0."""
    return is_zero(y) or float_zero(y, negative=True)


def _minus_nothing(y: Value) -> bool:
    """0 for exact dtypes; 0.0 for floats."""
    return is_zero(y) or float_zero(y, negative=False)


def _same_operands(node: Node) -> bool:
    return node.operands[0] is node.operands[1]


def _same_exact(node: Node) -> bool:
    return node.operands[0] is node.operands[1] and is_exact(node.operands[0])


def _first(_: Rewriter, node: Node) -> Value:
    return node.operands[0]


def _fill(number: Any) -> Any:
    return lambda rewriter, node: rewriter.fill(number, node.results[0].type)


def _unary(op: Op) -> Any:
    """The rule's result is ``op`` of the first operand."""
    return lambda rewriter, node: rewriter.emit(op, node.operands[0])


def _repeat_is_once(_: Rewriter, node: Node) -> Replacement:
    x = node.operands[0]
    return x if made_by(x, node.op) is not None else None


def _repeat_is_none(_: Rewriter, node: Node) -> Replacement:
    return inner(node.operands[0], node.op)


def _add_negative(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = node.operands
    minus = inner(y, ops.negative)
    if minus is not None:
        return rewriter.emit(ops.subtract, x, minus)
    minus = inner(x, ops.negative)
    return None if minus is None else rewriter.emit(ops.subtract, y, minus)


def _subtract_negative(rewriter: Rewriter, node: Node) -> Replacement:
    minus = inner(node.operands[1], ops.negative)
    return None if minus is None else rewriter.emit(ops.add, node.operands[0], minus)


def _both_negative(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = (inner(v, ops.negative) for v in node.operands)
    return None if x is None or y is None else rewriter.emit(node.op, x, y)


def _of_negative(rewriter: Rewriter, node: Node) -> Replacement:
    x = inner(node.operands[0], ops.negative)
    return None if x is None else rewriter.emit(node.op, x)


def _negative_times_constant(rewriter: Rewriter, node: Node) -> Replacement:
    x, number = inner(node.operands[0], ops.negative), scalar(node.operands[1])
    if x is None or number is None or not is_floating(x.dtype):
        return None
    return rewriter.emit(node.op, x, rewriter.fill(np.negative(number), x.type))


def _swapped_difference(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.subtract)
    if made is None or not is_exact(made.operands[0]):
        return None
    return rewriter.emit(ops.subtract, made.operands[1], made.operands[0])


def _subtract_constant(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = node.operands
    number = scalar(y) if is_integer(x.dtype) else None
    if number is None:
        return None
    return rewriter.emit(ops.add, x, rewriter.fill(np.negative(number), y.type))


def _join_constants(rewriter: Rewriter, node: Node) -> Replacement:
    x, outer = node.operands
    made, number = made_by(x, node.op), scalar(outer)
    if made is None or number is None or not is_exact(x):
        return None
    first = scalar(made.operands[1])
    if first is None:
        return None
    joined = node.op.reference(first.reshape(1), number.reshape(1))
    return rewriter.emit(node.op, made.operands[0], rewriter.fill(joined[0], outer.type))


def _exact_reciprocal(number: Any) -> Any | None:
    """1 / number when the number is a power of two and its inverse is normal, else None."""
    if not is_floating(number.dtype) or number == 0 or not np.isfinite(number):
        return None
    mantissa = math.frexp(float(number))[0]
    inverse = np.asarray(1 / float(number), number.dtype) if abs(mantissa) == 0.5 else None
    if inverse is None or not np.isfinite(inverse):
        return None
    return inverse if abs(float(inverse)) >= _smallest_normal(number.dtype) else None


def _smallest_normal(dtype: Any) -> float:
    if dtype == np.float16:
        return 2.0**-14
    return 2.0**-1022 if dtype == np.float64 else 2.0**-126


def _divide_by_power(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = node.operands
    number = scalar(y)
    inverse = None if number is None else _exact_reciprocal(number)
    return (
        None if inverse is None else rewriter.emit(ops.multiply, x, rewriter.fill(inverse, y.type))
    )


def _guards_nothing(op: Op, test: Any) -> Any:
    """The plain op, where the second operand is a number that makes no NaN of 0."""

    def build(rewriter: Rewriter, node: Node) -> Replacement:
        number = scalar(node.operands[1])
        plain = number is not None and number != 0 and bool(test(number))
        return rewriter.emit(op, *node.operands) if plain else None

    return build


def _floor_divide_by_power(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = node.operands
    exponent = power_of_two(y)
    if exponent is None:
        return None
    return rewriter.emit(ops.shift_right, x, rewriter.fill(exponent, y.type))


def _remainder_of_power(rewriter: Rewriter, node: Node) -> Replacement:
    x, y = node.operands
    exponent = power_of_two(y)
    if exponent is None:
        return None
    return rewriter.emit(ops.bitwise_and, x, rewriter.fill(2**exponent - 1, y.type))


def _square_of_abs(rewriter: Rewriter, node: Node) -> Replacement:
    x = inner(node.operands[0], ops.absolute)
    return rewriter.emit(ops.square, x) if x is not None and is_real_number(x) else None


def _real_product(node: Node) -> bool:
    return _same_operands(node) and is_real_number(node.operands[0])


def _select_known(_: Rewriter, node: Node) -> Replacement:
    known = scalar(node.operands[0])
    return None if known is None else node.operands[1 if known else 2]


def _select_not(rewriter: Rewriter, node: Node) -> Replacement:
    condition, x, y = node.operands
    inverse = inner(condition, ops.logical_not)
    return None if inverse is None else rewriter.emit(ops.select, inverse, y, x)


def _select_bool(rewriter: Rewriter, node: Node) -> Replacement:
    condition, x, y = node.operands
    if not is_bool(x.dtype):
        return None
    if is_number(x, True) and is_number(y, False):
        return condition
    if is_number(x, False) and is_number(y, True):
        return rewriter.emit(ops.logical_not, condition)
    return None


OPPOSITES = {
    ops.less: ops.greater_equal,
    ops.greater_equal: ops.less,
    ops.greater: ops.less_equal,
    ops.less_equal: ops.greater,
    ops.equal: ops.not_equal,
    ops.not_equal: ops.equal,
}


def _not_comparison(rewriter: Rewriter, node: Node) -> Replacement:
    made = node.operands[0].node
    opposite = None if made is None else OPPOSITES.get(made.op)
    if made is None or opposite is None:
        return None
    settled = made.op in (ops.equal, ops.not_equal) or is_exact(made.operands[0])
    return rewriter.emit(opposite, *made.operands) if settled else None


def _is_signed_or_float(x: Value) -> bool:
    return is_real_number(x) and not unsigned(x)


def _times_minus_one(node: Node) -> bool:
    return is_number(node.operands[1], -1) and _is_signed_or_float(node.operands[0])


def _divided_by_minus_one(node: Node) -> bool:
    return is_number(node.operands[1], -1) and is_floating(node.operands[0].dtype)


def _power_is(number: float, test: Any) -> Any:
    return lambda node: (
        not is_complex(node.operands[0].dtype)
        and test(node.operands[0])
        and is_number(node.operands[1], number)
    )


def _floating(x: Value) -> bool:
    return is_floating(real_dtype(x.dtype))


_ADD = (
    Rule("add-zero", "x + 0 = x; floats: x + -0.0 = x", ops.add, keep_first_if(_plus_nothing)),
    Rule("add-negative", "x + (-y) = x - y", ops.add, _add_negative),
    Rule("add-constants", "(x + a) + b = x + (a + b), integers", ops.add, _join_constants),
    Rule("subtract-zero", "x - 0 = x; floats: x - 0.0 = x", ops.subtract,
         keep_first_if(_minus_nothing)),
    Rule("subtract-self", "x - x = 0, integers", ops.subtract, when(_same_exact, _fill(0))),
    Rule("subtract-negative", "x - (-y) = x + y", ops.subtract, _subtract_negative),
    Rule("subtract-constant", "x - c = x + (-c), integers", ops.subtract, _subtract_constant),
    Rule("negative-difference", "-(x - y) = y - x, integers", ops.negative, _swapped_difference),
)  # fmt: skip

_MULTIPLY = (
    Rule("multiply-one", "x * 1 = x", ops.multiply, keep_first_if(is_one)),
    Rule("multiply-zero", "x * 0 = 0, integers", ops.multiply, ends_in(is_zero)),
    Rule("multiply-minus-one", "x * -1 = -x", ops.multiply,
         when(_times_minus_one, _unary(ops.negative))),
    Rule("multiply-negatives", "(-x) * (-y) = x * y", ops.multiply, _both_negative),
    Rule("multiply-negative", "(-x) * c = x * (-c), floats", ops.multiply,
         _negative_times_constant),
    Rule("multiply-constants", "(x * a) * b = x * (a * b), integers", ops.multiply,
         _join_constants),
    Rule("multiply-self", "x * x = square(x)", ops.multiply,
         when(_real_product, _unary(ops.square))),
    Rule("divide-one", "x / 1 = x", ops.divide, keep_first_if(is_one)),
    Rule("divide-minus-one", "x / -1 = -x", ops.divide,
         when(_divided_by_minus_one, _unary(ops.negative))),
    Rule("divide-negatives", "(-x) / (-y) = x / y", ops.divide, _both_negative),
    Rule("divide-power-of-two", "x / 2**k = x * 2**-k", ops.divide, _divide_by_power),
    Rule("multiply-or-zero-number", "multiply_or_zero(x, c) = x * c, c finite, not 0",
         ops.multiply_or_zero, _guards_nothing(ops.multiply, np.isfinite)),
    Rule("divide-or-zero-number", "divide_or_zero(x, c) = x / c, c neither 0 nor NaN",
         ops.divide_or_zero,
         _guards_nothing(ops.divide, lambda c: not np.isnan(c))),
    Rule("floor-divide-one", "x // 1 = x, integers", ops.floor_divide,
         keep_first_if(lambda y: is_exact(y) and is_one(y))),
    Rule("floor-divide-power-of-two", "x // 2**k = x >> k, integers", ops.floor_divide,
         _floor_divide_by_power),
    Rule("remainder-power-of-two", "x % 2**k = x & (2**k - 1), integers", ops.remainder,
         _remainder_of_power),
)  # fmt: skip

_POWERS = (
    Rule("power-one", "x ** 1 = x", ops.power, when(_power_is(1, is_real_number), _first)),
    Rule("power-zero", "x ** 0 = 1", ops.power, when(_power_is(0, is_real_number), _fill(1))),
    Rule("power-two", "x ** 2 = square(x), integers", ops.power,
         when(_power_is(2, is_exact), _unary(ops.square))),
    Rule("power-two-float", "x ** 2 = square(x), at most 1 ulp apart", ops.power,
         when(_power_is(2, _floating), _unary(ops.square)), exact=False),
    Rule("power-half", "x ** 0.5 = sqrt(x), but for -0.0 and -inf", ops.power,
         when(_power_is(0.5, _floating), _unary(ops.sqrt)), exact=False),
    Rule("power-minus-one", "x ** -1 = 1 / x, at most 1 ulp apart", ops.power,
         when(_power_is(-1, _floating), _unary(ops.reciprocal)), exact=False),
    Rule("square-negative", "square(-x) = square(x)", ops.square, _of_negative),
    Rule("square-abs", "square(|x|) = square(x), reals", ops.square, _square_of_abs),
    Rule("abs-negative", "|-x| = |x|, not unsigned", ops.absolute,
         when(lambda node: not unsigned(node.operands[0]), _of_negative)),
    Rule("abs-unsigned", "|x| = x, unsigned", ops.absolute,
         when(lambda node: unsigned(node.operands[0]), _first)),
    Rule("involution", "f(f(x)) = x", Trait.INVOLUTION, _repeat_is_none),
    Rule("idempotent", "f(f(x)) = f(x)", Trait.IDEMPOTENT, _repeat_is_once),
)  # fmt: skip

_CHOICES = (
    Rule("select-known", "select(true, x, y) = x", ops.select, _select_known),
    Rule("select-same", "select(c, x, x) = x", ops.select,
         when(lambda node: node.operands[1] is node.operands[2],
              lambda rewriter, node: node.operands[1])),
    Rule("select-not", "select(not c, x, y) = select(c, y, x)", ops.select, _select_not),
    Rule("select-bool", "select(c, true, false) = c", ops.select, _select_bool),
    *[Rule(f"{op.name}-self", "max(x, x) = x", op, when(_same_operands, _first))
      for op in (ops.maximum, ops.minimum)],
    *[Rule(f"{op.name}-constants", "max(max(x, a), b) = max(x, max(a, b)), integers", op,
           _join_constants)
      for op in (ops.maximum, ops.minimum)],
    *[Rule(f"{op.name.replace('_', '-')}-self", "x == x, integers", op,
           when(_same_exact, _fill(truth)))
      for op, truth in ((ops.equal, True), (ops.less_equal, True), (ops.greater_equal, True),
                        (ops.not_equal, False), (ops.less, False), (ops.greater, False))],
)  # fmt: skip

_AND, _OR = (ops.logical_and, ops.bitwise_and), (ops.logical_or, ops.bitwise_or)
_XOR = (ops.logical_xor, ops.bitwise_xor)


def _dashed(op: Op) -> str:
    return op.name.replace("_", "-")


_BITS = (
    *[Rule(f"{_dashed(op)}-ones", "x & ~0 = x", op, keep_first_if(is_ones)) for op in _AND],
    *[Rule(f"{_dashed(op)}-zero", "x & 0 = 0", op, ends_in(is_zero)) for op in _AND],
    *[Rule(f"{_dashed(op)}-zero", "x | 0 = x", op, keep_first_if(is_zero)) for op in _OR],
    *[Rule(f"{_dashed(op)}-ones", "x | ~0 = ~0", op, ends_in(is_ones)) for op in _OR],
    *[Rule(f"{_dashed(op)}-self", "x & x = x", op, when(_same_operands, _first))
      for op in (*_AND, *_OR)],
    *[Rule(f"{_dashed(op)}-zero", "x ^ 0 = x", op, keep_first_if(is_zero)) for op in _XOR],
    *[Rule(f"{_dashed(op)}-self", "x ^ x = 0", op, when(_same_operands, _fill(0)))
      for op in _XOR],
    Rule("logical-xor-true", "x xor true = not x", ops.logical_xor,
         when(lambda node: is_ones(node.operands[1]), _unary(ops.logical_not))),
    Rule("bitwise-xor-ones", "x ^ ~0 = ~x", ops.bitwise_xor,
         when(lambda node: is_ones(node.operands[1]), _unary(ops.bitwise_not))),
    *[Rule(f"{_dashed(op)}-constants", "(x & a) & b = x & (a & b)", op, _join_constants)
      for op in (ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor)],
    *[Rule(f"{_dashed(op)}-zero", "x << 0 = x", op, keep_first_if(is_zero))
      for op in (ops.shift_left, ops.shift_right)],
    Rule("not-comparison", "not (x < y) = x >= y, integers; not (x == y) = x != y",
         ops.logical_not, _not_comparison),
)  # fmt: skip

RULES: tuple[Rule, ...] = (*_ADD, *_MULTIPLY, *_POWERS, *_CHOICES, *_BITS)
