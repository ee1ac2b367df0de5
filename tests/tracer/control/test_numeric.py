"""``int``, ``float``, ``round`` and ``math`` on traced tensors."""

# ruff: noqa: UP018 - calls without arguments are to be captured, too
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.tracer.control.same import outcome, same

VALUES = [pl.asarray(v) for v in (2.7, -3, 0.0, -0.5, 1.0)]

CONVERSIONS = {
    "int": lambda x: int(x),
    "float": lambda x: float(x),
    "complex": lambda x: (complex(x), complex(x, 1), complex(imag=x)),
    "bool": lambda x: bool(x),
    "round": lambda x: (round(x), round(x, 1), round(float(x)), round(int(x))),
    "floor": lambda x: (math.floor(float(x)), math.ceil(float(x)), math.trunc(float(x))),
    "of tensors": lambda x: (math.floor(x), math.ceil(x)),
    "arithmetic": lambda x: (int(x) * 2 + 1, float(x) / 3, int(x) // 2, int(x) % 3),
    "methods": lambda x: (x.item(), x[None].item(), x.tolist()),
    "native": lambda x: (abs(x), pow(x, 2), divmod(x, 2), -int(x)),
    "index": lambda x: pl.arange(10)[int(x)],
    "nothing": lambda x: (int(), float(), bool(), complex(), int("12"), float("1e3"), x),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversions_give_python_numbers(name: str) -> None:
    same(CONVERSIONS[name], *VALUES)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint64", "float16", "bfloat16"])
def test_conversions_of_other_dtypes(dtype: str) -> None:
    same(lambda x: (int(x), float(x), bool(x)), pl.asarray(1, dtype=dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_integer_raises_as_python_does(value: float) -> None:
    same(lambda x: int(x), pl.asarray(value))
    same(lambda x: round(float(x)), pl.asarray(value))


@pytest.mark.parametrize("value", [pl.asarray(1e30), pl.asarray(2**64 - 1, dtype="uint64")])
def test_what_64_bits_cannot_hold_is_an_error(value: Any) -> None:
    compiled = pl.graph_function(lambda x: int(x), backend="planned", fullgraph=True)
    with pytest.raises(OverflowError, match="beyond 64 bits"):
        compiled(value)


def test_shapes_that_are_no_number_raise_as_eager() -> None:
    same(lambda x: int(x), pl.asarray([[3]]))
    compiled = pl.graph_function(lambda x: int(x), backend="planned")
    with pytest.raises(ValueError, match="one element"), pytest.warns(pl.errors.GraphBreakWarning):
        compiled(pl.asarray([1, 2]))


MATH = (
    "acos acosh asin asinh atan atanh cbrt cos cosh degrees erf erfc exp exp2 expm1 fabs isfinite "
    "isinf isnan log log10 log1p log2 radians sin sinh sqrt tan tanh"
)
NUMBERS = (0.5, 1.0, -1.0, 0.0, 3.25, 710.0, 1025.0, math.inf, math.nan)


@pytest.mark.parametrize("name", MATH.split())
def test_functions_of_math(name: str) -> None:
    function = getattr(math, name)
    compiled = pl.graph_function(lambda x: function(x), backend="reference", fullgraph=True)
    for number in NUMBERS:
        x = pl.asarray(number, dtype="float64")
        got, wanted = outcome(compiled, (x,))[0], outcome(lambda x: function(x), (x,))[0]
        if wanted.startswith("float ") and "n" not in wanted.removeprefix("float "):
            assert got.startswith("float ")
            assert math.isclose(float(got[6:]), float(wanted[6:]), rel_tol=1e-14), number
        else:
            assert got == wanted, number


def test_functions_of_math_of_several_numbers() -> None:
    def f(x: Any, y: Any) -> Any:
        return (
            math.atan2(x, y),
            math.hypot(x, y),
            math.copysign(x, y),
            math.nextafter(x, y),
            math.log(abs(x), 10),
            math.isclose(x, y),
            math.isclose(x, x + 1e-12, rel_tol=0.0, abs_tol=1e-9),
        )

    a, b = (pl.asarray(v, dtype="float64") for v in (3.0, -0.5))
    same(f, (a, b), (b, a))


@pytest.mark.parametrize(
    ("x", "y"), [(2.0, 0.5), (-8.0, 3.0), (-8.0, 0.5), (0.0, -1.0), (1e200, 2.0), (0.0, 0.0)]
)
def test_powers_and_remainders_of_math(x: float, y: float) -> None:
    a, b = (pl.asarray(v, dtype="float64") for v in (x, y))
    same(lambda x, y: math.pow(x, y), (a, b))
    same(lambda x, y: math.fmod(x, y), (a, b))


def test_integers_that_math_needs_are_no_part_of_a_graph() -> None:
    compiled = pl.graph_function(lambda x: math.factorial(x), backend="planned", fullgraph=True)
    with pytest.raises(pl.errors.TraceError, match="needs the value"):
        compiled(pl.asarray(3))
