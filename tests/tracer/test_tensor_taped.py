"""Eager gradients by notes of arrays, and by the general way: equal values, records and errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import dispatch
from plait.ir.autodiff import Recording
from plait.tracer import recorded

_UNARY = "abs atan cbrt cos exp log negative sign sin sqrt square tan tanh"
_BINARY = (
    "add copysign divide fmod hypot logaddexp maximum minimum multiply power remainder subtract"
)
UNARY, BINARY = _UNARY.split(), _BINARY.split()
OPERATORS: dict[str, Callable[[Any], Any]] = {
    "x + 2": lambda x: x + 2,
    "2 - x": lambda x: 2 - x,
    "x * 0.1": lambda x: x * 0.1,
    "x / 3": lambda x: x / 3,
    "1.5 / x": lambda x: 1.5 / x,
    "-x": lambda x: -x,
    "abs(x)": abs,
    "x ** 2": lambda x: x**2,
    "x * True": lambda x: x * True,
    "x * 1e300": lambda x: x * 1e300 if x.dtype == pl.float64 else x,
    "x @ x": lambda x: x @ x if x.ndim == 2 and x.shape[0] == x.shape[1] else x,
    "sum": lambda x: pl.sum(x),
    "mean": lambda x: pl.mean(x * x) if x.size else pl.sum(x),
    "sum, axis": lambda x: pl.sum(x, axis=0) if x.ndim else x,
    "reused": lambda x: pl.tanh(x) * x + x * x,
    "itself": lambda x: x,
    "integers between": lambda x: x * pl.astype(pl.floor(x), "int32"),
    "dtypes between": lambda x: pl.sum(x * pl.asarray(np.float64(3.0))) + pl.sum(x),
    "broadcast": lambda x: pl.sum(x[..., None] * pl.ones((1, 2), dtype=x.dtype)) + x,
    "view": lambda x: x[...] * x,
}
SHAPES = [(), (4,), (0,), (2, 3), (3, 3)]
DTYPES = ["float32", "float64", "float16", "complex64"]


@contextmanager
def generally() -> Iterator[None]:
    """Run everything the general way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "only_tape", lambda: None)
        patch.setattr(dispatch, "is_plain", lambda: False)
        yield


def values(shape: tuple[int, ...], dtype: str, seed: int) -> Any:
    made = np.random.default_rng(seed).uniform(0.5, 2.0, shape).astype(dtype)
    return pl.asarray(made)


def gradient(f: Callable[..., Any], *given: Any) -> tuple[Any, list[Any], list[str]]:
    """The value, the gradients and the names of the records."""
    with pl.GradientTape() as tape:
        tape.watch(*given)
        y = f(*given)
    names = [record.name for record in tape._found().records]
    weights = pl.ones(y.shape, dtype=y.dtype)
    return y, tape.gradient(y, list(given), output_gradients=weights), names


def check_alike(f: Callable[..., Any], *given: Any) -> None:
    mine = gradient(f, *given)
    with generally():
        theirs = gradient(f, *given)
    assert mine[2] == theirs[2]
    for a, b in zip((mine[0], *mine[1]), (theirs[0], *theirs[1]), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert type(a._data) is np.ndarray
            np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str, shape: tuple[int, ...], dtype: str) -> None:
    if dtype == "complex64" and name == "integers between":
        return
    check_alike(OPERATORS[name], values(shape, dtype, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (4,)])
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(name: str, shape: tuple[int, ...], dtype: str) -> None:
    check_alike(getattr(pl, name), values(shape, dtype, 2))


@pytest.mark.parametrize("dtypes", [("float32",) * 2, ("float64",) * 2, ("float32", "float64")])
@pytest.mark.parametrize("shapes", [((), ()), ((4,), (4,)), ((2, 3), (3,))])
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two(name: str, shapes: Any, dtypes: Any) -> None:
    given = [values(s, d, i) for i, (s, d) in enumerate(zip(shapes, dtypes, strict=True))]
    check_alike(getattr(pl, name), *given)
    constant = values(shapes[1], dtypes[1], 5)
    check_alike(lambda x: getattr(pl, name)(x, constant), given[0])


def test_what_nothing_watched_goes_into_is_not_recorded() -> None:
    x, y = values((4,), "float32", 0), values((4,), "float32", 1)
    with pl.GradientTape() as tape:
        tape.watch(x)
        z = pl.tanh(y * y) + 1
        total = pl.sum(x * z)
    assert [record.name for record in tape._found().records] == ["multiply", "reduce_sum"]
    (g,) = tape.gradient(total, [x])
    np.testing.assert_array_equal(g.numpy(), z.numpy())


@pytest.mark.parametrize("slow", [False, True])
def test_writes_after_recording_change_no_gradient(slow: bool) -> None:
    x, w = values((4,), "float32", 0), values((4,), "float32", 1)
    before = x.numpy().copy(), w.numpy().copy()

    def run() -> Any:
        with pl.GradientTape() as tape:
            tape.watch(x, w)
            product = x * w
            squared = product * product
            total = pl.sum(squared)
        for tensor in (product, squared, x, w):
            tensor += 1
            tensor[0] = 7.0
        return tape.gradient(total, [x, w])

    if slow:
        with generally():
            found = run()
    else:
        found = run()
    a, b = before
    np.testing.assert_allclose(found[0].numpy(), 2 * a * b * b, rtol=1e-6)
    np.testing.assert_allclose(found[1].numpy(), 2 * a * a * b, rtol=1e-6)


def test_writes_while_recording_are_followed() -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        y += x
        y[0] = 3.0
        z = y * x
        y *= 10.0
        return pl.sum(z) + pl.sum(y)

    check_alike(f, values((4,), "float32", 0))


def test_an_operand_that_is_not_watched_is_kept_as_it_was() -> None:
    x, w = values((3,), "float32", 0), pl.asarray([1.0, 2.0, 3.0])
    view = w[1:]
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = x * w
    view += 100.0
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [1, 2, 3])


def test_persistent_tapes_and_subsets_of_sources() -> None:
    x, w, b = [values((4,), "float32", i) for i in range(3)]
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x, w, b)
        product = x * w
        y = pl.sum(pl.tanh(product + b))
    both = tape.gradient(y, [x, w, b])
    for i, source in enumerate((x, w, b)):
        np.testing.assert_array_equal(tape.gradient(y, source).numpy(), both[i].numpy())
    middle, end = tape.gradient(y, [product, b])
    np.testing.assert_array_equal(middle.numpy(), end.numpy())
    assert tape.gradient(product, b) is None
    np.testing.assert_array_equal(tape.gradient(y, y).numpy(), 1)


def test_nested_tapes() -> None:
    x = values((4,), "float64", 0)
    with pl.GradientTape() as outer:
        outer.watch(x)
        with pl.GradientTape() as inner:
            inner.watch(x)
            y = pl.sum(pl.tanh(x) * x)
        first = inner.gradient(y, x)
    second = outer.gradient(first, x)
    t, a = np.tanh(x.numpy()), x.numpy()
    slope = 1 - t * t
    np.testing.assert_allclose(first.numpy(), slope * a + t)
    np.testing.assert_allclose(second.numpy(), 2 * slope - 2 * t * slope * a)


def test_a_gradient_of_gradients_by_functions() -> None:
    def cube(x: Any) -> Any:
        return pl.sum(x * x * x)

    twice = pl.grad(lambda x: pl.sum(pl.grad(cube)(x)))
    np.testing.assert_allclose(twice(pl.asarray([1.0, 2.0])).numpy(), [6, 12])


def test_threads_record_for_themselves() -> None:
    found: dict[int, Any] = {}
    gate = threading.Barrier(4)

    def work(i: int) -> None:
        x = pl.asarray(np.full(3, float(i + 1), np.float32))
        gate.wait()
        for _ in range(200):
            if i == 3:  # no tape at all
                found[i] = pl.tanh(x * x).numpy()
            else:
                found[i] = pl.gradients_function(lambda v: pl.sum(v * v + v))(x)[0].numpy()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(3):
        np.testing.assert_array_equal(found[i], np.full(3, 2 * (i + 1) + 1, np.float32))
    np.testing.assert_array_equal(found[3], np.tanh(np.full(3, 16, np.float32)))
    assert not dispatch.recording
    assert not dispatch.trusting


def test_errors_are_those_of_the_general_way() -> None:
    x, y = values((3,), "float32", 0), values((4,), "float32", 0)
    for f in (lambda: x + y, lambda: pl.hypot(x, y), lambda: x @ y, lambda: x * "a"):
        with pytest.raises(Exception) as plain:  # noqa: PT011 - compared below
            f()
        with pl.GradientTape() as tape:
            tape.watch(x, y)
            with pytest.raises(type(plain.value)) as taped:
                f()
        assert str(taped.value).partition(" (")[0] == str(plain.value).partition(" (")[0]


def test_floating_point_warnings_are_those_of_numpy() -> None:
    x = pl.zeros(2)
    with pl.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            y = pl.log(x)
    assert np.isneginf(y.numpy()).all()
    assert np.isposinf(tape.gradient(y, x).numpy()).all()


def test_gradients_share_no_array_that_can_be_written_to() -> None:
    def f(x: Any, y: Any) -> Any:
        z = x + y
        return pl.sum(z * z * z)

    one, other = pl.gradients_function(f)(pl.asarray([1.0, 2.0]), pl.asarray([3.0, 4.0]))
    one += 1
    np.testing.assert_array_equal(other.numpy(), [48, 108])


@pytest.mark.parametrize("make", [pl.asarray, np.asarray])
def test_gradients_share_nothing_with_output_gradients(make: Callable[..., Any]) -> None:
    x, weights = pl.asarray([1.0, 2.0]), make([5.0, 6.0], dtype=np.float32)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x + 1
    one, other = [tape.gradient(y, x, output_gradients=weights) for _ in range(2)]
    one += 1
    np.testing.assert_array_equal(np.asarray(weights), [5, 6])
    weights += 100
    np.testing.assert_array_equal(one.numpy(), [6, 7])
    np.testing.assert_array_equal(other.numpy(), [5, 6])


def test_notes_are_taken_only_where_one_tape_alone_looks_on() -> None:
    x = values((2,), "float32", 0)
    assert dispatch.only_tape() is None
    with pl.GradientTape() as outer:
        assert dispatch.only_tape() is outer._found()
        with pl.GradientTape():
            assert dispatch.only_tape() is None
        with outer.stop_recording():
            assert dispatch.only_tape() is None
        with dispatch.suspended():
            assert dispatch.only_tape() is None
        with dispatch.use(dispatch.EAGER):
            assert dispatch.only_tape() is None
            outer.watch(x)
        assert dispatch.only_tape() is outer._found()
    assert dispatch.only_tape() is None
    assert isinstance(outer._found(), Recording)
    assert recorded.tapes() == []
