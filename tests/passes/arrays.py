"""Arguments with special values, and equality to the bit but for the bits of a NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait import ir
from plait.ir import Graph, TensorType
from tests.graphs import fill

FLOATS = (0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 1e-40, 3e38)


def special_arguments(graph: Graph, seed: int) -> list[Any]:
    """Arrays for the inputs, a third of their elements special."""
    types = [v.type for v in graph.inputs]
    return [special_array(t, seed * 31 + i) for i, t in enumerate(types)]


def special_array(type_: ir.Type, seed: int) -> Any:
    """An array of the type with signed zeros, NaN, infinities, or the ends of the integers."""
    assert type(type_) is TensorType
    source = np.random.default_rng(seed)
    shape: Any = type_.shape
    array = fill(type_.dtype, shape, seed)
    specials: Any = FLOATS
    if ir.is_bool(type_.dtype):
        return array
    if ir.is_integer(type_.dtype):
        specials = (np.iinfo(type_.dtype).min, np.iinfo(type_.dtype).max)
    with np.errstate(over="ignore"):
        chosen = np.asarray(specials).astype(type_.dtype)[
            source.integers(len(specials), size=shape)
        ]
    return np.where(source.random(shape) < 0.3, chosen, array).astype(type_.dtype)


def same_values(a: Any, b: Any) -> bool:
    """Whether type and bits are equal; any NaN equals any NaN, a zero has a sign."""
    if not isinstance(a, np.ndarray):
        return type(a) is type(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.tobytes() == b.tobytes():
        return True
    both_nan = (a != a) & (b != b)
    if ir.is_complex(a.dtype):
        return bool(np.all((a == b) | both_nan))
    if not ir.is_floating(a.dtype):
        return False
    return bool(np.all(((a == b) & (np.signbit(a) == np.signbit(b))) | both_nan))
