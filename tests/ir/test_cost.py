"""Cost: nodes, branches and loops whose trips are known, or flagged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from plait import ir
from plait.ir import Cost, Graph, Literal, errors, ops, parse_type
from tests.graphs import Options, arguments, graphs
from tests.ir.op_cases import all_cases

F = parse_type("f32[10]")
I = parse_type("i32[]")  # noqa: E741


def constant(value: Any) -> Any:
    return ops.constant(value=Literal(np.int32(value)))


def test_a_node() -> None:
    graph = ir.region("f", [F, F], lambda x, y: ops.add(ops.add(x, y), x))
    assert ir.node_cost(graph.nodes[0]) == Cost(10, 120, True)
    assert graph.cost() == Cost(20, 240, True)
    twice = ir.region("f", [F], lambda x: ops.add(x, x))
    assert twice.cost() == Cost(10, 80, True)


def test_views_and_constants_move_nothing() -> None:
    graph = ir.region("f", [parse_type("f32[2,5]")], lambda x: ops.reshape(x, shape=(10,)))
    assert graph.cost() == Cost(0, 0, True)
    assert ir.region("f", [], lambda: constant(3)).cost() == Cost(0, 0, True)


def test_matmul() -> None:
    types = [parse_type("f32[8,32]"), parse_type("f32[32,64]")]
    graph = ir.region("f", types, lambda x, y: ops.matmul(x, y))
    assert graph.cost() == Cost(2 * 8 * 32 * 64, 4 * (8 * 32 + 32 * 64 + 8 * 64), True)


def test_symbolic_sizes_are_not_known() -> None:
    graph = ir.region("f", [parse_type("f32[B]"), F], lambda x, y: (ops.tanh(x), ops.add(y, y)))
    cost = graph.cost()
    assert not cost.known
    assert cost.flops == 10


def symbolic(case: Any) -> list[Any]:
    """The types of a case with every dimension of the sizes that occur replaced by a name."""
    return [
        type_.with_shape([ir.Dim(f"d{d}") if d != 0 and d != 1 else d for d in type_.shape])
        if type(type_) is ir.TensorType
        else type_
        for type_ in case.types
    ]


def test_no_op_fails_on_symbolic_sizes() -> None:
    counted = set()
    for case in all_cases():
        builder = ir.GraphBuilder("one")
        inputs = [builder.input(t) for t in symbolic(case)]
        try:
            builder.emit(case.op, *inputs, regions=case.regions, **case.attributes)
        except (errors.PlaitError, TypeError):
            continue  # an op that needs sizes
        cost = builder.build([]).cost()
        if any(not t.is_static for t in symbolic(case) if type(t) is ir.TensorType):
            counted.add(case.op.name)
            assert not cost.known
    assert {"matmul", "dot_general", "tanh", "sort", "reduce_sum"} <= counted


def test_a_contraction_over_a_symbolic_size() -> None:
    types = [parse_type("f32[8,K]"), parse_type("f32[K,4]")]
    graph = ir.region("f", types, lambda x, y: ops.matmul(x, y))
    assert graph.cost() == Cost(0, 4 * 8 * 4, False)
    assert "?" in str(ir.cost_report(graph))


def test_every_op_has_a_cost() -> None:
    for case in all_cases():
        builder = ir.GraphBuilder("one")
        inputs = [builder.input(t) for t in case.types]
        builder.emit(case.op, *inputs, regions=case.regions, **case.attributes)
        cost = builder.build([]).cost()
        assert cost.flops >= 0
        assert cost.bytes >= 0
        assert case.op.has_regions or cost.known


def test_a_branch_costs_as_the_dearer_one() -> None:
    cheap = ir.region("then", [F], lambda x: x)
    dear = ir.region("else", [F], lambda x: ops.add(x, x))
    regions = (cheap, dear)
    graph = ir.region("f", [parse_type("bool[]"), F], lambda p, x: ops.cond(p, x, regions=regions))
    assert graph.cost() == Cost(10, 80, False)
    equal = ir.region(
        "f", [parse_type("bool[]"), F], lambda p, x: ops.cond(p, x, regions=(dear, dear))
    )
    assert equal.cost() == Cost(10, 80, True)


def test_a_scan_counts_its_length() -> None:
    body = ir.region("body", [F], lambda x: ops.add(x, x))
    attributes: Any = {"num_consts": 0, "num_carry": 1}

    def scan(length: Any) -> Cost:
        found = ir.region(
            "f", [F], lambda x: ops.scan(x, regions=(body,), length=length, **attributes)
        )
        return found.cost()

    assert scan(7) == Cost(70, 560, True)
    assert scan(0) == Cost(0, 0, True)
    assert scan(ir.Dim("T")) == Cost(10, 80, False)


COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "not_equal")


def counting(compare: str, start: int, limit: int, step: int, *, form: int = 0) -> Graph:
    """A while that counts; the form varies where the numbers stand."""
    op = ir.get_op(compare)
    mirrored = {"less": "greater", "greater": "less", "less_equal": "greater_equal"}
    mirrored |= {"greater_equal": "less_equal", "not_equal": "not_equal"}
    consts = form == 1

    def condition(*values: Any) -> Any:
        bound = values[0] if consts else constant(limit)
        if form == 2:
            return ir.get_op(mirrored[compare])(bound, values[-2])
        return op(values[-2], bound)

    def body(*values: Any) -> list[Any]:
        *_, i, x = values
        if form == 2:
            return [ops.add(constant(step), i), ops.add(x, x)]
        if form == 3:
            return [ops.subtract(i, constant(-step)), ops.add(x, x)]
        return [ops.add(i, constant(step)), ops.add(x, x)]

    types = [*([I] if consts else []), I, F]
    regions = (ir.region("condition", types, condition), ir.region("body", types, body))

    def whole(x: Any) -> Any:
        first = [constant(limit)] if consts else []
        operands = (*first, constant(start), x)
        return ops.while_(*operands, num_consts=len(first), regions=regions)

    return ir.region("f", [F], whole)


def trips(compare: str, start: int, limit: int, step: int) -> int | None:
    """The trips, by counting; None after too many."""
    op = ir.get_op(compare)
    for count in range(50):
        if not op.reference(start + count * step, limit):
            return count
    return None


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("form", range(4))
def test_while_loops_that_count(compare: str, form: int) -> None:
    for start, limit, step in [
        (a, b, s) for a in (-2, 0, 3) for b in (-3, 0, 2, 3, 7) for s in (-2, -1, 0, 1, 2, 3)
    ]:
        cost = counting(compare, start, limit, step, form=form).cost()
        expected = trips(compare, start, limit, step)
        where = f"{start} {compare} {limit} step {step}"
        assert cost.known == (expected is not None), where
        count = 1 if expected is None else expected
        assert cost.flops == 11 * count + count + 1, where


def test_while_loops_that_do_not_count() -> None:
    condition = ir.region("condition", [I, I], lambda i, n: ops.less(i, n))
    body = ir.region("body", [I, I], lambda i, n: [ops.add(i, constant(1)), n])
    carried_limit = ir.region(
        "f", [I], lambda n: ops.while_(constant(0), n, num_consts=0, regions=(condition, body))
    )
    assert not carried_limit.cost().known
    doubling = ir.region("body", [I], lambda i: ops.add(i, i))
    below = ir.region("condition", [I], lambda i: ops.less(i, constant(9)))
    twice = ir.region(
        "f", [], lambda: ops.while_(constant(1), num_consts=0, regions=(below, doubling))
    )
    assert not twice.cost().known
    counted = ir.region("body", [I], lambda i: ops.add(i, constant(1)))
    unknown_start = ir.region(
        "f", [I], lambda i: ops.while_(i, num_consts=0, regions=(below, counted))
    )
    assert not unknown_start.cost().known
    endless = ir.region("condition", [I], lambda _: ops.constant(value=Literal(np.array(True))))
    assert (
        not ir.region("f", [I], lambda i: ops.while_(i, num_consts=0, regions=(endless, counted)))
        .cost()
        .known
    )


def test_the_report_multiplies_nested_loops() -> None:
    inner = ir.region("body", [F], lambda x: ops.tanh(x))
    attributes: Any = {"num_consts": 0, "num_carry": 1}
    middle = ir.region("body", [F], lambda x: ops.scan(x, regions=(inner,), length=5, **attributes))
    graph = ir.region("f", [F], lambda x: ops.scan(x, regions=(middle,), length=3, **attributes))
    report = ir.cost_report(graph)
    assert report.ops["tanh"].count == 15
    assert report.ops["scan"].count == 4
    assert report.total.bytes == 15 * 80
    assert str(report).splitlines()[-1].startswith("total")


@given(graphs(options=Options(regions=True, effects=True)))
def test_the_total_is_the_sum_over_nodes(graph: Graph) -> None:
    total = Cost()
    for node in graph.nodes:
        total = total + ir.node_cost(node)
    assert graph.cost() == total
    assert len(arguments(graph)) == len(graph.inputs)
