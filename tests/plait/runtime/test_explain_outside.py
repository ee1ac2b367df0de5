"""``explain()`` of what lies outside: changed globals, breaks, unseen calls, long loops."""

from __future__ import annotations

import sysconfig
import types
from typing import Any

import pytest

import plait as pl

SOURCE = """
import plait as pl

mode, size, scale = "a", 2, 1.0


class Settings:
    rate = 1.0

    def __init__(self, on):
        self.on = on


settings = Settings(True)


def helper(x):
    return x + 1


def reads(x):
    if mode == "a":  # mode
        x = x + 1
    return x


def shapes(x):
    return x + pl.zeros((size,))  # size


def scales(x):
    y = x * scale  # scale
    return y * settings.rate


def calls(x):
    return helper(x) if settings.on else x  # helper


def loops(x):
    parts = []
    for i in range(40):  # loop
        parts.append(f"{i}")
    y = x
    for i in range(40):  # unrolled
        y = y + [x, 2 * x][i % 2]
    return y


def breaks(x):
    low = x.numpy()  # breaks
    return x - float(low.min())


def library(x):
    solved = solve(counter)  # library
    return x * solved
"""

LIBRARY = """
class Counter:
    def __init__(self):
        self.count = 0


def solve(counter):
    counter.count += 1
    return 2.0
"""
#: As of an installed package: what is there is not converted.
INSTALLED = sysconfig.get_paths()["purelib"] + "/library.py"


@pytest.fixture
def module(tmp_path: Any) -> types.ModuleType:
    """The module above, from a file of its own, and code without source that it calls."""
    path = tmp_path / "outside.py"
    path.write_text(SOURCE)
    made = types.ModuleType("outside")
    made.__file__ = str(path)
    library: dict[str, Any] = {"__name__": "library"}
    exec(compile(LIBRARY, INSTALLED, "exec"), library)
    made.__dict__.update(solve=library["solve"], counter=library["Counter"]())
    exec(compile(SOURCE, str(path), "exec"), made.__dict__)
    return made


def line(mark: str) -> int:
    """The line of the source that ends with a mark."""
    (found,) = [i for i, text in enumerate(SOURCE.splitlines(), 1) if text.endswith(f"# {mark}")]
    return found


def captured(module: Any, name: str) -> Any:
    """A function of the module, captured once."""
    f = pl.graph_function(getattr(module, name), backend="planned")
    f(pl.ones(2))
    return f


def only_change(f: Any, *args: Any) -> tuple[Any, ...]:
    """What is said of the one more capture that a call makes."""
    before = len(f.explain(fixes=False).traces)
    f(*args)
    records = f.explain(fixes=False).traces[before:]
    (change,) = [change for record in records for change in record.changes]
    f(*args)
    assert len(f.explain(fixes=False).traces) == before + 1
    where = change.location
    assert where.file.endswith("outside.py")
    return change.kind, change.path, change.before, change.after, where.line


def test_a_global_string(module: Any) -> None:
    f = captured(module, "reads")
    module.mode = "b"
    assert only_change(f, pl.ones(2)) == ("outside", "mode", "'a'", "'b'", line("mode"))


def test_numbers_become_inputs(module: Any) -> None:
    f = captured(module, "scales")
    module.scale = 2.0
    assert only_change(f, pl.ones(2)) == ("number", "scale", "1.0", "2.0", line("scale"))
    module.scale = 3.0
    assert f(pl.ones(2)).numpy().tolist() == [3, 3]
    assert len(f.explain().traces) == 2
    (change,) = f.explain().traces[1].changes
    assert change.note == "it is an input of the graph now"
    module.settings.rate = 5.0
    f(pl.ones(2))
    assert str(f.explain().traces[2].changes[0]) == "settings.rate: 1.0 -> 5.0"


def test_a_number_that_is_a_shape(module: Any) -> None:
    f = captured(module, "shapes")
    module.size = 1
    assert only_change(f, pl.ones(2)) == ("number", "size", "2", "1", line("size"))
    (change,) = f.explain().traces[-1].changes
    assert change.note.startswith("its value decides a shape or a branch, at outside.py:")


def test_a_function_that_is_another(module: Any) -> None:
    f = captured(module, "calls")
    old = module.helper
    module.helper = lambda x: x + 5
    kind, path, before, after, where = only_change(f, pl.ones(2))
    assert (kind, path, where) == ("outside", "helper", line("helper"))
    assert before == f"<helper at outside.py:{old.__code__.co_firstlineno}>"
    assert after.startswith("<<lambda> at ")
    module.settings.on = False
    assert only_change(f, pl.ones(2)) == (
        "outside",
        "settings.on",
        "True",
        "False",
        line("helper"),
    )


def test_long_loops_that_are_unrolled(module: Any) -> None:
    found = captured(module, "loops").explain()
    (record,) = [r for r in found.unrolled if r.location.line == line("unrolled")]
    assert record.trips == 40
    assert record.reason
    assert "trip by trip" in str(found)


def test_breaks_are_counted(module: Any) -> None:
    f = pl.graph_function(module.breaks, backend="planned")
    with pytest.warns(pl.errors.GraphBreakWarning):
        f(pl.ones(2))
    for _ in range(3):
        assert f(pl.ones(2)).numpy().tolist() == [0, 0]
    found = f.explain()
    (record,) = found.breaks
    assert (record.count, record.location.line) == (4, line("breaks"))
    assert found.traces == ()
    assert "no whole graph" in str(found)


def test_code_that_is_not_looked_into(module: Any) -> None:
    found = captured(module, "library").explain()
    assert [r.function for r in found.unseen] == ["library.solve"]
    assert found.unseen[0].location.line == line("library")
    (effect,) = found.side_effects
    assert effect.what == "library.solve changed counter"
    assert effect.location.line == line("library")
    assert found.fixes == ()


def test_the_log_prints_outside_changes(
    module: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = captured(module, "reads")
    monkeypatch.setenv("PLAIT_LOG", "retrace")
    module.mode = "b"
    f(pl.ones(2))
    f(pl.ones(2))
    monkeypatch.delenv("PLAIT_LOG")
    (text,) = capsys.readouterr().err.splitlines()
    assert text == (
        f"plait [retrace] reads(f32[2]): mode: 'a' -> 'b', at outside.py:{line('mode')}, in reads"
    )


def test_max_traces_names_what_changed(module: Any) -> None:
    f = pl.graph_function(module.reads, backend="planned", max_traces=1)
    f(pl.ones(2))
    module.mode = "b"
    with pytest.raises(pl.errors.RetraceError, match="mode: 'a' -> 'b'") as caught:
        f(pl.ones(2))
    assert caught.value.location.line == line("mode")
    module.mode = "a"
    assert f(pl.ones(2)).numpy().tolist() == [2, 2]
