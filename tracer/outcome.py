"""How a trace that cannot go on ends: in another attempt, or in a graph break."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from plait.ir.errors import PlaitError, TraceError
from plait.ir.location import Location, user_location


class Ending(BaseException):
    """What leaves a trace; not an ``Exception``, so that a user's handler does not swallow it."""


class Restart(Ending):
    """The function is to be traced again, with one more decision.

    Attributes
    ----------
    decision : hashable
        What the next attempt does otherwise, such as ``("unroll", site)``.
    reason : str
    """

    def __init__(self, decision: Hashable, reason: str = "") -> None:
        super().__init__(decision)
        self.decision = decision
        self.reason = reason


class Break(Ending):
    """What the function does here cannot be part of one graph.

    Attributes
    ----------
    reason : str
        What cannot be captured and what to do about it.
    location : Location
        The user's line.
    error : Exception or None
        What is raised where breaks are not allowed; a ``TraceError`` of the reason when None.
    is_error : bool
        Whether the user's code raised it: it comes again when the function runs in segments, after
        what the function did before.
    is_error : bool
        Whether the user's code raised ``error`` outside of branches and loops: most likely the
        call is to raise it, after it has printed and changed what comes before.
    module : str
        The library whose code asks for what cannot be, where it was not looked into.
    guards : tuple of Guard
        What was read outside before.
    """

    def __init__(
        self,
        reason: str,
        location: Location | None = None,
        error: Exception | None = None,
        is_error: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location or user_location()
        self.error = error
        self.is_error = is_error
        self.module = ""
        self.guards: tuple[Any, ...] = ()

    def again(self) -> Break:
        """The same break, to be raised anew."""
        made = Break(self.reason, self.location, self.error)
        vars(made).update(vars(self))
        return made

    def as_error(self) -> Exception:
        """The error that stands for the break."""
        found = self.error or TraceError(self.reason)
        return found.at(self.location) if isinstance(found, PlaitError) else found


def stop(trace: Any, ending: Ending) -> Ending:
    """Note on the root of a trace that it ends, in case that the user's code swallows it."""
    root = trace.root
    if root.ending is None:
        root.ending = ending
    return ending
