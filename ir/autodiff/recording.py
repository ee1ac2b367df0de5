"""Reverse mode: what was computed from the watched values, and the way back.

A value is known by the identity of its payload (an ndarray, a jax array, a graph's value), which is
never written to once a recording knows it. One engine serves the eager tape, a tape inside a trace,
and graphs, whose nodes are applied again under a recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import repeat
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.autodiff.function import Differentiable, Pull
from plait.ir.autodiff.tape import UNKNOWN, EagerState
from plait.ir.autodiff.walk import Note, OpPull, Record, Walk, as_record
from plait.ir.graph import Value
from plait.ir.location import Location, user_location
from plait.ir.op import Op
from plait.ir.types import DTYPES, TensorType, is_inexact

INEXACT = frozenset(d for d in DTYPES if is_inexact(d))
_ARRAYS = {np.ndarray}


class Recording(EagerState):
    """A tape: the applications of functions to values that depend on watched ones.

    Attributes
    ----------
    numbers : dict of int
        The number of the value that a payload stands for, by the payload's identity.
    vague : set of int
        The values without derivative.
    known : list
        The payloads by number, which are kept alive, so that no identity is used twice; those of
        aliases between them.
    notes : list of Record or Note
        The applications of functions, in the order of their execution.
    notes_arrays : bool
        Whether ``note`` may be called for what runs on ndarrays while this is the only tape.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[int, int] = {}
        self.vague: set[int] = set()
        self.notes: list[Record | Note] = []
        self.known: list[Any] = []
        self._roots: set[int] = set()
        self._depth = dispatch.depth()
        self.notes_arrays = not self._depth

    @property
    def records(self) -> list[Record]:
        """The applications of functions, in the order of their execution."""
        return [as_record(note) for note in self.notes]

    def recording(self) -> AbstractContextManager[None]:
        """Record what this thread runs inside the block, which may be at another depth."""
        self._depth = dispatch.depth()
        self.notes_arrays = not self._depth
        return dispatch.record(self)

    @property
    def is_inside(self) -> bool:
        """Whether this thread is in a region that was opened after the recording."""
        return dispatch.depth() > self._depth

    # What is known.

    def watch(self, payload: Any) -> int:
        """Let a payload be known as a value; gives its number."""
        number = self.numbers.get(id(payload))
        if number is None:
            number = self._add(payload)
        self._roots.add(number)
        return number

    def watch_smooth(self, payloads: Sequence[Any]) -> None:
        """Let new floating and complex payloads, each another, be known as values."""
        start = len(self.known)
        self.known += payloads
        self._roots.update(range(start, len(self.known)))
        numbers = self.numbers
        for number, payload in enumerate(payloads, start):
            numbers[id(payload)] = number

    def _add(self, payload: Any) -> int:
        number = len(self.known)
        self.known.append(payload)
        self.numbers[id(payload)] = number
        if type(payload) is np.ndarray:
            if payload.dtype not in INEXACT:
                self.vague.add(number)
        elif _dtype(payload) not in INEXACT:
            self.vague.add(number)
        return number

    def alias(self, payload: Any, known: Any) -> None:
        """Let a payload be known as the value that another one stands for."""
        number = self.numbers.get(id(known))
        if number is None:
            self.numbers.pop(id(payload), None)
            return
        self.numbers[id(payload)] = number
        self.known.append(payload)

    def number(self, payload: Any) -> int | None:
        """The number of the value that a payload stands for; None when it depends on nothing."""
        return self.numbers.get(id(payload))

    def is_differentiable(self, number: int) -> bool:
        """Whether a value is of a floating or complex dtype."""
        return number not in self.vague

    # Variables.

    def watch_variable(self, variable: Any, payload: Any) -> None:
        """Note that a trainable variable is read, with the payload that is its floating value."""
        if self.watches_variables and variable.trainable and _dtype(payload) in INEXACT:
            self.variable_payload(variable, payload)

    def variable_payload(self, variable: Any, payload: Any) -> Any:
        """The payload of a variable when it was first read, which is watched."""
        known = self.variables.get(id(variable))
        if known is None:
            self.watch(payload)
            known = self.variables[id(variable)] = (variable, payload)
        return known[1]

    # A tape.

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...],
        level: int,
    ) -> Any:
        """Apply an op, and note it when it depends on a watched value."""
        known = self.numbers
        numbers = tuple([known.get(id(x), UNKNOWN) for x in operands])
        if max(numbers, default=UNKNOWN) == UNKNOWN or dispatch.depth() != self._depth:
            return dispatch.run_at(level, op, operands, attributes, regions)
        if op.has_regions:
            from plait.ir.autodiff.regions import region_function

            return self.apply(region_function(op, attributes, regions), operands, level)
        results = dispatch.run_at(level, op, operands, attributes, regions)
        if op.is_effect:
            return results
        vague = self.vague
        is_smooth = op.derivative is not None and not (
            vague and all(n in vague for n in numbers if n != UNKNOWN)
        )
        if is_smooth and self._can_note(operands, numbers, results):
            self.note(op, attributes, operands, numbers, results)
            return results
        made = results if type(results) is tuple else (results,)
        pull = OpPull(op, operands, made, attributes) if is_smooth else None
        self._note(op.name, numbers, made, pull)
        return results

    def _can_note(self, operands: tuple[Any, ...], numbers: tuple[int, ...], result: Any) -> bool:
        """Whether an op has made one new smooth array from arrays."""
        return (
            type(result) is np.ndarray
            and result.dtype in INEXACT
            and id(result) not in self.numbers
            and _ARRAYS.issuperset(map(type, operands))
            and (not self.vague or self.vague.isdisjoint(numbers))
        )

    def note(
        self,
        op: Op,
        attributes: Mapping[str, Any],
        operands: tuple[Any, ...],
        numbers: tuple[int, ...],
        result: Any,
    ) -> None:
        """Note that a strict op has made a new smooth array from arrays.

        Parameters
        ----------
        op : Op
            With a derivative.
        attributes : mapping of str
        operands : tuple of ndarray
        numbers : tuple of int
            Those of the operands, ``UNKNOWN`` for what is not known; none of them is vague.
        result : ndarray
        """
        number = len(self.known)
        self.known.append(result)
        self.numbers[id(result)] = number
        self.notes.append((op, attributes, operands, numbers, result, number))

    def apply(
        self, function: Differentiable, operands: tuple[Any, ...], level: int
    ) -> tuple[Any, ...]:
        """Apply a function, and note it when it depends on a watched value."""
        numbers = tuple([self.numbers.get(id(x), UNKNOWN) for x in operands])
        needs = tuple([n != UNKNOWN and n not in self.vague for n in numbers])
        if max(numbers, default=UNKNOWN) == UNKNOWN or dispatch.depth() != self._depth:
            return dispatch.apply_at(level, function, operands)
        if True not in needs:
            results = dispatch.apply_at(level, function, operands)
            self._note(function.name, numbers, results, None)
            return results

        def apply(inner: Differentiable, values: tuple[Any, ...]) -> tuple[Any, ...]:
            return dispatch.apply_at(level, inner, values)

        with dispatch.paused(self):
            results, pull = function.linearize(operands, needs, apply)
        self._note(function.name, numbers, results, pull)
        return results

    def _note(
        self, name: str, numbers: tuple[int, ...], results: Sequence[Any], pull: Pull | None
    ) -> None:
        made = tuple([self._result(x) for x in results])
        if pull is None:
            self.vague.update(set(made).difference(numbers))
        if pull is not None and all(n in self.vague for n in made):
            pull = None
        location = user_location() if pull is None else _place(results)
        self.notes.append(Record(name, numbers, made, pull, location))

    def _result(self, payload: Any) -> int:
        """The number of a result, which may be an operand that was given back as it is."""
        number = self.numbers.get(id(payload))
        if number is None:
            return self._add(payload)
        return number

    # The way back.

    def pullback(
        self, targets: Sequence[Any], cotangents: Sequence[Any], sources: Sequence[Any]
    ) -> list[Any]:
        """Cotangents of the sources, given those of the targets.

        Parameters
        ----------
        targets : sequence of payload
        cotangents : sequence of payload
            One for each target, of its dtype and shape; None for zero.
        sources : sequence of payload

        Returns
        -------
        list
            One for each source; None where no target depends on it.
        """
        number_of = self.numbers.get
        wanted = list(map(number_of, map(id, sources), repeat(UNKNOWN)))
        reached = None if self._roots.issubset(wanted) else self.reached(wanted)
        walk = Walk(reached, self.vague, frozenset(wanted))
        given = []  # comprehensions take longer, for few elements
        for target, cotangent in zip(targets, cotangents, strict=True):
            number = number_of(id(target), UNKNOWN)
            if cotangent is not None and walk.needs(number):
                given.append((number, cotangent))
        if self in dispatch.tapes():
            with dispatch.paused(self):
                found = walk.run(given, self.notes)
        else:
            found = walk.run(given, self.notes)
        return list(map(found.get, wanted))

    def reached(self, sources: Sequence[int]) -> set[int]:
        """The differentiable values that depend on sources through functions with derivatives."""
        reached = {n for n in sources if n != UNKNOWN and n not in self.vague}
        for note in self.notes:
            if type(note) is tuple:
                if not reached.isdisjoint(note[3]):
                    reached.add(note[5])
            elif note.pull is not None and not reached.isdisjoint(note.operands):  # type: ignore[union-attr]
                reached.update(n for n in note.results if n not in self.vague)  # type: ignore[union-attr]
        return reached


def _place(results: Sequence[Any]) -> Location | None:
    """The line of what made the results, where they are values of a graph."""
    node = results[0].node if results and type(results[0]) is Value else None
    return None if node is None or not node.location.line else node.location


def _dtype(payload: Any) -> Any:
    """The dtype of a payload; None for a token."""
    if type(payload) is Value and type(payload.type) is not TensorType:
        return None
    return getattr(payload, "dtype", None)


__all__ = ["UNKNOWN", "Record", "Recording"]
