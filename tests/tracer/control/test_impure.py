"""Calls whose result is another each time are never baked into a graph."""

from __future__ import annotations

import datetime
import functools
import os
import random
import secrets
import time
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer.control.impure import reason

GENERATOR, OLD, PYTHON = np.random.default_rng(0), np.random.RandomState(0), random.Random(0)

IMPURE: list[Callable[..., Any]] = [
    random.random,
    random.shuffle,
    random.choice,
    PYTHON.gauss,
    np.random.rand,
    np.random.normal,
    np.random.seed,
    np.random.default_rng,
    GENERATOR.normal,
    GENERATOR.integers,
    OLD.randn,
    time.time,
    time.perf_counter_ns,
    time.sleep,
    datetime.datetime.now,
    datetime.date.today,
    os.urandom,
    os.getcwd,
    uuid.uuid4,
    secrets.token_hex,
    input,
    open,
    functools.partial(random.uniform, 0),
]
PURE: list[Callable[..., Any]] = [
    len,
    np.sin,
    uuid.uuid5,
    secrets.compare_digest,
    os.path.join,
    datetime.datetime.fromisoformat,
    datetime.datetime(2020, 1, 1).isoformat,
    pl.random.uniform,
    functools.partial(max, 1),
    [].append,
]


@pytest.mark.parametrize("function", IMPURE, ids=lambda f: getattr(f, "__name__", "partial"))
def test_what_another_call_would_not_give_again_is_known(function: Any) -> None:
    said = reason(function)
    name = getattr(function, "__name__", "uniform")
    assert said is not None
    assert name in said
    assert ";" in said  # what to do


@pytest.mark.parametrize("function", PURE, ids=lambda f: getattr(f, "__name__", "partial"))
def test_nothing_is_said_of_other_functions(function: Any) -> None:
    assert reason(function) is None


def noisy(x: Any) -> Any:
    y = x * 2
    return y + np.random.rand() + random.random()  # noqa: NPY002


def clocked(x: Any) -> Any:
    return x.astype("float64") + time.perf_counter()


def shuffled(x: Any) -> Any:
    order = list(range(4))
    GENERATOR.shuffle(order)
    random.shuffle(order)
    return x * 1, order


def from_a_file(x: Any, path: str) -> Any:
    with open(path) as file:
        return x * float(file.read())


@pytest.mark.parametrize(
    ("function", "name"),
    [(noisy, r"rand draws"), (clocked, "perf_counter"), (shuffled, "Generator.shuffle")],
)
def test_each_call_draws_anew(function: Any, name: str) -> None:
    f = pl.graph_function(function, backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning, match=name):
        first = f(pl.ones(()))
    assert len({str(f(pl.ones(()))) for _ in range(5)} | {str(first)}) > 3


def test_equal_seeds_give_what_eager_code_gives() -> None:
    f = pl.graph_function(noisy, backend="reference")
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        for call in (noisy, f, f):
            random.seed(1)
            np.random.seed(1)  # noqa: NPY002
            results.append([call(pl.ones(3)).tolist() for _ in range(3)])
    assert results[0] == results[1] == results[2]


def test_files_are_read_at_each_call(tmp_path: Any) -> None:
    path = tmp_path / "scale.txt"
    f = pl.graph_function(from_a_file, backend="reference")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        for k in (2.0, 3.0):
            path.write_text(str(k))
            assert f(pl.ones(()), str(path)).tolist() == k


def test_a_generator_made_of_a_seed_inside_draws_the_same_at_each_call() -> None:
    def f(x: Any) -> Any:
        rng, other = np.random.default_rng(3), random.Random(1)
        for _ in range(20):
            x = x + rng.integers(0, 9) + other.random()
        return x

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    wanted = float(f(pl.constant(1.0)))
    assert [float(compiled(pl.constant(1.0))) for _ in range(2)] == [wanted, wanted]


def test_a_seeded_generator_in_a_captured_loop_breaks_the_graph() -> None:
    def f(n):  # type: ignore[no-untyped-def]
        rng, total = np.random.default_rng(3), n * 0.0
        while n > 0:
            total, n = total + rng.random(), n - 1
        return total

    with pytest.raises(pl.errors.TraceError, match="draws random numbers"):
        pl.graph_function(f, fullgraph=True)(pl.constant(3))
