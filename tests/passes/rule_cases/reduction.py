"""Cases of the rules for reductions."""

from __future__ import annotations

from typing import Any

from plait.ir import ops as o
from tests.passes.rule_cases import RuleCase
from tests.passes.rule_cases import number as k

C = RuleCase
SELECTIONS = (o.reduce_max, o.reduce_min, o.reduce_any, o.reduce_all)
SUMS = (o.reduce_sum, o.reduce_prod)


def exact(op: Any, shape: Any) -> Any:
    """A type whose reduction is exact."""
    return f"{'bool' if op in (o.reduce_any, o.reduce_all) else 'i32'}[{shape}]"


def named(op: Any, name: Any) -> Any:
    return f"{op.name.replace('_', '-')}-{name}"


def turn(x: Any) -> Any:
    return o.transpose(x, permutation=(2, 0, 1))


def stretch(x: Any, *shape: Any) -> Any:
    return o.broadcast_to(x, shape=shape)


def _simple(op: Any) -> Any:
    """No axes; axes of size 1."""
    floats = op is o.reduce_sum
    return [
        C(named(op, "nothing"), exact(op, "4"), lambda x: op(x, axes=()), lambda x: x,
          lambda x: op(x, axes=() if floats else (0,)), "f32[4]" if floats else ""),
        C(named(op, "one"), exact(op, "1,3"), lambda x: op(x, axes=(0,)),
          lambda x: o.reshape(x, shape=(3,)), lambda x: op(x, axes=(0,) if floats else (1,)),
          "f32[1,3]" if floats else ""),
    ]  # fmt: skip


def _reordered(op: Any) -> Any:
    """The order of the elements does not matter to exact dtypes."""
    near = exact(op, "2,3,4") if op in (o.reduce_any, o.reduce_all) else "f32[2,3,4]"
    same = near.startswith("bool")
    return [
        C(named(op, "transpose"), exact(op, "2,3,4"), lambda x: op(turn(x), axes=(1,)),
          lambda x: o.transpose(op(x, axes=(0,)), permutation=(1, 0)),
          lambda x: op(x if same else turn(x), axes=(1,)), near),
        C(named(op, "reshape"), exact(op, "2,3,4"),
          lambda x: op(o.reshape(x, shape=(6, 4)), axes=(0, 1)), lambda x: op(x, axes=(0, 1, 2)),
          lambda x: op(o.reshape(x, shape=(6, 4)), axes=(0,) if same else (0, 1)), near),
    ]  # fmt: skip


def _repeated(op: Any) -> Any:
    """Fills and broadcasts: an element many times over."""
    return [
        C(named(op, "number"), exact(op, "4"), lambda x: op(k(stretch(x, 3, 4), 1), axes=(0,)),
          lambda x: k(x, 1), lambda x: op(x, axes=(0,))),
        C(named(op, "broadcast"), exact(op, "4"), lambda x: op(stretch(x, 3, 4), axes=(0,)),
          lambda x: x, lambda x: op(stretch(x, 3, 4), axes=(1,))),
    ]  # fmt: skip


CASES = [
    *[case for op in (*SELECTIONS, *SUMS) for case in (*_simple(op), *_reordered(op))],
    *[case for op in SELECTIONS for case in _repeated(op)],
    C("reduce-sum-number", "i32[4]",
      lambda x: o.reduce_sum(k(stretch(x, 3, 4), 5), axes=(0,)), lambda x: k(x, 15),
      lambda x: o.reduce_sum(k(stretch(x, 3, 4), 5), axes=(0,)), "f32[4]"),
    C("reduce-sum-broadcast", "i32[2,1,4]",
      lambda x: o.reduce_sum(stretch(x, 5, 2, 3, 4), axes=(0, 1, 2)),
      lambda x: o.multiply(o.reshape(o.reduce_sum(x, axes=(0,)), shape=(4,)),
                           k(o.reshape(o.reduce_sum(x, axes=(0,)), shape=(4,)), 15)),
      lambda x: o.reduce_sum(stretch(x, 5, 2, 3, 4), axes=(0, 1, 2)), "f32[2,1,4]"),
    C("sum-broadcast-float", "f32[4]", lambda x: o.reduce_sum(stretch(x, 4, 4), axes=(0,)),
      lambda x: o.multiply(x, k(x, 4)), lambda x: o.reduce_sum(stretch(x, 4, 4), axes=(0,)),
      "i32[4]"),
]  # fmt: skip
