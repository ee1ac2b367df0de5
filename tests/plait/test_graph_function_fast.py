"""graph_function: the quick call gives what the careful one gives."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import SignatureError
from plait.runtime import fast, unrolled
from plait.runtime.lending import Lender


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


def test_arguments_that_only_lend_their_type_are_checked() -> None:
    f = pl.graph_function(lambda x, y: x * y.shape[0] + y.dtype.itemsize)
    x = x32(2)
    for n, dtype in ((3, np.float32), (3, np.float32), (5, np.float32), (3, np.int8)):
        y = pl.zeros((n,), dtype=dtype)
        assert f(x, y).numpy().tolist() == (x.numpy() * n + np.dtype(dtype).itemsize).tolist()
    g = pl.graph_function(lambda y: pl.constant(y.shape[0]))
    assert [int(g(x32(n))) for n in (3, 3, 5, 0, 3)] == [3, 3, 5, 0, 3]


def test_a_list_of_one_tensor_is_no_tensor() -> None:
    f = pl.graph_function(lambda a: a[0] * 2)
    x = x32(2, 2)
    for _ in range(2):
        assert f([x]).shape == (2, 2)
        assert f(x).shape == (2,)
        assert f((x,)).shape == (2, 2)


def test_any_sequence_of_types_gives_what_the_careful_call_gives() -> None:
    jax = pytest.importorskip("jax")

    def function(x: Any, y: Any) -> Any:
        return x + y, x.shape[0] * y

    f = pl.graph_function(function)
    double = pl.graph_function(lambda x: x * 2)
    for dtype in (np.float32, np.int32, np.float64, np.bool_, np.complex64):
        one = pl.asarray(np.ones(3, dtype))
        operands = [one, double(one), one[::2], one.numpy(), jax.numpy.ones(3), pl.ones((1,))]
        for x in (one, double(one), one[:1], pl.zeros((0,), dtype=dtype)):
            for y in operands:
                if getattr(y, "shape", ()) == (2,) and x.shape != (1,):
                    continue
                if x.shape == (0,) and getattr(y, "shape", ()) == (3,):
                    continue
                for got, want in zip(f(x, y), function(x, y), strict=True):
                    assert got.dtype == want.dtype
                    assert np.array_equal(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [("float32", "float64"), ("int32", "int64"), ("uint32", "uint64"), ("complex64", "complex128")],
)
def test_a_wider_dtype_than_last_time_is_not_narrowed(narrow: str, wide: str) -> None:
    f = pl.graph_function(lambda x: x + x)
    for dtype in (narrow, narrow, wide, wide, narrow):
        for x in (np.ones(3, dtype), pl.ones((3,), dtype=dtype)):
            assert f(x).dtype == dtype


@pytest.mark.parametrize("make", [x32, lambda n: np.ones(n)])
def test_a_quick_call_is_made_once(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    made: list[Any] = []
    make_call, is_quick = unrolled.make_call, fast._is_quick

    def counted(form: Any, *names: Any) -> Any:
        made.append(form)
        return make_call(form, *names)

    def looked_at(program: Any) -> bool:
        made.append(program)
        return is_quick(program)

    monkeypatch.setattr(fast, "make_call", counted)
    monkeypatch.setattr(fast, "_is_quick", looked_at)
    f = pl.graph_function(lambda x: x + 1)
    for _ in range(3):
        f(make(2))
        f(make(3))
    assert len(made) == 4


def is_quick(f: Any, *args: Any, **kwargs: Any) -> bool:
    """Whether a second call goes the quick way."""
    f(*args, **kwargs)
    return f._fast is not None and f._fast(args, kwargs) is not fast.MISMATCH


def test_which_calls_are_quick() -> None:
    x, n = x32(3), np.ones(3, np.float32)
    state = pl.Variable(np.ones(3, np.float32))
    held, scale = x32(3), [2.0]

    def counted(x: Any) -> Any:
        state.assign_add(x)
        return x * state

    assert is_quick(pl.graph_function(lambda x: {"a": x + 1, "b": [x]}), x)
    assert is_quick(pl.graph_function(lambda x, k, name: x * k if name else x), x, 3, "a")
    assert is_quick(pl.graph_function(lambda x, y: x * y + held * scale[0]), x, n)
    assert is_quick(pl.graph_function(lambda: held + 1))
    assert is_quick(pl.graph_function(counted), x)
    assert state.numpy().tolist() == [1, 3, 5]
    assert is_quick(
        pl.graph_function(lambda x: x["a"] + x["b"][1]), {"a": x, "b": (n, [x], x)[::2]}
    )
    assert is_quick(pl.graph_function(lambda x, k=3, *, name="a": x * k), x, name="b")
    assert is_quick(pl.graph_function(lambda x, **more: x * more["k"]), x, k=x, j=())
    assert not is_quick(pl.graph_function(lambda x: x.update(a=1)), {"a": x})
    assert not is_quick(pl.graph_function(lambda x, *, k=2: x * k), x)
    assert not is_quick(pl.graph_function(counted, backend="planned"), x)


def test_quick_calls_compare_static_arguments() -> None:
    f = pl.graph_function(lambda x, k: (x * 2, k), static="k")
    x = x32(2)
    for k in (1, 1, 2, True, True, 1.0, -0.0, 0.0, 0, None, None, "a", "b", "a", (1,), 1):
        for _ in range(2):
            doubled, same = f(x, k)
            assert doubled.numpy().tolist() == [0, 2]
            assert same == k
            assert type(same) is type(k)
            assert repr(same) == repr(k)


class Pair(NamedTuple):
    """Two values."""

    a: Any
    b: Any


def test_quick_calls_tell_containers_apart() -> None:
    def function(x: Any) -> Any:
        items = x.items() if isinstance(x, dict) else enumerate(x)
        return [(key, value * 2) for key, value in items], type(x)

    f = pl.graph_function(function)
    one, two, three = x32(1) + 1, x32(1) + 2, x32(1) + 3
    key = "".join(["a", "b"])
    forms: list[Any] = [
        {"a": one, "b": two},
        {"b": one, "a": two},
        {"a": one, "b": two, "c": three},
        {1: one, 0: two},
        {True: one, 0: two},
        {key: one},
        {"ab": one},
        [one, two],
        (one, two),
        Pair(one, two),
        [one, two, three],
        {},
        [],
    ]
    for x in (*forms, *forms[::-1], *forms[::2]):
        for _ in range(2):
            got, kind = f(x)
            want, _ = function(x)
            assert kind is type(x)
            assert [(k, type(k), float(v[0])) for k, v in got] == [
                (k, type(k), float(v[0])) for k, v in want
            ]


def test_quick_calls_by_name_and_default() -> None:
    def whole(x: Any, k: Any = 2, *more: Any, name: Any = "a", **rest: Any) -> Any:
        return x * k, k, len(more), name, list(rest)

    f = pl.graph_function(whole)
    x = x32(2)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((x,), {}),
        ((), {"x": x}),
        ((x,), {"k": 2}),
        ((), {"k": 3, "x": x}),
        ((), {"x": x, "k": 3}),
        ((x, 2), {}),
        ((x, 2, 5), {}),
        ((x,), {"name": "a"}),
        ((x,), {"name": "b"}),
        ((x,), {"b": 1, "a": 2}),
        ((x,), {"a": 1, "b": 2}),
    ]
    for args, kwargs in (*calls, *calls[::-1], *calls[::2]):
        for _ in range(2):
            got, want = f(*args, **kwargs), whole(*args, **kwargs)
            assert got[0].numpy().tolist() == want[0].numpy().tolist()
            assert got[1:] == want[1:]
    with pytest.raises(SignatureError, match="multiple values"):
        f(x, x=x)


def test_quick_calls_see_new_defaults() -> None:
    def function(x: Any, k: Any = 2) -> Any:
        return x * k

    f = pl.graph_function(function)
    x = x32(2)
    assert [float(f(x)[1]) for _ in range(3)] == [2, 2, 2]
    function.__defaults__ = (5,)
    assert [float(f(x)[1]) for _ in range(3)] == [5, 5, 5]

    class Model:
        """Has a default."""

        @pl.graph_function
        def call(self, x: Any, k: Any = 3) -> Any:
            """The argument times k."""
            return x * k

    model = Model()
    assert [float(model.call(x)[1]) for _ in range(3)] == [3, 3, 3]
    assert is_quick(model.call, x)


def test_quick_calls_with_runtime_numbers() -> None:
    f = pl.graph_function(lambda x, k: x * k)
    x = x32(2)
    for k in (1.5, 2.5, 3.5, 4.5, 2, 3, 4, 5, True, 6.5):
        assert f(x, k).numpy().tolist() == [0, k]
    assert len(f._specializer) <= 5


def test_quick_calls_commit_state_once_and_only_when_they_succeed() -> None:
    total, count = pl.Variable(np.zeros(2, np.float32)), pl.Variable(0)

    def add(x: Any, i: Any) -> Any:
        total.assign_add(x)
        count.assign_add(1)
        return pl.gather(total, i)

    f = pl.graph_function(add)
    one, at = x32(2) + 1, pl.asarray(np.int32(1))
    assert [float(f(one, at)) for _ in range(4)] == [2, 4, 6, 8]
    for _ in range(2):
        with pytest.raises(IndexError, match="index 7"):
            f(one, pl.asarray(np.int32(7)))
    assert total.numpy().tolist() == [4, 8]
    assert int(count.numpy()) == 4
    assert float(f(one, at)) == 10


def test_quick_calls_follow_variables_that_are_assigned_outside() -> None:
    w = pl.Variable(np.ones(2, np.float32))
    model = {"w": w}
    f = pl.graph_function(lambda x: x * model["w"])
    x = x32(2)
    assert [f(x).numpy().tolist() for _ in range(2)] == [[0, 1]] * 2
    w.assign(np.full(2, 3, np.float32))
    assert f(x).numpy().tolist() == [0, 3]
    model["w"] = pl.Variable(np.full(2, 5, np.float32))
    assert [f(x).numpy().tolist() for _ in range(2)] == [[0, 5]] * 2
    model["w"] = pl.Variable(np.full(2, 7, np.int32))
    assert [f(x).numpy().tolist() for _ in range(2)] == [[0, 7]] * 2


def test_quick_calls_of_several_threads_keep_state_whole() -> None:
    names = [pl.Variable(np.zeros(64, np.float32)) for _ in range(3)]

    def step(x: Any) -> Any:
        for variable in names:
            variable.assign_add(x)
        return names[0] - names[2]

    f = pl.graph_function(step)
    x = pl.ones((64,))
    f(x)

    def work(_: int) -> bool:
        return all(not f(x).numpy().any() for _ in range(25))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert [v.numpy().tolist() for v in names] == [[101.0] * 64] * 3


def test_quick_calls_of_arrays_are_as_the_first() -> None:
    jax = pytest.importorskip("jax")
    f = pl.graph_function(lambda x, y: (x + y, x * 2, x, pl.tanh(y)))
    arrays = [np.ones(3, np.float32), jax.numpy.ones(3), pl.ones((3,)), np.float32(2)]
    others = [np.ones(2, np.float32), jax.numpy.ones(3, "int32"), pl.ones((1,)), np.ones((2, 3))]
    for x in arrays:
        for y in (*arrays, *others):
            if np.shape(y) == (2,) and np.shape(x) == (3,):
                continue
            first, again = f(x, y), f(x, y)
            assert first[2] is x
            assert again[2] is x
            for a, b in zip(first, again, strict=True):
                assert type(a) is type(b)
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_arrays_given_to_quick_calls_stay_the_callers() -> None:
    f = pl.graph_function(lambda x: x @ x)
    x = np.eye(200, dtype=np.float32)
    results = []
    for i in range(5):
        results.append(f(x))
        x[...] = i
    assert [r[0, 0] for r in results] == [1, 0, 200, 800, 1800]
    results[0][0, 0] = 7
    assert f(x)[0, 0] == 3200


def test_quick_calls_of_arrays_check() -> None:
    f = pl.graph_function(lambda x, i: pl.gather(x, i))
    x = np.arange(3)
    assert [int(f(x, np.int32(i))) for i in (0, 1, 2)] == [0, 1, 2]
    with pytest.raises(IndexError, match="index 9"):
        f(x, np.int32(9))
    assert int(f(x, np.int32(1))) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "bfloat16", "complex128"])
def test_tensors_that_come_again_are_lent_and_followed(dtype: str) -> None:
    held = pl.asarray(pl.zeros((2,), dtype=dtype).numpy())
    f = pl.graph_function(lambda x, y: (x + held, y))
    x, y = (pl.asarray(pl.ones((2,), dtype=dtype).numpy()) for _ in range(2))
    expected = 1
    for i in range(200):
        if i % 50 == 20:
            held[...] = expected = i // 50 % 2
            expected = max(1, expected) if dtype == "bool" else 1 + expected
        if i % 50 == 40:
            x, y = y, x
        total, same = f(x, y)
        assert same is y
        assert total.dtype == held.dtype
        assert [complex(v) for v in total.numpy()] == [expected] * 2


def test_what_was_lent_is_followed_through_views() -> None:
    x = x32(4)
    f = pl.graph_function(lambda x: x * 2)
    for _ in range(60):
        f(x)
    tail = x[2:]
    assert f(x).numpy().tolist() == [0, 2, 4, 6]
    tail[...] = 9
    assert f(x).numpy().tolist() == [0, 2, 18, 18]
    for _ in range(60):
        f(x)
    x += 1
    assert f(x).numpy().tolist() == [2, 4, 20, 20]
    assert tail.numpy().tolist() == [10, 10]


def test_lenders_keep_what_comes_again_until_another_one_comes() -> None:
    placed: list[Any] = []

    def place(array: Any) -> Any:
        placed.append(array.copy())
        return placed[-1]

    lender = Lender(3, place)
    one, large, view = np.ones(4), np.ones(1 << 20), np.ones(4)[1:]
    lender.note(one, large, view)
    nothing = lender.lent[0]
    lender.note(one, large, view)
    assert lender.lent == [(one, placed[0]), nothing, nothing]
    lender.note(placed[0], large, view)
    assert lender.lent[0] == (one, placed[0])
    assert len(placed) == 1
    gone = weakref.ref(one)
    del one
    lender.note(np.ones(4), large, view)
    assert lender.lent == [nothing] * 3
    assert gone() is None
