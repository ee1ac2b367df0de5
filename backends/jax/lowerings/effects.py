"""Prints and callbacks in program order, by ordered callbacks to the host.

All of them use one kind of callback: jax keeps order within a kind only. A token is None, which
loops and branches carry as no value at all; jax threads tokens of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from jax.experimental import io_callback

from plait.backends.jax.lowerings.common import Table, optimization_barrier, shape_struct
from plait.ir import TensorType, get_op
from plait.ir.errors import BackendError

TOKEN = None


class HostFailure(Exception):
    """An exception of a user's function on its way through XLA; ``__cause__`` is that exception."""


#: The failures of callbacks, by the text that XLA's error repeats.
failures: dict[str, BaseException] = {}


def _quiet(record: logging.LogRecord) -> bool:
    """Whether jax may log a record: not what is raised again with its own traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], HostFailure))


logging.getLogger("jax._src.callback").addFilter(_quiet)


def on_host(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on NumPy arrays; what it raises is kept, to be raised by the caller."""

    def call(*values: Any) -> Any:
        try:
            return function(*[np.asarray(v) for v in values])
        except BaseException as error:
            key = f"host failure {id(error):x}"
            failures[key] = error
            raise HostFailure(key) from error

    return call


def lower_print(_: Any, *values: Any, template: str, end: str = "\n") -> Any:
    """What the reference prints."""
    reference = get_op("print").reference

    def show(*arrays: Any) -> None:
        reference(TOKEN, *arrays, template=template, end=end)

    io_callback(on_host(show), None, *values, ordered=True)
    return TOKEN


def lower_callback(
    _: Any, *values: Any, function: Callable[..., Any], result_types: tuple[TensorType, ...]
) -> Any:
    """A Python function on the host, its results checked as the reference does."""
    reference = get_op("callback").reference

    def run(*arrays: Any) -> Any:
        return reference(TOKEN, *arrays, function=function, result_types=result_types)[1:]

    shapes = tuple([shape_struct(t.shape, t.dtype) for t in result_types])
    return (TOKEN, *io_callback(on_host(run), shapes, *values, ordered=True))


def lower_check(*_: Any, **attributes: Any) -> Any:
    """A check cannot raise from compiled code: passes turn it into the status output."""
    raise BackendError("a graph for xla holds a check; run plait.passes.lower_checks on it first")


def lower_barrier(*values: Any) -> Any:
    """The same values, fixed in place."""
    return optimization_barrier(values)


TABLE: Table = {
    "create_token": lambda: TOKEN,
    "print": lower_print,
    "callback": lower_callback,
    "check": lower_check,
    "barrier": lower_barrier,
}
