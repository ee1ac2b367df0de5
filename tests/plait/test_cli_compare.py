"""``plait diff``, ``explain`` and ``export``, NumPy programs of ``show``, and colors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plait import inspect, ir
from plait.cli import colors, main
from tests.golden import check_golden

Out = pytest.CaptureFixture[str]

USER = '''\
"""A user's file."""

import numpy as np
import plait as pl

WEIGHTS = pl.asarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))


@pl.graph_function(signature="f32[4,8]")
def weighted(x):
    y = pl.matmul(x, WEIGHTS) * 1.0
    return pl.tanh(y) + pl.tanh(y)


def picked(x, i):
    total = pl.zeros_like(x)
    for _ in range(2):
        total = total + pl.exp(x)
    return pl.gather(total, i)
'''
BEFORE = """\
graph f(%x: f32[2,3], %y: f32[2,3]) -> (f32[2,3], f32[2,3]) {
  %0: f32[2,3] = add(%x, %y)   @ "a.py":3
  %1: f32[2,3] = tanh(%0)   @ "a.py":4
  %2: f32[2,3] = exp(%y)   @ "a.py":5
  %3: f32[3,2] = transpose(%2) {permutation = (1, 0)}   @ "a.py":6
  %4: f32[2,3] = transpose(%3) {permutation = (1, 0)}   @ "a.py":6
  %5: bool[] = constant() {value = true: bool[]}
  %6: f32[2,3] = cond(%5, %1) then(%a: f32[2,3]) {
    %0: f32[2,3] = sin(%a)   @ "a.py":8
    return %0
  } else(%a: f32[2,3]) {
    return %a
  }   @ "a.py":7
  %7: f32[2,3] = multiply(%6, %4)   @ "a.py":9
  return %7, %2
}
"""
AFTER = """\
graph g(%a: f32[2,3], %b: f32[2,3]) -> (f32[2,3], f32[2,3]) {
  %unused: f32[2,3] = cos(%a)   @ "a.py":2
  %s: f32[2,3] = add(%a, %b)   @ "b.py":30
  %t: f32[2,3] = sigmoid(%s)   @ "a.py":4
  %e: f32[2,3] = exp(%b)   @ "a.py":5
  %5: bool[] = constant() {value = true: bool[]}
  %6: f32[2,3] = cond(%5, %t) then(%a: f32[2,3]) {
    %0: f32[2,3] = sin(%a)   @ "a.py":8
    %1: f32[2,3] = abs(%0)   @ "a.py":8
    return %1
  } else(%a: f32[2,3]) {
    return %a
  }   @ "a.py":7
  %7: f32[2,3] = multiply(%6, %e)   @ "a.py":9
  return %7, %7
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a user's file and two graphs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "before.ir").write_text(BEFORE)
    (tmp_path / "after.ir").write_text(AFTER)
    return tmp_path


def output(capsys: Out, *arguments: str, status: int = 0) -> str:
    """The output of a command that ends with a status, and no message."""
    assert main(arguments) == status, capsys.readouterr().err
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def failure(capsys: Out, *arguments: str, status: int = 1) -> str:
    """The diagnostics of a command that must fail."""
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_diff_of_files(folder: Path, capsys: Out) -> None:
    text = output(capsys, "diff", "before.ir", "after.ir", status=1)
    check_golden("plait/cli/diff.txt", text)
    assert "\x1b" not in text


def test_diff_as_json(folder: Path, capsys: Out) -> None:
    found = json.loads(output(capsys, "diff", "before.ir", "after.ir", "--json", status=1))
    assert (found["format"], found["is_equal"], found["before"]) == (
        "plait.diff",
        False,
        "before.ir",
    )
    kinds = [change["kind"] for change in found["changes"]]
    assert sorted(set(kinds)) == ["added", "changed", "outputs", "removed"]
    assert [c["region"] for c in found["changes"] if "abs" in c["after"]] == [["cond then"]]
    changed = next(c for c in found["changes"] if "sigmoid" in c["after"])
    assert (changed["what"], changed["location"]) == (["op"], "a.py:4")


def test_equal_graphs_whatever_their_names(folder: Path, capsys: Out) -> None:
    renamed = BEFORE.replace("%x", "%first").replace("%2", "%two").replace('"a.py"', '"z.py"')
    (folder / "renamed.ir").write_text(renamed)
    assert output(capsys, "diff", "before.ir", "renamed.ir") == "equal: 8 nodes\n"
    found = json.loads(output(capsys, "diff", "before.ir", "renamed.ir", "--json"))
    assert (found["is_equal"], found["changes"]) == (True, [])


def test_diff_of_two_stages(folder: Path, capsys: Out) -> None:
    text = output(capsys, "diff", "user.py:weighted", "--stages", "traced,optimized", status=1)
    assert text.startswith("--- traced\n+++ optimized\n")
    assert [line for line in text.splitlines() if line.startswith("- ")]
    assert output(capsys, "diff", "user.py:weighted", "--stages", "traced,traced")


def test_diff_of_a_file_and_a_function(folder: Path, capsys: Out) -> None:
    output(capsys, "show", "user.py:weighted", "-o", "w.ir")
    assert output(capsys, "diff", "w.ir", "user.py:weighted").startswith("equal: ")
    spec = ("--spec", "f32[3], i32[]")
    text = output(capsys, "diff", "w.ir", "user.py:picked", "--spec-b", spec[1], status=1)
    assert "  inputs:\n- %x: f32[4,8]" in text
    again = output(capsys, "diff", "user.py:picked", "user.py:picked", *spec)
    assert again.startswith("equal: ")


def test_only_the_order_differs() -> None:
    first = ir.parse(
        "graph f(%x: f32[2]) -> (f32[2], f32[2]) "
        "{ %0: f32[2] = sin(%x) %1: f32[2] = cos(%x) return %0, %1 }"
    )
    second = ir.parse(
        "graph f(%x: f32[2]) -> (f32[2], f32[2]) "
        "{ %1: f32[2] = cos(%x) %0: f32[2] = sin(%x) return %0, %1 }"
    )
    found = inspect.compare(first, second)
    assert [change.kind for change in found.changes] == ["order"]
    assert "the order of the nodes differs" in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("before.ir",), "give either two graphs"),
        (("before.ir", "after.ir", "--stages", "traced,optimized"), "give either two graphs"),
        (("before.ir", "--stages", "traced"), "give two of traced, optimized"),
        (("before.ir", "--stages", "traced,plan"), "give two of traced, optimized"),
        (("-", "--stages", "traced,optimized"), "stdin can be read once"),
    ],
)
def test_options_of_diff(
    folder: Path, capsys: Out, arguments: tuple[str, ...], message: str
) -> None:
    assert message in failure(capsys, "diff", *arguments, status=2)


def test_explain(folder: Path, capsys: Out) -> None:
    text = output(capsys, "explain", "user.py:weighted", "--grad")
    check_golden("plait/cli/explain.txt", text)


def test_explain_as_json(folder: Path, capsys: Out) -> None:
    found = json.loads(output(capsys, "explain", "user.py:weighted", "--grad", "--json"))
    assert (found["format"], found["version"], found["function"]) == (
        "plait.explanation", 1, "weighted",
    )  # fmt: skip
    assert {r["rule"] for r in found["rewrites"]} >= {"merge"}
    assert all(r["location"].startswith("user.py:") for r in found["rewrites"])
    assert {d["taken"] for d in found["decisions"] if d["kind"] == "in-place"} == {True, False}
    assert {r["kind"] for r in found["residuals"]} >= {"input", "saved"}
    assert not [key for trace in found["traces"] for key in trace if key.endswith("_ms")]


def test_explain_where_a_size_is_symbolic(folder: Path, capsys: Out) -> None:
    text = output(capsys, "explain", "user.py:weighted", "--spec", "f32[b,8]")
    assert "buffers\n  not planned: " in text


def test_export_python(folder: Path, capsys: Out) -> None:
    text = output(capsys, "export", "user.py:weighted", "-o", "weighted.py")
    assert text.splitlines() == [
        "weighted.py and weighted.npz: weighted(x: f32[4,8]) -> (f32[4,8])",
        "largest difference from the eager result on generated arguments: 0",
    ]
    assert "# user.py:11: y = pl.matmul(x, WEIGHTS) * 1.0" in (folder / "weighted.py").read_text()
    code = "import numpy as np, weighted; print(weighted.weighted(np.ones((4, 8), 'f4')).shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(4, 8)\n"


def test_export_on_given_inputs(folder: Path, capsys: Out) -> None:
    np.savez(folder / "x.npz", x=np.arange(3, dtype=np.float32), i=np.int32(2))
    arguments = ["export", "user.py:picked", "--spec", "f32[3], i32[]", "--inputs", "x.npz"]
    found = json.loads(output(capsys, *arguments, "-o", "p.mlir", "--json"))
    assert (found["format"], found["compared_on"]) == ("stablehlo", "given")
    assert 0 <= found["max_difference"] < 1e-5
    np.savez(folder / "x.npz", x=np.arange(3, dtype=np.float32), i=np.int32(7))
    text = output(capsys, *arguments, "-o", "p.py")
    assert "not compared with the eager result: given arguments: IndexOutOfRangeError" in text
    np.savez(folder / "x.npz", x=np.arange(3, dtype=np.float64), i=np.int32(7))
    assert "input x is f32[3], got float64[3]" in failure(capsys, *arguments, "-o", "p.py")
    np.savez(folder / "x.npz", x=np.arange(3, dtype=np.float32))
    assert "takes 2 tensors, but --inputs has 1" in failure(capsys, *arguments, "-o", "p.py")


def test_export_of_another_kind(folder: Path, capsys: Out) -> None:
    assert "export writes .py" in failure(capsys, "export", "user.py:weighted", "-o", "w.onnx")


def test_show_as_a_numpy_program(folder: Path, capsys: Out) -> None:
    names: dict[str, Any] = {}
    exec(output(capsys, "show", "user.py:weighted", "--format", "python"), names)
    x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(4, 8)
    wanted = names["weighted"](x)
    assert output(capsys, "show", "user.py:weighted", "-o", "w.py") == ""
    assert sorted(p.name for p in folder.glob("w.*")) == ["w.npz", "w.py"]
    names = {"__file__": str(folder / "w.py")}
    exec((folder / "w.py").read_text(), names)
    assert names["weighted"](x).tobytes() == wanted.tobytes()
    output(capsys, "show", "user.py:weighted", "-o", "full.py", "--full-constants")
    assert not (folder / "full.npz").exists()
    planned = output(capsys, "show", "user.py:weighted", "--stage", "plan", "--format", "python")
    assert "def weighted(x, WEIGHTS):" in planned


class Terminal:
    """What a command writes to, as a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return True


def in_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a command shows in a terminal."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        main(arguments)
    return terminal.text


COMMANDS = [("show", "before.ir"), ("diff", "before.ir", "after.ir")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_colors_in_a_terminal(
    command: tuple[str, ...], folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = output(capsys, *command, status=int(command[0] == "diff"))
    assert "\x1b" not in plain
    shown = in_terminal(monkeypatch, *command)
    assert "\x1b[" in shown
    assert without_colors(shown) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert in_terminal(monkeypatch, *command) == plain


def without_colors(text: str) -> str:
    parts = text.split("\x1b[")
    return "".join([parts[0], *[part.partition("m")[2] for part in parts[1:]]])


def test_what_is_colored() -> None:
    line = '  %0: f32[2] = call(%"a b") {name = "x"}   @ "a.py":3'
    shown = colors.colored(line)
    assert without_colors(shown) == line
    for part in ("\x1b[36m%0", "\x1b[33mf32[2]", "\x1b[1mcall", '\x1b[36m%"a b"', '\x1b[32m"x"'):
        assert part in shown
    assert '\x1b[2m@ "a.py":3' in shown
