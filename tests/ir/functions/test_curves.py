"""Curves, covariances and grids have NumPy's meaning, eagerly and in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import functions
from plait.ir.errors import CheckError, DTypeError, ShapeError
from tests.payloads import assert_equals_numpy, run

NUMBERS = st.floats(-100, 100, allow_subnormal=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6), st.lists(NUMBERS, min_size=1))
def test_interpolation(points: list[tuple[float, float]], places: list[float]) -> None:
    xp, fp = np.asarray(sorted(points)).T
    x = np.asarray([*places, *xp, -np.inf, np.inf, np.nan])
    for options in ({}, {"left": -1.0, "right": 9.0}):
        wanted = np.interp(x, xp, fp, **options)
        found = run(lambda a, b, c, o=options: functions.interp(a, b, c, **o), x, xp, fp)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_interpolation_of_other_kinds() -> None:
    x = np.asarray([[-190, -5, 370], [90, 361, 0]])
    xp, fp = np.asarray([190, -190, 350, -350]), np.asarray([5, 10, 3, 4], np.int8)
    found = run(lambda a, b, c: functions.interp(a, b, c, period=360), x, xp, fp)
    np.testing.assert_allclose(found, np.interp(x, xp, fp, period=360))
    line = np.asarray([1.0, 2.0, 4.0])
    z = np.asarray([1j, 2.0, np.inf])
    np.testing.assert_allclose(
        run(functions.interp, np.asarray([1.5, 4.0, 9.0]), line, z),
        np.interp([1.5, 4.0, 9.0], line, z),
    )
    ends = np.asarray([-np.inf, 0.0, np.inf])
    line = np.asarray([0.0, 1.0, 2.0])
    found = run(functions.interp, np.asarray([-1.0, 1.0]), line, ends)
    np.testing.assert_array_equal(found, np.interp([-1, 1], line, ends))


def test_bad_points() -> None:
    with pytest.raises(ShapeError, match="as many values"):
        functions.interp(0.5, [0.0, 1.0], [1.0])
    with pytest.raises(DTypeError, match="real"):
        functions.interp(1j, [0.0], [1.0])
    with pytest.raises(CheckError, match="period"):
        functions.interp(0.5, [0.0], [1.0], period=0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_areas(axis: int) -> None:
    y = np.cos(np.arange(12.0)).reshape(3, 4)
    line = np.asarray([0.0, 1.0, 3.0, 7.0])[: y.shape[axis]]
    trapezoid = np.trapezoid
    assert_equals_numpy(functions.trapezoid, trapezoid, y, axis=axis)
    assert_equals_numpy(functions.trapezoid, trapezoid, y, dx=0.5, axis=axis)
    assert_equals_numpy(functions.trapezoid, trapezoid, y, line, axis=axis)
    assert_equals_numpy(functions.trapezoid, trapezoid, y, y**2, axis=axis)
    np.testing.assert_array_equal(functions.trapezoid(np.zeros((2, 0))), [0, 0])


M = np.cos(np.arange(15.0)).reshape(3, 5)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"rowvar": False}, {"bias": True}, {"ddof": 2}, {"ddof": 9}, {"y": M[:2]},
        {"fweights": np.asarray([1, 2, 0, 3, 1])},
        {"aweights": np.asarray([0.5, 2.0, 1.0, 0.0, 1.0])},
        {"fweights": np.asarray([1, 2, 0, 3, 1]), "aweights": np.asarray([1, 2, 3, 4, 5])},
        {"dtype": np.float32},
    ],
    ids=str,
)  # fmt: skip
def test_covariances(options: dict[str, Any]) -> None:
    with (
        np.errstate(all="ignore"),
        pytest.warns(RuntimeWarning) if options == {"ddof": 9} else _nothing(),
    ):
        wanted = np.cov(M, **options)
    found = run(lambda m: functions.cov(m, **options), M)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-5 if "dtype" in options else 1e-12)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.parametrize("x", [M[0], M[:1], M.astype("float32"), M + 1j * M[::-1]], ids=str)
def test_variables_of_other_kinds(x: Any) -> None:
    for function, model in ((functions.cov, np.cov), (functions.corrcoef, np.corrcoef)):
        wanted = model(x)
        found = run(function, x)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
        np.testing.assert_allclose(function(x, M[1], dtype=found.dtype), model(x, M[1]))
    assert functions.cov(np.zeros((0, 3))).shape == (0, 0)


def test_bad_variables() -> None:
    with pytest.raises(ShapeError, match="two axes"):
        functions.cov(np.zeros((1, 2, 3)))
    with pytest.raises(ShapeError, match="5 observations"):
        functions.cov(M, fweights=[1, 2])
    with pytest.raises(DTypeError, match="integers"):
        functions.cov(M, fweights=M[0])
    with pytest.raises(CheckError, match="negative"):
        functions.cov(M, aweights=M[0])


@pytest.mark.parametrize("endpoint", [False, True])
def test_equal_ratios(endpoint: bool) -> None:
    low, high = np.asarray([1.0, 2.0]), np.asarray([[1000.0], [0.5]])
    for name, bounds in (("geomspace", (low, high)), ("logspace", (low, high / 100))):
        for options in ({"axis": 0}, {"axis": -1, "num": 4}, {"num": 1}, {"num": 0}):
            wanted = getattr(np, name)(*bounds, endpoint=endpoint, **options)
            found = run(
                lambda a, b, n=name, o=options: getattr(functions, n)(a, b, endpoint=endpoint, **o),
                *bounds,
            )
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_ratios_of_other_kinds() -> None:
    np.testing.assert_allclose(
        functions.geomspace(1, 1j, 5, dtype="complex128"), np.geomspace(1, 1j, 5), atol=1e-12
    )
    np.testing.assert_allclose(functions.geomspace(-1000.0, -1.0, 4), [-1000, -100, -10, -1])
    np.testing.assert_array_equal(
        functions.geomspace(1, 256, 9, dtype="int64"), np.geomspace(1, 256, 9, dtype="int64")
    )
    np.testing.assert_array_equal(functions.logspace(0, 3, 4, base=2), [1, 2, 4, 8])
    with pytest.raises(CheckError, match="0"):
        functions.geomspace(0, 1)
    with pytest.raises(ShapeError, match="negative"):
        functions.geomspace(1, 2, -1)


@pytest.mark.parametrize("shape", [(2, 3), (4,), (), (0, 2)])
def test_positions_of_grids(shape: tuple[int, ...]) -> None:
    found = run(lambda: functions.indices(shape, "int64"))
    np.testing.assert_array_equal(found, np.indices(shape), strict=True)
    sparse = run(lambda: functions.indices(shape, "int64", sparse=True))
    for a, b in zip(sparse, np.indices(shape, sparse=True), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_powers_in_columns() -> None:
    for x in (np.asarray([1, 2, 3], np.int8), np.asarray([0.5, 2.0]), np.asarray([1j])):
        for n in (None, 0, 1, 4):
            for increasing in (False, True):
                assert_equals_numpy(
                    lambda a, k=n, i=increasing: functions.vander(a, k, i),
                    lambda a, k=n, i=increasing: np.vander(a, k, i),
                    x,
                )
    with pytest.raises(ShapeError, match="1-d"):
        functions.vander(M)
    with pytest.raises(ShapeError, match="negative"):
        functions.vander([1], -1)


def test_copies_columns_and_turned_matrices() -> None:
    x = np.arange(6).reshape(2, 3)
    assert_equals_numpy(functions.copy, np.copy, x)
    assert not np.shares_memory(functions.copy(x), x)
    assert_equals_numpy(functions.fliplr, np.fliplr, x)
    assert_equals_numpy(functions.flipud, np.flipud, x)
    found = run(lambda a, b: functions.column_stack((a, b)), x, np.asarray([0.5, 1.5]))
    np.testing.assert_array_equal(found, np.column_stack((x, [0.5, 1.5])), strict=True)
    with pytest.raises(ShapeError):
        functions.fliplr([1, 2])
