"""Calls that run in segments: everything is as in eager code, and little of it is run twice."""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import io
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.runtime import segments as runtime_segments
from plait.runtime.options import make_options
from plait.runtime.segments import SegmentRunner
from plait.tracer import segments
from tests.plait.runtime.segment_functions import FUNCTIONS


def runner(backend: str = "reference") -> SegmentRunner:
    options = make_options(
        backend=backend,
        signature=None,
        static=None,
        passes=None,
        checks="on",
        cache_size=128,
        name=None,
        max_traces=None,
        fullgraph=False,
    )
    return SegmentRunner("f", options)


def run(function: Callable[..., Any], *args: Any, backend: str = "reference") -> Any:
    """The result of a function that runs in segments."""
    return runner(backend).call(function, args, {})


@pytest.fixture(params=["recorded", "small at once"])
def how(request: Any, monkeypatch: Any) -> str:
    """Whether ops on a few elements are recorded, too."""
    if request.param == "recorded":
        monkeypatch.setattr(segments, "SMALL", -1)
        monkeypatch.setattr(runtime_segments, "SMALL", -1)
    return str(request.param)


def observed(call: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """What a call on new arguments gives, prints, raises and leaves behind."""
    x = pl.asarray(np.arange(12.0, dtype=np.float32).reshape(3, 4) - 4)
    n = pl.asarray(np.arange(4))
    state = {"v": pl.Variable(np.ones(3, np.float32)), "log": [], "out": pl.zeros(4)}
    text = io.StringIO()
    result: Any
    pl.random.seed(3)
    with contextlib.redirect_stdout(text), np.errstate(all="ignore"):
        try:
            result = call(function, x, n, state)
        except Exception as error:
            result = (type(error), str(error).splitlines()[0])
    left = [x, n, state["v"], state["log"], state["out"]]
    return shown(result), shown(left), text.getvalue()


def shown(value: Any) -> Any:
    """Anything in a form that compares exactly; floats are rounded for XLA."""
    if isinstance(value, pl.Variable):
        return ("variable", shown(value.value))
    if type(value) is pl.Tensor:
        array = value.numpy()
        rounded = np.round(array.astype(np.float64), 5) if array.dtype.kind == "f" else array
        return ("tensor", str(array.dtype), array.shape, rounded.tolist())
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [shown(item) for item in value])
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return (type(value).__name__, str(value.dtype), value.tolist())
    return round(value, 5) if isinstance(value, float) else value


@pytest.mark.parametrize("backend", ["reference", "planned"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: str(f.__name__))
def test_everything_is_as_in_eager_code(
    function: Callable[..., Any], backend: str, how: str
) -> None:
    eager = observed(lambda f, *args: f(*args), function)
    one = runner(backend)
    for _ in range(2):
        assert observed(lambda f, *args: one.call(f, args, {}), function) == eager


def test_everything_is_as_in_eager_code_on_the_default_backend(monkeypatch: Any) -> None:
    for limit in (segments.SMALL, -1):
        monkeypatch.setattr(segments, "SMALL", limit)
        monkeypatch.setattr(runtime_segments, "SMALL", limit)
        one = runner("xla")
        for function in FUNCTIONS[::3] if limit < 0 else FUNCTIONS:
            eager = observed(lambda f, *args: f(*args), function)
            found = observed(lambda f, *args, one=one: one.call(f, args, {}), function)
            assert found == eager, function.__name__


# What is compiled.


def big(*shape: int) -> Any:
    return pl.asarray(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


def test_equal_segments_are_compiled_once() -> None:
    one = runner("planned")

    def steps(x: Any, count: int) -> Any:
        for _ in range(count):
            x = pl.tanh(x) * 0.5
            float(x[0, 0])
        return x

    for count in (2, 30):
        found = one.call(steps, (big(200, 200), count), {})
        np.testing.assert_allclose(found, steps(big(200, 200), count), rtol=1e-6)
    assert len(one) <= 2


def test_numbers_that_change_make_no_new_segments() -> None:
    one, made = runner("planned"), []
    real = runtime_segments.segment_graph

    def counted(name: str, segment: Any, baked: Any) -> Any:
        made.append(len(baked))
        return real(name, segment, baked)

    runtime_segments.segment_graph = counted
    try:
        for k in range(20):
            x = big(200, 200)
            found = one.call(lambda x, k: float((x * (k + 0.5) + 1.0).sum()), (x, k), {})
            assert found == pytest.approx(float((x * (k + 0.5) + 1.0).sum()), rel=1e-4, abs=1e-2)
    finally:
        runtime_segments.segment_graph = real
    assert made == [2, 1]  # the second time 1.0 is still a constant
    assert len(one) == 1


def test_only_what_is_held_is_computed() -> None:
    outputs: list[int] = []
    one = runner("planned")
    real = one.execute

    def execute(segment: Any) -> Any:
        outputs.append(len(segment.outputs))
        return real(segment)

    one.execute = execute  # type: ignore[method-assign]

    def f(x: Any) -> Any:
        y = x + 1
        z = y * 2
        del y
        w = z - 3
        float(w[0, 0])
        return w, z

    one.call(f, (big(200, 200),), {})
    assert outputs == [3]


def test_a_long_run_is_cut() -> None:
    one = runner("planned")
    x = big(200, 200)

    def f(x: Any) -> Any:
        for _ in range(segments.LIMIT * 2 + 5):
            x = x + x * 0
        return x

    assert np.array_equal(one.call(f, (x,), {}), x)
    assert len(one) >= 2


def test_the_cache_is_bounded() -> None:
    one = SegmentRunner("f", make_options(
        backend="reference", signature=None, static=None, passes=None, checks="on",
        cache_size=1, name=None, max_traces=None, fullgraph=False,
    ))  # fmt: skip
    for size in range(10):
        one.call(lambda x: x * 2, (big(1000, 50 + size),), {})
    assert len(one) == runtime_segments.SEGMENTS
    one.clear()
    assert len(one) == 0


# Errors, interruptions, threads.


def test_what_ran_before_an_error_has_happened() -> None:
    v = pl.Variable(np.zeros(40000, np.float32))
    kept: list[Any] = []

    def f(x: Any) -> Any:
        v.assign(x + 1)
        kept.append(x * 2)
        raise KeyError("halfway")

    with pytest.raises(KeyError, match="halfway"):
        run(f, big(40000))
    np.testing.assert_allclose(v.numpy(), big(40000) + 1)
    np.testing.assert_allclose(kept[0], big(40000) * 2)


def test_an_interruption_leaves_nothing_behind() -> None:
    v = pl.Variable(np.zeros(50000, np.float32))
    kept: list[Any] = []

    def f(x: Any) -> Any:
        v.assign(x + 1)
        kept.append(v * 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(f, big(50000))
    assert v.numpy().tolist() == [0] * 50000
    with pytest.raises(pl.errors.LeakedTracerError):
        kept[0].numpy()
    assert (pl.ones(3) + 1).tolist() == [2, 2, 2]


def test_an_interrupted_segment_can_run_again(monkeypatch: Any) -> None:
    one, failures = runner("planned"), [KeyboardInterrupt]
    real = one.execute

    def execute(segment: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(segment)

    monkeypatch.setattr(one, "execute", execute)

    def f(x: Any) -> Any:
        y = x + 1
        with contextlib.suppress(KeyboardInterrupt):
            float(y[0])
        return float(y[0])

    assert one.call(f, (big(50000),), {}) == 0


def test_other_threads_may_use_what_is_pending() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda k: (y + k).sum(), range(4)))
        return [float(p) for p in parts]

    np.testing.assert_allclose(run(f, big(200, 200)), f(big(200, 200)), rtol=1e-4, atol=1e-2)


def test_threads_run_in_segments_of_their_own() -> None:
    one = runner("planned")
    failures: list[Any] = []

    def f(x: Any, k: int) -> float:
        for _ in range(5):
            x = x * 1.5 + k
            if float(x[0]) > 1e6:
                break
        return float(x.sum())

    def work(k: int) -> None:
        for _ in range(10):
            found, wanted = one.call(f, (big(50000), k), {}), f(big(50000), k)
            if not np.isclose(found, wanted, rtol=1e-4):
                failures.append((found, wanted))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_handles_are_not_kept() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        y = x + 1
        kept.append(weakref.ref(y))
        z = y * 2
        del y
        gc.collect()
        assert kept[0]() is None
        return z

    run(f, big(50000))


# Compiled functions.


def test_a_break_is_warned_of_once_and_told() -> None:
    @pl.graph_function(backend="reference")
    def f(x: Any, k: int = 0) -> Any:
        total = x.sum().numpy().item()
        return x * total + k

    line = f.__wrapped__.__code__.co_firstlineno + 2
    with pytest.warns(pl.errors.GraphBreakWarning, match=rf"numpy\(\).*{line}") as caught:
        assert f(pl.ones(2)).tolist() == [2, 2]
    assert (caught[0].lineno, len(caught)) == (line, 1)
    assert "fullgraph=True" in str(caught[0].message)
    for k in range(5):
        assert f(pl.ones(3), k).tolist() == [3 + k] * 3
    assert [r.count for r in f.explain(fixes=False).breaks] == [6]


def test_a_whole_graph_may_be_demanded() -> None:
    @pl.graph_function(fullgraph=True)
    def f(x: Any) -> Any:
        return x * x.sum().numpy().item()

    for _ in range(2):
        with pytest.raises(pl.errors.TraceError, match=r"numpy\(\) needs the value"):
            f(pl.ones(2))


def test_there_is_no_graph_of_a_broken_function() -> None:
    @pl.graph_function
    def f(x: Any) -> Any:
        return x * x.sum().numpy().item()

    for look in (f.trace, f.graph):
        with pytest.raises(pl.errors.TraceError, match=r"numpy\(\) needs the value"):
            look(pl.ones(2))


def test_a_function_is_not_traced_again_for_a_signature_that_broke() -> None:
    runs: list[int] = []

    @pl.graph_function(backend="reference")
    def f(x: Any, k: int) -> Any:
        runs.append(k)
        return x + x.numpy().item() * k

    with pytest.warns(pl.errors.GraphBreakWarning):
        f(pl.ones(()), 0)
    first = len(runs)
    f(pl.ones(()), 0)
    assert len(runs) == first + 1
    for k in range(30):
        f(pl.ones(()), k)
    assert runs[-3:] == [27, 28, 29]


def test_a_broken_function_breaks_the_one_around_it() -> None:
    @pl.graph_function(backend="reference")
    def inner(x: Any) -> Any:
        return x + x.numpy().item()

    @pl.graph_function(backend="reference")
    def outer(x: Any) -> Any:
        y = x * 2
        try:
            return inner(y) + 1
        except BaseException as error:
            raise AssertionError("swallowed") from error

    @pl.graph_function(backend="reference")
    def plain(x: Any) -> Any:
        return inner(x * 2) + 1

    with pytest.warns(pl.errors.GraphBreakWarning, match="plain cannot"):
        assert plain(pl.ones(())).tolist() == 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        assert outer(pl.ones(())).tolist() == 5


def test_a_compiled_function_inside_sees_what_was_done_before() -> None:
    v = pl.Variable(np.ones(3, np.float32))

    @pl.graph_function(backend="reference")
    def inner(x: Any) -> Any:
        return x + v

    def f(x: Any) -> Any:
        y = x * 2
        v.assign(y[:3])
        z = inner(y[:3])
        v.assign_add(z)
        return inner(z), float(z.sum())

    eager, w = f(big(50000)), v.numpy()
    v.assign(np.ones(3, np.float32))
    found = run(f, big(50000))
    np.testing.assert_allclose(found[0], eager[0])
    np.testing.assert_allclose(v.numpy(), w)


def test_recursion_on_a_value() -> None:
    @pl.graph_function(backend="reference")
    def collatz(n: Any, steps: int) -> int:
        if n.numpy().item() == 1:
            return steps
        return collatz(n // 2 if n.numpy().item() % 2 == 0 else 3 * n + 1, steps + 1)  # type: ignore[no-any-return]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        assert collatz(pl.asarray(7), 0) == 16


def test_devices_and_no_compiler(monkeypatch: Any) -> None:
    monkeypatch.setenv("PLAIT_DISABLE_GRAPH", "1")

    @pl.graph_function
    def f(x: Any) -> Any:
        return x * float(x.sum())

    assert f(pl.ones(2)).tolist() == [2, 2]
