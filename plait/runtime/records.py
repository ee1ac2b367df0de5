"""What ``explain()`` tells: one frozen record for each thing that happened."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from plait.ir.location import UNKNOWN, Location, user_location
from plait.tracer import Change, SideEffect, UnrolledLoop, UnseenCall


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One capture of the function, and why it was needed.

    Attributes
    ----------
    number : int
        Counted from 1.
    function : str
        Name of the graph.
    signature : str
        Types of the arguments, values of static ones.
    changes : tuple of Change
        What differs from the nearest program that was there; empty for the first.
    location : Location
        The user's line that called.
    against : int
        Number of the capture that ``changes`` compares with; 0 where there is none.
    backend : str
    device : str
    nodes : int
        Nodes of the graph as captured.
    trace_ms, passes_ms, lower_ms, compile_ms : float or None
        None for what has not been done.
    """

    number: int
    function: str
    signature: str
    changes: tuple[Change, ...]
    location: Location
    against: int = 0
    backend: str = "xla"
    device: str = "default"
    nodes: int = 0
    trace_ms: float | None = None
    passes_ms: float | None = None
    lower_ms: float | None = None
    compile_ms: float | None = None

    @property
    def is_first(self) -> bool:
        """Whether nothing was captured before."""
        return not self.changes

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return "; ".join(map(str, self.changes)) or "first call"

    def __str__(self) -> str:
        return f"{self.function}{self.signature}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BreakRecord:
    """Code that cannot be captured: the function runs as segments with Python between them.

    Attributes
    ----------
    reason : str
    location : Location
    count : int
        How often it happened.
    """

    reason: str
    location: Location = UNKNOWN
    count: int = 1

    def __str__(self) -> str:
        return f"{self.reason} ({self.count} times)" if self.count > 1 else self.reason


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the user's code that was tried and works.

    Attributes
    ----------
    path : str
        The argument, or other thing, that it is about.
    advice : str
        What to write.
    evidence : str
        What was tried, and what came out.
    location : Location
        The line that it concerns.
    """

    path: str
    advice: str
    evidence: str
    location: Location = UNKNOWN

    def __str__(self) -> str:
        return f"{self.advice} (tried: {self.evidence})"


Record = TraceRecord | BreakRecord | UnseenCall | SideEffect | UnrolledLoop | Fix


class Breaks:
    """The graph breaks of one function, counted by reason and line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Location], int] = {}

    def note(self, reason: str, location: Location | None = None) -> bool:
        """Count a break; True when it is the first of its kind."""
        key = (reason, location or user_location())
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key] == 1

    def records(self) -> tuple[BreakRecord, ...]:
        """All, in the order in which they first happened."""
        with self._lock:
            return tuple(BreakRecord(*key, count) for key, count in self._counts.items())

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._counts.clear()


@dataclass(slots=True)
class Timings:
    """Milliseconds of the stages of one program; None for what has not been done."""

    trace: float | None = None
    passes: float | None = None
    lower: float | None = None
    compile: float | None = None


__all__ = [
    "BreakRecord",
    "Breaks",
    "Change",
    "Fix",
    "Record",
    "SideEffect",
    "Timings",
    "TraceRecord",
    "UnrolledLoop",
    "UnseenCall",
]
