"""The gradient of a compiled function as a stage: its graphs, what it keeps, what that costs."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import parse
from plait.ir.autodiff.partition import POLICIES

F32 = np.float32


def mlp(x: Any, w: Any, v: Any) -> Any:
    hidden = pl.tanh(pl.matmul(x, w))
    last = pl.matmul(hidden, v)
    return pl.sum(pl.square(last) * (last - 2.0))


SPECS = ("f32[8,16]", "f32[16,32]", "f32[32,4]")


def arrays() -> list[Any]:
    draw = np.random.default_rng(0)
    return [pl.asarray(draw.normal(size=s).astype(F32)) for s in ((8, 16), (16, 32), (32, 4))]


def derived(function: Any = mlp, *specs: str, **options: Any) -> Any:
    made = pl.graph_function(function, backend="planned", **options)
    return made.trace(*(specs or SPECS)).differentiate()


def kinds(found: Any) -> list[tuple[str, str]]:
    return [(choice.kind, choice.name) for choice in found.residuals]


def test_the_residuals_say_what_is_kept_and_where_it_is_made() -> None:
    found = derived()
    assert found.wrt == ("x", "w", "v")
    assert kinds(found) == [
        ("input", "x"),
        ("input", "w"),
        ("input", "v"),
        ("saved", "tanh"),
        ("saved", "matmul"),
    ]
    assert [choice.name for choice in found.recomputed] == ["square", "full", "subtract"]
    assert found.saved_bytes == 4 * (8 * 32 + 8 * 4) == sum(c.bytes for c in found.residuals[3:])
    tanh = found.residuals[3]
    assert (tanh.type, tanh.bytes) == ("f32[8,32]", 1024)
    assert tanh.location.line == mlp.__code__.co_firstlineno + 1
    assert [v.name for v in found.forward.inputs] == ["x", "w", "v"]
    assert len(found.forward.outputs) == 1 + 2
    assert len(found.backward.inputs) == 5 + 1
    assert [str(v.type) for v in found.backward.outputs] == list(SPECS)


def test_positions_choose_the_arguments() -> None:
    f = pl.graph_function(lambda p, x: pl.sum(pl.tanh(p["a"] * x) + p["b"]), backend="planned")
    traced = f.trace({"a": "f32[4]", "b": "f32[4]"}, "f32[4]")
    assert traced.differentiate(0).wrt == ("p['a']", "p['b']")
    assert traced.differentiate([-1]).wrt == ("x",)
    assert len(traced.differentiate(1).backward.outputs) == 1
    with pytest.raises(pl.errors.SignatureError, match="no positional argument 2"):
        traced.differentiate(2)


def test_what_has_no_gradient_is_an_error() -> None:
    f = pl.graph_function(lambda i, x: x * i, backend="planned")
    traced = f.trace("i32[4]", "f64[4]")
    assert traced.differentiate().wrt == ("x",)
    with pytest.raises(pl.errors.DTypeError, match=r"differentiate: i is i32\[4\]"):
        traced.differentiate(0)
    with pytest.raises(pl.errors.DTypeError, match="no argument is a floating tensor"):
        f.trace("i32[4]", "i32[4]").differentiate()
    with pytest.raises(pl.errors.UnknownNameError, match="'save-all'"):
        traced.differentiate(residuals="all")


def test_variables_are_differentiated_unless_they_are_not_trainable() -> None:
    w = pl.Variable(np.ones(4, F32), name="w")
    fixed = pl.Variable(np.ones(4, F32), trainable=False)
    found = derived(lambda x: pl.sum(pl.sin(w * x) * fixed), "f32[4]")
    assert len(found.wrt) == len(found.backward.outputs) == 2


def test_the_text_is_comments_and_two_graphs() -> None:
    text = str(derived())
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert comments[0] == (
        "# gradient with respect to x, w, v; min-cut: "
        "2 values of 1,152 bytes kept, 3 nodes run again"
    )
    assert re.fullmatch(
        r"# %residual3  saved +tanh +f32\[8,32\] +1,024 bytes  \S+test_differentiated.py:\d+",
        comments[4],
    )
    forward, backward = text.split("\n\n")
    assert parse(forward).name == "mlp_forward"
    assert parse(backward).name == "mlp_backward"


@pytest.mark.parametrize("backend", ["xla", "planned"])
def test_bytes_are_measured_for_each_choice_after_compilation(backend: str) -> None:
    f = pl.graph_function(mlp, backend=backend)
    found = f.trace(*SPECS).differentiate().compare_residuals()
    by_choice = {record.residuals: record for record in found}
    assert tuple(by_choice) == POLICIES
    some, everything, nothing = found
    assert nothing.kept == nothing.kept_bytes == 0
    assert 0 < some.kept_bytes < everything.kept_bytes
    assert some.recomputed < nothing.recomputed
    inputs = 4 * (8 * 16 + 16 * 32 + 32 * 4)
    for record in found:
        assert record.forward["arguments"] == inputs
        assert record.forward["outputs"] >= 4 + record.kept_bytes
        # What the backward pass is given: the inputs that it reads, what was kept, one cotangent.
        assert record.backward["arguments"] <= inputs + record.kept_bytes + 4
        assert record.backward["outputs"] >= inputs
    # Without anything kept, the hidden layer is made again, in memory of the backward pass.
    assert nothing.backward["temporaries"] >= some.backward["temporaries"]
    assert nothing.backward["arguments"] < some.backward["arguments"]
    assert f.trace(*SPECS).differentiate(residuals="save-all").memory_analysis() == everything


def test_the_comparison_shows_as_a_table_and_as_records() -> None:
    found = derived().compare_residuals()
    title, head, *rows = str(found).splitlines()
    assert title == (
        "gradient of mlp with respect to x, w, v, compiled for planned; calls take min-cut"
    )
    assert re.split("  +", head) == [
        "residuals",
        "kept",
        "bytes kept",
        "run again",
        "forward temporaries",
        "backward temporaries",
    ]
    assert rows[0].split()[:4] == ["min-cut", "2", "1,152", "3"]
    assert len({len(row) for row in (head, *rows)}) == 1
    assert found._repr_html_().count("<tr>") == 4
    assert json.loads(json.dumps(found.as_dict()))["min-cut"]["kept_bytes"] == 1152
    assert found[:1] == (found[0],)
    assert str(found[0]).startswith("min-cut: 2 values of 1,152 bytes kept, 3 nodes run again; ")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_function_chooses_its_residuals_and_means_the_same(policy: str) -> None:
    f = pl.graph_function(mlp, backend="planned", residuals=policy)
    wanted = pl.grad(mlp, (0, 1, 2))(*arrays())
    for found, exact in zip(pl.grad(f, (0, 1, 2))(*arrays()), wanted, strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-5)
    assert f.trace(*arrays()).differentiate().policy == policy


def test_an_unknown_choice_is_an_error() -> None:
    with pytest.raises(pl.errors.UnknownNameError, match="residuals is one of 'min-cut'"):
        pl.graph_function(mlp, residuals="none")


def deep(x: Any, n: Any) -> Any:
    for _ in range(n):
        x = pl.tanh(pl.tanh(x) + 1.0)
    return pl.sum(x)


def test_the_choice_reaches_the_bodies_of_loops() -> None:
    f = pl.graph_function(lambda x: deep(x, 20), backend="planned")
    some, everything, nothing = f.trace("f32[16]").differentiate().compare_residuals()
    assert nothing.kept_bytes < some.kept_bytes <= everything.kept_bytes
    inner = {}
    for policy in POLICIES:
        gradient = pl.graph_function(
            lambda x: pl.grad(lambda x: deep(x, 20))(x), backend="planned", residuals=policy
        )
        np.testing.assert_allclose(
            gradient(pl.zeros(16)), pl.grad(lambda x: deep(x, 20))(pl.zeros(16)), rtol=1e-5
        )
        traced = gradient.trace("f32[16]")
        inner[policy] = traced.memory_analysis()["unplanned"]
    assert inner["recompute-all"] < inner["save-all"]


def halve(x: Any) -> Any:
    while x > 1.0:
        x = x * (0.99 - 0.001 * pl.sin(x))
    return x


def test_the_room_of_a_loop_is_that_of_the_calls() -> None:
    f = pl.graph_function(halve, backend="planned")
    small = f.trace("f32[]").differentiate()
    assert small.capacity == 64
    with pl.loop_gradients(max_iterations=8):
        assert f.trace("f32[]").differentiate().saved_bytes < small.saved_bytes
    pl.grad(f)(3.0)  # about a hundred trips
    grown = f.trace("f32[]").differentiate()
    assert grown.capacity == 128
    assert grown.saved_bytes > small.saved_bytes
    _, everything, nothing = grown.compare_residuals()
    assert everything.kept_bytes > small.saved_bytes
    # The loop runs again in the backward pass, with its buffers.
    assert nothing.backward["temporaries"] > small.saved_bytes > nothing.kept_bytes == 0


def test_what_a_gradient_keeps_is_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = pl.graph_function(lambda x: pl.sum(pl.exp(pl.sin(x))), name="f")
    monkeypatch.setenv("PLAIT_LOG", "plan")
    pl.grad(f)(pl.zeros(8))
    lines = capsys.readouterr().err.splitlines()
    assert (
        "plait [plan] f: its gradient keeps 1 value of 32 bytes, runs 0 nodes again (min-cut)"
        in (lines)
    )
    assert any(line.startswith("plait [plan] f_backward for xla: arguments ") for line in lines)
