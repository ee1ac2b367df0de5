"""A function as it is and compiled: the same results, errors and arguments afterwards."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

import plait as pl
from tests.tracer.control.same import shown


def given(args: tuple[Any, ...]) -> list[Any]:
    """Fresh arguments: arrays as tensors."""
    return [pl.asarray(a) if isinstance(a, np.ndarray) else copy.copy(a) for a in args]


def outcome(function: Any, args: tuple[Any, ...]) -> tuple[str, str]:
    """What a call gives or raises, and what it leaves in its arguments."""
    mine = given(args)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = shown(function(*mine))
    except Exception as error:
        return f"{type(error).__name__}: {error}", ""
    return found, shown(mine)


def agree(function: Any, *calls: Any, backend: str = "reference") -> None:
    """Compiled, a function does what it does plain, breaks or none."""
    compiled = pl.graph_function(function, backend=backend)
    for call in calls:
        args = call if isinstance(call, tuple) else (call,)
        wanted = outcome(function, args)
        for _ in range(2):
            assert outcome(compiled, args) == wanted
