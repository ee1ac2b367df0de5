"""graph_function: what goes in comes out, one trace per signature, state, checks, errors."""

from __future__ import annotations

import dataclasses
import functools
import gc
import threading
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import plait as pl

# Most behaviour does not depend on the backend: the cheap one runs it.
compiled = functools.partial(pl.graph_function, backend="planned")


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


def traces(function: Any) -> int:
    """How many signatures a function holds."""
    return len(function._specializer)


@pytest.mark.parametrize("backend", ["reference", "planned", "xla"])
def test_backends_agree(backend: str) -> None:
    def f(x: Any, y: Any) -> Any:
        return pl.tanh(x @ y) + 1, x.sum()

    a, b = x32(3, 4) / 10, x32(4, 2) / 10
    got, expected = pl.graph_function(f, backend=backend)(a, b), f(a, b)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-6)


def test_what_goes_in_comes_out() -> None:
    f = compiled(lambda x: x + 1)
    assert type(f(x32(2))) is pl.Tensor
    assert type(f(np.ones(2))) is np.ndarray
    assert f(np.ones(2)).dtype == np.float64
    assert type(compiled(lambda x: x.sum())(np.ones(2))) is np.float64
    assert type(compiled(lambda x: pl.tanh(x))(np.ones(2))) is pl.Tensor
    mixed = compiled(lambda x, y: (x + 1, x + y))(np.ones(2, np.float32), x32(2))
    assert [type(v) for v in mixed] == [np.ndarray, pl.Tensor]


def test_ndarray_results_are_the_callers_own() -> None:
    result = compiled(lambda x: x * 2)(np.ones(3))
    result[0] = 7
    assert result.tolist() == [7, 2, 2]


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class State:
    """A container of two leaves."""

    h: Any
    steps: int = 3


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: (x,),
        lambda x: [x, (x, None)],
        lambda x: {"a": x, "b": [x]},
        lambda x: Point(x, 2),
        lambda x: State(x),
        lambda x: OrderedDict(z=x, a=x),
        lambda x: (None, "text", 3, ()),
    ],
)
def test_arguments_and_results_are_any_nest(make: Any) -> None:
    nest = make(x32(2))
    result = compiled(lambda n: n)(nest)
    assert repr(result) == repr(nest)
    assert type(result) is type(nest)
    doubled = compiled(lambda n: make(x32(2) * 2))(nest)
    assert repr(doubled) == repr(make(x32(2) * 2))


def test_an_argument_returned_is_the_argument() -> None:
    x, a = x32(2), np.ones(2)
    f = compiled(lambda x: (x, x + 1))
    assert f(x)[0] is x
    assert f(a)[0] is a


def test_one_trace_per_signature() -> None:
    f = compiled(lambda x, k=2: x * k)
    for _ in range(3):
        f(x32(2), k=2)
        f(x32(2))
        f(x32(2), 2)
    assert traces(f) == 1
    f(x32(3))
    f(np.ones(2, np.float32))
    f(x32(2), True)
    assert traces(f) == 4
    f.clear_cache()
    f(x32(2))
    assert traces(f) == 1


def test_dict_order_is_what_the_function_sees() -> None:
    def function(d: Any, **more: Any) -> Any:
        return pl.stack([*d.values(), *more.values()]), d

    f, one, two = compiled(function), pl.constant(1.0), pl.constant(2.0)
    for d, more in (({"a": one, "b": two}, {"p": one, "q": two}),) * 2:
        for order in (1, -1):
            given = [dict(list(x.items())[::order]) for x in (d, more)]
            got, want = f(given[0], **given[1]), function(given[0], **given[1])
            assert got[0].numpy().tolist() == want[0].numpy().tolist()
            assert [*got[1]] == [*want[1]]
    assert [*map(type, f({True: one})[1])] == [bool]
    assert [*map(type, f({1: one})[1])] == [int]


def test_slices_are_arguments() -> None:
    f = compiled(lambda x, s: x[s])
    assert [f(x32(5), slice(0, n)).shape for n in (2, 3, 4)] == [(2,), (3,), (4,)]


def test_cache_is_bounded() -> None:
    f = compiled(lambda x: x + 1, cache_size=2)
    for n in range(5):
        f(x32(n + 1))
    assert traces(f) == 2


def test_a_changing_number_becomes_an_input() -> None:
    f = compiled(lambda x, k: x * k)
    x = x32(3)
    for k in (0.5, 1.5, 2.5, -3.5):
        assert f(x, k).numpy().tolist() == (x.numpy() * np.float32(k)).tolist()
        assert f(x, k).dtype == np.float32
    assert traces(f) == 2
    for k in (1, 2, 3):
        assert f(x, k).dtype == np.float32
    assert traces(f) == 4


def test_a_number_that_shapes_need_stays_static() -> None:
    f = compiled(lambda x, n: sum([x + i for i in range(n)]))
    for n in (1, 2, 3):
        assert f(x32(2), n).numpy().tolist() == sum(x32(2).numpy() + i for i in range(n)).tolist()
    branch = compiled(lambda x, k: x * k if k > 1 else x - k)
    for k in (0.5, 1.5, 0.25, 2.5):
        expected = x32(2).numpy() * k if k > 1 else x32(2).numpy() - k
        assert branch(x32(2), k).numpy().tolist() == expected.tolist()


def test_numbers_stay_weak_and_wide() -> None:
    f = compiled(lambda x, k: (x + k, k))
    f(x32(1), 1.0)
    total, number = f(x32(1), 0.1)
    assert total.dtype == np.float32
    assert number == 0.1
    assert type(number) is float
    g = compiled(lambda k: k * 2)
    assert [g(k) for k in (1, 2, 3)] == [2, 4, 6]
    assert [type(g(k)) for k in (1.5, 2.5)] == [float, float]


def test_signed_zero_and_bool_are_signatures_of_their_own() -> None:
    f = compiled(lambda k: pl.copysign(pl.constant(1.0), k), static="k")
    assert float(f(0.0)) == 1
    assert float(f(-0.0)) == -1
    kinds = compiled(lambda k: type(k).__name__)
    assert [kinds(k) for k in (1, True, 1.0)] == ["int", "bool", "float"]


def test_static_keeps_a_number_in_the_signature() -> None:
    f = compiled(lambda x, k: x * k, static="k")
    for k in (1.5, 2.5, 3.5):
        f(x32(2), k)
    assert traces(f) == 3


def test_closed_over_tensors_are_read_at_each_call() -> None:
    w = x32(2)
    f = compiled(lambda x: x + w)
    assert f(x32(2)).numpy().tolist() == [0, 2]
    w[0] = 10
    assert f(x32(2)).numpy().tolist() == [10, 2]
    assert traces(f) == 1


def test_outside_ndarrays_are_read_at_each_call_and_inside_ones_are_constants() -> None:
    outside = np.ones(2, np.float32)
    f = compiled(lambda x: x + outside + np.full(2, 5, np.float32))
    assert f(x32(2)).numpy().tolist() == [6, 7]
    outside[:] = 3
    assert f(x32(2)).numpy().tolist() == [8, 9]
    assert len(f.graph(x32(2)).inputs) == 2


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_variables_are_updated(backend: str) -> None:
    v = pl.Variable(np.zeros(3, np.float32), name="v")

    @pl.graph_function(backend=backend)
    def step(x: Any) -> Any:
        v.assign_add(x)
        v.assign(v * 2)
        return v + 0

    assert step(x32(3)).numpy().tolist() == [0, 2, 4]
    assert step(x32(3)).numpy().tolist() == [0, 6, 12]
    assert v.numpy().tolist() == [0, 6, 12]
    v.assign(np.ones(3, np.float32))
    assert step(x32(3)).numpy().tolist() == [2, 4, 6]


def test_variables_are_updated_in_the_same_buffer() -> None:
    v = pl.Variable(np.zeros(1000, np.float32))

    @pl.graph_function
    def step(x: Any) -> None:
        v.assign_add(x)

    step(x32(1000))
    before = v._payload.unsafe_buffer_pointer()
    for _ in range(3):
        step(x32(1000))
    assert v._payload.unsafe_buffer_pointer() == before
    kept = v.value
    step(x32(1000))
    assert kept.numpy()[1] == 4
    assert v.numpy()[1] == 5


def test_nested_functions_share_state_and_inline() -> None:
    v = pl.Variable(np.float32(1))
    inner = compiled(lambda x: (v.assign_add(1.0), x * v)[1])
    outer = compiled(lambda x: inner(x) + inner(x + 1))
    assert float(outer(pl.constant(2.0))) == 2 * 2 + 3 * 3
    assert float(v.numpy()) == 3
    assert all(n.op.name != "call" for n in outer.graph(pl.constant(2.0)).nodes)


def test_nested_functions_close_over_tracers() -> None:
    @compiled
    def outer(x: Any) -> Any:
        inner = compiled(lambda y: y * x)
        return inner(x + 1) + inner(2.0)

    assert float(outer(pl.constant(3.0))) == 12 + 6


def test_methods_partials_lambdas_and_static_recursion() -> None:
    class Model:
        def __init__(self, w: float) -> None:
            self.w = pl.Variable(np.float32(w))

        @pl.graph_function(backend="planned")
        def __call__(self, x: Any, *, k: int = 2) -> Any:
            return x * self.w * k

    a, b = Model(2), Model(3)
    assert float(a(pl.constant(1.0))) == 4
    assert float(b(pl.constant(1.0), k=1)) == 3
    assert float(Model.__call__(a, pl.constant(1.0))) == 4
    gone = weakref.ref(b)
    del b
    gc.collect()
    assert gone() is None

    half = compiled(functools.partial(lambda x, k: x * k, k=0.5))
    assert float(half(pl.constant(4.0))) == 2

    @compiled
    def power(x: Any, n: int) -> Any:
        return pl.ones_like(x) if n == 0 else x * power(x, n - 1)

    assert float(power(pl.constant(2.0), 5)) == 32


def test_argument_written_inside_is_written_outside() -> None:
    @compiled
    def f(x: Any) -> Any:
        x[0] = 9.0
        return x + 1

    x = x32(2)
    assert f(x).numpy().tolist() == [10, 2]
    assert x.numpy().tolist() == [9, 1]
    a = np.zeros(2, np.float32)
    assert f(a).tolist() == [10, 1]
    assert a.tolist() == [9, 0]


@pytest.mark.parametrize("backend", ["reference", "planned", "xla"])
def test_checks_raise_at_the_users_line(backend: str) -> None:
    @pl.graph_function(backend=backend)
    def pick(x: Any, i: Any) -> Any:
        return pl.gather(x, i)

    x = pl.constant([10, 20, 30])
    assert int(pick(x, pl.constant(2))) == 30
    with pytest.raises(pl.errors.IndexOutOfRangeError) as eager:
        pl.gather(x, 7)
    with pytest.raises(IndexError) as caught:
        pick(x, pl.constant(7))
    assert isinstance(caught.value, pl.errors.IndexOutOfRangeError)
    for text in ("gather", "7", "[0, 3)"):
        assert text in str(caught.value)
        assert text in str(eager.value)
    line = pick.__wrapped__.__code__.co_firstlineno + 2
    assert f"tests/plait/test_graph_function.py:{line}" in str(caught.value)
    assert int(pick(x, pl.constant(0))) == 10


def test_checks_can_be_turned_off() -> None:
    f = compiled(lambda x, i: pl.gather(x, i), checks="off")
    assert int(f(pl.constant([1, 2, 3]), pl.constant(9))) == 3


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_a_failed_check_keeps_the_state(backend: str) -> None:
    v = pl.Variable(np.zeros(2, np.float32))

    @pl.graph_function(backend=backend)
    def step(i: Any) -> Any:
        v.assign_add(pl.ones((2,)))
        return pl.gather(v + 0, i)

    step(pl.constant(0))
    with pytest.raises(IndexError):
        step(pl.constant(5))
    assert v.numpy().tolist() == [1, 1]
    step(pl.constant(1))
    assert v.numpy().tolist() == [2, 2]


def test_a_value_that_is_asked_for_names_its_line() -> None:
    @functools.partial(compiled, fullgraph=True)
    def f(x: Any) -> Any:
        return x * x.numpy()

    with pytest.raises(pl.errors.TraceError) as caught:
        f(pl.constant(1.0))
    line = f.__wrapped__.__code__.co_firstlineno + 2
    assert f"test_graph_function.py:{line}" in str(caught.value)


def test_a_leaked_tracer_is_an_error_that_says_so() -> None:
    queue: Any = SimpleQueue()  # its methods are not looked into
    f = compiled(lambda x: (queue.put(x * 2), x)[1])
    f(x32(2))
    kept = [queue.get()]
    uses: list[Callable[[], Any]]
    uses = [lambda: kept[0] + 1, lambda: kept[0].numpy(), lambda: f(kept[0])]
    for use in uses:
        with pytest.raises(pl.errors.LeakedTracerError, match="outside"):
            use()
    with pytest.raises(pl.errors.LeakedTracerError):
        compiled(lambda x: x + kept[0])(x32(2))


def test_bad_arguments_are_signature_errors() -> None:
    @compiled
    def f(x: Any, options: Any = None) -> Any:
        return x

    class Unhashable:
        def __hash__(self) -> int:
            raise ValueError("no hash")

    with pytest.raises(pl.errors.SignatureError, match="options"):
        f(x32(2), Unhashable())
    with pytest.raises(pl.errors.SignatureError, match="missing"):
        f()
    with pytest.raises(pl.errors.SignatureError, match="nope"):
        f(x32(2), nope=1)
    with pytest.raises(pl.errors.DTypeError, match="object"):
        f.trace(np.array([object()]))
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(pl.errors.SignatureError, match="holds itself"):
        f(loop)
    with pytest.raises(pl.errors.UnknownNameError):
        pl.graph_function(lambda x: x, backend="nope")
    with pytest.raises(pl.errors.SignatureError):
        pl.graph_function(3)  # type: ignore[call-overload]


def test_functions_that_cannot_be_captured() -> None:
    async def coroutine(x: Any) -> Any:
        return x

    def generator(x: Any) -> Any:
        yield x

    for function in (coroutine, generator):
        with pytest.raises(pl.errors.SignatureError, match="cannot be captured"):
            pl.graph_function(function)
    with pytest.raises(pl.errors.TraceError, match="return a list"):
        compiled(lambda x: (v for v in [x]), fullgraph=True)(x32(2))
    with pytest.raises(pl.errors.SignatureError, match="no argument 'nope'"):
        pl.graph_function(lambda x: x, static="nope")

    class Slotted:
        __slots__ = ()

        @pl.graph_function
        def method(self, x: Any) -> Any:
            return x

    with pytest.raises(pl.errors.SignatureError, match="__weakref__"):
        Slotted().method  # noqa: B018


def test_errors_of_the_users_code_pass_through() -> None:
    @compiled
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        f(x32(2))
    assert float(compiled(lambda x: x + 1)(1.0)) == 2


def test_threads_trace_once_and_agree() -> None:
    f = compiled(lambda x: pl.tanh(x) @ pl.tanh(x))
    x = x32(20, 20) / 400
    expected = f.__wrapped__(x).numpy()
    start, results = threading.Barrier(8), []

    def work() -> None:
        start.wait()
        for _ in range(20):
            results.append(f(x).numpy())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert traces(f) == 1
    assert all(np.array_equal(r, expected) for r in results)
    assert len(results) == 160


def test_tracing_in_one_thread_leaves_eager_work_in_another_alone() -> None:
    inside, done = threading.Event(), threading.Event()

    @compiled
    def f(x: Any) -> Any:
        inside.set()
        assert done.wait(30)
        return x + 1

    thread = threading.Thread(target=lambda: f(x32(2)))
    thread.start()
    assert inside.wait(30)
    y = x32(2) + x32(2)
    assert y.numpy().tolist() == [0, 2]
    done.set()
    thread.join()
