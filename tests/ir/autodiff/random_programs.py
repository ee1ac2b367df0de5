"""Random programs with nested control flow, of smooth ops on small matrices."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, TensorType, ops

MATRIX = ir.parse_type("f64[2,2]")
TRUTH = ir.parse_type("bool[]")
COUNT = ir.parse_type("i64[]")


class Programs:
    """Makes programs from a seed.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def program(self, depth: int = 3) -> Graph:
        """A program of three matrices and a truth value."""
        return self.graph([MATRIX, MATRIX, MATRIX, TRUTH], 2, depth)

    def graph(
        self, types: Sequence[ir.Type], outputs: int, depth: int, inner: Sequence[int] = ()
    ) -> Graph:
        """A graph that gives some matrices; ``inner`` are outputs that are inputs as they are."""
        builder = ir.GraphBuilder("f")
        values = [builder.input(t) for t in types]
        with builder:
            for _ in range(self.random.randint(1, 4)):
                values += self.step(values, depth)
            matrices = [v for v in values if v.type == MATRIX]
            found = [self.random.choice(matrices[-4:]) for _ in range(outputs)]
        return builder.build([*[values[i] for i in inner], *found])

    def matrix(self, values: Sequence[Any]) -> Any:
        """Any matrix among the values, more often a late one."""
        matrices = [v for v in values if v.type == MATRIX]
        return self.random.choice(matrices if self.random.random() < 0.5 else matrices[-3:])

    def step(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        """More values, by one op."""
        kinds = [self.unary, self.binary, self.binary]
        if depth > 0:
            kinds += [self.cond, self.scan, self.scan, self.call, self.loop]
        return self.random.choice(kinds)(values, depth - 1)

    def unary(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        op = self.random.choice([ops.sin, ops.tanh, ops.sigmoid, ops.negative, ops.square])
        found = op(self.matrix(values))
        return [ops.tanh(found) if op is ops.square else found]

    def binary(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        op = self.random.choice([ops.add, ops.subtract, ops.multiply, ops.matmul])
        found = op(self.matrix(values), self.matrix(values))
        return [found if op is ops.add else ops.sin(found)]

    def truth(self, values: Sequence[Any]) -> Any:
        """A truth value that depends on a matrix, or one that is there."""
        known = [v for v in values if v.type == TRUTH]
        if known and self.random.random() < 0.5:
            return self.random.choice(known)
        total = ops.reduce_sum(self.matrix(values), axes=(0, 1))
        return ops.less(total, ops.full(value=ir.Literal(np.asarray(0.3)), shape=()))

    def cond(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        operands = [self.matrix(values) for _ in range(self.random.randint(1, 3))]
        regions = tuple([self.graph([MATRIX] * len(operands), 2, depth) for _ in range(2)])
        return ops.cond(self.truth(values), *operands, regions=regions)  # type: ignore[no-any-return]

    def call(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        operands = [self.matrix(values) for _ in range(self.random.randint(1, 3))]
        region = self.graph([MATRIX] * len(operands), 2, depth)
        remat = self.random.random() < 0.5
        return ops.call(*operands, regions=(region,), remat=remat)  # type: ignore[no-any-return]

    def scan(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        consts, carry, slices = (self.random.randint(0, 2) for _ in range(3))
        length = self.random.randint(0, 3)
        operands = [self.matrix(values) for _ in range(consts + carry)]
        stacks = [
            ops.broadcast_to(
                ops.reshape(self.matrix(values), shape=(1, 2, 2)), shape=(length, 2, 2)
            )
            for _ in range(slices)
        ]
        if not operands + stacks:
            return []
        body = self.graph([MATRIX] * (consts + carry + slices), carry + 1, depth)
        found = ops.scan(
            *operands,
            *stacks,
            regions=(body,),
            num_consts=consts,
            num_carry=carry,
            length=length,
            reverse=self.random.random() < 0.5,
        )
        return [*found[:carry], ops.reduce_sum(found[-1], axes=(0,))]

    def loop(self, values: Sequence[Any], depth: int) -> Sequence[Any]:
        """A loop that counts to a number that may depend on a truth value."""
        trips = ops.add(ops.cast(self.truth(values), dtype=np.dtype("i8")), _count(1))
        operands = [self.matrix(values) for _ in range(2)]
        inner = self.graph([MATRIX, MATRIX], 1, depth)
        types = [COUNT, MATRIX, COUNT, MATRIX]

        def body(limit: Any, const: Any, count: Any, carry: Any) -> list[Any]:
            (after,) = ops.call(const, carry, regions=(inner,))
            return [ops.add(count, _count(1)), after]

        condition = ir.region("condition", types, lambda a, b, c, d: ops.less(c, a))
        regions = (condition, ir.region("body", types, body))
        start = (trips, operands[0], _count(0), operands[1])
        return [ops.while_(*start, regions=regions, num_consts=2)[1]]


def _count(value: int) -> Any:
    return ops.constant(value=ir.Literal(np.asarray(value, np.int64)))


def arrays(seed: int) -> list[Any]:
    """Arguments of a program."""
    found = np.random.default_rng(seed)
    assert type(MATRIX) is TensorType
    return [*[found.normal(size=(2, 2)) for _ in range(3)], np.asarray(bool(seed % 2))]
