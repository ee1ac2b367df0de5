"""Elementwise special functions and activations that have one stable formula each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.op import Trait
from plait.ir.ops.elementwise import define, in_float32

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "gelu",
    "lgamma",
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
