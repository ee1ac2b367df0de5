"""``plait show --grad``, and ``.graph`` of the functions that give derivatives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait import ir
from plait.cli import main
from tests.golden import check_golden

Out = pytest.CaptureFixture[str]

ROOT = Path(__file__).parents[2]
LSTM = f"{ROOT / 'examples' / 'lstm.py'}:lstm_cell"
USER = '''\
"""A user's file."""

import numpy as np
import plait as pl

FIXED = pl.asarray(np.ones(3, np.float32))


def loss(x, scale, steps: int = 2):
    for _ in range(steps):
        x = pl.sin(x) * scale
    return pl.sum(x)


def settle(x):
    while pl.max(x) > 0.5:
        x = pl.sin(x)
    return pl.sum(x * FIXED)


def counts(n):
    return n + 1


class Layer:
    def __init__(self):
        self.w = pl.Variable(np.array([1.0, 2.0, 3.0], np.float32), name="w")
        self.count = pl.Variable(np.array(0, np.int32), name="count")

    @pl.graph_function(signature="f32[3]")
    def energy(self, x):
        self.count.assign_add(1)
        return pl.sum(pl.square(self.w * x))

    def plain(self, x):
        return pl.sum(pl.exp(self.w) * x)
'''
FILE = """\
graph f(%x: f32[3], %n: i32[3]) -> (f32[3], i32[3]) {
  %0: f32[3] = exp(%x)   @ "model.py":3
  %1: i32[3] = add(%n, %n)
  return %0, %1
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a user's files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "f.ir").write_text(FILE)
    return tmp_path


def show(capsys: Out, *arguments: str) -> str:
    """The output of a command that must succeed."""
    status = main(["show", *arguments, "--grad"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def evaluated(capsys: Out, arrays: list[Any], *arguments: str) -> list[Any]:
    """What the shown graph gives."""
    return list(ir.evaluate(ir.parse(show(capsys, *arguments, "--full-constants")), arrays))


X = np.array([0.5, -1.0, 2.0], np.float32)


@pytest.mark.parametrize("stage", ["traced", "optimized"])
def test_a_function_with_its_gradients(stage: str, folder: Path, capsys: Out) -> None:
    scale = np.float32(1.5)
    found = evaluated(
        capsys, [X, np.array(scale)], "user.py:loss", "--spec", "f32[3] f32[]", "--stage", stage
    )
    inner, outer = np.sin(X) * scale, np.cos(np.sin(X) * scale)
    np.testing.assert_allclose(found[0], np.sum(np.sin(inner) * scale), rtol=1e-5)
    np.testing.assert_allclose(found[1], scale**2 * outer * np.cos(X), rtol=1e-5)
    np.testing.assert_allclose(
        found[2], np.sum(np.sin(inner) + scale * outer * np.sin(X)), rtol=1e-5
    )


def test_a_method_gives_the_gradients_of_its_variables_last(folder: Path, capsys: Out) -> None:
    w = np.array([1.0, 2.0, 3.0], np.float32)
    value, by_x, by_w, *_ = evaluated(capsys, [X], "user.py:Layer.energy")
    np.testing.assert_allclose(value, np.sum((w * X) ** 2), rtol=1e-6)
    np.testing.assert_allclose(by_x, 2 * w * w * X, rtol=1e-6)
    np.testing.assert_allclose(by_w, 2 * w * X * X, rtol=1e-6)
    value, by_x, by_w = evaluated(capsys, [X], "user.py:Layer.plain", "--spec", "f32[3]")
    np.testing.assert_allclose(by_x, np.exp(w), rtol=1e-6)
    np.testing.assert_allclose(by_w, np.exp(w) * X, rtol=1e-6)


def test_a_file_gives_the_gradients_of_its_floating_inputs(folder: Path, capsys: Out) -> None:
    n = np.array([1, 2, 3], np.int32)
    y, twice, by_x = evaluated(capsys, [X, n], "f.ir")
    np.testing.assert_allclose(y, np.exp(X), rtol=1e-6)
    np.testing.assert_array_equal(twice, 2 * n)
    np.testing.assert_allclose(by_x, np.exp(X), rtol=1e-6)


def test_a_loop_goes_back_as_a_loop(folder: Path, capsys: Out) -> None:
    text = show(capsys, "user.py:settle", "--spec", "f32[3]")
    graph = ir.parse(text)
    loops = [node for node in graph.nodes if node.op.name == "while"]
    assert [loop.attributes.get("bound") for loop in loops] == [None, 64]
    assert "LoopCapacityError" in text


def test_integers_have_no_gradients(folder: Path, capsys: Out) -> None:
    assert main(["show", "user.py:counts", "--spec", "i32[3]", "--grad"]) == 1
    error = capsys.readouterr().err
    assert "i32" in error or "int32" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("stage", ["optimized", "plan"])
def test_the_lstm_cell(stage: str, capsys: Out) -> None:
    check_golden(f"plait/cli/lstm_cell.grad.{stage}.ir", show(capsys, LSTM, "--stage", stage))


def test_other_forms_and_stages(folder: Path, capsys: Out) -> None:
    found = json.loads(show(capsys, LSTM, "--json"))
    assert found["format"] == "plait.graph"
    assert "stablehlo.dot_general" in show(capsys, LSTM, "--stage", "stablehlo")
    *_, planned, xla = show(capsys, "f.ir", "--memory").splitlines()
    assert re.match(r"# planned: arguments 24, outputs 36, ", planned)
    assert xla.startswith("# xla: arguments ")


# .graph of the functions that give derivatives.


def energy(x: Any, k: Any) -> Any:
    return pl.sum(pl.square(x) * k)


GRAPHS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "grad": (lambda: pl.grad(energy), ["f32[3]"]),
    "value_and_grad": (lambda: pl.value_and_grad(energy), ["f32[]", "f32[3]"]),
    "gradients": (lambda: pl.gradients_function(energy), ["f32[3]", "f32[]"]),
    "value_and_gradients": (
        lambda: pl.value_and_gradients_function(energy),
        ["f32[]", "f32[3]", "f32[]"],
    ),
    "jacobian": (lambda: pl.jacobian(pl.square), ["f32[3,3]"]),
    "hessian": (lambda: pl.hessian(energy), ["f32[3,3]"]),
    "compiled": (lambda: pl.grad(pl.graph_function(energy)), ["f32[3]"]),
    "second": (lambda: pl.grad(lambda x, k: pl.sum(pl.grad(energy)(x, k))), ["f32[3]"]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_functions_that_give_derivatives_show_their_graphs(name: str) -> None:
    make, types = GRAPHS[name]
    specs = ["f32[3]"] if name == "jacobian" else ["f32[3]", "f32[]"]
    graph = make().graph(*specs)
    assert [str(v.type) for v in graph.outputs] == types
    assert str(make().graph(*specs, stage="plan")).startswith("# plan for backend planned")
    with pytest.raises(pl.errors.UnknownNameError, match="unknown stage"):
        make().graph(*specs, stage="compiled")


def test_the_graph_of_a_gradient_is_what_it_computes() -> None:
    k = np.array(2.0, np.float32)
    (found,) = ir.evaluate(pl.grad(energy).graph(pl.asarray(X), pl.asarray(k)), [X, k])
    np.testing.assert_array_equal(found, np.asarray(pl.grad(energy)(X, k)))


def test_variables_are_inputs_of_the_graph() -> None:
    w = pl.Variable(X, name="w")
    graph = pl.implicit_gradients(lambda x: pl.sum(pl.sin(w) * x)).graph("f32[3]")
    assert [v.name for v in graph.inputs] == ["x", "w"]
    assert "cos" in [node.op.name for node in graph.nodes]
