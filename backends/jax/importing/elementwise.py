"""Elementwise primitives of jax.lax as ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.backends.jax.importing.rules import (
    RULES,
    Lacking,
    Site,
    cast,
    full,
    known,
    like,
    rule,
    stretch,
)
from plait.ir import Op, ops
from plait.ir.types import bfloat16, bool_, is_complex, is_floating, is_inexact, is_integer

__all__: list[str] = []

SAME: dict[str, Op] = {
    "acos": ops.acos,
    "acosh": ops.acosh,
    "add": ops.add,
    "add_any": ops.add,
    "and": ops.bitwise_and,
    "asin": ops.asin,
    "asinh": ops.asinh,
    "atan": ops.atan,
    "atan2": ops.atan2,
    "atanh": ops.atanh,
    "abs": ops.absolute,
    "cbrt": ops.cbrt,
    "ceil": ops.ceil,
    "complex": ops.complex_,
    "cos": ops.cos,
    "cosh": ops.cosh,
    "digamma": ops.digamma,
    "eq": ops.equal,
    "erf": ops.erf,
    "erf_inv": ops.erfinv,
    "erfc": ops.erfc,
    "exp": ops.exp,
    "expm1": ops.expm1,
    "floor": ops.floor,
    "ge": ops.greater_equal,
    "gt": ops.greater,
    "imag": ops.imag,
    "is_finite": ops.isfinite,
    "le": ops.less_equal,
    "lgamma": ops.lgamma,
    "log": ops.log,
    "log1p": ops.log1p,
    "log2": ops.log2,
    "lt": ops.less,
    "max": ops.maximum,
    "min": ops.minimum,
    "mul": ops.multiply,
    "ne": ops.not_equal,
    "neg": ops.negative,
    "nextafter": ops.nextafter,
    "not": ops.bitwise_not,
    "or": ops.bitwise_or,
    "population_count": ops.popcount,
    "real": ops.real,
    "rsqrt": ops.rsqrt,
    "shift_left": ops.shift_left,
    "shift_right_arithmetic": ops.shift_right,
    "sign": ops.sign,
    "sin": ops.sin,
    "sinh": ops.sinh,
    "sqrt": ops.sqrt,
    "square": ops.square,
    "sub": ops.subtract,
    "tan": ops.tan,
    "tanh": ops.tanh,
    "xor": ops.bitwise_xor,
}


def _same(op: Op) -> Callable[..., Any]:
    def translate(at: Site, *operands: Any) -> Any:
        return op(*[stretch(x, at.result.shape) for x in operands])

    return translate


RULES.update({name: _same(op) for name, op in SAME.items()})


# Division. By zero, XLA gives -1 (all bits), and x as the rest.
@rule("div")
def _div(at: Site, x: Any, y: Any) -> Any:
    x, y = stretch(x, at.result.shape), stretch(y, at.result.shape)
    if is_inexact(x.dtype):
        return ops.divide(x, y)
    by_zero = ops.equal(y, like(y, 0))
    divisor = ops.select(by_zero, like(y, 1), y)
    quotient = ops.floor_divide(x, divisor)
    rest = ops.not_equal(ops.fmod(x, divisor), like(x, 0))
    signs = ops.not_equal(ops.less(x, like(x, 0)), ops.less(divisor, like(x, 0)))
    quotient = ops.add(quotient, cast(ops.bitwise_and(rest, signs), x.dtype))
    return ops.select(by_zero, ops.bitwise_not(like(x, 0)), quotient)


@rule("rem")
def _rem(at: Site, x: Any, y: Any) -> Any:
    x, y = stretch(x, at.result.shape), stretch(y, at.result.shape)
    if is_inexact(x.dtype):
        return ops.fmod(x, y)
    by_zero = ops.equal(y, like(y, 0))
    return ops.select(by_zero, x, ops.fmod(x, ops.select(by_zero, like(y, 1), y)))


# Powers and roots.
@rule("pow")
def _pow(at: Site, x: Any, y: Any) -> Any:
    y = cast(y, x.dtype)
    return ops.power(stretch(x, at.result.shape), stretch(y, at.result.shape))


@rule("integer_pow")
def _integer_pow(at: Site, x: Any) -> Any:
    exponent: int = at.params["y"]
    if exponent == 0:
        return like(x, 1)
    power, base, left = None, x, abs(exponent)
    while left:
        if left & 1:
            power = base if power is None else ops.multiply(power, base)
        left >>= 1
        if left:
            base = ops.square(base)
    if exponent < 0 and not is_inexact(x.dtype):
        raise Lacking
    return power if exponent > 0 else ops.reciprocal(power)


@rule("exp2")
def _exp2(at: Site, x: Any) -> Any:
    if is_complex(x.dtype):
        return ops.exp(ops.multiply(x, like(x, np.log(2))))
    return ops.exp2(x)


@rule("logistic")
def _logistic(at: Site, x: Any) -> Any:
    if is_complex(x.dtype):
        return ops.reciprocal(ops.add(like(x, 1), ops.exp(ops.negative(x))))
    return ops.sigmoid(x)


@rule("one_minus_square")
def _one_minus_square(at: Site, x: Any) -> Any:
    one = like(x, 1)
    return ops.multiply(ops.subtract(one, x), ops.add(one, x))


@rule("polynomial")
def _polynomial(at: Site, x: Any, *coefficients: Any) -> Any:
    """By Horner's rule; the constant coefficient comes first."""
    x = stretch(x, at.result.shape)
    *rest, found = [stretch(c, at.result.shape) for c in coefficients]
    for c in reversed(rest):
        found = ops.add(ops.multiply(found, x), c)
    return found


@rule("polygamma")
def _polygamma(at: Site, order: Any, x: Any) -> Any:
    number = known(order)
    if number is None or number.size == 0:
        raise Lacking
    first = number.flat[0]
    if np.any(number != first) or first != int(first) or first < 0:
        raise Lacking
    x = stretch(x, at.result.shape)
    return ops.polygamma(x, order=int(first)) if first else ops.digamma(x)


# Rounding and bits.
@rule("round")
def _round(at: Site, x: Any) -> Any:
    if int(at.params["rounding_method"]) == 1:
        return ops.round_(x)
    whole = ops.trunc(x)  # ties away from zero
    far = ops.greater_equal(ops.absolute(ops.subtract(x, whole)), like(x, 0.5))
    return ops.select(far, ops.add(whole, ops.sign(x)), whole)


@rule("shift_right_logical")
def _shift_right_logical(at: Site, x: Any, y: Any) -> Any:
    x, y = stretch(x, at.result.shape), stretch(y, at.result.shape)
    if x.dtype.kind == "u":
        return ops.shift_right(x, y)
    unsigned = np.dtype(f"uint{8 * x.dtype.itemsize}")
    shifted = ops.shift_right(ops.bitcast(x, dtype=unsigned), ops.bitcast(y, dtype=unsigned))
    return ops.bitcast(shifted, dtype=x.dtype)


@rule("population_count")
def _population_count(at: Site, x: Any) -> Any:
    if x.dtype.kind == "u":
        return ops.popcount(x)
    unsigned = np.dtype(f"uint{8 * x.dtype.itemsize}")
    return ops.bitcast(ops.popcount(ops.bitcast(x, dtype=unsigned)), dtype=x.dtype)


@rule("clz")
def _clz(at: Site, x: Any) -> Any:
    """Smear the highest bit downwards; the zeros that are left lead."""
    width = 8 * x.dtype.itemsize
    unsigned = np.dtype(f"uint{width}")
    bits = cast_bits(x, unsigned)
    step = 1
    while step < width:
        bits = ops.bitwise_or(bits, ops.shift_right(bits, like(bits, step)))
        step *= 2
    return cast_bits(ops.popcount(ops.bitwise_not(bits)), x.dtype)


def cast_bits(x: Any, dtype: Any) -> Any:
    """The bits as another dtype of the same width."""
    return x if x.dtype == dtype else ops.bitcast(x, dtype=np.dtype(dtype))


@rule("convert_element_type")
def _convert(at: Site, x: Any) -> Any:
    return cast(x, at.result.dtype)


@rule("bitcast_convert_type")
def _bitcast(at: Site, x: Any) -> Any:
    return cast_bits(x, at.result.dtype)


@rule("reduce_precision")
def _reduce_precision(at: Site, x: Any) -> Any:
    exponent, mantissa = at.params["exponent_bits"], at.params["mantissa_bits"]
    own = {"float16": (5, 10), "bfloat16": (8, 7), "float32": (8, 23), "float64": (11, 52)}
    if own[x.dtype.name] == (exponent, mantissa):
        return x
    if (x.dtype.name, exponent, mantissa) == ("float32", 8, 7):
        return cast(cast(x, bfloat16), x.dtype)
    raise Lacking


# Comparisons in the total order of floats: -NaN, -inf, ..., -0, 0, ..., inf, NaN.
def _ordered(x: Any) -> Any:
    """Integers in the total order of numbers."""
    if not is_floating(x.dtype):
        return x
    signed = np.dtype(f"int{8 * x.dtype.itemsize}")
    bits = ops.bitcast(x, dtype=signed)
    mirrored = ops.bitwise_xor(bits, like(bits, np.iinfo(signed).max))
    return ops.select(ops.less(bits, like(bits, 0)), mirrored, bits)


def _total(op: Op) -> Callable[..., Any]:
    def translate(at: Site, *operands: Any) -> Any:
        if is_complex(operands[0].dtype):
            raise Lacking
        return op(*[_ordered(stretch(x, at.result.shape)) for x in operands])

    return translate


RULES.update({"eq_to": _total(ops.equal), "lt_to": _total(ops.less)})
RULES["le_to"] = _total(ops.less_equal)


# Choices.
@rule("clamp")
def _clamp(at: Site, low: Any, x: Any, high: Any) -> Any:
    low, high = stretch(low, x.shape), stretch(high, x.shape)
    return ops.minimum(ops.maximum(x, low), high)


@rule("select_n", moves=True)
def _select_n(at: Site, which: Any, *cases: Any) -> Any:
    cases = tuple([stretch(x, at.result.shape) for x in cases])
    which = stretch(which, at.result.shape)
    if len(cases) == 1:
        return cases[0]
    if which.dtype == bool_:
        return ops.select(which, cases[1], cases[0])
    found = cases[-1]
    for i in reversed(range(len(cases) - 1)):
        found = ops.select(ops.equal(which, like(which, i)), cases[i], found)
    return found


@rule("conj")
def _conj(at: Site, x: Any) -> Any:
    if is_complex(x.dtype):
        return ops.conj(x)
    return ops.complex_(x, like(x, 0))


@rule("stop_gradient")
def _stop_gradient(at: Site, x: Any) -> Any:
    return ops.stop_gradient(x)


# Values as they are.
_AS_IT_IS = (
    "copy copy_p device_put layout_constraint mesh_cast name pvary "
    "random_clone random_unwrap random_wrap reshard sharding_constraint"
)


@rule(*_AS_IT_IS.split())
def _as_it_is(at: Site, *operands: Any) -> Any:
    return operands


@rule("optimization_barrier")
def _barrier(at: Site, *operands: Any) -> Any:
    return ops.barrier(*operands)


@rule("empty", "empty2")
def _empty(at: Site, *_: Any) -> Any:
    return full(at.result.dtype, 0, at.result.shape)


@rule("iota")
def _iota(at: Site, *_: Any) -> Any:
    wanted = at.result
    axis: int = at.params["dimension"]
    plain = is_integer(wanted.dtype) or is_floating(wanted.dtype)
    dtype = wanted.dtype if plain else np.dtype(np.int32)
    return cast(ops.iota(dtype=dtype, shape=wanted.shape, axis=axis), wanted.dtype)
