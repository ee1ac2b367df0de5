"""``try`` with handlers and ``yield`` in compiled functions mean what they mean in eager code."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

LOG: list[str] = []


def caught_index(x: Any, i: Any) -> Any:
    try:
        return pl.gather(x, i)
    except IndexError:
        return x.sum()


def caught_check(x: Any, i: Any) -> Any:
    try:
        assert i < 3, "too large"
    except AssertionError as error:
        return x * len(str(error))
    return x


def caught_raise(x: Any, i: Any) -> Any:
    try:
        if i > 2:
            raise KeyError("large")
        y = x + 1
    except KeyError:
        y = x - 1
    return y


def caught_outside_of_a_loop(x: Any, i: Any) -> Any:
    total = x.sum() * 0
    try:
        for k in range(4):
            if i == k + 3:
                raise StopAsyncIteration
            total = total + k
    except StopAsyncIteration:
        total = total - 100
    return total


def caught_in_a_function(x: Any, i: Any) -> Any:
    def check(value: Any) -> Any:
        if value > 2:
            raise ValueError("no")
        return value * 2

    try:
        return check(i)
    except ValueError:
        return i * 0


def caught_python(x: Any, i: Any) -> Any:
    try:
        dict[str, int]()["missing"]
    except KeyError as error:
        return x * len(error.args)
    return x


def caught_shape(x: Any, i: Any) -> Any:
    try:
        return x + pl.zeros(7)
    except ValueError:
        return x + i


def swallowed(x: Any, i: Any) -> Any:
    try:
        y = float(x.numpy()[0])
    except:  # noqa: E722
        y = -1.0
    return x * y


def swallowed_type_error(x: Any, i: Any) -> Any:
    try:
        return x * [10, 20, 30, 40, 50, 60][i]
    except (TypeError, LookupError):
        return x * 0


def finally_only(x: Any, i: Any) -> Any:
    try:
        y = x * 2
        if i > 2:
            y = y + 1
    finally:
        LOG.append("finally")
    return y


def else_clause(x: Any, i: Any) -> Any:
    try:
        y = x * i
    except ZeroDivisionError:
        y = x
    else:
        y = y + 1
    return y


def not_caught(x: Any, i: Any) -> Any:
    try:
        assert i < 3, "too large"
        x = x + pl.gather(x, i)
    except (ValueError, pl.errors.ShapeError):
        x = x * 0
    return x


def not_caught_inside(x: Any, i: Any) -> Any:
    try:
        try:
            assert i < 3, "too large"
        except ValueError:
            x = x * 0
    except AssertionError:
        x = x - 1
    return x


def only_printed(x: Any, i: Any) -> Any:
    try:
        print("i is", i)
        y = x + i
    except ValueError:
        y = x
    return y


def suppressed(x: Any, i: Any) -> Any:
    y = x
    with contextlib.suppress(IndexError):
        y = pl.gather(x, i) + x
    return y


def generator(x: Any, i: Any) -> Any:
    def values() -> Any:
        for k in range(3):
            if i > k:
                yield x * k

    return sum(values(), start=x)


def plain_generator(x: Any, i: Any) -> Any:
    def values() -> Any:
        for k in range(3):
            yield x * k

    return sum(values(), start=x) + i


FUNCTIONS = [
    caught_index,
    caught_check,
    caught_raise,
    caught_outside_of_a_loop,
    caught_in_a_function,
    caught_python,
    caught_shape,
    swallowed,
    swallowed_type_error,
    finally_only,
    else_clause,
    not_caught,
    not_caught_inside,
    only_printed,
    suppressed,
    generator,
    plain_generator,
]
#: Those that are one graph in spite of it all.
WHOLE = {
    caught_python,
    caught_shape,
    finally_only,
    else_clause,
    not_caught,
    only_printed,
    plain_generator,
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: str(f.__name__))
def test_handlers_mean_what_they_mean(function: Callable[..., Any]) -> None:
    f = pl.graph_function(function, backend="reference")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        for i in (0, 2, 3, 4, 5, 9):
            x, index = pl.asarray([1.0, 2.0, 3.0, 4.0]), pl.asarray(i)
            assert seen(f, x, index) == seen(function, x, index)


def seen(function: Callable[..., Any], *args: Any) -> Any:
    """What a call gives or raises, prints and logs."""
    LOG.clear()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            found = repr(function(*args))
        except Exception as error:
            found = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found, printed.getvalue(), list(LOG)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: str(f.__name__))
def test_what_can_be_is_one_graph(function: Callable[..., Any]) -> None:
    f = pl.graph_function(function, backend="reference", fullgraph=True)
    x, i = pl.asarray([1.0, 2.0, 3.0, 4.0]), pl.asarray(1)
    if function in WHOLE:
        np.testing.assert_array_equal(f(x, i), function(x, i))
        return
    with pytest.raises(Exception) as caught:  # noqa: PT011
        f(x, i)
    assert "test_trying.py" in str(caught.value) or caught.type is KeyError
