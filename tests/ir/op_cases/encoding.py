"""Cases of one_hot, top_k and bitcast."""

from __future__ import annotations

import numpy as np

from plait.ir import DTYPES, ops
from plait.ir.types import as_dtype, is_bool, is_complex, is_integer
from tests.ir.op_cases import Case, array

F32 = as_dtype("float32")
NUMBERS = [d for d in DTYPES if not is_bool(d) and not is_complex(d)]
PAIRS = (("float32", "uint8"), ("float64", "uint32"), ("uint64", "float16"), ("int16", "int8"))

CASES: list[Case] = [
    *(
        Case(ops.one_hot, (array(d, (2, 3)),), {"depth": 4, "dtype": F32})
        for d in DTYPES
        if is_integer(d)
    ),
    *(Case(ops.one_hot, (array("int32", (5,)),), {"depth": 7, "dtype": d}) for d in DTYPES),
    *(
        Case(ops.one_hot, (array("int64", s),), {"depth": n, "dtype": F32})
        for s, n in (((), 3), ((0,), 3), ((2, 2), 0), ((3,), 1))
    ),
    *(Case(ops.top_k, (array(d, (3, 8)),), {"k": 3}) for d in NUMBERS),
    *(
        Case(ops.top_k, (array("float32", s),), {"k": k})
        for s, k in (((5,), 5), ((5,), 0), ((1,), 1), ((0, 4), 2), ((2, 0), 0), ((2, 3, 9), 2))
    ),
    Case(ops.top_k, (np.asarray([[2, 2, 1, 2], [0, 0, 0, 0]], "int32"),), {"k": 3}),
    *(
        Case(ops.bitcast, (array(d, (3, 4)),), {"dtype": as_dtype(f"uint{8 * d.itemsize}")})
        for d in NUMBERS
    ),
    *(Case(ops.bitcast, (array("int32", s),), {"dtype": F32}) for s in ((), (0,), (2, 3))),
    *(Case(ops.bitcast, (array(a, (2, 3)),), {"dtype": as_dtype(b)}) for a, b in PAIRS),
    *(
        Case(
            ops.bitcast,
            (array(b, (3, as_dtype(a).itemsize // as_dtype(b).itemsize)),),
            {"dtype": as_dtype(a)},
        )
        for a, b in PAIRS
    ),
    Case(ops.bitcast, (array("float32", ()),), {"dtype": as_dtype("uint8")}),
]
