"""Reductions: combine the elements along axes, which the result does not keep."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.elementwise import DOMAINS
from plait.ir.ops.rules import check_axis, check_tensors
from plait.ir.types import TensorType, bfloat16, float16, int64

__all__ = [
    "argmax",
    "argmin",
    "reduce_all",
    "reduce_any",
    "reduce_max",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
]

FAMILY = "reductions"


def _infer(name: str, domain: str, identity: bool) -> Callable[..., TensorType]:
    accepts, wanted = DOMAINS[domain]

    def infer(x: Any, *, axes: tuple[int, ...]) -> TensorType:
        check_tensors(name, x)
        if not accepts(x.dtype):
            raise DTypeError(f"{name}: expected {wanted}, got {x.dtype.name} in {x}")
        ascend = all(a < b for a, b in pairwise(axes))
        if not ascend or (axes and not (axes[0] >= 0 and axes[-1] < x.ndim)):
            raise ShapeError(f"{name}: axes {axes} are not ascending axes of {x}")
        kept = tuple([d for a, d in enumerate(x.shape) if a not in axes])
        if not identity and 0 in [x.shape[a] for a in axes] and 0 not in kept:
            raise ShapeError(f"{name}: no elements along axes {axes} of {x}, and no identity")
        return TensorType(x.dtype, kept)

    return infer


def _count(operands: Any, results: Any, **_: Any) -> int:
    return int(operands[0].size)


def _define(
    name: str, doc: str, ufunc: np.ufunc, domain: str, *, identity: bool, exact: bool
) -> Op:
    def reference(x: Any, *, axes: tuple[int, ...]) -> Any:
        if not exact and (x.dtype == float16 or x.dtype == bfloat16):
            return np.asarray(ufunc.reduce(x.astype(np.float32), axis=axes)).astype(x.dtype)
        if not identity and x.size == 0:
            return np.empty([d for a, d in enumerate(x.shape) if a not in axes], x.dtype)
        return np.asarray(ufunc.reduce(x, axis=axes, dtype=x.dtype), x.dtype)

    def into(out: Any, x: Any, *, axes: tuple[int, ...]) -> None:
        if x.size and x.dtype != float16 and x.dtype != bfloat16:
            ufunc.reduce(x, axis=axes, dtype=x.dtype, out=out)
        else:
            out[...] = reference(x, axes=axes)

    traits = (Trait.REDUCTION,)
    return register(
        Op(
            name=name,
            family=FAMILY,
            doc=doc,
            infer=_infer(name, domain, identity),
            reference=reference,
            into=into,
            traits=frozenset(traits),
            flops=_count,
        )
    )


reduce_sum = _define(
    "reduce_sum", "sum along axes; 0 of none", np.add, "numeric", identity=True, exact=False
)
reduce_prod = _define(
    "reduce_prod", "product along axes; 1 of none", np.multiply, "numeric", identity=True,
    exact=False,
)  # fmt: skip
reduce_max = _define(
    "reduce_max", "maximum along axes; NaN wins", np.maximum, "ordered", identity=False, exact=True
)
reduce_min = _define(
    "reduce_min", "minimum along axes; NaN wins", np.minimum, "ordered", identity=False, exact=True
)
reduce_any = _define(
    "reduce_any", "any along axes; False of none", np.logical_or, "bool", identity=True, exact=True
)
reduce_all = _define(
    "reduce_all", "all along axes; True of none", np.logical_and, "bool", identity=True, exact=True
)


def _infer_arg(name: str) -> Callable[..., TensorType]:
    accepts, wanted = DOMAINS["ordered"]

    def infer(x: Any, *, axis: int) -> TensorType:
        check_tensors(name, x)
        if not accepts(x.dtype):
            raise DTypeError(f"{name}: expected {wanted}, got {x.dtype.name} in {x}")
        check_axis(name, axis, x.ndim)
        kept = x.shape[:axis] + x.shape[axis + 1 :]
        if x.shape[axis] == 0 and 0 not in kept:
            raise ShapeError(f"{name}: no elements along axis {axis} of {x}")
        return TensorType(int64, kept)

    return infer


def _define_arg(name: str, doc: str, function: Callable[..., Any]) -> Op:
    def reference(x: Any, *, axis: int) -> Any:
        if x.size == 0:
            return np.empty(x.shape[:axis] + x.shape[axis + 1 :], np.int64)
        if x.dtype == bfloat16:
            x = x.astype(np.float32)
        return np.asarray(function(x, axis=axis), np.int64)

    return register(
        Op(
            name=name,
            family=FAMILY,
            doc=doc,
            infer=_infer_arg(name),
            reference=reference,
            traits=frozenset((Trait.REDUCTION,)),
            flops=_count,
        )
    )


argmax = _define_arg(
    "argmax", "position of the first maximum along an axis; NaN is the maximum", np.argmax
)
argmin = _define_arg(
    "argmin", "position of the first minimum along an axis; NaN is the minimum", np.argmin
)
