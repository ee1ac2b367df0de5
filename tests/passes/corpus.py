"""Graphs that planning is measured on: layers, chains, networks, random ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, TensorType, Value, ops
from tests.graphs import Options, seeded_graph

BINARY = (ops.add, ops.multiply, ops.subtract, ops.maximum)
UNARY = (ops.tanh, ops.exp, ops.negative)


def layered_graph(nodes: int, width: int = 32, seed: int = 0) -> Graph:
    """Layers of ``width`` nodes, each reading two of the layer before."""
    source = random.Random(seed)
    builder = ir.GraphBuilder("layered")
    values = [builder.input(ir.parse_type("f32[8,16]")) for _ in range(width)]
    with builder:
        while len(builder.nodes) < nodes:
            values = [_combine(source, partial(source.choice, values)) for _ in range(width)]
    return builder.build(values)


def random_graph(nodes: int, seed: int = 0) -> Graph:
    """Each node reads values of the last fifty, sometimes much older ones."""
    source = random.Random(seed)
    builder = ir.GraphBuilder("random")
    values = [builder.input(ir.parse_type("f32[8,16]")) for _ in range(4)]

    def pick() -> Value:
        return source.choice(values[-50:] if source.random() < 0.9 else values)

    with builder:
        for _ in range(nodes):
            values.append(_combine(source, pick))
    used = {v for n in builder.nodes for v in n.operands}
    return builder.build([v for v in values if v not in used and v.node is not None])


def _combine(source: random.Random, pick: Callable[[], Value]) -> Value:
    made: Value
    if source.random() < 0.6:
        made = source.choice(BINARY)(pick(), pick())
    else:
        made = source.choice(UNARY)(pick())
    return made


def network(name: str, build: Callable[..., Any], *types: str) -> Graph:
    builder = ir.GraphBuilder(name)
    values = [builder.input(ir.parse_type(t)) for t in types]
    with builder:
        outputs = build(*values)
    return builder.build(outputs if isinstance(outputs, tuple) else [outputs])


def lstm(steps: int) -> Graph:
    """An LSTM over a few steps, unrolled."""

    def build(xs: Value, w: Value, h: Value, c: Value) -> tuple[Value, Value]:
        for t in range(steps):
            x = ops.slice_(xs, starts=(t, 0, 0), stops=(t + 1, 8, 16), steps=(1, 1, 1))
            both = ops.concat(ops.reshape(x, shape=(8, 16)), h, axis=1)
            gates = ops.split(ops.matmul(both, w), sizes=(16,) * 4, axis=1)
            i, f, o = [ops.sigmoid(g) for g in gates[1:]]
            c = ops.add(ops.multiply(f, c), ops.multiply(i, ops.tanh(gates[0])))
            h = ops.multiply(o, ops.tanh(c))
        return h, c

    return network("lstm", build, f"f32[{steps},8,16]", "f32[32,64]", "f32[8,16]", "f32[8,16]")


def mlp(layers: int) -> Graph:
    """Dense layers, then the sum of squares."""

    def build(x: Value, *weights: Value) -> Value:
        for w in weights:
            x = ops.relu(ops.matmul(x, w))
        made: Value = ops.reduce_sum(ops.square(x), axes=(0, 1))
        return made

    return network("mlp", build, "f32[32,64]", *["f32[64,64]"] * layers)


def attention() -> Graph:
    """Softmax attention with its residual."""

    def build(x: Value, wq: Value, wk: Value, wv: Value) -> Value:
        q, k, v = (ops.matmul(x, w) for w in (wq, wk, wv))
        scores = ops.matmul(q, ops.transpose(k, permutation=(1, 0)))
        top = ops.reduce_max(scores, axes=(1,))
        shifted = ops.exp(ops.subtract(scores, stretch(top)))
        weights = ops.divide(shifted, stretch(ops.reduce_sum(shifted, axes=(1,))))
        made: Value = ops.add(x, ops.matmul(weights, v))
        return made

    def stretch(x: Value) -> Value:
        made: Value = ops.broadcast_to(ops.reshape(x, shape=(32, 1)), shape=(32, 32))
        return made

    return network("attention", build, "f32[32,32]", *["f32[32,32]"] * 3)


def with_all_outputs(graph: Graph) -> Graph:
    """The graph with every unread tensor as an output, so that nothing in it is dead."""
    read = {v for n in graph.nodes for v in n.operands}
    ends = [v for n in graph.nodes for v in n.results if v not in read]
    tensors = [v for v in ends if type(v.type) is TensorType]
    return Graph(
        graph.name, graph.inputs, graph.nodes, tuple(dict.fromkeys([*graph.outputs, *tensors]))
    )


def corpus() -> list[Graph]:
    """Some of each."""
    mixed = [
        with_all_outputs(seeded_graph(seed, nodes, Options(regions=seed % 2 == 0)))
        for nodes in (12, 40, 150)
        for seed in range(20)
    ]
    return [
        layered_graph(300),
        random_graph(300),
        random_graph(60, 1),
        lstm(1),
        lstm(6),
        mlp(8),
        attention(),
        *mixed,
    ]


def plain_arguments(graph: Graph, seed: int = 0) -> list[Any]:
    """Small random floats."""
    source = np.random.default_rng(seed)
    return [source.standard_normal(v.shape).astype(v.dtype) for v in graph.inputs]
