"""Elementwise special functions and activations that have one stable formula each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.elementwise import FAMILY, define, in_float32
from plait.ir.ops.rules import check_tensors
from plait.ir.types import TensorType, is_floating

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "gelu",
    "lgamma",
    "polygamma",
    "relu",
    "sigmoid",
    "softplus",
]


def special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, imported on first use."""

    def call(*arrays: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arrays)

    return in_float32(call)


def _sigmoid_into(out: Any, x: Any) -> None:
    if out.dtype.itemsize == 2:
        np.copyto(out, _sigmoid(x))
        return
    np.negative(x, out=out)
    np.exp(out, out=out)  # inf, where it overflows, gives the right 0
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)


def _sigmoid(x: Any) -> Any:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    result = np.empty_like(wide)
    with np.errstate(over="ignore"):
        _sigmoid_into(result, wide)
    return result.astype(x.dtype, copy=False)


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _gelu(x: Any) -> Any:
    import scipy.special

    return 0.5 * x * (1 + scipy.special.erf(x * np.asarray(np.sqrt(0.5), x.dtype)))


sigmoid = define(
    "sigmoid",
    "1 / (1 + exp(-x))",
    _sigmoid,
    domain="floating",
    traits=(Trait.MONOTONE,),
    flops=10,
    writer=_sigmoid_into,
)
softplus = define(
    "softplus",
    "log(1 + exp(x))",
    in_float32(_softplus),
    domain="floating",
    traits=(Trait.MONOTONE,),
    flops=20,
)
gelu = define(
    "gelu", "x * (1 + erf(x / sqrt(2))) / 2", in_float32(_gelu), domain="floating", flops=20
)
relu = define(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, x.dtype.type(0)),
    domain="real",
    traits=(Trait.IDEMPOTENT, Trait.MONOTONE),
)
erf = define(
    "erf",
    "2/sqrt(pi) * integral of exp(-t*t) from 0 to x",
    special("erf"),
    domain="floating",
    traits=(Trait.MONOTONE,),
    flops=10,
)
erfc = define("erfc", "1 - erf(x)", special("erfc"), domain="floating", flops=10)
erfinv = define(
    "erfinv",
    "inverse of erf",
    special("erfinv"),
    domain="floating",
    traits=(Trait.MONOTONE,),
    flops=10,
)
lgamma = define("lgamma", "log of |gamma(x)|", special("gammaln"), domain="floating", flops=20)
digamma = define("digamma", "derivative of lgamma", special("digamma"), domain="floating", flops=20)


def _infer_polygamma(x: Any, *, order: int) -> TensorType:
    check_tensors("polygamma", x)
    if not is_floating(x.dtype):
        raise DTypeError(f"polygamma: expected a floating dtype, got {x}")
    if type(order) is not int or order < 1:
        raise ShapeError(f"polygamma: order must be an int of at least 1, got {order!r}")
    return TensorType(x.dtype, x.shape)


def _polygamma(x: Any, *, order: int) -> Any:
    def compute(wide: Any) -> Any:
        import scipy.special

        found = scipy.special.polygamma(order, wide)
        pole = (wide <= 0) & (wide == np.floor(wide))
        undefined = np.isneginf(wide) | (pole & (order % 2 == 0))
        return np.where(undefined, np.nan, found)

    return in_float32(compute)(x)


polygamma = register(
    Op(
        name="polygamma",
        family=FAMILY,
        doc="derivative of digamma of an ``order`` of at least 1; at its poles inf or, where the "
        "sign changes, NaN",
        infer=_infer_polygamma,
        reference=_polygamma,
        into=lambda out, x, *, order: np.copyto(out, _polygamma(x, order=order)),
        traits=frozenset((Trait.ELEMENTWISE,)),
        overwrites=(0,),
        flops=lambda operands, results, *, order: 60 * operands[0].size,
    )
)
