"""Every op's derivative, over the cases of all ops: central differences, both modes, two orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Op
from plait.ir.derivatives.define import Application
from plait.ir.op import without_gradient
from plait.ir.types import is_complex, is_floating, is_inexact
from tests.gradients import check_gradients, differences, differentiable, random_like, spread_values
from tests.ir.op_cases import Case, all_cases

OPS = tuple(ir.all_ops())
CASES = all_cases()
#: Up to so many elements a case is worth its time.
LARGEST = 300

#: Where an op is smooth, by operand; elsewhere between -2.1 and 2.3, without ties.
POSITIVE, INSIDE = (0.3, 3.0), (-0.85, 0.85)
DOMAINS: dict[str, tuple[tuple[float, float], ...]] = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "rsqrt"), (POSITIVE,)),
    **dict.fromkeys(("lgamma", "digamma", "polygamma", "reciprocal"), (POSITIVE,)),
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv"), (INSIDE,)),
    **dict.fromkeys(("divide", "divide_or_zero", "hypot"), (POSITIVE, POSITIVE)),
    **dict.fromkeys(("remainder", "fmod", "floor_divide"), ((0.3, 9.0), (1.1, 2.3))),
    "log1p": ((-0.6, 2.0),),
    "acosh": ((1.2, 3.0),),
    "power": ((0.3, 2.0), (-2.1, 2.3)),
    "tan": ((-1.2, 1.2),),
    "cbrt": ((0.2, 2.0),),
    "atan2": (POSITIVE, (-2.1, 2.3)),
    **dict.fromkeys(("reduce_prod", "cumprod"), ((0.4, 1.9),)),
}
WIDE = {
    np.dtype("float32"): np.dtype("float64"),
    np.dtype("complex64"): np.dtype("complex128"),
    np.dtype("float64"): np.dtype("float64"),
    np.dtype("complex128"): np.dtype("complex128"),
}


def smooth(op: Op, index: int, x: Any) -> Any:
    """An operand in double precision where the op is smooth; others as they are."""
    if not (differentiable(x)):
        return x
    domains = DOMAINS.get(op.name, ())
    low, high = domains[min(index, len(domains) - 1)] if domains else (-2.1, 2.3)
    values = spread_values(x.shape, low, high, index)
    if is_complex(x.dtype):
        values = values + 1j * spread_values(x.shape, 0.2, 1.3, index + 3)
    return np.asarray(values)


def smooth_cases(op: Op) -> Iterator[Case]:
    """Cases of an op in single or double precision, as double ones, each kind once."""
    seen = set()
    for case in CASES:
        floats = [x for x in case.operands if differentiable(x)]
        dtypes = {x.dtype for x in floats}
        if case.op is not op or not floats or not dtypes <= WIDE.keys():
            continue
        attributes = {k: WIDE.get(v, v) if k == "dtype" else v for k, v in case.attributes.items()}
        made = Case(op, tuple([smooth(op, i, x) for i, x in enumerate(case.operands)]), attributes)
        wide = all(y.dtype in WIDE.values() for y in made.run() if differentiable(y))
        if wide and sum(x.size for x in floats) <= LARGEST and str(made) not in seen:
            seen.add(str(made))
            yield made


def applied(case: Case) -> Any:
    """The op with a case's attributes, as a function of its operands."""
    return lambda *operands: case.op(*operands, **case.attributes)


def is_smooth(op: Op) -> bool:
    return not op.has_regions and not op.is_effect and any(True for _ in smooth_cases(op))


SMOOTH = [op for op in OPS if is_smooth(op)]
WITH_RULE = [op for op in SMOOTH if op.derivative is not None]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_op_has_a_derivative_or_says_that_it_has_none(op: Op) -> None:
    assert op.derivative is not None or op.vjp is without_gradient or op.has_regions


@pytest.mark.parametrize("op", WITH_RULE, ids=lambda op: op.name)
def test_both_modes_agree_with_differences_to_second_order(op: Op) -> None:
    for case in smooth_cases(op):
        try:
            check_gradients(applied(case), *case.operands)
        except Exception as error:
            error.add_note(f"in case {case}")
            raise


#: What these give changes with the operand, but has no derivative on purpose.
OPAQUE = ("bitcast", "stop_gradient")
FLAT = [op for op in SMOOTH if op.derivative is None and op.name not in OPAQUE]


@pytest.mark.parametrize("op", FLAT, ids=lambda op: op.name)
def test_ops_without_gradient_are_constant_in_pieces(op: Op) -> None:
    random = np.random.default_rng(0)
    for case in smooth_cases(op):
        tangents = [random_like(x, random) for x in case.operands]
        for change in differences(applied(case), case.operands, tangents):
            assert change is None or not change.any(), str(case)


def run_rule(case: Case) -> tuple[Any, ...]:
    """The rule of a case's op on cotangents of 1, for all operands that can have one."""
    rule = case.op.derivative
    assert rule is not None
    results = case.run()
    operands = tuple([np.asarray(x) if hasattr(x, "dtype") else x for x in case.operands])
    needs = tuple([differentiable(x) for x in operands])
    gs = [np.ones_like(y) if is_inexact(y.dtype) else None for y in results]
    if True not in needs or not any(g is not None for g in gs):
        return ()
    with np.errstate(all="ignore"):
        return rule(Application(operands, results, case.attributes, needs), *gs)


RULES = [op for op in OPS if op.derivative is not None and op.name != "barrier"]


@pytest.mark.parametrize("op", RULES, ids=lambda op: op.name)
def test_cotangents_have_the_types_of_the_operands(op: Op) -> None:
    for case in [case for case in CASES if case.op is op]:
        found = run_rule(case)
        for x, cotangent in zip(case.operands, found, strict=True) if found else ():
            if cotangent is not None and is_inexact(x.dtype):
                assert (cotangent.dtype, cotangent.shape) == (x.dtype, x.shape), str(case)


@pytest.mark.parametrize("op", RULES, ids=lambda op: op.name)
def test_what_is_not_asked_for_is_not_computed(op: Op) -> None:
    for case in [case for case in smooth_cases(op) if len(case.operands) > 1][:3]:
        results = case.run()
        gs = [np.ones_like(y) if is_inexact(y.dtype) else None for y in results]
        for i, x in enumerate(case.operands):
            needs = tuple([j == i for j in range(len(case.operands))])
            if is_floating(x.dtype):
                at = Application(case.operands, results, case.attributes, needs)
                found = op.derivative(at, *gs)  # type: ignore[misc]
                assert len(found) == len(needs)
