"""graph_function: stages, logs, and what the backends and jax share."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned")


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


class Counter:
    """Counts the traces of a function."""

    def __init__(self, function: Any) -> None:
        self.function, self.count = function, 0
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return self.function(*args, **kwargs)


def test_stages() -> None:
    f = pl.graph_function(lambda x, y: pl.tanh(x) * 1.0 + pl.tanh(x) * y, signature="f32[4] f32[4]")
    traced = f.trace()
    assert [n.op.name for n in traced.graph.nodes].count("tanh") == 2
    optimized = traced.optimize()
    assert [n.op.name for n in optimized.graph.nodes].count("tanh") == 1
    assert optimized.cost_analysis().flops > 0
    lowered = optimized.lower()
    assert "stablehlo" in lowered.as_text()
    program = lowered.compile()
    assert program.memory_analysis()["arguments"] == 32
    x = x32(4)
    np.testing.assert_allclose(program(x, x).numpy(), f(x, x).numpy())
    with pytest.raises(pl.errors.SignatureError):
        program(x32(5), x)
    assert "in-place" in str(f.graph(stage="plan"))
    with pytest.raises(pl.errors.UnknownNameError, match="stage"):
        f.graph(stage="nope")


def test_graph_can_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_DISABLE_GRAPH", "1")
    counter = Counter(lambda x: x + 1 if x.numpy()[0] == 0 else x)
    f = pl.graph_function(counter)
    f(x32(2))
    assert f(x32(2)).numpy().tolist() == [1, 2]
    assert counter.count == 2


def test_logs_and_dumps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLAIT_LOG", "trace,retrace,passes,compile,+plan")
    monkeypatch.setenv("PLAIT_DUMP_TO", str(tmp_path))

    @compiled
    def scaled(x: Any) -> Any:
        return x * 1.0 + 2

    scaled(x32(2))
    scaled(x32(3))
    errors = capsys.readouterr().err
    for topic in ("trace", "retrace", "passes", "plan", "compile"):
        assert f"[{topic}] scaled" in errors
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files
    assert all(".scaled.sig" in name and name.endswith((".ir", ".txt")) for name in files)
    monkeypatch.setenv("PLAIT_LOG", "nope")
    with pytest.raises(pl.errors.UnknownNameError, match="nope"):
        scaled(x32(4))


def test_random_state_is_threaded() -> None:
    @compiled
    def draw() -> Any:
        return pl.random.uniform((3,))

    pl.random.seed(1)
    eager = [pl.random.uniform((3,)).numpy().tolist() for _ in range(3)]
    pl.random.seed(1)
    assert [draw().numpy().tolist() for _ in range(3)] == eager


def test_jax_arrays_in_and_out() -> None:
    jax = pytest.importorskip("jax")
    x = jax.numpy.arange(3.0)
    f = pl.graph_function(lambda x: x * 2)
    result = f(x)
    assert isinstance(result, jax.Array)
    assert result.tolist() == [0, 2, 4]
    assert type(pl.graph_function(lambda x: pl.tanh(x))(x)) is pl.Tensor


def test_64_bit_types_are_kept() -> None:
    f = pl.graph_function(lambda x: x + 1)
    for dtype in (np.float64, np.int64, np.uint64, np.complex128):
        a = np.arange(3).astype(dtype)
        assert f(a).dtype == dtype
        assert f(pl.asarray(a)).dtype == dtype
        assert f(f(pl.asarray(a))).numpy().tolist() == (a + 2).tolist()


def test_writes_after_a_call_do_not_reach_it() -> None:
    f = pl.graph_function(lambda x: x @ x)
    x = pl.asarray(np.eye(300, dtype=np.float32))
    results = []
    for i in range(5):
        results.append(f(x))
        x[...] = float(i)
    assert results[0].numpy()[0, 0] == 1
    assert results[1].numpy()[0, 0] == 0
    assert results[2].numpy()[0, 0] == 300
