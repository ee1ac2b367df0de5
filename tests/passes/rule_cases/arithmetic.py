"""Cases of the rules for numbers, bits and choices."""

from __future__ import annotations

from typing import Any

from plait.ir import ops as o
from tests.passes.rule_cases import RuleCase
from tests.passes.rule_cases import number as k

C = RuleCase
F, I, B = "f32[4]", "i32[4]", "bool[4]"  # noqa: E741 - the types' own letters
INF = float("inf")

ADD = [
    C("add-zero", F, lambda x: o.add(x, k(x, -0.0)), lambda x: x, lambda x: o.add(x, k(x, 0.0))),
    C("add-negative", f"{F} {F}", lambda x, y: o.add(x, o.negative(y)), o.subtract,
      lambda x, y: o.add(x, o.absolute(y))),
    C("add-constants", I, lambda x: o.add(o.add(x, k(x, 2)), k(x, 3)),
      lambda x: o.add(x, k(x, 5)), lambda x: o.add(o.add(x, k(x, 2)), k(x, 3)), F),
    C("subtract-zero", F, lambda x: o.subtract(x, k(x, 0.0)), lambda x: x,
      lambda x: o.subtract(x, k(x, -0.0))),
    C("subtract-self", I, lambda x: o.subtract(x, x), lambda x: k(x, 0),
      lambda x: o.subtract(x, x), F),
    C("subtract-negative", f"{F} {F}", lambda x, y: o.subtract(x, o.negative(y)), o.add,
      lambda x, y: o.subtract(o.negative(x), y)),
    C("subtract-constant", I, lambda x: o.subtract(x, k(x, 3)), lambda x: o.add(x, k(x, -3)),
      lambda x: o.subtract(x, k(x, 3)), F),
    C("negative-difference", f"{I} {I}", lambda x, y: o.negative(o.subtract(x, y)),
      lambda x, y: o.subtract(y, x), lambda x, y: o.negative(o.subtract(x, y)), f"{F} {F}"),
]  # fmt: skip

MULTIPLY = [
    C("multiply-one", F, lambda x: o.multiply(x, k(x, 1)), lambda x: x,
      lambda x: o.multiply(x, k(x, 1)), "c64[4]"),
    C("multiply-zero", I, lambda x: o.multiply(x, k(x, 0)), lambda x: k(x, 0),
      lambda x: o.multiply(x, k(x, 0)), F),
    C("multiply-minus-one", F, lambda x: o.multiply(x, k(x, -1)), o.negative,
      lambda x: o.multiply(x, k(x, 255)), "u8[4]"),
    C("multiply-negatives", f"{F} {F}", lambda x, y: o.multiply(o.negative(x), o.negative(y)),
      o.multiply, lambda x, y: o.multiply(o.negative(x), y)),
    C("multiply-negative", F, lambda x: o.multiply(o.negative(x), k(x, 3)),
      lambda x: o.multiply(x, k(x, -3)), lambda x: o.multiply(o.negative(x), x)),
    C("multiply-constants", I, lambda x: o.multiply(o.multiply(x, k(x, 2)), k(x, 3)),
      lambda x: o.multiply(x, k(x, 6)), lambda x: o.multiply(o.multiply(x, k(x, 2)), k(x, 3)), F),
    C("multiply-self", F, lambda x: o.multiply(x, x), o.square, lambda x: o.multiply(x, x),
      "c64[4]"),
    C("divide-one", F, lambda x: o.divide(x, k(x, 1)), lambda x: x,
      lambda x: o.divide(k(x, 1), x)),
    C("divide-minus-one", F, lambda x: o.divide(x, k(x, -1)), o.negative,
      lambda x: o.divide(k(x, -1), x)),
    C("divide-negatives", f"{F} {F}", lambda x, y: o.divide(o.negative(x), o.negative(y)),
      o.divide, lambda x, y: o.divide(o.negative(x), y)),
    C("divide-power-of-two", F, lambda x: o.divide(x, k(x, -8)),
      lambda x: o.multiply(x, k(x, -0.125)), lambda x: o.divide(x, k(x, 3))),
    C("multiply-or-zero-number", F, lambda x: o.multiply_or_zero(x, k(x, -3)),
      lambda x: o.multiply(x, k(x, -3)), lambda x: o.multiply_or_zero(x, k(x, 0))),
    C("divide-or-zero-number", F, lambda x: o.divide_or_zero(x, k(x, 3)),
      lambda x: o.divide(x, k(x, 3)), lambda x: o.divide_or_zero(x, k(x, 0))),
    C("floor-divide-one", I, lambda x: o.floor_divide(x, k(x, 1)), lambda x: x,
      lambda x: o.floor_divide(x, k(x, 1)), F),
    C("floor-divide-power-of-two", I, lambda x: o.floor_divide(x, k(x, 8)),
      lambda x: o.shift_right(x, k(x, 3)), lambda x: o.floor_divide(x, k(x, -8))),
    C("remainder-power-of-two", I, lambda x: o.remainder(x, k(x, 8)),
      lambda x: o.bitwise_and(x, k(x, 7)), lambda x: o.remainder(x, k(x, 6))),
]  # fmt: skip

POWERS = [
    C("power-one", F, lambda x: o.power(x, k(x, 1)), lambda x: x, lambda x: o.power(k(x, 1), x)),
    C("power-zero", F, lambda x: o.power(x, k(x, 0)), lambda x: k(x, 1),
      lambda x: o.power(k(x, 0), x)),
    C("power-two", I, lambda x: o.power(x, k(x, 2)), o.square, lambda x: o.power(x, k(x, 2)), F),
    C("power-two-float", F, lambda x: o.power(x, k(x, 2)), o.square,
      lambda x: o.power(x, k(x, 2)), I),
    C("power-half", F, lambda x: o.power(x, k(x, 0.5)), o.sqrt, lambda x: o.power(x, k(x, 0.25))),
    C("power-minus-one", F, lambda x: o.power(x, k(x, -1)), o.reciprocal,
      lambda x: o.power(x, k(x, -2))),
    C("square-negative", F, lambda x: o.square(o.negative(x)), o.square,
      lambda x: o.square(o.sign(x))),
    C("square-abs", F, lambda x: o.square(o.absolute(x)), o.square,
      lambda x: o.square(o.real(o.conj(x))), "c64[4]"),
    C("abs-negative", F, lambda x: o.absolute(o.negative(x)), o.absolute,
      lambda x: o.negative(o.absolute(x))),
    C("abs-unsigned", "u8[4]", o.absolute, lambda x: x, o.absolute, "i8[4]"),
    C("involution", F, lambda x: o.negative(o.negative(x)), lambda x: x,
      lambda x: o.negative(o.absolute(x))),
    C("idempotent", F, lambda x: o.floor(o.floor(x)), o.floor, lambda x: o.floor(o.ceil(x))),
]  # fmt: skip

CHOICES = [
    C("select-known", f"{F} {F}", lambda x, y: o.select(k(o.isnan(x), False), x, y),
      lambda x, y: y, lambda x, y: o.select(o.isnan(x), x, y)),
    C("select-same", f"{B} {F}", lambda c, x: o.select(c, x, x), lambda c, x: x,
      lambda c, x: o.select(c, x, o.negative(x))),
    C("select-not", f"{B} {F} {F}", lambda c, x, y: o.select(o.logical_not(c), x, y),
      lambda c, x, y: o.select(c, y, x), lambda c, x, y: o.select(o.logical_or(c, c), x, y)),
    C("select-bool", B, lambda c: o.select(c, k(c, False), k(c, True)), o.logical_not,
      lambda c: o.select(c, k(c, 0), k(c, 0))),
    *[C(f"{op.name}-self", F, lambda x, op=op: op(x, x), lambda x: x,
        lambda x, op=op: op(x, o.negative(x))) for op in (o.maximum, o.minimum)],
    C("maximum-constants", I, lambda x: o.maximum(o.maximum(x, k(x, 2)), k(x, 3)),
      lambda x: o.maximum(x, k(x, 3)), lambda x: o.maximum(o.maximum(x, k(x, 2)), k(x, 3)), F),
    C("minimum-constants", I, lambda x: o.minimum(o.minimum(x, k(x, 2)), k(x, 3)),
      lambda x: o.minimum(x, k(x, 2)), lambda x: o.minimum(o.maximum(x, k(x, 2)), k(x, 3))),
    *[C(f"{op.name.replace('_', '-')}-self", I, lambda x, op=op: op(x, x),
        lambda x, t=truth: k(o.equal(x, x), t), lambda x, op=op: op(x, x), F)
      for op, truth in ((o.equal, True), (o.less_equal, True), (o.greater_equal, True),
                        (o.not_equal, False), (o.less, False), (o.greater, False))],
    C("not-comparison", f"{I} {I}", lambda x, y: o.logical_not(o.less(x, y)), o.greater_equal,
      lambda x, y: o.logical_not(o.less(x, y)), f"{F} {F}"),
]  # fmt: skip

_PAIRS = (("logical", B), ("bitwise", I))
_ONES = {"logical": True, "bitwise": -1}


def _bits(name: str, op_name: str, rest: str, made: object) -> list[RuleCase]:
    """The same law for booleans and for bits; ``rest`` names the second operand."""
    cases = []
    for kind, types in _PAIRS:
        op = getattr(o, f"{kind}_{op_name}")
        content = {"zero": 0, "ones": _ONES[kind]}.get(rest)

        def before(x: Any, op: Any = op, content: Any = content) -> Any:
            return op(x, x if content is None else k(x, content))

        def after(x: Any, content: Any = content) -> Any:
            return x if made == "x" else k(x, 0 if made == "zero" else content)

        def refused(x: Any, y: Any, op: Any = op) -> Any:
            return op(x, y)

        cases.append(C(f"{kind}-{op_name}-{name}", types, before, after, refused,
                       f"{types} {types}"))  # fmt: skip
    return cases


BITS = [
    *_bits("ones", "and", "ones", "x"),
    *_bits("zero", "and", "zero", "zero"),
    *_bits("zero", "or", "zero", "x"),
    *_bits("ones", "or", "ones", "ones"),
    *_bits("self", "and", "x", "x"),
    *_bits("self", "or", "x", "x"),
    *_bits("zero", "xor", "zero", "x"),
    *_bits("self", "xor", "x", "zero"),
    C("logical-xor-true", B, lambda x: o.logical_xor(x, k(x, True)), o.logical_not,
      lambda x: o.logical_xor(x, k(x, False))),
    C("bitwise-xor-ones", I, lambda x: o.bitwise_xor(x, k(x, -1)), o.bitwise_not,
      lambda x: o.bitwise_xor(x, k(x, 1))),
    C("bitwise-and-constants", I, lambda x: o.bitwise_and(o.bitwise_and(x, k(x, 6)), k(x, 3)),
      lambda x: o.bitwise_and(x, k(x, 2)),
      lambda x: o.bitwise_and(o.bitwise_or(x, k(x, 6)), k(x, 3))),
    C("bitwise-or-constants", I, lambda x: o.bitwise_or(o.bitwise_or(x, k(x, 6)), k(x, 3)),
      lambda x: o.bitwise_or(x, k(x, 7)),
      lambda x: o.bitwise_or(o.bitwise_and(x, k(x, 6)), k(x, 3))),
    C("bitwise-xor-constants", I, lambda x: o.bitwise_xor(o.bitwise_xor(x, k(x, 6)), k(x, 3)),
      lambda x: o.bitwise_xor(x, k(x, 5)),
      lambda x: o.bitwise_xor(o.bitwise_and(x, k(x, 6)), k(x, 3))),
    C("shift-left-zero", I, lambda x: o.shift_left(x, k(x, 0)), lambda x: x,
      lambda x: o.shift_left(x, k(x, 1))),
    C("shift-right-zero", I, lambda x: o.shift_right(x, k(x, 0)), lambda x: x,
      lambda x: o.shift_right(x, k(x, 1))),
]  # fmt: skip

CASES = [*ADD, *MULTIPLY, *POWERS, *CHOICES, *BITS]
