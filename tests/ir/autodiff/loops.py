"""Loops on a condition whose trips depend on a number given at run time, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, Literal, TensorType, ops
from plait.ir.autodiff.recording import Recording

COUNT = TensorType(np.dtype(np.int64), ())
Step = Callable[..., Sequence[Any]]


def number(value: Any, dtype: Any = np.int64) -> Any:
    """A 0-d constant."""
    return ops.constant(value=Literal(np.asarray(value, dtype)))


def spread(value: float, like: Any) -> Any:
    """A number everywhere, of the dtype and shape of a payload."""
    return ops.full(value=Literal(np.asarray(value, like.dtype)), shape=tuple(like.shape))


def type_of(x: Any) -> ir.Type:
    """The type of an array or a value."""
    return x.type if isinstance(x, ir.Value) else TensorType(x.dtype, tuple(x.shape))


class Counted:
    """``step`` applied n times: ``(n, consts, carry) -> carry`` as a ``while``.

    Parameters
    ----------
    consts, carry : sequence of Type
    step : callable
        Takes constants, then the carry; gives the carry.
    go_on : callable, optional
        Takes constants, then the carry; gives a further condition.
    bound : int, optional
    """

    def __init__(
        self,
        consts: Sequence[ir.Type],
        carry: Sequence[ir.Type],
        step: Step,
        go_on: Callable[..., Any] | None = None,
        bound: int | None = None,
    ) -> None:
        first = len(consts)
        self.num_consts, self.bound = first, bound

        def condition(n: Any, *values: Any) -> Any:
            below = ops.less(values[first], n)
            if go_on is None:
                return below
            return ops.logical_and(below, go_on(*values[:first], *values[first + 1 :]))

        def body(_: Any, *values: Any) -> list[Any]:
            following = ops.add(values[first], number(1))
            return [following, *step(*values[:first], *values[first + 1 :])]

        types = [COUNT, *consts, COUNT, *carry]
        self.condition = ir.region("condition", types, condition)
        self.body = ir.region("body", types, body)

    def __call__(self, n: Any, *operands: Any) -> tuple[Any, ...]:
        limit = {} if self.bound is None else {"bound": self.bound}
        consts, carry = operands[: self.num_consts], operands[self.num_consts :]
        start = number(0)
        found: tuple[Any, ...] = ops.while_(
            n,
            *consts,
            start,
            *carry,
            regions=(self.condition, self.body),
            num_consts=self.num_consts + 1,
            **limit,
        )
        return found[1:]

    def graph(self, *types: ir.Type) -> Graph:
        """A graph of n and the operands."""
        return ir.region("loop", [COUNT, *types], self)


def trips(n: int) -> Any:
    """The operand that says how many trips to make."""
    return np.asarray(n, np.int64)


def gradient(
    function: Callable[..., Any], operands: Sequence[Any], cotangents: Sequence[Any]
) -> list[Any]:
    """Eager cotangents of the floating operands; zeros where there is none."""
    recording = Recording()
    floating = [x for x in operands if np.asarray(x).dtype.kind in "fc"]
    for x in floating:
        recording.watch(x)
    with recording.recording():
        results = function(*operands)
    found = recording.pullback(results, cotangents, floating)
    return [np.zeros_like(x) if g is None else g for x, g in zip(floating, found, strict=True)]


F64_3 = TensorType(np.dtype(np.float64), (3,))
F64_33 = TensorType(np.dtype(np.float64), (3, 3))


def layer(w: Any, x: Any) -> list[Any]:
    """``tanh(x @ w) + 0.1 sin(x)``."""
    row = ops.reshape(ops.matmul(ops.reshape(x, shape=(1, 3)), w), shape=(3,))
    return [ops.add(ops.tanh(row), ops.multiply(spread(0.1, x), ops.sin(x)))]


def layers(bound: int | None = None) -> Counted:
    """The layer, as often as asked for, and as long as its values are not huge."""

    def is_small(_: Any, x: Any) -> Any:
        return ops.less(ops.reduce_max(x, axes=(0,)), number(1e9, np.float64))

    return Counted([F64_33], [F64_3], layer, is_small, bound)


def layer_values() -> tuple[Any, Any]:
    """A matrix and a vector for the layers."""
    random = np.random.default_rng(0)
    return random.normal(size=(3, 3)) * 0.7, random.normal(size=3)


def layers_gradient(n: int, w: Any, x: Any, g: Any) -> tuple[Any, Any]:
    """Cotangents of matrix and vector, by hand."""
    held = [x]
    for _ in range(n):
        held.append(np.tanh(held[-1] @ w) + 0.1 * np.sin(held[-1]))
    total = np.zeros_like(w)
    for before in reversed(held[:-1]):
        inner = g * (1 - np.tanh(before @ w) ** 2)
        total += np.outer(before, inner)
        g = w @ inner + 0.1 * np.cos(before) * g
    return total, g
