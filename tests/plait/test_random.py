"""Random numbers for users: seeds, generators, compiled functions."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import plait as pl

DRAWS = [
    lambda g: g.uniform((3, 2), low=-1.0, high=2.0),
    lambda g: g.normal((3,), mean=1.0, std=2.0, dtype="float64"),
    lambda g: g.truncated_normal((4,)),
    lambda g: g.exponential((2,), scale=3.0),
    lambda g: g.gumbel((2,)),
    lambda g: g.randint(-5, 5, (6,)),
    lambda g: g.randint(3, shape=(6,), dtype="int64"),
    lambda g: g.bernoulli((5,), p=0.3),
    lambda g: g.categorical([[0.0, 1.0], [1.0, 0.0]]),
    lambda g: g.choice([1.0, 2.0, 3.0], (2,), replace=False),
    lambda g: g.permutation(5),
    lambda g: g.bits((2,)),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_equal_seeds_give_equal_numbers_eager_and_compiled(draw: Any) -> None:
    one, other = pl.random.Generator(3), pl.random.Generator(3)
    f = pl.graph_function(lambda: draw(other), backend="reference")
    for _ in range(3):
        eager, compiled = draw(one), f()
        assert type(eager) is pl.Tensor
        np.testing.assert_array_equal(eager, compiled)
    assert one.state.tolist() == other.state.tolist()


def test_the_module_draws_from_one_seeded_generator() -> None:
    pl.random.seed(11)
    first = [pl.random.uniform((2,)).tolist(), pl.random.randint(9).item()]
    pl.random.seed(11)
    assert [pl.random.uniform((2,)).tolist(), pl.random.randint(9).item()] == first
    assert pl.random.uniform((2,)).tolist() != first[0]


def test_a_compiled_function_goes_on_where_eager_code_left_off() -> None:
    f = pl.graph_function(lambda: pl.random.uniform((2,)), backend="reference")
    pl.random.seed(5)
    mixed = [pl.random.uniform((2,)).tolist(), f().tolist(), pl.random.uniform((2,)).tolist()]
    pl.random.seed(5)
    assert [pl.random.uniform((2,)).tolist() for _ in range(3)] == mixed


def test_unseeded_generators_differ() -> None:
    assert pl.random.Generator().bits((4,)).tolist() != pl.random.Generator().bits((4,)).tolist()


def test_split_streams_differ() -> None:
    made = pl.random.Generator(1).split(3)
    assert len({tuple(g.bits((2,)).tolist()) for g in made}) == 3


def test_a_generator_pickles_with_its_place() -> None:
    g = pl.random.Generator(2**63 + 1)
    g.uniform((5,))
    made = pickle.loads(pickle.dumps(g))
    assert repr(made) == repr(g)
    assert made.uniform().item() == g.uniform().item()


def test_moments() -> None:
    x = pl.random.Generator(0).normal((20_000,), mean=2.0, std=3.0).numpy()
    assert abs(x.mean() - 2) < 0.1
    assert abs(x.std() - 3) < 0.1


def test_bad_arguments() -> None:
    with pytest.raises(pl.errors.DTypeError, match=r"(?s)normal.*int32.*test_random"):
        pl.random.normal((2,), dtype="int32")
    with pytest.raises(pl.errors.CheckError, match="low"):
        pl.random.randint(5, 5)
    with pytest.raises(pl.errors.ShapeError, match="uniform"):
        pl.random.uniform((2,), low=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("name", ["normal", "uniform", "gumbel"])
@pytest.mark.parametrize(
    "arguments", [(0, 1, (3,)), (0.0, 1.0, (3,)), (2, 1, (2,)), (0, 1, (2, 3)), (0, 1, ())]
)
def test_numpys_order_of_arguments_is_refused(name: str, arguments: Any) -> None:
    draw = getattr(pl.random, name)
    with pytest.raises(pl.errors.ShapeError, match=rf"shape comes first.*{name}\(shape, "):
        draw(*arguments)
    with pytest.raises(pl.errors.ShapeError, match="shape comes first"):
        pl.graph_function(lambda: draw(*arguments), backend="reference")()


def test_parameters_broadcast_to_the_shape() -> None:
    assert pl.random.normal(3, 1.0, [1.0, 2.0, 3.0]).shape == (3,)
    assert pl.random.normal((2, 3), (0.0, 1.0, 2.0)).shape == (2, 3)
    assert pl.random.normal(0, [1.0]).shape == (0,)
    for parameter in (np.ones(3), np.ones((2, 1)), np.ones((1, 2))):
        with pytest.raises(pl.errors.ShapeError, match=r"does not broadcast to shape \(2,\)"):
            pl.random.truncated_normal((2,), std=parameter)


def test_names_of_the_module_are_public() -> None:
    assert dir(pl.random) == pl.random.__all__
