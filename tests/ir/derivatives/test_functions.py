"""What users call passes derivatives on: against central differences, to second order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from plait.ir import functions as F
from tests.gradients import as_tuple, check_gradients, differentiable, spread_values

X, Y = spread_values((3, 4), 0.2, 0.9, 1), spread_values((3, 4), 0.3, 0.95, 2)
LARGE, SQUARE = X + 1, spread_values((3, 3), 0.2, 0.9, 3)
LINE, INDEX = spread_values((5,), 0.2, 0.9, 4), np.asarray([2, 0, 2])
IMAGE, KERNEL = spread_values((1, 6, 6, 2), 0, 1, 5), spread_values((3, 3, 2, 3), 0, 1, 6)
MASK = Y > 0.6

#: Functions that need more than one or two arrays of numbers between 0 and 1.
CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "acosh": (F.acosh, (LARGE,)),
    "arccosh": (F.arccosh, (LARGE,)),
    "broadcast_to": (lambda x: F.broadcast_to(x, (2, 3, 4)), (X,)),
    "clip": (lambda x, y: F.clip(x, y, 0.8), (X, Y)),
    "cross": (F.cross, (X[:, :3], Y[:, :3])),
    "delete": (lambda x: F.delete(x, 1, axis=0), (X,)),
    "dot": (F.dot, (X, Y.T)),
    "einsum": (lambda x, y: F.einsum("ij,kj->ik", x, y), (X, Y)),
    "einsum of a diagonal": (lambda x: F.einsum("ii->i", x), (SQUARE,)),
    "expand_dims": (lambda x: F.expand_dims(x, 1), (X,)),
    "getitem": (lambda x: F.getitem(x, (slice(None, None, -2), 1)), (X,)),
    "getitem of positions": (lambda x: F.getitem(x, INDEX), (X,)),
    "interp": (lambda x, y: F.interp(x, np.linspace(0, 1, 4), y), (X, LINE[:4])),
    "matmul": (F.matmul, (X, Y.T)),
    "matrix_power": (lambda x: F.matrix_power(x, 3), (SQUARE,)),
    "moveaxis": (lambda x: F.moveaxis(x, 0, 1), (X,)),
    "norm 1": (lambda x: F.norm(x, ord=1, axis=1), (X,)),
    "norm 3": (lambda x: F.norm(x, ord=3, axis=1), (X,)),
    "norm inf": (lambda x: F.norm(x, ord=np.inf, axis=1), (X,)),
    "pad": (lambda x: F.pad(x, ((1, 2), (0, 1)), mode="reflect"), (X,)),
    "partition": (lambda x: F.partition(x, 2), (X,)),
    "power of a number": (lambda x: F.power(x, 3), (X,)),
    "repeat": (lambda x: F.repeat(x, 3, axis=1), (X,)),
    "reshape": (lambda x: F.reshape(x, (2, 6)), (X,)),
    "roll": (lambda x: F.roll(x, 2, axis=1), (X,)),
    "softmax": (lambda x: F.softmax(x, axis=0), (X,)),
    "split": (lambda x: tuple(F.split(x, 2, axis=1)), (X,)),
    "take": (lambda x: F.take(x, INDEX, axis=0), (X,)),
    "take_along_axis": (lambda x: F.take_along_axis(x, np.argsort(Y, 1), 1), (X,)),
    "tile": (lambda x: F.tile(x, (2, 1)), (X,)),
    "top_k": (lambda x: F.top_k(x, 2), (X,)),
    "vander": (lambda x: F.vander(x, 3), (LINE,)),
    "var": (lambda x: F.var(x, axis=0), (X,)),
    "where": (lambda x, y: F.where(MASK, x, y), (X, Y)),
}


def calls() -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """Those above, and every other function that takes one or two arrays."""
    for name, (function, operands) in CALLS.items():
        yield name, function, operands
    for name in sorted(set(dir(F)) - set(CALLS)):
        function = getattr(F, name)
        if name.startswith("_") or inspect.ismodule(function) or not callable(function):
            continue
        for operands in ((X,), (X, Y)):
            if takes_numbers(function, operands):
                yield f"{name} of {len(operands)}", function, operands


def takes_numbers(function: Callable[..., Any], operands: tuple[Any, ...]) -> bool:
    """Whether a function gives something differentiable for the operands."""
    try:
        with np.errstate(all="ignore"):
            found = outputs(function(*operands))
    except Exception:  # not for such operands
        return False
    return all(hasattr(y, "dtype") for y in found) and any(differentiable(y) for y in found)


def outputs(found: Any) -> tuple[Any, ...]:
    """Results as a plain tuple."""
    return as_tuple(tuple(found) if isinstance(found, (tuple, list)) else found)


EVERY = {name: (function, operands) for name, function, operands in calls()}


def test_most_functions_are_seen() -> None:
    assert len(EVERY) > 200


@pytest.mark.parametrize("name", EVERY)
def test_derivatives_pass(name: str) -> None:
    function, operands = EVERY[name]
    check_gradients(lambda *xs: outputs(function(*xs)), *operands)


def test_convolutions_and_pooling() -> None:
    check_gradients(lambda x, k: F.convolution(x, k, padding="SAME"), IMAGE, KERNEL)
    check_gradients(lambda x: F.max_pool(x, 2), IMAGE)
    check_gradients(lambda x: F.avg_pool(x, 3, padding="SAME"), IMAGE)


def test_attention() -> None:
    q, k, v = (spread_values((1, 3, 2, 4), -1, 1, i) for i in range(3))
    check_gradients(F.dot_product_attention, q, k, v)
    check_gradients(lambda *x: F.dot_product_attention(*x, is_causal=True), q, k, v)
