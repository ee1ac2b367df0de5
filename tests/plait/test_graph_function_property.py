"""graph_function: random programs mean the same undecorated and compiled, by property."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import plait as pl

Step = tuple[str, int, int, int]


# Each takes the values so far by two numbers, and a Python number.
@pl.graph_function(backend="planned")
def nested(a: Any, b: Any, k: Any) -> Any:
    """Calls from eager programs run it, calls from traced ones are inlined."""
    return a * k + b.sum()


@pl.graph_function(backend="planned")
def nested_write(a: Any, k: Any) -> Any:
    """Writes into its argument."""
    if _is_array(a):
        a[:1] = k
    return a


def _is_array(a: Any) -> bool:
    return getattr(a, "ndim", 0) > 0


OPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda a, b, k: a + b,
    "sub": lambda a, b, k: a - b,
    "mul": lambda a, b, k: a * b,
    "scale": lambda a, b, k: a * k,
    "rsub": lambda a, b, k: k - a,
    "half": lambda a, b, k: a / 2,
    "less": lambda a, b, k: a < b,
    "negative": lambda a, b, k: pl.negative(a + 0),
    "tanh": lambda a, b, k: pl.tanh(a),
    "square": lambda a, b, k: np.square(a + 0),
    "maximum": lambda a, b, k: pl.maximum(a, b),
    "np.maximum": lambda a, b, k: np.maximum(a, b),
    "where": lambda a, b, k: pl.where(pl.greater(a, k), a, b),
    "sum": lambda a, b, k: a.sum(),
    "rows": lambda a, b, k: a.sum(axis=-1) if a.ndim else a,
    "mean": lambda a, b, k: pl.mean(a, keepdims=True),
    "transpose": lambda a, b, k: a.T,
    "reshape": lambda a, b, k: a.reshape(-1),
    "reversed": lambda a, b, k: a[::-1] if a.ndim else a,
    "first": lambda a, b, k: a[0] if a.ndim and a.shape[0] else a,
    "newaxis": lambda a, b, k: a[None],
    "copy": lambda a, b, k: a.copy(),
    "cast": lambda a, b, k: a.astype(np.float64),
    "write": lambda a, b, k: _written(a, k),
    "write part": lambda a, b, k: _part_written(a, k),
    "in place": lambda a, b, k: _added_in_place(a, k),
    "view write": lambda a, b, k: _view_written(a, k),
    "stack": lambda a, b, k: pl.stack([a, a]),
    "pair": lambda a, b, k: b,
    "concat": lambda a, b, k: pl.concat([a.reshape(-1), b.reshape(-1)]),
    "np.concatenate": lambda a, b, k: np.concatenate([a.reshape(-1), a.reshape(-1)]),
    "cumsum": lambda a, b, k: a.reshape(-1).cumsum(),
    "np.cumsum": lambda a, b, k: np.cumsum(a.reshape(-1)),
    "clip": lambda a, b, k: pl.clip(a, -1, 1),
    "all": lambda a, b, k: (a > 0).all(),
    "argmax": lambda a, b, k: a.argmax() if a.size else a,
    "split": lambda a, b, k: pl.split(a.reshape(-1), 1)[0],
    "outer": lambda a, b, k: a.reshape(-1, 1) @ b.reshape(1, -1),
    "broadcast": lambda a, b, k: pl.broadcast_to(a, (2, *a.shape)),
    "take": lambda a, b, k: a.reshape(-1)[[0, 0]] if a.size else a,
    "mask": lambda a, b, k: np.where(a > 0, a, 0),
    "divmod": lambda a, b, k: divmod(a, 2)[0],
    "number": lambda a, b, k: a + (k * 2 - 1),
    "nested": lambda a, b, k: nested(a, b, k),
    "nested write": lambda a, b, k: nested_write(a, k),
}


def _written(a: Any, k: int) -> Any:
    if _is_array(a):
        a[...] = k
    return a


def _part_written(a: Any, k: int) -> Any:
    if _is_array(a):
        a[:1] = k
    return a


def _added_in_place(a: Any, k: int) -> Any:
    if _is_array(a) and a.dtype != bool:
        a += k
    return a


def _view_written(a: Any, k: int) -> Any:
    if _is_array(a):
        view = a[1:]
        view[...] = k
    return a


def program(steps: list[Step], results: list[int]) -> Callable[..., Any]:
    """A function of three arguments that does the steps."""

    def function(x: Any, y: Any, k: Any) -> Any:
        values: list[Any] = [x, y]
        for name, i, j, number in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(OPS[name](a, b, k if number == 0 else number))
        return [values[i % len(values)] for i in results], values[-1]

    return function


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a call gives, and what it leaves of its arguments; or that it fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, last = function(*arguments)
    except (pl.errors.PlaitError, ValueError, TypeError, OverflowError) as error:
        return type(error).__name__
    return [*values, last, *arguments]


def describe(value: Any) -> Any:
    """Class, dtype and shape; NumPy gives scalars for arrays without dimensions, mostly."""
    kind = np.ndarray if isinstance(value, np.generic) else type(value)
    return kind, getattr(value, "dtype", None), getattr(value, "shape", None)


def assert_equal(got: Any, want: Any) -> None:
    """Same classes, dtypes, shapes, values, and the same objects twice where they were."""
    assert [describe(v) for v in got] == [describe(v) for v in want]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(np.asarray(g), np.asarray(w), rtol=1e-5, atol=1e-5)


steps = st.lists(
    st.tuples(
        st.sampled_from(sorted(OPS)), st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)
    ),
    min_size=1,
    max_size=6,
)
kinds = st.sampled_from(["tensor", "ndarray"])
dtypes = st.sampled_from([np.float32, np.float64, np.int32, np.int64])
shapes = st.sampled_from([(), (3,), (2, 3), (0, 3), (1, 3), (2, 1)])


def make(kind: str, dtype: Any, shape: Any, shift: int) -> Any:
    """An argument."""
    array = (np.arange(int(np.prod(shape))).reshape(shape) + shift).astype(dtype)
    return pl.asarray(array) if kind == "tensor" else array


def check(backend: str, code: Any, results: Any, types: Any, numbers: Any) -> None:
    """Run a program undecorated and compiled, several times."""
    function = program(code, results)
    f = pl.graph_function(function, backend=backend)
    for k in numbers:
        want = outcome(function, (*[make(*t) for t in types], k))
        got = outcome(f, (*[make(*t) for t in types], k))
        if isinstance(want, str):
            assert isinstance(got, str)
            continue
        assert not isinstance(got, str), got
        assert_equal(got, want)


def arguments(shift: int) -> Any:
    """Kind, dtype and shape of an argument."""
    return st.tuples(kinds, dtypes, shapes, st.just(shift))


@pytest.mark.parametrize("backend", ["planned", "reference"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.lists(st.integers(0, 7), max_size=3), arguments(1), arguments(-2), st.booleans())
def test_random_programs_mean_the_same(
    backend: str, code: Any, results: Any, x: Any, y: Any, whole: bool
) -> None:
    check(backend, code, results, (x, y), (1, 2, 3) if whole else (0.5, 1.5, -2.0))


@settings(max_examples=10, deadline=None)
@given(steps, st.lists(st.integers(0, 7), max_size=3), arguments(1), arguments(-2))
def test_random_programs_mean_the_same_on_xla(code: Any, results: Any, x: Any, y: Any) -> None:
    check("xla", code, results, (x, y), (0.5,))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize(
    ("exponent", "op"), [(2, "square"), (2.0, "square"), (0.5, "sqrt"), (-1.0, "reciprocal")]
)
def test_a_power_with_a_plain_exponent_has_the_bits_of_eager_code(
    dtype: str, exponent: float, op: str
) -> None:
    """NumPy computes these by ``x * x``, ``sqrt``, ``1 / x``, which round unlike other powers."""
    values = np.random.default_rng(0).normal(0, 9, 10_000).astype(dtype)
    powers = pl.graph_function(lambda x: x**exponent, backend="planned")
    with np.errstate(invalid="ignore", divide="ignore"):
        expected, found = values**exponent, powers(values)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    used = {node.op.name for node in powers.graph(values).nodes}
    assert op in used
