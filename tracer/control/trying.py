"""``try`` with handlers and ``yield`` while tracing: native, unless a graph would change them."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from plait.ir import Node, errors, ops
from plait.ir.errors import TraceError
from plait.tracer.outcome import Break, stop
from plait.tracer.state import current

__all__ = [
    "before_yield",
    "caught",
    "final_begin",
    "final_end",
    "may_swallow",
    "try_begin",
    "try_end",
]


@dataclass(slots=True)
class Trial:
    """The beginning of a ``try`` body while a function is traced.

    Attributes
    ----------
    trace : Trace
        The innermost trace or region.
    depth : int
        How many regions were open.
    start : int
        How many nodes ``trace`` had.
    handled : callable or None
        Gives the classes that the handlers name; None where all exceptions are handled.
    end : int or None
        How many nodes there were when the last block began.
    """

    trace: Any
    depth: int
    start: int
    handled: Callable[[], Any] | None = None
    end: int | None = None

    def is_checked(self) -> bool:
        """Whether something was recorded since then that may fail when the graph runs."""
        errors = [error for node in self._body() for error in _failures(node)]
        if not errors or self.handled is None:
            return bool(errors)
        classes = tuple(_flat(self.handled()))
        return any(issubclass(error, classes) for error in errors)

    def _body(self) -> list[Node]:
        return list(self.trace.nodes[self.start : self.end])

    def is_followed(self) -> bool:
        """Whether the last block did something that the graph does not when the body fails."""
        last = self.trace.nodes[self.end :]
        return any(n.has_effect for n in last) and any(map(_failures, self._body()))


def _failures(node: Node) -> list[type[BaseException]]:
    """The classes of what a node may raise when the graph runs."""
    found: list[type[BaseException]] = []
    if node.op is ops.check:
        error = node.attributes["error"]
        found.append(getattr(errors, error) if type(error) is str else error.kind)
    elif node.op is ops.callback:
        found.append(BaseException)
    for region in node.regions:
        found += [error for inner in region.nodes for error in _failures(inner)]
    return found


def _flat(classes: Any) -> Iterator[type]:
    """The classes of a handler, which may be in tuples."""
    if isinstance(classes, tuple):
        for item in classes:
            yield from _flat(item)
    else:
        yield classes


def try_begin(handled: Callable[[], Any] | None = None) -> Trial | None:
    """Called before a ``try`` body; None when nothing is traced.

    Parameters
    ----------
    handled : callable, optional
        Gives the classes of the handlers; without it they handle all exceptions.
    """
    trace = current()
    if trace is None:
        return None
    return Trial(trace, len(trace.root.regions), len(trace.nodes), handled)


def try_end(trial: Trial | None) -> None:
    """Called at the end of the body: what it recorded must not fail later, past the handlers.

    Raises
    ------
    Break
        It recorded a check whose error a handler takes.
    """
    if trial is not None and trial.is_checked():
        _stop(
            trial,
            "the body of a try statement has a check on values (an index, an assertion, a raise) "
            "that fails when the graph runs, where no handler can catch it; move it out of the "
            "try, or test the values with pl.where",
        )


def final_begin(trial: Trial) -> None:
    """Called first in a block that runs whatever the body did: ``finally``, ``__exit__``."""
    trial.end = len(trial.trace.nodes)


def final_end(trial: Trial) -> None:
    """Called last in such a block: a graph does nothing after an error.

    Raises
    ------
    Break
        It prints or checks something, and so it would have to after a check that failed.
    """
    if current() is trial.trace and trial.is_followed():
        _stop(
            trial,
            "a finally block or a context manager prints or checks something after a check on "
            "values (an index, an assertion, a raise), which must happen also when that fails; "
            "move the check out of the statement",
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
