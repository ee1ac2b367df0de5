"""Cases of convolution and of reductions over windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import DTYPES, ops
from plait.ir.types import is_bool, is_complex
from tests.ir.op_cases import Case, array

F = "float32"


def convolved(x: Any, kernel: Any, dtype: Any = F, **attributes: Any) -> Case:
    rank = len(x) - 2
    defaults = {
        "strides": (1,) * rank,
        "low": (0,) * rank,
        "high": (0,) * rank,
        "dilation": (1,) * rank,
        "input_dilation": (1,) * rank,
    }
    operands = (array(dtype, x, specials=False), array(dtype, kernel, 1, specials=False))
    return Case(ops.convolution, operands, {**defaults, **attributes}, tolerance=_tolerance(dtype))


def _tolerance(dtype: Any) -> float | None:
    return 1e-5 if np.dtype(dtype) == np.float32 else None


def windowed(kind: str, shape: tuple[int, ...], dtype: Any = F, **attributes: Any) -> Case:
    rank = len(shape)
    defaults = {
        "window": (1,) * rank,
        "strides": (1,) * rank,
        "low": (0,) * rank,
        "high": (0,) * rank,
        "dilation": (1,) * rank,
    }
    return Case(ops.reduce_window, (array(dtype, shape),), {"kind": kind, **defaults, **attributes})


CASES: list[Case] = [
    *[convolved((2, 3, 7), (4, 3, 3), d, strides=(2,), low=(1,)) for d in DTYPES if not is_bool(d)],
    convolved((2, 3), (4, 3)),
    convolved((1, 1, 1), (1, 1, 1)),
    convolved((2, 3, 5, 6), (4, 3, 2, 3), low=(1, 0), high=(0, 2)),
    convolved((2, 3, 5, 6), (4, 3, 2, 3), dilation=(2, 1), strides=(1, 2)),
    convolved((2, 3, 4, 5), (4, 3, 3, 2), input_dilation=(2, 3), low=(2, 1), high=(2, 1)),
    convolved((2, 4, 5, 5), (6, 2, 3, 3), groups=2),
    convolved((2, 4, 5, 5), (8, 1, 3, 3), groups=4, low=(1, 1), high=(1, 1)),
    convolved((1, 2, 4, 5, 6), (3, 2, 2, 2, 2), strides=(2, 1, 3)),
    convolved((2, 3, 6), (4, 3, 2), low=(-1,), high=(-2,)),
    convolved((2, 3, 6), (4, 3, 2), input_dilation=(2,), low=(-3,), high=(1,)),
    convolved((2, 3, 2), (4, 3, 5)),
    convolved((0, 3, 7), (4, 3, 3)),
    convolved((2, 0, 7), (4, 0, 3)),
    convolved((2, 3, 7), (0, 3, 3)),
    convolved((2, 3, 0), (4, 3, 1), low=(2,), high=(2,)),
]

for kind in ("max", "min", "sum"):
    dtypes = [d for d in DTYPES if not (is_bool(d) if kind == "sum" else is_complex(d))]
    CASES += [
        *[windowed(kind, (3, 8), d, window=(1, 3), strides=(1, 2), high=(0, 1)) for d in dtypes],
        windowed(kind, ()),
        windowed(kind, (7,), window=(7,)),
        windowed(kind, (7,), window=(3,), dilation=(3,)),
        windowed(kind, (7,), window=(2,), strides=(5,)),
        windowed(kind, (2,), window=(3,)),
        windowed(kind, (0, 4), window=(2, 2), low=(1, 0), high=(1, 0)),
        windowed(kind, (2, 5, 6, 3), window=(1, 3, 3, 1), low=(0, 1, 1, 0), high=(0, 1, 1, 0)),
        windowed(kind, (2, 5, 6, 3), window=(2, 2, 2, 2), strides=(1, 2, 2, 1)),
    ]
