"""Cases of prints, callbacks, checks and barriers; checks that fail are in test_effects.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait import ir
from plait.ir import ops
from tests.ir.op_cases import SHAPES, Case, array, type_of


def double(x: Any) -> Any:
    return x + x


def swap(x: Any, y: Any) -> tuple[Any, Any]:
    return y, x


def nothing(*_: Any) -> None:
    """Return nothing."""


def callback(function: Any, operands: list[Any], results: list[Any]) -> Case:
    attributes = {"function": function, "result_types": tuple(map(type_of, results))}
    return Case(ops.callback, (ir.token, *operands), attributes)


CASES: list[Case] = [
    Case(ops.create_token),
    Case(ops.print_, (ir.token,), {"template": "no value, {{braces}}"}),
    *(Case(ops.print_, (ir.token, array(d, (2,))), {"template": "x = {}"}) for d in ir.DTYPES),
    *(Case(ops.print_, (ir.token, array("f32", s)), {"template": "{0} {0}"}) for s in SHAPES),
    Case(ops.print_, (ir.token, np.array(2.5), np.array(3)), {"template": "{:.3f} {:04d}"}),
    Case(ops.print_, (ir.token, np.array(2.5)), {"template": "{0!r} {0!s} {0!a}", "end": ""}),
    *(callback(double, [x], [x]) for x in (array("float32", s) for s in SHAPES)),
    *(callback(double, [x], [x]) for x in (array(d, (3,)) for d in ir.DTYPES)),
    callback(swap, [array("int8", (2,)), array("f64", ())], [array("f64", ()), array("i8", (2,))]),
    callback(nothing, [array("float32", (2,))], []),
    *(
        Case(
            ops.check,
            (np.array(True), *(np.int64(n).reshape(()) for n in range(details))),
            {"error": error, "message": "bad" + " {}" * details},
        )
        for details in range(4)
        for error in ("IndexOutOfRangeError", "CheckError")
    ),
    *(
        Case(
            ops.check,
            (np.array(True), array(d, ())),
            {"error": "ValueError", "message": "bad {}"},
        )
        for d in ir.DTYPES
        if not ir.is_complex(d)
    ),
    *(Case(ops.barrier, (array(d, (2, 3)),)) for d in ir.DTYPES),
    *(Case(ops.barrier, (array("float32", s), array("int32", (2,)))) for s in SHAPES),
    Case(ops.barrier, (ir.token, array("bool", (2,)))),
]
