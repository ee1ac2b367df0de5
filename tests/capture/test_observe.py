"""The corpus sees each kind of difference between two calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.observe import differences, observe


def append(items: list[Any], value: Any) -> Any:
    items.append(value)
    return items


def fail(error: Exception) -> Any:
    raise error


def zero() -> Any:
    return pl.zeros((2,))


ONE, TWO = [1], [1]

DIFFERENT: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], str]] = {
    "value": (lambda x: zero(), lambda x: zero() + 1e-3, "result"),
    "dtype": (lambda x: zero(), lambda x: zero().astype("float64"), "result"),
    "shape": (lambda x: zero(), lambda x: zero()[:1], "result"),
    "class of an array": (lambda x: zero(), lambda x: zero().numpy(), "result"),
    "class of a number": (lambda x: 1, lambda x: True, "result"),
    "NaN": (lambda x: pl.asarray([np.nan]), lambda x: pl.asarray([0.0]), "result"),
    "structure": (lambda x: [1, (2,)], lambda x: [1, [2]], "result[1]"),
    "keys": (lambda x: {"a": 1, "b": 2}, lambda x: {"b": 2, "a": 1}, "result"),
    "attribute": (lambda x: Exception, lambda x: ValueError, "result"),
    "printed": (lambda x: print(1), lambda x: print(2), "printed"),
    "argument": (lambda x: append(x, 1)[0], lambda x: append(x, 2)[0], "args[0][0][1]"),
    "identity": (lambda x: append(x, 1), lambda x: list(append(x, 1)), "result is"),
    "aliasing": (lambda x: [ONE, ONE], lambda x: [ONE, TWO], "result[1]"),
    "error": (lambda x: fail(ValueError("a")), lambda x: fail(TypeError("a")), "error"),
    "message": (lambda x: fail(ValueError("a")), lambda x: fail(ValueError("b")), "error"),
    "no error": (lambda x: fail(ValueError("a")), lambda x: None, "error"),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_a_difference_is_seen(kind: str) -> None:
    first, second, path = DIFFERENT[kind]
    seen = [observe(function, ([0],), {}) for function in (first, second, first)]
    found = differences(seen[0], seen[1])
    assert path in [line.split(":")[0] for line in found]
    assert differences(seen[0], seen[2]) == []
