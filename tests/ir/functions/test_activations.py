"""Activations, special functions, softmax, encoding, and choices, against independent formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import GraphBuilder, TensorType, as_dtype, functions
from plait.ir.errors import DTypeError, PlaitError, ShapeError
from tests.payloads import assert_equals_numpy, run

X = np.asarray([-50.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.5, 6.5, 50.0])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(x))


MODELS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "softplus": softplus,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "log_sigmoid": lambda x: -softplus(-x),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "celu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "soft_sign": lambda x: x / (1 + np.abs(x)),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "mish": lambda x: x * np.tanh(softplus(x)),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.where(x >= 1, x, np.where(x <= -1, 0, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "sinc": np.sinc,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "lgamma": scipy.special.gammaln,
    "digamma": scipy.special.digamma,
}
# One rounding a step, and a handful of steps.
TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "float16": 3e-3, "bfloat16": 3e-2}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_activations(name: str, dtype: str) -> None:
    x = X.astype(as_dtype(dtype))
    with np.errstate(all="ignore"):
        wanted = MODELS[name](x.astype("float64"))
    found = run(getattr(functions, name), x)
    assert found.dtype == x.dtype
    limit = TOLERANCE[dtype]
    np.testing.assert_allclose(found.astype("float64"), wanted, rtol=limit, atol=limit)


@pytest.mark.parametrize("name", MODELS)
def test_integers_are_computed_in_floating_point(name: str) -> None:
    found = getattr(functions, name)(np.asarray([1, 2], np.int32))
    assert found.dtype == (np.int32 if name == "relu" else np.float64 if name != "relu6" else "i4")


def test_inverses() -> None:
    p = np.asarray([0.01, 0.5, 0.9])
    np.testing.assert_allclose(run(functions.logit, p), scipy.special.logit(p))
    np.testing.assert_allclose(run(functions.erfinv, p), scipy.special.erfinv(p))


def test_tanh_gelu() -> None:
    inner = np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)
    found = run(lambda x: functions.gelu(x, approximate=True), X)
    np.testing.assert_allclose(found, X * 0.5 * (1 + np.tanh(inner)), atol=1e-12)


def test_parameters_are_respected() -> None:
    x = np.asarray([-2.0, 3.0])
    np.testing.assert_allclose(functions.leaky_relu(x, 0.5), [-1, 3])
    np.testing.assert_allclose(functions.elu(x, 2.0), [2 * np.expm1(-2), 3])
    np.testing.assert_allclose(functions.celu(x, 2.0), [2 * np.expm1(-1), 3])
    np.testing.assert_allclose(functions.squareplus(x, 0.0), [0, 3])
    np.testing.assert_allclose(functions.glu(np.asarray([2.0, 0.0])), [1.0])


def test_limits_of_functions_of_two() -> None:
    x, y = np.asarray([0.0, 0.0, 2.0]), np.asarray([0.0, np.nan, 3.0])
    np.testing.assert_allclose(run(functions.xlogy, x, y), scipy.special.xlogy(x, y))
    z = np.asarray([-1.0, 0.0, 2.0, np.nan])
    half = np.asarray(0.5)
    np.testing.assert_array_equal(run(functions.heaviside, z, half), np.heaviside(z, 0.5))


ROWS = np.asarray([[1e4, -1e4, 0.0], [-np.inf, 0.0, 1.0], [1.0, 2.0, 3.0]])


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
def test_softmax_family(axis: Any) -> None:
    for name in ("softmax", "log_softmax", "logsumexp"):
        model = getattr(scipy.special, name)
        found = run(lambda x, name=name: getattr(functions, name)(x, axis=axis), ROWS)
        np.testing.assert_allclose(found, model(ROWS, axis=axis), atol=1e-12)
    kept = functions.logsumexp(ROWS, axis=axis, keepdims=True)
    np.testing.assert_allclose(kept, scipy.special.logsumexp(ROWS, axis=axis, keepdims=True))


def test_softmax_is_one_op() -> None:
    builder = GraphBuilder("attention")
    x = builder.input(TensorType(as_dtype("float32"), (2, 3)))
    with builder:
        result = functions.softmax(x)
    assert [node.op.name for node in builder.build([result]).nodes] == ["softmax"]


def test_one_hot() -> None:
    indices = np.asarray([[0, 2], [3, -1]])
    wanted = indices[..., None] == np.arange(3)
    np.testing.assert_array_equal(run(lambda i: functions.one_hot(i, 3), indices), wanted)
    front = run(lambda i: functions.one_hot(i, 3, axis=0), indices)
    np.testing.assert_array_equal(front, np.moveaxis(wanted, -1, 0))
    marked = functions.one_hot(indices, 3, on_value=5, off_value=-1, dtype="int8")
    assert marked.dtype == np.int8
    np.testing.assert_array_equal(marked, np.where(wanted, 5, -1))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8), st.data())
def test_top_k(values: list[int], data: st.DataObject) -> None:
    x = np.asarray([values, values[::-1]])
    k = data.draw(st.integers(0, len(values)))
    found, places = run(lambda a: functions.top_k(a, k), x)
    order = np.argsort(-x, axis=-1, kind="stable")[:, :k]
    np.testing.assert_array_equal(places, order)
    np.testing.assert_array_equal(found, np.take_along_axis(x, order, -1))
    turned, _ = functions.top_k(x.T, k, axis=0)
    np.testing.assert_array_equal(turned, found.T)


def test_bitcast_round_trips() -> None:
    x = np.asarray([1.0, -0.0, np.nan], np.float32)
    assert_equals_numpy(lambda a: functions.bitcast(a, "int32"), lambda a: a.view("int32"), x)
    small = functions.bitcast(x, "uint8")
    assert small.shape == (3, 4)
    assert functions.bitcast(small, "float32").tobytes() == x.tobytes()


def test_where_and_clip() -> None:
    x, y = np.asarray([1.5, np.nan, -3.0], np.float32), np.asarray([[1], [2]], np.int16)
    assert_equals_numpy(functions.where, np.where, np.asarray([1.0, 0.0, np.nan]), x, y)
    for bounds in ((-1, 1), (None, 1), (-1, None), (1, -1)):
        assert_equals_numpy(
            lambda a, b=bounds: functions.clip(a, *b), lambda a, b=bounds: np.clip(a, *b), x
        )
    bytes_ = np.asarray([0, 7, 255], np.uint8)
    assert_equals_numpy(lambda a: functions.clip(a, -5, 300), lambda a: np.clip(a, -5, 300), bytes_)
    assert_equals_numpy(functions.clip, np.clip, x, np.asarray(-1.0), np.asarray([[0.0], [1.0]]))


@given(
    st.lists(st.floats(width=32), min_size=1, max_size=6),
    st.lists(st.floats(width=32), min_size=1, max_size=6),
    st.booleans(),
)
def test_isclose(left: list[float], right: list[float], equal_nan: bool) -> None:
    size = min(len(left), len(right))
    x, y = np.asarray(left[:size]), np.asarray(right[:size])
    for function, model in ((functions.isclose, np.isclose), (functions.allclose, np.allclose)):
        assert_equals_numpy(
            lambda a, b, f=function: f(a, b, equal_nan=equal_nan),
            lambda a, b, f=model: np.asarray(f(a, b, equal_nan=equal_nan)),
            x,
            y,
        )
    assert functions.isclose(x, x, equal_nan=True).all()


def test_equality_of_arrays() -> None:
    x = np.asarray([1, 2])
    assert run(functions.array_equal, x, x.astype("float32"))
    assert not functions.array_equal(x, x[:1])
    assert not functions.array_equal(x, x + 1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_nan_to_num(dtype: str) -> None:
    x = np.asarray([np.nan, np.inf, -np.inf, 1.0], as_dtype(dtype))
    found = run(functions.nan_to_num, x)
    if dtype == "bfloat16":
        assert np.isfinite(found.astype("float32")).all()
        assert found[1] == -found[2] > 3e38
    else:
        np.testing.assert_array_equal(found, np.nan_to_num(x))
    given_values = functions.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0)
    np.testing.assert_array_equal(given_values.astype("float32"), [1, 2, 3, 1])
    complex_ = np.asarray([complex(np.nan, np.inf), 1j])
    np.testing.assert_array_equal(run(functions.nan_to_num, complex_), np.nan_to_num(complex_))


@given(st.floats(-1e6, 1e6), st.integers(-3, 4))
def test_round_to_decimals(x: float, decimals: int) -> None:
    array = np.asarray([x, -x, 0.5])
    found = run(lambda a: functions.round(a, decimals), array)
    np.testing.assert_array_equal(found, np.round(array, decimals))
    whole = np.asarray([1234, -1250, 7])
    np.testing.assert_array_equal(functions.round(whole, decimals), np.round(whole, decimals))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.sigmoid(1j), DTypeError, "complex"),
        (lambda: functions.silu(np.asarray(1j)), DTypeError, "complex"),
        (lambda: functions.softmax(1j), DTypeError, "complex"),
        (lambda: functions.softmax([1.0], axis=1), ShapeError, "axis 1"),
        (lambda: functions.glu([1.0, 2.0, 3.0]), ShapeError, "3"),
        (lambda: functions.one_hot([0.5], 2), DTypeError, "integer"),
        (lambda: functions.one_hot([0], -2), ShapeError, "depth"),
        (lambda: functions.top_k([1, 2], 3), ShapeError, "k must be"),
        (lambda: functions.bitcast([True], "int8"), DTypeError, "bool"),
        (lambda: functions.bitcast(np.zeros(3, "int8"), "int32"), ShapeError, "size 4"),
        (lambda: functions.negative(True), DTypeError, "bool"),
        (lambda: functions.less(1j, 2), DTypeError, "complex"),
        (lambda: functions.bitwise_and(1.0, 2), DTypeError, "float"),
        (lambda: functions.add("a", 1), DTypeError, "str"),
        (lambda: functions.add(None, 1), DTypeError, "NoneType"),
    ],
)
def test_bad_operands_say_what_is_wrong(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
