"""Distributions have their moments and bounds; states advance; graphs draw as eager code does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait.ir import GraphBuilder, TensorType, evaluate
from plait.ir.errors import CheckError, DTypeError, ShapeError
from plait.ir.functions import random
from plait.ir.types import as_dtype, float32, int64, uint64
from tests.payloads import run

STATE = random.seed_state(2024)
COUNT = 20_000
FLOATS = ("float16", "bfloat16", "float32", "float64")


def draw(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Values drawn eagerly, as float64, after checking that a graph draws the same."""
    values, state = run(lambda s: function(s, *arguments, **options), STATE)
    assert state[0] == STATE[0]
    assert state.dtype == uint64
    return values


def close(found: Any, wanted: float, width: float = 1.0) -> bool:
    """Whether a mean over COUNT samples is within five of its standard deviations."""
    return bool(abs(np.mean(found) - wanted) < 5 * width / COUNT**0.5 + 0.004)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform(dtype: str) -> None:
    values = draw(random.uniform, COUNT, dtype)
    assert values.dtype == as_dtype(dtype)
    wide = values.astype("float64")
    assert wide.min() >= 0
    assert wide.max() < 1
    assert close(wide, 0.5, 0.29)
    assert close(wide**2, 1 / 3, 0.3)
    moved = draw(random.uniform, (COUNT,), dtype, low=-2.0, high=2.0).astype("float64")
    assert close(moved, 0.0, 1.2)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal(dtype: str) -> None:
    values = draw(random.normal, COUNT, dtype)
    assert values.dtype == as_dtype(dtype)
    wide = values.astype("float64")
    assert np.isfinite(wide).all()
    assert close(wide, 0)
    assert close(wide**2, 1, 1.5)
    assert close(wide**4, 3, 10)
    moved = draw(random.normal, (4, 3), dtype, mean=np.arange(3), std=0.0)
    np.testing.assert_array_equal(moved, np.broadcast_to(np.arange(3), (4, 3)).astype(values.dtype))


def test_truncated_normal() -> None:
    values = draw(random.truncated_normal, COUNT, low=0.0, high=1.0)
    assert values.min() >= 0
    assert values.max() <= 1
    assert close(values, 0.4598622, 0.3)


def test_exponential_and_gumbel() -> None:
    values = draw(random.exponential, COUNT, scale=2.0)
    assert values.min() >= 0
    assert close(values, 2, 2)
    values = draw(random.gumbel, COUNT, "float64", loc=1.0)
    assert np.isfinite(values).all()
    assert close(values, 1.5772157, 1.3)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 10, "int32"),
        (-3, 4, "int8"),
        (250, 256, "uint8"),
        (-(2**63), 2**63, "int64"),
        (0, 2**64, "uint64"),
    ],
)
def test_randint(low: int, high: int, dtype: str) -> None:
    values = draw(random.randint, COUNT, low, high, dtype)
    assert values.dtype == as_dtype(dtype)
    if high - low < 100:
        assert sorted(set(values.tolist())) == list(range(low, high))
        counts = np.unique(values, return_counts=True)[1]
        assert np.abs(counts / COUNT - 1 / (high - low)).max() < 0.015
    else:
        assert close(values / 2.0**64 - low / 2.0**64, 0.5, 0.3)


def test_randint_with_bounds_that_broadcast() -> None:
    values = draw(random.randint, (100, 2), np.asarray([0, -5]), np.asarray([2, -1]))
    assert values.min(axis=0).tolist() == [0, -5]
    assert values.max(axis=0).tolist() == [1, -2]


def test_bernoulli() -> None:
    values = draw(random.bernoulli, (COUNT, 2), np.asarray([0.0, 0.3]))
    assert values.dtype == bool
    assert not values[:, 0].any()
    assert close(values[:, 1], 0.3, 0.5)


def test_permutations() -> None:
    order = draw(random.permutation, 100)
    assert sorted(order.tolist()) == list(range(100))
    assert order.tolist() != list(range(100))
    x = np.arange(12).reshape(4, 3)
    mixed = draw(random.permutation, x, axis=1)
    assert sorted(map(tuple, mixed.T.tolist())) == sorted(map(tuple, x.T.tolist()))
    assert draw(random.permutation, np.zeros((0, 3))).shape == (0, 3)


def test_choice() -> None:
    p = np.asarray([0.1, 0.2, 0.0, 0.7])
    values = draw(random.choice, 4, COUNT, p=p)
    np.testing.assert_allclose(np.bincount(values, minlength=4) / COUNT, p, atol=0.02)
    assert sorted(draw(random.choice, 4, 3, replace=False, p=p).tolist()) == [0, 1, 3]
    rows = draw(random.choice, np.arange(12).reshape(4, 3), (2, 2))
    assert rows.shape == (2, 2, 3)
    assert len(set(draw(random.choice, 50, 50, replace=False).tolist())) == 50


def test_categorical() -> None:
    logits = np.log([[0.1, 0.9], [0.5, 0.5]])
    values = draw(random.categorical, logits, (COUNT, 2))
    np.testing.assert_allclose(values.mean(axis=0), [0.9, 0.5], atol=0.02)
    assert draw(random.categorical, logits, axis=0).shape == (2,)


def test_states_do_not_overlap() -> None:
    first, state = random.random_bits(STATE, 10)
    second, state = random.random_bits(state, 10)
    assert state.tolist() == [2024, 6]
    whole, _ = random.random_bits(STATE, 24)
    np.testing.assert_array_equal(first, whole[:10])
    np.testing.assert_array_equal(second, whole[12:22])


def test_split_gives_other_streams() -> None:
    states, state = random.split(STATE, 3)
    assert states.shape == (3, 2)
    assert len({int(key) for key in states[:, 0]} | {2024}) == 4
    assert state.tolist() == [2024, 2]


def test_empty_and_scalar_shapes() -> None:
    assert draw(random.normal, ()).shape == ()
    values, state = random.uniform(STATE, (0, 3))
    assert values.shape == (0, 3)
    assert state.tolist() == STATE.tolist()


def test_errors_of_use() -> None:
    with pytest.raises(DTypeError, match="floating"):
        random.normal(STATE, 2, "int32")
    with pytest.raises(DTypeError, match="integer dtype"):
        random.randint(STATE, 2, 0, 5, "float32")
    with pytest.raises(DTypeError, match="does not hold"):
        random.randint(STATE, 2, 0, 500, "uint8")
    with pytest.raises(CheckError, match="low 5 must be below high 5"):
        random.randint(STATE, 2, 5, 5)
    with pytest.raises(CheckError, match="every low"):
        random.randint(STATE, 2, np.asarray([0, 1]), 1)
    with pytest.raises(ShapeError, match="draw 5 of 4 different"):
        random.choice(STATE, 4, 5, replace=False)
    with pytest.raises(ShapeError, match=r"p must have shape \(4,\)"):
        random.choice(STATE, 4, 5, p=[0.5, 0.5])
    with pytest.raises(ShapeError, match="must end with"):
        random.categorical(STATE, np.zeros((2, 3)), (3,))
    with pytest.raises(DTypeError, match="state"):
        random.uniform(np.zeros(3), 2)
    with pytest.raises(ShapeError, match="broadcast"):
        random.normal(STATE, 2, mean=np.zeros(3))


def test_a_computed_range_is_checked_when_it_runs() -> None:
    builder = GraphBuilder("g")
    state = builder.input(TensorType(uint64, (2,)))
    high = builder.input(TensorType(int64, ()))
    with builder:
        graph = builder.build([random.randint(state, (4,), 0, high)[0]])
    assert set(evaluate(graph, [STATE, np.asarray(1)])[0].tolist()) == {0}
    with pytest.raises(CheckError, match="below"):
        evaluate(graph, [STATE, np.asarray(0)])


@pytest.mark.parametrize("p", [-0.25, 1.5, np.nan])
def test_probabilities_are_checked(p: float) -> None:
    with pytest.raises(CheckError, match=r"every p must lie in \[0, 1\]"):
        random.bernoulli(STATE, 2, p)
    with pytest.raises(CheckError, match="every p"):
        random.bernoulli(STATE, 2, np.asarray([0.5, p]))
    builder = GraphBuilder("g")
    state = builder.input(TensorType(uint64, (2,)))
    chance = builder.input(TensorType(float32, (2,)))
    with builder:
        graph = builder.build([random.bernoulli(state, (2,), chance)[0]])
    found = evaluate(graph, [STATE, np.asarray([0, 1], np.float32)])[0]
    assert found.tolist() == [False, True]
    with pytest.raises(CheckError, match="every p"):
        evaluate(graph, [STATE, np.asarray([0, p], np.float32)])


def test_float32_is_the_default() -> None:
    assert {f(STATE, 2)[0].dtype for f in (random.uniform, random.normal, random.gumbel)} == {
        float32
    }
