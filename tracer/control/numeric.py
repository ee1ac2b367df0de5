"""``int``, ``float``, ``round`` and the ``math`` module on traced tensors: runtime numbers.

What cannot be one goes to Python's own function, which asks the tensor for its value and so ends
the trace with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import Value, functions, is_complex, is_floating, ops
from plait.ir.errors import RangeError, ShapeError
from plait.tracer.control.logic import as_truth, staged, tensor_of
from plait.tracer.control.raising import check
from plait.tracer.control.text import value_of
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap

_LIMIT = 2.0**63
_NAN = "cannot convert float NaN to integer"
_INFINITE = "cannot convert float infinity to integer"
_TOO_LARGE = "a number beyond 64 bits cannot be an int in a compiled function"


def scalar_of(x: Any) -> Value | None:
    """The value of a traced tensor of one element, as a scalar; None for anything else."""
    tensor = staged(x)
    if tensor is None or tensor.size != 1:
        return None
    value = value_of(tensor)
    found: Value = functions.reshape(value, ()) if value.ndim else value
    return found


def number(value: Any) -> Any:
    """A runtime number; known ones stay Python's."""
    return wrap(value, "number") if type(value) is Value else np.asarray(value).item()


def int_(*args: Any, **kwargs: Any) -> Any:
    """``int``: of a real scalar a number that is known at run time."""
    value = scalar_of(args[0]) if len(args) == 1 and not kwargs else None
    if value is None or is_complex(value.dtype):
        return int(*args, **kwargs)
    tensor = tensor_of(args[0])
    return number(as_int64(value, is_tensor=tensor is not None and tensor._kind == "tensor"))


def as_int64(value: Value, is_tensor: bool = False) -> Any:
    """A real scalar cut to an integer, as Python does it, in 64 bits."""
    if value.dtype == np.int64:
        return value
    if is_floating(value.dtype):
        wide = functions.astype(value, np.float64)
        nan = ShapeError(_NAN) if is_tensor else ValueError(_NAN)
        infinite = RangeError(_INFINITE) if is_tensor else OverflowError(_INFINITE)
        check(functions.logical_not(functions.isnan(wide)), nan)
        check(functions.isfinite(wide), infinite)
        check(functions.less(functions.abs(wide), np.asarray(_LIMIT)), OverflowError(_TOO_LARGE))
        value = wide
    elif value.dtype == np.uint64:
        largest = np.asarray(2**63 - 1, np.uint64)
        check(functions.less_equal(value, largest), OverflowError(_TOO_LARGE))
    return ops.cast(value, dtype=np.dtype(np.int64))


def float_(*args: Any, **kwargs: Any) -> Any:
    """``float``: of a real scalar a number that is known at run time."""
    value = scalar_of(args[0]) if len(args) == 1 and not kwargs else None
    if value is None or is_complex(value.dtype):
        return float(*args, **kwargs)
    return number(functions.astype(value, np.float64))


def complex_(*args: Any, **kwargs: Any) -> Any:
    """``complex``: of scalars a number that is known at run time."""
    given = [args[0] if args else kwargs.get("real", 0), kwargs.get("imag", 0), *args[1:]]
    parts = [given[0], given[2] if len(given) > 2 else given[1]]
    if len(args) > 2 or not any(staged(x) is not None for x in parts):
        return complex(*args, **kwargs)
    wide = []
    for x in parts:
        value = scalar_of(x) if staged(x) is not None else x
        if value is None or isinstance(value, str):
            return complex(*args, **kwargs)
        wide.append(functions.astype(value, np.complex128))
    second = functions.multiply(wide[1], np.asarray(1j))
    return number(functions.add(wide[0], second))


def bool_(*args: Any, **kwargs: Any) -> Any:
    """``bool``: of a traced tensor a truth value that is known at run time."""
    tensor = staged(args[0]) if len(args) == 1 and not kwargs else None
    return bool(*args, **kwargs) if tensor is None else as_truth(tensor)


def round_(*args: Any, **kwargs: Any) -> Any:
    """``round``: a runtime number without digits is an int."""
    x = args[0] if args else kwargs.get("number")
    digits = args[1] if len(args) > 1 else kwargs.get("ndigits")
    if type(x) is not Tensor or x._kind != "number" or staged(x) is None or digits is not None:
        return round(*args, **kwargs)
    return _integer(functions.rint, x)


def _integer(rounding: Callable[[Any], Any], x: Any) -> Any:
    value = value_of(x)
    return number(as_int64(rounding(value) if is_floating(value.dtype) else value))


# The math module.


def _rounding(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    native = getattr(math, name)

    def rounded(x: Any) -> Any:
        if type(x) is not Tensor or x._kind != "number" or staged(x) is None:
            return native(x)
        return _integer(function, x)

    return rounded


Check = Callable[..., Any]


def _zero_to(x: Any) -> Any:
    return functions.logical_not(functions.less(x, np.asarray(0.0)))


def _above(limit: float) -> Check:
    return lambda x, *_: functions.logical_not(functions.less_equal(x, np.asarray(limit)))


def _unit(x: Any) -> Any:
    return functions.logical_not(functions.greater(functions.abs(x), np.asarray(1.0)))


def _inside_unit(x: Any) -> Any:
    return functions.logical_not(functions.greater_equal(functions.abs(x), np.asarray(1.0)))


def _one_to(x: Any) -> Any:
    return functions.logical_not(functions.less(x, np.asarray(1.0)))


def _finite(x: Any) -> Any:
    infinite = functions.logical_not(
        functions.logical_or(functions.isfinite(x), functions.isnan(x))
    )
    return functions.logical_not(infinite)


def _divisor(x: Any, y: Any) -> Any:
    zero = functions.equal(y, np.asarray(0.0))
    return functions.logical_and(functions.logical_not(zero), _finite(x))


#: Where a function of ``math`` is defined; elsewhere it raises a ValueError.
_DOMAINS: dict[str, Check] = {
    "sqrt": _zero_to,
    "log": _above(0.0),
    "log2": _above(0.0),
    "log10": _above(0.0),
    "log1p": _above(-1.0),
    "acos": _unit,
    "asin": _unit,
    "acosh": _one_to,
    "atanh": _inside_unit,
    "sin": _finite,
    "cos": _finite,
    "tan": _finite,
    "fmod": _divisor,
}
#: Functions of ``math`` that overflow where others give infinity.
_GROWING = frozenset(("exp", "exp2", "expm1", "cosh", "sinh"))
_SAME = (
    "acos acosh asin asinh atan atan2 atanh cbrt copysign cos cosh degrees erf erfc exp exp2 expm1 "
    "fmod hypot isfinite isinf isnan log10 log1p log2 nextafter radians sin sinh sqrt tan tanh"
)


def _elementary(name: str) -> Callable[..., Any]:
    """A function of ``math`` whose traced operands are computed in float64."""
    native = getattr(math, name)
    function = getattr(functions, name)
    domain = _DOMAINS.get(name)

    def computed(*args: Any, **kwargs: Any) -> Any:
        values = None if kwargs else doubles(args)
        if values is None:
            return native(*args, **kwargs)
        if domain is not None:
            check(domain(*values), ValueError("math domain error"))
        result = values[0]
        if len(values) == 1:
            result = function(result)
        for value in values[1:]:
            result = function(result, value)
        if name in _GROWING:
            grown = functions.logical_and(
                _finite(values[0]), functions.logical_not(_finite(result))
            )
            check(functions.logical_not(grown), OverflowError("math range error"))
        return number(result)

    return computed


def doubles(args: tuple[Any, ...]) -> list[Any] | None:
    """Operands in float64 if one of them is traced and all can be; None otherwise."""
    if not args or not any(staged(x) is not None for x in args):
        return None
    found = []
    for x in args:
        value = x if type(x) in (bool, int, float) else scalar_of(x)
        if value is None or (type(value) is Value and is_complex(value.dtype)):
            return None
        is_traced = type(value) is Value
        found.append(
            functions.astype(value, np.float64) if is_traced else np.asarray(value, np.float64)
        )
    return found


def log_(*args: Any) -> Any:
    """``math.log`` of a number, to a base."""
    values = doubles(args)
    if values is None or len(values) > 2:
        return math.log(*args)
    logs = []
    for value in values:
        check(_DOMAINS["log"](value), ValueError("math domain error"))
        logs.append(functions.log(value))
    return number(logs[0] if len(logs) == 1 else functions.divide(*logs))


def fabs_(x: Any) -> Any:
    """``math.fabs``."""
    values = doubles((x,))
    return math.fabs(x) if values is None else number(functions.abs(values[0]))


def pow_(x: Any, y: Any) -> Any:
    """``math.pow``: outside of its domain an error, instead of NaN or infinity."""
    values = doubles((x, y))
    if values is None:
        return math.pow(x, y)
    base, exponent = values
    result = functions.pow(base, exponent)
    known = functions.logical_and(_known(base), _known(exponent))
    zero = functions.logical_and(_equal(base, 0.0), functions.less(exponent, np.asarray(0.0)))
    bad = functions.logical_and(known, functions.logical_or(zero, functions.isnan(result)))
    check(functions.logical_not(bad), ValueError("math domain error"))
    grown = functions.logical_and(known, functions.logical_not(functions.isfinite(result)))
    check(functions.logical_not(grown), OverflowError("math range error"))
    return number(result)


def _known(x: Any) -> Any:
    return functions.isfinite(x)


def _equal(x: Any, y: float) -> Any:
    return functions.equal(x, np.asarray(y))


def isclose_(a: Any, b: Any, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> Any:
    """``math.isclose``: near, relative to the larger."""
    values = doubles((a, b))
    if values is None:
        return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    x, y = values
    larger = functions.maximum(functions.abs(x), functions.abs(y))
    bound = functions.maximum(functions.multiply(larger, rel_tol), np.asarray(float(abs_tol)))
    near = functions.less_equal(functions.abs(functions.subtract(x, y)), bound)
    both = functions.logical_and(functions.isfinite(x), functions.isfinite(y))
    return number(functions.logical_or(functions.equal(x, y), functions.logical_and(both, near)))


#: Python's functions and what takes their place while a function is captured.
HOOKS: dict[Any, Callable[..., Any]] = {
    int: int_,
    float: float_,
    complex: complex_,
    bool: bool_,
    round: round_,
    math.floor: _rounding("floor", functions.floor),
    math.ceil: _rounding("ceil", functions.ceil),
    math.trunc: _rounding("trunc", functions.trunc),
    math.log: log_,
    math.fabs: fabs_,
    math.pow: pow_,
    math.isclose: isclose_,
    **{getattr(math, name): _elementary(name) for name in _SAME.split() if hasattr(math, name)},
}

__all__ = ["HOOKS", "as_int64", "doubles", "number", "scalar_of"]
