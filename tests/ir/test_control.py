"""Control flow: what the type rules refuse, and what loops and branches mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, GraphBuilder, ops, parse_type
from plait.ir.errors import DTypeError, GraphError, PlaitError, ShapeError

F2, F3, I2 = parse_type("f32[2]"), parse_type("f32[3]"), parse_type("i32[2]")
BOOL, F = parse_type("bool[]"), parse_type("f32[]")


def same(name: str, *types: ir.Type) -> Graph:
    return ir.region(name, types, lambda *values: values)


def truth(*types: ir.Type) -> Graph:
    return ir.region("condition", types, lambda *_: ops.constant(value=ir.Literal(np.array(True))))


def first(*types: ir.Type) -> Graph:
    return ir.region("body", types, lambda x, *_: x)


COND = ir.get_op("cond")
WHILE = ir.get_op("while")
SCAN = ir.get_op("scan")
CALL = ir.get_op("call")
CARRY = {"num_consts": 0, "num_carry": 1, "length": 3}


@pytest.mark.parametrize(
    ("op", "types", "attributes", "regions", "error", "says"),
    [
        (COND, (), {}, (same("then"), same("else")), ShapeError, "predicate"),
        (COND, (F,), {}, (same("then"), same("else")), DTypeError, "operand 0.*f32"),
        (COND, (BOOL,), {}, (same("then"),), GraphError, "2 region.*then, else.*got 1"),
        (COND, (BOOL, F2), {}, (same("t"), same("e", F2)), ShapeError, "region 'then': inputs"),
        (
            COND,
            (BOOL, F2),
            {},
            (same("t", F2), same("e", F3)),
            ShapeError,
            r"region 'else': input 0 is f32\[3\], but operand 0 is f32\[2\]",
        ),
        (
            COND,
            (BOOL, F2, I2),
            {},
            (same("t", F2, I2), ir.region("e", [F2, I2], lambda x, y: (x, x))),
            DTypeError,
            r"region 'else': output 1 is f32\[2\], but output of region 'then' 1 is i32\[2\]",
        ),
        (WHILE, (F2,), {"num_consts": 2}, (truth(F2), same("b", F2)), ShapeError, "num_consts"),
        (WHILE, (F2,), {"num_consts": -1}, (truth(F2), same("b", F2)), ShapeError, "num_consts"),
        (
            WHILE,
            (F2,),
            {"num_consts": 0, "bound": -1},
            (truth(F2), same("b", F2)),
            ShapeError,
            "bound must be a number of trips or None, got -1",
        ),
        (
            WHILE,
            (F2,),
            {"num_consts": 0, "bound": 2.0},
            (truth(F2), same("b", F2)),
            ShapeError,
            "bound must be",
        ),
        (
            WHILE,
            (F2,),
            {"num_consts": 0},
            (same("c", F2), same("b", F2)),
            DTypeError,
            "region 'condition': output 0 must be bool",
        ),
        (
            WHILE,
            (F2, F2),
            {"num_consts": 0},
            (same("c", F2, F2), same("b", F2, F2)),
            ShapeError,
            "region 'condition' must have one output, found 2",
        ),
        (
            WHILE,
            (F2, F3),
            {"num_consts": 1},
            (truth(F2, F3), first(F2, F3)),
            ShapeError,
            r"region 'body': output 0 is f32\[2\], but carry 0 is f32\[3\]",
        ),
        (SCAN, (F2, F2), CARRY, (same("b", F2, F),), ShapeError, "operand 1 .*leading size 3"),
        (SCAN, (F2, F), CARRY, (same("b", F2, F),), ShapeError, "operand 1 .*leading size 3"),
        (SCAN, (F2, ir.token), CARRY, (same("b", F2, F),), DTypeError, "operand 1 .*token"),
        (SCAN, (F2, F3), CARRY, (same("b", F2),), ShapeError, "inputs: expected 2"),
        (SCAN, (F2, F3), CARRY, (same("b", F2, F2),), ShapeError, "region 'body': input 1"),
        (
            SCAN,
            (F2, F3),
            CARRY,
            (ir.region("b", [F2, F], lambda *_: ()),),
            ShapeError,
            "must give the 1 carry",
        ),
        (
            SCAN,
            (F2, F3),
            CARRY,
            (ir.region("b", [F2, F], lambda a, b: (b, a)),),
            ShapeError,
            "output 0 is",
        ),
        (SCAN, (F2,), {**CARRY, "length": -1}, (same("b", F2),), ShapeError, "length"),
        (SCAN, (F2,), {**CARRY, "length": True}, (same("b", F2),), ShapeError, "length"),
        (SCAN, (F2,), {**CARRY, "num_carry": 2}, (same("b", F2),), ShapeError, "num_carry"),
        (
            SCAN,
            (F2,),
            CARRY,
            (ir.region("b", [F2], lambda x: (x, ops.create_token())),),
            DTypeError,
            "output 1 is stacked.*token",
        ),
        (CALL, (F2,), {}, (), GraphError, "1 region"),
        (CALL, (F2,), {}, (same("f", F3),), ShapeError, "region 'callee': input 0"),
    ],
)
def test_what_the_type_rules_refuse(
    op: ir.Op, types: Any, attributes: Any, regions: Any, error: type[PlaitError], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        op.infer_types(types, attributes, regions)
    assert str(caught.value).startswith(f"{op.name}: ")


def test_symbolic_length() -> None:
    xs, x = parse_type("f32[T,2]"), parse_type("f32[2]")
    body = ir.region("body", [x, x], lambda c, v: (ops.add(c, v), v))
    length = ir.Dim("T")
    types = SCAN.infer_types((x, xs), {"num_consts": 0, "num_carry": 1, "length": length}, (body,))
    assert types == (x, xs)


def collatz() -> Graph:
    """Steps until 1, with one cond in one while."""
    i = parse_type("i32[]")

    def constant(n: int) -> Any:
        return ops.constant(value=ir.Literal(np.int32(n)))

    half = ir.region("then", [i], lambda a: ops.floor_divide(a, constant(2)))
    triple = ir.region("else", [i], lambda a: ops.add(ops.multiply(a, constant(3)), constant(1)))

    def body(a: Any, steps: Any) -> list[Any]:
        even = ops.equal(ops.remainder(a, constant(2)), constant(0))
        (found,) = ops.cond(even, a, regions=(half, triple))
        return [found, ops.add(steps, constant(1))]

    condition = ir.region("condition", [i, i], lambda a, _: ops.not_equal(a, constant(1)))
    loop = (condition, ir.region("body", [i, i], body))
    return ir.region(
        "collatz", [i], lambda a: ops.while_(a, constant(0), num_consts=0, regions=loop)[1]
    )


def test_collatz() -> None:
    assert [ir.evaluate(collatz(), [np.array(n, np.int32)])[0] for n in (1, 6, 27)] == [0, 8, 111]


def test_the_bound_of_a_loop_is_text_and_counts_in_the_hash() -> None:
    def loop(**limit: Any) -> Graph:
        regions = (truth(F2), same("body", F2))
        return ir.region("f", [F2], lambda x: ops.while_(x, num_consts=0, regions=regions, **limit))

    bounded = loop(bound=7)
    assert "{num_consts = 0, bound = 7}" in str(bounded)
    again = ir.parse(str(bounded))
    assert again.nodes[0].attributes == {"num_consts": 0, "bound": 7}
    assert ir.structural_hash(again) == ir.structural_hash(bounded)
    assert ir.structural_hash(loop(bound=None)) == ir.structural_hash(loop())
    assert len({ir.structural_hash(g) for g in (bounded, loop(), loop(bound=8))}) == 3


def test_a_loop_does_not_stop_at_its_bound() -> None:
    i = parse_type("i64[]")

    def constant(n: int) -> Any:
        return ops.constant(value=ir.Literal(np.int64(n)))

    regions = (
        ir.region("condition", [i], lambda a: ops.less(a, constant(5))),
        ir.region("body", [i], lambda a: ops.add(a, constant(1))),
    )
    (found,) = ops.while_(np.asarray(0), num_consts=0, bound=2, regions=regions)
    assert found == 5


def test_eager_and_evaluated_loops_agree() -> None:
    body = ir.region("body", [F, F], lambda c, x: (ops.multiply(c, x), c))
    xs = np.array([2, 3, 4], np.float32)
    attributes = {"num_consts": 0, "num_carry": 1, "length": 3, "reverse": True}
    carry, before = ops.scan(np.float32(1).reshape(()), xs, regions=(body,), **attributes)
    assert carry == 24
    assert before.tolist() == [12, 4, 1]


def test_deep_nests_evaluate_without_recursion() -> None:
    graph = ir.region("f", [F2], lambda x: ops.add(x, x))
    for _ in range(3000):
        builder = GraphBuilder("f")
        x = builder.input(F2)
        graph = builder.build(builder.emit("call", x, regions=(graph,)))
    assert ir.evaluate(graph, [np.ones(2, np.float32)])[0].tolist() == [2, 2]
    assert ir.verify(graph) is graph
    assert len(ir.structural_hash(graph)) == 32
    assert graph.cost().flops == 2
    assert str(graph).count("call(") == 3000


def test_an_error_in_a_region_names_the_innermost_line() -> None:
    message = {"error": "CheckError", "message": "broken"}
    inner = GraphBuilder("callee")
    x = inner.input(BOOL)
    with inner.at(ir.Location("inner.py", 3)):
        inner.emit("check", x, **message)
    outer = GraphBuilder("f")
    y = outer.input(BOOL)
    with outer.at(ir.Location("outer.py", 9)):
        outer.emit("call", y, regions=(inner.build([x]),))
    graph = outer.build([y])
    with pytest.raises(ir.errors.CheckError, match=r"broken\n  at inner.py:3"):
        ir.evaluate(graph, [np.array(False)])
    assert ir.evaluate(graph, [np.array(True)])[0]
