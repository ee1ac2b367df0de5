"""``plait show``: targets, specs, stages, forms, the round trip, and the user's own errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from plait import ir
from plait.cli import main
from tests.golden import check_golden

Out = pytest.CaptureFixture[str]

ROOT = Path(__file__).parents[2]
USER = '''\
"""A user's file."""

import numpy as np
import plait as pl
from helper import scale

WEIGHTS = pl.asarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))
model = None
print("printed on import")


def plain(x, y):
    return pl.tanh(x) + scale(y)


@pl.graph_function(signature="f32[4,8]")
def weighted(x):
    return pl.matmul(x, WEIGHTS)


@pl.graph_function
def nested(tree, k=1):
    return {"out": tree["x"] * k}


def shouting(x):
    print("printed when run")
    return x + x


class Layer:
    def __init__(self, size=3):
        self.size = size

    def __call__(self, x):
        return x * self.size

    def plain(self, x):
        return x + self.size

    @pl.graph_function(signature="f32[2]")
    def decorated(self, x):
        return x - self.size

    @staticmethod
    def static(x):
        return pl.exp(x)

    @classmethod
    def made(cls, x):
        return pl.exp(x)


class Sized:
    def __init__(self, size):
        self.size = size

    def apply(self, x):
        return x


layer = Layer(7)


def wrong_shapes(x, y):
    return pl.matmul(x, y)


def raises(x):
    return broken(x)


def broken(x):
    return {}["missing"]


def asking(x):
    if x.numpy() > 0:
        return x
    return -x
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a user's files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "helper.py").write_text("def scale(x):\n    return x * 2\n")
    return tmp_path


def show(capsys: Out, *arguments: str) -> str:
    """The output of a command that must succeed."""
    status = main(["show", *arguments])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def graph(capsys: Out, *arguments: str) -> ir.Graph:
    return ir.parse(show(capsys, *arguments, "--full-constants"))


def ops(shown: ir.Graph) -> list[str]:
    return [node.op.name for node in shown.nodes]


def failure(capsys: Out, *arguments: str, status: int = 1) -> str:
    """The diagnostics of a command that must fail."""
    assert main(["show", *arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert str(ROOT / "plait") not in captured.err
    return captured.err.replace("printed on import\n", "")


TARGETS = {
    "user.py:plain --spec f32[4] f32[4]": "tanh",
    "./user.py:plain --spec f32[4], f32[4]": "tanh",
    "user:plain --spec f32[4] y=f32[4]": "tanh",
    "user.py:weighted": "matmul",
    'user.py:nested --spec {"x": f32[8,16]}, k=2': "multiply",
    "user.py:Layer.plain --spec f32[2]": "add",
    "user.py:Layer.decorated": "subtract",
    "user.py:Layer.static --spec f32[2]": "exp",
    "user.py:Layer.made --spec f32[2]": "exp",
    "user.py:layer.plain --spec f32[2]": "add",
    "user.py:layer --spec f32[2]": "multiply",
}


@pytest.mark.parametrize("command", TARGETS)
def test_targets(command: str, folder: Path, capsys: Out) -> None:
    target, _, spec = command.partition(" --spec ")
    arguments = [target, "--spec", spec] if spec else [target]
    assert TARGETS[command] in ops(graph(capsys, *arguments, "--stage", "traced"))


def test_a_file_in_a_package_imports_its_neighbors(folder: Path, capsys: Out) -> None:
    package = folder / "net" / "inner"
    package.mkdir(parents=True)
    (folder / "net" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (folder / "net" / "parts.py").write_text("def double(x):\n    return x + x\n")
    (package / "model.py").write_text(
        "from ..parts import double\n\ndef f(x):\n    return double(x)\n"
    )
    shown = graph(capsys, "net/inner/model.py:f", "--spec", "f32[2]")
    assert len(shown.nodes) == 1
    assert [name for name in sys.modules if name.partition(".")[0] == "net"] == []


def test_a_file_named_like_a_loaded_module(folder: Path, capsys: Out) -> None:
    (folder / "json.py").write_text("def f(x):\n    return x + x\n")
    before = sys.modules["json"]
    assert ops(graph(capsys, "json.py:f", "--spec", "f32[2]")) == ["add"]
    assert sys.modules["json"] is before


def test_importing_leaves_the_path_as_it_was(folder: Path, capsys: Out) -> None:
    before = list(sys.path)
    show(capsys, "user.py:weighted")
    assert sys.path == before
    assert "user" not in sys.modules


@pytest.mark.parametrize("name", ["plain", "shouting"])
def test_what_the_users_code_prints_goes_to_stderr(name: str, folder: Path, capsys: Out) -> None:
    spec = "f32[2] f32[2]" if name == "plain" else "f32[2]"
    assert main(["show", f"user.py:{name}", "--spec", spec]) == 0
    out, err = capsys.readouterr()
    ir.parse(out)
    assert "printed on import" in err
    assert "printed when run" not in err  # a print is part of the graph
    assert ("printed when run" in out) == (name == "shouting")


def test_locations_are_the_users_lines(folder: Path, capsys: Out) -> None:
    assert '@ "user.py":18' in show(capsys, "user.py:weighted")


LSTM = f"{ROOT / 'examples' / 'lstm.py'}:lstm_cell"


@pytest.mark.parametrize("stage", ["traced", "optimized", "plan"])
def test_the_lstm_cell(stage: str, capsys: Out) -> None:
    check_golden(f"plait/cli/lstm_cell.{stage}.ir", show(capsys, LSTM, "--stage", stage))


@pytest.mark.parametrize("stage", ["stablehlo", "hlo"])
def test_the_lstm_cell_in_xlas_terms(stage: str, capsys: Out) -> None:
    text = show(capsys, LSTM, "--stage", stage)
    assert {"stablehlo": "stablehlo.dot_general", "hlo": "HloModule"}[stage] in text
    assert str(ROOT) not in text
    found = json.loads(show(capsys, LSTM, "--stage", stage, "--json"))
    assert (found["stage"], found["text"].rstrip("\n")) == (stage, text.rstrip("\n"))


def test_the_reasons_of_a_plan(capsys: Out) -> None:
    plan = show(capsys, LSTM, "--stage", "plan")
    reasons = show(capsys, LSTM, "--reasons")
    assert reasons == show(capsys, LSTM, "--stage", "plan", "--reasons")
    assert "# in-place taken: tanh writes over operand 0: this is its last use" in reasons
    assert "# in-place refused: " in reasons
    assert "refused" not in plan
    assert [line for line in reasons.splitlines() if not line.startswith("    #")] == (
        plan.splitlines()
    )


def test_xlas_memory_beside_the_plans(capsys: Out, tmp_path: Path) -> None:
    plan = show(capsys, LSTM, "--stage", "plan").splitlines()
    shown = show(capsys, LSTM, "--memory").splitlines()
    assert shown[:-2] == plan
    for line, name in zip(shown[-2:], ("planned", "xla"), strict=True):
        assert re.fullmatch(
            rf"# {name}: arguments 9728, outputs 10\d\d, temporaries \d+, aliases 0, "
            r"total \d+ bytes",
            line,
        )
    file = str(tmp_path / "cell.ir")
    show(capsys, LSTM, "-o", file)
    memory = json.loads(show(capsys, file, "--memory", "--json"))["memory"]
    assert list(memory) == ["planned", "xla"]
    assert memory["planned"]["arena"] == memory["planned"]["temporaries"] > 0
    assert show(capsys, file, "--memory").splitlines()[-2:] == shown[-2:]


@pytest.mark.parametrize("stage", ["traced", "optimized", "plan"])
def test_forms(stage: str, capsys: Out, tmp_path: Path) -> None:
    kind = "plait.plan" if stage == "plan" else "plait.graph"
    assert json.loads(show(capsys, LSTM, "--stage", stage, "--json"))["format"] == kind
    ElementTree.fromstring(show(capsys, LSTM, "--stage", stage, "--format", "svg"))
    assert show(capsys, LSTM, "--stage", stage, "--format", "dot").startswith("digraph")
    # The suffix of the file says the form.
    for suffix, start in (("svg", "<svg"), ("dot", "digraph"), ("json", "{")):
        file = tmp_path / f"g.{suffix}"
        assert show(capsys, LSTM, "--stage", stage, "-o", str(file)) == ""
        assert file.read_text().startswith(start)


def test_the_output_is_the_same_from_every_folder(capsys: Out, tmp_path: Path) -> None:
    def text(working: Path) -> bytes:
        command = [sys.executable, "-m", "plait.cli", "show", LSTM, "--stage", "plan"]
        return subprocess.run(command, cwd=working, capture_output=True, check=True).stdout

    assert text(tmp_path) == text(ROOT) == show(capsys, LSTM, "--stage", "plan").encode()


def evaluate(file: str, x: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    np.savez("x.npz", x=x)
    assert main(["run", file, "--inputs", "x.npz", "-o", "y.npz", "--backend", "reference"]) == 0
    with np.load("y.npz") as found:
        return bytes(found["out0"].tobytes())


@pytest.mark.parametrize("stage", ["traced", "optimized"])
def test_captured_weights_go_the_round_trip(stage: str, folder: Path, capsys: Out) -> None:
    show(capsys, "user.py:weighted", "--stage", stage, "-o", "g.ir")
    assert Path("g.safetensors").exists()
    assert [v.name for v in ir.load_graph("g.ir").inputs] == ["x"]
    assert main(["opt", "g.ir", "-o", "h.ir"]) == 0
    x = np.arange(32, dtype=np.float32).reshape(4, 8)
    weights = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    assert evaluate("g.ir", x) == evaluate("h.ir", x) == (x @ weights).tobytes()


@pytest.mark.parametrize("stage", ["traced", "optimized", "plan", "stablehlo"])
def test_files_have_stages_too(stage: str, folder: Path, capsys: Out) -> None:
    show(capsys, "user.py:plain", "--spec", "f32[4] f32[4]", "--stage", "traced", "-o", "g.ir")
    assert show(capsys, "g.ir", "--stage", stage) == show(
        capsys, "user.py:plain", "--spec", "f32[4] f32[4]", "--stage", stage
    )


@pytest.mark.parametrize(
    ("spec", "column", "mark"),
    [
        ("f32[4] f33[4]", 8, "f33"),
        ("f32[4] f32[4", 8, ""),
        ("f32[4], ?", 9, "?"),
        ("f32", 1, "f32[]"),
        ("k=1, f32[4]", 6, "positional"),
        ("{1: f32[2], 2}", 14, "':'"),
    ],
)
def test_bad_specs_point_at_the_column(
    spec: str, column: int, mark: str, folder: Path, capsys: Out
) -> None:
    err = failure(capsys, "user.py:plain", "--spec", spec)
    head, line, pointer = err.splitlines()
    assert head.startswith(f"<spec>:1:{column}: error: ")
    assert mark in head
    assert line == f"    {spec}"
    assert pointer == " " * (column + 3) + "^"


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("usr.py:plain", ["there is no file usr.py", "did you mean user.py?"]),
        ("user.py:plan", ["there is no 'plan' in user.py", "did you mean plain"]),
        ("user.py:zzz", ["there is no 'zzz'", "it defines plain, weighted"]),
        ("user.py", ["name a function in user.py: user.py:NAME", "plain, weighted"]),
        ("user.py:Layer.plan", ["there is no 'plan' in user.py:Layer", "plain"]),
        ("user.py:Layer", ["is a class", "plain"]),
        ("user.py:Sized.apply", ["cannot be made without size"]),
        ("user.py:model", ["is no function but of class NoneType"]),
        ("user.py:plain", ["takes x, y: give their types", "--spec"]),
        ("no_such_module:f", ["there is no module 'no_such_module'"]),
        ("usr:f", ["there is no module 'usr'", "user.py"]),
        ("not a name:f", ["neither a .py file nor a module"]),
        ("none.ir", ["cannot read none.ir"]),
    ],
)
def test_targets_that_are_not_there(
    target: str, parts: list[str], folder: Path, capsys: Out
) -> None:
    err = failure(capsys, target)
    assert all(part in err for part in parts), err


def test_arguments_that_do_not_fit(folder: Path, capsys: Out) -> None:
    err = failure(capsys, "user.py:plain", "--spec", "f32[4]")
    assert err == "plait: error: --spec for user.py:plain: missing a required argument: 'y'\n"
    err = failure(capsys, "user.py:plain", "--spec", "f32[4] f32[4] f32[4]")
    assert err == "plait: error: --spec for user.py:plain: too many positional arguments\n"


@pytest.mark.parametrize(
    ("text", "start", "shown"),
    [
        ("x = 1\ny = 1 / 0\n", "bad.py:2:5: error: ZeroDivisionError: division by zero", "^~~~~"),
        ("def f(:\n", "bad.py:1:7: error: SyntaxError: ", "^"),
        ("import not_there\n", "bad.py:1:1: error: ModuleNotFoundError: No module named", "^~~"),
        ("def f(x):\n  return x\n    y\n", "bad.py:3:", "IndentationError"),
        ("raise\n", "bad.py:1:1: error: RuntimeError: No active exception", "raise"),
        ("é = 'é' + 1\n", "bad.py:1:5: error: TypeError: ", "^~~~~~~"),
    ],
)
def test_a_file_that_fails_shows_its_own_line(
    text: str, start: str, shown: str, folder: Path, capsys: Out
) -> None:
    (folder / "bad.py").write_text(text)
    for target in ("bad.py:f", "bad:f"):
        err = failure(capsys, target)
        assert err.startswith(start)
        assert shown in err
        assert "while importing bad" in err


def test_a_file_that_fails_in_another_file(folder: Path, capsys: Out) -> None:
    (folder / "helper.py").write_text("def scale(x):\n    return x * 2\n\n\nNONE.attribute\n")
    err = failure(capsys, "user.py:plain")
    assert err.startswith("helper.py:5:1: error: NameError: ")
    assert "called from user.py:5:1, in the module" in err


@pytest.mark.parametrize("call", ["import sys; sys.exit(3)", "raise SystemExit"])
def test_a_file_that_exits(call: str, folder: Path, capsys: Out) -> None:
    (folder / "bad.py").write_text(call)
    assert '__name__ == "__main__"' in failure(capsys, "bad.py:f")


def test_a_function_that_raises_shows_its_own_line(folder: Path, capsys: Out) -> None:
    err = failure(capsys, "user.py:raises", "--spec", "f32[2]")
    line = USER.splitlines().index('    return {}["missing"]') + 1
    assert err.startswith(f"user.py:{line}:12: error: KeyError: 'missing'\n")
    assert "called from user.py:" in err
    assert "in raises" in err


@pytest.mark.parametrize(
    ("target", "line", "message"),
    [
        ("wrong_shapes", "    return pl.matmul(x, y)", "matmul"),
        ("asking", "    if x.numpy() > 0:", "being traced"),
    ],
)
def test_errors_of_tracing_show_the_users_line(
    target: str, line: str, message: str, folder: Path, capsys: Out
) -> None:
    spec = "f32[2,3] f32[4,5]" if target == "wrong_shapes" else "f32[]"
    err = failure(capsys, f"user.py:{target}", "--spec", spec)
    number = USER.splitlines().index(line) + 1
    assert err.startswith(f"user.py:{number}:5: error: ")
    assert message in err.splitlines()[0]
    assert line.strip() in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("g.ir", "--stage", "hlo", "--format", "svg"),
        ("g.ir", "--spec", "f32[2]"),
        ("g.ir", "--stage", "none"),
        ("g.ir", "--format", "pdf"),
        ("g.ir", "--reasons", "--stage", "optimized"),
        ("g.ir", "--memory", "--stage", "hlo"),
        ("g.ir", "--memory", "--format", "svg"),
        ("g.ir", "--reasons", "-o", "plan.dot"),
    ],
)
def test_options_that_do_not_fit_together(arguments: tuple[str, ...], capsys: Out) -> None:
    assert "Error: " in failure(capsys, *arguments, status=2)


def test_the_full_stack_is_there_when_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAIT_FULL_TRACEBACK", "1")
    with pytest.raises(ir.errors.TargetError):
        main(["show", "usr.py:plain"])


def test_a_fault_of_our_own_says_so(
    folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(_: object) -> None:
        raise ZeroDivisionError("oh")

    fault_at: Callable[..., None] = fault
    monkeypatch.setattr("plait.inspect.svg", fault_at)
    (folder / "g.ir").write_text("graph g() -> () { return }")
    err = failure(capsys, "g.ir", "--format", "svg", status=70)
    assert err.startswith("plait: internal error: ZeroDivisionError: oh\n")
