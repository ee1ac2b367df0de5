"""Arithmetic beyond one op has NumPy's meaning, eagerly and in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import functions
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.types import bfloat16
from tests.payloads import assert_equals_numpy, run

FLOATS = np.asarray([-np.inf, -2.5, -1.0, -0.0, 0.0, 0.75, 3.0, np.inf, np.nan])
INTEGERS = ("int8", "uint8", "int32", "uint32", "int64", "uint64")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["fmax", "fmin", "divmod"])
def test_pairs_of_floats(name: str, dtype: Any) -> None:
    x = FLOATS.astype(dtype)
    assert_equals_numpy(getattr(functions, name), getattr(np, name), x[:, None], x)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parts_of_floats(dtype: Any) -> None:
    x = FLOATS.astype(dtype)
    assert_equals_numpy(functions.modf, np.modf, x)
    for found, wanted in zip(functions.modf(x), np.modf(x), strict=True):
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))


def test_extremes_of_other_dtypes() -> None:
    whole = np.asarray([[3, -1], [5, 5]])
    assert_equals_numpy(functions.fmax, np.fmax, whole, np.asarray([4, -2], np.int8))
    brain = FLOATS.astype(bfloat16)
    found = run(functions.fmin, brain[:, None], brain).astype("float64")
    np.testing.assert_array_equal(found, np.fmin(FLOATS[:, None], FLOATS))
    with pytest.raises(DTypeError, match="complex"):
        functions.fmax(1j, 2.0)


@given(st.data())
def test_common_divisors_and_multiples(data: st.DataObject) -> None:
    left, right = (np.dtype(data.draw(st.sampled_from(INTEGERS))) for _ in range(2))
    if np.promote_types(left, right).kind == "f":
        right = left
    x, y = (data.draw(hnp.arrays(d, 5, elements=hnp.from_dtype(d))) for d in (left, right))
    assert_equals_numpy(functions.gcd, np.gcd, x, y)
    assert_equals_numpy(functions.lcm, np.lcm, x, y)
    assert_equals_numpy(functions.gcd, np.gcd, x[:, None], y[:1])
    assert_equals_numpy(functions.gcd, np.gcd, x[:0], y[:0])


def test_divisors_are_of_integers() -> None:
    with pytest.raises(DTypeError, match="gcd"):
        functions.gcd(1.5, 2)
    with pytest.raises(ShapeError, match="lcm"):
        functions.lcm(np.ones(2, int), np.ones(3, int))


@pytest.mark.parametrize(
    ("dtype", "rtol"), [("float16", 1e-3), ("float32", 1e-6), ("float64", 1e-14)]
)
def test_logarithms_of_sums_of_powers_of_two(dtype: Any, rtol: float) -> None:
    x = np.asarray([-np.inf, -1000, -3.5, 0, 2, 2.5, 1000, np.inf, np.nan]).astype(dtype)
    with np.errstate(all="ignore"):
        wanted = np.logaddexp2(x[:, None], x)
    found = run(functions.logaddexp2, x[:, None], x)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=rtol)


def test_powers_in_double_precision() -> None:
    for x in (np.asarray([1, 2, 3]), np.asarray([0.5, 4.0], np.float32)[:, None]):
        assert_equals_numpy(functions.float_power, np.float_power, x, np.asarray([-1, 2, 3]))
    z = np.asarray([1j, 2.0], np.complex64)
    np.testing.assert_allclose(run(functions.float_power, z, z), np.float_power(z, z))


def test_differences_with_more_around() -> None:
    x = np.asarray([[1.0, 4.0], [9.0, 16.0]], np.float32)
    assert_equals_numpy(functions.ediff1d, np.ediff1d, x)
    assert_equals_numpy(functions.ediff1d, np.ediff1d, x[:0])
    more: list[dict[str, Any]] = [{"to_end": [8.0, 9.0]}, {"to_begin": 0}]
    for around in (*more, {"to_begin": 5, "to_end": [7]}):
        wanted = np.ediff1d(x, **around)
        found = run(lambda a, o=around: functions.ediff1d(a, **o), x)
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(DTypeError, match="bool"):
        functions.ediff1d([True, False])
    with pytest.raises(DTypeError, match="float32 does not fit into int32"):
        functions.ediff1d([1, 2], to_end=0.5)


@given(st.data())
def test_cross_products(data: st.DataObject) -> None:
    x = data.draw(hnp.arrays("int64", (2, 3, 4), elements=st.integers(-9, 9)))
    y = x[::-1, ::-1].astype("float32") + 1
    assert_equals_numpy(functions.cross, np.cross, x, y, axis=1)
    places = {"axisa": 1, "axisb": 0, "axisc": 0}
    assert_equals_numpy(functions.cross, np.cross, x, np.moveaxis(y, 1, 0), **places)
    assert_equals_numpy(functions.cross, np.cross, x[0, :, 0], x[:, :, 0])
    with pytest.raises(ShapeError, match="three components, got 4"):
        functions.cross(x, y)
