"""Elementwise ops: equal shapes in, the same shape out, one ufunc or formula each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.rules import check_arity as check_arity
from plait.ir.ops.rules import check_same as check_same
from plait.ir.ops.rules import check_tensors
from plait.ir.types import (
    DTYPES,
    DType,
    TensorType,
    as_dtype,
    bfloat16,
    bool_,
    float16,
    is_bool,
    is_complex,
    is_floating,
    is_inexact,
    is_integer,
    real_dtype,
)

__all__ = [
    "absolute",
    "acos",
    "acosh",
    "add",
    "angle",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cast",
    "cbrt",
    "ceil",
    "complex_",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "fmod",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "popcount",
    "power",
    "real",
    "reciprocal",
    "remainder",
    "round_",
    "rsqrt",
    "select",
    "shift_left",
    "shift_right",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]

FAMILY = "elementwise"
Domain = Callable[[DType], bool]


def _real(d: DType) -> bool:
    return is_integer(d) or is_floating(d)


def _numeric(d: DType) -> bool:
    return is_integer(d) or is_inexact(d)


def _bits(d: DType) -> bool:
    return is_bool(d) or is_integer(d)


def _ordered(d: DType) -> bool:
    return not is_complex(d)


def _any(_: DType) -> bool:
    return True


DOMAINS: dict[str, tuple[Domain, str]] = {
    "floating": (is_floating, "a floating dtype"),
    "inexact": (is_inexact, "a floating or complex dtype"),
    "complex": (is_complex, "a complex dtype"),
    "real": (_real, "an integer or floating dtype"),
    "numeric": (_numeric, "a numeric dtype (not bool)"),
    "integer": (is_integer, "an integer dtype"),
    "bits": (_bits, "bool or an integer dtype"),
    "bool": (is_bool, "bool"),
    "ordered": (_ordered, "bool, an integer or a floating dtype"),
    "any": (_any, "any dtype"),
}


def _infer(
    name: str, arity: int, domain: str, result: Callable[[DType], DType]
) -> Callable[..., TensorType]:
    accepts, wanted = DOMAINS[domain]
    results = {d: result(d) for d in DTYPES if accepts(d)}

    def infer(*types: Any) -> TensorType:
        check_arity(name, types, arity)
        t = check_same(name, types)
        dtype = results.get(t.dtype)
        if dtype is None:
            raise DTypeError(f"{name}: expected {wanted}, got {t.dtype.name} in {t}")
        return t if dtype is t.dtype else TensorType(dtype, t.shape)

    return infer


def _same(d: DType) -> DType:
    return d


def _to_bool(_: DType) -> DType:
    return bool_


RESULTS: dict[str, Callable[[DType], DType]] = {
    "same": _same,
    "bool": _to_bool,
    "real": real_dtype,
}


def _writer_of(function: Callable[..., Any]) -> Callable[..., None]:
    if isinstance(function, np.ufunc):
        ufunc = function

        def write(out: Any, *arrays: Any) -> None:
            ufunc(*arrays, out=out)
    else:

        def write(out: Any, *arrays: Any) -> None:
            np.copyto(out, function(*arrays))

    return write


def define(
    name: str,
    doc: str,
    function: Callable[..., Any],
    *,
    arity: int = 1,
    domain: str = "inexact",
    result: str = "same",
    traits: tuple[Trait, ...] = (),
    flops: int = 1,
    writer: Callable[..., None] | None = None,
) -> Op:
    """Register an elementwise op; a ufunc or a ``writer`` fills a buffer without a temporary."""

    def count(operands: Any, results: Any) -> int:
        return flops * int(results[0].size)

    op = Op(
        name=name,
        family=FAMILY,
        doc=doc,
        infer=_infer(name, arity, domain, RESULTS[result]),
        reference=function,
        into=writer or _writer_of(function),
        traits=frozenset((Trait.ELEMENTWISE, Trait.CHEAP, *traits)),
        overwrites=tuple(range(arity)),
        flops=count,
        arity=arity,
        quick={d: RESULTS[result](d) for d in DTYPES if DOMAINS[domain][0](d)},
    )
    return register(op)


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute half precision formulas in float32 and round once."""

    def reference(*arrays: Any) -> Any:
        dtype = arrays[0].dtype
        if dtype == float16 or dtype == bfloat16:
            wide = [a.astype(np.float32) for a in arrays]
            return np.asarray(function(*wide)).astype(dtype)
        return np.asarray(function(*arrays)).astype(dtype, copy=False)

    return reference


def _power(x: Any, y: Any) -> Any:
    if x.dtype.kind != "i" or not np.any(y < 0):
        return np.power(x, y)
    # NumPy refuses negative exponents of integers: the truncated value of 1 / x ** -y instead.
    odd = np.where(y & 1, x, x * x)
    return np.where(y < 0, np.where(np.abs(x) == 1, odd, 0), np.power(x, np.maximum(y, 0)))


C, A, M = Trait.COMMUTATIVE, Trait.ASSOCIATIVE, Trait.MONOTONE

# Arithmetic.
add = define("add", "x + y", np.add, arity=2, domain="any", traits=(C,))
subtract = define("subtract", "x - y", np.subtract, arity=2, domain="numeric")
multiply = define("multiply", "x * y", np.multiply, arity=2, domain="any", traits=(C,))
divide = define("divide", "x / y", np.divide, arity=2)
floor_divide = define("floor_divide", "floor(x / y)", np.floor_divide, arity=2, domain="real")
remainder = define(
    "remainder", "x - floor(x / y) * y: the sign of y", np.remainder, arity=2, domain="real"
)
fmod = define("fmod", "x - trunc(x / y) * y: the sign of x", np.fmod, arity=2, domain="real")
power = define(
    "power",
    "x ** y; of integers to negative exponents the truncated value, 0 for 0",
    _power,
    arity=2,
    domain="numeric",
    flops=10,
    traits=(Trait.LAYOUT,),
)
negative = define("negative", "-x", np.negative, domain="numeric", traits=(Trait.INVOLUTION,))
absolute = define(
    "abs", "|x|", np.absolute, domain="numeric", result="real", traits=(Trait.IDEMPOTENT,)
)
sign = define("sign", "-1, 0 or 1; x / |x| for complex", np.sign, domain="numeric")
square = define("square", "x * x", np.square, domain="numeric")
sqrt = define("sqrt", "x ** 0.5", np.sqrt, traits=(M,))
rsqrt = define("rsqrt", "1 / sqrt(x)", in_float32(lambda x: 1 / np.sqrt(x)), flops=2)
cbrt = define("cbrt", "x ** (1/3), real", np.cbrt, domain="floating", traits=(M,))
reciprocal = define("reciprocal", "1 / x", np.reciprocal)
maximum = define(
    "maximum", "max(x, y); NaN wins", np.maximum, arity=2, domain="ordered", traits=(C, A)
)
minimum = define(
    "minimum", "min(x, y); NaN wins", np.minimum, arity=2, domain="ordered", traits=(C, A)
)
copysign = define("copysign", "|x| with the sign of y", np.copysign, arity=2, domain="floating")
nextafter = define(
    "nextafter", "the float after x towards y", np.nextafter, arity=2, domain="floating"
)
hypot = define("hypot", "sqrt(x*x + y*y)", np.hypot, arity=2, domain="floating", flops=4)

# Rounding.
IDEMPOTENT = (Trait.IDEMPOTENT, M)
floor = define("floor", "largest integer <= x", np.floor, domain="floating", traits=IDEMPOTENT)
ceil = define("ceil", "smallest integer >= x", np.ceil, domain="floating", traits=IDEMPOTENT)
trunc = define("trunc", "x without its fraction", np.trunc, domain="floating", traits=IDEMPOTENT)
round_ = define("round", "nearest, ties to even", np.rint, domain="floating", traits=IDEMPOTENT)

# Exponentials and logarithms.
exp = define("exp", "e ** x", np.exp, flops=10)
exp2 = define("exp2", "2 ** x", np.exp2, domain="floating", flops=10)
expm1 = define("expm1", "exp(x) - 1", np.expm1, flops=10)
log = define("log", "natural logarithm", np.log, flops=10)
log1p = define("log1p", "log(1 + x)", np.log1p, flops=10)
log2 = define("log2", "logarithm to base 2", np.log2, flops=10)
log10 = define("log10", "logarithm to base 10", np.log10, flops=10)
logaddexp = define(
    "logaddexp", "log(exp(x) + exp(y))", np.logaddexp, arity=2, domain="floating", traits=(C,)
)

# Trigonometric and hyperbolic.
sin = define("sin", "sine of radians", np.sin, flops=10)
cos = define("cos", "cosine of radians", np.cos, flops=10)
tan = define("tan", "tangent of radians", np.tan, flops=10)
asin = define("asin", "inverse sine", np.arcsin, flops=10)
acos = define("acos", "inverse cosine", np.arccos, flops=10)
atan = define("atan", "inverse tangent", np.arctan, flops=10)
atan2 = define("atan2", "angle of (y, x)", np.arctan2, arity=2, domain="floating", flops=10)
sinh = define("sinh", "hyperbolic sine", np.sinh, flops=10)
cosh = define("cosh", "hyperbolic cosine", np.cosh, flops=10)
tanh = define("tanh", "hyperbolic tangent", np.tanh, flops=10)
asinh = define("asinh", "inverse hyperbolic sine", np.arcsinh, flops=10)
acosh = define("acosh", "inverse hyperbolic cosine", np.arccosh, flops=10)
atanh = define("atanh", "inverse hyperbolic tangent", np.arctanh, flops=10)

# Comparisons.
equal = define("equal", "x == y", np.equal, arity=2, domain="any", result="bool", traits=(C,))
not_equal = define(
    "not_equal", "x != y", np.not_equal, arity=2, domain="any", result="bool", traits=(C,)
)
less = define("less", "x < y", np.less, arity=2, domain="ordered", result="bool")
less_equal = define("less_equal", "x <= y", np.less_equal, arity=2, domain="ordered", result="bool")
greater = define("greater", "x > y", np.greater, arity=2, domain="ordered", result="bool")
greater_equal = define(
    "greater_equal", "x >= y", np.greater_equal, arity=2, domain="ordered", result="bool"
)
isnan = define("isnan", "x is NaN", np.isnan, result="bool")
isinf = define("isinf", "x is infinite", np.isinf, result="bool")
isfinite = define("isfinite", "x is neither NaN nor infinite", np.isfinite, result="bool")
signbit = define("signbit", "x has a minus sign", np.signbit, domain="floating", result="bool")

# Logic and bits.
logical_and = define(
    "logical_and", "x and y", np.logical_and, arity=2, domain="bool", traits=(C, A)
)
logical_or = define("logical_or", "x or y", np.logical_or, arity=2, domain="bool", traits=(C, A))
logical_xor = define(
    "logical_xor", "x xor y", np.logical_xor, arity=2, domain="bool", traits=(C, A)
)
logical_not = define(
    "logical_not", "not x", np.logical_not, domain="bool", traits=(Trait.INVOLUTION,)
)
bitwise_and = define("bitwise_and", "x & y", np.bitwise_and, arity=2, domain="bits", traits=(C, A))
bitwise_or = define("bitwise_or", "x | y", np.bitwise_or, arity=2, domain="bits", traits=(C, A))
bitwise_xor = define("bitwise_xor", "x ^ y", np.bitwise_xor, arity=2, domain="bits", traits=(C, A))
bitwise_not = define("bitwise_not", "~x", np.invert, domain="bits", traits=(Trait.INVOLUTION,))
shift_left = define(
    "shift_left", "x << y; 0 from the width on", np.left_shift, arity=2, domain="integer"
)
shift_right = define(
    "shift_right", "x >> y, arithmetic for signed x", np.right_shift, arity=2, domain="integer"
)
popcount = define(
    "popcount",
    "number of set bits of x (of |x| for signed x, as NumPy)",
    lambda x: np.bitwise_count(x).astype(x.dtype),
    domain="integer",
)

# Complex numbers.
real = define("real", "real part", lambda x: x.real.copy(), domain="complex", result="real")
imag = define("imag", "imaginary part", lambda x: x.imag.copy(), domain="complex", result="real")
conj = define(
    "conj", "complex conjugate", np.conjugate, domain="complex", traits=(Trait.INVOLUTION,)
)
angle = define(
    "angle",
    "argument of a complex number, in radians",
    np.angle,
    domain="complex",
    result="real",
    flops=10,
)


# Ops whose operands or results differ in dtype.
def _infer_select(condition: Any, x: Any, y: Any) -> TensorType:
    t = check_same("select", (x, y))
    check_tensors("select", condition)
    if condition.dtype != bool_:
        raise DTypeError(f"select: the condition must be bool, got {condition}")
    if condition.shape != t.shape:
        raise ShapeError(f"select: condition {condition} and values {t} differ in shape")
    return t


def _is_buffer_of(out: Any, x: Any) -> bool:
    """Whether the two arrays are one and the same stretch of memory, element by element."""
    place: bool = out.__array_interface__["data"] == x.__array_interface__["data"]
    return place and out.strides == x.strides


def _select_into(out: Any, condition: Any, x: Any, y: Any) -> None:
    if np.may_share_memory(out, condition):
        np.copyto(out, np.where(condition, x, y))
    elif _is_buffer_of(out, x):
        np.copyto(out, y, where=np.logical_not(condition))
    else:
        if not _is_buffer_of(out, y):
            np.copyto(out, y)
        np.copyto(out, x, where=condition)


select = register(
    Op(
        name="select",
        family=FAMILY,
        doc="x where the condition holds, else y",
        infer=_infer_select,
        reference=np.where,
        into=_select_into,
        traits=frozenset((Trait.ELEMENTWISE, Trait.CHEAP)),
        overwrites=(1, 2),
    )
)


def _infer_cast(x: Any, *, dtype: DType) -> TensorType:
    check_tensors("cast", x)
    return TensorType(as_dtype(dtype), x.shape)


def _cast(x: Any, *, dtype: DType) -> Any:
    if is_complex(x.dtype) and not is_complex(dtype):
        x = x != 0 if is_bool(dtype) else x.real
    with np.errstate(invalid="ignore", over="ignore"):
        return x.astype(dtype)


def _cast_into(out: Any, x: Any, *, dtype: DType) -> None:
    out[...] = _cast(x, dtype=dtype)


cast = register(
    Op(
        name="cast",
        family=FAMILY,
        doc="the same values in another ``dtype``; floats to integers truncate; complex to real "
        "drops the imaginary part",
        infer=_infer_cast,
        reference=_cast,
        into=_cast_into,
        traits=frozenset((Trait.ELEMENTWISE, Trait.CHEAP)),
        overwrites=(0,),
    )
)


def _infer_complex(x: Any, y: Any) -> TensorType:
    t = check_same("complex", (x, y))
    if t.dtype.name not in ("float32", "float64"):
        raise DTypeError(f"complex: expected float32 or float64 parts, got {t.dtype.name}")
    return TensorType(np.result_type(t.dtype, np.complex64), t.shape)


def _complex(x: Any, y: Any) -> Any:
    out = np.empty(x.shape, np.result_type(x.dtype, np.complex64))
    out.real, out.imag = x, y
    return out


complex_ = register(
    Op(
        name="complex",
        family=FAMILY,
        doc="x + y * 1j",
        infer=_infer_complex,
        reference=_complex,
        traits=frozenset((Trait.ELEMENTWISE, Trait.CHEAP)),
    )
)
