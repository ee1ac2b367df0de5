"""Cases of random bits: equal on every backend, bit for bit."""

from __future__ import annotations

import numpy as np

from plait.ir import ops
from tests.ir.op_cases import Case

STATES = ((0, 0), (2**64 - 1, 2**64 - 1), (0x299F31D0A4093822, 2**32 - 2), (7, 2**40))
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (4,), (7,), (3, 0), (2, 3, 5))

CASES: list[Case] = [
    Case(
        ops.philox,
        (np.asarray(state, np.uint64),),
        {"shape": shape, "dtype": np.dtype(dtype)},
        tolerance=0,
    )
    for dtype in ("uint32", "uint64")
    for state in STATES
    for shape in (SHAPES if state == (0, 0) else ((9,),))
]
CASES += [
    Case(
        ops.philox,
        (np.asarray(STATES, np.uint64).reshape(*batch, 2),),
        {"shape": shape, "dtype": np.dtype(dtype)},
        tolerance=0,
    )
    for batch in ((4,), (2, 2))
    for shape in SHAPES
    for dtype in ("uint32", "uint64")
]
CASES.append(Case(ops.philox, (np.zeros((0, 2), np.uint64),), {"shape": (3,)}, tolerance=0))
CASES.append(Case(ops.philox, (np.asarray([1, 2], np.uint64),), {"shape": (40_000,)}, tolerance=0))
