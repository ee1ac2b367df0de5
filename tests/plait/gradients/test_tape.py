"""The gradient tape: what it watches, records and gives, eagerly and in compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl


def vector(*values: float) -> pl.Tensor:
    return pl.asarray(np.array(values))


def check(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-9)


def test_gradients_of_watched_tensors_in_the_structure_of_the_sources() -> None:
    x, y = vector(1.0, 2.0), vector(3.0, 4.0)
    with pl.GradientTape() as tape:
        tape.watch(x, [y])
        z = pl.sum(x * y * y)
    found = tape.gradient(z, {"a": x, "b": (y,)})
    check(found["a"], [9.0, 16.0])
    check(found["b"][0], [6.0, 16.0])


def test_what_is_not_watched_has_no_gradient() -> None:
    x, y = vector(1.0), vector(2.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        z = pl.sum(x * y)
    assert tape.gradient(z, y) is None
    check(tape.gradient(z, y, unconnected="zero"), [0.0])
    with pytest.raises(pl.errors.TraceError, match="watch it before it is used"):
        tape.gradient(z, y, unconnected="error")
    with pytest.raises(pl.errors.UnknownNameError, match="unconnected"):
        tape.gradient(z, y, unconnected="nothing")


def test_intermediate_tensors_can_be_sources_and_targets_can_be_many() -> None:
    x = vector(2.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    check(tape.gradient(z, y), [8.0])
    check(tape.gradient(z, x), [32.0])
    check(tape.gradient([y, z], x), [36.0])
    check(tape.gradient(x, x), [1.0])
    check(tape.gradient(z, x, output_gradients=vector(10.0)), [320.0])


def test_jacobians_of_tensors_and_variables() -> None:
    x, v, other = vector(1.0, 2.0), pl.Variable([3.0], dtype="float64"), vector(7.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x, other)
        y = pl.tanh(x) * v
    slope = 3.0 * (1 - np.tanh([1.0, 2.0]) ** 2)
    found = tape.jacobian(y, {"x": x, "v": v, "other": other})
    check(found["x"], np.diag(slope))
    check(found["v"], np.tanh([[1.0], [2.0]]))
    assert found["other"] is None
    check(tape.jacobian(y, other, unconnected="zero"), np.zeros((2, 1)))
    with pytest.raises(pl.errors.TraceError, match="never used"):
        tape.jacobian(y, other, unconnected="error")


def test_a_tape_is_played_once_unless_it_is_persistent() -> None:
    x = vector(2.0)
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(pl.errors.TraceError, match="persistent=True"):
        tape.gradient(y, x)
    tape.reset()
    with tape:
        tape.watch(x)
        y = x * x * x
    check(tape.gradient(y, x), [12.0])


def test_recording_stops_where_it_is_told_to() -> None:
    x = vector(2.0)
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            factor = y * 10
        z = factor * y
    check(tape.gradient(z, x), [160.0])


def test_trainable_variables_are_watched_by_themselves() -> None:
    v = pl.Variable([1.0, 2.0], dtype="float64")
    fixed = pl.Variable([1.0, 2.0], dtype="float64", trainable=False)
    with pl.GradientTape(persistent=True) as tape:
        y = pl.sum(v * v * fixed)
    assert tape.watched_variables() == (v,)
    check(tape.gradient(y, v), [2.0, 8.0])
    assert tape.gradient(y, fixed) is None
    with pl.GradientTape(watch_variables=False) as tape:
        tape.watch(fixed)
        y = pl.sum(v * fixed)
    check(tape.gradient(y, fixed), [1.0, 2.0])


def test_variables_that_were_given_the_same_tensor_have_gradients_of_their_own() -> None:
    z = vector(3.0)
    one, other = pl.Variable([0.0], dtype="float64"), pl.Variable([0.0], dtype="float64")
    one.assign(z)
    other.assign(z)
    with pl.GradientTape() as tape:
        y = pl.sum(one * one * other)
    first, second = tape.gradient(y, [one, other])
    check(first, [18.0])
    check(second, [9.0])


def test_a_variable_that_is_assigned_under_the_tape_carries_the_derivative_on() -> None:
    x, v = vector(3.0), pl.Variable([1.0], dtype="float64")
    with pl.GradientTape() as tape:
        tape.watch(x)
        v.assign(x * x)
        y = pl.sum(v * x)
    check(tape.gradient(y, x), [27.0])


def test_nested_tapes_give_higher_orders() -> None:
    x = vector(2.0)
    with pl.GradientTape() as third:
        third.watch(x)
        with pl.GradientTape() as second:
            second.watch(x)
            with pl.GradientTape() as first:
                first.watch(x)
                y = pl.sum(x * x * x * x)
            dy = first.gradient(y, x)
        d2y = second.gradient(dy, x)
    check(third.gradient(d2y, x), [48.0])


def test_writes_in_place_are_part_of_what_is_differentiated() -> None:
    x = vector(1.0, 2.0, 3.0)
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        y[0] = x[2] * 10
        y[1:] *= 2
        row = y[1:]
        row += x[:2]
        z = pl.sum(y * y)
    found = tape.gradient(z, x)
    # y = (10 x2, 2 x1^2 + x0, 2 x2^2 + x1)
    y0, y1, y2 = 30.0, 9.0, 20.0
    check(found, [2 * y1, 2 * y1 * 8 + 2 * y2, 2 * y0 * 10 + 2 * y2 * 12])


def test_views_from_before_the_tape_are_known_to_it() -> None:
    x = vector(1.0, 2.0, 3.0)
    tail = x[1:]
    with pl.GradientTape() as tape:
        tape.watch(x)
        tail *= tail
        z = pl.sum(x * pl.asarray(np.array([1.0, 10.0, 100.0])))
    check(tape.gradient(z, x), [1.0, 40.0, 600.0])
    check(x, [1.0, 4.0, 9.0])


def test_writes_after_the_tape_change_neither_values_nor_gradients() -> None:
    x = vector(1.0, 2.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = pl.exp(x)
        z = pl.sum(y)
    wanted = np.exp([1.0, 2.0])
    y *= 0
    x -= 100
    check(tape.gradient(z, x), wanted)
    check(tape.gradient(z, x), wanted)


def test_a_compiled_call_is_one_record_and_the_rest_is_eager() -> None:
    @pl.graph_function
    def step(x: Any, w: Any) -> Any:
        if pl.sum(x) > 0:
            return pl.tanh(x * w)
        return x

    x, w = vector(0.5, 0.25), pl.Variable([2.0, 3.0], dtype="float64")
    with pl.GradientTape() as tape:
        tape.watch(x)
        y = pl.sum(pl.square(step(x * 2, w)))
    dx, dw = tape.gradient(y, [x, w])
    t = np.tanh(np.array([1.0, 0.5]) * [2.0, 3.0])
    slope = 2 * t * (1 - t * t)
    check(dx, slope * [2.0, 3.0] * 2)
    check(dw, slope * [1.0, 0.5])


def test_a_tape_inside_of_a_compiled_function_becomes_part_of_its_graph() -> None:
    @pl.graph_function(fullgraph=True)
    def slope(x: Any) -> Any:
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = pl.sum(x**3)
        return tape.gradient(y, x)

    check(slope(vector(1.0, 2.0)), [3.0, 12.0])
    assert slope.last_graph is not None
    assert "power" in str(slope.last_graph) or "square" in str(slope.last_graph)


def test_a_tape_around_a_loop_in_a_compiled_function() -> None:
    @pl.graph_function(fullgraph=True)
    def slope(x: Any, n: Any) -> Any:
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = x
            while n > 0:
                y = y * x
                n = n - 1
        return tape.gradient(y, x)

    check(slope(pl.asarray(np.float64(2.0)), pl.asarray(5)), 6 * 2.0**5)


def test_a_gradient_inside_of_a_staged_loop_of_a_tape_outside_breaks_the_graph() -> None:
    @pl.graph_function
    def total(x: Any, n: Any) -> Any:
        found = x * 0
        with pl.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x
            while n > 0:
                y = y * x
                found = found + tape.gradient(y, x)
                n = n - 1
        return found

    with pytest.warns(pl.errors.GraphBreakWarning, match="open the tape inside"):
        found = total(pl.asarray(np.float64(2.0)), pl.asarray(3))
    check(found, 2 * 2.0 + 3 * 4.0 + 4 * 8.0)


def test_bad_sources_and_targets_are_errors_that_say_what_to_do() -> None:
    x, n = vector(1.0), pl.asarray([1, 2])
    with pl.GradientTape(persistent=True) as tape:
        with pytest.raises(pl.errors.DTypeError, match=r"int.*astype"):
            tape.watch(n)
        with pytest.raises(pl.errors.DTypeError, match="expected a tensor"):
            tape.watch(3.0)
        tape.watch(x)
        y = x * x
    with pytest.raises(pl.errors.DTypeError, match="target of int"):
        tape.gradient(pl.argmax(y), x)
    with pytest.raises(pl.errors.ShapeError, match="output_gradients"):
        tape.gradient(y, x, output_gradients=vector(1.0, 2.0))
    with pytest.raises(pl.errors.TraceError, match="does not record here"):
        tape.watch(x)
    with pytest.raises(pl.errors.TraceError, match="records already"), tape, tape:
        pass
    with pytest.raises(pl.errors.TraceError, match="context manager"):
        pl.GradientTape().gradient(y, x)


def test_explanations_name_the_function_that_breaks_a_path() -> None:
    x, other = vector(1.0, 5.0), vector(2.0)
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(x, other)
        y = pl.astype(pl.argmax(x), "float64") * 2
        z = pl.sum(pl.tanh(x))
        stopped = pl.sum(pl.stop_gradient(x))
        left = pl.asarray(x.numpy() * 2)
    assert "argmax" in tape.explain(y, x)
    assert "test_tape.py" in tape.explain(y, x)
    assert "stop_gradient" in tape.explain(stopped, x)
    assert "connected: reduce_sum <- tanh" in tape.explain(z, x)
    assert "numpy()" in tape.explain(left, x)
    assert "never used" in tape.explain(z, other)
    assert "not watched" in tape.explain(z, vector(1.0))


def test_random_numbers_are_constants_of_the_gradient() -> None:
    pl.random.seed(0)
    x = vector(1.0, 2.0)
    with pl.GradientTape() as tape:
        tape.watch(x)
        noise = pl.random.normal((2,), dtype="float64")
        y = pl.sum(x * x * noise)
    check(tape.gradient(y, x), 2 * np.array([1.0, 2.0]) * noise.numpy())


def test_threads_record_apart() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work(seed: int) -> float:
        x = vector(float(seed))
        with pl.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(30):
                y = y * 1.01 + x
        found = tape.gradient(y, x)
        return float(found[0])

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(1, 17)))
    assert len(set(found)) == 1
