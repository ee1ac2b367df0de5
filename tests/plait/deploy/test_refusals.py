"""What no file can hold is an error at the user's line that says why."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import PlaitError, SaveError, TraceError

seen: list[Any] = []


class Model:
    def __init__(self) -> None:
        self.calls = 0
        self.w: Any = None


model = Model()


def counts(x: Any) -> Any:
    y = x + 1
    model.calls += 1  # here
    return y


def appends(x: Any) -> Any:
    seen.append(x)  # here
    return x


def writes_outside(x: Any) -> Any:
    table[0] = x[0]  # here
    return x


table = pl.zeros(3)


def breaks(x: Any) -> Any:
    np.random.rand()  # noqa: NPY002  # here
    return x


def makes_a_variable(x: Any) -> Any:
    if model.w is None:
        model.w = pl.Variable(np.ones(2, np.float32))  # here
    return x * model.w


def returns_an_object(x: Any) -> Any:  # here
    return x, Model


def returns_a_function(x: Any) -> Any:  # here
    return {"f": len, "x": x}


CASES: tuple[tuple[Callable[..., Any], str], ...] = (
    (counts, "changes model.calls, which is outside"),
    (appends, "changes seen, which is outside"),
    (writes_outside, "changes table, which is outside"),
    (breaks, "rand"),
    (makes_a_variable, "call it once, then save it"),
    (returns_an_object, "Model"),
    (returns_a_function, "len"),
)


def line_of(function: Any) -> int:
    """The line that is marked."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if "# here" in line)


@pytest.mark.parametrize(("function", "reason"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_at_the_line(function: Any, reason: str, tmp_path: Path) -> None:
    compiled = pl.graph_function(function, backend="reference")
    with pytest.raises(TraceError) as error:
        compiled.save(tmp_path / "f.plait", "f32[2]")
    assert reason in str(error.value)
    assert error.value.location.line == line_of(function)
    assert list(tmp_path.iterdir()) == []


def test_saved_after_its_first_call(tmp_path: Path) -> None:
    made = Model()

    @pl.graph_function(backend="reference")
    def layer(x: Any) -> Any:
        if made.w is None:
            made.w = pl.Variable(np.ones(2, np.float32))
        return x * made.w

    layer(pl.ones(2))
    layer.save(tmp_path / "f.plait", "f32[2]")
    assert len(pl.load(tmp_path / "f.plait").variables) == 1


def test_functions_in_containers(tmp_path: Path) -> None:
    f = pl.graph_function(lambda x, options: options["act"](x), backend="reference")
    with pytest.raises(SaveError, match=r"options\['act'\] is <.*tanh.*>, which a file cannot"):
        f.save(tmp_path / "f.plait", "f32[2]", {"act": pl.tanh})


def test_inside_of_a_trace(tmp_path: Path) -> None:
    @pl.graph_function
    def outer(x: Any) -> Any:
        inner = pl.graph_function(lambda y: y + x)
        inner.save(tmp_path / "f.plait", "f32[2]")
        return x

    with pytest.raises(PlaitError):
        outer(pl.ones(2))
    assert list(tmp_path.iterdir()) == []


def test_ops_that_need_a_size_name_it(tmp_path: Path) -> None:
    f = pl.graph_function(lambda x: pl.concat([x, x], axis=0))
    with pytest.raises(PlaitError, match=r"concat: axis 0 is symbolic in f32\[b,2\]") as error:
        f.save(tmp_path / "f.plait", "f32[b,2]")
    assert error.value.location.file.endswith("test_refusals.py")
