"""graph_function: variables made inside, threads, re-entrance, numbers that code needs."""

from __future__ import annotations

import functools
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import dispatch

compiled = functools.partial(pl.graph_function, backend="planned")


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


class Lazy:
    """A layer that is built when it is called first."""

    def __init__(self, initial: Any) -> None:
        self.initial, self.calls = initial, 0
        self.w: Any = None

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        if self.w is None:
            self.w = pl.Variable(self.initial)
        self.w.assign_add(x)
        return x * self.w


@pytest.mark.parametrize("initial", [np.ones(2, np.float32), lambda: pl.ones((2,))])
@pytest.mark.parametrize("nested", [False, True])
def test_a_variable_made_on_the_first_call_is_state(initial: Any, nested: bool) -> None:
    layer, plain = Lazy(initial), Lazy(initial)
    f = compiled(layer)
    called = compiled(lambda x: f(x) + 0) if nested else f
    for _ in range(3):
        assert called(x32(2)).numpy().tolist() == plain(x32(2)).numpy().tolist()
    assert layer.calls == plain.calls
    assert layer.w.numpy().tolist() == plain.w.numpy().tolist()
    layer.w.assign(pl.zeros((2,)))
    assert called(x32(2)).numpy().tolist() == [0, 1]


def test_random_initial_values_are_drawn_once() -> None:
    layers = [Lazy(lambda: pl.random.normal((2,))) for _ in range(2)]
    pl.random.seed(3)
    compiled(lambda x: layers[0](x) + layers[1](x))(pl.zeros((2,)))
    rest = pl.random.normal((2,)).numpy()
    pl.random.seed(3)
    eager = [pl.random.normal((2,)).numpy() for _ in range(3)]
    assert [layer.w.numpy().tolist() for layer in layers] == [v.tolist() for v in eager[:2]]
    assert rest.tolist() == eager[2].tolist()


@pytest.mark.parametrize(
    "make",
    [lambda: pl.Variable(np.zeros(2)), lambda: pl.random.Generator(3).uniform((2,))],
)
def test_a_variable_made_at_every_call_is_an_error(make: Any) -> None:
    f = compiled(lambda x: x + make())
    for _ in range(2):
        with pytest.raises(pl.errors.TraceError, match="at every call") as caught:
            f(x32(2))
        assert "test_graph_function_state.py" in str(caught.value)


def test_seeding_inside_is_seeding() -> None:
    def draw() -> Any:
        pl.random.seed(3)
        return pl.random.uniform((2,))

    f = compiled(draw)
    assert f().numpy().tolist() == draw().numpy().tolist() == f().numpy().tolist()
    f()
    after = float(pl.random.uniform())
    draw()
    assert after == float(pl.random.uniform())


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_exception_half_way_leaves_what_eager_code_leaves(failure: type[BaseException]) -> None:
    v, fail = pl.Variable(np.zeros(2, np.float32)), [True]

    def function(x: Any, k: float) -> Any:
        v.assign_add(x)
        x[0] = 7.0
        if fail:
            raise failure
        return x * k

    inner = compiled(function)
    f = compiled(lambda x, k: inner(x, k))
    is_error = issubclass(failure, Exception)  # others interrupt: nothing has happened then
    for k in (1.0, 2.0):
        x = x32(2)
        with pytest.raises(failure):
            f(x, k)
        assert not dispatch.active or dispatch.EAGER.executors
        assert not dispatch.interpreters()
        assert len(f._specializer) == 0
        assert not f._specializer._busy
        assert v.numpy().tolist() == ([0, k] if is_error else [0, 0])
        assert x.numpy().tolist() == ([7, 1] if is_error else [0, 1])
    v.assign(v * 0)
    fail.clear()
    assert f(x32(2), 3.0).numpy().tolist() == [21, 3]


def test_a_thread_inside_a_trace_may_call_compiled_functions() -> None:
    helper = compiled(lambda x: x * 2)

    def function(x: Any) -> Any:
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(helper(x32(3))), daemon=True)
        thread.start()
        thread.join(20)
        return x + found[0]

    assert compiled(function)(x32(3)).numpy().tolist() == [0, 3, 6]


def test_functions_that_call_each_other_trace_in_two_threads() -> None:
    barrier, results = threading.Barrier(2), []

    def first(x: Any) -> Any:
        wait_for(barrier)
        return g(x) if x.ndim == 1 else x + 1

    def second(x: Any) -> Any:
        wait_for(barrier)
        return f(x) if x.ndim == 2 else x + 2

    f, g = compiled(first), compiled(second)
    threads = [
        threading.Thread(target=lambda: results.append(f(x32(2)).numpy().tolist()), daemon=True),
        threading.Thread(target=lambda: results.append(g(x32(1, 2)).numpy().tolist()), daemon=True),
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join(20)
    assert sorted(map(str, results)) == ["[2.0, 3.0]", "[[1.0, 2.0]]"]


def wait_for(barrier: threading.Barrier) -> None:
    """Meet the other thread, unless it never comes."""
    try:
        barrier.wait(0.2)
    except threading.BrokenBarrierError:
        return


def test_many_threads_with_many_signatures_and_a_small_cache() -> None:
    f = compiled(lambda x, k: x * k, cache_size=2)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for i in range(60):
                n, k = 1 + (seed + i) % 4, float(i % 3)
                assert f(x32(n), k).numpy().tolist() == (x32(n).numpy() * np.float32(k)).tolist()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert len(f._specializer) <= 2
    assert len(f._specializer._families) <= 2


CODE_THAT_NEEDS_A_NUMBER = [
    lambda x, k: x + {1: 10.0, 2: 20.0, 3: 30.0}[k],
    lambda x, k: x[:k],
    lambda x, k: pl.zeros((k * 2 + 1,)),
    lambda x, k: x + k.bit_length(),
    lambda x, k: x + len(range(k)),
    lambda x, k: pl.sum(x.reshape(k, -1), axis=k - 1) if k < 3 else x,
    lambda x, k: pl.reshape(x, (k, -1)) if k in (1, 2) else x,
    lambda x, k: x * (0 if k in {1, 3} else 1),
]


@pytest.mark.parametrize("function", CODE_THAT_NEEDS_A_NUMBER)
def test_code_that_needs_a_number_gets_it(function: Any) -> None:
    f = compiled(function)
    for k in (1, 2, 3, 2):
        got, want = f(x32(4), k), function(x32(4), k)
        assert got.dtype == want.dtype
        assert got.numpy().tolist() == want.numpy().tolist()


def test_a_failing_function_fails_with_its_own_error() -> None:
    @compiled
    def f(x: Any, k: float) -> Any:
        raise KeyError(k)

    for k in (1.0, 2.0, 3.0):
        with pytest.raises(KeyError, match=str(k)):
            f(x32(2), k)


def used_function() -> list[Any]:
    """Weak references to a compiled function that was called, and to what it uses."""
    w, v = x32(3), pl.Variable(np.ones(3, np.float32))

    def function(x: Any, k: float) -> Any:
        v.assign_add(w)
        return x * k + w

    f = compiled(function)
    for k in (1.0, 2.0):
        f(x32(3), k)
    return [weakref.ref(o) for o in (f, function, w, v)]


def test_functions_and_what_they_capture_go_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        assert [ref() for ref in used_function()] == [None] * 4
    finally:
        gc.enable()


def test_static_positions_count_self() -> None:
    traces = []

    class Model:
        @pl.graph_function(static=2, backend="planned")
        def scaled(self, x: Any, k: float) -> Any:
            traces.append(k)
            return x * k

    model = Model()
    for k in (1.0, 2.0, 3.0):
        model.scaled(x32(2), k)
    assert traces == [1, 2, 3]


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_threads_share_state(backend: str) -> None:
    v, w = pl.Variable(np.zeros(100, np.float32)), pl.Variable(np.zeros(100, np.float32))

    @pl.graph_function(backend=backend)
    def step() -> None:
        v.assign_add(pl.ones((100,)))
        w.assign_sub(pl.ones((100,)))

    @pl.graph_function(backend=backend)
    def zero() -> Any:
        return v + w

    step()
    zero()
    failures: list[Any] = []

    def work(act: Any) -> None:
        try:
            for _ in range(50):
                act()
        except BaseException as error:
            failures.append(error)

    def read() -> None:
        values = zero().numpy(), v.numpy(), v.value.numpy(), (v + 0).numpy()
        for value in values:
            assert (value == value[0]).all()
        assert (values[0] == 0).all()

    threads = [threading.Thread(target=work, args=(act,)) for act in (step, step, step, read, read)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert v.numpy().tolist() == [151] * 100
    assert w.numpy().tolist() == [-151] * 100
