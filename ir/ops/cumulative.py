"""Running sums, products and extremes along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError
from plait.ir.op import Op, register
from plait.ir.ops.elementwise import DOMAINS
from plait.ir.ops.rules import check_axis, check_tensors
from plait.ir.types import TensorType, bfloat16, float16

__all__ = ["cummax", "cummin", "cumprod", "cumsum"]

FAMILY = "cumulative"


def _infer(name: str, domain: str) -> Callable[..., TensorType]:
    accepts, wanted = DOMAINS[domain]

    def infer(x: Any, *, axis: int, reverse: bool = False) -> TensorType:
        check_tensors(name, x)
        if not accepts(x.dtype):
            raise DTypeError(f"{name}: expected {wanted}, got {x.dtype.name} in {x}")
        check_axis(name, axis, x.ndim)
        return TensorType(x.dtype, x.shape)

    return infer


def _define(name: str, doc: str, ufunc: np.ufunc, domain: str) -> Op:
    def accumulate(out: Any, x: Any, axis: int, reverse: bool) -> None:
        if reverse:
            out, x = np.flip(out, axis), np.flip(x, axis)
        if x.dtype == float16 or x.dtype == bfloat16:
            # Half precision accumulates in float32 and rounds each element once.
            out[...] = ufunc.accumulate(x.astype(np.float32), axis=axis)
        else:
            ufunc.accumulate(x, axis=axis, dtype=x.dtype, out=out)

    def reference(x: Any, *, axis: int, reverse: bool = False) -> Any:
        out = np.empty(x.shape, x.dtype)
        accumulate(out, x, axis, reverse)
        return out

    def into(out: Any, x: Any, *, axis: int, reverse: bool = False) -> None:
        accumulate(out, x, axis, reverse)

    return register(
        Op(
            name=name,
            family=FAMILY,
            doc=f"{doc} of the elements so far along an axis, from its end if ``reverse``",
            infer=_infer(name, domain),
            reference=reference,
            into=into,
            flops=lambda operands, _, **__: operands[0].size,
        )
    )


cumsum = _define("cumsum", "sum", np.add, "numeric")
cumprod = _define("cumprod", "product", np.multiply, "numeric")
cummax = _define("cummax", "maximum (NaN wins)", np.maximum, "ordered")
cummin = _define("cummin", "minimum (NaN wins)", np.minimum, "ordered")
