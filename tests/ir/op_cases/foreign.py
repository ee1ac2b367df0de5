"""Cases of code of other frameworks: functions of jax."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.importing.opaque import JaxFunction
from plait.ir import ops
from tests.ir.op_cases import SHAPES, Case, array, type_of


def shifted_sine(x: Any) -> list[Any]:
    return [lax.sin(x), lax.neg(x)]


def product(x: Any, y: Any) -> list[Any]:
    return [lax.mul(x, y)]


def count(x: Any) -> list[Any]:
    return [lax.convert_element_type(lax.floor(x), np.int32)]


def case(apply: Any, operands: list[Any], results: list[Any]) -> Case:
    types: Any = [tuple(map(type_of, values)) for values in (operands, results)]
    function = JaxFunction(apply.__name__, apply, *types)
    return Case(ops.foreign, tuple(operands), {"function": function, "result_types": types[1]})


def finite(dtype: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    return array(dtype, shape, seed, specials=False)


CASES: list[Case] = [
    *(case(shifted_sine, [x], [x, x]) for x in (finite("float32", s) for s in SHAPES)),
    *(case(product, [x, x], [x]) for x in (finite(d, (3,)) for d in ("f64", "c64", "i8"))),
    case(product, [finite("f32", (2, 3)), finite("f32", (2, 3), 1)], [finite("f32", (2, 3))]),
    case(count, [finite("float32", (4,))], [finite("int32", (4,))]),
]
