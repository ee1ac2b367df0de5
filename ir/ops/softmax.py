"""The softmax family as ops of their own: stable, and one name each in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir.errors import DTypeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.elementwise import in_float32
from plait.ir.ops.rules import check_axes, check_axis, check_tensors
from plait.ir.types import TensorType, is_floating

__all__ = ["log_softmax", "logsumexp", "softmax"]

FAMILY = "softmax"


def _check(name: str, x: Any) -> None:
    check_tensors(name, x)
    if not is_floating(x.dtype):
        raise DTypeError(f"{name}: expected a floating dtype, got {x}")


def _infer_softmax(x: Any, *, axis: int) -> TensorType:
    _check("softmax", x)
    check_axis("softmax", axis, x.ndim)
    return x  # type: ignore[no-any-return]


def _infer_log_softmax(x: Any, *, axis: int) -> TensorType:
    _check("log_softmax", x)
    check_axis("log_softmax", axis, x.ndim)
    return x  # type: ignore[no-any-return]


def _infer_logsumexp(x: Any, *, axes: tuple[int, ...], keepdims: bool) -> TensorType:
    _check("logsumexp", x)
    check_axes("logsumexp", axes, x.ndim)
    if keepdims:
        return x.with_shape([1 if i in axes else d for i, d in enumerate(x.shape)])  # type: ignore[no-any-return]
    return x.with_shape([d for i, d in enumerate(x.shape) if i not in axes])  # type: ignore[no-any-return]


def _largest(x: Any, axes: Any) -> Any:
    """The largest element of each group, 0 where that is infinite, so that x - largest is safe."""
    largest = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    return np.where(np.isinf(largest), x.dtype.type(0), largest)


def _softmax(x: Any, *, axis: int) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, *, axis: int) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _logsumexp(x: Any, *, axes: tuple[int, ...], keepdims: bool) -> Any:
    largest = _largest(x, axes)
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum is -inf
        total = np.log(np.sum(np.exp(x - largest), axis=axes, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis=axes)


def _flops(operands: Any, results: Any, **_: Any) -> int:
    return 15 * int(operands[0].size)


def _reference(function: Any) -> Any:
    """Half precision computed in float32 and rounded once."""

    def reference(x: Any, **attributes: Any) -> Any:
        return in_float32(lambda wide: function(wide, **attributes))(x)

    return reference


softmax = register(
    Op(
        name="softmax",
        family=FAMILY,
        doc="exp(x) / sum(exp(x)) along ``axis``",
        infer=_infer_softmax,
        reference=_reference(_softmax),
        flops=_flops,
    )
)
log_softmax = register(
    Op(
        name="log_softmax",
        family=FAMILY,
        doc="x - log(sum(exp(x))) along ``axis``",
        infer=_infer_log_softmax,
        reference=_reference(_log_softmax),
        flops=_flops,
    )
)
logsumexp = register(
    Op(
        name="logsumexp",
        family=FAMILY,
        doc="log(sum(exp(x))) over ``axes``, which stay as size 1 with ``keepdims``",
        infer=_infer_logsumexp,
        reference=_reference(_logsumexp),
        traits=frozenset((Trait.REDUCTION,)),
        flops=_flops,
    )
)
