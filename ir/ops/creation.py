"""Ops without operands: constants and fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.literal import Literal
from plait.ir.op import Op, Trait, register
from plait.ir.types import DType, Shape, TensorType, as_dtype, is_bool, is_complex

__all__ = ["constant", "full", "iota"]

FAMILY = "creation"


def infer_constant(*, value: Literal) -> TensorType:
    """The literal's type."""
    return value.type


constant = register(
    Op(
        name="constant",
        family=FAMILY,
        doc="the array in ``value``",
        infer=infer_constant,
        reference=lambda *, value: value.array,
        traits=frozenset((Trait.CONSTANT,)),
    )
)


def infer_iota(*, dtype: DType, shape: Shape, axis: int) -> TensorType:
    """A tensor type of ``shape``, with ``axis`` one of its axes."""
    if not 0 <= axis < len(shape):
        raise ShapeError(f"iota: axis {axis} is not an axis of shape {shape}")
    if is_bool(as_dtype(dtype)) or is_complex(as_dtype(dtype)):
        raise DTypeError(f"iota: expected an integer or floating dtype, got {dtype}")
    return TensorType(as_dtype(dtype), tuple(shape))


def _iota(*, dtype: DType, shape: Shape, axis: int) -> Any:
    sizes: Any = shape
    line = np.arange(sizes[axis]).astype(dtype)
    line = line.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(line, sizes).copy()


iota = register(
    Op(
        name="iota",
        family=FAMILY,
        doc="0, 1, 2, ... of ``dtype`` along ``axis`` of ``shape``, equal along the others",
        infer=infer_iota,
        reference=_iota,
        traits=frozenset((Trait.CONSTANT, Trait.CHEAP)),
    )
)


def infer_full(*, value: Literal, shape: Shape) -> TensorType:
    """A tensor type of ``shape`` and the 0-d value's dtype."""
    if value.type.shape != ():
        raise ShapeError(f"full: the fill value must be 0-d, got {value.type}")
    return TensorType(value.type.dtype, tuple(shape))


def _full(*, value: Literal, shape: Shape) -> Any:
    sizes: Any = shape
    return np.full(sizes, value.array, value.array.dtype)


full = register(
    Op(
        name="full",
        family=FAMILY,
        doc="one value everywhere",
        infer=infer_full,
        reference=_full,
        into=lambda out, *, value, shape: out.fill(value.array),
        spread=lambda *, value, shape: np.broadcast_to(value.array, shape),
        traits=frozenset((Trait.CONSTANT, Trait.CHEAP)),
    )
)
