"""Derivatives of convolutions and pooling over all of their attributes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from plait.ir import ops
from plait.ir.derivatives.convolution import _factors
from tests.gradients import check_gradients, pullback


def convolution_cases() -> list[dict[str, Any]]:
    """Every combination of two values for each attribute, along one axis."""
    return [
        {"strides": s, "low": a, "high": b, "dilation": d, "input_dilation": i}
        for s, a, b, d, i in itertools.product((1, 3), (-1, 2), (0, 5), (1, 2), (1, 2))
    ]


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_over_all_attributes(groups: int) -> None:
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 4, 7)), random.normal(size=(6, 4 // groups, 3))
    for attributes in convolution_cases():
        lists = {name: (value,) for name, value in attributes.items()}
        check_gradients(
            lambda a, b, lists=lists: ops.convolution(a, b, groups=groups, **lists), x, kernel
        )


@pytest.mark.parametrize(
    ("x", "kernel", "groups"),
    [
        ((1, 1, 2), (1, 1, 5), 1),  # no window fits
        ((0, 2, 4), (3, 2, 2), 1),
        ((2, 2), (3, 2), 1),  # no spatial axis
        ((1, 3, 4, 5), (3, 1, 2, 3), 3),
        ((1, 2, 3, 4, 3), (2, 2, 2, 2, 1), 1),
    ],
)
def test_convolution_of_awkward_shapes(x: Any, kernel: Any, groups: int) -> None:
    random, rank = np.random.default_rng(1), len(x) - 2
    attributes = {
        "strides": (1,) * rank, "low": (0,) * rank, "high": (0,) * rank,
        "dilation": (1,) * rank, "input_dilation": (1,) * rank, "groups": groups,
    }  # fmt: skip
    check_gradients(
        lambda a, b: ops.convolution(a, b, **attributes),
        random.normal(size=x),
        random.normal(size=kernel),
    )


def test_convolution_of_complex_numbers() -> None:
    random = np.random.default_rng(2)
    x, kernel = (random.normal(size=s) + 1j * random.normal(size=s) for s in ((1, 2, 5), (2, 2, 3)))
    attributes = {
        "strides": (2,), "low": (1,), "high": (0,), "dilation": (1,), "input_dilation": (1,)
    }  # fmt: skip
    check_gradients(lambda a, b: ops.convolution(a, b, **attributes), x, kernel)


def pooled(kind: str, shape: Any, **attributes: Any) -> Any:
    ones, zeros = (1,) * len(shape), (0,) * len(shape)
    given = {"window": ones, "strides": ones, "low": zeros, "high": zeros, "dilation": ones}
    return lambda x: ops.reduce_window(x, kind=kind, **{**given, **attributes})


@pytest.mark.parametrize("kind", ["max", "min", "sum"])
def test_pooling_over_all_attributes(kind: str) -> None:
    values = np.random.default_rng(3).permutation(18).reshape(2, 9) / 3.0
    for window, stride, low, high, dilation in itertools.product(
        (1, 4, 5, 6), (1, 2, 3), (0, 2), (0, 3), (1, 2)
    ):
        function = pooled(
            kind,
            values.shape,
            window=(2, window),
            strides=(1, stride),
            low=(1, low),
            high=(0, high),
            dilation=(1, dilation),
        )
        check_gradients(function, values, order=1)
    check_gradients(function, values)


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("window", [(3, 3), (4, 2), (5, 6), (1, 7)])
def test_equal_extremes_share_equally(kind: str, window: tuple[int, int]) -> None:
    x = np.random.default_rng(4).integers(0, 3, (8, 9)).astype(np.float64)
    function = pooled(kind, x.shape, window=window, strides=(2, 1), low=(1, 0), high=(0, 2))
    padded = np.pad(x, ((1, 0), (0, 2)), constant_values=np.nan)
    wanted = np.zeros(padded.shape)
    y = function(x)
    g = np.random.default_rng(5).normal(size=y.shape)
    for i, j in np.ndindex(*y.shape):
        part = (slice(2 * i, 2 * i + window[0]), slice(j, j + window[1]))
        chosen = padded[part] == y[i, j]
        wanted[part] += chosen * g[i, j] / max(chosen.sum(), 1)
    np.testing.assert_allclose(pullback(function, [x], [g])[0], wanted[1:, :-2], atol=1e-12)


def test_windows_of_borders_only() -> None:
    x = np.asarray([1.0, -np.inf])
    function = pooled("max", (2,), window=(2,), low=(3,), high=(3,))
    found = pullback(function, [x], [np.ones(7)])[0]
    np.testing.assert_array_equal(found, [2, 1])  # the window of -inf and a border is the second's


def test_long_windows_are_few_stages() -> None:
    assert _factors(1) == []
    assert _factors(97) == [97]
    assert _factors(360) == [2, 2, 2, 3, 3, 5]
    x = np.random.default_rng(6).normal(size=400)
    check_gradients(pooled("max", (400,), window=(360,)), x, order=1)
