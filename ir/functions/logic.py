"""Elementwise comparisons, logic, bits, and choices between values."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.functions.elementwise import absolute, add, multiply, subtract
from plait.ir.functions.loops import (
    Function,
    binary,
    broadcast_pair,
    comparison,
    document,
    same,
    unary,
)
from plait.ir.functions.payload import (
    WeakValue,
    as_payload,
    broadcast_shapes,
    broadcast_to,
    cast,
    dtype_of,
    promote,
    promote_and_broadcast,
    shape_of,
    weak_kind,
)
from plait.ir.op import Op
from plait.ir.types import as_dtype, bool_, is_complex, is_inexact, is_integer

__all__ = [
    "allclose",
    "array_equal",
    "astype",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "clip",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "nan_to_num",
    "not_equal",
    "right_shift",
    "signbit",
    "where",
]

# Comparisons.
equal = comparison(
    ops.equal, np.equal, "pl.equal([1, 2], 1)", "pl.Tensor([ True, False], dtype=bool, shape=(2,))"
)
not_equal = comparison(
    ops.not_equal,
    np.not_equal,
    "pl.not_equal([1, 2], 1)",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)
less = comparison(
    ops.less, np.less, "pl.less([1, 2], 2)", "pl.Tensor([ True, False], dtype=bool, shape=(2,))"
)
less_equal = comparison(
    ops.less_equal,
    np.less_equal,
    "pl.less_equal([1, 2], 1)",
    "pl.Tensor([ True, False], dtype=bool, shape=(2,))",
)
greater = comparison(
    ops.greater,
    np.greater,
    "pl.greater([1, 2], 1)",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)
greater_equal = comparison(
    ops.greater_equal,
    np.greater_equal,
    "pl.greater_equal([1, 2], 2)",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)

# Bits: logic for booleans.
bitwise_and = binary(
    ops.bitwise_and, np.bitwise_and, "pl.bitwise_and(6, 3)", "pl.Tensor(2, dtype=int32)"
)
bitwise_or = binary(
    ops.bitwise_or, np.bitwise_or, "pl.bitwise_or(6, 3)", "pl.Tensor(7, dtype=int32)"
)
bitwise_xor = binary(
    ops.bitwise_xor, np.bitwise_xor, "pl.bitwise_xor(6, 3)", "pl.Tensor(5, dtype=int32)"
)
bitwise_invert = unary(
    ops.bitwise_not, np.invert, "pl.bitwise_invert(6)", "pl.Tensor(-7, dtype=int32)"
)
bitwise_left_shift = binary(
    ops.shift_left, np.left_shift, "pl.bitwise_left_shift(3, 2)", "pl.Tensor(12, dtype=int32)"
)
bitwise_right_shift = binary(
    ops.shift_right, np.right_shift, "pl.bitwise_right_shift(-8, 2)", "pl.Tensor(-2, dtype=int32)"
)
invert = bitwise_not = bitwise_invert
left_shift, right_shift = bitwise_left_shift, bitwise_right_shift


def _logical(op: Op, names: str, call: str, result: str) -> Function:
    """A function of truth values: what is not 0 is true, NaN as well."""
    name = op.name

    def function(x: Any, y: Any) -> Any:
        return op(*broadcast_pair(name, _truth(x), _truth(y)))

    def negation(x: Any) -> Any:
        return op(_truth(x))

    return document(function if "," in names else negation, op, names, call, result, returns="bool")


def _truth(x: Any) -> Any:
    return cast(as_payload(x), bool_)


logical_and = _logical(
    ops.logical_and,
    "x, y",
    "pl.logical_and([0, 2], True)",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)
logical_or = _logical(
    ops.logical_or,
    "x, y",
    "pl.logical_or([0, 2], False)",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)
logical_xor = _logical(
    ops.logical_xor,
    "x, y",
    "pl.logical_xor([0, 2], True)",
    "pl.Tensor([ True, False], dtype=bool, shape=(2,))",
)
logical_not = _logical(
    ops.logical_not,
    "x",
    "pl.logical_not([0, 2])",
    "pl.Tensor([ True, False], dtype=bool, shape=(2,))",
)


def _test(op: Op, exact: bool, call: str, result: str) -> Function:
    """A question about floats, with one answer for integers and booleans."""

    def function(x: Any) -> Any:
        payload = as_payload(x)
        payload = cast(payload, dtype_of(payload))
        if is_inexact(payload.dtype):
            return op(payload)
        return same(broadcast_to(np.asarray(exact), payload.shape))

    return document(function, op, "x", call, result, returns="bool")


isnan = _test(
    ops.isnan, False, "pl.isnan([1.0, np.nan])", "pl.Tensor([False,  True], dtype=bool, shape=(2,))"
)
isinf = _test(
    ops.isinf,
    False,
    "pl.isinf([1.0, -np.inf])",
    "pl.Tensor([False,  True], dtype=bool, shape=(2,))",
)
isfinite = _test(
    ops.isfinite,
    True,
    "pl.isfinite([1.0, np.inf])",
    "pl.Tensor([ True, False], dtype=bool, shape=(2,))",
)


def signbit(x: Any) -> Any:
    """Elementwise whether x has a minus sign, that of -0.0 included.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape.

    Returns
    -------
    Tensor
        Of dtype bool.

    Raises
    ------
    DTypeError
        Complex numbers.

    Examples
    --------
    >>> pl.signbit([1.0, -0.0])
    pl.Tensor([False,  True], dtype=bool, shape=(2,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    if is_integer(payload.dtype) or payload.dtype == bool_:
        zero = np.asarray(0, payload.dtype)
        return ops.less(payload, broadcast_to(zero, payload.shape))
    return ops.signbit(payload)


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``.

    Parameters
    ----------
    condition : array_like
        Truth values: what is not 0 is true.
    x, y : array_like
        Values; dtypes are promoted. All three broadcast together.

    Returns
    -------
    Tensor
        Of the promoted dtype of ``x`` and ``y``.

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.where([True, False], [1, 2], 0)
    pl.Tensor([1, 0], dtype=int32, shape=(2,))
    """
    test, (a, b) = _truth(condition), promote(x, y)
    shape = broadcast_shapes("where", test.shape, a.shape, b.shape)
    return ops.select(*[broadcast_to(v, shape) for v in (test, a, b)])


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Limit values to ``[min, max]``; NaN stays.

    Parameters
    ----------
    x : array_like
        Any real dtype and shape.
    min, max : array_like, optional
        Bounds, broadcast with ``x``; None leaves that side open. Where ``min`` is above ``max``
        the result is ``max``.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    DTypeError
        Complex numbers.
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.clip([-2, 1, 9], 0, 5)
    pl.Tensor([0, 1, 5], dtype=int32, shape=(3,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    bounds = [
        (op, _limited(op, bound, payload.dtype))
        for op, bound in ((ops.maximum, min), (ops.minimum, max))
        if bound is not None and not _is_beyond(op, bound, payload.dtype)
    ]
    if not bounds:
        return same(payload)
    payload, *limits = promote_and_broadcast("clip", payload, *[b for _, b in bounds])
    for (op, _), limit in zip(bounds, limits, strict=True):
        payload = op(payload, limit)
    return payload


def _is_beyond(op: Op, bound: Any, dtype: Any) -> bool:
    """Whether a Python integer bounds nothing, because the dtype ends before it."""
    if type(bound) is not int or not is_integer(dtype):
        return False
    limits = np.iinfo(dtype)
    return bound <= limits.min if op is ops.maximum else bound >= limits.max


def _limited(op: Op, bound: Any, dtype: Any) -> Any:
    """A runtime integer as a bound; one that bounds nothing is drawn to the end of the dtype."""
    if type(bound) is not WeakValue or bound.kind is not int or not is_integer(dtype):
        return bound
    limits = np.iinfo(dtype)
    end = limits.min if op is ops.maximum else limits.max
    if not -(2**63) <= end < 2**63:
        return bound
    return WeakValue(op(bound.value, np.asarray(end, np.int64)), int)


def isclose(x: Any, y: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Elementwise whether ``|x - y| <= atol + rtol * |y|``.

    Parameters
    ----------
    x, y : array_like
        Shapes that broadcast together; integers are compared in floating point.
    rtol, atol : array_like, optional
        Relative and absolute tolerance.
    equal_nan : bool, optional
        Whether NaN is close to NaN.

    Returns
    -------
    Tensor
        Of dtype bool. Infinities are close when equal.

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.isclose([1.0, np.inf], [1.000001, np.inf])
    pl.Tensor([ True,  True], dtype=bool, shape=(2,))
    """
    a, b = promote(x, y)
    if not is_inexact(b.dtype):
        a, b = promote(a, b, dtype=np.result_type(b.dtype, np.float64))
    a, b = broadcast_pair("isclose", a, b)
    bound = add(multiply(absolute(b), rtol), atol)
    with np.errstate(invalid="ignore"):  # infinities have no difference; `equal` compares them
        near = logical_and(less_equal(absolute(subtract(a, b)), bound), isfinite(b))
    found = logical_or(near, equal(a, b))
    if not equal_nan:
        return found
    return logical_or(found, logical_and(isnan(a), isnan(b)))


def allclose(x: Any, y: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements are close; see ``isclose``.

    Parameters
    ----------
    x, y : array_like
        Shapes that broadcast together.
    rtol, atol : array_like, optional
        Relative and absolute tolerance.
    equal_nan : bool, optional
        Whether NaN is close to NaN.

    Returns
    -------
    Tensor
        0-d, of dtype bool.

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.allclose([1.0, 2.0], [1.0, 2.1])
    pl.Tensor(False, dtype=bool)
    """
    close = isclose(x, y, rtol, atol, equal_nan)
    return ops.reduce_all(close, axes=tuple(range(close.ndim)))


def array_equal(x: Any, y: Any) -> Any:
    """Whether two tensors have the same shape and elements.

    Parameters
    ----------
    x, y : array_like
        Any shapes and dtypes.

    Returns
    -------
    Tensor
        0-d, of dtype bool.

    Examples
    --------
    >>> pl.array_equal([1, 2], [1.0, 2.0])
    pl.Tensor(True, dtype=bool)
    """
    a, b = as_payload(x), as_payload(y)
    if shape_of(a) != shape_of(b):
        return np.asarray(False)
    same_elements = equal(a, b)
    return ops.reduce_all(same_elements, axes=tuple(range(same_elements.ndim)))


def nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Replace NaN and infinities.

    Parameters
    ----------
    x : array_like
        Any dtype and shape; integers come back unchanged.
    nan : array_like, optional
        In place of NaN.
    posinf, neginf : array_like, optional
        In place of the infinities; None takes the largest and smallest finite number.

    Returns
    -------
    Tensor
        Of the same dtype.

    Examples
    --------
    >>> pl.nan_to_num([np.nan, np.inf, 1.0], posinf=9.0)
    pl.Tensor([0., 9., 1.], dtype=float32, shape=(3,))
    """
    payload = as_payload(x)
    payload = cast(payload, dtype_of(payload))
    dtype = payload.dtype
    if is_complex(dtype):
        parts = [nan_to_num(part(payload), nan, posinf, neginf) for part in (ops.real, ops.imag)]
        return ops.complex_(*parts)
    if not is_inexact(dtype):
        return same(payload)
    infinity = np.asarray(np.inf, dtype)
    largest = float(np.nextafter(infinity, np.asarray(0, dtype)))
    for test, value in (
        (isnan(payload), nan),
        (equal(payload, infinity), largest if posinf is None else posinf),
        (equal(payload, -infinity), -largest if neginf is None else neginf),
    ):
        payload = where(test, cast(_strong(value, dtype), dtype), payload)
    return payload


def _strong(value: Any, dtype: Any) -> Any:
    payload = as_payload(value)
    return payload if weak_kind(payload) is None else cast(payload, dtype)


def astype(x: Any, dtype: Any) -> Any:
    """The values in another dtype, always a copy.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    dtype : dtype or str
        Floats become integers by truncation; complex numbers lose their imaginary part.

    Returns
    -------
    Tensor
        Of dtype ``dtype``.

    Raises
    ------
    UnknownNameError
        No such dtype.
    DTypeError
        A Python number that does not fit the dtype.

    Examples
    --------
    >>> pl.astype([1.7, -1.7], "int32")
    pl.Tensor([ 1, -1], dtype=int32, shape=(2,))
    """
    payload, wanted = as_payload(x), as_dtype(dtype)
    kind = weak_kind(payload)
    if kind in (float, complex) and not is_inexact(wanted):
        payload = cast(payload, dtype_of(payload))
    found = cast(payload, wanted)
    return same(found) if found is payload else found
