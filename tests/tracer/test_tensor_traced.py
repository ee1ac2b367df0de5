"""Operators and functions written down at once mean what the way that promotes writes down."""

from __future__ import annotations

import operator
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import DTYPES, functions
from plait.tracer.tensor_functions import UNARY
from plait.tracer.tensor_handle import call, run

OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "matmul": operator.matmul,
}
DTYPE_NAMES = [d.name for d in DTYPES]
SHAPES = [
    ((3, 3), (3, 3)),
    ((2, 3), (3, 2)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((), ()),
    ((4, 2, 2),) * 2,
]


def written(function: Callable[..., Any], *args: Any) -> Any:
    """The graph of a function as text and the kind of its result, or the class of the error."""
    kinds = []

    def watched(*given: Any) -> Any:
        result = function(*given)
        kinds.append(result._kind)
        return result

    try:
        graph = pl.graph_function(watched).trace(*args).graph
    except pl.errors.PlaitError as error:
        return type(error)
    return graph.as_text(locations=False), kinds


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("name", sorted(UNARY))
def test_functions_of_one_operand(name: str, dtype: str) -> None:
    public, inner = getattr(pl, name), getattr(functions, name)
    x = pl.zeros((2, 3), dtype=dtype)
    assert written(lambda x: public(x), x) == written(lambda x: run(inner, (x,), {}), x)


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str, dtype: str) -> None:
    for one, other in SHAPES:
        for second in (dtype, "float32"):
            x, y = pl.zeros(one, dtype=dtype), pl.zeros(other, dtype=second)
            expected = written(lambda x, y: call(name, x, y), x, y)
            assert written(OPERATORS[name], x, y) == expected


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_arrays_keep_their_kind(name: str) -> None:
    x, y = np.zeros((3, 3), np.float32), pl.zeros((3, 3))
    for args in ((x, x), (x, y), (y, x)):
        expected = written(lambda x, y: call(name, x, y), *args)
        assert written(OPERATORS[name], *args) == expected


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_tensors_from_outside(name: str) -> None:
    inside, outside = pl.zeros((3, 3)), pl.zeros((3, 3))
    expected = written(lambda x: call(name, x, outside), inside)
    assert written(lambda x: OPERATORS[name](x, outside), inside) == expected


def test_a_value_of_a_trace_that_is_over_has_leaked() -> None:
    queue = SimpleQueue[Any]()  # its methods are not looked into
    pl.graph_function(lambda x: queue.put(x)).trace("f32[2]")
    kept = [queue.get()]
    for use in (lambda x: x + kept[0], lambda x: kept[0] + x, lambda _: pl.tanh(kept[0])):
        with pytest.raises(pl.errors.LeakedTracerError):
            pl.graph_function(use).trace("f32[2]")


def test_each_node_carries_the_line_that_wrote_it() -> None:
    def lines(x: Any) -> Any:
        a = x + x
        b = pl.tanh(a)
        c = b @ a
        return c * pl.sum(c, axis=0)

    first = lines.__code__.co_firstlineno
    nodes = pl.graph_function(lines).trace("f32[3,3]").graph.nodes
    found = [(n.op.name, n.location.line - first) for n in nodes]
    steps = [("add", 1), ("tanh", 2), ("matmul", 3), ("reduce_sum", 4), ("broadcast_to", 4)]
    assert found == [*steps, ("multiply", 4)]
    assert {n.location.function for n in nodes} == {"lines"}
