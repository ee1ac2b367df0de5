"""Elementwise functions have NumPy's dtypes (NEP 50) for all pairs, and its values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait.ir import DTYPES, functions
from plait.ir.errors import DTypeError, PlaitError
from plait.ir.types import bfloat16, float16, is_complex
from tests.payloads import assert_equals_numpy, assert_same, run

NATIVE = [d for d in DTYPES if d != bfloat16]
SAMPLES: dict[str, list[Any]] = {
    "b": [False, True, True],
    "i": [-3, 0, 5],
    "u": [3, 0, 5],
    "f": [-1.5, 0.0, 2.5],
    "c": [1 + 2j, 0, -1j],
}

BINARY = [
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "maximum",
    "minimum", "copysign", "nextafter", "hypot", "logaddexp", "atan2", "equal", "not_equal",
    "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor",
    "bitwise_and", "bitwise_or", "bitwise_xor", "power",
]  # fmt: skip
UNARY = [
    "negative", "abs", "sign", "square", "sqrt", "cbrt", "floor", "ceil", "trunc", "rint", "exp",
    "exp2", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "isnan", "isinf", "isfinite", "signbit",
    "logical_not", "bitwise_invert", "positive", "real", "imag", "conj", "angle", "degrees",
    "radians", "bitwise_count", "round", "reciprocal",
]  # fmt: skip
# What NumPy accepts and we refuse, with the reason.
ORDER_OF_COMPLEX = {
    "maximum", "minimum", "less", "less_equal", "greater", "greater_equal",
}  # fmt: skip
DIFFERENT = {
    ("round", "b"): "NumPy gives float16, we keep bool",
    ("reciprocal", "b"): "NumPy gives int8, we compute in float16",
    ("rint", "c"): "refused: round takes complex numbers",
    ("exp2", "c"): "refused: power takes complex numbers",
}


def sample(dtype: Any, *, flipped: bool = False) -> Any:
    values = SAMPLES[dtype.kind]
    return np.asarray(values[::-1] if flipped else values).astype(dtype)


def model_of(name: str) -> Any:
    return getattr(np, name)


def attempt(function: Any, *operands: Any) -> Any:
    """The result, or the class of a refusal."""
    try:
        with np.errstate(all="ignore"):
            return function(*operands)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("left", NATIVE, ids=str)
def test_binary_functions_over_all_pairs(name: str, left: Any) -> None:
    function, model = getattr(functions, name), model_of(name)
    for right in NATIVE:
        x, y = sample(left), sample(right, flipped=True)
        if name == "power":
            y = np.abs(y).astype(right)
        wanted = attempt(model, x, y)
        if isinstance(wanted, type) or refused(name, left, right):
            with pytest.raises(DTypeError):
                function(x, y)
        else:
            assert_equals_numpy(function, model, x, y)


def refused(name: str, *dtypes: Any) -> bool:
    return name in ORDER_OF_COMPLEX and any(is_complex(d) for d in dtypes)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", NATIVE, ids=str)
def test_unary_functions_over_all_dtypes(name: str, dtype: Any) -> None:
    function, model = getattr(functions, name), model_of(name)
    if (name, dtype.kind) in DIFFERENT:
        return
    x = sample(dtype)
    if name == "reciprocal":
        x = np.asarray([1, 2, 3]).astype(dtype)
    wanted = attempt(model, x)
    if isinstance(wanted, type):
        with pytest.raises(DTypeError):
            function(x)
    else:
        found = run(function, x)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-6 if dtype.itemsize < 8 else 1e-12)


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "maximum", "less", "equal", "power"])
@pytest.mark.parametrize("number", [True, 2, 2.5, 1j], ids=repr)
@pytest.mark.parametrize("dtype", NATIVE, ids=str)
def test_python_numbers_are_weak(name: str, number: Any, dtype: Any) -> None:
    function, model = getattr(functions, name), model_of(name)
    x = sample(dtype)
    for operands in ((x, number), (number, x)):
        wanted = attempt(model, *operands)
        if isinstance(wanted, type) or refused(name, *[np.asarray(o).dtype for o in operands]):
            with pytest.raises(PlaitError):
                function(*operands)
        else:
            with np.errstate(all="ignore"):
                assert_same(function(*operands), wanted)


@pytest.mark.parametrize("number", [-(2**70), -300, -1, 127, 255, 300, 2**63, 2**70])
@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "less_equal", "greater"])
def test_comparisons_with_any_python_integer_are_exact(name: str, number: int) -> None:
    function, model = getattr(functions, name), model_of(name)
    for dtype in NATIVE:
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            x = np.asarray([limits.min, 0, 1, limits.max], dtype)
            assert_same(function(x, number), model(x, number))
            assert_same(function(number, x), model(number, x))
            run(lambda a: function(a, number), x)


@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "less_equal", "greater"])
def test_comparisons_between_signed_and_unsigned_are_exact(name: str) -> None:
    x = np.asarray([-1, 0, 2**62, 2**63 - 1, -(2**63)], np.int64)
    y = np.asarray([2**64 - 1, 0, 2**62 + 1, 2**63, 2**63], np.uint64)
    assert_equals_numpy(getattr(functions, name), model_of(name), x, y)
    assert_equals_numpy(getattr(functions, name), model_of(name), y, x)


@pytest.mark.parametrize("name", ["add", "divide", "atan2", "less"])
@pytest.mark.parametrize("other", NATIVE, ids=str)
def test_bfloat16_promotes_as_float16_does(name: str, other: Any) -> None:
    x, y = sample(np.dtype("float16")).astype(bfloat16), sample(other)
    like_half = attempt(model_of(name), x.astype(float16), y)
    if isinstance(like_half, type) or refused(name, other):
        return
    wanted = {float16: bfloat16}.get(like_half.dtype, like_half.dtype)
    if other == float16 and name != "less":
        wanted = np.dtype("float32")
    assert run(getattr(functions, name), x, y).dtype == wanted


def test_numbers_alone_are_32_bits_wide() -> None:
    assert functions.add(1, 2).dtype == np.int32
    assert functions.divide(1, 2).dtype == np.float32
    assert functions.tanh(1).dtype == np.float32
    assert functions.add(1, 2.0).dtype == np.float32
    assert functions.multiply(1j, 2).dtype == np.complex64


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DTypeError, match="300"):
        functions.add(np.uint8(3), 300)


def test_integers_to_negative_powers_are_refused() -> None:
    with pytest.raises(AssertionError, match="negative"):
        functions.power(np.asarray([2]), -1)
    with pytest.raises(AssertionError, match="negative"):
        run(functions.power, np.asarray([2, 3]), np.asarray([1, -1]))
