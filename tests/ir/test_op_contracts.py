"""What every op record promises, held by the cases of tests/ir/op_cases, op by op."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import GraphBuilder, Op, TensorType, Trait
from plait.ir.op import node_flops
from tests.ir.op_cases import Case, all_cases, type_of

CASES = all_cases()
OPS = tuple(ir.all_ops())
each_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


def cases_of(op: Op) -> list[Case]:
    return [case for case in CASES if case.op is op]


@contextmanager
def named(case: Case, what: str = "") -> Iterator[None]:
    """Say in a failure which case it was."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in case {case} {what}")
        raise


def same_bits(a: Any, b: Any) -> bool:
    """Equal dtype, shape and values; a NaN equals a NaN."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return a.tobytes() == b.tobytes() or bool(np.all((a == b) | ((a != a) & (b != b))))


def out_type(case: Case) -> TensorType:
    found = case.infer()[0]
    assert isinstance(found, TensorType)
    return found


def run_into(case: Case, out: Any, operands: tuple[Any, ...]) -> Any:
    assert case.op.into is not None
    with np.errstate(all="ignore"):
        case.op.into(out, *operands, **case.attributes)
    return out


def arrays_of(values: tuple[Any, ...]) -> list[tuple[int, Any]]:
    return [(i, x) for i, x in enumerate(values) if isinstance(x, np.ndarray)]


@each_op
def test_every_op_has_cases(op: Op) -> None:
    assert cases_of(op), f"no cases for {op.name} in tests/ir/op_cases"


@each_op
def test_record_is_complete(op: Op) -> None:
    assert op.doc
    assert "\n" not in op.doc
    assert ir.get_op(op.name) is op
    explained = f"{op.doc} {inspect.getdoc(op.infer) or ''}"
    missing = [name for name in op.parameters if name not in explained]
    assert missing == [], "attributes explained neither in doc nor in the docstring of infer"


@each_op
def test_overwrites_comes_with_into(op: Op) -> None:
    assert op.into is not None or op.overwrites == ()


@each_op
def test_infer_is_what_the_reference_gives(op: Op) -> None:
    for case in cases_of(op):
        with named(case):
            assert tuple([type_of(result) for result in case.run()]) == case.infer()


@each_op
def test_a_builder_infers_the_same(op: Op) -> None:
    for case in cases_of(op):
        builder = GraphBuilder("one")
        inputs = [builder.input(t) for t in case.types]
        with named(case), builder:
            found = case.op(*inputs, regions=case.regions, **case.attributes)
            results = found if type(found) is tuple else (found,)
            assert builder.build(results).output_types == case.infer()


@each_op
def test_attributes_are_those_of_infer(op: Op) -> None:
    for case in cases_of(op):
        with named(case):
            assert case.attributes.keys() <= case.op.parameters.keys()


@each_op
def test_reference_leaves_its_operands_alone(op: Op) -> None:
    for case in cases_of(op):
        kept = {i: x.copy() for i, x in arrays_of(case.operands)}
        case.run()
        with named(case):
            assert all(same_bits(kept[i], x) for i, x in arrays_of(case.operands))


@each_op
def test_spread_is_the_reference(op: Op) -> None:
    for case in cases_of(op) if op.spread is not None else ():
        (want,), found = case.run(), op.spread(**case.attributes)  # type: ignore[misc]
        with named(case):
            assert same_bits(want, found)
            assert not found.flags.writeable
            assert all(step == 0 for step in found.strides)


@pytest.mark.parametrize("op", [o for o in OPS if o.has(Trait.ELEMENTWISE)], ids=lambda o: o.name)
def test_operands_of_one_repeated_element_give_equal_bits(op: Op) -> None:
    if op.has(Trait.LAYOUT):
        return  # planners do not rely on it there
    for case in [c for c in cases_of(op) if len(c.operands) > 1 and c.operands[0].size]:
        wide = [np.resize(x, 67) for x in case.operands]
        for k, x in enumerate(case.operands):
            for element in x.ravel()[:8]:
                full = [*wide[:k], np.full(67, element, x.dtype), *wide[k + 1 :]]
                spread = [*wide[:k], np.broadcast_to(full[k][0], 67), *wide[k + 1 :]]
                with np.errstate(all="ignore"):
                    want = op.reference(*full, **case.attributes)
                    found = op.reference(*spread, **case.attributes)
                with named(case, f"operand {k} of {element}"):
                    assert same_bits(want, found)


@each_op
def test_only_a_view_shares_memory(op: Op) -> None:
    if op.has_regions or op.has(Trait.BARRIER):
        return  # what a region or a barrier hands on may be an operand itself
    for case in cases_of(op):
        shared = {
            (i, j)
            for i, result in arrays_of(case.run())
            for j, operand in arrays_of(case.operands)
            if np.shares_memory(result, operand)
        }
        with named(case):
            assert shared <= (set() if op.view is None else {(0, op.view)})


@each_op
def test_a_view_op_really_views(op: Op) -> None:
    for case in cases_of(op) if op.view is not None else []:
        operand, result = case.operands[op.view or 0], case.run()[0]
        if operand.flags.c_contiguous and operand.size and result.size:
            with named(case):
                assert np.shares_memory(result, operand)


@each_op
def test_into_equals_reference(op: Op) -> None:
    for case in cases_of(op) if op.into is not None else []:
        with named(case):
            types = [t for t in case.infer() if isinstance(t, TensorType)]
            shapes: list[Any] = [t.shape for t in types]
            outs = tuple([np.full(s, 77, t.dtype) for s, t in zip(shapes, types, strict=True)])
            run_into(case, outs if len(outs) > 1 else outs[0], case.operands)
            for out, expected in zip(outs, case.run(), strict=True):
                assert same_bits(out, np.asarray(expected))


@each_op
def test_into_may_overwrite_the_listed_operands(op: Op) -> None:
    for case in cases_of(op):
        for index in op.overwrites:
            with named(case, f"over operand {index}"):
                check_overwrite(case, index)


def check_overwrite(case: Case, index: int) -> None:
    """Let ``into`` write over a copy of an operand; every use of that operand sees the copy."""
    wanted, expected = out_type(case), np.array(case.run()[0])
    victim = np.array(case.operands[index], order="C")
    if victim.nbytes == wanted.nbytes and victim.size:
        out = np.ndarray(wanted.shape, wanted.dtype, buffer=victim.reshape(-1).view(np.uint8))
        operands = [*case.operands]
        operands[index] = victim
        assert same_bits(run_into(case, out, tuple(operands)), expected)


@each_op
def test_into_may_overwrite_an_operand_that_comes_twice(op: Op) -> None:
    for case in cases_of(op) if len(op.overwrites) == 2 else []:
        x = np.array(case.operands[op.overwrites[0]], order="C")
        if type_of(x) != out_type(case):
            continue
        operands = [x if i in op.overwrites else y for i, y in enumerate(case.operands)]
        twice = Case(op, tuple(operands), case.attributes)
        with named(case):
            expected = np.array(twice.run()[0])
            assert same_bits(run_into(twice, x, twice.operands), expected)


@each_op
def test_flops_are_a_count(op: Op) -> None:
    for case in cases_of(op):
        with named(case):
            flops = node_flops(op, case.types, case.infer(), case.attributes)
            assert isinstance(flops, int)
            assert flops >= 0


@each_op
def test_too_many_operands_are_refused(op: Op) -> None:
    kinds = {p.kind for p in inspect.signature(op.infer).parameters.values()}
    for case in cases_of(op)[:1] if inspect.Parameter.VAR_POSITIONAL not in kinds else []:
        with named(case), pytest.raises((ir.errors.PlaitError, TypeError)):
            op.infer_types((*case.types, *case.types, ir.token), case.attributes, case.regions)


@each_op
def test_a_token_is_no_tensor(op: Op) -> None:
    for case in cases_of(op)[:1] if not op.has(Trait.BARRIER) else []:
        for i, _ in arrays_of(case.operands):
            types = (*case.types[:i], ir.token, *case.types[i + 1 :])
            with named(case), pytest.raises(ir.errors.PlaitError):
                op.infer_types(types, case.attributes, case.regions)
