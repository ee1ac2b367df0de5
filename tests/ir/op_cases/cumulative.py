"""Cases of running sums, products and extremes."""

from __future__ import annotations

from plait.ir import DTYPES, ops
from plait.ir.types import is_bool, is_complex
from tests.ir.op_cases import Case, array

F = "float32"
SHAPES = (((1,), 0), ((0,), 0), ((7,), 0), ((2, 0, 3), 2), ((2, 3, 4), 1))

CASES: list[Case] = []
for op in (ops.cumsum, ops.cumprod, ops.cummax, ops.cummin):
    total = op in (ops.cumsum, ops.cumprod)
    dtypes = [d for d in DTYPES if not (is_bool(d) if total else is_complex(d))]
    for reverse in (False, True):
        attributes = {"axis": 1, "reverse": reverse}
        CASES += [Case(op, (array(d, (3, 4)),), attributes) for d in dtypes]
        CASES += [Case(op, (array(d, (2, 6), specials=False),), attributes) for d in dtypes]
        CASES += [Case(op, (array(F, s),), {"axis": a, "reverse": reverse}) for s, a in SHAPES]
