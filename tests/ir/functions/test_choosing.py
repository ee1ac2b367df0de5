"""Choices, positions, and slices added and taken away have NumPy's meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import GraphBuilder, TensorType, functions
from plait.ir.errors import (
    DTypeError,
    IndexOutOfRangeError,
    PlaitError,
    ShapeError,
    TraceError,
    UnknownNameError,
)
from plait.ir.interpret import evaluate
from plait.ir.types import int64
from tests.payloads import assert_equals_numpy, assert_same, run

X = np.arange(12).reshape(3, 4)


def test_select() -> None:
    x = np.asarray([[-2.0, 0.5], [3.0, np.nan]], np.float32)
    wanted = np.select([x < 0, x > 1], [x, x * 10], -1)
    assert_same(
        run(
            lambda a: functions.select(
                [a < 0, a > 1]
                if type(a) is np.ndarray
                else [functions.less(a, 0), functions.greater(a, 1)],
                [a, functions.multiply(a, 10)],
                -1,
            ),
            x,
        ),
        wanted,
    )
    rows: Any = [np.asarray([True, False]), np.asarray([[True], [True]])]
    assert_same(functions.select(rows, [1, X[:2, :2]]), np.select(rows, [1, X[:2, :2]]))


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choose(mode: Any) -> None:
    index: Any = np.asarray([[0, 2], [1, 0]]) if mode == "raise" else np.asarray([[-1, 5], [2, -4]])
    choices = [np.asarray([1, 2]), np.asarray(0.5), np.asarray([[7], [8]])]
    wanted = np.choose(index, choices, mode=mode)
    assert_same(run(lambda a: functions.choose(a, choices, mode), index), wanted)
    table = X[:, :2]
    assert_same(
        run(lambda a, c: functions.choose(a, c, mode), index, table),
        np.choose(index, table, mode=mode),
    )


@given(hnp.arrays(bool, st.integers(0, 3)), st.sampled_from([None, 0]))
def test_compress(condition: Any, axis: Any) -> None:
    assert_same(functions.compress(condition, X, axis), np.compress(condition, X, axis))
    wanted = np.compress(condition, X, axis)
    found = run(lambda c, x: functions.compress(c, x, axis, size=len(wanted) + 1), condition, X)
    assert_same(found[: len(wanted)], wanted)


PLACES: list[Any] = [0, 3, -1, [1], [0, 2, 0], [-1, 3], slice(None, None, 2), slice(0, 0), []]


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("places", PLACES, ids=str)
def test_insert(places: Any, axis: Any) -> None:
    assert_same(
        run(lambda a: functions.insert(a, places, 7, axis), X), np.insert(X, places, 7, axis)
    )


def test_insert_several_values() -> None:
    for places, values, axis in (
        (1, [8, 9], None), ([1, 1, 4], [7, 8, 9], None), (2, [1, 2, 3], 1),
        ([2], [[1], [2], [3]], 1), ([0, 2], [[1, 2]] * 3, 1), (1, [[1, 2, 3], [4, 5, 6]], 1),
    ):  # fmt: skip
        wanted = np.insert(X, places, values, axis)
        found = run(lambda a, p=places, v=values, i=axis: functions.insert(a, p, v, i), X)
        assert_same(found, wanted)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("places", [0, 2, -1, [1], [0, 2, 0], slice(None, None, 2), []], ids=str)
def test_delete(places: Any, axis: Any) -> None:
    assert_same(run(lambda a: functions.delete(a, places, axis), X), np.delete(X, places, axis))


def test_delete_by_a_mask_and_append() -> None:
    mask: Any = np.asarray([True, False, True])
    assert_same(run(lambda a: functions.delete(a, mask, 0), X), np.delete(X, mask, 0))
    half = X[:1] / 2
    assert_equals_numpy(functions.append, np.append, X, half, axis=0)
    assert_equals_numpy(functions.append, np.append, X, half)


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_put(mode: Any) -> None:
    places = [0, -1, 0] if mode == "raise" else [13, -2, 5]
    for values in ([7, 8, 9], 5, [1.5, 2.5], []):
        wanted = X.copy()
        np.put(wanted, places, values, mode)
        assert_same(run(lambda a, v=values: functions.put(a, places, v, mode), X), wanted)


def test_positions() -> None:
    flat: Any = np.asarray([[0, 5], [23, 11]])
    assert_equals_numpy(
        lambda i: functions.unravel_index(i, (2, 3, 4)),
        lambda i: np.unravel_index(i, (2, 3, 4)),
        flat,
    )
    columns = np.unravel_index(flat, (2, 3, 4))
    assert_same(run(lambda *c: functions.ravel_multi_index(c, (2, 3, 4)), *columns), flat)
    table = np.asarray([[5, -1], [-7, 2]])
    for mode in ("wrap", "clip", ("clip", "wrap")):
        wanted = np.ravel_multi_index(tuple(table), (2, 4), mode)
        assert_same(run(lambda t, m=mode: functions.ravel_multi_index(t, (2, 4), m), table), wanted)


def test_positions_in_a_graph_are_checked() -> None:
    builder = GraphBuilder("g")
    index = builder.input(TensorType(int64, (2,)))
    with builder:
        found = [*functions.unravel_index(index, (2, 2)), functions.put(X, index, 0)]
    graph = builder.build(found)
    assert_same(evaluate(graph, [np.asarray([3, 0])])[0], np.asarray([1, 0]))
    with pytest.raises(IndexOutOfRangeError, match=r"4 is out of range \[0, 4\)"):
        evaluate(graph, [np.asarray([4, 0])])


def test_places_are_known_in_a_graph() -> None:
    builder = GraphBuilder("g")
    index = builder.input(TensorType(int64, ()))
    with builder:
        with pytest.raises(TraceError, match="as Python integers"):
            functions.insert(X, index, 0)
        with pytest.raises(TraceError, match="as Python integers"):
            functions.delete(X, index)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.select([], []), ShapeError, "0 condition"),
        (lambda: functions.select([X > 1], [X, X]), ShapeError, "2 choice"),
        (lambda: functions.select([X], [X]), DTypeError, "must be bool, got int64"),
        (lambda: functions.choose([3], [[1], [2]]), IndexOutOfRangeError, r"\[0, 2\)"),
        (lambda: functions.choose([-1], [[1], [2]]), IndexOutOfRangeError, "-1"),
        (lambda: functions.choose([0], [], "clip"), ShapeError, "at least one"),
        (lambda: functions.choose([0], [[1]], "bounce"), UnknownNameError, "clip"),
        (lambda: functions.compress([[True]], X), ShapeError, "does not fit"),
        (lambda: functions.compress([True] * 4, X, 0), ShapeError, "size 3"),
        (lambda: functions.insert(X, 13, 0), IndexOutOfRangeError, "13"),
        (lambda: functions.insert(X, 0, [1, 2], 0), ShapeError, "insert"),
        (lambda: functions.insert(X, [[0]], 0), ShapeError, "at most 1-d"),
        (lambda: functions.delete(X, 12), IndexOutOfRangeError, r"\[-12, 12\)"),
        (lambda: functions.delete(X, [True], 0), ShapeError, "3 bools"),
        (lambda: functions.delete(X, 0.5), DTypeError, "integers"),
        (lambda: functions.append(X, [1], 0), ShapeError, "concat"),
        (lambda: functions.put(X, 12, 0), IndexOutOfRangeError, "12"),
        (lambda: functions.put(X, 0, 0, "bounce"), UnknownNameError, "wrap"),
        (lambda: functions.unravel_index(-1, 3), IndexOutOfRangeError, "-1"),
        (lambda: functions.ravel_multi_index(([0], [3]), (2, 3)), IndexOutOfRangeError, "axis 1"),
        (lambda: functions.ravel_multi_index(([0],), (2, 3)), ShapeError, "2 axes, got 1"),
    ],
)  # fmt: skip
def test_errors_of_use(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
