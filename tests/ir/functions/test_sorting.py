"""Sorting, quantiles, sets, counts and running totals have NumPy's meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import GraphBuilder, TensorType, functions
from plait.ir.errors import IndexOutOfRangeError, ShapeError, TraceError, UnknownNameError
from plait.ir.types import float32
from tests.payloads import assert_equals_numpy, assert_same, run

DTYPES = ("bool", "int8", "uint8", "int64", "float16", "float32", "float64")


@st.composite
def arrays(draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES, min_side: int = 1) -> Any:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=min_side, max_side=5))
    dtype = draw(st.sampled_from(dtypes))
    x = draw(hnp.arrays("int64", shape, elements=st.integers(0, 6))).astype(dtype)
    if dtype[0] == "f" and draw(st.booleans()):
        x[draw(hnp.arrays(bool, shape))] = np.nan
    return x


@given(arrays(min_side=0), st.data())
def test_sorting(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    assert_equals_numpy(functions.sort, np.sort, x, axis=axis)
    assert_equals_numpy(functions.sort, np.sort, x, axis=None)
    order = run(functions.argsort, x, axis=axis)
    assert_same(order, np.argsort(x, axis, kind="stable"))
    backward = run(functions.argsort, x, axis=axis, descending=True)
    ordered = np.take_along_axis(x, backward, axis)
    assert_same(run(functions.sort, x, axis=axis, descending=True), ordered)
    assert_same(ordered, np.flip(np.sort(x, axis), axis))


def test_descending_is_stable() -> None:
    found = run(functions.argsort, np.asarray([1, 2, 1, 2]), descending=True)
    np.testing.assert_array_equal(found, [1, 3, 0, 2])


@given(arrays(), st.data())
def test_quantiles(x: Any, data: st.DataObject) -> None:
    if x.dtype == bool or x.dtype == np.float16:
        x = x.astype("float32")
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    keepdims = data.draw(st.booleans())
    q = data.draw(st.sampled_from([0.0, 0.25, 0.5, 1.0])) if data.draw(st.booleans()) else [0, 0.75]
    for name in ("linear", "lower", "higher", "midpoint", "nearest"):
        wanted = np.quantile(x, q, axis, method=name, keepdims=keepdims)
        found = run(lambda a, m=name: functions.quantile(a, q, axis, m, keepdims), x)
        assert found.shape == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    percent = np.asarray(q) * 100
    wanted = np.percentile(x, percent, axis)
    np.testing.assert_allclose(functions.percentile(x, percent, axis), wanted, rtol=1e-6)
    assert_equals_numpy(functions.median, np.median, x, axis=axis, keepdims=keepdims)


@given(arrays(min_side=0))
def test_positions_of_what_is_true(x: Any) -> None:
    wanted = np.nonzero(x)
    for found, one in zip(functions.nonzero(x), wanted, strict=True):
        assert_same(found, one)
    assert_same(functions.flatnonzero(x), np.flatnonzero(x))
    assert_same(functions.argwhere(x), np.argwhere(x))
    count = len(wanted[0])
    for size in (0, max(count - 1, 0), count, count + 2):
        for found, one in zip(
            run(functions.nonzero, x, size=size, fill_value=-1), wanted, strict=True
        ):
            assert_same(found, np.append(one, [-1, -1])[:size])
        flat = np.append(np.flatnonzero(x), [-1, -1])[:size]
        assert_same(run(functions.flatnonzero, x, size=size, fill_value=-1), flat)
        assert run(functions.argwhere, x, size=size).shape == (size, x.ndim)


@given(arrays(min_side=0), st.booleans())
def test_distinct_elements(x: Any, equal_nan: bool) -> None:
    wanted = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, equal_nan=equal_nan
    )
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    options = every if equal_nan else {}
    function = functions.unique if equal_nan else functions.unique_all
    for a, b in zip(function(x, **options), wanted, strict=True):
        assert_same(a, b)
    count = len(wanted[0])
    if count:
        values, index, inverse, counts = run(function, x, size=count + 2, **options)
        assert_same(values, np.append(wanted[0], [wanted[0][0]] * 2))
        assert_same(index[:count], wanted[1])
        assert_same(inverse, wanted[2])
        assert_same(counts, np.append(wanted[3], [0, 0]))
    assert_same(functions.unique_values(x), np.unique(x, equal_nan=False))


def test_families_of_unique_agree() -> None:
    x = np.asarray([[3, 1], [3, 2]])
    values, index, inverse, counts = functions.unique_all(x)
    assert_same(functions.unique(x), values)
    assert_same(functions.unique_counts(x)[1], counts)
    assert_same(functions.unique_inverse(x)[1], inverse)
    assert_same(functions.unique(x, return_index=True)[1], index)
    assert_same(functions.unique_values(x, size=5, fill_value=9), np.asarray([1, 2, 3, 9, 9]))
    assert_same(functions.unique_values(np.zeros(0, int), size=2), np.asarray([0, 0]))


@given(arrays(min_side=0), arrays(("int8", "float32", "bool"), min_side=0), st.booleans())
def test_membership(x: Any, elements: Any, invert: bool) -> None:
    assert_equals_numpy(functions.isin, np.isin, x, elements, invert=invert)


def test_membership_of_complex_numbers() -> None:
    x = np.asarray([1j, 2, 3 + 1j])
    assert_equals_numpy(functions.isin, np.isin, x, np.asarray([2, 1j]))


@given(hnp.arrays("int64", st.integers(0, 9), elements=st.integers(0, 5)), st.data())
def test_counts(x: Any, data: st.DataObject) -> None:
    weights = data.draw(hnp.arrays("float64", x.shape, elements=st.integers(-3, 3)))
    least = data.draw(st.integers(0, 8))
    assert_same(functions.bincount(x, minlength=least), np.bincount(x, minlength=least))
    assert_same(run(functions.bincount, x, length=7), np.bincount(x, minlength=7))
    # NumPy gives integers for no elements, weights or not.
    assert_same(functions.bincount(x, weights), np.bincount(x, weights).astype("float64"))


@given(arrays(("int8", "float32", "float64")), st.data())
def test_histograms(x: Any, data: st.DataObject) -> None:
    x = np.where(np.isnan(x), 3, x).astype(x.dtype)
    bins: Any = data.draw(st.sampled_from([1, 3, 7, [0.0, 1.0, 4.0]]))
    span: Any = data.draw(st.sampled_from([None, (1, 5)]))
    weights = np.cos(x.astype("float64"))
    for options in ({}, {"weights": weights}, {"density": True}):
        with np.errstate(all="ignore"):
            wanted = np.histogram(x, bins, span, **options)
        found = run(lambda a, o=options: functions.histogram(a, bins, span, **o), x)
        np.testing.assert_allclose(found[0], wanted[0], atol=1e-12)
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-6)


@given(arrays(min_side=0), st.data())
def test_running_totals(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    for name in ("cumsum", "cumprod"):
        if x.dtype != np.float16:
            assert_equals_numpy(getattr(functions, name), getattr(np, name), x, axis=axis)
        flipped = np.flip(run(getattr(functions, name), np.flip(x, axis), axis=axis), axis)
        assert_same(run(getattr(functions, name), x, axis=axis, reverse=True), flipped)
    assert_same(run(functions.cummax, x, axis=axis), np.maximum.accumulate(x, axis))
    assert_same(run(functions.cummin, x), np.minimum.accumulate(x.ravel()))
    first = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
    longer = run(functions.cumulative_sum, x, axis=axis, include_initial=True)
    zeros = np.zeros(first, longer.dtype)
    assert_same(longer, np.concatenate([zeros, functions.cumsum(x, axis)], axis))


@given(arrays(min_side=0), st.integers(0, 3), st.data())
def test_differences(x: Any, n: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    assert_equals_numpy(functions.diff, np.diff, x, n=n, axis=axis)
    if x.dtype == np.float64:
        wanted = np.diff(x, n, axis, 0, x)
        assert_same(run(lambda a: functions.diff(a, n, axis, 0, a), x), wanted)


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_what_is_sorted(side: Any) -> None:
    x, values = np.asarray([3.0, 1.0, 2.0]), np.asarray([[0.0, 2.0], [2.5, np.nan]])
    order = np.argsort(x)
    found = run(lambda a, v, o: functions.searchsorted(a, v, side, o), x, values, order)
    assert_same(found, np.searchsorted(x, values, side, order))


def test_partitions_hold_the_kth() -> None:
    x = np.asarray([[4, 1, 3], [9, 7, 8]])
    np.testing.assert_array_equal(functions.partition(x, 1)[:, 1], [3, 8])
    np.testing.assert_array_equal(functions.argpartition(x, [0, 2])[:, 0], [1, 1])
    with pytest.raises(IndexOutOfRangeError, match=r"kth 3 .* \[-3, 3\)"):
        functions.partition(x, 3)


def test_what_needs_a_size_in_a_graph() -> None:
    builder = GraphBuilder("g")
    x = builder.input(TensorType(float32, (3,)))
    with builder:
        for name in ("nonzero", "flatnonzero", "unique", "unique_all", "argwhere"):
            with pytest.raises(TraceError, match="size="):
                getattr(functions, name)(x)
        with pytest.raises(TraceError, match="length="):
            functions.bincount(functions.argsort(x))


def test_errors_of_use() -> None:
    x = np.ones((2, 3))
    with pytest.raises(ShapeError, match="axis 2"):
        functions.sort(x, axis=2)
    with pytest.raises(ShapeError, match=r"\[0, 1\]"):
        functions.quantile(x, 2.0)
    with pytest.raises(UnknownNameError, match="midpoint"):
        functions.quantile(x, 0.5, method="cubic")
    with pytest.raises(ShapeError, match="no elements"):
        functions.median(np.zeros(0))
    with pytest.raises(ShapeError, match="1-d"):
        functions.searchsorted(x, 1.0)
    with pytest.raises(UnknownNameError, match="left, right"):
        functions.searchsorted([1.0], 1.0, side="middle")
    with pytest.raises(IndexOutOfRangeError, match="-1 is negative"):
        functions.bincount([0, -1])
    with pytest.raises(IndexOutOfRangeError, match=r"5 is out of range \[0, 3\)"):
        functions.bincount([0, 5], length=3)
    with pytest.raises(ShapeError, match="two edges"):
        functions.histogram(x, bins=[1.0])
    with pytest.raises(ShapeError, match="axis is needed"):
        functions.cumulative_sum(x)
    with pytest.raises(ShapeError, match="negative"):
        functions.diff(x, -1)
