"""Tapes where things go wrong or in unusual ways: errors, generators, arrays, segments, memory."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import dispatch


def vector(*values: float) -> pl.Tensor:
    return pl.asarray(np.array(values))


def check(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-9)


def plain(f: Any) -> Any:
    return f


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    assert dispatch.tapes() == []
    assert dispatch.depth() == 0
    assert not dispatch.recording


# Errors.


def test_errors_and_interrupts_leave_no_tape_behind() -> None:
    def stopped(x: pl.Tensor) -> pl.Tensor:
        with pl.GradientTape() as tape:
            tape.watch(x * 1)
            raise KeyboardInterrupt

    x = vector(2.0)
    calls: list[Callable[[], Any]] = [
        lambda: pl.grad(stopped)(x),
        lambda: pl.gradients_function(stopped)(x),
        lambda: pl.implicit_gradients(stopped)(x),
        lambda: pl.jvp(stopped, (x,), (x,)),
        lambda: pl.vjp(stopped, x),
        lambda: pl.jacobian(stopped)(x),
        lambda: pl.hessian(stopped)(x),
        lambda: pl.vmap(pl.grad(stopped))(x),
        lambda: pl.grad(pl.remat(stopped))(x),
        lambda: pl.grad(pl.graph_function(stopped))(x),
        lambda: pl.graph_function(pl.grad(stopped))(x),
    ]
    for call in calls:
        with pytest.raises(KeyboardInterrupt):
            call()
        assert dispatch.tapes() == []
        assert not dispatch.recording


def test_a_tape_whose_block_failed_can_be_played() -> None:
    x = vector(2.0)
    tape = pl.GradientTape()

    def fail() -> None:
        with tape:
            tape.watch(x)
            made.append(x * x)
            raise RuntimeError

    made: list[Any] = []
    with pytest.raises(RuntimeError):
        fail()
    (y,) = made
    check(tape.gradient(y, x), [4.0])


@pytest.mark.parametrize("compiled", [plain, pl.graph_function])
def test_a_failed_check_is_shown_at_the_users_line(compiled: Any) -> None:
    def take_one(x: pl.Tensor, i: pl.Tensor) -> pl.Tensor:
        return pl.sum(pl.gather(x, i) * 2)

    pick = compiled(take_one)
    for call in (pl.grad(pick), compiled(pl.grad(pick))):
        with pytest.raises(pl.errors.IndexOutOfRangeError, match=r"7(.|\n)*test_tape_hostile") as e:
            call(vector(1.0, 2.0), pl.asarray(7))
        shown = {frame.filename for frame in traceback.extract_tb(e.tb)}
        assert shown == {__file__}


def test_an_error_in_a_users_way_back() -> None:
    @pl.custom_gradient
    def f(x: pl.Tensor) -> Any:
        def back(g: pl.Tensor) -> pl.Tensor:
            raise KeyError("mine")

        return x * x, back

    x = vector(2.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = f(x), x * x
    with pytest.raises(KeyError, match="mine"):
        tape.gradient(y, x)
    check(tape.gradient(z, x), [4.0])


def test_misuse_is_refused_at_the_users_line() -> None:
    x, tape = vector(2.0), pl.GradientTape()
    calls: tuple[Callable[[], Any], ...] = (
        lambda: tape.gradient(x, x),
        lambda: tape.watch(x),
        lambda: tape.explain(x, x),
        lambda: tape.stop_recording(),
        lambda: tape.watched_variables(),
        lambda: tape.__enter__(),
    )
    for i, call in enumerate(calls):
        if i == len(calls) - 1:
            tape.__enter__()
        with pytest.raises(pl.errors.TraceError, match="test_tape_hostile") as e:
            call()
        assert {frame.filename for frame in traceback.extract_tb(e.tb)} == {__file__}
    tape.__exit__(None, None, None)
    tape.__exit__(None, None, None)


# Where tapes record.


def test_tapes_in_generators_and_out_of_order() -> None:
    x = vector(2.0)

    def steps() -> Generator[Any, None, None]:
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            yield None
            y = y * x
            yield tape, y

    first, second = steps(), steps()
    next(first)
    next(second)
    for tape, y in (next(first), next(second)):
        check(tape.gradient(y, x), [12.0])
    first.close()
    second.close()
    dropped = steps()
    next(dropped)
    del dropped
    gc.collect()


def test_tapes_in_coroutines() -> None:
    x = vector(2.0)
    f = pl.graph_function(lambda x: x * x)

    async def work(scale: float) -> Any:
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = f(x) * scale
            await asyncio.sleep(0)
            z = y * x
        return tape.gradient(z, x)

    async def all_of_it() -> Any:
        return await asyncio.gather(*[work(float(k)) for k in range(1, 4)])

    for k, found in enumerate(asyncio.run(all_of_it()), 1):
        check(found, [12.0 * k])


def test_a_compiled_function_that_threads_share_under_tapes() -> None:
    f = pl.graph_function(lambda x: pl.sum(pl.tanh(x) * x))
    x, found = vector(0.1, 0.2), list[Any]()

    def work() -> None:
        for _ in range(5):
            with pl.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            found.append(tape.gradient(y, x))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t = np.tanh([0.1, 0.2])
    assert len(found) == 20
    for gradient in found:
        check(gradient, t + np.array([0.1, 0.2]) * (1 - t * t))


def test_a_tape_goes_on_recording_and_starts_anew() -> None:
    x, tape = vector(2.0), pl.GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        y = x * x
    with tape:
        z = y * x
    check(tape.gradient(z, x), [12.0])
    with tape, pl.GradientTape(persistent=True) as inner:
        tape.reset()
        tape.watch(x)
        inner.watch(x)
        z = x * x * x
        slope = inner.gradient(z, x)
    check(slope, [12.0])
    check(tape.gradient(slope, x), [12.0])


def test_a_tape_starts_anew_in_a_function_that_runs_in_segments() -> None:
    x, tape = vector(2.0), pl.GradientTape(persistent=True)

    @pl.graph_function
    def broken(x: pl.Tensor) -> Any:
        assert float(np.asarray(x)[0]) == 2.0
        with pl.GradientTape() as mine:
            mine.watch(x)
            mine.reset()
            mine.watch(x)
            y = x * x * x
        with tape:
            z = y * x * x
        return mine.gradient(y, x), z

    with tape:
        tape.watch(x)
    with pytest.warns(pl.errors.GraphBreakWarning):
        found, z = broken(x)
    check(found, [12.0])
    check(tape.gradient(z, x), [32.0])  # what the other one saw was not for this one


def test_a_tape_of_a_compiled_function_is_not_asked_outside() -> None:
    tape = pl.GradientTape(persistent=True)

    @pl.graph_function
    def f(x: pl.Tensor) -> Any:
        with tape:
            tape.watch(x)
            y = x * x
        return y, tape.gradient(y, x)

    x = vector(2.0)
    y, found = f(x)
    check(found, [4.0])
    for call in (lambda: tape.gradient(y, x), tape.__enter__):
        with pytest.raises(pl.errors.TraceError, match="recorded inside a compiled function"):
            call()
    tape.reset()
    with tape:
        tape.watch(x)
        z = x * x
    check(tape.gradient(z, x), [4.0])


# NumPy's arrays.


OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda x, a: x * a,
    lambda x, a: a * x,
    lambda x, a: np.multiply(a, x),
    lambda x, a: np.dot(a, x),
    lambda x, a: pl.multiply(x, a),
    lambda x, a: x @ a,
    lambda x, a: pl.stack([x, a]).prod(axis=0),
    lambda x, a: x.__mul__(1).__imul__(a) * x,
    lambda x, a: x * pl.asarray(a),
    lambda x, a: pl.vmap(pl.multiply)(x, a),
    lambda x, a: pl.remat(pl.multiply)(x, a),
    lambda x, a: pl.graph_function(lambda x, a: x * a)(x, a),
    lambda x, a: pl.graph_function(lambda x: x * a)(x),
    lambda x, a: pl.graph_function(lambda x, a: x * a, backend="planned")(x, a),
    lambda x, a: x[a.astype(int) - 3] * x,
    lambda x, a: pl.take(x, a.astype(int) - 3) * x,
    lambda x, a: pl.where(a > 3.5, x * x, a * x),
]


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
def test_arrays_may_be_written_to_before_the_tape_is_played(number: int) -> None:
    operation = OPERATIONS[number]
    x = vector(1.0, 2.0)
    wanted = pl.grad(lambda x: pl.sum(operation(x, np.array([3.0, 4.0]))))(x)
    a = np.array([3.0, 4.0])
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = pl.sum(operation(x, a))
        a[:] = np.nan
    check(tape.gradient(y, x), wanted)


def test_indices_may_be_written_to_before_the_tape_is_played() -> None:
    x, i, mask = vector(1.0, 2.0, 3.0), np.array([0, 0, 1]), np.array([True, False, True])
    with pl.GradientTape() as tape:
        tape.watch(x)
        z = x * 1
        z[i[1:]] = z[1:] * 5
        y = pl.sum(x[i] * vector(1.0, 10.0, 100.0)) + pl.sum(x[mask]) + pl.sum(z)
        i[:], mask[:] = 2, False
    check(tape.gradient(y, x), [11 + 1 + 0, 100 + 0 + 5, 0 + 1 + 1 + 5])


def test_arrays_that_numpy_writes_results_into_are_constants() -> None:
    x, out, factor = vector(3.0, 4.0), np.zeros(2), np.ones(2)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        assert np.multiply(x, x, out=out) is out
        factor *= x
        y = pl.sum(x * out * factor)
        tensor: Any = vector(0.0, 0.0)
        np.multiply(x, x, out=tensor)
        z = pl.sum(tensor * x)
    check(out, [9.0, 16.0])
    check(tape.gradient(y, x), [27.0, 64.0])
    check(tape.gradient(z, x), [27.0, 48.0])


def test_functions_of_numpy_that_plait_has_not() -> None:
    with pytest.raises(pl.errors.TraceError, match=r"np\.frexp cannot be recorded by a gradient"):
        pl.grad(lambda x: np.frexp(x)[0])(2.0)


@pytest.mark.parametrize("compiled", [plain, pl.graph_function])
def test_writes_into_views_under_a_tape(compiled: Any) -> None:
    def spread(x: pl.Tensor) -> pl.Tensor:
        y = pl.zeros((2, 3), dtype="float64")
        y[0] = x
        y[1] = x * 2
        y.T[0] *= 3.0
        z = pl.sum(y * pl.broadcast_to(x, (2, 3)))
        y[:] = 0
        return z

    def shifted(x: pl.Tensor) -> pl.Tensor:
        a = x * 1
        a[1:] = a[:-1]
        a[1:] += a[:-1]
        return pl.sum(a * vector(1.0, 10.0, 100.0))

    x = vector(1.0, 2.0, 3.0)
    check(pl.grad(compiled(spread))(x), [18.0, 12.0, 18.0])
    check(pl.grad(compiled(shifted))(x), [1 + 20 + 100, 100.0, 0.0])


# Memory.


def test_nothing_that_a_gradient_used_is_kept_in_cycles() -> None:
    scale = pl.Variable(2.0, dtype="float64")

    def used(derivative: Callable[[Any, Any], Any]) -> list[Any]:
        data, x = vector(1.0, 2.0), vector(3.0, 4.0)
        derivative(lambda x: pl.sum(pl.sin(x * data) * scale), x)
        return [weakref.ref(data), weakref.ref(x), weakref.ref(data.numpy())]

    derivatives: list[Callable[[Any, Any], Any]] = [
        lambda f, x: pl.grad(f)(x),
        lambda f, x: pl.grad(lambda x: pl.sum(pl.grad(f)(x)))(x),
        lambda f, x: pl.gradients_function(f)(x),
        lambda f, x: pl.implicit_gradients(f)(x),
        lambda f, x: pl.vjp(f, x)[1](1.0),
        lambda f, x: pl.jvp(f, (x,), (x,)),
        lambda f, x: pl.jacobian(f)(x),
        lambda f, x: pl.hessian(f)(x),
        lambda f, x: pl.grad(pl.custom_gradient(lambda x: (f(x), lambda g: g * x)))(x),
    ]
    gc.collect()
    gc.disable()
    try:
        for i, derivative in enumerate(derivatives):
            assert [r() for r in used(derivative)] == [None] * 3, i
    finally:
        gc.enable()


def test_a_long_record_is_played_and_freed_without_recursion() -> None:
    x = vector(1.001)
    tape = pl.GradientTape()
    with tape:
        tape.watch(x)
        y = x
        for _ in range(20_000):
            y = pl.sin(y)
    kept = weakref.ref(y)
    assert float(tape.gradient(y, x)[0]) > 0
    del y, tape
    assert kept() is None
