"""Functions and graphs that the tests of the inspector show."""

from __future__ import annotations

from typing import Any

import plait as pl
from plait import ir
from plait.ir import Graph, GraphBuilder, Location, ops

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--"


def sigmoid(x: Any) -> Any:
    return 1 / (1 + pl.exp(-x))


@pl.graph_function(backend="planned")
def cell(x: Any, w: Any, h: Any, c: Any) -> Any:
    y = pl.concat([x, h], axis=1) @ w
    a, i, f, o = pl.split(y, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * pl.tanh(a)
    h = sigmoid(o) * pl.tanh(c)
    return h, c


@pl.graph_function(backend="planned")
def loss(x: Any, w: Any, h: Any, c: Any) -> Any:
    h, c = cell(x, w, h, c)
    return pl.sum(h * h)


@pl.graph_function(backend="planned")
def loop(x: Any, n: Any) -> Any:
    i = 0
    while i < n:
        if pl.sum(x) > 0:
            x = pl.tanh(x) * 0.5
        else:
            x = x + 1
        i = i + 1
    return x


def chain(count: int) -> Graph:
    """A long graph: layers of some ops, of two functions and several lines."""
    builder = GraphBuilder("chain")
    x: Any = builder.input(ir.TensorType(ir.float32, (4, 4)), "x")
    w: Any = builder.input(ir.TensorType(ir.float32, (4, 4)), "w")
    made = (
        lambda x: ops.matmul(x, w),
        ops.tanh,
        lambda x: ops.add(x, w),
        ops.sigmoid,
        lambda x: ops.multiply(x, x),
    )
    with builder:
        for i in range(count):
            function = "layer" if i // 25 % 2 else "block"
            with builder.at(Location("model.py", 10 + i % 5, function)):
                x = made[i % 5](x)
    return builder.build([x])


def hostile_graph() -> Graph:
    """A graph whose names and files try to break out of a page."""
    builder = GraphBuilder(HOSTILE)
    x = builder.input(ir.TensorType(ir.float32, (2,)), HOSTILE)
    with builder, builder.at(Location(f"{HOSTILE}.py", 3, HOSTILE)):
        y = ops.tanh(x)
    return builder.build([y])
