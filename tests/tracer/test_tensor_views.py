"""Views and writes: random sequences on a tensor and on an ndarray that mirrors it."""

from __future__ import annotations

from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import plait as pl
from plait.tracer import FROZEN

SHAPE = (4, 3, 2)


@st.composite
def basic_keys(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """A key of slices, integers, None and an ellipsis that fits a shape."""
    parts: list[Any] = []
    for size in shape[: draw(st.integers(0, len(shape)))]:
        choice = draw(st.integers(0, 3))
        if choice == 0 and size:
            parts.append(draw(st.integers(-size, size - 1)))
        elif choice == 1:
            parts.append(None)
            parts.append(slice(None))
        else:
            bound = st.none() | st.integers(-size - 1, size + 1)
            step = st.sampled_from([None, 1, 2, -1, -2])
            parts.append(slice(draw(bound), draw(bound), draw(step)))
    if draw(st.booleans()):
        parts.append(...)
    return tuple(parts) if len(parts) != 1 or draw(st.booleans()) else parts[0]


def check_same(tensors: list[Any], arrays: list[Any]) -> None:
    for tensor, array in zip(tensors, arrays, strict=True):
        np.testing.assert_array_equal(tensor._data, array)
        assert tensor.shape == array.shape


def view_of(data: st.DataObject, tensor: Any, array: Any) -> tuple[Any, Any]:
    """The same view of both."""
    kind = data.draw(st.sampled_from(["key", "key", "T", "reshape", "swapaxes", "view"]))
    if kind == "T":
        return tensor.T, array.T
    if kind == "reshape":
        if not array.flags.c_contiguous:
            return tensor[...], array[...]
        return tensor.reshape(-1), array.reshape(-1)
    if kind == "swapaxes" and array.ndim > 1:
        return tensor.swapaxes(0, -1), array.swapaxes(0, -1)
    if kind == "view":
        return tensor.view(), array.view()
    key = data.draw(basic_keys(array.shape))
    found = array[key]
    if not isinstance(found, np.ndarray):
        return tensor[...], array[...]
    return tensor[key], found


@hypothesis.given(st.data())
def test_writes_reach_the_base_and_all_views(data: st.DataObject) -> None:
    array = np.arange(24.0).reshape(SHAPE)
    tensors, arrays = [pl.asarray(array)], [array.copy()]
    lent: list[tuple[Any, Any]] = []
    for step in range(data.draw(st.integers(1, 8))):
        i = data.draw(st.integers(0, len(tensors) - 1))
        action = data.draw(st.sampled_from(["view", "view", "set", "add", "lend", "drop"]))
        if action == "view":
            made = view_of(data, tensors[i], arrays[i])
            tensors.append(made[0])
            arrays.append(made[1])
        elif action == "set":
            key = data.draw(basic_keys(arrays[i].shape))
            tensors[i][key] = -step
            arrays[i][key] = -step
        elif action == "add":
            tensors[i] += step
            arrays[i] += step
        elif action == "lend":
            lent.append((tensors[i].numpy(), arrays[i].copy()))
        elif len(tensors) > 1:
            del tensors[i], arrays[i]
        check_same(tensors, arrays)
    for seen, kept in lent:
        np.testing.assert_array_equal(seen, kept)
        assert not seen.flags.writeable


@hypothesis.given(st.data())
def test_getting_and_setting_is_as_numpy(data: st.DataObject) -> None:
    array = np.arange(24, dtype=np.int32).reshape(SHAPE)
    tensor = pl.asarray(array)
    key = data.draw(basic_keys(SHAPE))
    extra = data.draw(st.sampled_from([None, [0, -1], [[1, 0], [0, 1]], "mask"]))
    if extra == "mask":
        key = array % 3 == 0
    elif extra is not None:
        key = (extra, ..., slice(None, None, 2))
    found = tensor[key]
    np.testing.assert_array_equal(found, array[key])
    assert found.dtype == array.dtype
    mirror = array.copy()
    tensor[key] = 7
    mirror[key] = 7
    np.testing.assert_array_equal(tensor, mirror)


def test_keys_of_tensors() -> None:
    x = pl.asarray(np.arange(12).reshape(3, 4))
    index, mask = pl.asarray([2, 0]), pl.asarray([True, False, True])
    np.testing.assert_array_equal(x[index], np.arange(12).reshape(3, 4)[[2, 0]])
    np.testing.assert_array_equal(x[mask, 1], [1, 9])
    np.testing.assert_array_equal(x[pl.constant(1) : pl.constant(3), 0], [4, 8])
    assert x[pl.constant(1), pl.constant(2)].item() == 6


def test_an_integer_key_copies_and_a_slice_views() -> None:
    x = pl.zeros(3)
    element, view = x[1], x[1:2]
    x[1] = 5.0
    assert element.item() == 0
    assert view.item() == 5


def test_iteration_gives_a_view_per_row() -> None:
    x = pl.zeros((3, 2))
    for i, row in enumerate(x):
        row[:] = i
    assert x.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_numpy_is_read_only_and_stays_as_it_was() -> None:
    x = pl.asarray([1.0, 2.0])
    seen = x.numpy()
    with pytest.raises(ValueError, match="read-only"):
        seen[0] = 5
    x[0] = 5.0
    assert seen.tolist() == [1, 2]
    assert x.tolist() == [5, 2]


def test_a_write_to_an_unshared_tensor_is_in_place() -> None:
    x = pl.asarray(np.zeros(4))
    before = x._data
    x += 1
    x[0] = 3.0
    assert x._data is before
    x.numpy()
    x += 1
    assert x._data is not before


def test_views_follow_a_frozen_base_to_its_copy() -> None:
    x = pl.asarray(np.zeros((2, 3)))
    row, column = x[0], x.T[1]
    x.numpy()
    before = row._data
    column[0] = 9.0
    assert row.tolist() == [0, 9, 0]
    assert x.tolist() == [[0, 9, 0], [0, 0, 0]]
    assert before.tolist() == [0, 0, 0]


def test_dead_views_are_forgotten() -> None:
    x = pl.zeros((4, 4))
    for _ in range(200):
        x[0]
    assert len(x._storage._handles) < 50
    assert len(x._storage.handles()) == 1


def test_an_array_of_the_user_is_never_shared() -> None:
    array = np.zeros((2, 2))
    for made in (pl.asarray(array), pl.reshape(array, (4,)), pl.transpose(array), pl.abs(array)):
        made[...] = 1.0
        assert not array.any()


def test_functions_that_copy_in_numpy_copy() -> None:
    x = pl.asarray(np.zeros(4))
    for other in (x.copy(), x.astype("float64"), x.flatten(), pl.concat([x]), pl.round(x, 0)):
        other[0] = 1.0
        assert not x.any()


def test_functions_that_view_in_numpy_view() -> None:
    x = pl.asarray(np.zeros((2, 3)))
    for i, view in enumerate((pl.reshape(x, (6,)), pl.squeeze(x[:1]), pl.flip(x, axis=(0, 1)))):
        view[0] = i + 1.0
    assert x.tolist() == np.asarray(x).tolist()
    assert x[0, 0].item() == 2
    assert x[1, 2].item() == 3 or x[1].tolist() == [3, 3, 3]
    first, _ = pl.split(x, 2)
    first[...] = 8.0
    assert x[0].tolist() == [8, 8, 8]


def test_real_and_imag_are_views() -> None:
    x = pl.asarray(np.zeros(2, np.complex64))
    x.real = [1, 2]
    x.imag[1] = 3
    assert x.tolist() == [1, 2 + 3j]


def test_a_broadcast_view_cannot_be_written() -> None:
    x = pl.broadcast_to(pl.zeros(3), (2, 3))
    with pytest.raises(pl.errors.ShapeError, match="copy it first"):
        x[0, 0] = 1.0


def test_the_result_of_a_compiled_function_can_be_written() -> None:
    x = pl.graph_function(lambda a: a + 1)(pl.zeros((2, 3)))
    row = x[0]
    row[1] = 5.0
    assert x.tolist() == [[1, 5, 1], [1, 1, 1]]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "complex64", "bool", "uint8"])
def test_views_of_every_dtype_move(dtype: str) -> None:
    x = pl.zeros((2, 3), dtype=dtype)
    view = x[:, 1]
    pl.asarray(x).numpy()
    view[0] = 1
    assert x.astype("float32")[0].tolist() == [0, 1, 0]


def test_freezing_marks_the_handle() -> None:
    x = pl.zeros(2) + 1
    x.numpy()
    assert x._storage is FROZEN


def traced(function: Any, *args: Any) -> Any:
    return pl.graph_function(function, backend="reference")(*args)


@hypothesis.settings(max_examples=15)
@hypothesis.given(st.data())
def test_traced_views_are_as_eager_ones(data: st.DataObject) -> None:
    steps = []
    probe = [np.arange(24.0).reshape(SHAPE)]
    for value in range(data.draw(st.integers(1, 5))):
        i = data.draw(st.integers(0, len(probe) - 1))
        key = data.draw(basic_keys(probe[i].shape))
        action = data.draw(st.sampled_from(["view", "set", "add", "T"]))
        if action in ("view", "T"):
            found = probe[i][key] if action == "view" else probe[i].T
            if not isinstance(found, np.ndarray):
                continue
            probe.append(found)
        steps.append((action, i, key, float(value)))

    def program(x: Any) -> Any:
        known = [x * 1]
        for action, i, key, value in steps:
            if action == "view":
                known.append(known[i][key])
            elif action == "T":
                known.append(known[i].T)
            elif action == "set":
                known[i][key] = value
            else:
                known[i] += value
        return tuple([k + 0 for k in known])

    start = pl.asarray(np.arange(24.0).reshape(SHAPE))
    for one, other in zip(program(start), traced(program, start), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_write_to_an_outside_tensor_happens_at_each_call() -> None:
    outside = pl.zeros(3)

    def write(x: Any) -> Any:
        outside[0] = x
        return x

    f = pl.graph_function(write, fullgraph=True)
    for value in (1.0, 2.0):
        f(pl.constant(value))
        assert outside.tolist() == [value, 0, 0]
