"""What raises for certain in a branch that need not be taken: the code behind it is not run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree, given

X = np.array([1, 2, 3], "float32")


def counting_down(x: Any, n: int) -> Any:
    if x[0] > 0:
        if n < 0:
            raise ValueError("negative")
        while n and n > -1000:  # without an end for negative numbers, but for this test
            n -= 1
            x = x * 2
    return x


def in_a_plain_loop(x: Any, n: int) -> Any:
    if x[0] > 0:
        for k in [3, 2, -1]:
            if k < n:
                raise ValueError(k)
            x = x + k
    return x


def at_the_end(x: Any, n: int) -> Any:
    if x[0] > 0:
        x = x * 2
        raise KeyError(n)
    return x


@pytest.mark.parametrize("function", [counting_down, in_a_plain_loop, at_the_end])
def test_known_raises(function: Any) -> None:
    for n in (2, 0, -1, -5):
        agree(function, (X, n), (-X, n))


def test_code_behind_a_raise_is_not_captured() -> None:
    f = pl.graph_function(counting_down, backend="reference")
    np.testing.assert_array_equal(f(*given((X, 2))), X * 4)
    assert not f.explain().breaks
    with pytest.warns(pl.errors.GraphBreakWarning, match="negative"):
        np.testing.assert_array_equal(f(*given((-X, -1))), -X)


def test_a_raise_of_a_branch_is_part_of_the_graph() -> None:
    f = pl.graph_function(at_the_end, backend="reference", fullgraph=True)
    np.testing.assert_array_equal(f(*given((-X, 1))), -X)
    with pytest.raises(KeyError, match="1"):
        f(*given((X, 1)))
