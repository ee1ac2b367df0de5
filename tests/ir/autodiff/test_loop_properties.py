"""Random loops: every way to keep what trips need gives the transpose of forward mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plait import ir
from plait.ir import TensorType, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import joint
from tests.gradients import pairing
from tests.ir.autodiff.loops import COUNT, Counted, number, spread, trips

F64_2 = TensorType(np.dtype(np.float64), (2,))

UNARY: dict[str, Callable[..., Any]] = {
    "sin": ops.sin,
    "tanh": ops.tanh,
    "same": lambda x: x,
    "reverse": lambda x: ops.gather(x, np.asarray([1, 0]), axes=(0,)),
    "half": lambda x: ops.multiply(x, spread(0.5, x)),
    "forget": lambda x: spread(0.3, x),
    "positive": lambda x: ops.maximum(x, spread(0.01, x)),
}
BINARY: dict[str, Callable[..., Any]] = {
    "add": ops.add,
    "multiply": ops.multiply,
    "first": lambda x, y: x,
    "pick": lambda x, y: ops.select(ops.greater(x, y), ops.sin(x), y),
}
#: One carried value of the next trip: how, of what, and of what else.
LINE = st.tuples(
    st.sampled_from(sorted(UNARY)),
    st.sampled_from(sorted(BINARY)),
    st.integers(0, 3),
    st.integers(0, 3),
)
OPTIONS = (
    LoopOptions(capacity=16),
    LoopOptions(max_iterations=9),
    LoopOptions(checkpoints=1),
    LoopOptions(checkpoints=2),
    LoopOptions(checkpoints=4),
    LoopOptions(checkpoint="sqrt", capacity=16),
)


def loop_of(lines: Sequence[tuple[str, str, int, int]]) -> Counted:
    """A constant and three carried values, the last of which counts in steps of 2."""

    def step(c: Any, x: Any, y: Any, k: Any) -> list[Any]:
        turned = ops.broadcast_to(ops.cast(k, dtype=np.dtype(np.float64)), shape=(2,))
        values = (c, x, y, ops.sin(turned))
        made = [
            ops.tanh(BINARY[two](UNARY[one](values[i]), values[j]))
            if one != "same"
            else BINARY[two](values[i], values[j])
            if two == "first"
            else ops.sin(BINARY[two](values[i], values[j]))
            for one, two, i, j in lines
        ]
        return [*made, ops.add(k, number(2))]

    return Counted([F64_2], [F64_2, F64_2, COUNT], step)


@settings(max_examples=25)
@given(lines=st.tuples(LINE, LINE), n=st.integers(0, 9), seed=st.integers(0, 99))
def test_reverse_mode_is_the_transpose_of_forward_mode(
    lines: Sequence[tuple[str, str, int, int]], n: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    graph = loop_of(lines).graph(F64_2, F64_2, F64_2, COUNT)
    operands = [trips(n), *random.normal(size=(3, 2)), trips(0)]
    directions, cotangents = random.normal(size=(3, 2)), random.normal(size=(2, 2))
    pushed, outputs = jvp_graph(graph, [1, 2, 3])
    tangents = dict(zip(outputs, ir.evaluate(pushed, [*operands, *directions])[3:], strict=True))
    wanted, size = pairing(list(cotangents), [tangents.get(0), tangents.get(1)])
    for options in OPTIONS:
        with capacity.use(options):
            made = joint(graph, [1, 2, 3], [0, 1])
        given_ = [cotangents[i] for i in made.outputs]
        found = ir.evaluate(made.graph, [*operands, *given_])[3:]
        total, _ = pairing(found, [directions[i - 1] for i in made.inputs])
        assert total == pytest.approx(wanted, rel=1e-9, abs=1e-12 * (1 + size)), options
