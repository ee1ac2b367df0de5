"""Keys mean what they mean to NumPy, eagerly and traced, for reading and for writing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import Dim, Graph, GraphBuilder, TensorType, evaluate, functions
from plait.ir.errors import (
    DTypeError,
    IndexOutOfRangeError,
    ShapeError,
    TraceError,
    UnknownNameError,
)
from plait.ir.types import float32, int32, int64

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def counted(shape: tuple[int, ...], start: int = 0) -> Any:
    return np.arange(start, start + np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def index_arrays(draw: st.DrawFn, size: int, shape: tuple[int, ...]) -> Any:
    """Integers that index an axis, of a shape that broadcasts to the given one."""
    part = tuple(draw(st.sampled_from([1, n])) for n in shape[draw(st.integers(0, len(shape))) :])
    positions = st.integers(-size, size - 1)
    dtype = draw(st.sampled_from(["int8", "int32", "int64"]))
    return draw(hnp.arrays(dtype, part, elements=positions))


@st.composite
def slices(draw: st.DrawFn, size: int) -> slice:
    bound = st.none() | st.integers(-size - 2, size + 2)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2])))


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key that fits the shape, every kind of part in it."""
    block = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=3))
    first = draw(st.integers(0, len(shape)))
    behind = draw(st.integers(first, len(shape)))
    items: list[Any] = []
    for axis, n in enumerate(shape):
        if axis == first and (behind > first or draw(st.booleans())):
            items.append(...)
        if first <= axis < behind:
            continue
        if draw(st.integers(0, 4)) == 0:
            items.append(None)
        kind = draw(st.sampled_from(["slice", "integer", "array"] if n else ["slice"]))
        if kind == "slice":
            items.append(draw(slices(n)))
        elif kind == "integer":
            items.append(draw(st.integers(-n, n - 1)))
        else:
            items.append(draw(index_arrays(n, block)))
    return tuple(items)


def traced(x: Any, key: Any, *values: Any) -> tuple[Graph, list[Any]]:
    """A graph in which x, the values and the key's integers and index arrays are inputs."""
    builder = GraphBuilder("indexed")
    arguments: list[Any] = []

    def entered(a: Any) -> Any:
        arguments.append(np.asarray(a))
        return builder.input(TensorType(arguments[-1].dtype, arguments[-1].shape))

    def is_data(k: Any) -> bool:
        return type(k) is int or (isinstance(k, np.ndarray) and k.dtype != bool)

    data = entered(x)
    key = tuple([entered(k) if is_data(k) else k for k in key])
    with builder:
        if values:
            result = functions.setitem(data, key, entered(values[0]), *values[1:])
        else:
            result = functions.getitem(data, key)
    return builder.build([result]), arguments


def run_traced(x: Any, key: Any, *values: Any) -> Any:
    graph, arguments = traced(x, key, *values)
    return evaluate(graph, arguments)[0]


@given(SHAPES, st.data())
def test_getitem_is_numpys(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, key = counted(shape), data.draw(keys(shape))
    wanted = x[key]
    for found in (functions.getitem(x, key), run_traced(x, key)):
        np.testing.assert_array_equal(found, wanted, strict=True)


@given(SHAPES, st.data())
def test_setitem_is_numpys(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, key = counted(shape), data.draw(keys(shape))
    whole = x[key].shape
    part = tuple(data.draw(st.sampled_from([1, n])) for n in whole)
    values = counted(part[data.draw(st.integers(0, len(part))) :], 1000)
    wanted = x.copy()
    wanted[key] = values
    for found in (functions.setitem(x, key, values), run_traced(x, key, values)):
        np.testing.assert_array_equal(found, wanted, strict=True)


@given(SHAPES, st.data(), st.sampled_from(["add", "mul", "min", "max"]))
def test_setitem_combines_as_numpys_at(
    shape: tuple[int, ...], data: st.DataObject, mode: str
) -> None:
    ufunc = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[mode]
    x, key = counted(shape), data.draw(keys(shape))
    values = counted(x[key].shape, 7)[..., ::-1] if x[key].ndim else np.asarray(7)
    wanted = x.copy()
    ufunc.at(wanted, key, values.copy())
    for found in (functions.setitem(x, key, values, mode), run_traced(x, key, values, mode)):
        np.testing.assert_array_equal(found, wanted, strict=True)


@given(SHAPES, st.data())
def test_static_masks_are_numpys(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    axis = data.draw(st.integers(0, len(shape)))
    rank = data.draw(st.integers(0, len(shape) - axis))
    mask = data.draw(hnp.arrays(bool, shape[axis : axis + rank]))
    key = (*[slice(None)] * axis, mask)
    np.testing.assert_array_equal(functions.getitem(x, key), x[key], strict=True)
    for values in (np.asarray(-1), -1 - counted(x[key].shape)):
        wanted = x.copy()
        wanted[key] = values
        np.testing.assert_array_equal(functions.setitem(x, key, values), wanted, strict=True)


@given(SHAPES, st.data())
def test_a_computed_mask_selects(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    axis = data.draw(st.integers(0, len(shape)))
    rank = data.draw(st.integers(0, len(shape) - axis))
    mask = data.draw(hnp.arrays(bool, shape[axis : axis + rank]))
    values = -1 - counted(shape[axis + rank :])
    builder = GraphBuilder("masked")
    inputs = [builder.input(TensorType(a.dtype, a.shape)) for a in (x, mask, values)]
    with builder:
        key = (*[slice(None)] * axis, inputs[1])
        found = functions.setitem(inputs[0], key, inputs[2])
    wanted = x.copy()
    wanted[(*[slice(None)] * axis, mask)] = values
    result = evaluate(builder.build([found]), [x, mask, values])[0]
    np.testing.assert_array_equal(result, wanted, strict=True)


@pytest.mark.parametrize(
    "key",
    [True, False, np.True_, (None, True), (True, 1), ([0, 1], True), (np.zeros((2, 3), bool),)],
    ids=str,
)
def test_scalar_masks_and_masks_of_nothing(key: Any) -> None:
    x = counted((2, 3))
    np.testing.assert_array_equal(functions.getitem(x, key), x[key], strict=True)
    wanted = x.copy()
    wanted[key] = 9
    np.testing.assert_array_equal(functions.setitem(x, key, 9), wanted, strict=True)


EMPTY = np.zeros(0, int)


@pytest.mark.parametrize(
    ("key", "model"),
    [
        ([], EMPTY),
        ([[]], EMPTY[None]),
        ((slice(None), []), (slice(None), EMPTY)),
        ([0, 1], np.asarray([0, 1])),
        ([[True, False, True]] * 2, np.asarray([[True, False, True]] * 2)),
    ],
    ids=str,
)
def test_lists_are_arrays(key: Any, model: Any) -> None:
    x = counted((2, 3))
    np.testing.assert_array_equal(functions.getitem(x, key), x[model], strict=True)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (3, ("3", "[-3, 3)", "axis 0")),
        (-4, ("-4", "[-3, 3)")),
        ((0, [1, 5]), ("5", "[-4, 4)", "axis 1")),
        ((0, [-5, 9]), ("-5", "[-4, 4)")),
        ((0, 0, 0), ("too many", "3", "2")),
        ((..., ...), ("ellipsis",)),
        (np.ones(4, bool), ("(4,)", "(3,)")),
    ],
)
def test_out_of_range_says_what_and_where(key: Any, words: tuple[str, ...]) -> None:
    x = counted((3, 4))
    for function in (functions.getitem, lambda a, k: functions.setitem(a, k, 0)):
        with pytest.raises(IndexOutOfRangeError) as caught:
            function(x, key)
        assert all(word in str(caught.value) for word in words)
        assert isinstance(caught.value, IndexError)


@pytest.mark.parametrize("key", [(3,), (-4,), (0, np.asarray([1, 5])), (np.asarray([[-4]]), 0)])
def test_a_computed_index_is_checked_when_it_runs(key: Any) -> None:
    x = counted((3, 4))
    graph, arguments = traced(x, key)
    with pytest.raises(IndexOutOfRangeError) as caught:
        evaluate(graph, arguments)
    with pytest.raises(IndexOutOfRangeError) as eager:
        functions.getitem(x, key)
    assert str(caught.value) == str(eager.value)


@pytest.mark.parametrize("key", [1.0, "a", (0, 1.5), np.asarray([1.0]), slice(0, 1.5)])
def test_what_is_no_index(key: Any) -> None:
    kind = DTypeError if type(key) is slice else IndexOutOfRangeError
    for function in (functions.getitem, lambda a, k: functions.setitem(a, k, 0)):
        with pytest.raises(kind, match="integer"):
            function(counted((3, 4)), key)


def test_what_cannot_be_traced() -> None:
    builder = GraphBuilder("g")
    x = builder.input(TensorType(float32, (3,)))
    n, mask = builder.input(TensorType(int64, ())), builder.input(TensorType(np.dtype(bool), (3,)))
    with builder:
        with pytest.raises(TraceError, match=r"nonzero\(mask, size="):
            functions.getitem(x, mask)
        with pytest.raises(TraceError, match="dynamic_slice"):
            functions.getitem(x, slice(None, n))
        with pytest.raises(TraceError, match="where"):
            functions.setitem(x, mask, [1.0, 2.0])


def test_a_symbolic_axis_is_taken_whole() -> None:
    builder = GraphBuilder("g")
    x = builder.input(TensorType(float32, (Dim("B"), 3)))
    with builder:
        assert functions.getitem(x, (slice(None), 1)).shape == (Dim("B"),)
        assert functions.getitem(x, (None, ..., 0)).shape == (1, Dim("B"))
        with pytest.raises(ShapeError, match="symbolic"):
            functions.getitem(x, 0)


def test_values_that_do_not_fit() -> None:
    x = counted((3, 4))
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        functions.setitem(x, 0, [1, 2])
    with pytest.raises(DTypeError, match="complex"):
        functions.setitem(x, 0, 1j)
    with pytest.raises(UnknownNameError, match="modes"):
        functions.setitem(x, 0, 1, mode="put")
    np.testing.assert_array_equal(functions.setitem(x, 0, np.ones((1, 1, 4)))[0], [1, 1, 1, 1])


def test_the_last_of_several_values_stays() -> None:
    positions = np.asarray([[0, 1], [1, 0]], order="F")
    found = functions.setitem(np.zeros(2), positions, np.asarray([[1, 2], [3, 4]]))
    np.testing.assert_array_equal(found, [4, 3])


def test_x_itself_does_not_change() -> None:
    x = counted((3, 4))
    kept = x.copy()
    for key in (0, slice(None, None, 2), [0, 0], x > 3, ...):
        functions.setitem(x, key, -1)
        np.testing.assert_array_equal(x, kept)


def test_computed_positions_keep_their_width() -> None:
    builder = GraphBuilder("g")
    x, i = builder.input(TensorType(float32, (300,))), builder.input(TensorType(int32, (2,)))
    small = builder.input(TensorType(np.dtype("int8"), (2,)))
    with builder:
        found = functions.getitem(x, i), functions.getitem(x, small)
    gathers = [n for n in builder.build(found).nodes if n.op.name == "gather"]
    assert [n.operands[1].dtype for n in gathers] == [int32, int32]
