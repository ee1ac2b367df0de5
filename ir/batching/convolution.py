"""Batching of sliding windows: rows become images, channels or groups of one convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.batching.define import (
    Batched,
    define_batch,
    inserted,
    move_axis,
    move_to_front,
    type_of,
)
from plait.ir.errors import ShapeError
from plait.ir.literal import Literal
from plait.ir.types import Dimension, TensorType

Attributes = Mapping[str, Any]


@define_batch(ops.convolution)
def _convolution(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Attributes,
) -> Batched:
    (x, kernel), (dx, dk) = operands, dims
    if not isinstance(size, int):
        raise ShapeError(f"convolution: the number of rows must be known, it is {size}")
    if size == 0:
        return _no_rows(operands, dims, attributes)
    if dk is None:
        assert dx is not None
        return _rows_as_images(x, kernel, dx, size, attributes)
    if dx is None:
        return _rows_as_channels(x, kernel, dk, size, attributes)
    images, kernels = move_axis(x, dx, 1), move_to_front(kernel, dk)
    n, _, c, *space = images.shape
    images = ops.reshape(images, shape=(n, size * c, *space))
    groups = size * attributes.get("groups", 1)
    found = ops.convolution(images, _merged(kernels, 0), **{**attributes, "groups": groups})
    return _parted(found, 1, size), 1


def _rows_as_images(x: Any, kernel: Any, dim: int, size: int, attributes: Attributes) -> Batched:
    found = ops.convolution(_merged(move_to_front(x, dim), 0), kernel, **attributes)
    return _parted(found, 0, size), 0


def _rows_as_channels(x: Any, kernel: Any, dim: int, size: int, attributes: Attributes) -> Batched:
    """Each group of output channels has those of all rows."""
    groups = attributes.get("groups", 1)
    kernels = _parted(move_to_front(kernel, dim), 1, groups)
    kernels = _merged(_merged(move_axis(kernels, 1, 0), 0), 0)
    found = _parted(ops.convolution(x, kernels, **attributes), 1, groups)
    found = move_axis(_parted(found, 2, size), 2, 1)
    return _merged(found, 2), 1


def _merged(x: Any, axis: int) -> Any:
    """The payload with an axis and the next one as one axis."""
    joined = x.shape[axis] * x.shape[axis + 1]
    return ops.reshape(x, shape=(*x.shape[:axis], joined, *x.shape[axis + 2 :]))


def _parted(x: Any, axis: int, count: int) -> Any:
    """The payload with an axis as two, the first of size ``count``."""
    rest = x.shape[axis] // count
    return ops.reshape(x, shape=(*x.shape[:axis], count, rest, *x.shape[axis + 1 :]))


def _no_rows(
    operands: Sequence[Any], dims: Sequence[int | None], attributes: Attributes
) -> Batched:
    """An empty result, as wide as that of a row."""
    rows = []
    for x, dim in zip(operands, dims, strict=True):
        t = type_of(x)
        assert isinstance(t, TensorType)
        rows.append(t if dim is None else t.with_shape((*t.shape[:dim], *t.shape[dim + 1 :])))
    (found,) = ops.convolution.infer_types(tuple(rows), attributes)
    assert isinstance(found, TensorType)
    zero = Literal(np.zeros((), found.dtype))
    return ops.full(value=zero, shape=(0, *found.shape)), 0


@define_batch(ops.reduce_window)
def _reduce_window(
    operands: Sequence[Any], dims: Sequence[int], size: Dimension, attributes: Attributes
) -> Batched:
    (x,), (dim,) = operands, dims
    alone = {"window": 1, "strides": 1, "low": 0, "high": 0, "dilation": 1}
    entries = {name: inserted(attributes[name], dim, value) for name, value in alone.items()}
    return ops.reduce_window(x, kind=attributes["kind"], **entries), dim
