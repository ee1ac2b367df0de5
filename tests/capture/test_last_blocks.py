"""What happens whatever a body did, ``finally`` and ``__exit__``, happens also after an error."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import plait as pl


def prints(x: Any) -> Any:
    try:
        assert x.sum() > 0, "no"
    finally:
        print("fin")
    return x


def prints_in_a_match(x: Any) -> Any:
    try:
        match x.shape[0]:
            case 0:
                pass
            case _:
                if x.sum() < 0:
                    raise ValueError("below")
    finally:
        print("fin", x)
    return x


def checks(x: Any) -> Any:
    try:
        assert x[0] > 0, "first"
    finally:
        assert x[1] > 0, "second"
    return x


def prints_after_a_return(x: Any) -> Any:
    try:
        if x[1] > 0:
            return x * 2
        assert x[0] > 0, "no"
    finally:
        print("fin")
    return x


class Said:
    """Says when it is left."""

    def __enter__(self) -> Said:
        return self

    def __exit__(self, *reason: Any) -> None:
        print("left")


def with_a_manager(x: Any) -> Any:
    with Said():
        assert x.sum() > 0, "no"
    return x


@contextlib.contextmanager
def saying() -> Iterator[None]:
    try:
        yield
    finally:
        print("left")


def with_a_generator(x: Any) -> Any:
    with saying():
        assert x.sum() > 0, "no"
    return x


def only_prints(x: Any) -> Any:
    try:
        print("body", x)
        y = x * 2
    finally:
        print("fin", x)
    return y


def only_checks(x: Any) -> Any:
    try:
        assert x.sum() > 0, "no"
        y = x * 2
    finally:
        z = x + 1
    return y + z


def check_before(x: Any) -> Any:
    assert x.sum() > 0, "no"
    with Said():
        y = x * 2
    return y


BROKEN = [
    prints,
    prints_in_a_match,
    checks,
    prints_after_a_return,
    with_a_manager,
    with_a_generator,
]
WHOLE = [only_prints, only_checks, check_before]
GIVEN = ([1.0, 2.0, 3.0], [-1.0, 2.0, -3.0], [-1.0, -2.0, 3.0], [1.0, -2.0, 0.0])


def seen(function: Callable[..., Any], numbers: list[float]) -> tuple[str, str]:
    """What a call gives or raises, and what it prints."""
    x, printed = pl.asarray(np.array(numbers, "float32")), io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        try:
            found = repr(function(x))
        except Exception as error:
            found = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found, printed.getvalue()


@pytest.mark.parametrize("function", BROKEN + WHOLE, ids=lambda f: str(f.__name__))
def test_last_blocks_run_after_errors(function: Callable[..., Any]) -> None:
    f = pl.graph_function(function, backend="reference")
    for numbers in GIVEN:
        assert seen(f, numbers) == seen(function, numbers)
    assert bool(f.explain().breaks) == (function in BROKEN)
