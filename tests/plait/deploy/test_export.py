"""``f.export``: NumPy programs and StableHLO, run again where there is no Plait."""

from __future__ import annotations

import ast
import collections
import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import SaveError

WEIGHTS = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
#: What a process without Plait runs before it runs an export.
ALONE = "import sys; sys.modules['plait'] = None\n"
#: How a StableHLO artifact runs with jax alone.
RUN_STABLEHLO = """
import jax, numpy as np
from jax.extend.backend import get_backend, get_compile_options
data = open("{path}", "rb").read()
options = get_compile_options(num_replicas=1, num_partitions=1)
device = jax.devices("cpu")[0]
program = get_backend("cpu").compile_and_load(data, [device], options)
with jax.enable_x64(True), np.load("inputs.npz") as inputs:
    arrays = [jax.device_put(inputs[name], device) for name in inputs]
    np.savez("outputs.npz", *map(np.asarray, program.execute(arrays)))
"""


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Pair:
    left: Any
    right: Any


def alone(code: str, folder: Path) -> None:
    """Run code in a fresh process that cannot import Plait."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def layer(params: Any, x: Any, *, scale: int = 2, mode: str = "tanh") -> Any:
    """A layer with weights from outside, a nest of arguments, and a nest of results."""
    y = pl.matmul(x, WEIGHTS) * scale + params["b"]
    if mode == "tanh":
        y = pl.tanh(y)
    return {"out": y, "point": Point(pl.sum(y), y[0]), "pair": Pair(y, [3, None])}


ARRAYS = {"b": np.ones(8, np.float32)}, np.linspace(0, 1, 32, dtype=np.float32).reshape(4, 8)


def test_a_numpy_program_has_the_function_s_arguments_and_results(tmp_path: Path) -> None:
    report = pl.graph_function(layer).export(tmp_path / "layer.py", *ARRAYS)
    assert [file.name for file in report.files] == ["layer.py", "layer.npz"]
    assert (report.format, report.function, report.checks) == ("python", "layer", "none")
    assert report.inputs == ("params['b']: f32[8]", "x: f32[4,8]")
    assert (report.max_difference, report.compared_on) == (0.0, "given")
    np.savez(tmp_path / "inputs.npz", b=ARRAYS[0]["b"], x=ARRAYS[1])
    code = """
import numpy as np, layer
given = np.load("inputs.npz")
found = layer.layer({"b": given["b"]}, given["x"])
assert found["pair"].right == [3, None]
assert type(found["point"]).__name__ == "Point"
np.savez("outputs.npz", found["out"], found["point"].x, found["point"].y)
for wrong in ({"scale": 3}, {"mode": "relu"}):
    try:
        layer.layer({"b": given["b"]}, given["x"], **wrong)
    except ValueError as error:
        assert "as it was exported" in str(error)
    else:
        raise AssertionError(wrong)
try:
    layer.layer({"b": given["b"].astype(float)}, given["x"])
except TypeError as error:
    assert "must be float32[8], got float64[8]" in str(error), error
"""
    alone(code, tmp_path)
    wanted = layer(*ARRAYS)
    with np.load(tmp_path / "outputs.npz") as found:
        pairs = zip([wanted["out"], *wanted["point"]], found.values(), strict=True)
        assert all(np.asarray(a).tobytes() == b.tobytes() for a, b in pairs)


def test_a_stablehlo_artifact_runs_without_plait(tmp_path: Path) -> None:
    report = pl.graph_function(layer).export(tmp_path / "layer.mlir", *ARRAYS)
    assert (report.format, report.function, report.checks) == ("stablehlo", "main", "none")
    assert report.inputs == ("params['b']: f32[8]", "x: f32[4,8]")
    assert report.outputs == ("f32[4,8]", "f32[]", "f32[8]")
    assert report.max_difference is not None
    assert report.max_difference < 1e-5
    np.savez(tmp_path / "inputs.npz", b=ARRAYS[0]["b"], x=ARRAYS[1])
    alone(RUN_STABLEHLO.format(path="layer.mlir"), tmp_path)
    with np.load(tmp_path / "outputs.npz") as found:
        np.testing.assert_allclose(found["arr_0"], layer(*ARRAYS)["out"], rtol=1e-5, atol=1e-6)


def counting() -> Any:
    count = pl.Variable(np.int64(5), name="count")
    total = pl.Variable(np.zeros(3, np.float32), name="total")

    @pl.graph_function(name="counting")
    def step(x: Any) -> Any:
        total.assign(total + x * 2)
        count.assign(count + 1)
        return total * 1.0, pl.gather(x, count - 6, axis=0)

    return step, count, total


def test_state_of_a_numpy_program_is_in_its_module(tmp_path: Path) -> None:
    step, count, total = counting()
    report = step.export(tmp_path / "counting.py", "f32[3]")
    assert (report.max_difference, report.checks) == (0.0, "raise")
    assert report.inputs == ("x: f32[3]",)
    assert int(count.numpy()) == 5
    assert not total.numpy().any()
    code = """
import numpy as np, counting
x = np.arange(3, dtype=np.float32)
first, second = counting.counting(x), counting.counting(x)
assert first[0].tolist() == [0, 2, 4] and second[0].tolist() == [0, 4, 8], (first, second)
assert (first[1], second[1]) == (0, 1)
assert counting.state["count"] == 7 and counting.state["total"].tolist() == [0, 4, 8]
counting.counting(x)
try:
    counting.counting(x)
except IndexError as error:
    assert "index 3 is out of range [0, 3)" in str(error)
else:
    raise AssertionError
assert counting.state["count"] == 8
"""
    alone(code, tmp_path)


@pytest.mark.parametrize(("checks", "more"), [("drop", ()), ("status", ("i64[4]",))])
def test_state_and_checks_of_a_stablehlo_artifact(
    tmp_path: Path, checks: str, more: tuple[str, ...]
) -> None:
    step, _, _ = counting()
    report = step.export(tmp_path / "counting.mlir", "f32[3]", checks=checks)
    assert report.checks == {"drop": "dropped", "status": "status"}[checks]
    assert {name.split(":")[0] for name in report.inputs} == {"x", "count", "total"}
    assert report.outputs[:2] == ("f32[3]", "f32[]")
    assert report.outputs[4:] == more
    assert report.max_difference == 0.0
    first = [name.split(":")[0] for name in report.inputs]
    values: dict[str, Any] = {
        "x": np.arange(3, dtype=np.float32),
        "count": np.int64(8),
        "total": np.ones(3, "f4"),
    }
    np.savez(tmp_path / "inputs.npz", **{name: values[name] for name in first})
    alone(RUN_STABLEHLO.format(path="counting.mlir"), tmp_path)
    with np.load(tmp_path / "outputs.npz") as found:
        outputs = list(found.values())
    assert outputs[0].tolist() == [1, 3, 5]
    assert {int(o) for o in outputs[2:4] if o.ndim == 0} == {9}
    assert [o.tolist() for o in outputs[4:]] == ([[1, 3, 0, 0]] if more else [])


def test_a_numpy_program_writes_into_its_arguments(tmp_path: Path) -> None:
    @pl.graph_function
    def fill(x: Any, n: int) -> Any:
        x[1:] = x[:-1] * 2
        return n * 1.5

    fill.export(tmp_path / "fill.py", np.ones(4, np.float32), pl.asarray(2))
    code = """
import numpy as np, fill
x = np.asarray([1, 2, 3, 4], np.float32)
assert fill.fill(x, np.int32(2)) == 3
assert x.tolist() == [1, 2, 4, 6], x
"""
    alone(code, tmp_path)


def test_named_sizes_stay_open_in_a_numpy_program(tmp_path: Path) -> None:
    double = pl.graph_function(lambda x: pl.softmax(x + pl.zeros_like(x)), name="double")
    assert double.export(tmp_path / "double.py", "f32[b,3]").max_difference == 0.0
    code = """
import numpy as np, double
for size in (0, 1, 7):
    assert double.double(np.ones((size, 3), np.float32)).shape == (size, 3)
"""
    alone(code, tmp_path)
    with pytest.raises(SaveError, match=r"a \.mlir file needs sizes"):
        double.export(tmp_path / "double.mlir", "f32[b,3]")


def test_the_program_imports_numpy_only(tmp_path: Path) -> None:
    pl.graph_function(layer).export(tmp_path / "layer.py", *ARRAYS)
    tree = ast.parse((tmp_path / "layer.py").read_text())
    modules = collections.Counter(
        name
        for node in ast.walk(tree)
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    )
    assert set(modules) == {"numpy", "pathlib", "collections", "types"}


def test_a_loaded_function_is_exported_too(tmp_path: Path) -> None:
    plain = pl.graph_function(lambda x, by=2: pl.tanh(x) * by, name="plain", backend="reference")
    plain.save(tmp_path / "plain.plait", "f32[4]")
    report = pl.load(tmp_path / "plain.plait", backend="reference").export(tmp_path / "plain.py")
    assert report.max_difference == 0.0
    assert "pl.tanh(x) * by, name=" in (tmp_path / "plain.py").read_text()
    alone("import numpy as np, plain; plain.plain(np.ones(4, np.float32))", tmp_path)


def test_where_eager_execution_fails_there_is_a_note(tmp_path: Path) -> None:
    far = pl.graph_function(lambda x: pl.gather(x, pl.asarray(7)), name="far")
    report = far.export(tmp_path / "far.py", "f32[9]")
    assert report.max_difference == 0.0

    @pl.graph_function(name="strict")
    def strict(x: Any) -> Any:
        assert pl.all(x > 100.0)
        return x

    report = strict.export(tmp_path / "strict.py", "f32[3]")
    assert report.max_difference is None
    assert report.note.startswith("generated arguments: AssertionError")
    assert "not compared with the eager result: generated arguments" in str(report)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("f.onnx", {}, "export writes"),
        ("f.py", {"checks": "keep"}, "known are 'drop' and 'status'"),
    ],
)
def test_what_export_refuses(
    tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SaveError, match=message):
        pl.graph_function(lambda x: x + x).export(tmp_path / name, "f32[2]", **options)
    assert list(tmp_path.iterdir()) == []


def test_prints_are_kept_by_numpy_programs_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @pl.graph_function
    def said(x: Any) -> Any:
        print("x is", x)
        return x * 2

    assert said.export(tmp_path / "said.py", np.ones(2, np.float32)).max_difference == 0.0
    assert capsys.readouterr().out == ""
    alone("import numpy as np, said; said.said(np.ones(2, np.float32))", tmp_path)
    with pytest.raises(SaveError, match=r"print runs on the host.*export a \.py file"):
        said.export(tmp_path / "said.mlir", "f32[2]")
    assert not (tmp_path / "said.mlir").exists()


def test_random_numbers_go_on_from_the_state(tmp_path: Path) -> None:
    noisy = pl.graph_function(lambda x: x + pl.random.normal((3,)), name="noisy")
    assert noisy.export(tmp_path / "noisy.py", "f32[3]").max_difference == 0.0
    code = """
import numpy as np, noisy
first, second = noisy.noisy(np.zeros(3, np.float32)), noisy.noisy(np.zeros(3, np.float32))
assert (first != second).all()
"""
    alone(code, tmp_path)


def test_names_that_a_program_has_itself(tmp_path: Path) -> None:
    total = pl.Variable(np.zeros(3, np.float32), name="total")

    @pl.graph_function(name="print")
    def step(state: Any, softmax: Any, /, t0: Any, *rest: Any, const_0: Any, **more: Any) -> Any:
        total.assign(total + state)
        weights = pl.asarray(np.arange(20, dtype=np.float32))
        inner = pl.softmax(softmax + weights) * t0
        return {"it's": rest[1] + inner, 2: (more["a b"],), "const_0": const_0 + total}

    x, y = np.arange(3, dtype=np.float32), np.ones(20, np.float32)
    named: Any = {"a b": y}
    report = step.export(tmp_path / "named.py", x, y, y, y, y, const_0=x, **named)
    assert (report.function, report.max_difference) == ("print_1", 0.0)
    code = """
import numpy as np, named
x, y = np.arange(3, dtype=np.float32), np.ones(20, np.float32)
found = named.print_1(x, y, y, y, y, const_0=x, **{"a b": y})
assert list(found) == ["it's", 2, "const_0"]
assert named.state_of_variables["total"].tolist() == [0, 1, 2]
"""
    alone(code, tmp_path)
    with pytest.raises(SaveError, match="parameter np of lambda_ has the name of a module"):
        pl.graph_function(lambda np: np + np).export(tmp_path / "np.py", "f32[2]")


def test_half_precision_is_compared_too(tmp_path: Path) -> None:
    f = pl.graph_function(lambda x: pl.exp(x) @ x, name="half")
    assert f.export(tmp_path / "half.py", "bf16[4,4]").max_difference == 0.0
    assert f.export(tmp_path / "half.mlir", "bf16[4,4]").max_difference is not None
