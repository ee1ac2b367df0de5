"""``explain()``: what happened to a compiled function, as records, as text and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar, overload

from plait.ir.location import UNKNOWN, Location, display_name
from plait.runtime import explain_text
from plait.runtime.fixes import find_fixes
from plait.runtime.records import (
    BreakRecord,
    Fix,
    Record,
    SideEffect,
    TraceRecord,
    UnrolledLoop,
    UnseenCall,
)
from plait.runtime.specialize import Specializer

R = TypeVar("R")


class Explanation(Sequence[Record]):
    """What happened to a compiled function: a sequence of frozen records.

    Attributes
    ----------
    function : str
    location : Location
        Where the function is defined.
    traces : tuple of TraceRecord
        Each capture with its reason and times.
    breaks : tuple of BreakRecord
        Code between compiled segments.
    unseen : tuple of UnseenCall
        Calls of code that was not looked into.
    side_effects : tuple of SideEffect
        What happened during a capture and will not happen again.
    unrolled : tuple of UnrolledLoop
        Long loops that are written down trip by trip.
    fixes : tuple of Fix
        Changes that were tried and work.
    """

    def __init__(self, function: str, location: Location, records: Iterable[Record]) -> None:
        self.function = function
        self.location = location
        self._records = tuple(records)
        self.traces = self._of(TraceRecord)
        self.breaks = self._of(BreakRecord)
        self.unseen = self._of(UnseenCall)
        self.side_effects = self._of(SideEffect)
        self.unrolled = self._of(UnrolledLoop)
        self.fixes = self._of(Fix)

    def _of(self, kind: type[R]) -> tuple[R, ...]:
        return tuple(record for record in self._records if isinstance(record, kind))

    @property
    def retraces(self) -> tuple[TraceRecord, ...]:
        """The captures after the first."""
        return tuple(record for record in self.traces if not record.is_first)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        groups = ("traces", "breaks", "unseen", "side_effects", "unrolled", "fixes")
        return {
            "function": self.function,
            "location": asdict(self.location),
            **{group: [_as_dict(record) for record in getattr(self, group)] for group in groups},
        }

    def as_text(self, *, times: bool = True) -> str:
        """The text form; without ``times`` the same on every machine."""
        return explain_text.as_text(self, times)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return explain_text.as_html(self)


def _as_dict(record: Any) -> dict[str, Any]:
    made = asdict(record)
    if isinstance(record, TraceRecord):
        made["reason"] = record.reason
        made["changes"] = list(made["changes"])
    return made


def explain(
    function: Callable[..., Any], specializers: Sequence[Specializer], *, fixes: bool
) -> Explanation:
    """Gather the records of a function, and of its instances where it is a method.

    Parameters
    ----------
    function : callable
    specializers : sequence of Specializer
    fixes : bool
        Whether to look for changes that help, which may run the function's code again.
    """
    records: list[Record] = []
    found: list[Record] = []
    for specializer in specializers:
        history = specializer.history
        entries = history.entries()
        records += [entry.told() for entry in entries]
        found += history.breaks.records()
        found += dict.fromkeys(note for entry in entries for note in entry.notes)
        if fixes:
            found += find_fixes(function, specializer)
    return Explanation(specializers[0].name, definition(function), [*records, *found])


def definition(function: Any) -> Location:
    """Where a function is defined."""
    while isinstance(function, partial):
        function = function.func
    plain = getattr(function, "__wrapped__", function)
    code = getattr(plain, "__code__", None) or getattr(type(plain).__call__, "__code__", None)
    if code is None:
        return UNKNOWN
    return Location(display_name(code.co_filename), code.co_firstlineno, "")


__all__ = ["Explanation", "definition", "explain"]
