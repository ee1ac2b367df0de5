"""graph_function: what is read outside is guarded or an input; what is changed there is changed."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned", fullgraph=True)


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


def programs(function: Any) -> int:
    """How many programs a function holds."""
    return len(function._specializer)


class Model:
    """State of all kinds."""

    rate = 1.0

    def __init__(self) -> None:
        self.scale = 2.0
        self.steps = 0
        self.w, self.cache = x32(3), pl.zeros((4, 3))
        self.table = np.arange(3.0)
        self.items: list[Any] = [1, 2]
        self.options: dict[str, Any] = {"lr": 0.5, "mode": "up"}
        self.last: Any = None


@pytest.fixture
def model() -> Model:
    return Model()


# Reads.


def changes() -> dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], None]]]:
    """A function of a model and x, and a change of the model, by name."""
    return {
        "number": (lambda m, x: x * m.scale, lambda m: setattr(m, "scale", m.scale + 1)),
        "tensor": (lambda m, x: x + m.w, lambda m: setattr(m, "w", m.w * 2)),
        "array": (lambda m, x: x + m.table, lambda m: setattr(m, "table", m.table * 2)),
        "array written": (lambda m, x: x + m.table, lambda m: m.table.__iadd__(1)),
        "item": (lambda m, x: x * m.items[1], lambda m: m.items.__setitem__(1, m.items[1] + 3)),
        "length": (lambda m, x: x * len(m.items), lambda m: m.items.append(3)),
        "contents": (lambda m, x: [x * i for i in m.items], lambda m: m.items.reverse()),
        "value": (lambda m, x: x * m.options["lr"], lambda m: m.options.update(lr=0.25)),
        "keys": (lambda m, x: list(m.options), lambda m: m.options.update(new=1)),
        "get": (lambda m, x: x * m.options.get("k", 3), lambda m: m.options.update(k=4)),
        "class": (lambda m, x: x * m.rate, lambda m: setattr(type(m), "rate", m.rate + 1)),
        "shadowed": (lambda m, x: x * m.rate, lambda m: setattr(m, "rate", 7.0)),
        "absent": (lambda m, x: hasattr(m, "new"), lambda m: setattr(m, "new", 1)),
        "type": (lambda m, x: x * m.scale, lambda m: setattr(m, "scale", 3)),
        "shape": (lambda m, x: m.w.shape[0] + x, lambda m: setattr(m, "w", x32(5))),
    }


@pytest.mark.parametrize("name", changes())
def test_no_change_is_missed(name: str, model: Model) -> None:
    function, change = changes()[name]
    f = compiled(lambda x: function(model, x))
    try:
        for _ in range(4):
            got, want = f(x32(3)), function(model, x32(3))
            np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
            change(model)
    finally:
        Model.rate = 1.0


@pytest.mark.parametrize("name", ["tensor", "array", "array written"])
def test_what_is_rebound_to_another_of_the_type_is_an_input(name: str, model: Model) -> None:
    function, change = changes()[name]
    f = compiled(lambda x: function(model, x))
    for _ in range(4):
        f(x32(3))
        change(model)
    assert programs(f) == 1


def test_a_number_outside_becomes_an_input_when_it_changes(model: Model) -> None:
    f = compiled(lambda x: x * model.scale)
    for scale in (2.0, 3.0, 4.5, -0.0, float("inf")):
        model.scale = scale
        assert f(pl.ones(2)).numpy().tolist() == [scale, scale]
    assert programs(f) == 2


def test_a_number_that_control_flow_needs_stays_static(model: Model) -> None:
    f = compiled(lambda x: [x + i for i in range(model.steps)])
    for steps in (1, 3, 2, 3):
        model.steps = steps
        assert len(f(x32(2))) == steps
    assert programs(f) == 3


def test_programs_for_states_that_were_seen_are_found_again(model: Model) -> None:
    f = compiled(lambda x: x * 2 if model.options["mode"] == "up" else x)
    for mode in ("up", "down") * 3:
        model.options["mode"] = mode
        assert f(pl.ones(1)).item() == (2 if mode == "up" else 1)
    assert programs(f) == 2


def test_two_paths_to_one_object_are_told_from_paths_to_two() -> None:
    a = x32(2)
    held = {"a": a, "b": a}

    @compiled
    def f() -> Any:
        held["a"] += 1
        return held["b"] * 1

    assert f().numpy().tolist() == [1, 2]
    held["b"] = x32(2)
    assert f().numpy().tolist() == [0, 1]
    assert a.numpy().tolist() == [2, 3]


# Changes.


def test_a_cache_that_is_written_by_slices_is_state(model: Model) -> None:
    @compiled
    def step(x: Any, i: int) -> Any:
        model.cache[i] = x
        model.steps += 1
        model.last = x * 2
        return pl.sum(model.cache, axis=0)

    cache, view = model.cache, model.cache[1:3]
    total = np.zeros(3, np.float32)
    for i in range(4):
        total += x32(3).numpy() + i
        assert step(x32(3) + i, i).numpy().tolist() == total.tolist()
        assert model.last.numpy().tolist() == ((x32(3) + i) * 2).numpy().tolist()
    assert model.cache is cache
    assert view.numpy().tolist() == [[1, 2, 3], [2, 3, 4]]
    assert model.steps == 4
    assert programs(step) <= 3


def test_views_from_outside_see_what_is_written_through_each_other() -> None:
    base = x32(4)
    head, middle = base[:3], base[1:3]

    def function() -> Any:
        a = middle * 1
        head[1] = 10.0
        b = middle * 1
        middle[1] += 5
        return a, b, base * 1, head * 1

    wanted = [np.asarray(v).tolist() for v in function()]
    base[...] = x32(4)
    assert [np.asarray(v).tolist() for v in compiled(function)()] == wanted
    assert base.numpy().tolist() == [0, 10, 7, 3]


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_a_list_that_grows_needs_no_new_program(backend: str, model: Model) -> None:
    @pl.graph_function(backend=backend)
    def f(x: Any) -> None:
        model.items.append(x * 2)
        model.items.extend([x])

    for i in range(3):
        f(x32(2) + i)
    assert model.items[:2] == [1, 2]
    assert [v.numpy().tolist() for v in model.items[4:6]] == [[2, 4], [1, 2]]
    assert programs(f) == 1


def test_items_attributes_globals_and_cells_are_set_at_each_call(model: Model) -> None:
    count, seen = 0, {"a": 1}

    @compiled
    def f(x: Any) -> Any:
        nonlocal count
        count += 1
        seen["x"] = x
        model.options["mode"] = "down"
        seen.pop("a", None)
        return x

    for _ in range(3):
        x = x32(2)
        model.options["mode"], seen["a"] = "up", 1
        assert f(x) is x is seen["x"]
        assert "a" not in seen
        assert model.options["mode"] == "down"
    assert count == 3


def test_what_is_set_to_what_it_was_is_set_all_the_same(model: Model) -> None:
    @compiled
    def f(x: Any) -> Any:
        model.scale = 2.0
        model.options["lr"] = 0.5
        return x

    f(x32(2))
    model.scale, model.options["lr"] = 9.0, 9.0
    f(x32(2))
    assert (model.scale, model.options["lr"]) == (2, 0.5)


def test_a_call_that_fails_changes_nothing(model: Model) -> None:
    @compiled
    def f(x: Any, i: Any) -> Any:
        model.steps += 1
        model.cache[0] = x
        model.items.append(i)
        return pl.gather(x, i)

    f(x32(3), pl.asarray(1))
    with pytest.raises(IndexError):
        f(x32(3) + 1, pl.asarray(9))
    assert model.steps == 1
    assert len(model.items) == 3
    assert model.cache[0].numpy().tolist() == [0, 1, 2]


def test_a_trace_that_fails_changes_nothing(model: Model) -> None:
    @compiled
    def f(x: Any) -> Any:
        model.steps += 1
        model.cache[0] = x
        model.items.clear()
        model.last = x
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        f(x32(3))
    assert (model.steps, model.last, model.items) == (0, None, [1, 2])
    assert not model.cache.numpy().any()


def test_a_captured_function_changes_the_outside_of_its_caller(model: Model) -> None:
    @compiled
    def inner(x: Any) -> Any:
        model.steps += 1
        model.cache[0] += x
        model.items.append(x)
        return x * model.scale

    outer = compiled(lambda x: inner(x) + inner(x))
    for i in range(3):
        model.scale = 2.0 + i
        assert outer(pl.ones(3)).numpy().tolist() == [4 + 2 * i] * 3
    assert model.steps == 6
    assert model.cache[0].numpy().tolist() == [6] * 3
    assert len(model.items) == 8


def test_objects_kept_outside_are_new_at_each_call(model: Model) -> None:
    class State:
        def __init__(self, h: Any) -> None:
            self.h, self.parts = h, [h, 1]

    @compiled
    def f(x: Any) -> Any:
        previous = 0 if model.last is None else model.last.h
        model.last = State(x + previous)
        return model.last.h

    states = []
    for i in range(4):
        f(pl.ones(1))
        states.append(model.last)
        assert model.last.h.numpy().tolist() == [i + 1]
        assert model.last.parts[0] is model.last.h
    assert len(set(map(id, states))) == 4


def test_containers_among_the_arguments_are_changed_and_returned_themselves() -> None:
    @compiled
    def f(params: Any, log: Any) -> Any:
        params["w"] = params["w"] * 2
        log.append(params["w"])
        return params, log

    for _ in range(2):
        params, log = {"w": pl.ones(2)}, [1]
        got = f(params, log)
        assert got[0] is params
        assert got[1] is log
        assert log[1] is params["w"]
        assert params["w"].numpy().tolist() == [2, 2]


def test_defaults_that_change_are_seen() -> None:
    def plain(x: Any, k: float = 2.0) -> Any:
        return x * k

    f = compiled(plain)
    assert f(pl.ones(1)).item() == 2
    plain.__defaults__ = (5.0,)
    assert f(pl.ones(1)).item() == 5


def test_an_instance_dies_with_its_last_user() -> None:
    class Layer(Model):
        @pl.graph_function(backend="planned")
        def call(self, x: Any) -> Any:
            self.steps += 1
            self.cache[0] += x
            self.last = self.w
            return x * self.scale + self.w

    def used() -> Any:
        layer = Layer()
        for _ in range(3):
            layer.call(x32(3))
        return weakref.ref(layer)

    gc.collect()
    gc.disable()
    try:
        assert used()() is None
    finally:
        gc.enable()


def test_compiled_stages_refuse_to_run_on_another_outside(model: Model) -> None:
    made = compiled(lambda x: x if model.options["mode"] == "up" else -x)
    call = made.trace("f32[2]").optimize().lower().compile()
    call(x32(2))
    model.options["mode"] = "down"
    with pytest.raises(pl.errors.SignatureError, match=r"options\['mode'\]: 'up' -> 'down'"):
        call(x32(2))


def test_what_get_finds_is_an_item(model: Model) -> None:
    f = compiled(lambda x: x * model.options.get("lr", 1.0) + model.options.get("new", 0.0))
    for i, rate in enumerate((0.5, 2.0, 3.0)):
        model.options["lr"], model.options[f"other{i}"] = rate, i
        assert f(pl.ones(1)).item() == rate
    assert programs(f) == 2
    model.options["new"] = 1.0
    assert f(pl.ones(1)).item() == 4


def test_a_tensor_outside_that_is_written_is_no_argument(model: Model) -> None:
    @compiled
    def f(x: Any) -> Any:
        model.cache += 1
        return x * 1

    f(pl.ones((4, 3)))
    for argument in (model.cache, model.cache[1:]):
        with pytest.raises(pl.errors.SignatureError, match=r"model\.cache.*argument"):
            f(argument)
    model.table = np.zeros(3)
    g = compiled(lambda x: model.table.__iadd__(1) + x)
    with pytest.raises(pl.errors.SignatureError, match="shares memory"):
        g(model.table[::-1])


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_state_on_the_quick_way(backend: str, model: Model) -> None:
    @pl.graph_function(backend=backend)
    def f(x: Any) -> Any:
        model.steps += 1
        model.w += x
        model.items.append(x)
        return model.w * 2

    w, view = model.w, model.w[:2]
    for i in range(6):
        assert f(pl.ones(3)).numpy().tolist() == [2 * (k + i + 1) for k in range(3)]
    assert (model.steps, len(model.items)) == (6, 8)
    assert model.w is w
    assert view.numpy().tolist() == [6, 7]
