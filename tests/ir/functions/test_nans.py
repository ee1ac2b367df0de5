"""What skips NaN has NumPy's meaning, eagerly and in a graph."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import GraphBuilder, TensorType, functions
from plait.ir.errors import CheckError, ShapeError, UnknownNameError
from plait.ir.interpret import evaluate
from plait.ir.types import float64
from tests.payloads import assert_equals_numpy, run


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    dtype = draw(st.sampled_from(["int32", "float32", "float64"]))
    x = draw(hnp.arrays("int64", shape, elements=st.integers(-4, 4))).astype(dtype)
    if dtype[0] == "f":
        x[draw(hnp.arrays(bool, shape))] = np.nan
    return x


def quiet(function: Any, *args: Any, **options: Any) -> Any:
    """What NumPy gives, without its warnings of slices that are all NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*args, **options)


@given(arrays(), st.data())
def test_totals_and_positions(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    for name in ("nancumsum", "nancumprod"):
        assert_equals_numpy(getattr(functions, name), getattr(np, name), x, axis=axis)
    some = np.where(np.isnan(x).all(axis, keepdims=True), 0, x).astype(x.dtype)
    for name in ("nanargmax", "nanargmin"):
        assert_equals_numpy(
            getattr(functions, name), getattr(np, name), some, axis=axis, keepdims=True
        )


@given(arrays(), st.data())
def test_middles(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    for keepdims in (False, True):
        assert_equals_numpy(
            functions.nanmedian,
            lambda *args, **options: quiet(np.nanmedian, *args, **options),
            x,
            axis=axis,
            keepdims=keepdims,
        )


@given(arrays(), st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]), st.data())
def test_quantiles(x: Any, method: str, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    q: Any = data.draw(st.sampled_from([0.0, 0.5, 1.0, [0.25, 0.75]]))
    if method == "nearest":
        q = 1.0  # ties go where rounding takes them
    for keepdims in (False, True):
        wanted = quiet(np.nanquantile, x, q, axis, method=method, keepdims=keepdims)
        found = run(lambda a, k=keepdims: functions.nanquantile(a, q, axis, method, k), x)
        assert found.shape == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    percent = np.asarray(q) * 100
    wanted = quiet(np.nanpercentile, x, percent, axis)
    np.testing.assert_allclose(functions.nanpercentile(x, percent, axis), wanted, rtol=1e-6)


def test_slices_of_nothing_but_nan() -> None:
    x = np.asarray([[1.0, np.nan], [np.nan, np.nan]])
    with pytest.raises(CheckError, match="nanargmax: all elements"):
        functions.nanargmax(x, axis=1)
    builder = GraphBuilder("g")
    value = builder.input(TensorType(float64, (2, 2)))
    with builder:
        found = functions.nanargmin(value, axis=1)
    graph = builder.build([found])
    np.testing.assert_array_equal(evaluate(graph, [np.nan_to_num(x)])[0], [1, 0])
    with pytest.raises(CheckError, match="nanargmin: all elements"):
        evaluate(graph, [x])


def test_errors_of_use() -> None:
    with pytest.raises(ShapeError, match=r"\[0, 1\]"):
        functions.nanquantile([1.0], 2.0)
    with pytest.raises(UnknownNameError, match="midpoint"):
        functions.nanquantile([1.0], 0.5, method="cubic")
    with pytest.raises(ShapeError, match="no elements"):
        functions.nanmedian(np.zeros((0, 2)), axis=0)
