"""Other forms of the same data: one-hot rows, the largest elements, reinterpreted bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.rules import check_tensors
from plait.ir.types import (
    DType,
    TensorType,
    as_dtype,
    bfloat16,
    int32,
    is_bool,
    is_complex,
    is_integer,
)

__all__ = ["bitcast", "one_hot", "top_k"]

FAMILY = "encoding"


def _infer_one_hot(indices: Any, *, depth: int, dtype: DType) -> TensorType:
    check_tensors("one_hot", indices)
    if not is_integer(indices.dtype):
        raise DTypeError(f"one_hot: expected integer indices, got {indices}")
    if type(depth) is not int or depth < 0:
        raise ShapeError(f"one_hot: depth must be an int of at least 0, got {depth!r}")
    return TensorType(as_dtype(dtype), (*indices.shape, depth))


def _one_hot(indices: Any, *, depth: int, dtype: DType) -> Any:
    out = np.empty((*indices.shape, depth), dtype)
    _one_hot_into(out, indices, depth=depth, dtype=dtype)
    return out


def _one_hot_into(out: Any, indices: Any, *, depth: int, dtype: DType) -> None:
    out[...] = indices[..., None] == np.arange(depth)


one_hot = register(
    Op(
        name="one_hot",
        family=FAMILY,
        doc="rows of ``depth`` zeros of ``dtype`` with a 1 at each index; an index outside gives "
        "zeros only",
        infer=_infer_one_hot,
        reference=_one_hot,
        into=_one_hot_into,
    )
)


def _infer_top_k(x: Any, *, k: int) -> tuple[TensorType, TensorType]:
    check_tensors("top_k", x)
    if is_complex(x.dtype) or is_bool(x.dtype):
        raise DTypeError(f"top_k: expected an integer or floating dtype, got {x}")
    if x.ndim == 0:
        raise ShapeError("top_k: expected at least one axis, got a 0-d operand")
    size = x.shape[-1]
    if type(k) is not int or type(size) is not int or not 0 <= k <= size:
        raise ShapeError(f"top_k: k must be from 0 to the size {size} of the last axis, got {k!r}")
    shape = (*x.shape[:-1], k)
    return x.with_shape(shape), TensorType(int32, shape)


def _top_k(x: Any, *, k: int) -> tuple[Any, Any]:
    # Sorting the reversed row and reversing again leaves equal elements in their order.
    backwards = x[..., ::-1]
    keys = backwards.astype(np.float32) if x.dtype == bfloat16 else backwards
    order = np.argsort(keys, axis=-1, kind="stable")[..., ::-1][..., :k]
    positions = (x.shape[-1] - 1 - order).astype(np.int32)
    return np.take_along_axis(x, positions, axis=-1), positions


top_k = register(
    Op(
        name="top_k",
        family=FAMILY,
        doc="the ``k`` largest elements of each row, descending, and their positions; NaN is the "
        "largest, the first of equal ones comes first",
        infer=_infer_top_k,
        reference=_top_k,
        flops=lambda operands, results, *, k: 10 * int(operands[0].size),
    )
)


def _infer_bitcast(x: Any, *, dtype: DType) -> TensorType:
    check_tensors("bitcast", x)
    target = as_dtype(dtype)
    for d in (x.dtype, target):
        if is_bool(d) or is_complex(d):
            raise DTypeError(f"bitcast: expected integer or floating dtypes, got {d.name}")
    have, want = x.dtype.itemsize, target.itemsize
    if have == want:
        return TensorType(target, x.shape)
    if have > want:
        return TensorType(target, (*x.shape, have // want))
    if x.ndim == 0 or x.shape[-1] != want // have:
        raise ShapeError(
            f"bitcast: {x} to {target.name}: the last axis must have size {want // have}"
        )
    return TensorType(target, x.shape[:-1])


def _bitcast(x: Any, *, dtype: DType) -> Any:
    have, want = x.dtype.itemsize, dtype.itemsize
    if have == want:
        return x.view(dtype)
    if have > want:
        return np.ascontiguousarray(x).reshape((*x.shape, 1)).view(dtype)
    if x.size == 0:
        return np.empty(x.shape[:-1], dtype)
    return np.ascontiguousarray(x).view(dtype).reshape(x.shape[:-1])


bitcast = register(
    Op(
        name="bitcast",
        family=FAMILY,
        doc="the bits read as ``dtype``; a narrower one adds a last axis, a wider one takes it",
        infer=_infer_bitcast,
        reference=_bitcast,
        traits=frozenset((Trait.DATA_MOVEMENT, Trait.CHEAP)),
        view=0,
    )
)
