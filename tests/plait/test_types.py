"""What type checkers see of the front door is what programs get; `make check` reads this file."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

import plait as pl


def make() -> pl.Tensor:
    return pl.asarray([[1.0, 2.0], [3.0, 4.0]])


def test_functions_give_tensors() -> None:
    x = make()
    one = assert_type(pl.tanh(x), pl.Tensor)
    several = assert_type(pl.split(pl.concat([x, np.ones((1, 2)), [[0, 1]]]), 2), list[pl.Tensor])
    values, positions = assert_type(pl.top_k(x, 1), tuple[pl.Tensor, pl.Tensor])
    rows = assert_type(pl.unstack(x), tuple[pl.Tensor, ...])
    made = assert_type(pl.zeros(x.shape, "float16", device="cpu:0"), pl.Tensor)
    total = assert_type(pl.sum(x, axis=(0, 1), dtype=pl.float64, keepdims=True), pl.Tensor)
    assert {type(t) for t in (one, *several, values, positions, *rows, made, total)} == {pl.Tensor}
    assert assert_type(pl.can_cast("int8", pl.int32), bool)
    assert assert_type(pl.array(1), pl.Tensor).ndim == 0


def test_gradients_are_functions_with_graphs() -> None:
    pairs = pl.implicit_gradients(pl.sum)
    assert assert_type(pairs(make()), list[tuple[pl.Tensor, pl.Variable]]) == []
    assert str(pl.grad(pl.sum).graph("f32[2]")).startswith("graph sum_grad(")
    assert len(pl.hessian(pl.prod).graph("f32[2]").outputs) == 1


def test_wrong_calls_are_seen() -> None:
    with pytest.raises(AttributeError, match="did you mean"):
        pl.tahn  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(TypeError):
        pl.tanh(make(), 1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        pl.sum(make(), axes=0)  # type: ignore[call-arg]


def test_operators_and_methods_give_tensors() -> None:
    x = make()
    sums = (
        assert_type(x + x, pl.Tensor),
        assert_type(x + 1, pl.Tensor),
        assert_type(1 - x, pl.Tensor),
    )
    products = (
        assert_type(x @ x, pl.Tensor),
        assert_type(-x, pl.Tensor),
        assert_type(x[0], pl.Tensor),
    )
    methods = assert_type(x.sum(axis=0), pl.Tensor), assert_type(x.T, pl.Tensor)
    compared = assert_type(x == x, pl.Tensor), assert_type(x < 2.0, pl.Tensor)
    updated = assert_type(x.at[0].set(1.0), pl.Tensor)
    rows = [assert_type(row, pl.Tensor) for row in x]
    found = (*sums, *products, *methods, *compared, updated, *rows)
    assert {type(t) for t in found} == {pl.Tensor}
    assert assert_type(x.shape, tuple[int, ...]) == pl.Variable(x).shape
    x += 1
    assert type(assert_type(x, pl.Tensor)) is pl.Tensor


def test_tensors_meet_numpy() -> None:
    x = make()
    array = assert_type(x.numpy(), NDArray[Any])
    assert type(array) is np.ndarray
    assert type(assert_type(np.asarray(x), NDArray[Any])) is np.ndarray
    # NumPy's own types promise an array for whatever has __array__.
    assert isinstance(np.tanh(x), pl.Tensor)
    assert isinstance(np.concatenate([x, x]), pl.Tensor)
    assert np.allclose(pl.exp(array), np.exp(array))


def test_variables_read_as_tensors() -> None:
    v = pl.Variable([1.0, 2.0])
    assert type(assert_type(v.value, pl.Tensor)) is pl.Tensor
    assert type(pl.tanh(v)) is pl.Tensor
    assert (v * 2).shape == v.shape
    v += 1.0
    assert assert_type(v, pl.Variable).numpy().tolist() == [2.0, 3.0]


@pl.graph_function
def bare(x: pl.Tensor) -> pl.Tensor:
    return pl.tanh(x) * 2.0


@pl.graph_function(backend="reference", name="named")
def configured(x: pl.Tensor) -> pl.Tensor:
    return pl.relu(x)


def test_compiled_functions_keep_their_methods() -> None:
    x = assert_type(pl.random.uniform((2, 2)), pl.Tensor)
    assert configured(x).shape == (2, 2)
    assert len(configured.trace(x).graph.nodes) > 0
    assert bare.last_graph is None
    wrapped = pl.graph_function(lambda y: y + 1, backend="reference")
    assert wrapped(x).shape == (2, 2)
    wrapped.clear_cache()
