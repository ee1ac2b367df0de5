"""``pl.vmap``: axes, sizes, control flow, state, effects, nesting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import PlaitError, ShapeError, SignatureError, TraceError

NUMBER: Any = 3
X = np.arange(12, dtype=np.float32).reshape(3, 4)


def rows(function: Any, *arrays: Any) -> Any:
    """What a loop over the rows gives."""
    return np.stack(
        [np.asarray(function(*map(pl.asarray, row))) for row in zip(*arrays, strict=True)]
    )


def assert_like_rows(function: Any, *arrays: Any) -> None:
    """Eagerly, in a compiled function and around one, a batch is the stack of its rows."""
    wanted = rows(function, *arrays)
    tensors = [pl.asarray(x) for x in arrays]
    batched = pl.vmap(function)
    for form in (batched, pl.graph_function(batched), pl.vmap(pl.graph_function(function))):
        found = form(*tensors)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-6)


# Axes.


def test_axes_in_and_out() -> None:
    stretched = pl.vmap(lambda v, k: v * k, in_axes=(1, None), out_axes=1)
    np.testing.assert_array_equal(stretched(X, 2), X * 2)
    last = pl.vmap(lambda v: v + 1, in_axes=-1, out_axes=-1)
    np.testing.assert_array_equal(last(X), X + 1)
    np.testing.assert_array_equal(pl.vmap(lambda v: v + 1, in_axes=[1])(X), X.T + 1)


def test_axes_of_containers() -> None:
    def line(params: Any, x: Any) -> Any:
        return {"y": params["w"] @ x + params["b"], "n": (params["b"], 3)}

    params = {"w": pl.asarray(X), "b": pl.asarray(np.ones(3, np.float32))}
    call = pl.vmap(line, in_axes=({"b": None, "w": None}, 0), out_axes={"y": 1, "n": (None, None)})
    xs = np.ones((5, 4), np.float32)
    found = call(params, xs)
    np.testing.assert_array_equal(found["y"], (X @ xs.T) + 1)
    assert found["n"][0].shape == (3,)
    assert found["n"][1] == 3


def test_named_arguments_are_mapped_and_other_objects_shared() -> None:
    def scaled(x: Any, *, by: Any, mode: str = "up", flag: Any = None) -> Any:
        return x * by if mode == "up" and flag is None else x / by

    call = pl.vmap(scaled, in_axes=1)
    by = np.asarray([1, 2, 3, 4], np.float32)
    np.testing.assert_array_equal(call(X, by=by), X.T * by[:, None])
    np.testing.assert_allclose(call(X, by=by, mode="down"), X.T / by[:, None], rtol=1e-6)


def test_a_result_that_does_not_differ_is_repeated() -> None:
    found = pl.vmap(lambda v: (1, 2.5, True, pl.ones(2), None, "text"))(X)
    assert [np.asarray(f).shape for f in found[:4]] == [(3,), (3,), (3,), (3, 2)]
    assert [f.dtype.name for f in found[:3]] == ["int32", "float32", "bool"]
    assert found[4:] == (None, "text")


def test_size_without_mapped_arguments() -> None:
    assert pl.vmap(lambda: pl.ones(2), axis_size=3)().shape == (3, 2)
    assert pl.vmap(lambda k: pl.ones(2) * k, in_axes=None, axis_size=0)(2).shape == (0, 2)


def test_no_rows() -> None:
    def f(v: Any) -> Any:
        while v.sum() < 3:
            v = v + 1
        return v[0]

    assert pl.vmap(f)(pl.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pl.vmap(NUMBER), SignatureError, "takes a callable, got int"),
        (lambda: pl.vmap(abs, in_axes="0"), SignatureError, "in_axes is an int"),
        (lambda: pl.vmap(abs, axis_size=-1), SignatureError, "axis_size is a number"),
        (lambda: pl.vmap(pl.add, in_axes=(0,))(X, X), SignatureError, "1 entries for 2"),
        (lambda: pl.vmap(abs, in_axes=({"a": 0},))({"b": X}), SignatureError, "does not fit"),
        (lambda: pl.vmap(pl.add)(X, 1.0), ShapeError, "has shape () and no axis 0"),
        (lambda: pl.vmap(pl.sin, in_axes=2)(X), ShapeError, "no axis 2 to map over"),
        (lambda: pl.vmap(pl.sin, in_axes=None)(X), ShapeError, "no argument is mapped"),
        (lambda: pl.vmap(pl.sin, out_axes=2)(X), ShapeError, "out_axes 2 is not an axis"),
        (lambda: pl.vmap(pl.sin, out_axes=None)(X), ShapeError, "out_axes is None"),
        (lambda: pl.vmap(pl.sin, out_axes=(0, 0))(X), SignatureError, "does not fit the result"),
    ],
)  # fmt: skip
def test_errors(call: Any, error: type[PlaitError], message: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)


def test_sizes_that_differ_are_told_by_argument() -> None:
    def f(x: Any, state: Any) -> Any:
        return x + state["a"]

    with pytest.raises(ShapeError) as raised:
        pl.vmap(f, in_axes=(0, 1))(X, {"a": X})
    assert "x has 3 along axis 0; state['a'] has 4 along axis 1" in str(raised.value)
    with pytest.raises(ShapeError, match="x has 3 along axis 0; axis_size is 5"):
        pl.vmap(lambda x: x, axis_size=5)(X)


# Control flow.


def test_a_branch_on_rows() -> None:
    def f(v: Any) -> Any:
        if v.sum() > 20:
            return v * 2
        elif v[0] < 1:
            return v - 1
        return v

    assert_like_rows(f, X)


def test_a_loop_on_rows() -> None:
    def collatz(n: Any) -> Any:
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps = steps + 1
        return steps

    numbers = np.asarray([1, 7, 27, 6], np.int32)
    found = pl.vmap(collatz)(pl.asarray(numbers))
    assert found.tolist() == [0, 16, 111, 8]


def test_loops_with_breaks_in_branches() -> None:
    def f(v: Any, k: Any) -> Any:
        total = v.sum() * 0
        if k > 0:
            for i in range(4):
                if v[i] > 6:
                    break
                total = total + v[i] * k
        else:
            while total < 5:
                total = total + 2
        return total

    assert_like_rows(f, X, np.asarray([2, -1, 1], np.float32))


def test_a_loop_that_only_ends_for_rows_in_its_branch() -> None:
    def f(x: Any) -> Any:
        if x > 0:
            while x != 1:
                x = x - 1
        return x

    assert pl.vmap(f)(pl.asarray([3, -2, 1])).tolist() == [1, -2, 1]


def test_rows_with_control_flow_on_what_they_share() -> None:
    def f(v: Any, n: Any) -> Any:
        i = 0
        while i < n:
            v = v + i
            i = i + 1
        return v

    found = pl.vmap(f, in_axes=(0, None))(pl.asarray(X), pl.asarray(3))
    np.testing.assert_array_equal(np.asarray(found), X + 3)


def test_nested() -> None:
    def distance(a: Any, b: Any) -> Any:
        if (a - b).sum() < 0:
            return pl.abs(a - b).sum()
        return ((a - b) ** 2).sum()

    pairs = pl.vmap(pl.vmap(distance, in_axes=(None, 0)), in_axes=(0, None))
    a, b = X, X[::-1] + 0.5
    wanted = [[float(distance(pl.asarray(p), pl.asarray(q))) for q in b] for p in a]
    np.testing.assert_allclose(np.asarray(pairs(pl.asarray(a), pl.asarray(b))), wanted)


def test_inner_batches_see_the_values_around_them() -> None:
    def f(v: Any) -> Any:
        top = v.max()
        return pl.vmap(lambda x: x / top if x < top else x)(v)

    assert_like_rows(f, X + 1)


# State and effects.


def test_checks_count_for_rows_that_meet_them() -> None:
    def pick(v: Any, i: Any) -> Any:
        if i < 4:
            return v[i]
        return v[0]

    at = pl.vmap(pick)
    xs = pl.asarray(X)
    assert at(xs, pl.asarray([1, 9, 3])).tolist() == [1, 4, 11]
    with pytest.raises(IndexError, match="-7"):
        at(xs, pl.asarray([1, -7, -9]))


def test_prints_run_row_by_row(capfd: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        if x > 1:
            pl.print("row", x)
        return x

    pl.vmap(f)(np.asarray([3, 1, 2]))
    pl.vmap(lambda x: pl.print("all", x))(np.asarray([5, 6]))
    assert capfd.readouterr().out == "row 3\nrow 2\nall 5\nall 6\n"


def test_writing_into_arguments() -> None:
    def bump(v: Any, w: Any) -> None:
        v[0] = v[1] + 10
        w += 1

    xs, w = pl.asarray(X), pl.asarray([1.0])
    pl.vmap(bump, in_axes=(1, None))(xs, w)
    wanted = X.copy()
    wanted[0] = X[1] + 10
    np.testing.assert_array_equal(np.asarray(xs), wanted)
    assert w.tolist() == [2.0]


def test_what_rows_share_is_not_written_with_what_differs() -> None:
    def spill(v: Any, w: Any) -> None:
        w[0] = v[0]

    with pytest.raises(TraceError, match="written into argument w, which is not mapped"):
        pl.vmap(spill, in_axes=(0, None))(pl.asarray(X), pl.zeros(2))


def test_variables() -> None:
    count = pl.Variable(0, name="count")

    def f(x: Any) -> Any:
        count.assign_add(1)
        return x * count

    assert pl.vmap(f)(pl.asarray([1, 2])).tolist() == [1, 2]
    assert pl.vmap(f)(pl.asarray([1, 2])).tolist() == [2, 4]
    with pytest.raises(TraceError, match="assigned to variable 'count'"):
        pl.vmap(lambda x: count.assign(x))(pl.asarray([1, 2]))


def test_what_is_kept_outside_must_not_differ() -> None:
    kept: list[Any] = []
    with pytest.raises(TraceError, match="differs by row"):
        pl.vmap(lambda x: kept.append(x * 2))(pl.asarray([1, 2]))


def test_rows_draw_from_streams_of_their_own() -> None:
    generator = pl.random.Generator(3)

    def noise(x: Any) -> Any:
        if x > 0:
            return generator.normal((2,))
        return generator.uniform((2,))

    draw = pl.vmap(noise)
    one, other = (np.asarray(draw(pl.ones(4))) for _ in range(2))
    assert len({*one.ravel(), *other.ravel()}) == 16
    generator.seed(3)
    np.testing.assert_array_equal(np.asarray(draw(pl.ones(4))), one)
    nested = pl.vmap(pl.vmap(lambda x: generator.uniform()))(pl.ones((2, 3)))
    assert len({*np.asarray(nested).ravel()}) == 6


# Derivatives.


def rooted(x: Any, w: Any) -> Any:
    """A function whose branches have no derivative where they are not taken."""
    if x > 0:
        y = pl.sqrt(x) * w
        while y > 2:
            y = y / 2
        return y
    return x * x * w


def test_gradients_stack_in_any_order() -> None:
    xs, w = pl.asarray(np.asarray([4, -1, 9, 0.5], np.float32)), pl.asarray(np.float32(3))
    singles = [pl.grad(rooted, argnums=(0, 1))(x, w) for x in xs]
    of_x, of_w = (np.asarray([float(s[i]) for s in singles]) for i in (0, 1))
    each = pl.vmap(pl.grad(rooted, argnums=(0, 1)), in_axes=(0, None))
    for form in (each, pl.graph_function(each)):
        found = form(xs, w)
        np.testing.assert_allclose(np.asarray(found[0]), of_x, rtol=1e-6)
        np.testing.assert_allclose(np.asarray(found[1]), of_w, rtol=1e-6)
    compiled = pl.vmap(pl.grad(pl.graph_function(rooted)), in_axes=(0, None))
    np.testing.assert_allclose(np.asarray(compiled(xs, w)), of_x, rtol=1e-6)

    def total(xs: Any, w: Any) -> Any:
        return pl.vmap(rooted, in_axes=(0, None))(xs, w).sum()

    found = pl.grad(total, argnums=(0, 1))(xs, w)
    np.testing.assert_allclose(np.asarray(found[0]), of_x, rtol=1e-6)
    np.testing.assert_allclose(float(found[1]), of_w.sum(), rtol=1e-6)


def test_a_tape_records_the_call() -> None:
    rows_of_x, w = X / 20, pl.asarray(np.ones(4, np.float32))
    xs = pl.asarray(rows_of_x)
    with pl.GradientTape() as tape:
        tape.watch(w)
        y = pl.vmap(lambda x: pl.tanh(x @ w))(xs)
        loss = (y * y).sum()
    z = np.tanh(rows_of_x.sum(1))
    wanted = (2 * z * (1 - z * z)) @ rows_of_x
    np.testing.assert_allclose(np.asarray(tape.gradient(loss, w)), wanted, rtol=1e-5)


# How it runs.


def test_what_is_compiled_for_a_function_is_kept() -> None:
    def f(x: Any) -> Any:
        return x + 1

    assert pl.vmap(f, in_axes=({"a": 0},)) is pl.vmap(f, in_axes=[{"a": 0}])
    assert pl.vmap(f) is not pl.vmap(f, in_axes=1)
    assert "vmap_f" in repr(pl.vmap(f))


def test_what_it_reads_outside_is_followed() -> None:
    scale = {"by": 2.0}
    call = pl.vmap(lambda x: x * scale["by"])
    assert call(pl.asarray([1.0])).tolist() == [2]
    scale["by"] = 3.0
    assert call(pl.asarray([1.0])).tolist() == [3]


def test_kinds_of_arrays() -> None:
    assert type(pl.vmap(lambda x: x + 1)(X)) is np.ndarray
    assert type(pl.vmap(lambda x: x)(X)) is np.ndarray
    assert type(pl.vmap(lambda x: x)(pl.asarray(X))) is pl.Tensor


def test_without_graphs_rows_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_DISABLE_GRAPH", "1")
    found = pl.vmap(lambda v, k: (v * k, v.sum()), in_axes=(1, None), out_axes=(1, 0))(X, 2)
    np.testing.assert_array_equal(np.asarray(found[0]), X * 2)
    np.testing.assert_array_equal(np.asarray(found[1]), X.sum(0))


def test_an_error_in_the_function_is_the_users() -> None:
    with pytest.raises(ShapeError, match="matmul"):
        pl.vmap(lambda v: v @ pl.ones(3))(pl.asarray(X))


def test_what_a_mapped_function_holds_does_not_outlive_it() -> None:
    import gc
    import weakref

    def made() -> Any:
        data = pl.asarray([1.0, 2.0])
        f = pl.vmap(lambda x: pl.sum(x * data))
        assert pl.vmap(f.__wrapped__) is f
        f(pl.ones((3, 2)))
        return weakref.ref(data)

    kept = made()
    gc.collect()
    assert kept() is None
