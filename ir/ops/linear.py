"""Contractions: matmul and the general dot product, accumulated in float32 or wider."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir.errors import ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.rules import check_axes, check_dtypes
from plait.ir.types import DType, Shape, TensorType, bfloat16, float16

__all__ = ["dot_general", "matmul"]

FAMILY = "linear"
CONTRACTION = frozenset((Trait.CONTRACTION,))
Axes = tuple[tuple[int, ...], tuple[int, ...]]


def is_half(dtype: DType) -> bool:
    """Whether products of ``dtype`` are accumulated in float32 and rounded once."""
    return dtype == float16 or dtype == bfloat16


def _product(x: Any, y: Any) -> Any:
    if is_half(x.dtype):
        return np.matmul(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype)
    return np.matmul(x, y)


def _infer_matmul(x: Any, y: Any) -> TensorType:
    check_dtypes("matmul", (x, y))
    if x.ndim < 2 or x.ndim != y.ndim:
        raise ShapeError(f"matmul: expected operands of one rank, at least 2, got {x} and {y}")
    if x.shape[:-2] != y.shape[:-2]:
        raise ShapeError(f"matmul: leading axes of {x} and {y} differ; broadcast them first")
    if x.shape[-1] != y.shape[-2]:
        raise ShapeError(
            f"matmul: inner sizes {x.shape[-1]} and {y.shape[-2]} of {x} and {y} differ"
        )
    return x.with_shape((*x.shape[:-1], y.shape[-1]))  # type: ignore[no-any-return]


def _matmul_into(out: Any, x: Any, y: Any) -> None:
    if is_half(x.dtype):
        out[...] = _product(x, y)
    else:
        np.matmul(x, y, out=out)


def _matmul_flops(operands: Any, results: Any) -> int:
    return 2 * int(results[0].size) * int(operands[0].shape[-1])


matmul = register(
    Op(
        name="matmul",
        family=FAMILY,
        doc="sum over k of x[..., i, k] * y[..., k, j]; leading axes are equal",
        infer=_infer_matmul,
        reference=_product,
        into=_matmul_into,
        traits=CONTRACTION,
        flops=_matmul_flops,
    )
)


def _free(rank: int, contracting: tuple[int, ...], batch: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([i for i in range(rank) if i not in contracting and i not in batch])


def _infer_dot_general(x: Any, y: Any, *, contracting: Axes, batch: Axes) -> TensorType:
    check_dtypes("dot_general", (x, y))
    for t, summed, kept in zip((x, y), contracting, batch, strict=True):
        check_axes("dot_general", (*summed, *kept), t.ndim)
    for what, (a, b) in (("contracting", contracting), ("batch", batch)):
        if _sizes(x.shape, a) != _sizes(y.shape, b):
            raise ShapeError(
                f"dot_general: {what} axes {a} of {x} and {b} of {y} differ in number or size"
            )
    kept_axes = (*batch[0], *_free(x.ndim, contracting[0], batch[0]))
    rest = _free(y.ndim, contracting[1], batch[1])
    return TensorType(x.dtype, _sizes(x.shape, kept_axes) + _sizes(y.shape, rest))


def _sizes(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple([shape[i] for i in axes])


def _dot_general(x: Any, y: Any, *, contracting: Axes, batch: Axes) -> Any:
    rows = _free(x.ndim, contracting[0], batch[0])
    columns = _free(y.ndim, contracting[1], batch[1])
    kept: Any = _sizes(x.shape, batch[0])
    outer: Any = (_sizes(x.shape, rows), _sizes(y.shape, columns))
    count = math.prod([x.shape[i] for i in contracting[0]])
    m, n = math.prod(outer[0]), math.prod(outer[1])
    left = x.transpose((*batch[0], *rows, *contracting[0])).reshape((*kept, m, count))
    right = y.transpose((*batch[1], *contracting[1], *columns)).reshape((*kept, count, n))
    return _product(left, right).reshape((*kept, *outer[0], *outer[1]))


def _dot_general_flops(operands: Any, results: Any, *, contracting: Axes, batch: Axes) -> int:
    summed = math.prod([operands[0].shape[i] for i in contracting[0]])
    return int(2 * results[0].size * summed)


dot_general = register(
    Op(
        name="dot_general",
        family=FAMILY,
        doc="sum over the ``contracting`` axes (of x, of y) of x * y; axes of the result: "
        "``batch``, free ones of x, free ones of y",
        infer=_infer_dot_general,
        reference=_dot_general,
        traits=CONTRACTION,
        flops=_dot_general_flops,
    )
)
