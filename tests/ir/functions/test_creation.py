"""Creation functions: NumPy's values, our dtypes for Python numbers, few ops in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import GraphBuilder, TensorType, as_dtype, functions
from plait.ir.errors import DTypeError, PlaitError, ShapeError, TraceError, UnknownNameError
from tests.payloads import assert_same, leaves, run

ARANGES: tuple[Any, Any] = (functions.arange, np.arange)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (6, "int32"),
        (2**40, "int64"),
        (2**63, "uint64"),
        (1.5, "float32"),
        (True, "bool"),
        (1j, "complex64"),
        ([1, 2], "int32"),
        ([1, 2**40], "int64"),
        ([[1.0], [2.0]], "float32"),
        ([], "float32"),
        ([True, 2], "int32"),
        (np.float64(1), "float64"),
        (np.arange(3), "int64"),
        ([np.float64(1), 2], "float64"),
    ],
)
def test_constants_have_the_dtype_of_what_they_are_made_of(value: Any, dtype: str) -> None:
    found = functions.constant(value)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.asarray(value))


def test_a_constant_is_a_copy() -> None:
    x = np.arange(3)
    functions.constant(x)[0] = 9
    functions.asarray(x)[0] = 9
    functions.astype(x, x.dtype)[0] = 9
    assert x[0] == 0


def test_constant_takes_dtype_and_shape() -> None:
    assert_same(functions.constant(1.7, dtype="int32"), np.asarray(1, "int32"))
    assert_same(functions.constant(1, shape=(2, 2)), np.ones((2, 2), "int32"))
    assert_same(functions.constant([1, 2], shape=(2, 1)), np.asarray([[1], [2]], "int32"))


@given(st.integers(-20, 20), st.integers(-20, 20), st.sampled_from([-3, -1, 1, 2, 7]))
def test_arange_of_integers(start: int, stop: int, step: int) -> None:
    wanted = np.arange(start, stop, step, dtype="int32")
    assert_same(run(lambda: functions.arange(start, stop, step)), wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "complex64"])
@pytest.mark.parametrize("bounds", [(5,), (2, 9), (0, 1, 0.125), (3, -3, -0.5), (1, 1)])
def test_arange_of_dtypes(bounds: Any, dtype: str) -> None:
    if dtype == "int8" and any(isinstance(b, float) for b in bounds):
        return  # NumPy truncates the step as well
    found, wanted = (arange(*bounds, dtype=dtype) for arange in ARANGES)
    assert_same(found, wanted)


def test_arange_dtypes() -> None:
    assert functions.arange(3).dtype == np.int32
    assert functions.arange(2**40, 2**40 + 2).dtype == np.int64
    assert functions.arange(0, 1, 0.5).dtype == np.float32
    assert functions.arange(np.int64(3)).dtype == np.int64


@given(st.floats(-10, 10), st.floats(-10, 10), st.integers(0, 20), st.booleans())
def test_linspace(start: float, stop: float, num: int, endpoint: bool) -> None:
    found = run(lambda: functions.linspace(start, stop, num, endpoint))
    wanted = np.linspace(np.float32(start), np.float32(stop), num, endpoint, dtype="float32")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    if num > 1 and endpoint:
        assert found[-1] == np.float32(stop)


def test_linspace_of_tensors_and_integers() -> None:
    low, high = np.asarray([0.0, 1.0]), np.asarray([[1.0], [3.0]])
    for axis in (0, 1, -1):
        wanted = np.linspace(low, high, 5, axis=axis)
        np.testing.assert_allclose(functions.linspace(low, high, 5, axis=axis), wanted)
    wanted = np.linspace(0, 10, 5, dtype="int32")
    assert_same(functions.linspace(0, 10, 5, dtype="int32"), wanted)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6))
def test_eye_and_tri(n: int, m: int, k: int) -> None:
    assert_same(run(lambda: functions.eye(n, m, k)), np.eye(n, m, k, "float32"))
    assert_same(run(lambda: functions.tri(n, m, k, "int8")), np.tri(n, m, k, "int8"))
    assert_same(functions.identity(n), np.identity(n, "float32"))


@pytest.mark.parametrize("shape", [(), 3, (0,), (2, 0), (2, 3)])
def test_fills(shape: Any) -> None:
    for name in ("zeros", "ones", "empty"):
        fill = getattr(functions, name)
        value = int(name == "ones")
        assert_same(run(fill, shape=shape), np.full(shape, value, "float32"))
        like = getattr(functions, f"{name}_like")
        assert_same(run(like, np.full(shape, 7, "int8")), np.full(shape, value, "int8"))
    assert_same(functions.full(shape, 7), np.full(shape, 7, "int32"))
    assert_same(functions.full(shape, -0.0), np.full(shape, -0.0, "float32"))
    assert np.all(np.signbit(functions.full(shape, -0.0)))
    assert not np.any(np.signbit(functions.full(shape, 0.0)))
    assert_same(functions.full(shape, 1.5, "int16"), np.full(shape, 1, "int16"))


def test_full_of_a_tensor_broadcasts() -> None:
    row = np.asarray([1.0, 2.0])
    assert_same(run(lambda v: functions.full((2, 2), v), row), np.full((2, 2), row))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sizes", [(), (3,), (2, 3), (2, 0), (2, 3, 4)])
def test_meshgrid(indexing: Any, sizes: tuple[int, ...]) -> None:
    arrays = [np.arange(n) for n in sizes]
    found = run(functions.meshgrid, *arrays, indexing=indexing)
    for a, b in zip(leaves(found), np.meshgrid(*arrays, indexing=indexing), strict=True):
        assert_same(a, b)


def test_graphs_stay_small() -> None:
    builder = GraphBuilder("range")
    with builder:
        result = functions.arange(1000)
    assert [node.op.name for node in builder.build([result]).nodes] == ["iota"]
    builder = GraphBuilder("zeros")
    with builder:
        result = functions.zeros((1000, 1000))
    assert [node.op.name for node in builder.build([result]).nodes] == ["full"]


def traced_bound() -> Any:
    builder = GraphBuilder("bound")
    x = builder.input(TensorType(as_dtype("int32"), ()), "n")
    with builder:
        return functions.arange(x)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.zeros(-1), ShapeError, "negative"),
        (lambda: functions.zeros(2, dtype="float31"), UnknownNameError, "float31"),
        (lambda: functions.zeros("ab"), DTypeError, "integers"),
        (lambda: functions.full(2, 300, "uint8"), DTypeError, "300"),
        (lambda: functions.arange(0, 5, 0), ShapeError, "step"),
        (lambda: functions.linspace(0, 1, -1), ShapeError, "num"),
        (lambda: functions.meshgrid([1], indexing="ji"), UnknownNameError, "ji"),
        (lambda: functions.constant([[1], [2, 3]]), ShapeError, "rows"),
        (lambda: functions.constant("text"), DTypeError, "str"),
        (lambda: functions.eye(-1), ShapeError, "negative"),
        (traced_bound, TraceError, "arange"),
    ],
)
def test_bad_arguments_say_what_is_wrong(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
