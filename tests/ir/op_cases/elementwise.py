"""Cases of the elementwise ops: every dtype of the domain, every shape, values at the edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from plait.ir import DTYPES, Op, all_ops, get_op, ops
from plait.ir.errors import DTypeError
from plait.ir.types import TensorType, is_complex, is_floating, is_integer
from tests.ir.op_cases import SHAPES, Case, array

FIRST = ("float32", "int32", "bool", "complex64")
# Where NumPy and XLA are known to leave the last bits to the math library.
TOLERANCE: dict[str, float] = {}
OTHERS = ("select", "cast", "complex", "polygamma")


def accepts(op: Op, dtype: Any, arity: int) -> bool:
    """Whether the op's type rule takes the dtype."""
    try:
        op.infer(*[TensorType(dtype, ())] * arity)
    except DTypeError:
        return False
    return True


def arity_of(op: Op) -> int:
    """1 or 2: the number of operands that the type rule takes."""
    return next(n for n in (1, 2) if any(accepts_count(op, d, n) for d in DTYPES))


def accepts_count(op: Op, dtype: Any, arity: int) -> bool:
    """Whether so many operands of the dtype are fine."""
    try:
        op.infer(*[TensorType(dtype, ())] * arity)
    except (DTypeError, ValueError):
        return False
    return True


def operands_of(op: Op, dtype: Any, shape: tuple[int, ...], arity: int) -> tuple[Any, ...]:
    """Operands on which the op has one meaning in every backend."""
    operands = [array(dtype, shape, seed) for seed in range(arity)]
    if op.name.startswith("shift"):
        operands[1] = np.asarray(abs(operands[1]) % (8 * np.dtype(dtype).itemsize), dtype)
    if op.name == "power" and is_integer(np.dtype(dtype)):
        low = 0 if np.dtype(dtype).kind == "u" else 2
        operands[1] = np.asarray(operands[1] % 6 - low, dtype)
    if is_complex(np.dtype(dtype)) or op.name == "popcount":
        operands = [np.asarray(x + 1, dtype) for x in operands]
    return tuple(operands)


def cases_of(op: Op) -> Iterator[Case]:
    """Every dtype on one shape, the first of each kind on all shapes."""
    arity = arity_of(op)
    taken = [d for d in DTYPES if accepts(op, d, arity)]
    main = next((d for name in FIRST for d in taken if d.name == name), taken[0])
    for dtype in taken:
        for shape in SHAPES if dtype == main else SHAPES[-1:]:
            yield Case(op, operands_of(op, dtype, shape, arity), tolerance=TOLERANCE.get(op.name))


def select_cases() -> Iterator[Case]:
    """Every dtype; all shapes for float32."""
    for dtype in DTYPES:
        for shape in SHAPES if dtype.name == "float32" else SHAPES[-1:]:
            x, y = array(dtype, shape, 1), array(dtype, shape, 2)
            yield Case(ops.select, (array("bool", shape), x, y))


def cast_cases() -> Iterator[Case]:
    """Every pair of dtypes, on values that the result can hold or that are special."""
    for source in DTYPES:
        for target in DTYPES:
            keeps = is_floating(target) or is_complex(target) or target == np.bool_
            x = array(source, (2, 5), specials=keeps)
            x = x if keeps or is_complex(source) else abs(x)
            if is_complex(source) and not keeps:
                x = np.asarray(abs(x), source)
            yield Case(ops.cast, (x,), {"dtype": target})
    for shape in SHAPES:
        yield Case(ops.cast, (array("float64", shape),), {"dtype": np.dtype("float32")})


def edge_cases() -> Iterator[Case]:
    """Values that formulas get wrong."""
    tiny, huge = np.finfo(np.float32).tiny, np.finfo(np.float32).max
    x = np.asarray([tiny, -tiny, huge, -huge, 1e-20, 88.8, -104.0, np.nan, np.inf, -np.inf])
    for name in ("sigmoid", "softplus", "gelu", "erf", "erfc", "exp", "log1p", "tanh", "rsqrt"):
        yield Case(get_op(name), (x.astype(np.float32),))
        yield Case(get_op(name), (x,))
    for dtype in ("int8", "int32", "uint8"):
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        a = np.asarray([low, high, low, high, 0, 7, 7], dtype)
        b = np.asarray([1, 1, high, high, 3, 2, 3], dtype)
        for op in (ops.add, ops.subtract, ops.multiply, ops.floor_divide, ops.remainder):
            yield Case(op, (a, b))
        for op in (ops.floor_divide, ops.remainder, ops.fmod):
            yield Case(op, (a, np.zeros_like(a)))
        yield Case(ops.absolute, (a,))


def polygamma_cases() -> Iterator[Case]:
    """Every floating dtype, poles and both sides of zero, even and odd orders."""
    x = np.asarray([-30.5, -3.0, -2.25, -0.5, -0.0, 0.0, 0.125, 1.0, 3.5, 40.0, 1e3])
    for order in (1, 2, 3, 4):
        for dtype in [d for d in DTYPES if is_floating(d)]:
            # The reflection cancels where the values on both sides of the poles are large.
            loose = {"float32": 1e-3, "float64": 1e-6}.get(dtype.name)
            yield Case(ops.polygamma, (x.astype(dtype),), {"order": order}, tolerance=loose)
    specials = np.asarray([np.nan, np.inf, -np.inf, 1e-3])
    yield Case(ops.polygamma, (specials,), {"order": 1})
    for shape in SHAPES:
        yield Case(ops.polygamma, (abs(array("float32", shape)),), {"order": 2})


UFUNCS = [op for op in all_ops() if op.family == "elementwise" and op.name not in OTHERS]
CASES: list[Case] = [
    *(case for op in UFUNCS for case in cases_of(op)),
    *select_cases(),
    *cast_cases(),
    *(
        Case(ops.complex_, (array(d, s, 1), array(d, s, 2)))
        for d in ("float32", "float64")
        for s in SHAPES
    ),
    *edge_cases(),
    *polygamma_cases(),
]
