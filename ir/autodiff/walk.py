"""What a recording holds, and the walk back through it: cotangents of results to those of operands.

Strict ops on arrays are noted as plain tuples: eager gradients of small tensors are as quick as the
notes and the walk are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import dispatch, ops
from plait.ir.autodiff.function import Pull
from plait.ir.autodiff.tape import UNKNOWN
from plait.ir.builder import GraphBuilder
from plait.ir.location import Location
from plait.ir.op import Op

#: One application of a strict op to ndarrays with one smooth result: the op, attributes, operands,
#: their numbers (``UNKNOWN``, or those of smooth values), the result and its number.
Note = tuple[Op, Mapping[str, Any], tuple[Any, ...], tuple[int, ...], Any, int]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One application of a function to known values.

    Attributes
    ----------
    name : str
    operands, results : tuple of int
        Numbers of the values; ``UNKNOWN`` for operands that do not depend on a watched value.
    pull : callable or None
        The way back; None where the function has no derivative.
    location : Location or None
        The user's line, where there is no way back, or where it is written down in a graph.
    """

    name: str
    operands: tuple[int, ...]
    results: tuple[int, ...]
    pull: Pull | None
    location: Location | None = None


class OpPull:
    """The way back through a strict op, by its rule."""

    __slots__ = ("attributes", "op", "operands", "results")

    def __init__(self, op: Op, operands: Any, results: Any, attributes: Any) -> None:
        self.op = op
        self.operands = operands
        self.results = results
        self.attributes = attributes

    def __call__(self, cotangents: Sequence[Any], needs: tuple[bool, ...]) -> Sequence[Any]:
        from plait.ir.derivatives.define import Application

        at = Application(self.operands, self.results, self.attributes, needs)
        found: Sequence[Any] = self.op.derivative(at, *cotangents)  # type: ignore[misc]
        return found


def as_record(note: Record | Note) -> Record:
    """A record for a note."""
    if type(note) is not tuple:
        return note  # type: ignore[return-value]
    op, attributes, operands, numbers, result, number = note
    return Record(op.name, numbers, (number,), OpPull(op, operands, (result,), attributes))


class Walk:
    """A walk from cotangents of targets back to the sources.

    Attributes
    ----------
    found : dict of int
        Cotangents by the number of their value.
    reached : collection of int or None
        The smooth values that depend on the sources; None: all that are known.
    vague : collection of int
        Known values without derivative.
    kept : collection of int
        The sources, whose cotangents stay.
    """

    __slots__ = ("found", "kept", "reached", "vague")

    def __init__(
        self, reached: Collection[int] | None, vague: Collection[int], kept: Collection[int]
    ) -> None:
        self.found: dict[int, Any] = {}
        self.reached = reached
        self.vague = vague
        self.kept = kept

    def needs(self, number: int) -> bool:
        """Whether a value's cotangent is of use."""
        if self.reached is not None:
            return number in self.reached
        return number != UNKNOWN and number not in self.vague

    def add(self, number: int, cotangent: Any) -> None:
        """Add to the cotangent of a value."""
        known = self.found.get(number)
        self.found[number] = cotangent if known is None else ops.add(known, cotangent)

    def run(
        self, given: Sequence[tuple[int, Any]], notes: Sequence[Record | Note]
    ) -> dict[int, Any]:
        """Walk back through all notes, cotangents given for some values."""
        with np.errstate(all="ignore"):
            for number, cotangent in given:
                self.add(number, cotangent)
            if not dispatch.is_plain():
                self._run_seen(notes)
                return self.found
            try:
                self._run_plain(notes)
            finally:
                dispatch.trust(False)
        return self.found

    def _run_seen(self, notes: Sequence[Record | Note]) -> None:
        """As ``run``; tapes further out and builders see what is done."""
        builder = dispatch.current()
        for note in reversed(notes):
            record = as_record(note)
            if record.location is not None and isinstance(builder, GraphBuilder):
                with builder.at(record.location):
                    self._pull(record)
            else:
                self._pull(record)

    def _run_plain(self, notes: Sequence[Record | Note]) -> None:
        """As ``run``; what rules run on arrays runs by its reference, with no look at types."""
        found, reached, kept, trust = self.found, self.reached, self.kept, dispatch.trust
        trust(True)
        for note in reversed(notes):
            if type(note) is not tuple:
                trust(False)
                self._pull(note)  # type: ignore[arg-type]
                trust(True)
                continue
            op, attributes, operands, numbers, result, number = note
            g = found.get(number) if number in kept else found.pop(number, None)
            if g is None:
                continue
            partials = op.partials_on_arrays
            if partials is None or type(g) is not np.ndarray:
                self._pull_rule(note, g)
                continue
            for n, partial in zip(numbers, partials, strict=False):
                if n == UNKNOWN or partial is None or (reached is not None and n not in reached):
                    continue
                cotangent = partial(g, result, *operands, **attributes)
                if type(cotangent) is not np.ndarray and cotangent is not None:
                    cotangent = np.asarray(cotangent)  # NumPy gives scalars
                if n in found:
                    self._add_array(n, cotangent)
                else:
                    found[n] = cotangent

    def _pull_rule(self, note: Note, g: Any) -> None:
        """Call a rule that is one function, or on a cotangent that may be on another device."""
        op, attributes, operands, numbers, result, _ = note
        dispatch.trust(type(g) is np.ndarray)
        needs = tuple([self.needs(n) for n in numbers])
        pull = OpPull(op, operands, (result,), attributes)
        for n, need, cotangent in zip(numbers, needs, pull((g,), needs), strict=True):
            if need:
                self._add_array(n, cotangent)
        dispatch.trust(True)

    def _add_array(self, number: int, cotangent: Any) -> None:
        known = self.found.get(number)
        if known is None or cotangent is None:
            self.found[number] = known if cotangent is None else cotangent
            return
        dispatch.trust(type(known) is np.ndarray is type(cotangent))
        self.found[number] = ops.add(known, cotangent)
        dispatch.trust(True)

    def _pull(self, record: Record) -> None:
        found = self.found
        if record.pull is None or found.keys().isdisjoint(record.results):
            return
        needs = tuple([self.needs(n) for n in record.operands])
        if True not in needs:
            return
        given = _taken(found, record.results)
        for n in record.results:
            if n not in self.kept or n in record.operands:  # an operand that was given back
                found.pop(n, None)
        for n, need, cotangent in zip(
            record.operands, needs, record.pull(given, needs), strict=True
        ):
            if need and cotangent is not None:
                self.add(n, cotangent)


def _taken(found: Mapping[int, Any], results: tuple[int, ...]) -> list[Any]:
    """The cotangents of some results; of a payload that is two results, once."""
    seen = set[int]()
    given: list[Any] = []
    for n in results:
        given.append(None if n in seen else found.get(n))
        seen.add(n)
    return given


__all__ = ["Note", "OpPull", "Record", "Walk", "as_record"]
