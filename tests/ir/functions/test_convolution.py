"""Convolution and pooling equal their sums written out, in every layout; transposes are adjoint."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import functions
from plait.ir.errors import ShapeError, UnknownNameError
from tests.payloads import run


def written_out(
    x: Any, kernel: Any, strides: Any, low: Any, high: Any, dilation: Any, groups: int
) -> Any:
    """The sum over windows and channels, element by element; channels first."""
    x = np.pad(x, [(0, 0), (0, 0), *zip(low, high, strict=True)])
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape[2:], dilation, strict=True)]
    counts = [max((n - r) // s + 1, 0) for n, r, s in zip(x.shape[2:], reach, strides, strict=True)]
    out = np.zeros((x.shape[0], kernel.shape[0], *counts), x.dtype)
    per_in, per_out = kernel.shape[1], kernel.shape[0] // groups
    for n, o, *place in product(*map(range, out.shape)):
        first = o // per_out * per_in
        for c, *offset in product(*map(range, kernel.shape[1:])):
            at = [
                p * s + k * d for p, s, k, d in zip(place, strides, offset, dilation, strict=True)
            ]
            out[(n, o, *place)] += x[(n, first + c, *at)] * kernel[(o, c, *offset)]
    return out


def channels_last(x: Any) -> Any:
    return np.moveaxis(x, 1, -1)


def kernel_last(kernel: Any) -> Any:
    return np.transpose(kernel, (*range(2, kernel.ndim), 1, 0))


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    rank, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    numbers = st.integers(1, 3)

    def several(strategy: Any) -> Any:
        return tuple([draw(strategy) for _ in range(rank)])

    random = np.random.default_rng(draw(st.integers(0, 99)))
    x = random.integers(-4, 5, (2, 2 * groups, *several(st.integers(3, 6))))
    kernel = random.integers(-4, 5, (3 * groups, 2, *several(numbers)))
    return {
        "x": x.astype("float64"),
        "kernel": kernel.astype("float64"),
        "strides": several(numbers),
        "dilation": several(st.integers(1, 2)),
        "groups": groups,
        "padding": draw(st.sampled_from(["SAME", "valid", 1, [(2, 1)] * rank])),
    }


def borders(problem: dict[str, Any]) -> tuple[list[int], list[int]]:
    padding, kernel = problem["padding"], problem["kernel"]
    if padding == "valid":
        return [0] * (kernel.ndim - 2), [0] * (kernel.ndim - 2)
    if padding != "SAME":
        pairs = [(1, 1)] * (kernel.ndim - 2) if padding == 1 else padding
        return [p[0] for p in pairs], [p[1] for p in pairs]
    low, high = [], []
    sizes = zip(problem["x"].shape[2:], kernel.shape[2:], strict=True)
    for (n, k), s, d in zip(sizes, problem["strides"], problem["dilation"], strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        low.append(total // 2)
        high.append(total - total // 2)
    return low, high


@given(problems())
def test_convolution_is_the_sum_written_out(problem: dict[str, Any]) -> None:
    x, kernel = problem.pop("x"), problem.pop("kernel")
    low, high = borders({**problem, "x": x, "kernel": kernel})
    wanted = written_out(
        x, kernel, problem["strides"], low, high, problem["dilation"], problem["groups"]
    )
    first = run(functions.convolution, x, kernel, data_format="channels_first", **problem)
    np.testing.assert_array_equal(first, wanted)
    last = run(functions.convolution, channels_last(x), kernel_last(kernel), **problem)
    np.testing.assert_array_equal(last, channels_last(wanted))
    if problem["padding"] == "SAME":
        sizes = zip(x.shape[2:], problem["strides"], strict=True)
        assert wanted.shape[2:] == tuple(-(-n // s) for n, s in sizes)


@given(problems())
def test_the_transpose_is_adjoint(problem: dict[str, Any]) -> None:
    x, kernel = problem.pop("x"), problem.pop("kernel")
    options = {**problem, "data_format": "channels_first"}
    y = functions.convolution(x, kernel, **options)
    v = np.cos(np.arange(y.size)).reshape(y.shape)
    back = run(functions.conv_transpose, v, kernel, **options)
    if problem["padding"] == "valid":
        # Strides may leave the last elements of x unread; the transpose may end before or behind.
        assert all(a >= b for a, b in zip(back.shape[2:], y.shape[2:], strict=True))
    elif all(_is_exact(problem, x, kernel)):
        assert back.shape == x.shape
    else:
        return  # several sizes of x have the same result
    cut = tuple([slice(0, min(a, b)) for a, b in zip(x.shape, back.shape, strict=True)])
    np.testing.assert_allclose(np.sum(y * v), np.sum(x[cut] * back[cut]), atol=1e-9)


def _is_exact(problem: dict[str, Any], x: Any, kernel: Any) -> Iterator[bool]:
    """Whether the windows end where x, or its border, ends; axis by axis."""
    low, high = borders({**problem, "x": x, "kernel": kernel})
    for i, (n, k) in enumerate(zip(x.shape[2:], kernel.shape[2:], strict=True)):
        stride, reach = problem["strides"][i], (k - 1) * problem["dilation"][i] + 1
        same = problem["padding"] == "SAME"
        yield n % stride == 0 if same else (n + low[i] + high[i] - reach) % stride == 0


def test_transposes_grow_by_the_strides() -> None:
    x, kernel = np.ones((1, 5, 2)), np.ones((3, 4, 2))
    assert functions.conv_transpose(x, kernel, 2, "SAME").shape == (1, 10, 4)
    assert functions.conv_transpose(x, kernel, 2).shape == (1, 11, 4)
    assert functions.conv_transpose(x, kernel, 2, 1).shape == (1, 9, 4)


def test_dtypes_are_promoted() -> None:
    x, kernel = np.ones((1, 4, 1), "int32"), np.ones((2, 1, 1), "float32")
    assert functions.convolution(x, kernel).dtype == np.float64
    assert functions.convolution(x, np.ones((2, 1, 1), "int8")).dtype == np.int32
    assert functions.avg_pool(x, 2).dtype == np.float64


@pytest.mark.parametrize("padding", ["SAME", "VALID", 1, [(0, 2), (1, 0)]])
@pytest.mark.parametrize("strides", [None, 1, (2, 3)])
def test_pooling(padding: Any, strides: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3))
    steps = (3, 2) if strides is None else (1, 1) if strides == 1 else strides
    problem = {"x": np.moveaxis(x, -1, 1), "kernel": np.zeros((1, 1, 3, 2)), "strides": steps}
    low, high = borders(
        {**problem, "dilation": (1, 1), "padding": "valid" if padding == "VALID" else padding}
    )
    border = [(0, 0), *zip(low, high, strict=True), (0, 0)]
    padded = np.pad(x, border, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), axis=(1, 2))
    windows = windows[:, :: steps[0], :: steps[1]]
    options = {"strides": strides, "padding": padding}
    found = run(functions.max_pool, x, window=(3, 2), **options)
    np.testing.assert_array_equal(found, np.nanmax(windows, axis=(-1, -2)))
    found = run(functions.avg_pool, x, window=(3, 2), **options)
    np.testing.assert_allclose(found, np.nanmean(windows, axis=(-1, -2)))
    found = run(functions.avg_pool, x, window=(3, 2), count_include_pad=True, **options)
    np.testing.assert_allclose(found, np.nansum(windows, axis=(-1, -2)) / 6)
    first = functions.avg_pool(np.moveaxis(x, -1, 1), (3, 2), data_format="NCHW", **options)
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), np.nanmean(windows, axis=(-1, -2)))


def test_errors_of_use() -> None:
    x, kernel = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))
    with pytest.raises(ShapeError, match="group"):
        functions.convolution(x, np.ones((3, 3, 3, 4)))
    with pytest.raises(ShapeError, match="rank"):
        functions.convolution(x, np.ones((3, 2, 4)))
    with pytest.raises(ShapeError, match="batch"):
        functions.max_pool(np.ones((3, 3)), 2)
    with pytest.raises(UnknownNameError, match="SAME"):
        functions.convolution(x, kernel, padding="FULL")
    with pytest.raises(UnknownNameError, match="NHWC"):
        functions.convolution(x, kernel, data_format="NWC")
    with pytest.raises(ShapeError, match="strides"):
        functions.convolution(x, kernel, strides=(1, 2, 3))
    with pytest.raises(ShapeError, match="not negative"):
        functions.max_pool(x, 2, padding=-1)
    with pytest.raises(ShapeError, match="outputs"):
        functions.conv_transpose(x, kernel)
