"""Reductions, statistics and norms have NumPy's values, dtypes and shapes, eagerly and traced."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import as_dtype, functions
from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from tests.payloads import run

DTYPES = ("bool", "int8", "uint8", "int32", "uint64", "float16", "float32", "float64", "complex64")
TOLERANCE = {"float16": 2e-2, "float32": 1e-5, "complex64": 1e-5}
TOTALS = ("sum", "prod", "any", "all", "mean", "var", "std")
NAN = ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin")


@st.composite
def arrays(draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES, nan: bool = False) -> Any:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4))
    dtype = draw(st.sampled_from(dtypes))
    low = 0 if dtype[0] in "ub" else -8
    x = draw(hnp.arrays("int64", shape, elements=st.integers(low, 8)))
    x = np.asarray(x / 4 if dtype[0] in "fc" else x, dtype)
    if nan and dtype[0] == "f":
        x[draw(hnp.arrays(bool, shape))] = np.nan
    return np.asarray(x * (1 + 1j), dtype) if dtype[0] == "c" else x


@st.composite
def axes(draw: st.DrawFn, rank: int) -> Any:
    if not rank or draw(st.booleans()):
        return draw(st.sampled_from([None, ()]))
    one = draw(st.integers(-rank, rank - 1))
    several = st.lists(st.integers(0, rank - 1), unique=True)
    return one if draw(st.booleans()) else tuple(draw(several))


def check(name: str, x: Any, **options: Any) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's remarks on means of nothing
        wanted = np.asarray(getattr(np, name)(x, **options))
    found = run(getattr(functions, name), x, **options)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    bound = TOLERANCE.get(x.dtype.name, 1e-12)
    np.testing.assert_allclose(found, wanted, rtol=bound, atol=bound)


@pytest.mark.parametrize("name", TOTALS)
@given(st.data())
def test_totals_are_numpys(name: str, data: st.DataObject) -> None:
    x = data.draw(arrays())
    options: dict[str, Any] = {
        "axis": data.draw(axes(x.ndim)),
        "keepdims": data.draw(st.booleans()),
    }
    if data.draw(st.booleans()):
        options["where"] = data.draw(hnp.arrays(bool, x.shape[-1:] or ()))
    if name in ("sum", "prod") and data.draw(st.booleans()):
        options["initial"] = 2
    if name in ("var", "std") and data.draw(st.booleans()):
        options[data.draw(st.sampled_from(["ddof", "correction"]))] = 1
    check(name, x, **options)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "ptp", "count_nonzero"])
@given(st.data())
def test_extremes_are_numpys(name: str, data: st.DataObject) -> None:
    x = data.draw(arrays(DTYPES[:-1] if name != "ptp" else DTYPES[1:-1], nan=True))
    options: dict[str, Any] = {
        "axis": data.draw(axes(x.ndim)),
        "keepdims": data.draw(st.booleans()),
    }
    if name in ("max", "min") and data.draw(st.booleans()):
        options |= {"initial": 1, "where": data.draw(hnp.arrays(bool, x.shape))}
    check(name, x, **options)


@pytest.mark.parametrize("name", NAN)
@given(st.data())
def test_what_ignores_nan_is_numpys(name: str, data: st.DataObject) -> None:
    x = data.draw(arrays(("int32", "float32", "float64"), nan=True))
    check(name, x, axis=data.draw(axes(x.ndim)), keepdims=data.draw(st.booleans()))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(st.data())
def test_positions_of_extremes_are_numpys(name: str, data: st.DataObject) -> None:
    x = data.draw(arrays(DTYPES[:-1], nan=True))
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    check(name, x, axis=axis, keepdims=data.draw(st.booleans()))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "bool", "float32", "int64"])
@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
def test_dtype_is_that_of_the_result(name: str, dtype: str) -> None:
    x = np.asarray([[3, 2], [1, 7]], dtype)
    for wanted in ("float64", "complex64", "float32"):
        check(name, x, dtype=np.dtype(wanted), axis=0)
    if name != "mean":
        check(name, x, dtype=np.dtype("uint8"))
        check(name, x, dtype=np.dtype(bool), axis=1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_accumulates_in_float32(dtype: str) -> None:
    x = np.full(4096, 0.1, as_dtype(dtype))
    exact = float(x[0]) * 4096
    for found in (functions.sum(x), functions.cumsum(x)[-1]):
        assert found.dtype == x.dtype
        assert abs(float(found) - exact) <= exact * float(np.float32(2.0**-8))
    assert float(functions.mean(x)) == float(x[0])
    big = np.full(4, 60000, as_dtype(dtype))
    assert float(functions.mean(big)) == float(big[0])


def test_nothing_has_no_maximum() -> None:
    for function, name in ((functions.max, "max"), (functions.min, "min")):
        with pytest.raises(ShapeError, match=rf"{name}: no elements .* give initial="):
            function(np.zeros((0, 3)), axis=0)
        assert function(np.zeros((0, 3)), axis=1).shape == (0,)
        np.testing.assert_array_equal(function(np.zeros((0, 3)), axis=0, initial=4), [4, 4, 4])
    with pytest.raises(ShapeError, match="argmax"):
        functions.argmax(np.zeros(0))
    for name in ("sum", "prod", "any", "all"):
        check(name, np.zeros((0, 3), "float32"), axis=0)


def test_errors_of_use() -> None:
    x = np.ones((2, 3), "float32")
    with pytest.raises(ShapeError, match="axis 2 is out of range for 2"):
        functions.sum(x, axis=2)
    with pytest.raises(ShapeError, match="twice"):
        functions.mean(x, axis=(0, -2))
    with pytest.raises(DTypeError, match="integer"):
        functions.max(x, axis=0.5)
    with pytest.raises(DTypeError, match="complex"):
        functions.max(x.astype(complex))
    with pytest.raises(ShapeError, match="initial"):
        functions.max(x, where=x > 0)
    with pytest.raises(ShapeError, match="weights"):
        functions.average(x, axis=0, weights=[1, 2, 3])
    with pytest.raises(UnknownNameError, match="fro"):
        functions.norm(x, ord=2)
    with pytest.raises(ShapeError, match="one or two axes"):
        functions.norm(np.ones((2, 2, 2)), ord=1)


def test_python_numbers_are_arrays_of_their_own() -> None:
    assert functions.sum(3).dtype == np.int64
    assert functions.mean(3.0).dtype == np.float32
    assert functions.max([1, 2]).dtype == np.int32


@given(st.data(), st.sampled_from([None, 0, 1, 2, 3, 0.5, np.inf, -np.inf]))
def test_norms_of_vectors(data: st.DataObject, order: Any) -> None:
    x = data.draw(arrays(("int32", "float32", "float64", "complex64")))
    for axis in range(-x.ndim, x.ndim):
        with np.errstate(all="ignore"):
            wanted = np.linalg.norm(x, order, axis, keepdims=True)
        found = run(functions.norm, x, ord=order, axis=axis, keepdims=True)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("order", [None, "fro", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [(0, 1), (2, 0), (-1, 1)])
def test_norms_of_matrices(order: Any, axis: tuple[int, int]) -> None:
    x = np.arange(-10.0, 14.0).reshape(2, 3, 4)
    for keepdims in (False, True):
        wanted = np.linalg.norm(x, order, axis, keepdims)
        found = run(functions.norm, x, ord=order, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(found, wanted)


def test_averages() -> None:
    x, w = np.arange(24.0).reshape(2, 3, 4), np.asarray([[1.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(functions.average(x), np.average(x))
    full = np.cos(x) + 2
    np.testing.assert_allclose(run(functions.average, x, weights=full), np.average(x, weights=full))
    found = functions.average(x, axis=(1, 0), weights=w)
    np.testing.assert_allclose(found, np.average(x, axis=(1, 0), weights=w))
