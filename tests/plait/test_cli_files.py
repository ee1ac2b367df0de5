"""``plait opt`` and ``plait run`` on files, pipes and bad input."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.cli import main

Out = pytest.CaptureFixture[str]

GRAPH = """\
graph f(%x: f32[2,3], %y: f32[2,3]) -> (f32[2,3], bool[]) {
  %0: f32[2,3] = add(%x, %y)   @ "a.py":3
  %1: f32[2,3] = add(%x, %y)   @ "a.py":3
  %2: f32[2,3] = multiply(%0, %1)
  %3: bool[] = constant() {value = true: bool[]}
  return %2, %3
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a graph and its inputs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.ir").write_text(GRAPH)
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3), "f4"), y=np.arange(6, dtype="f4").reshape(2, 3))
    return tmp_path


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def failure(capsys: Out, *arguments: str, status: int = 1) -> str:
    """The diagnostics of a command that must fail."""
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def output(capsys: Out, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_version(capsys: Out) -> None:
    assert output(capsys, "--version").startswith("plait 0.")


@pytest.mark.parametrize("command", [[], ["show"], ["opt"], ["run"]])
def test_help(command: list[str], capsys: Out) -> None:
    assert "Usage: plait" in output(capsys, *command, "--help")


def test_wrong_options_are_usage_errors(folder: Path, capsys: Out) -> None:
    assert "No such option" in failure(capsys, "opt", "g.ir", "--pases", "cse", status=2)
    assert "Missing argument" in failure(capsys, "run", status=2)


def test_opt_runs_the_named_passes(folder: Path, capsys: Out) -> None:
    text = output(capsys, "opt", "g.ir", "--passes", "cse,dce")
    assert [n.op.name for n in ir.parse(text).nodes] == ["add", "multiply", "constant"]
    assert '@ "a.py":3' in text


def test_opt_without_passes_changes_nothing(folder: Path, capsys: Out) -> None:
    text = output(capsys, "opt", "g.ir", "--passes", "")
    assert text == str(ir.parse(GRAPH)) + "\n"


def test_opt_writes_to_a_file_and_from_it(folder: Path, capsys: Out) -> None:
    assert output(capsys, "opt", "g.ir", "-o", "h.ir") == ""
    assert output(capsys, "opt", "h.ir") == (folder / "h.ir").read_text()
    assert sorted(p.name for p in folder.iterdir()) == ["g.ir", "h.ir", "x.npz"]


def test_opt_between_pipes(folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, GRAPH.encode())
    assert output(capsys, "opt", "-", "-o", "-") == output(capsys, "opt", "g.ir")


def test_opt_prints_after_change(folder: Path, capsys: Out) -> None:
    arguments = ["opt", "g.ir", "--passes", "dce,cse", "--print-after-change", "--verify-each"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == f"# after dce: no change\n# after cse\n{out}"


def test_opt_reports_without_times(folder: Path, capsys: Out) -> None:
    assert main(["opt", "g.ir", "--passes", "cse", "--report"]) == 0
    assert capsys.readouterr().err == "cse              4 -> 3 nodes  [merge x1]\n"


def test_opt_json(folder: Path, capsys: Out) -> None:
    found = json.loads(output(capsys, "opt", "g.ir", "--passes", "cse", "--json"))
    assert found["passes"] == [
        {"pass": "cse", "nodes_before": 4, "nodes_after": 3, "changed": True, "rules": {"merge": 1}}
    ]
    assert found["graph"]["format"] == "plait.graph"


def test_list_passes(capsys: Out) -> None:
    listed = output(capsys, "opt", "--list-passes")
    assert {"cse", "dce", "fold"} <= {line.split(" ")[0] for line in listed.splitlines()}
    assert "default: " in listed


def test_bad_pipelines_point_at_the_column(folder: Path, capsys: Out) -> None:
    err = failure(capsys, "opt", "g.ir", "--passes", "cse,,dce")
    assert err.startswith("<pipeline>:1:5: error: ")
    assert err.splitlines()[1:] == ["    cse,,dce", "        ^"]
    assert "did you mean 'cse'" in failure(capsys, "opt", "g.ir", "--passes", "csee")


@pytest.mark.parametrize(
    ("broken", "start"),
    [
        (GRAPH.replace("multiply", "multipli"), "g.ir:4:18: error: unknown op 'multipli'"),
        (GRAPH.replace("(%0, %1)", "(%0, %7)"), "g.ir:4:31: error: "),
        (GRAPH[:70], "g.ir:2:"),
        ("", "g.ir:1:1: error: "),
        ("\x00\x01", "g.ir:1:1: error: "),
        (GRAPH.replace("%y: f32[2,3]", "%y: f32[2,4]"), "g.ir:2:"),
    ],
)
def test_bad_graphs_point_at_line_and_column(
    broken: str, start: str, folder: Path, capsys: Out
) -> None:
    (folder / "g.ir").write_text(broken)
    assert failure(capsys, "opt", "g.ir").startswith(start)


def test_a_graph_that_is_not_text(folder: Path, capsys: Out) -> None:
    (folder / "g.ir").write_bytes(b"graph f\n\xff\xfe")
    assert failure(capsys, "opt", "g.ir").startswith("g.ir:2:1: error: ")


def test_missing_files_offer_near_ones(folder: Path, capsys: Out) -> None:
    assert "did you mean g.ir?" in failure(capsys, "opt", "gg.ir")
    assert "cannot read" in failure(capsys, "opt", ".")


def test_a_folder_that_cannot_be_written(folder: Path, capsys: Out) -> None:
    assert "cannot write" in failure(capsys, "opt", "g.ir", "-o", "nowhere/h.ir")


@pytest.mark.parametrize("backend", ["reference", "planned"])
def test_run_prints_the_outputs(backend: str, folder: Path, capsys: Out) -> None:
    text = output(capsys, "run", "g.ir", "--inputs", "x.npz", "--backend", backend)
    assert text == "out0: f32[2,3] =\n[[ 1.,  4.,  9.],\n [16., 25., 36.]]\nout1: bool[] =\nTrue\n"


def test_run_on_xla_by_default(folder: Path, capsys: Out) -> None:
    assert "[16., 25., 36.]" in output(capsys, "run", "g.ir", "--inputs", "x.npz")


def run(*arguments: str) -> int:
    return main(["run", "g.ir", "--backend", "reference", *arguments])


def test_run_writes_arrays_equal_at_every_run(folder: Path) -> None:
    assert run("--inputs", "x.npz", "-o", "y.npz") == 0
    first = (folder / "y.npz").read_bytes()
    with np.load("y.npz") as found:
        assert sorted(found) == ["out0", "out1"]
        np.testing.assert_array_equal(found["out0"], [[1, 4, 9], [16, 25, 36]])
    assert run("--inputs", "x.npz", "-o", "y.npz") == 0
    assert (folder / "y.npz").read_bytes() == first


def test_run_json(folder: Path, capsys: Out) -> None:
    assert run("--inputs", "x.npz", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "outputs": [
            {"name": "out0", "type": "f32[2,3]", "data": [1, 4, 9, 16, 25, 36]},
            {"name": "out1", "type": "bool[]", "data": [True]},
        ]
    }


def test_run_takes_arrays_in_order(folder: Path, capsys: Out) -> None:
    ones = np.ones((2, 3), "f4")
    np.savez("x.npz", ones, 2 * ones)
    assert run("--inputs", "x.npz") == 0
    assert "[[9., 9., 9.]" in capsys.readouterr().out


def test_run_takes_arrays_from_stdin(
    folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, Path("x.npz").read_bytes())
    assert run("--inputs", "-") == 0
    assert "[16., 25., 36.]" in capsys.readouterr().out


ONES: Any = np.ones((2, 3), "f4")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": ONES}, "there is no array y"),
        ({"x": ONES, "y": ONES, "z": ONES}, "z is no input"),
        ({"x": ONES, "y": ONES.astype("f8")}, "input y is f32[2,3], got float64[2,3]"),
        ({"x": ONES, "y": ONES[:1]}, "input y is f32[2,3], got float32[1,3]"),
        ({"arr_0": ONES}, "f takes x: f32[2,3], y: f32[2,3]; got 1 array(s)"),
    ],
)
def test_inputs_that_do_not_fit(
    arrays: dict[str, Any], message: str, folder: Path, capsys: Out
) -> None:
    np.savez("x.npz", **arrays)
    assert message in failure(capsys, "run", "g.ir", "--inputs", "x.npz")


def test_inputs_that_are_not_given(folder: Path, capsys: Out) -> None:
    assert "there is no array x, y; give them with --inputs" in failure(capsys, "run", "g.ir")


@pytest.mark.parametrize("kind", ["cut", "garbled", "pickled", "single", "empty"])
def test_inputs_that_are_no_arrays(kind: str, folder: Path, capsys: Out) -> None:
    whole = (folder / "x.npz").read_bytes()
    if kind == "pickled":
        np.savez("x.npz", x=np.array([{}], dtype=object))
    elif kind == "single":
        with open("x.npz", "wb") as file:
            np.save(file, ONES)
    else:
        data = {"cut": whole[: len(whole) // 2], "garbled": b"garbage" * 9, "empty": b""}[kind]
        (folder / "x.npz").write_bytes(data)
    assert "x.npz" in failure(capsys, "run", "g.ir", "--inputs", "x.npz")


def test_bfloat16_goes_through_files(folder: Path) -> None:
    Path("g.ir").write_text(
        "graph g(%x: bf16[2]) -> (bf16[2]) { %0: bf16[2] = add(%x, %x) return %0 }"
    )
    np.savez("x.npz", x=np.asarray([1.5, 2.0], ir.bfloat16))
    assert run("--inputs", "x.npz", "-o", "y.npz") == 0
    with np.load("y.npz") as found:
        assert found["out0"].view(ir.bfloat16).tolist() == [3.0, 4.0]


CHECKED = """\
graph g(%i: i64[]) -> (i64[]) {
  %0: i64[] = constant() {value = 3: i64[]}
  %1: bool[] = less(%i, %0)
  check(%1, %i) {error = "IndexOutOfRangeError", message = "index {0} too big"}  @ "a.py":7
  return %i
}
"""


@pytest.mark.parametrize("backend", ["reference", "planned"])
def test_a_failed_check_shows_the_users_line(backend: str, folder: Path, capsys: Out) -> None:
    Path("g.ir").write_text(CHECKED)
    np.savez("x.npz", i=np.int64(9))
    err = failure(capsys, "run", "g.ir", "--inputs", "x.npz", "--backend", backend)
    assert err == "a.py:7:1: error: index 9 too big\n"
    np.savez("x.npz", i=np.int64(2))
    assert "2" in output(capsys, "run", "g.ir", "--inputs", "x.npz", "--backend", backend)


def test_large_constants_stay_beside_the_text(folder: Path, capsys: Out) -> None:
    builder = ir.GraphBuilder("g")
    x = builder.input(ir.parse_type("f32[100]"), "x")
    with builder:
        y = ir.ops.add(x, builder.constant(np.arange(100, dtype="f4")))
        ir.save_graph(builder.build([y]), "g.ir")
    assert output(capsys, "opt", "g.ir", "-o", "sub.ir") == ""
    assert Path("sub.safetensors").exists()
    np.savez("x.npz", x=np.ones(100, "f4"))
    sub = output(capsys, "run", "sub.ir", "--inputs", "x.npz", "--backend", "reference")
    assert sub == output(capsys, "run", "g.ir", "--inputs", "x.npz", "--backend", "reference")
    Path("sub.safetensors").unlink()
    assert "sub.safetensors" in failure(capsys, "opt", "sub.ir")


def test_full_constants_go_through_pipes(
    folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = ir.GraphBuilder("g")
    with builder:
        ir.save_graph(builder.build([builder.constant(np.arange(40))]), "g.ir")
    text = output(capsys, "opt", "g.ir", "--full-constants")
    feed(monkeypatch, text.encode())
    assert "[ 0,  1," in output(capsys, "run", "-", "--backend", "reference")
    feed(monkeypatch, output(capsys, "opt", "g.ir").encode())
    assert "const_0" in failure(capsys, "opt", "-")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "plait.cli", *arguments]


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    builder = ir.GraphBuilder("g")
    with builder:
        ir.save_graph(builder.build([builder.constant(np.arange(1_000_000))]), "g.ir")
    with subprocess.Popen(
        command("opt", "g.ir", "--passes", "", "--full-constants"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"graph g")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


WAITING = """
import sys
from types import SimpleNamespace
from plait.cli import main

def read():
    print("waiting", flush=True)
    return stdin.buffer.read()

stdin, sys.stdin = sys.stdin, SimpleNamespace(buffer=SimpleNamespace(read=read))
sys.exit(main(["opt", "-"]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_is_quiet() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err.strip()) == (130, b"", b"")
