"""The promised programs that compile: the LSTM cell, dumps, checks, devices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.golden import check_golden

ROOT = Path(__file__).parent.parent
CELL = "examples/lstm.py:lstm_cell"
SPECS = "f32[8,16] f32[32,64] f32[8,16] f32[8,16]"


@pl.graph_function
def lstm_cell(x: Any, w: Any, h: Any, c: Any) -> Any:
    xhw = pl.matmul(pl.concat([x, h], axis=1), w)
    y = pl.split(xhw, 4, axis=1)
    in_value = pl.tanh(y[0])
    in_gate, forget_gate, out_gate = [pl.sigmoid(v) for v in y[1:]]
    c = (forget_gate * c) + (in_gate * in_value)
    h = out_gate * pl.tanh(c)
    return h, c


def arguments() -> list[Any]:
    """Four tensors for the cell."""
    random = np.random.default_rng(0)
    shapes = [(8, 16), (32, 64), (8, 16), (8, 16)]
    return [pl.asarray(random.normal(size=s).astype(np.float32)) for s in shapes]


def test_the_cell_equals_the_undecorated_function() -> None:
    args = arguments()
    h, c = lstm_cell(*args)
    for got, expected in zip((h, c), lstm_cell.__wrapped__(*args), strict=True):
        assert type(got) is pl.Tensor
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=2e-5, atol=2e-6)


def test_the_cell_in_numpy() -> None:
    x, w, h, c = (a.numpy() for a in arguments())
    y = np.split(np.concatenate([x, h], axis=1) @ w, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-v)) for v in y[1:])
    c = f * c + i * np.tanh(y[0])
    got = lstm_cell(*arguments())
    np.testing.assert_allclose(got[1].numpy(), c, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(got[0].numpy(), o * np.tanh(c), rtol=2e-5, atol=2e-6)


def test_graphs_and_plan_are_golden() -> None:
    args = arguments()
    for stage in ("traced", "optimized", "plan"):
        text = str(lstm_cell.graph(*args, stage=stage))
        check_golden(f"programs/lstm_cell.{stage}.ir", text + "\n")


def test_the_plan_shows_tanh_in_place_and_its_backend() -> None:
    plan = str(lstm_cell.graph(*arguments(), stage="plan"))
    assert "backend planned" in plan
    assert any("tanh" in line and "in-place of" in line for line in plan.splitlines())


def test_constants_fold() -> None:
    f = pl.graph_function(lambda x: x * (pl.sqrt(pl.constant(4.0)) + 1.0))
    optimized = f.graph(pl.TensorSpec((), "float32"))
    assert sorted(n.op.name for n in optimized.nodes) == ["constant", "multiply"]


@pytest.mark.parametrize("stage", ["traced", "optimized", "plan", "stablehlo", "hlo"])
def test_the_command_line_shows_each_stage(stage: str) -> None:
    command = [sys.executable, "-m", "plait.cli", "show", CELL, "--spec", SPECS, "--stage", stage]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "lstm_cell" in shown.stdout
    assert "tanh" in shown.stdout
    assert shown.stderr == ""


def test_a_missing_device_lists_those_there_are() -> None:
    with pl.device("cpu:0"):
        x = pl.random.uniform((10, 10))
        y = pl.matmul(x, x)
    assert str(y.device) == "cpu:0"
    with pytest.raises(pl.errors.DeviceError, match="cpu:0"), pl.device("gpu:99"):
        pass


def test_the_demo_runs() -> None:
    command = [sys.executable, "examples/lstm.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for text in ("in place: tanh", "bytes of results fit in", "1797 digits", "Plait, XLA"):
        assert text in done.stdout
    rows = {row[0]: row[1:] for row in map(str.split, done.stdout.splitlines()) if len(row) == 6}
    assert rows["planned"][0] == rows["xla"][0] == "9728"
