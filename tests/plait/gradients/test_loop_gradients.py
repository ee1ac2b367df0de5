"""How gradients of loops are computed, as the user asks: promises, checkpoints, budgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.runtime.loops import bytes_of


def settle(x: Any) -> Any:
    while pl.sum(x * x) > 1.0:
        x = x * 0.9 - pl.sin(x) * 0.01
    return pl.sum(x)


X = np.array([50.0, 20.0, -30.0])


def wanted() -> Any:
    return np.asarray(pl.grad(settle)(X))


@pytest.mark.parametrize(
    "options",
    [
        {"max_iterations": 64},
        {"checkpoint": "sqrt"},
        {"checkpoints": 4},
        {"checkpoints": 1},
        {"memory": 10_000_000},
        {"memory": "100 B"},
    ],
    ids=str,
)
def test_all_ways_give_the_same_gradient(options: dict[str, Any]) -> None:
    f = pl.graph_function(settle, backend="planned")
    g = pl.graph_function(pl.grad(settle), backend="planned")
    with pl.loop_gradients(**options):
        np.testing.assert_allclose(np.asarray(pl.grad(f)(X)), wanted(), rtol=1e-12)
        np.testing.assert_allclose(np.asarray(g(X)), wanted(), rtol=1e-12)


def buffers(graph: Any) -> int:
    """Bytes of the largest value in a graph."""
    types = [r.type for n in graph.walk() for r in n.results]
    return max(int(t.nbytes) for t in types if hasattr(t, "nbytes"))


def test_buffers_that_pass_the_budget_become_checkpoints() -> None:
    f = pl.grad(settle)
    spec = pl.TensorSpec((3,), "float64")
    with pl.loop_gradients(max_iterations=10_000):
        whole = buffers(f.graph(spec))
    with pl.loop_gradients(max_iterations=10_000, memory="64kB"):
        kept = buffers(f.graph(spec))
    assert whole >= 10_000 * 24
    assert kept < whole / 20


def test_a_loop_that_breaks_the_promise_is_an_error_at_its_line() -> None:
    f = pl.graph_function(settle, backend="planned")
    with (
        pl.loop_gradients(max_iterations=3),
        pytest.raises(pl.errors.CheckError, match=r"max_iterations=3(.|\n)*test_loop_gradients.py"),
    ):
        pl.grad(f)(X)


def test_room_for_trips_is_made_and_told() -> None:
    g = pl.graph_function(pl.grad(settle), backend="planned")
    for scale in (1.0, 1e3):
        x = X * scale
        np.testing.assert_allclose(np.asarray(g(x)), np.asarray(pl.grad(settle)(x)), rtol=1e-12)
    reasons = [trace.reason for trace in g.explain().traces]
    assert any("room for 64 in gradients -> room for 128 in gradients" in r for r in reasons)


def test_options_are_checked() -> None:
    for bad in (
        {"max_iterations": -1},
        {"checkpoints": 0},
        {"checkpoint": "cubic"},
        {"checkpoint": "sqrt", "checkpoints": 3},
        {"memory": "much"},
        {"memory": 0},
    ):
        with pytest.raises(pl.errors.RangeError):
            pl.loop_gradients(**bad)


@pytest.mark.parametrize(
    ("text", "size"), [("64MB", 64_000_000), ("1.5 GiB", 3 * 2**29), ("7", 7), ("2kib", 2048)]
)
def test_sizes_as_text(text: str, size: int) -> None:
    assert bytes_of(text) == size
