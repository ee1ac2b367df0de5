"""What the table of jaxprs is made of: a name, a function of jax, and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One function.

    Attributes
    ----------
    name : str
    function : callable
    arguments : tuple of ndarray
    foreign : int
        How many nodes stay whole.
    gradients : bool
        Whether gradients are compared, too.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    foreign: int = 0
    gradients: bool = True
    tolerance: float = 1e-4


def floats(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Any:
    random = np.random.default_rng(seed)
    return random.uniform(low, high, shape).astype(np.float32)


def whole(*shape: int, seed: int = 0, low: int = -9, high: int = 10, dtype: Any = np.int32) -> Any:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def complexes(*shape: int, seed: int = 0) -> Any:
    return (floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 7)).astype(np.complex64)


X, Y = floats(3, 4), floats(3, 4, seed=1)
POSITIVE = floats(3, 4, low=0.2, high=3.0)
UNIT = floats(3, 4, low=-0.9, high=0.9)
INTS, INTS_2 = whole(3, 4), whole(3, 4, seed=1)
UNSIGNED = whole(3, 4, low=0, high=2**32 - 1, dtype=np.uint32)
BITS = np.array([0, 1, 2, 31, 32, 40], np.uint32)
COMPLEX = complexes(3)
BOOLS = X > 0
