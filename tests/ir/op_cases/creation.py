"""Cases of the ops without operands."""

from __future__ import annotations

from plait.ir import DTYPES, Literal, ops
from plait.ir.types import as_dtype, is_floating, is_integer
from tests.ir.op_cases import SHAPES, Case, array

CASES: list[Case] = [
    *(Case(ops.constant, (), {"value": Literal(array(d, (2, 3)))}) for d in DTYPES),
    *(Case(ops.constant, (), {"value": Literal(array("float32", s))}) for s in SHAPES),
    *(Case(ops.full, (), {"value": Literal(array(d, ())), "shape": (2, 3)}) for d in DTYPES),
    *(Case(ops.full, (), {"value": Literal(array("int32", ())), "shape": s}) for s in SHAPES),
    *(
        Case(ops.iota, (), {"dtype": d, "shape": (3, 4), "axis": 1})
        for d in DTYPES
        if is_integer(d) or is_floating(d)
    ),
    *(
        Case(ops.iota, (), {"dtype": as_dtype("int32"), "shape": s, "axis": axis})
        for s in SHAPES
        for axis in range(len(s))
    ),
]
