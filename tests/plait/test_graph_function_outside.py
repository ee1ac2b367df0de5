"""graph_function: what a function takes from outside is never stale, what it does there is said."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned")


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[0],
        lambda a: a[:, 1],
        lambda a: a[::-1, ::2],
        lambda a: a.ravel()[1:3],
        lambda a: np.broadcast_to(a[0], (3, 2)),
        lambda a: a.view(np.int64),
        lambda a: a.reshape(4)[2:3],
        lambda a: a[:0],
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_views_of_outside_arrays_are_read_at_each_call(view: Any, order: str) -> None:
    outside = np.array([[1.0, 2.0], [3.0, 4.0]], order=order)  # type: ignore[call-overload]
    if not np.may_share_memory(view(outside), outside):
        return  # NumPy copies, and what NumPy computes is a constant
    f = compiled(lambda x: (x + view(outside), view(outside)))
    for _ in range(3):
        got, same = f(np.float64(1))
        assert np.array_equal(got, 1 + view(outside))
        assert np.array_equal(same, view(outside))
        outside += 1


def test_arrays_made_inside_are_constants() -> None:
    def function(x: Any) -> Any:
        a = np.zeros(2, np.float32)
        y = x + a
        a[0] = 5
        return y, x + a, x * a[1:], np.full(2, 3.0), {1, 2}

    f = compiled(function)
    for _ in range(2):
        got, want = f(x32(2)), function(x32(2))
        assert [np.asarray(v).tolist() for v in got[:4]] == [
            np.asarray(v).tolist() for v in want[:4]
        ]
        got[3][0] = 9
        got[4].add(7)
    assert got[4] == {1, 2, 7}
    assert len(f.graph(x32(2)).inputs) == 1


def test_an_outside_array_that_is_returned_is_itself() -> None:
    outside = np.ones(2)
    f = compiled(lambda x: (outside, x))
    assert f(x32(2))[0] is outside


def test_a_write_to_an_outside_array_happens_at_each_call() -> None:
    outside = np.ones(2, np.float32)

    @compiled
    def f(x: Any) -> Any:
        y = x + outside
        outside[0] += 1
        return y + outside

    assert f(x32(2)).tolist() == [3, 3]
    assert outside.tolist() == [2, 1]
    assert f(x32(2)).tolist() == [5, 3]
    assert outside.tolist() == [3, 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda c, x: c["list"].append(x),
        lambda c, x: c["list"].pop(),
        lambda c, x: c["list"].__setitem__(0, x + 1),
        lambda c, x: c.update(new=x),
        lambda c, x: c.update(number=4),
    ],
)
def test_a_change_of_a_callers_container_is_made_at_each_call(change: Any) -> None:
    f = compiled(lambda c, x: change(c, x))
    for _ in range(2):
        given: Any = {"list": [x32(2)], "number": 3}
        wanted: Any = {"list": [x32(2)], "number": 3}
        inner = given["list"]
        f(given, x32(2))
        change(wanted, x32(2))
        assert given["list"] is inner
        assert repr(given) == repr(wanted)


def test_in_place_work_on_a_container_of_arrays_is_no_change_of_it() -> None:
    params = {"w": x32(2), "b": np.ones(2, np.float32)}

    @compiled
    def step(params: Any, x: Any) -> None:
        params["w"] -= x
        params["b"] += 1

    step(params, pl.ones((2,)))
    assert params["w"].numpy().tolist() == [-1, 0]
    assert params["b"].tolist() == [2, 2]


def test_one_object_twice_in_the_result_is_one_object() -> None:
    def function(x: Any) -> Any:
        y = x + 1
        return y, [y, x, x], x

    a, (b, c, d), e = compiled(function)(x32(2))
    assert a is b
    assert c is d is e
    inner = compiled(function)
    a, (b, c, d), e = compiled(lambda x: inner(x * 2))(x32(2))
    assert a is b
    assert c is d is e


def test_a_number_that_an_inner_function_needs_becomes_static() -> None:
    def outer(x: Any, k: float) -> Any:
        inner = compiled(lambda y: y if k > 1 else -y)
        deeper = compiled(lambda y: compiled(lambda z: z[: int(k)])(y))
        return inner(x), deeper(x)

    f = compiled(outer)
    for k in (1.0, 2.0, 0.5, 3.0):
        for got, want in zip(f(x32(4), k), outer(x32(4), k), strict=True):
            assert got.numpy().tolist() == want.numpy().tolist()


def test_a_users_handler_does_not_swallow_the_need_of_a_number() -> None:
    def function(x: Any, k: int) -> Any:
        try:
            return x[:k] if k > 1 else x
        except BaseException:
            return x * 0

    f = compiled(function)
    assert [f(x32(4), k).shape for k in (1, 2, 3)] == [(4,), (2,), (3,)]


class Box:
    """An object that holds a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.mark.parametrize(
    "make",
    [
        lambda x: map(str, [x]),
        lambda x: iter([x]),
        lambda x: {"a": x}.values(),
        lambda x: lambda: x,
        lambda x: functools.partial(pl.add, x),
    ],
)
def test_results_that_would_carry_tracers_out_are_errors(make: Any) -> None:
    with pytest.raises(pl.errors.TraceError, match=r"cannot return|holds tensors"):
        compiled(lambda x: make(x + 1), fullgraph=True)(x32(2))
    with pytest.warns(pl.errors.GraphBreakWarning, match=r"cannot return|holds tensors"):
        made = compiled(lambda x: make(x + 1))(x32(2))
    assert type(made) is type(make(x32(2)))


def test_objects_that_hold_tensors_are_made_at_each_call() -> None:
    def function(x: Any) -> Any:
        box = Box(x * 2)
        box.itself = box  # type: ignore[attr-defined]
        return box, [box, Box(3)]

    f = compiled(function)
    first, again = f(x32(2)), f(x32(2) + 1)
    for (box, held), value in ((first, [0, 2]), (again, [2, 4])):
        assert box.value.numpy().tolist() == value
        assert held[0] is box is box.itself
        assert held[1].value == 3
    assert first[0] is not again[0]


def test_objects_without_tracers_may_be_returned() -> None:
    box = Box(3)
    assert compiled(lambda x: (x, box, len))(x32(2))[1:] == (box, len)


def test_dataclasses_may_lack_a_field() -> None:
    @dataclasses.dataclass
    class Partial:
        a: Any
        b: Any = dataclasses.field(init=False)

    f = compiled(lambda p: p)
    assert vars(f(Partial(3))) == {"a": 3}
    full = Partial(4)
    full.b = 5
    assert f(full) == full
