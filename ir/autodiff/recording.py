"""Reverse mode: what was computed from the watched values, and the way back.

A value is known by the identity of its payload (an ndarray, a jax array, a graph's value), which is
never written to once a recording knows it. One engine serves the eager tape, a tape inside a trace,
and graphs, whose nodes are applied again under a recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.autodiff.function import Differentiable, Pull
from plait.ir.autodiff.tape import EagerState
from plait.ir.graph import Value
from plait.ir.location import Location, user_location
from plait.ir.op import Op
from plait.ir.types import DTYPES, TensorType, is_inexact

INEXACT = frozenset(d for d in DTYPES if is_inexact(d))
UNKNOWN = -1


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
        The user's line, where there is no way back.
    """

    name: str
    operands: tuple[int, ...]
    results: tuple[int, ...]
    pull: Pull | None
    location: Location | None = None


class Recording(EagerState):
    """A tape: the applications of functions to values that depend on watched ones.

    Attributes
    ----------
    records : list of Record
        In the order of their execution.
    """

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self._numbers: dict[int, int] = {}
        self._known: list[Any] = []  # keeps payloads alive, so that no identity is used twice
        self._depth = dispatch.depth()
        self._vague: set[int] = set()  # values without derivative

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what this thread runs inside the block."""
        with dispatch.record(self):
            yield

    @property
    def is_inside(self) -> bool:
        """Whether this thread is in a region that was opened after the recording."""
        return dispatch.depth() > self._depth

    # What is known.

    def watch(self, payload: Any) -> int:
        """Let a payload be known as a value; gives its number."""
        number = self._numbers.get(id(payload))
        return self._add(payload) if number is None else number

    def _add(self, payload: Any) -> int:
        number = len(self._known)
        self._known.append(payload)
        self._numbers[id(payload)] = number
        if _dtype(payload) not in INEXACT:
            self._vague.add(number)
        return number

    def alias(self, payload: Any, known: Any) -> None:
        """Let a payload be known as the value that another one stands for."""
        number = self._numbers.get(id(known))
        if number is None:
            self._numbers.pop(id(payload), None)
            return
        self._numbers[id(payload)] = number
        self._known.append(payload)

    def number(self, payload: Any) -> int | None:
        """The number of the value that a payload stands for; None when it depends on nothing."""
        return self._numbers.get(id(payload))

    def is_differentiable(self, number: int) -> bool:
        """Whether a value is of a floating or complex dtype."""
        return number not in self._vague

    # Variables.

    def watch_variable(self, variable: Any, payload: Any) -> None:
        """Note that a trainable variable is read, with the payload that is its value."""
        if self.watches_variables and variable.trainable:
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
        known = self._numbers
        numbers = tuple([known.get(id(x), UNKNOWN) for x in operands])
        if max(numbers, default=UNKNOWN) == UNKNOWN or dispatch.depth() != self._depth:
            return dispatch.run_at(level, op, operands, attributes, regions)
        if op.has_regions:
            from plait.ir.autodiff.regions import region_function

            return self.apply(region_function(op, attributes, regions), operands, level)
        results = dispatch.run_at(level, op, operands, attributes, regions)
        if op.is_effect:
            return results
        made = results if type(results) is tuple else (results,)
        rule, vague = op.derivative, self._vague
        if rule is None or (vague and all(n in vague for n in numbers if n != UNKNOWN)):
            self._note(op.name, numbers, made, None)
        else:
            self._note(op.name, numbers, made, _Pull(rule, operands, made, attributes))
        return results

    def apply(
        self, function: Differentiable, operands: tuple[Any, ...], level: int
    ) -> tuple[Any, ...]:
        """Apply a function, and note it when it depends on a watched value."""
        numbers = tuple([self._numbers.get(id(x), UNKNOWN) for x in operands])
        needs = tuple([n != UNKNOWN and n not in self._vague for n in numbers])
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
            self._vague.update(set(made).difference(numbers))
        if pull is not None and all(n in self._vague for n in made):
            pull = None
        location = user_location() if pull is None else None
        self.records.append(Record(name, numbers, made, pull, location))

    def _result(self, payload: Any) -> int:
        """The number of a result, which may be an operand that was given back as it is."""
        number = self._numbers.get(id(payload))
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
        wanted = [self._numbers.get(id(x), UNKNOWN) for x in sources]
        reached = self.reached(wanted)
        found: dict[int, Any] = {}
        with dispatch.paused(self), np.errstate(all="ignore"):
            for target, cotangent in zip(targets, cotangents, strict=True):
                number = self._numbers.get(id(target))
                if number is not None and number in reached and cotangent is not None:
                    found[number] = _sum(found.get(number), cotangent)
            self._walk(found, reached, frozenset(wanted))
        return [found.get(number) for number in wanted]

    def reached(self, sources: Sequence[int]) -> set[int]:
        """The differentiable values that depend on sources through functions with derivatives."""
        reached = {n for n in sources if n != UNKNOWN and n not in self._vague}
        for record in self.records:
            if record.pull is not None and not reached.isdisjoint(record.operands):
                reached.update(n for n in record.results if n not in self._vague)
        return reached

    def _walk(self, found: dict[int, Any], reached: set[int], kept: frozenset[int]) -> None:
        for record in reversed(self.records):
            if record.pull is None or found.keys().isdisjoint(record.results):
                continue
            needs = tuple([n in reached for n in record.operands])
            if True not in needs:
                continue
            given = _taken(found, record.results)
            for n in record.results:
                if n not in kept or n in record.operands:  # an operand that was given back
                    found.pop(n, None)
            for n, need, cotangent in zip(
                record.operands, needs, record.pull(given, needs), strict=True
            ):
                if need and cotangent is not None:
                    found[n] = _sum(found.get(n), cotangent)


def _taken(found: Mapping[int, Any], results: tuple[int, ...]) -> list[Any]:
    """The cotangents of some results; of a payload that is two results, once."""
    seen = set[int]()
    given: list[Any] = []
    for n in results:
        given.append(None if n in seen else found.get(n))
        seen.add(n)
    return given


class _Pull:
    """The way back through a strict op, by its rule."""

    __slots__ = ("attributes", "operands", "results", "rule")

    def __init__(self, rule: Any, operands: Any, results: Any, attributes: Any) -> None:
        self.rule = rule
        self.operands = operands
        self.results = results
        self.attributes = attributes

    def __call__(self, cotangents: Sequence[Any], needs: tuple[bool, ...]) -> Sequence[Any]:
        from plait.ir.derivatives.define import Application

        at = Application(self.operands, self.results, self.attributes, needs)
        found: Sequence[Any] = self.rule(at, *cotangents)
        return found


def _sum(one: Any, other: Any) -> Any:
    from plait.ir import ops

    return other if one is None else ops.add(one, other)


def _dtype(payload: Any) -> Any:
    """The dtype of a payload; None for a token."""
    if type(payload) is Value and type(payload.type) is not TensorType:
        return None
    return getattr(payload, "dtype", None)


__all__ = ["UNKNOWN", "Record", "Recording"]
