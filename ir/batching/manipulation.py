"""Batching of ops that move elements; the batch axis stays where it is when it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    align,
    define_batch,
    inserted,
    move_to_front,
    shifted,
    with_batch_axis,
)
from plait.ir.types import Dimension

Operands = Sequence[Any]
Attributes = Mapping[str, Any]


@define_batch(ops.broadcast_to)
def _broadcast_to(
    operands: Operands, dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    x, shape = move_to_front(operands[0], dims[0]), attributes["shape"]
    missing = len(shape) - (x.ndim - 1)
    if missing:
        x = ops.reshape(x, shape=(size, *[1] * missing, *x.shape[1:]))
    return ops.broadcast_to(x, shape=(size, *shape)), 0


@define_batch(ops.reshape)
def _reshape(
    operands: Operands, dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    x = move_to_front(operands[0], dims[0])
    return ops.reshape(x, shape=(size, *attributes["shape"])), 0


@define_batch(ops.transpose)
def _transpose(
    operands: Operands, dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    (x,), (dim,) = operands, dims
    order = [shifted(a, dim) for a in attributes["permutation"]]
    return ops.transpose(x, permutation=(dim, *order)), 0


@define_batch(ops.slice_)
def _slice(
    operands: Operands, dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    (x,), (dim,) = operands, dims
    whole = {"starts": 0, "stops": size, "steps": 1}
    return ops.slice_(x, **_inserted(attributes, dim, whole)), dim


def _inserted(attributes: Attributes, dim: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with an entry for each axis, and their entries for the batch axis."""
    return {name: inserted(attributes[name], dim, value) for name, value in values.items()}


@define_batch(ops.concat)
def _concat(
    operands: Operands, dims: Sequence[int | None], size: Dimension, attributes: Attributes
) -> Batched:
    aligned, dim = align(operands, dims, size)
    return ops.concat(*aligned, axis=shifted(attributes["axis"], dim)), dim


@define_batch(ops.split)
def _split(
    operands: Operands, dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    (x,), (dim,) = operands, dims
    found = ops.split(x, sizes=attributes["sizes"], axis=shifted(attributes["axis"], dim))
    return found, (dim,) * len(found)


@define_batch(ops.pad)
def _pad(
    operands: Operands, dims: Sequence[int | None], size: Dimension, attributes: Attributes
) -> Batched:
    (x, value), (dim, dim_of_value) = operands, dims
    if dim is not None:
        around = _inserted(attributes, dim, {"low": 0, "high": 0, "interior": 0})
    if dim is not None and dim_of_value is None:
        return ops.pad(x, value, **around), dim
    if dim is None:
        dim, around = 0, dict(attributes)
        inner = ops.pad(x, np.zeros((), x.dtype), **around)
        inner = with_batch_axis(inner, size)
    else:
        inner = move_to_front(ops.pad(x, np.zeros((), x.dtype), **around), dim)
    row = x.shape if dims[0] is None else (*x.shape[:dim], *x.shape[dim + 1 :])
    is_inside = ops.pad(
        ops.broadcast_to(np.asarray(True), shape=row), np.asarray(False), **attributes
    )
    is_inside = with_batch_axis(is_inside, size)
    value = ops.reshape(value, shape=(size, *[1] * (inner.ndim - 1)))
    return ops.select(is_inside, inner, ops.broadcast_to(value, shape=inner.shape)), 0
