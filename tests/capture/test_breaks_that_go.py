"""A signature that broke is captured again when what it had read outside is another."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.runtime import specialize
from plait.runtime.segments import AGAIN
from plait.tracer import trace_function

CONFIG = SimpleNamespace(debug=True, steps=0)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    CONFIG.debug, CONFIG.steps = True, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        yield


def step(x: Any, config: Any = CONFIG) -> Any:
    if config.debug:
        np.asarray(x).sum()
    return x * 2


def captures(compiled: Any) -> int:
    """How many graphs a function has."""
    return len(compiled.explain(fixes=False).traces)


def test_a_flag_outside() -> None:
    compiled = pl.graph_function(step, backend="reference")
    x = pl.asarray([1.0])
    for _ in range(3):
        assert compiled(x).tolist() == [2.0]
    assert captures(compiled) == 0
    CONFIG.debug = False
    for _ in range(3):
        assert compiled(x).tolist() == [2.0]
    assert captures(compiled) == 1
    CONFIG.debug = True
    assert compiled(x).tolist() == [2.0]
    CONFIG.debug = False
    assert compiled(x).tolist() == [2.0]
    assert captures(compiled) == 1


def test_a_flag_of_an_argument() -> None:
    compiled = pl.graph_function(step, backend="reference")
    x, config = pl.asarray([1.0]), SimpleNamespace(debug=True)
    compiled(x, config)
    config.debug = False
    assert compiled(x, config).tolist() == [2.0]
    assert captures(compiled) == 1


def test_a_flag_that_a_compiled_function_inside_reads() -> None:
    inner = pl.graph_function(lambda x: step(x, CONFIG), backend="reference")
    compiled = pl.graph_function(lambda x: inner(x) + 1, backend="reference")
    x = pl.asarray([1.0])
    compiled(x)
    CONFIG.debug = False
    assert compiled(x).tolist() == [3.0]
    assert captures(compiled) == 1


def test_a_break_that_stays_is_tried_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def counted(*args: Any) -> Any:
        tries.append(1)
        return trace_function(*args)

    monkeypatch.setattr(specialize, "trace_function", counted)

    def f(x: Any) -> Any:
        CONFIG.steps += 1
        np.asarray(x).sum()
        return x * CONFIG.steps

    compiled = pl.graph_function(f, backend="reference")
    for i in range(20):
        assert compiled(pl.asarray([1.0])).tolist() == [i + 1.0]
    assert CONFIG.steps == 20
    assert 1 < len(tries) <= 1 + AGAIN


def test_nothing_is_tried_while_outside_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = pl.graph_function(step, backend="reference")
    compiled(pl.asarray([1.0]))
    monkeypatch.setattr(specialize, "trace_function", None)
    for _ in range(5):
        assert compiled(pl.asarray([1.0])).tolist() == [2.0]
