"""Cases of sorting and searching: ties, NaN, infinities, zeros of both signs."""

from __future__ import annotations

import numpy as np

from plait.ir import DTYPES, ops
from plait.ir.types import is_complex
from tests.ir.op_cases import Case, array

F = "float32"
ORDERED = [d for d in DTYPES if not is_complex(d)]
SHAPES = (((1,), 0), ((0,), 0), ((7,), 0), ((2, 0, 3), 0), ((0, 3), 1), ((2, 3, 4), 1))
TIES = np.asarray([[2, 1, 2, 1, 2], [0, 0, 0, 0, 0]], F)

CASES: list[Case] = []
for op in (ops.sort, ops.argsort):
    CASES += [Case(op, (array(d, (3, 9)),), {"axis": 1}) for d in ORDERED]
    CASES += [Case(op, (array(F, (12, 2), specials=False),), {"axis": 0})]
    CASES += [Case(op, (array(F, shape),), {"axis": axis}) for shape, axis in SHAPES]
    CASES += [Case(op, (TIES,), {"axis": 1}), Case(op, (TIES.T,), {"axis": 0})]
    CASES += [Case(op, (np.asarray([np.nan, 1, -np.nan, np.inf, -np.inf], F),), {"axis": 0})]

for side in ("left", "right"):
    CASES += [
        Case(
            ops.searchsorted,
            (np.sort(array(d, (9,), specials=False)), array(d, (3, 4))),
            {"side": side},
        )
        for d in ORDERED
    ]
    CASES += [
        Case(ops.searchsorted, (np.asarray(x, F), array(F, shape)), {"side": side})
        for x, shape in (
            ([], (3,)),
            ([1.0], ()),
            ([1.0, 1.0, 1.0], (7,)),
            ([-np.inf, 0.0, 0.5, np.inf, np.nan], (10,)),
            ([0.0, 1.0], (0,)),
        )
    ]
