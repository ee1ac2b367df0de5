"""Cases of reductions: every dtype that the op takes, awkward shapes and axes for float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import DTYPES, Op, ops
from plait.ir.types import is_bool, is_complex, is_floating
from tests.ir.op_cases import Case, array

F = "float32"
AXES: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()),
    ((7,), ()),
    ((7,), (0,)),
    ((1,), (0,)),
    ((2, 3, 4), (0,)),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4), (0, 1, 2)),
    ((2, 0, 3), (0,)),
    ((0, 4), (1,)),
)
EMPTY: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((0,), (0,)),
    ((2, 0, 3), (1,)),
    ((2, 0, 3), (0, 1, 2)),
    ((0, 0), (0,)),
)


def reduced(op: Op, dtype: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Case:
    return Case(op, (array(dtype, shape, len(shape)),), {"axes": axes})


def ordered(dtype: Any) -> bool:
    return not is_complex(dtype)


def numeric(dtype: Any) -> bool:
    return not is_bool(dtype)


CASES: list[Case] = []
for op in (ops.reduce_sum, ops.reduce_prod):
    CASES += [reduced(op, d, (3, 4), (1,)) for d in DTYPES if numeric(d)]
    CASES += [reduced(op, F, shape, axes) for shape, axes in (*AXES, *EMPTY)]
    # Without NaN or infinity sums say more.
    CASES += [
        Case(op, (array(d, (5, 6), specials=False),), {"axes": (0,)})
        for d in DTYPES
        if is_floating(d)
    ]
    CASES.append(Case(op, (array(F, (4, 6), specials=False)[:, ::2].T,), {"axes": (0,)}))

for op in (ops.reduce_max, ops.reduce_min):
    CASES += [reduced(op, d, (3, 4), (1,)) for d in DTYPES if ordered(d)]
    CASES += [reduced(op, F, shape, axes) for shape, axes in (*AXES, ((0, 0), (0,)))]
    CASES += [
        Case(op, (array(d, (5, 6), specials=False),), {"axes": (0,)})
        for d in DTYPES
        if is_floating(d)
    ]

for op in (ops.reduce_any, ops.reduce_all):
    CASES += [reduced(op, "bool", shape, axes) for shape, axes in (*AXES, *EMPTY)]

for op in (ops.argmax, ops.argmin):
    CASES += [Case(op, (array(d, (3, 4)),), {"axis": 1}) for d in DTYPES if ordered(d)]
    CASES += [
        Case(op, (array(d, (5, 6), specials=False),), {"axis": 0}) for d in DTYPES if is_floating(d)
    ]
    CASES += [
        Case(op, (array(F, shape),), {"axis": axis})
        for shape, axis in (((1,), 0), ((7,), 0), ((2, 3, 4), 1), ((0, 3), 1), ((2, 0, 3), 0))
    ]
    CASES += [
        Case(op, (np.asarray(values, F),), {"axis": 0})
        for values in ([1, 2, 2, 1], [1, np.nan, 2, np.nan], [-0.0, 0.0], [np.inf, -np.inf])
    ]
