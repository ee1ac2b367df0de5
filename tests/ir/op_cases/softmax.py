"""Cases of the softmax family: every floating dtype, extreme values, empty and 1-element rows."""

from __future__ import annotations

import numpy as np

from plait.ir import DTYPES, ops
from plait.ir.types import is_floating
from tests.ir.op_cases import Case, array

FLOATS = [d for d in DTYPES if is_floating(d)]
ROWS = np.asarray(
    [
        [1e4, -1e4, 0.0],
        [-np.inf, 0.0, 1.0],
        [-np.inf, -np.inf, -np.inf],
        [np.inf, 0.0, 1.0],
        [np.nan, 0.0, 1.0],
    ]
)
SHAPES = (((3,), 0), ((0,), 0), ((1,), 0), ((2, 0, 3), 1), ((2, 3, 4), 1), ((2, 3, 4), 2))

CASES: list[Case] = [
    *(
        Case(op, (array(d, (4, 5), specials=False),), {"axis": 1})
        for op in (ops.softmax, ops.log_softmax)
        for d in FLOATS
    ),
    *(
        Case(op, (array("float32", shape, specials=False),), {"axis": axis})
        for op in (ops.softmax, ops.log_softmax)
        for shape, axis in SHAPES
    ),
    *(
        Case(op, (ROWS.astype(d),), {"axis": 1})
        for op in (ops.softmax, ops.log_softmax)
        for d in ("float32", "float64")
    ),
    *(
        Case(ops.logsumexp, (array(d, (4, 5), specials=False),), {"axes": (1,), "keepdims": False})
        for d in FLOATS
    ),
    *(
        Case(ops.logsumexp, (array("float32", s, specials=False),), {"axes": a, "keepdims": k})
        for s, a in (((), ()), ((3,), (0,)), ((0, 2), (0,)), ((2, 3, 4), (0, 2)), ((2, 3), ()))
        for k in (False, True)
    ),
    Case(ops.logsumexp, (ROWS.astype("float32"),), {"axes": (1,), "keepdims": True}),
]
