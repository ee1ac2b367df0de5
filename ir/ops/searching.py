"""Sorting along an axis and searching in what is sorted; NaN is larger than every number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.elementwise import DOMAINS
from plait.ir.ops.rules import check_axis, check_dtypes, check_tensors
from plait.ir.types import TensorType, bfloat16, int64

__all__ = ["argsort", "searchsorted", "sort"]

FAMILY = "searching"
SIDES = ("left", "right")


def _check_ordered(name: str, x: Any) -> None:
    accepts, wanted = DOMAINS["ordered"]
    if not accepts(x.dtype):
        raise DTypeError(f"{name}: expected {wanted}, got {x.dtype.name} in {x}")


def _comparable(x: Any) -> Any:
    """The same values in a dtype that NumPy sorts, NaN included."""
    return x.astype(np.float32) if x.dtype == bfloat16 else x


def _count_comparisons(operands: Any, _: Any, *, axis: int) -> int:
    x = operands[0]
    return int(x.size * math.ceil(math.log2(max(x.shape[axis], 2))))


def infer_sort(x: Any, *, axis: int) -> TensorType:
    """The operand's type."""
    check_tensors("sort", x)
    _check_ordered("sort", x)
    check_axis("sort", axis, x.ndim)
    return TensorType(x.dtype, x.shape)


def _sort_into(out: Any, x: Any, *, axis: int) -> None:
    if x.dtype == bfloat16:
        out[...] = np.sort(_comparable(x), axis=axis)
    else:
        if out is not x:
            np.copyto(out, x)
        out.sort(axis=axis)


sort = register(
    Op(
        name="sort",
        family=FAMILY,
        doc="the elements along an axis in ascending order, NaN last",
        infer=infer_sort,
        reference=lambda x, *, axis: np.sort(_comparable(x), axis=axis).astype(x.dtype),
        into=_sort_into,
        overwrites=(0,),
        traits=frozenset((Trait.IDEMPOTENT,)),
        flops=_count_comparisons,
    )
)


def infer_argsort(x: Any, *, axis: int) -> TensorType:
    """Positions as int64 in the operand's shape."""
    check_tensors("argsort", x)
    _check_ordered("argsort", x)
    check_axis("argsort", axis, x.ndim)
    return TensorType(int64, x.shape)


def _argsort(x: Any, *, axis: int) -> Any:
    return np.argsort(_comparable(x), axis=axis, kind="stable").astype(np.int64, copy=False)


argsort = register(
    Op(
        name="argsort",
        family=FAMILY,
        doc="the positions that sort x along an axis; equal elements keep their order, NaN last",
        infer=infer_argsort,
        reference=_argsort,
        flops=_count_comparisons,
    )
)


def infer_searchsorted(x: Any, values: Any, *, side: str = "left") -> TensorType:
    """Positions as int64 in the shape of ``values``."""
    check_dtypes("searchsorted", (x, values))
    _check_ordered("searchsorted", x)
    if x.ndim != 1:
        raise ShapeError(f"searchsorted: what is searched must be 1-d, got {x}")
    if side not in SIDES:
        raise UnknownNameError(f"searchsorted: unknown side {side!r}; sides: left, right")
    return TensorType(int64, values.shape)


def _searchsorted(x: Any, values: Any, *, side: Any = "left") -> Any:
    found = np.searchsorted(_comparable(x), _comparable(values), side=side)
    return np.asarray(found, np.int64)


searchsorted = register(
    Op(
        name="searchsorted",
        family=FAMILY,
        doc="how many elements of the sorted 1-d x are < each value (side left) or <= (right)",
        infer=infer_searchsorted,
        reference=_searchsorted,
        flops=lambda operands, _, **__: (
            operands[1].size * math.ceil(math.log2(operands[0].size + 1))
        ),
    )
)
