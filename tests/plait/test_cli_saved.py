"""``plait show`` and ``plait run`` on saved functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.cli import main

Out = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a saved function and its inputs."""
    monkeypatch.chdir(tmp_path)
    w = pl.Variable(np.arange(6, dtype=np.float32).reshape(3, 2), name="w")

    @pl.graph_function
    def cell(x: Any, p: Any, k: int = 2) -> Any:
        y = x @ w * k + p["b"]
        assert pl.max(y) < 1000, "large"
        w.assign_add(pl.ones((3, 2)))
        return {"y": y, "name": "cell", "n": pl.sum(y)}

    cell.save("cell.plait", "f32[n,3]", {"b": pl.TensorSpec((2,))})
    np.savez("x.npz", x=np.ones((2, 3), "f4"), p__b__=np.ones(2, "f4"))
    return tmp_path


def output(capsys: Out, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def failure(capsys: Out, *arguments: str) -> str:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_run(folder: Path, capsys: Out) -> None:
    expected = "out0: f32[2,2] =\n[[13., 19.],\n [13., 19.]]\nout1: f32[] =\n64.\n"
    before = (folder / "cell.plait").read_bytes()
    for backend in ("xla", "planned", "reference"):
        arguments = ("run", "cell.plait", "--inputs", "x.npz", "--backend", backend)
        assert output(capsys, *arguments) == expected
    output(capsys, "run", "cell.plait", "--inputs", "x.npz", "-o", "y.npz")
    with np.load("y.npz") as found:
        assert sorted(found) == ["out0", "out1"]
    assert (folder / "cell.plait").read_bytes() == before


def test_run_says_what_is_wrong(folder: Path, capsys: Out) -> None:
    message = failure(capsys, "run", "cell.plait")
    assert "cell takes x: f32[n,3], p__b__: f32[2]" in message
    np.savez("y.npz", x=np.ones((2, 4), "f4"), p__b__=np.ones(2, "f4"))
    message = failure(capsys, "run", "cell.plait", "--inputs", "y.npz")
    assert (
        message == "plait: error: input x is f32[n,3], got float32[2,4]; convert the array first\n"
    )
    np.savez("z.npz", np.full((2, 3), 1e6, "f4"), np.ones(2, "f4"))
    message = failure(capsys, "run", "cell.plait", "--inputs", "z.npz", "--backend", "planned")
    assert message == "plait: error: in cell: AssertionError: large\n"


def test_show(folder: Path, capsys: Out) -> None:
    text = output(capsys, "show", "cell.plait")
    assert text.startswith("graph cell(%x: f32[n,3], %p__b__: f32[2]) -> ")
    assert "@const_0" in text or "f32[3,2]" in text
    assert "in-place" in output(
        capsys, "show", "cell.plait", "--stage", "plan", "--spec", 'f32[4,3] {"b": f32[2]}'
    )
    assert "a plan needs sizes" in failure(capsys, "show", "cell.plait", "--stage", "plan")
    output(capsys, "show", "cell.plait", "-o", "cell.svg")
    assert Path("cell.svg").read_text().startswith("<svg")


def test_files_that_are_none(folder: Path, capsys: Out) -> None:
    assert failure(capsys, "show", "no.plait").startswith("plait: error: cannot read no.plait: ")
    Path("bad.plait").write_bytes(b"PK\x03\x04 nonsense")
    for command in ("show", "run"):
        message = failure(capsys, command, "bad.plait")
        assert message.startswith("plait: error: bad.plait: it is no whole zip file")
