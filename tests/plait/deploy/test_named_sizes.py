"""Functions that are captured for any size are what they are for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import PlaitError


def attention(x: Any) -> Any:
    heads = pl.reshape(x, (x.shape[0], 3, 2))
    weights = pl.softmax(heads @ pl.matrix_transpose(heads) / 4.0)
    return pl.reshape(weights @ heads, (-1, 6)) + x


def normalized(x: Any) -> Any:
    return (x - pl.mean(x, axis=0)) / (pl.std(x, axis=0) + 1e-3) * x.shape[0]


def loop(x: Any) -> Any:
    while pl.mean(x) > 0.1:
        x = pl.where(x > 0, x * 0.5, x)
    return x


def loss(x: Any) -> Any:
    labels = pl.one_hot(pl.argmax(x, axis=1), 6)
    return -pl.mean(pl.sum(labels * pl.log_softmax(x), axis=-1)) + pl.sum(x) / x.shape[0]


def gradient(x: Any) -> Any:
    return pl.grad(loss)(x)


def drawn(x: Any) -> Any:
    kept = pl.random.bernoulli(x.shape, 0.5)
    return pl.where(kept, x * 2, 0.0) + pl.random.normal((x.shape[0], 1))


def recurrent(x: Any) -> Any:
    h = pl.zeros((x.shape[0], 2))
    for i in range(3):
        h = pl.tanh(h + x[:, 2 * i : 2 * i + 2])
    return pl.concat([h, pl.flip(x, axis=1)], axis=1)


FUNCTIONS = (attention, normalized, loop, loss, gradient, drawn, recurrent)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("backend", ["reference", "planned"])
def test_equal_for_each_size(function: Callable[..., Any], backend: str, tmp_path: Path) -> None:
    compiled = pl.graph_function(function, backend=backend)
    pl.random.seed(5)
    compiled.save(tmp_path / "f.plait", "f32[b,6]")
    loaded = pl.load(tmp_path / "f.plait", backend=backend)
    for size in (1, 4, 7):
        x = np.random.default_rng(size).standard_normal((size, 6)).astype(np.float32)
        found, expected = loaded(x), compiled(x)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert np.asarray(found).tobytes() == np.asarray(expected).tobytes()


def test_sizes_are_constants_once_they_are_known(tmp_path: Path) -> None:
    pl.graph_function(pl.mean, name="mean").save(tmp_path / "f.plait", "f32[b,6]")
    loaded = pl.load(tmp_path / "f.plait", backend="planned")
    loaded(pl.ones((3, 6)))
    graph = pl.graph_function(pl.mean).graph("f32[3,6]")
    assert loaded.last_graph is not None
    assert [n.op.name for n in loaded.last_graph.nodes] == [n.op.name for n in graph.nodes]


REFUSED: tuple[tuple[Callable[..., Any], str], ...] = (
    (lambda x: pl.concat([x, x], axis=0), "concat: axis 0 is symbolic"),
    (lambda x: x[:2], "an axis of symbolic size b can only be taken whole"),
    (lambda x: pl.reshape(x, (-1,)), "does not fit"),
    (lambda x: [row for row in x], "size b has no number"),  # noqa: C416 - iterates a tensor
    (lambda x: x * (x.shape[0] // 2), "size b has no number"),
    (lambda x: [x[i] for i in range(x.shape[0])], "size b has no number"),
    (lambda x: x if x.shape[0] > 3 else -x, "size b has no number"),
)


@pytest.mark.parametrize(("function", "reason"), REFUSED)
def test_what_needs_a_number_says_so(
    function: Callable[..., Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(PlaitError, match=reason) as error:
        pl.graph_function(function).save(tmp_path / "f.plait", "f32[b,6]")
    code = function.__code__
    assert (error.value.location.file.rpartition("/")[2], error.value.location.line) == (
        "test_named_sizes.py",
        code.co_firstlineno,
    )


def test_two_names(tmp_path: Path) -> None:
    g = pl.graph_function(lambda x, y: x + pl.sum(y) * y.shape[0], name="g")
    g.save(tmp_path / "g.plait", "f32[b]", "f32[c]")
    loaded = pl.load(tmp_path / "g.plait", backend="reference")
    assert loaded(pl.ones(2), pl.ones(3)).numpy().tolist() == [10, 10]
    swapped = loaded.graph("f32[c]", "f32[b]", stage="traced")
    assert str(swapped.outputs[0].type) == "f32[c]"
