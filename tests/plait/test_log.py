"""``PLAIT_LOG`` and ``PLAIT_DUMP_TO``: what is printed, what is written, what cannot be."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.runtime import log

compiled = functools.partial(pl.graph_function, backend="planned")
Out = pytest.CaptureFixture[str]


def ones(*shape: int) -> Any:
    return pl.ones(shape)


def logged(out: Out, monkeypatch: pytest.MonkeyPatch, topics: str, *calls: Any) -> list[str]:
    """The lines that calls print while topics are on."""
    monkeypatch.setenv("PLAIT_LOG", topics)
    out.readouterr()
    for call in calls:
        call()
    monkeypatch.delenv("PLAIT_LOG")
    return out.readouterr().err.splitlines()


def retraced(out: Out, monkeypatch: pytest.MonkeyPatch, f: Any, *calls: tuple[Any, ...]) -> str:
    """What is printed about the last of some calls."""
    for call in calls[:-1]:
        f(*call)
    (line,) = logged(out, monkeypatch, "retrace", lambda: f(*calls[-1]))
    return line


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ([(ones(2), 1), (ones(3), 1)], "x: f32[2] -> f32[3]"),
        ([(ones(2), 1), (ones(2), 2)], None),
        ([(ones(2), "a"), (ones(2), "b")], "k: 'a' -> 'b'"),
        ([(ones(2), 1), (np.ones(2, np.float32), 1)], "x: tensor f32[2] -> ndarray f32[2]"),
        ([({"a": ones(2)}, 1), ({"a": ones(2), "b": 1}, 1)], "x['b']: absent -> 1"),
        ([({"a": ones(2)}, 1), (ones(2), 1)], "x['a']: f32[2] -> absent, x: absent -> f32[2]"),
        ([([ones(2)], 1), ((ones(2),), 1)], "structure: "),
        ([(ones(2), 1), (ones(3), 1), (ones(3), 1.0)], "k: 1 -> 1.0"),
        ([(ones(2), "a" * 99), (ones(2), "b")], f"k: '{'a' * 59}... -> 'b'"),
    ],
)
def test_why_a_function_is_traced_again(
    capsys: Out, monkeypatch: pytest.MonkeyPatch, calls: Any, reason: str | None
) -> None:
    f = compiled(lambda x, k: x)
    line = retraced(capsys, monkeypatch, f, *calls)
    assert line.startswith("plait [retrace] lambda_(")
    assert (reason or "k: 1 -> any int") in line


def test_the_nearest_signature_is_compared(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    f = compiled(lambda x, y, z: (x, y, z))
    line = retraced(
        capsys,
        monkeypatch,
        f,
        (ones(2), ones(2), ones(2)),
        (ones(3), ones(3), ones(3)),
        (ones(2), ones(2), ones(3)),
    )
    assert ": z: f32[2] -> f32[3], at tests/plait/test_log.py:" in line
    line = retraced(capsys, monkeypatch, f, (ones(9), ones(9), ones(9)))
    assert line.count("->") == 3
    many = compiled(lambda *xs: xs)
    line = retraced(capsys, monkeypatch, many, (ones(1),) * 5, (ones(2),) * 5)
    assert ", and 2 more, at tests" in line


def test_times_at_the_second_level(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    def call() -> Any:
        return compiled(lambda x: x + 1)(ones(2))

    plain = logged(capsys, monkeypatch, "passes,compile", call)
    assert plain
    assert not any(line.endswith("ms") for line in plain)
    more = logged(capsys, monkeypatch, "+passes,+compile", call)
    timed = [line for line in more if re.search(r" in \d+\.\d\d ms$", line)]
    assert any("[passes] lambda_: dce: 2 nodes" in line for line in timed)
    assert any("[compile] lambda_: compiled for planned" in line for line in timed)
    assert any(line.startswith("graph lambda_") for line in more)


def test_the_plan_of_an_xla_function(
    capsys: Out, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAIT_DUMP_TO", str(tmp_path))
    f = pl.graph_function(lambda x: pl.tanh(x) + 1.0, name="bent")
    lines = logged(capsys, monkeypatch, "+plan,+compile", lambda: f(ones(4)))
    assert any(line.startswith("# plan for backend xla") for line in lines)
    assert any("[plan] bent for xla: arguments 16, outputs 16" in line for line in lines)
    assert any("[compile] bent: lowered for xla in" in line for line in lines)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert [n.split(".", 3)[3] for n in names] == [
        "00-traced.ir",
        "01-dce.ir",
        "02-inline.ir",
        "03-simplify.ir",
        "04-stablehlo.mlir",
        "05-plan.txt",
    ]
    assert all(re.fullmatch(r"\d{3}\.bent\.sig[0-9a-f]{4}\..*", n) for n in names)
    assert len({n.split(".")[2] for n in names}) == 1
    plan = (tmp_path / names[-1]).read_text()
    assert plan.startswith("# plan for backend xla: arena")
    assert plan.splitlines()[-1].startswith("# xla: arguments 16, outputs 16, temporaries ")
    assert "stablehlo.tanh" in (tmp_path / names[-2]).read_text()
    assert "tanh" in str(pl.ir.parse((tmp_path / names[0]).read_text()))


def test_dumps_of_a_planned_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dumps"
    monkeypatch.setenv("PLAIT_DUMP_TO", str(folder))
    f = compiled(lambda x: x * 2.0, passes="fold{max_bytes=1024},cse")
    f(ones(2))
    f(ones(3))
    names = sorted(p.name for p in folder.iterdir())
    stages = ["00-traced.ir", "01-fold.ir", "02-cse.ir", "03-plan.txt"]
    assert [n.split(".", 3)[3] for n in names] == stages * 2
    assert "backend planned" in (folder / names[3]).read_text()
    first, second = names[0].split(".")[2], names[4].split(".")[2]
    assert first != second


def forbidden_places(tmp_path: Path) -> list[Path]:
    file = tmp_path / "a_file"
    file.write_text("mine")
    return [file, file / "below", Path("/dev/null/dumps")]


def test_a_place_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in forbidden_places(tmp_path):
        monkeypatch.setenv("PLAIT_DUMP_TO", str(place))
        f = compiled(lambda x: x + 1)
        with pytest.raises(pl.errors.GraphError, match=r"PLAIT_DUMP_TO=.*cannot write") as caught:
            f(ones(2))
        assert str(place) in str(caught.value)
        assert f(ones(2)).numpy().tolist() == [2, 2]  # raised once
        assert compiled(lambda x: x + 2)(ones(2)).numpy().tolist() == [3, 3]
    assert [p.name for p in tmp_path.iterdir()] == ["a_file"]
    assert (tmp_path / "a_file").read_text() == "mine"


def test_a_dump_is_whole_or_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(self: Path, data: bytes) -> None:
        with open(self, "wb") as file:
            file.write(data[:5])
        raise OSError(28, os.strerror(28))

    monkeypatch.setenv("PLAIT_DUMP_TO", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full)
    f = compiled(lambda x: x + 1)
    with pytest.raises(pl.errors.GraphError, match="No space left"):
        f(ones(2))
    assert list(tmp_path.iterdir()) == []
    assert not log.dumping()


def test_names_that_files_cannot_have(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAIT_DUMP_TO", str(tmp_path))
    compiled(lambda x: x + 1, name="../a b/c" + "d" * 300)(ones(2))
    names = [p.name for p in tmp_path.iterdir()]
    assert names
    assert all(re.match(r"\d+\.a_b_cd+\.sig", n) and len(n) < 120 for n in names)
