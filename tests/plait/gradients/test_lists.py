"""Lists of tensors, and lists that mix them with numbers, pass derivatives on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

LISTS: dict[str, Callable[[Any], Any]] = {
    "constant": lambda x: pl.constant([x, x * 2]),
    "asarray": lambda x: pl.asarray([[x, 0.5], (1, x * x)]),
    "operand": lambda x: pl.matmul([[x, 1.0]], [[x], [2.0]]),
    "rows": lambda x: pl.asarray([pl.ones(2) * x, [x, 3.0]]),
}


@pytest.mark.parametrize("name", LISTS)
def test_elements_of_lists_have_gradients(name: str) -> None:
    def total(x: Any) -> Any:
        return pl.sum(LISTS[name](x) * 3)

    x = pl.asarray(np.array(1.25))
    step = 1e-6
    exact = (float(total(x + step)) - float(total(x - step))) / (2 * step)
    np.testing.assert_allclose(float(pl.grad(total)(x)), exact, rtol=1e-7)
    np.testing.assert_allclose(float(pl.jvp(total, (x,), (1.0,))[1]), exact, rtol=1e-7)
    np.testing.assert_allclose(float(pl.grad(pl.graph_function(total))(x)), exact, rtol=1e-7)


def test_a_tape_changes_neither_values_nor_dtypes() -> None:
    x = pl.constant(1.0)
    plain = pl.asarray([x, 0.1, 7])
    with pl.GradientTape() as tape:
        tape.watch(x)
        taped = pl.asarray([x, 0.1, 7])
    assert taped.dtype == plain.dtype
    np.testing.assert_array_equal(np.asarray(taped), np.asarray(plain))
