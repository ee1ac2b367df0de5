"""Scans in both languages, Plait's ops and jax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from plait import ir
from plait.ir import Graph, ops
from tests.ir.autodiff.against_jax import program


@dataclass(frozen=True)
class Scan:
    """A scan in both languages.

    Attributes
    ----------
    types : tuple of str
        Of the body's inputs.
    consts, carry, length : int
    body, reference : callable
        Take constants, carry and slices; give the carry, then what is stacked.
    reverse : bool
    """

    types: tuple[str, ...]
    consts: int
    carry: int
    length: int
    body: Callable[..., Sequence[Any]]
    reference: Callable[..., Sequence[Any]]
    reverse: bool = False

    def graph(self) -> Graph:
        """A graph of the scan alone."""
        region = program(self.types, self.body, "body")
        attributes = {
            "num_consts": self.consts,
            "num_carry": self.carry,
            "length": self.length,
            "reverse": self.reverse,
        }

        def outer(*values: Any) -> Any:
            return ops.scan(*values, regions=(region,), **attributes)

        first = self.consts + self.carry
        stacked = [
            t.replace("[", f"[{self.length},").replace(",]", "]") for t in self.types[first:]
        ]
        return program([*self.types[:first], *stacked], outer)

    def in_jax(self, *values: Any) -> list[Any]:
        """The same by ``lax.scan``."""
        first = self.consts + self.carry
        consts, carry, xs = values[: self.consts], values[self.consts : first], values[first:]

        def step(state: Any, slices: Any) -> Any:
            found = self.reference(*consts, *state, *slices)
            return tuple(found[: self.carry]), tuple(found[self.carry :])

        last, ys = lax.scan(step, tuple(carry), tuple(xs), self.length, self.reverse)
        return [*last, *ys]


def lstm(w: Any, h: Any, c: Any, x: Any) -> list[Any]:
    gates = ops.matmul(ops.concat(x, h, axis=1), w)
    i, f, o, u = ops.split(gates, sizes=(3, 3, 3, 3), axis=1)
    after = ops.add(ops.multiply(ops.sigmoid(f), c), ops.multiply(ops.sigmoid(i), ops.tanh(u)))
    shown = ops.multiply(ops.sigmoid(o), ops.tanh(after))
    return [shown, after, shown]


def lstm_in_jax(w: Any, h: Any, c: Any, x: Any) -> list[Any]:
    i, f, o, u = jnp.split(jnp.concatenate([x, h], 1) @ w, 4, 1)
    after = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(u)
    shown = jax.nn.sigmoid(o) * jnp.tanh(after)
    return [shown, after, shown]


def overwritten(a: Any, before: Any, x: Any) -> list[Any]:
    """A carry that the next trip does not read, and one that no trip changes."""
    return [ops.sin(ops.multiply(x, a)), before, ops.multiply(before, x)]


def counting(n: Any, total: Any, x: Any) -> list[Any]:
    """An integer carry that decides what is added."""
    even = ops.equal(ops.bitwise_and(n, number(1)), number(0))
    chosen = ops.select(even, ops.sin(ops.multiply(total, x)), ops.exp(ops.negative(total)))
    return [ops.add(n, number(1)), chosen, ops.cast(n, dtype=np.dtype("f8"))]


def number(value: int) -> Any:
    return ops.constant(value=ir.Literal(np.asarray(value, "i8")))


def vector(w: Any, x: Any) -> Any:
    return ops.reshape(ops.matmul(w, ops.reshape(x, shape=(3, 1))), shape=(3,))


LSTM = ("f64[5,12]", "f64[2,3]", "f64[2,3]", "f64[2,2]")
SCANS = {
    "lstm": Scan(LSTM, 1, 2, 4, lstm, lstm_in_jax),
    "lstm reverse": Scan(LSTM, 1, 2, 4, lstm, lstm_in_jax, True),
    "one trip": Scan(LSTM, 1, 2, 1, lstm, lstm_in_jax),
    "no trip": Scan(LSTM, 1, 2, 0, lstm, lstm_in_jax),
    "power": Scan(
        ("f64[]", "f64[3]"),
        1,
        1,
        5,
        lambda a, c: [ops.multiply(ops.broadcast_to(a, shape=(3,)), ops.sin(c))],
        lambda a, c: [a * jnp.sin(c)],
    ),
    "map": Scan(
        ("f64[2,2]", "f64[2,2]"),
        1,
        0,
        3,
        lambda w, x: [ops.tanh(ops.matmul(w, x))],
        lambda w, x: [jnp.tanh(w @ x)],
    ),
    "matrix of constants": Scan(
        ("f64[2,2]", "f64[2,2]", "f64[2,1]"),
        1,
        1,
        3,
        lambda w, m, x: [
            ops.matmul(ops.exp(ops.matmul(w, w)), m),
            ops.matmul(ops.matmul(w, w), ops.multiply(x, x)),
        ],
        lambda w, m, x: [jnp.exp(w @ w) @ m, (w @ w) @ (x * x)],
    ),
    "overwritten": Scan(
        ("f64[2]", "f64[2]", "f64[2]"),
        0,
        2,
        3,
        overwritten,
        lambda a, before, x: [jnp.sin(x * a), before, before * x],
    ),
    "never read": Scan(
        ("f64[2]", "f64[2]"),
        0,
        1,
        3,
        lambda a, x: [ops.sin(x), ops.cos(x)],
        lambda a, x: [jnp.sin(x), jnp.cos(x)],
    ),
    "integer carry": Scan(
        ("i64[]", "f64[]", "f64[]"),
        0,
        2,
        4,
        counting,
        lambda n, total, x: [
            n + 1,
            jnp.where(n % 2 == 0, jnp.sin(total * x), jnp.exp(-total)),
            n.astype(float),
        ],
    ),
    "products of vectors": Scan(
        ("f64[3,3]", "f64[3]", "f64[3]"),
        1,
        1,
        3,
        lambda w, c, x: [
            ops.sin(ops.add(vector(w, c), vector(ops.transpose(w, permutation=(1, 0)), x)))
        ],
        lambda w, c, x: [jnp.sin(w @ c + w.T @ x)],
    ),
    "products of batches": Scan(
        ("f64[2,4,4]", "f64[2,2,4]", "f64[2,2,4]"),
        1,
        1,
        3,
        lambda w, c, x: [
            ops.dot_general(
                ops.cos(ops.matmul(ops.add(c, x), w)),
                w,
                contracting=((2,), (2,)),
                batch=((0,),) * 2,
            )
        ],
        lambda w, c, x: [jnp.einsum("bij,bkj->bik", jnp.cos((c + x) @ w), w)],
    ),
    "complex": Scan(
        ("c128[2]", "c128[2]", "c128[2]"),
        1,
        1,
        3,
        lambda w, c, x: [ops.sin(ops.multiply(ops.conj(c), w)), ops.multiply(ops.exp(c), x)],
        lambda w, c, x: [jnp.sin(jnp.conj(c) * w), jnp.exp(c) * x],
    ),
    "swapped": Scan(
        ("f64[]", "f64[]", "f64[]"),
        1,
        2,
        3,
        lambda k, a, b: [b, ops.multiply(k, ops.sin(a)), ops.multiply(a, b)],
        lambda k, a, b: [b, k * jnp.sin(a), a * b],
    ),
}
