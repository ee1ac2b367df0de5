"""``try`` with handlers and ``yield`` while tracing: native, unless a graph would change them."""

from __future__ import annotations

import dis
import sys
from dataclasses import dataclass
from typing import Any

from plait.ir.errors import TraceError
from plait.tracer.outcome import Break, stop
from plait.tracer.state import current

__all__ = ["before_yield", "caught", "may_swallow", "try_begin", "try_end"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The beginning of a ``try`` body while a function is traced.

    Attributes
    ----------
    trace : Trace
        The innermost trace or region.
    depth : int
        How many regions were open.
    count : int
        How many nodes ``trace`` had.
    """

    trace: Any
    depth: int
    count: int

    def is_checked(self) -> bool:
        """Whether something was recorded since then that may fail when the graph runs."""
        return any(node.has_effect for node in self.trace.nodes[self.count :])


def try_begin() -> Trial | None:
    """Called before a ``try`` body that has handlers; None when nothing is traced."""
    trace = current()
    return None if trace is None else Trial(trace, len(trace.root.regions), len(trace.nodes))


def try_end(trial: Trial | None) -> None:
    """Called at the end of the body: what it recorded must not fail later, past the handlers.

    Raises
    ------
    Break
        It recorded a check or another effect.
    """
    if trial is not None and trial.is_checked():
        _stop(
            trial,
            "the body of a try statement has a check on values (an index, an assertion, a raise) "
            "that fails when the graph runs, where no handler can catch it; move it out of the "
            "try, or test the values with pl.where",
        )


def caught(trial: Trial | None) -> None:
    """Called first in a handler: an exception is Python's own when nothing of the graph led to it.

    Raises
    ------
    Break
        It left a branch or a loop on traced values, came after a check, or is about tracing.
    """
    if trial is None:
        return
    if trial.trace.root.ending is not None:
        raise trial.trace.root.ending
    if len(trial.trace.root.regions) > trial.depth or current() is not trial.trace:
        _stop(
            trial,
            "an exception leaves a branch or a loop on traced values and is handled around it; "
            "put the try statement inside, or use pl.where",
        )
    if isinstance(sys.exception(), TraceError):
        _stop(trial, str(getattr(sys.exception(), "message", "")))
    try_end(trial)


def may_swallow(manager: Any) -> bool:
    """Whether the ``__exit__`` of a context manager may drop an exception: it returns a value."""
    code = getattr(getattr(type(manager), "__exit__", None), "__code__", None)
    if code is None:
        return True
    before: Any = None
    for step in dis.get_instructions(code):
        is_const = step.opname == "RETURN_CONST"
        if is_const and step.argval:
            return True
        if step.opname == "RETURN_VALUE" and (before.opname != "LOAD_CONST" or before.argval):
            return True
        before = step
    return False


def before_yield() -> None:
    """Called before a ``yield`` inside control flow: a region cannot be left and entered again.

    Raises
    ------
    Break
        A branch or a loop on traced values is open.
    """
    trace = current()
    if trace is not None and trace.root.regions:
        reason = "a generator yields inside a branch or a loop on traced values"
        for region in trace.root.regions:
            region.avoid(reason)
        reason += ", which is traced once; collect the values in a list and return that"
        raise stop(trace, Break(reason))


def _stop(trial: Trial, reason: str) -> None:
    raise stop(trial.trace, Break(reason))
