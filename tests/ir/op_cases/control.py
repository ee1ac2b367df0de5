"""Cases of the ops with regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, Literal, TensorType, ops, parse_type
from tests.ir.op_cases import SHAPES, Case, array, type_of

SCALAR = parse_type("i32[]")


def number(value: int) -> Any:
    return ops.constant(value=Literal(np.int32(value)))


def branches(*types: Any) -> tuple[Graph, Graph]:
    """One branch hands its operands on, the other computes with them."""

    def other(*values: Any) -> list[Any]:
        return [ops.logical_not(v) if v.dtype == ir.bool_ else ops.square(v) for v in values]

    return ir.region("then", types, lambda *v: v), ir.region("else", types, other)


def cond_cases() -> Iterator[Case]:
    for i, dtype in enumerate(ir.DTYPES):
        x = array(dtype, (2, 3))
        yield Case(ops.cond, (np.array(i % 2 == 0), x), regions=branches(type_of(x)))
    for i, shape in enumerate(SHAPES):
        x, y = array("float32", shape), array("int64", shape)
        regions = branches(type_of(x), type_of(y))
        yield Case(ops.cond, (np.array(i % 2 == 1), x, y), regions=regions)
    nothing = (ir.region("then", [], lambda: None), ir.region("else", [], lambda: None))
    yield Case(ops.cond, (np.array(True),), regions=nothing)


def counting(trips: int, consts: list[Any], carry: list[Any]) -> Case:
    """A loop that adds each constant to each carry value of its type."""
    types = [*map(type_of, consts), SCALAR, *map(type_of, carry)]
    first = len(consts)

    def condition(*values: Any) -> Any:
        return ops.less(values[first], number(trips))

    def body(*values: Any) -> list[Any]:
        stepped = [ops.add(values[first], number(1))]
        for c in values[first + 1 :]:
            for v in values[:first]:
                c = ops.add(c, v) if c.type == v.type else c
            stepped.append(c)
        return stepped

    regions = (ir.region("condition", types, condition), ir.region("body", types, body))
    operands = (*consts, np.int32(0).reshape(()), *carry)
    return Case(ops.while_, operands, {"num_consts": first}, regions)


def while_cases() -> Iterator[Case]:
    for i, dtype in enumerate(ir.DTYPES):
        x = array(dtype, (3,), specials=False)
        yield counting(i % 4, [x], [array(dtype, (3,), 1, specials=False)])
    for i, shape in enumerate(SHAPES):
        yield counting(i, [], [array("float32", shape), array("bool", shape)])
    yield counting(0, [array("float32", (2,))], [])
    bounded = counting(3, [], [array("float32", (2,))])
    yield Case(bounded.op, bounded.operands, {"num_consts": 0, "bound": 3}, bounded.regions)


def scanning(xs: Any, start: Any, reverse: bool) -> Case:
    """A running sum that also gives what it had before each step, and a constant's square."""
    item = TensorType(xs.dtype, xs.shape[1:])
    constant = array("float32", (2,))

    def body(c: Any, total: Any, x: Any) -> list[Any]:
        return [ops.add(total, x), total, ops.square(c)]

    regions = (ir.region("body", [type_of(constant), item, item], body),)
    attributes = {"num_consts": 1, "num_carry": 1, "length": len(xs), "reverse": reverse}
    return Case(ops.scan, (constant, start, xs), attributes, regions)


def scan_cases() -> Iterator[Case]:
    for i, dtype in enumerate(ir.DTYPES):
        xs = array(dtype, (4, 2), specials=False)
        yield scanning(xs, array(dtype, (2,), 5, specials=False), i % 2 == 0)
    for shape in ((1,), (3,), (0, 2), (2, 0), (2, 3, 4)):
        for reverse in (False, True):
            yield scanning(array("float64", shape), array("float64", shape[1:], 1), reverse)
    body = ir.region("body", [SCALAR], lambda i: [ops.add(i, number(1)), i])
    attributes = {"num_consts": 0, "num_carry": 1, "length": 3}
    yield Case(ops.scan, (np.int32(4).reshape(()),), attributes, (body,))


def nested() -> Case:
    """A scan whose body branches on each item and calls a function."""
    f32 = parse_type("f32[]")
    callee = ir.region("callee", [f32, f32], lambda a, b: [ops.subtract(a, b)])
    then = ir.region("then", [f32, f32], lambda a, b: ops.call(a, b, regions=(callee,)))
    other = ir.region("else", [f32, f32], lambda a, b: [ops.multiply(a, b)])

    def body(total: Any, x: Any) -> list[Any]:
        zero = ops.constant(value=Literal(np.float32(0)))
        return list(ops.cond(ops.less(total, zero), total, x, regions=(then, other)))

    attributes = {"num_consts": 0, "num_carry": 1, "length": 5}
    operands = (np.float32(-1).reshape(()), array("float32", (5,), 3, specials=False))
    return Case(ops.scan, operands, attributes, (ir.region("body", [f32, f32], body),))


def call_cases() -> Iterator[Case]:
    for dtype in ir.DTYPES:
        x, y = array(dtype, (2,)), array(dtype, (0, 3))
        callee = ir.region("callee", [type_of(x), type_of(y)], lambda a, b: [b, ops.add(a, a), b])
        yield Case(ops.call, (x, y), {"name": "double"}, (callee,))
        yield Case(ops.call, (x, y), {"remat": True}, (callee,))
    yield Case(ops.call, (), {}, (ir.region("callee", [], lambda: [number(3)]),))


def custom_cases() -> Iterator[Case]:
    for dtype in ir.DTYPES:
        x, n = array(dtype, (2, 3)), array("int64", ())
        types = [type_of(x), type_of(n)]
        smooth = [types[0]] if ir.is_inexact(x.dtype) else []
        primal = ir.region("primal", types, lambda x, n: [n, ops.add(x, x)])
        forward = ir.region("forward", types, lambda x, n: [n, ops.add(x, x), n])
        backward = ir.region("backward", [types[1], *smooth], lambda n, *g: g)
        regions = (primal, forward, backward)
        yield Case(ops.custom_vjp, (x, n), {"name": "double"}, regions)
    nothing = tuple([ir.region(role, [], lambda: None) for role in ("primal", "forward", "back")])
    yield Case(ops.custom_vjp, (), {}, nothing)


CASES: list[Case] = [
    *cond_cases(),
    *while_cases(),
    *scan_cases(),
    nested(),
    *call_cases(),
    *custom_cases(),
]
