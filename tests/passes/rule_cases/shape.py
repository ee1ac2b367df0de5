"""Cases of the canonical forms, and of the rules for shapes, casts and control flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait import ir
from plait.ir import Literal
from plait.ir import ops as o
from tests.passes.rule_cases import RuleCase, array, make
from tests.passes.rule_cases import number as k

C = RuleCase
F, I, M = "f32[4]", "i32[4]", "f32[2,3]"  # noqa: E741 - the types' own letters


def cut(x: Any, *bounds: Any) -> Any:
    """A slice by a triple for each axis."""
    starts, stops, steps = zip(*bounds, strict=True)
    return o.slice_(x, starts=starts, stops=stops, steps=steps)


def turn(x: Any, *permutation: Any) -> Any:
    return o.transpose(x, permutation=permutation)


def stretch(x: Any, *shape: Any) -> Any:
    return o.broadcast_to(x, shape=shape)


def reshape(x: Any, *shape: Any) -> Any:
    return o.reshape(x, shape=shape)


def cast(x: Any, dtype: Any) -> Any:
    return o.cast(x, dtype=ir.as_dtype(dtype))


def pad(x: Any, low: Any) -> Any:
    return o.pad(x, array(0), low=(low,), high=(0,), interior=(0,))


CANONICAL = [
    C("uniform-constant", F, lambda x: o.add(x, array([2, 2, 2, 2])),
      lambda x: o.add(x, k(x, 2)), lambda x: o.add(x, array([0.0, -0.0, 0.0, 0.0]))),
    C("scalar-full", "f32[]", lambda x: o.add(x, o.full(value=Literal(np.float32(2)), shape=())),
      lambda x: o.add(x, k(x, 2)), lambda x: o.add(x, k(x, 2))),
    C("move-number", F, lambda x: o.add(x, stretch(array(2), 4)), lambda x: o.add(x, k(x, 2)),
      lambda x: o.add(x, turn(array([1, 2, 3, 4]), 0))),
    C("order-operands", f"{F} {F}", lambda x, y: o.add(y, x), o.add, lambda x, y: o.maximum(y, x)),
    *[C(f"order-{a.name.replace('_', '-')}", f"{F} {F}", lambda x, y, a=a: a(y, x),
        lambda x, y, b=b: b(x, y), lambda x, y, a=a: a(x, y))
      for a, b in ((o.less, o.greater), (o.greater, o.less), (o.less_equal, o.greater_equal),
                   (o.greater_equal, o.less_equal))],
]  # fmt: skip

CASTS = [
    C("cast-same", F, lambda x: cast(x, "f32"), lambda x: x, lambda x: cast(x, "f64")),
    C("cast-cast", I, lambda x: cast(cast(x, "f64"), "f32"), lambda x: cast(x, "f32"),
      lambda x: cast(cast(x, "f32"), "f64")),
    *[C(f"{op.name.replace('_', '-')}-casts", f"{I} {I}",
        lambda x, y, op=op: op(cast(x, "f64"), cast(y, "f64")), op,
        lambda x, y, op=op: op(cast(x, "f32"), cast(y, "f32")))
      for op in (o.equal, o.not_equal, o.less, o.less_equal, o.greater, o.greater_equal)],
]  # fmt: skip

MOVES = [
    C("reshape-same", M, lambda x: reshape(x, 2, 3), lambda x: x, lambda x: reshape(x, 3, 2)),
    C("reshape-reshape", M, lambda x: reshape(reshape(x, 6), 3, 2), lambda x: reshape(x, 3, 2),
      lambda x: reshape(turn(x, 1, 0), 6)),
    C("transpose-identity", M, lambda x: turn(x, 0, 1), lambda x: x, lambda x: turn(x, 1, 0)),
    C("transpose-transpose", "f32[2,3,4]", lambda x: turn(turn(x, 1, 2, 0), 1, 0, 2),
      lambda x: turn(x, 2, 1, 0), lambda x: turn(reshape(x, 4, 3, 2), 1, 0, 2)),
    C("transpose-reshape", "f32[1,3,4]", lambda x: turn(x, 1, 0, 2), lambda x: reshape(x, 3, 1, 4),
      lambda x: turn(x, 1, 2, 0), "f32[2,3,4]"),
    C("broadcast-same", M, lambda x: stretch(x, 2, 3), lambda x: x, lambda x: stretch(x, 1, 2, 3)),
    C("broadcast-broadcast", F, lambda x: stretch(stretch(x, 2, 4), 3, 2, 4),
      lambda x: stretch(x, 3, 2, 4), lambda x: stretch(reshape(x, 1, 4), 3, 4)),
    C("broadcast-reshape", F, lambda x: stretch(x, 1, 4), lambda x: reshape(x, 1, 4),
      lambda x: stretch(x, 2, 4)),
    C("broadcast-new-axes", F, lambda x: stretch(reshape(x, 1, 4), 3, 4),
      lambda x: stretch(x, 3, 4), lambda x: stretch(reshape(x, 4, 1), 4, 3)),
    C("elementwise-broadcasts", f"{F} {F}",
      lambda x, y: o.add(stretch(x, 2, 4), stretch(y, 2, 4)),
      lambda x, y: stretch(o.add(x, y), 2, 4), lambda x, y: o.add(stretch(x, 2, 4), y),
      f"{F} f32[2,4]"),
]  # fmt: skip

SLICES = [
    C("slice-same", F, lambda x: cut(x, (0, 4, 1)), lambda x: x, lambda x: cut(x, (3, -1, -1))),
    C("slice-normal", F, lambda x: cut(x, (0, 4, 2)), lambda x: cut(x, (0, 3, 2)),
      lambda x: cut(x, (0, 3, 2))),
    C("slice-slice", "f32[9]", lambda x: cut(cut(x, (8, -1, -2)), (1, 4, 2)),
      lambda x: cut(x, (6, 1, -4)), lambda x: cut(reshape(cut(x, (0, 4, 1)), 2, 2),
                                                  (0, 1, 1), (0, 2, 1))),
    C("slice-concat", f"{F} {F}", lambda x, y: cut(o.concat(x, y, axis=0), (5, 7, 1)),
      lambda x, y: cut(y, (1, 3, 1)), lambda x, y: cut(o.concat(x, y, axis=0), (3, 7, 1))),
    C("concat-one", F, lambda x: o.concat(x, axis=0), lambda x: x,
      lambda x: o.concat(x, x, axis=0)),
    C("concat-empty", f"{F} f32[0] {F}", lambda x, e, y: o.concat(x, e, y, axis=0),
      lambda x, e, y: o.concat(x, y, axis=0), lambda x, e, y: o.concat(x, y, axis=0)),
    C("concat-concat", f"{M} {M}", lambda x, y: o.concat(o.concat(x, y, axis=0), x, axis=0),
      lambda x, y: o.concat(x, y, x, axis=0),
      lambda x, y: o.concat(o.concat(x, y, axis=1), o.concat(x, y, axis=1), axis=0)),
    C("concat-slices", "f32[9]",
      lambda x: o.concat(cut(x, (1, 3, 1)), cut(x, (3, 4, 1)), cut(x, (4, 8, 1)), axis=0),
      lambda x: cut(x, (1, 8, 1)),
      lambda x: o.concat(cut(x, (3, 8, 1)), cut(x, (1, 3, 1)), axis=0)),
    C("concat-split", F, lambda x: o.concat(*o.split(x, sizes=(1, 3), axis=0), axis=0),
      lambda x: x, lambda x: o.concat(*o.split(x, sizes=(1, 3), axis=0)[::-1], axis=0)),
    C("split-one", F, lambda x: o.split(x, sizes=(4,), axis=0), lambda x: x,
      lambda x: o.split(x, sizes=(4, 0), axis=0)),
    C("split-concat", f"{F} {F}",
      lambda x, y: o.split(o.concat(x, y, axis=0), sizes=(4, 4), axis=0), lambda x, y: (x, y),
      lambda x, y: o.split(o.concat(x, y, axis=0), sizes=(3, 5), axis=0)),
    C("pad-nothing", F, lambda x: pad(x, 0), lambda x: x, lambda x: pad(x, 1)),
    C("dynamic-slice-fixed", F, lambda x: o.dynamic_slice(x, array(9, np.int32), sizes=(2,)),
      lambda x: cut(x, (2, 4, 1)), lambda x, i: o.dynamic_slice(x, i, sizes=(2,)), f"{F} i32[]"),
    C("update-whole", f"{F} {F} i32[]", o.dynamic_update_slice, lambda x, y, i: y,
      o.dynamic_update_slice, f"{F} f32[3] i32[]"),
]  # fmt: skip


def _branches() -> Any:
    return make(F, o.tanh), make(F, o.exp)


CONTROL = [
    C("cond-known", F, lambda x: o.cond(array(False, np.bool_), x, regions=_branches()), o.exp,
      lambda c, x: o.cond(c, x, regions=_branches()), f"bool[] {F}"),
]  # fmt: skip

CASES = [*CANONICAL, *CASTS, *MOVES, *SLICES, *CONTROL]
