"""What happened to one function: its captures, their reasons and times, counted and bounded."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plait.ir.errors import RetraceError
from plait.ir.location import Location, user_location
from plait.runtime import log
from plait.runtime.program import Program
from plait.runtime.records import Breaks, Change, Fix, Timings, TraceRecord
from plait.runtime.request import Request
from plait.runtime.retrace import Asked, first_changes, why, with_inputs
from plait.tracer import ABSENT, Break, LeafSpec, Note

#: How many captures of one function are remembered.
MAX_KEPT = 1000
#: How many libraries are remembered whose code ended a capture.
MOST_BREAKING = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One capture as it is remembered; the program is not kept alive."""

    record: TraceRecord
    timings: Timings
    notes: tuple[Note, ...]
    program: weakref.ref[Program]

    def told(self) -> TraceRecord:
        """The record with the times known by now."""
        times = self.timings
        return replace(
            self.record,
            trace_ms=times.trace,
            passes_ms=times.passes,
            lower_ms=times.lower,
            compile_ms=times.compile,
        )


class Attempt:
    """One program in the making: however often the function runs for it, one record."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._start = time.perf_counter()
        self._record: TraceRecord | None = None

    def trace(self, asked: Asked, key: Any, known: Iterable[Program]) -> None:
        """Say that the function is to be run for a key.

        Raises
        ------
        RetraceError
            It was captured as often as it may be.
        """
        self._record = self._history.reason(asked, key, known)

    def finish(self, program: Program) -> None:
        """Keep the record of what was made."""
        assert self._record is not None
        program.timings.trace = 1e3 * (time.perf_counter() - self._start)
        self._history.keep(self._record, program)


class History:
    """The captures of one function, for ``explain()``, ``PLAIT_LOG=retrace`` and ``max_traces``.

    Attributes
    ----------
    breaks : Breaks
    fixes : dict
        What was found by trials, by the number of the capture or the name of a library.
    breaking : dict
        Libraries whose code ended a capture: where, and what it was wanted for.
    like : Request or None
        A request of the function, without the arguments.
    """

    def __init__(self, name: str, backend: str, most: int | None) -> None:
        self.name = name
        self.breaks = Breaks()
        self._backend = backend
        self._most = most
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=MAX_KEPT)
        self._dropped: deque[int] = deque(maxlen=MAX_KEPT)
        self._count = 0
        self._made: Location | None = None
        self.fixes: dict[int | str, tuple[Fix, ...]] = {}
        self.breaking: dict[str, tuple[Location, Sequence[LeafSpec], Request]] = {}
        self.like: Request | None = None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._dropped.clear()
            self._count = 0
            self.fixes.clear()
            self.breaking.clear()
        self.breaks.clear()

    def __len__(self) -> int:
        return self._count

    def entries(self) -> tuple[Entry, ...]:
        """The captures that are remembered."""
        with self._lock:
            return tuple(self._entries)

    def broke(self, found: Break, asked: Asked) -> None:
        """Note what a capture was wanted for that a library's code has ended."""
        if found.module and len(self.breaking) < MOST_BREAKING:
            module, like = found.module.partition(".")[0], asked.request.without_values()
            self.breaking.setdefault(module, (found.location, asked.specs, like))

    def drop(self, key: Any) -> None:
        """Note that the program of a key leaves the cache."""
        self._dropped.append(hash(key))

    def reason(self, asked: Asked, key: Any, known: Iterable[Program]) -> TraceRecord:
        """The record of a capture that is about to be made.

        Raises
        ------
        RetraceError
            It was captured as often as it may be.
        """
        location = user_location()
        changes: tuple[Change, ...] = ()
        nearest: Program | None = None
        self.like = asked.request.without_values()
        if not self._count:
            log.log("trace", f"{self.name}{asked.signature}")
        else:
            changes, nearest = why(asked, known, location)
            if hash(key) in self._dropped and any(c.kind != "outside" for c in changes):
                changes, nearest = (_dropped(location),), None
            changes = changes or (self._unknown(location),)
        record = TraceRecord(
            self._count + 1,
            self.name,
            asked.signature,
            changes,
            location,
            self._number(nearest),
            self._backend,
            str(asked.place or "default"),
        )
        if self._most is not None and self._count >= self._most:
            raise self._too_many(record)
        return record

    def _unknown(self, location: Location) -> Change:
        """Why a function is captured again of which no program was kept."""
        if self._made is not None:
            note = "it is an input of the graph now"
            return Change("outside", "pl.Variable", ABSENT, "made by the call", self._made, note)
        note = "it uses values of the function that is captured around it"
        return Change("cache", "program", "not kept", "captured again", location, note)

    def _number(self, program: Program | None) -> int:
        """The number of a program's capture."""
        found = (e.record.number for e in self._entries if e.program() is program)
        return next(found, 0) if program is not None else 0

    def _too_many(self, record: TraceRecord) -> RetraceError:
        return RetraceError(
            f"{self.name} would be captured {record.number} times, and max_traces={self._most}: "
            f"{first_changes(record.changes)}; {self.name}.explain() tells of all captures"
        ).at(record.changes[0].location)

    def keep(self, record: TraceRecord, program: Program) -> None:
        """Remember a capture, and log it unless it is the first."""
        traced = program.traced
        changes = with_inputs(record.changes, traced)
        record = replace(record, changes=changes, nodes=len(traced.graph.nodes))
        with self._lock:
            self._count += 1
            self._made = traced.made
            record = replace(record, number=self._count)
            entry = Entry(record, program.timings, traced.notes, weakref.ref(program))
            self._entries.append(entry)
        if record.changes and log.enabled("retrace"):
            reason = f"{first_changes(record.changes)}, at {record.changes[0].location}"
            milliseconds = program.timings.trace or 0.0
            log.log("retrace", f"{self.name}{record.signature}: {reason}", None, milliseconds / 1e3)


def _dropped(location: Any) -> Change:
    note = "cache_size= keeps more"
    return Change("cache", "program", "kept", "dropped for newer ones", location, note)


__all__ = ["Attempt", "Entry", "History"]
