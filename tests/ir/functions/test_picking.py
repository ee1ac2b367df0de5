"""gather, take and their kin equal NumPy's, and reject what is out of range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import GraphBuilder, TensorType, evaluate, functions
from plait.ir.errors import DTypeError, IndexOutOfRangeError, ShapeError, UnknownNameError
from plait.ir.types import float32, int64
from tests.payloads import assert_equals_numpy, assert_same, run

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)
INDICES = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)


def counted(shape: tuple[int, ...]) -> Any:
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype("float32")


@given(SHAPES, INDICES, st.data())
def test_gather_and_take(shape: Any, index_shape: Any, data: st.DataObject) -> None:
    x, axis = counted(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    size = shape[axis]
    dtype = data.draw(st.sampled_from(["int32", "int64", "uint8"]))
    index = data.draw(hnp.arrays(dtype, index_shape, elements=st.integers(0, size - 1)))
    assert_equals_numpy(
        lambda x, i: functions.gather(x, i, axis), lambda x, i: np.take(x, i, axis), x, index
    )
    index = data.draw(hnp.arrays("int64", index_shape, elements=st.integers(-9, 9)))
    for mode in ("wrap", "clip"):
        assert_equals_numpy(
            lambda x, i, m=mode: functions.take(x, i, axis, m),
            lambda x, i, m=mode: np.take(x, i, axis, mode=m),
            x,
            index,
        )
    index = np.clip(index, -x.size, x.size - 1)
    assert_equals_numpy(functions.take, np.take, x, index)


@given(SHAPES, st.data())
def test_along_an_axis(shape: Any, data: st.DataObject) -> None:
    x, axis = counted(shape), data.draw(st.integers(0, len(shape) - 1))
    part = [data.draw(st.sampled_from([1, n])) for n in shape]
    part[axis] = data.draw(st.integers(0, 3))
    elements = st.integers(-shape[axis], shape[axis] - 1)
    index = data.draw(hnp.arrays("int64", tuple(part), elements=elements))
    assert_equals_numpy(
        lambda x, i: functions.take_along_axis(x, i, axis),
        lambda x, i: np.take_along_axis(x, i, axis),
        x,
        index,
    )
    values = -1 - counted(tuple(part))
    wanted = x.copy()
    whole = np.broadcast_to(index, [*shape[:axis], part[axis], *shape[axis + 1 :]])
    np.put_along_axis(wanted, whole, np.broadcast_to(values, whole.shape).copy(), axis)
    assert_same(
        run(lambda x, i, v: functions.put_along_axis(x, i, v, axis), x, index, values), wanted
    )


@given(SHAPES, st.data())
def test_boxes(shape: Any, data: st.DataObject) -> None:
    x = counted(shape)
    sizes = tuple(data.draw(st.integers(0, n)) for n in shape)
    starts = np.asarray(
        [data.draw(st.integers(0, n - k)) for n, k in zip(shape, sizes, strict=True)]
    )
    box = tuple([slice(i, i + k) for i, k in zip(starts, sizes, strict=True)])
    assert_same(run(lambda x, s: functions.dynamic_slice(x, s, sizes), x, starts), x[box])
    update, wanted = -1 - counted(sizes), x.copy()
    wanted[box] = update
    assert_same(run(functions.dynamic_update_slice, x, update, starts), wanted)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("set", [8, 2, 7]),
        ("add", [15, 2, 10]),
        ("mul", [48, 2, 21]),
        ("min", [1, 2, 3]),
        ("max", [8, 2, 7]),
    ],
)
def test_scatter(mode: str, wanted: list[int]) -> None:
    x, index, updates = np.asarray([1, 2, 3]), np.asarray([0, 2, 0]), np.asarray([6, 7, 8])
    found = run(lambda x, i, u: functions.scatter(x, i, u, mode=mode), x, index, updates)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("index", [7, -1, [0, 3], [-1, 7], np.uint8(200), 2**70])
def test_gather_names_index_and_range(index: Any) -> None:
    with pytest.raises(IndexOutOfRangeError, match=r"gather: .*out of range"):
        functions.gather([0, 1, 2], index)
    with pytest.raises(IndexOutOfRangeError, match=r"scatter: .*out of range"):
        functions.scatter([0, 1, 2], index, 0)
    with pytest.raises(IndexError, match=r"gather: index 7 is out of range \[0, 3\)"):
        functions.gather([0, 1, 2], 7)


def test_a_compiled_gather_raises_the_same() -> None:
    builder = GraphBuilder("g")
    x, i = builder.input(TensorType(float32, (3,))), builder.input(TensorType(int64, ()))
    with builder:
        graph = builder.build([functions.gather(x, i)])
    values = np.asarray([1, 2, 3], "float32")
    assert evaluate(graph, [values, np.asarray(2)])[0] == 3
    for wrong in (7, -1):
        with pytest.raises(IndexOutOfRangeError, match=rf"gather: index {wrong} .* \[0, 3\)"):
            evaluate(graph, [values, np.asarray(wrong)])


def test_nothing_can_be_taken_from_an_empty_axis() -> None:
    with pytest.raises(IndexOutOfRangeError):
        functions.gather(np.zeros((0, 3)), 0)
    assert functions.gather(np.zeros((0, 3)), []).shape == (0, 3)
    assert functions.take(np.zeros((0, 3)), [], axis=0).shape == (0, 3)


def test_errors_of_use() -> None:
    x = counted((2, 3))
    with pytest.raises(DTypeError, match="integers"):
        functions.gather(x, 1.5)
    with pytest.raises(ShapeError, match="axis 2"):
        functions.gather(x, 0, axis=2)
    with pytest.raises(IndexOutOfRangeError, match=r"\[-2, 2\)"):
        functions.take(x, -3, axis=0)
    with pytest.raises(UnknownNameError, match="clip"):
        functions.take(x, 0, mode="round")
    with pytest.raises(UnknownNameError, match="mul"):
        functions.scatter(x, 0, 0, mode="div")
    with pytest.raises(ShapeError, match="broadcast"):
        functions.scatter(x, 0, [1, 2])
    with pytest.raises(ShapeError, match="dimension"):
        functions.take_along_axis(x, np.asarray([0]), axis=0)
    with pytest.raises(IndexOutOfRangeError, match=r"start 2 .* \[0, 1\] of axis 1"):
        functions.dynamic_slice(x, [0, 2], (1, 2))
    with pytest.raises(ShapeError, match="no box of size 4"):
        functions.dynamic_slice(x, [0, 0], (1, 4))
    with pytest.raises(ShapeError, match="2 starts"):
        functions.dynamic_update_slice(x, np.zeros((1, 1)), [0])
