"""Shape, joining and repeating functions equal NumPy's on awkward shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait.ir import Dim, GraphBuilder, TensorType, as_dtype, functions
from plait.ir.errors import DTypeError, PlaitError, ShapeError, UnknownNameError
from tests.payloads import assert_equals_numpy, assert_same, leaves, run

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
AT_LEAST_1D = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def counted(shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def check(name: str, *arrays: Any, model: str = "", **options: Any) -> None:
    function, numpy_function = getattr(functions, name), getattr(np, model or name)
    arrays, extra = tuple(a for a in arrays if isinstance(a, np.ndarray)), arrays
    rest = tuple(a for a in extra if not isinstance(a, np.ndarray))
    assert_equals_numpy(
        lambda *xs: function(*xs, *rest, **options),
        lambda *xs: numpy_function(*xs, *rest, **options),
        *arrays,
    )


@given(SHAPES, st.data())
def test_reordering_axes(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    check("transpose", x)
    check("permute_dims", x, tuple(data.draw(st.permutations(range(x.ndim)))))
    if x.ndim:
        a, b = (data.draw(st.integers(-x.ndim, x.ndim - 1)) for _ in range(2))
        check("swapaxes", x, a, b)
        check("moveaxis", x, a, b)
    if x.ndim > 1:
        check("matrix_transpose", x)
        order = data.draw(st.permutations(range(x.ndim)))
        check("moveaxis", x, tuple(order[:2]), (0, -1))


@given(SHAPES, st.data())
def test_reshaping(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    check("ravel", x)
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        check(name, x)
    wanted = list(data.draw(st.permutations(shape)))
    check("reshape", x, tuple(wanted))
    if x.size and wanted:
        wanted[0] = -1
        check("reshape", x, tuple(wanted))
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    check("expand_dims", x, axis)
    check("expand_dims", x, (0, -1))
    check("squeeze", x)
    check("squeeze", np.expand_dims(x, axis), axis)


@given(AT_LEAST_1D, st.data())
def test_flip_roll_and_split(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    check("flip", x)
    check("flip", x, axis)
    shift = data.draw(st.integers(-9, 9))
    check("roll", x, shift)
    check("roll", x, shift, axis)
    check("roll", x, (shift, 1), (axis, 0))
    check("unstack", x, axis=axis)
    check("array_split", x, data.draw(st.integers(1, 5)), axis)
    cuts = data.draw(st.lists(st.integers(-5, 6), max_size=3))
    check("split", x, cuts, axis)
    if x.shape[axis] % 2 == 0:
        check("split", x, 2, axis)
    if x.ndim > 1:
        check("rot90", x, shift, (0, 1))
        check("rot90", x, shift, (1, 0))


@given(SHAPES, st.data())
def test_tile_and_repeat(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = counted(shape)
    check("tile", x, tuple(data.draw(st.lists(st.integers(0, 3), max_size=4))))
    times = data.draw(st.integers(0, 3))
    check("repeat", x, times)
    if x.ndim:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        check("repeat", x, times, axis)
        size = x.shape[axis]
        counts = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
        if size != 1:
            check("repeat", x, counts, axis)


@given(
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]),
    st.data(),
)
def test_pad(shape: tuple[int, ...], mode: str, data: st.DataObject) -> None:
    x = counted(shape)
    sizes = st.tuples(st.integers(0, 6), st.integers(0, 6))
    widths = data.draw(st.lists(sizes, min_size=x.ndim, max_size=x.ndim))
    check("pad", x, widths, mode)
    check("pad", x, 1, mode)


def test_pad_with_values() -> None:
    x = counted((2, 3))
    check("pad", x, ((1, 0), (0, 2)), constant_values=7)
    check("pad", x, 1, constant_values=((1, 2), (3, 4)))
    check("pad", counted((0,)), 2)
    assert run(lambda a, v: functions.pad(a, 1, constant_values=v), x, x[0, 1]).shape == (4, 5)


@given(st.data(), st.sampled_from(["int8", "int32", "float32", "bool"]))
def test_joining(data: st.DataObject, dtype: str) -> None:
    shape = data.draw(AT_LEAST_1D)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    arrays = [counted(shape), counted(shape, dtype)]
    for name in ("concat", "stack"):
        join = getattr(functions, name)
        model = getattr(np, name)
        assert_equals_numpy(
            lambda *xs, join=join: join(xs, axis=axis),
            lambda *xs, model=model: model(xs, axis=axis),
            *arrays,
        )
    for name in ("hstack", "vstack", "dstack"):
        join, model = getattr(functions, name), getattr(np, name)
        assert_equals_numpy(
            lambda *xs, join=join: join(xs), lambda *xs, model=model: model(xs), *arrays
        )
    flat = run(lambda *xs: functions.concat(xs, axis=None), *arrays)
    assert_same(flat, np.concatenate(arrays, axis=None))


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3))
def test_broadcasting(shapes: Any) -> None:
    arrays = [counted(s) for s in shapes.input_shapes]
    check("broadcast_arrays", *arrays)
    assert functions.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape
    for x in arrays:
        check("broadcast_to", x, shapes.result_shape)


@given(hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4), st.integers(-5, 5))
def test_diagonals_and_triangles(shape: tuple[int, ...], k: int) -> None:
    x = counted(shape)
    check("diagonal", x, k)
    check("diagonal", x, k, -1, 0)
    check("tril", x, k)
    check("triu", x, k)
    if x.ndim == 2:
        check("diag", x, k)
    check("diag", counted(shape[:1]), k)


def test_a_graph_shows_one_split() -> None:
    builder = GraphBuilder("pieces")
    x = builder.input(TensorType(as_dtype("float32"), (4, 8)), "x")
    with builder:
        pieces = functions.split(x, 4, axis=1)
    assert [node.op.name for node in builder.build(pieces).nodes] == ["split"]


def test_eager_shape_functions_are_views() -> None:
    x = counted((4, 6))
    for result in (
        functions.reshape(x, (6, 4)),
        functions.transpose(x),
        functions.broadcast_to(x, (2, 4, 6)),
        functions.flip(x),
        functions.squeeze(x),
        functions.expand_dims(x, 0),
        *leaves(functions.split(x, 2)),
        *leaves(functions.unstack(x)),
    ):
        assert np.shares_memory(result, x)


def test_symbolic_sizes_pass_through() -> None:
    builder = GraphBuilder("symbolic")
    batch = Dim("B")
    x = builder.input(TensorType(as_dtype("float32"), (batch, 2, 3)), "x")
    with builder:
        assert functions.reshape(x, (-1, 6)).shape == (batch, 6)
        assert functions.reshape(x, (batch, -1)).shape == (batch, 6)
        assert functions.transpose(x).shape == (3, 2, batch)
        assert functions.add(x, 1.0).shape == (batch, 2, 3)
        assert functions.concat([x, x], axis=1).shape == (batch, 4, 3)
        with pytest.raises(ShapeError, match="B"):
            functions.flip(x, 0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.reshape(counted((2, 3)), (4, -1)), ShapeError, "reshape"),
        (lambda: functions.reshape(counted((2, 3)), (-1, -1)), ShapeError, "reshape"),
        (lambda: functions.reshape(counted((2, 3)), 2.5), DTypeError, "integers"),
        (lambda: functions.concat([]), ShapeError, "at least one"),
        (lambda: functions.concat([counted((2,)), counted((2, 2))]), ShapeError, "concat"),
        (lambda: functions.concat([counted((2,))], axis=1), ShapeError, "axis 1"),
        (lambda: functions.stack([counted((2,)), counted((3,))]), ShapeError, "equal"),
        (lambda: functions.split(counted((5,)), 2), ShapeError, "5"),
        (lambda: functions.squeeze(counted((2, 3)), 0), ShapeError, "size 1"),
        (lambda: functions.permute_dims(counted((2, 3)), (0, 0)), ShapeError, "permutation"),
        (lambda: functions.moveaxis(counted((2, 3)), 2, 0), ShapeError, "axis 2"),
        (lambda: functions.broadcast_to(counted((2,)), (3,)), ShapeError, "stretch"),
        (lambda: functions.broadcast_to(counted((1,)), (-1,)), ShapeError, "negative"),
        (lambda: functions.pad(counted((2,)), 1, mode="mirror"), UnknownNameError, "mirror"),
        (lambda: functions.pad(counted((2,)), -1), ShapeError, "negative"),
        (lambda: functions.pad(counted((0,)), 1, mode="edge"), ShapeError, "empty"),
        (lambda: functions.tile(counted((2,)), -1), ShapeError, "negative"),
        (lambda: functions.repeat(counted((2,)), [1, 2, 3]), ShapeError, "positions"),
        (lambda: functions.diag(counted((2, 2, 2))), ShapeError, "axes"),
        (lambda: functions.add(counted((2,)), counted((3,))), ShapeError, "broadcast"),
    ],
)
def test_bad_shapes_say_what_is_wrong(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
