"""Operations on sets, orders by several keys, and bins have NumPy's meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import GraphBuilder, TensorType, functions
from plait.ir.errors import CheckError, DTypeError, ShapeError, TraceError
from plait.ir.interpret import evaluate
from plait.ir.types import float64, int64
from tests.payloads import assert_equals_numpy, assert_same, run

DTYPES = ("bool", "int8", "int64", "float32", "float64")


@st.composite
def elements(draw: st.DrawFn) -> Any:
    dtype = draw(st.sampled_from(DTYPES))
    x = draw(hnp.arrays("int64", st.integers(0, 8), elements=st.integers(0, 5))).astype(dtype)
    if dtype[0] == "f" and x.size and draw(st.booleans()):
        x[0] = np.nan
    return x


@pytest.mark.parametrize("name", ["union1d", "intersect1d", "setdiff1d"])
@given(x=elements(), y=elements())
def test_sets(name: str, x: Any, y: Any) -> None:
    function, model = getattr(functions, name), getattr(np, name)
    wanted = model(x, y)
    assert_same(function(x, y), wanted)
    for size in (0, 1, len(wanted), len(wanted) + 2):
        found = run(lambda a, b, n=size: function(a, b, size=n), x, y)
        assert found.shape == (size,)
        assert_same(found[: len(wanted)], wanted[:size])
        filled = run(lambda a, b, n=size: function(a, b, size=n, fill_value=1), x, y)
        assert np.all(filled[len(wanted) :] == 1)
        filler = wanted[0] if len(wanted) else np.zeros((), wanted.dtype)
        np.testing.assert_array_equal(found[len(wanted) :], filler)


@given(elements(), elements())
def test_where_common_elements_are(x: Any, y: Any) -> None:
    wanted = np.intersect1d(x, y, return_indices=True)
    for a, b in zip(functions.intersect1d(x, y, return_indices=True), wanted, strict=True):
        assert_same(a, b)
    count = len(wanted[0])
    found = run(lambda a, b: functions.intersect1d(a, b, False, True, count + 1), x, y)
    for a, b in zip(found, wanted, strict=True):
        assert_same(a[:count], b)


def test_what_is_left_keeps_its_order() -> None:
    x, y = np.asarray([5, 1, 4, 2]), np.asarray([1, 9])
    assert_same(functions.setdiff1d(x, y), np.setdiff1d(x, y))
    wanted = np.setdiff1d(x, y, assume_unique=True)
    assert_same(functions.setdiff1d(x, y, True), wanted)
    assert_same(run(lambda a, b: functions.setdiff1d(a, b, True, 3), x, y), wanted)


def test_sets_need_a_size_in_a_graph() -> None:
    builder = GraphBuilder("g")
    x = builder.input(TensorType(int64, (3,)))
    with builder:
        for name in ("union1d", "intersect1d", "setdiff1d"):
            with pytest.raises(TraceError, match="size="):
                getattr(functions, name)(x, x)
        with pytest.raises(TraceError, match="size="):
            functions.compress(x, x)


@given(hnp.arrays("int64", (3, 2, 5), elements=st.integers(0, 2)), st.sampled_from([0, 1, -1]))
def test_orders_by_several_keys(keys: Any, axis: int) -> None:
    assert_equals_numpy(functions.lexsort, np.lexsort, keys, axis=axis)
    found = run(lambda a, b: functions.lexsort((a, b), axis), keys[0], keys[1].astype("float32"))
    assert_same(found, np.lexsort((keys[0], keys[1]), axis))


def test_keys_are_of_one_shape() -> None:
    with pytest.raises(ShapeError, match="one shape"):
        functions.lexsort(([1, 2], [1, 2, 3]))
    with pytest.raises(ShapeError, match="one shape"):
        functions.lexsort(())


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize(
    "bins", [[0.0, 1.0, 1.0, 3.0], [4.0, 2.0, 2.0, -1.0], [1.0], [2.0, 2.0], []], ids=str
)
def test_bins(bins: list[float], right: bool) -> None:
    x = np.asarray([[-2.0, 0.0, 1.0, 1.5], [2.0, 3.0, 9.0, np.nan]])
    assert_equals_numpy(functions.digitize, np.digitize, x, np.asarray(bins), right=right)


def test_bins_have_an_order() -> None:
    with pytest.raises(CheckError, match="ascend, or descend"):
        functions.digitize([1.0], [0.0, 2.0, 1.0])
    with pytest.raises(ShapeError, match="1-d"):
        functions.digitize([1.0], 2.0)
    with pytest.raises(DTypeError, match="complex"):
        functions.digitize(1j, [2.0])


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        ([1.0], {"bins": [0.0, 2.0, 1.0]}, "must ascend"),
        ([1.0], {"range": (2, 1)}, "end before"),
        ([1.0], {"range": (0, np.nan)}, "finite"),
        ([1.0, np.inf], {}, "finite"),
        ([1.0, np.nan], {}, "finite"),
    ],
)
def test_histograms_need_an_order_and_an_end(x: Any, options: Any, words: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy refuses the same
        np.histogram(x, **options)
    with pytest.raises(CheckError, match=words):
        functions.histogram(np.asarray(x), **options)


def test_values_are_checked_in_a_graph() -> None:
    builder = GraphBuilder("g")
    x, edges = (builder.input(TensorType(float64, (3,))) for _ in range(2))
    with builder:
        found = [functions.histogram(x, edges)[0], functions.digitize(x, edges)]
    graph = builder.build(found)
    good, bad = np.asarray([0.0, 1.0, 2.0]), np.asarray([0.0, 2.0, 1.0])
    assert_same(evaluate(graph, [good, good])[1], np.asarray([1, 2, 3]))
    with pytest.raises(CheckError, match="ascend"):
        evaluate(graph, [good, bad])
