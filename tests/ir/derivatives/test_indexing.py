"""Derivatives of gather, scatter and run-time slices: repeated, clamped and competing positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plait.ir import ops
from tests.gradients import check_gradients, pullback

MODES = ("set", "add", "mul", "min", "max")


def floats(*values: Any) -> Any:
    return np.asarray(values, np.float64)


def scattered(mode: str, *index: Any, axes: Any = (0,), **more: Any) -> Any:
    return lambda x, u: ops.scatter(x, u, *index, axes=axes, mode=mode, **more)


def test_repeated_and_clamped_positions_add_up() -> None:
    index = np.asarray([1, 1, 9, -5, 2])
    found = pullback(
        lambda x: ops.gather(x, index, axes=(0,)), [np.zeros(4)], [floats(1, 2, 3, 4, 5)]
    )
    np.testing.assert_array_equal(found[0], [4, 3, 5, 3])


def test_only_the_last_of_competing_updates_counts() -> None:
    index = np.asarray([2, 0, 2, 9, 3])
    x, updates, g = np.zeros(4), np.ones(5), floats(1, 2, 3, 4)
    found = pullback(scattered("set", index), [x, updates], [g])
    np.testing.assert_array_equal(found[0], [0, 2, 0, 0])
    np.testing.assert_array_equal(found[1], [0, 1, 3, 0, 4])


def test_equal_extremes_share() -> None:
    index = np.asarray([0, 0, 1, 2])
    x, updates = floats(5, 1, 0, 7), floats(5, 5, 2, -1)
    found = pullback(scattered("max", index), [x, updates], [floats(3, 1, 1, 1)])
    np.testing.assert_allclose(found[0], [1, 0, 1, 1])
    np.testing.assert_allclose(found[1], [1, 1, 1, 0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unique", [False, True])
def test_scatter_modes(mode: str, unique: bool) -> None:
    random = np.random.default_rng(1)
    index = np.asarray([3, 0, 2]) if unique else np.asarray([3, 0, 3, 3, -2, 9])
    x, updates = random.normal(size=(5, 2)), random.normal(size=(len(index), 2))
    check_gradients(scattered(mode, index, unique=unique), x, updates)


@pytest.mark.parametrize("zeros", [(0,), (0, 2), (0, 2, 3), (4,)])
def test_products_with_zeros(zeros: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    index = np.asarray([3, 0, 3, 3, 1])
    x, updates = random.normal(size=4), random.normal(size=5)
    updates[list(zeros)] = 0
    check_gradients(scattered("mul", index), x, updates)
    x[3] = 0
    check_gradients(scattered("mul", index), x, updates)


@pytest.mark.parametrize("mode", MODES)
def test_scatter_in_batches_and_over_two_axes(mode: str) -> None:
    random = np.random.default_rng(3)
    rows, columns = random.integers(-1, 4, (2, 3, 2)), random.integers(-1, 5, (2, 3, 2))
    x = random.normal(size=(2, 3, 4))
    function = scattered(mode, rows, columns, axes=(1, 2), batch=1)
    check_gradients(function, x, random.normal(size=(2, 3, 2)))


@pytest.mark.parametrize("mode", MODES)
def test_scatter_of_complex_numbers_and_of_nothing(mode: str) -> None:
    random = np.random.default_rng(4)
    index = np.asarray([1, 1, 0])
    if mode not in ("min", "max"):
        x, updates = (random.normal(size=n) + 1j * random.normal(size=n) for n in (3, 3))
        check_gradients(scattered(mode, index), x, updates)
    nothing = np.zeros(0, np.int64)
    check_gradients(scattered(mode, nothing), random.normal(size=3), np.zeros(0))
    check_gradients(scattered(mode, nothing), np.zeros(0), np.zeros(0))


@pytest.mark.parametrize("start", [-4, 0, 2, 9])
def test_slices_that_clamp(start: int) -> None:
    random = np.random.default_rng(5)
    x, place = random.normal(size=6), np.asarray(start)
    check_gradients(lambda v: ops.dynamic_slice(v, place, sizes=(4,)), x)
    check_gradients(lambda v, u: ops.dynamic_update_slice(v, u, place), x, random.normal(size=4))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_sorting_along_each_axis(axis: int) -> None:
    x = np.random.default_rng(6).normal(size=(3, 4, 2))
    check_gradients(lambda v: ops.sort(v, axis=axis), x)


def test_largest_elements_in_rows() -> None:
    x = np.random.default_rng(7).normal(size=(3, 5))
    check_gradients(lambda v: ops.top_k(v, k=3)[0], x)
    check_gradients(lambda v: ops.top_k(v, k=3), x)
