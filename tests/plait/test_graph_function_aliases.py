"""graph_function: what shares memory stays apart or is written as eager code writes it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned")
BACKENDS = ["planned", "reference", "xla"]


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_read_from_a_variable_stays_when_its_buffer_is_given_up(backend: str) -> None:
    v = pl.Variable(np.zeros(2, np.float32))

    @pl.graph_function(backend=backend)
    def step() -> None:
        v.assign_add(pl.ones((2,)))

    reads = (
        lambda: v.value,
        lambda: v.numpy(),
        lambda: np.asarray(v),
        lambda: np.from_dlpack(v.value),
        lambda: np.reshape(v, (2, 1)),
        lambda: pl.reshape(v, (2, 1)),
        lambda: v[0:2],
        lambda: v.T,
    )
    kept = []
    for i in range(3):
        kept += [(i, read()) for read in reads]
        step()
    for i, value in kept:
        assert np.asarray(value).ravel().tolist() == [i, i]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_variable_was_given_stays_when_its_buffer_is_given_up(backend: str) -> None:
    source = pl.tanh(x32(2))
    expected = source.numpy().tolist()
    v, w = pl.Variable(source), pl.Variable(source)

    @pl.graph_function(backend=backend)
    def step(x: Any) -> Any:
        v.assign_add(x)
        w.assign_sub(x)
        return x + 1

    given = step(pl.ones((2,)))
    assert source.numpy().tolist() == expected
    v.assign(source)
    w.assign(source)
    step(pl.ones((2,)))
    assert source.numpy().tolist() == expected
    v.assign(given)
    w.assign(v.value)
    step(pl.ones((2,)))
    step(pl.ones((2,)))
    assert given.numpy().tolist() == [2, 2]
    assert (v.numpy().tolist(), w.numpy().tolist()) == ([4, 4], [0, 0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_argument_that_becomes_state_stays_the_callers(backend: str) -> None:
    v = pl.Variable(np.zeros(2, np.float32))

    @pl.graph_function(backend=backend)
    def store(x: Any) -> None:
        v.assign(x)

    @pl.graph_function(backend=backend)
    def add() -> None:
        v.assign_add(pl.ones((2,)))

    double = pl.graph_function(lambda x: x * 2, backend=backend)
    for x in (x32(2), np.ones(2, np.float32), double(x32(2))):
        before = np.array(x).tolist()
        store(x)
        add()
        assert np.asarray(x).tolist() == before
        x[0] = 5
        assert v.numpy().tolist() == [n + 1 for n in before]


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_swap_inside(backend: str) -> None:
    v, w = pl.Variable(np.zeros(2)), pl.Variable(np.ones(2))

    @pl.graph_function(backend=backend)
    def swap() -> None:
        old = v.value
        v.assign(w)
        w.assign(old)

    for i in range(3):
        swap()
        assert (v.numpy()[0], w.numpy()[0]) == ((0, 1) if i % 2 else (1, 0))


def test_an_outside_array_assigned_inside_is_read_at_each_call() -> None:
    v, outside = pl.Variable(np.zeros(2)), np.ones(2)

    @compiled
    def load() -> None:
        v.assign(outside)

    load()
    outside[:] = 3
    load()
    assert v.numpy().tolist() == [3, 3]


def write_first(x: Any, y: Any) -> Any:
    """Writes into one argument and reads another."""
    x[0] = 9.0
    y += 1
    return y * 2, x


@pytest.mark.parametrize("make", [lambda: x32(2), lambda: np.arange(2.0)])
@pytest.mark.parametrize("nested", [False, True])
def test_one_object_given_twice_is_written_as_one(make: Any, nested: bool) -> None:
    f = compiled(write_first)
    called = compiled(lambda x, y: f(x, y)) if nested else f
    for _ in range(2):
        a, b = make(), make()
        got, want = called(a, a), write_first(b, b)
        assert np.array_equal(got[0], want[0])
        assert got[1] is a
        assert np.array_equal(a, b)
        c, d, e, g = make(), make(), make(), make()
        assert np.array_equal(called(c, d)[0], write_first(e, g)[0])
        assert np.array_equal(c, e)
        assert np.array_equal(d, g)


def test_one_tensor_given_twice_inside_is_written_as_one() -> None:
    f = compiled(write_first)

    def outer(x: Any) -> Any:
        z = x * 1
        return f(z, z)[0], z, write_first(x, x)[0]

    for got, want in zip(
        compiled(outer)(x32(2)),
        [v.numpy() for v in (write_first(*[x32(2)] * 2)[0], write_first(*[x32(2)] * 2)[1])],
        strict=False,
    ):
        assert np.array_equal(got, want)


@pytest.mark.parametrize(
    "pair",
    [
        lambda: (lambda x: (x, x[:1]))(x32(2)),
        lambda: (lambda x: (x[:1], x))(x32(2)),
        lambda: (lambda x: (x, x.T))(x32(2)),
        lambda: (lambda a: (a, a[:1]))(np.zeros(2)),
        lambda: (lambda a: (a[1:], a))(np.zeros(2)),
    ],
)
def test_overlapping_arguments_that_are_written_to_break_the_graph(pair: Any) -> None:
    given, wanted = pair(), pair()
    f = compiled(write_first)
    with pytest.warns(pl.errors.GraphBreakWarning, match=r"argument x, which shares memory .* y"):
        f(*given)
    write_first(*wanted)
    for a, b in zip(given, wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    apart = [x32(2), x32(2)]
    f(*apart)
    assert not np.array_equal(apart[0].numpy(), apart[1].numpy())
    with pytest.raises(pl.errors.SignatureError, match="shares memory"):
        compiled(write_first, fullgraph=True)(*pair())
    inner, outer = compiled(write_first), x32(2)
    with pytest.warns(pl.errors.GraphBreakWarning, match="shares memory"):
        compiled(lambda z: inner(z, z[:1]))(outer)
    np.testing.assert_array_equal(outer.numpy()[1:], x32(2).numpy()[1:])
    pure = compiled(lambda x, y: x.sum() + y.sum())
    x, y = pair()
    assert float(pure(x, y)) == float(np.asarray(x).sum() + np.asarray(y).sum())


def test_arguments_that_do_not_overlap_are_written_to() -> None:
    x, a = x32(4), np.zeros(4)
    f = compiled(write_first)
    f(x[:2], x[2:])
    assert x.numpy().tolist() == [9, 1, 3, 4]
    f(a[::2], a[1::2])
    assert a.tolist() == [9, 1, 0, 1]
    lent = x32(2)
    kept = lent.numpy()
    f(lent, pl.asarray(kept))
    assert kept.tolist() == [0, 1]


def test_an_argument_that_is_written_to_and_used_from_outside_breaks_the_graph() -> None:
    w, a = x32(2), np.zeros(2, np.float32)

    def f(x: Any) -> Any:
        x[0] = 9.0
        return w + a

    assert compiled(f)(x32(2)).numpy().tolist() == [0, 1]
    for x in (w, w[:1], a, a[1:]):
        with pytest.raises(pl.errors.SignatureError, match="from outside"):
            compiled(f, fullgraph=True)(x)
    with pytest.warns(pl.errors.GraphBreakWarning, match="from outside"):
        assert compiled(f)(w).numpy().tolist() == [9, 1]


def test_what_cannot_be_written_to_is_an_error_before_anything_runs() -> None:
    jax = pytest.importorskip("jax")
    v = pl.Variable(np.zeros(1))

    @compiled
    def f(x: Any) -> None:
        v.assign_add([1.0])
        x[...] = 9.0

    frozen = np.zeros(2)
    frozen.flags.writeable = False
    for x in (frozen, np.float64(1)):
        with pytest.raises(TypeError, match=r"argument x.*cannot be written to"):
            f(x)
    assert v.numpy().tolist() == [0]
    with (
        pytest.warns(pl.errors.GraphBreakWarning, match="immutable"),
        pytest.raises(TypeError, match="immutable"),
    ):
        f(jax.numpy.zeros(2))
    assert v.numpy().tolist() == [1]
    f.trace(pl.TensorSpec((2,)))


def test_scalars_and_jax_arrays_are_replaced_by_in_place_operators() -> None:
    jax = pytest.importorskip("jax")

    def function(x: Any) -> Any:
        old = x
        x += 1
        return old, x

    def summed(x: Any) -> Any:
        total = old = x.sum()
        total += 1
        return old, total

    f, g = compiled(function), compiled(summed)
    assert f(np.float64(1)) == function(np.float64(1)) == (1, 2)
    assert g(np.ones(3)) == summed(np.ones(3)) == (3, 4)
    got = pl.graph_function(function)(jax.numpy.zeros(2))
    assert [v.tolist() for v in got] == [[0, 0], [1, 1]]


VIEWS_AND_COPIES = [
    lambda x: x.reshape(-1),
    lambda x: x[::-1],
    lambda x: x[None],
    lambda x: pl.reshape(x, (-1,)),
    lambda x: pl.split(x.reshape(-1), 1)[0],
    lambda x: pl.expand_dims(x, 0),
    lambda x: x.copy(),
]


@pytest.mark.parametrize("view", VIEWS_AND_COPIES)
@pytest.mark.parametrize("x", [np.ones((2, 1)), np.float64(1), pl.ones((2, 1)), pl.ones(())])
def test_a_write_to_a_view_reaches_what_it_reaches_in_eager_code(view: Any, x: Any) -> None:
    def function(x: Any) -> Any:
        v = view(x)
        v[...] = 5.0
        return v, x + 0

    first, second = (a.copy() for a in (x, x))
    if (isinstance(x, np.generic) and view in (VIEWS_AND_COPIES[1], VIEWS_AND_COPIES[-1])) or (
        x.ndim == 0 and view is VIEWS_AND_COPIES[1]
    ):
        return
    got, want = compiled(function)(first), function(second)
    for g, w in zip((*got, first), (*want, second), strict=True):
        assert np.asarray(g).tolist() == np.asarray(w).tolist()


def test_a_write_to_a_broadcast_view_is_the_same_error() -> None:
    def function(x: Any) -> Any:
        v = pl.broadcast_to(x, (2, 3))
        v[0] = 1.0
        return v

    for call in (function, compiled(function)):
        with pytest.raises(pl.errors.ShapeError, match="broadcast view"):
            call(x32(3))


def test_a_tensor_outside_that_is_written_and_an_argument_too_breaks_the_graph() -> None:
    cache = pl.zeros((4,))

    @compiled
    def f(x: Any) -> Any:
        cache[...] = cache + 1
        return x * 1

    assert f(pl.ones((4,))).numpy().tolist() == [1, 1, 1, 1]
    with pytest.warns(pl.errors.GraphBreakWarning, match="shares memory with an argument"):
        assert f(cache[1:]).numpy().tolist() == [2, 2, 2]
    with pytest.warns(pl.errors.GraphBreakWarning, match="shares memory with an argument"):
        assert f(cache).numpy().tolist() == [3, 3, 3, 3]
    assert f(pl.ones((4,))).numpy().tolist() == [1, 1, 1, 1]
    assert cache.numpy().tolist() == [4, 4, 4, 4]


def test_outside_tensors_that_become_one() -> None:
    state = {"a": pl.ones((2,)), "b": pl.zeros((2,))}

    def f(x: Any) -> Any:
        state["a"][0] += x
        state["b"][1] += x
        return state["a"] + state["b"]

    g = pl.graph_function(f, backend="reference")
    assert g(pl.constant(1.0)).numpy().tolist() == [2, 2]
    state["b"] = state["a"]
    assert g(pl.constant(1.0)).numpy().tolist() == [6, 4]
    assert state["a"].numpy().tolist() == [3, 2]
    state["b"] = pl.zeros((2,))
    assert g(pl.constant(1.0)).numpy().tolist() == [4, 3]


def test_outside_arrays_that_overlap_run_in_segments() -> None:
    whole = np.arange(4.0)
    part = whole[1:]

    def f(x: Any) -> Any:
        part[0] = 9
        whole[1:3] *= 2
        return x * whole.sum() + part.sum()

    g = pl.graph_function(f, backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match="another array outside"):
        first = g(pl.constant(1.0))
    assert float(first) == 50.0
    assert whole.tolist() == [0, 18, 4, 3]
