"""The gradient of a loop with a buffer for what each trip keeps, and a reverse loop that reads it.

The forward loop counts its trips, and runs to its end even when the buffers are full: then the
exact count is known, a check fails, and who runs the program differentiates again with more room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from plait.ir import ops
from plait.ir.autodiff.accumulation import accumulate
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.graphs import joint, replay
from plait.ir.autodiff.linear import Linear, peel
from plait.ir.autodiff.partition import split
from plait.ir.autodiff.recomputation import value_bytes
from plait.ir.autodiff.while_parts import (
    COUNT,
    Indices,
    Loop,
    buffer_type,
    make_region,
    number,
    or_zeros,
    read,
    run_while,
    trimmed,
    write,
    zeros,
)
from plait.ir.graph import Graph, Value


@dataclass(frozen=True, slots=True)
class Limit:
    """How many trips there is room for, and what a loop of more raises.

    Attributes
    ----------
    trips : int
    error, message : str
        Of the check; no error where the loop's bound is a promise kept already.
    """

    trips: int
    error: str = ""
    message: str = ""

    def check(self, count: Any) -> None:
        """Emit the check of a loop's count."""
        if self.error:
            ok = ops.less_equal(count, number(self.trips))
            ops.check(ok, count, error=self.error, message=self.message)


def limit_of(loop: Loop, options: LoopOptions) -> Limit:
    """How many trips a loop's gradient has room for."""
    if loop.bound is not None:
        return Limit(loop.bound)
    promised = options.max_iterations
    if promised is not None:
        return Limit(
            promised,
            "CheckError",
            f"a loop made {{}} trips, more than max_iterations={promised}; give a larger "
            "max_iterations",
        )
    return Limit(
        options.capacity,
        "LoopCapacityError",
        f"a loop made {{}} trips, but its gradient has room for {options.capacity}; give "
        "max_iterations=, checkpoints= or checkpoint='sqrt' to the gradient",
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Where the reverse loop gets a residual from.

    Attributes
    ----------
    kind : {"const", "final", "next", "buffer"}
        An operand of the loop; a result, which no trip changed; a carried value after the trip,
        which is the one before the next; or a buffer.
    index : int
    """

    kind: str
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Back:
    """A reverse loop for the cotangents that are given and those that are asked for.

    Attributes
    ----------
    regions : tuple of Graph
        Condition and body. Constants: ``consts``, what the prelude makes of them. Carry: the
        count, ``following``, cotangents of ``carry``, sums of cotangents of ``sums``.
    prelude : Graph or None
    consts : tuple of Source
    following, carry, sums : tuple of int
        Carried values and constants of the loop, by number.
    """

    regions: tuple[Graph, Graph]
    prelude: Graph | None
    consts: tuple[Source, ...]
    following: Indices
    carry: Indices
    sums: Indices


class Buffered:
    """A loop with buffers.

    Parameters
    ----------
    loop : Loop
    consts, carry : tuple of int
        The constants and carried values that are differentiated.
    limit : Limit
    """

    def __init__(self, loop: Loop, consts: Indices, carry: Indices, limit: Limit) -> None:
        # The loop itself, which a cache may know this by, is not held.
        self.num_consts, self.num_carry, self.bound = loop.num_consts, loop.num_carry, loop.bound
        self.input_types = loop.body.input_types
        self.carry, self.limit = carry, limit
        first = loop.num_consts
        made = joint(loop.body, [*consts, *[first + j for j in carry]], carry)
        free = [*range(first), *[first + j for j in loop.unchanged]]
        self.split = split(
            made, free_inputs=free, free_outputs=loop.unchanged, invariant=range(first)
        )
        self.written: list[Value] = []  # of the forward graph: what each buffer takes
        self.sources = self._sources(loop.unchanged)
        self.types = [buffer_type(v.type, limit.trips) for v in self.written]
        self.regions = self._regions(loop.condition)
        self._backs: dict[tuple[Indices, Indices], Back] = {}

    @property
    def nbytes(self) -> float:
        """Bytes of the buffers."""
        return math.fsum(map(value_bytes, self.types))

    def _sources(self, unchanged: frozenset[int]) -> list[Source]:
        """Sort the residuals out; a value before a trip and the one after it share a buffer."""
        forward, first = self.split.forward, self.num_consts
        before = {v: i - first for i, v in enumerate(forward.inputs)}
        after = {v: j for j, v in enumerate(forward.outputs[: self.num_carry])}
        values = [
            (forward.inputs if r.kind == "input" else forward.outputs)[r.index]
            for r in self.split.residuals
        ]
        kept = {before[v] for v in values if v in before} - unchanged
        found: list[Source] = []
        for value in values:
            j = before.get(value)
            if j is not None and j < 0:
                found.append(Source("const", j + first))
            elif j in unchanged:
                found.append(Source("final", j))
            elif j is None and after.get(value) in kept:
                found.append(Source("next", after[value]))
            else:
                found.append(self._buffer(value))
        return found

    def _buffer(self, value: Value) -> Source:
        if value not in self.written:
            self.written.append(value)
        return Source("buffer", self.written.index(value))

    def _regions(self, go_on: Graph) -> tuple[Graph, Graph]:
        """Condition and body of the loop that counts and writes."""
        forward, outer, width = self.split.forward, len(self.input_types), self.num_carry
        outputs = (*forward.outputs[:width], *self.written)
        step = Graph(forward.name, forward.inputs, forward.nodes, outputs)

        def condition(builder: Any, *given: Any) -> Sequence[Any]:
            return builder.inline(go_on, given[:outer])  # type: ignore[no-any-return]

        def body(builder: Any, *given: Any) -> Sequence[Any]:
            found = builder.inline(step, given[:outer])
            count, *buffers = given[outer:]
            rows = zip(buffers, found[width:], strict=True)
            return [
                *found[:width],
                ops.add(count, number(1)),
                *[write(buffer, value, count) for buffer, value in rows],
            ]

        types = [*self.input_types, COUNT, *self.types]
        return make_region(go_on.name, types, condition), make_region(forward.name, types, body)

    def run(self, operands: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results; the count and the buffers."""
        first, width = self.num_consts, self.num_carry
        start = [number(0), *map(zeros, self.types)]
        found = run_while(operands[:first], [*operands[first:], *start], self.regions, self.bound)
        self.limit.check(found[width])
        return found[:width], found[width:]

    def pull(
        self,
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
        kept: tuple[Any, ...],
        cotangents: Sequence[Any],
        needs: tuple[bool, ...],
    ) -> Sequence[Any]:
        """The cotangents of the operands, by the reverse loop."""
        first = self.num_consts
        given = tuple([j for j in self.carry if cotangents[j] is not None])
        back = self._back(given, tuple([i for i in range(first) if needs[i]]))
        held = {"const": operands, "final": results, "buffer": kept[1:]}
        consts = [held[s.kind][s.index] for s in back.consts]
        if back.prelude is not None:
            consts += replay(back.prelude, consts)
        types = self.input_types
        found = run_while(
            consts,
            [
                ops.minimum(kept[0], number(self.limit.trips)),
                *[results[j] for j in back.following],
                *[or_zeros(cotangents[j], types[first + j]) for j in back.carry],
                *[zeros(types[i]) for i in back.sums],
            ],
            back.regions,
            self.limit.trips,
        )
        made = found[1 + len(back.following) :]
        places = [*[first + j for j in back.carry], *back.sums]
        by_operand = dict(zip(places, made, strict=True))
        return [by_operand.get(i) if need else None for i, need in enumerate(needs)]

    def _back(self, given: Indices, wanted: Indices) -> Back:
        key = (given, wanted)
        if key not in self._backs:
            parts = trimmed(self.split, self.num_consts, given, wanted)
            self._backs[key] = self._make_back(*parts)
        return self._backs[key]

    def _make_back(self, linear: Linear, carry: Indices) -> Back:
        sources = [self.sources[i] for i in linear.residuals]
        following = tuple(dict.fromkeys(s.index for s in sources if s.kind == "next"))
        before = [self._before(j) for j in following]
        consts = tuple(dict.fromkeys([*[s for s in sources if s.kind != "next"], *before]))
        sums = tuple([i for p in linear.outputs if (i := self.split.inputs[p]) < self.num_consts])
        after = self.input_types[self.num_consts :]
        taken = {"const": self.input_types, "final": after, "buffer": self.types}
        types = [taken[s.kind][s.index] for s in consts]
        types += [COUNT, *[after[j] for j in (*following, *carry)]]
        types += [self.input_types[i] for i in sums]
        step = partial(self._step, linear, consts, following, carry, sums)
        body = make_region(self.split.backward.name, types, step)
        peeled = peel(body, len(consts))
        body = body if peeled is None else peeled.body
        place = len(body.inputs) - len(body.outputs)
        go_on = make_region(
            f"{body.name}_condition",
            body.input_types,
            lambda _, *given: [ops.greater(given[place], number(0))],
        )
        prelude = None if peeled is None else peeled.prelude
        return Back((go_on, body), prelude, consts, following, carry, sums)

    def _before(self, j: int) -> Source:
        """The buffer of a carried value before each trip."""
        return self._buffer(self.split.forward.inputs[self.num_consts + j])

    def _step(
        self,
        linear: Linear,
        consts: tuple[Source, ...],
        following: Indices,
        carry: Indices,
        sums: Indices,
        builder: Any,
        *given: Any,
    ) -> Sequence[Any]:
        """One trip of the reverse loop."""
        parts, first = self.split, self.num_consts
        held = dict(zip(consts, given, strict=False))
        count, *rest = given[len(consts) :]
        place = ops.subtract(count, number(1))
        held |= {s: read(held[s], place) for s in consts if s.kind == "buffer"}
        held |= {Source("next", j): rest[i] for i, j in enumerate(following)}
        after = dict(zip(carry, rest[len(following) :], strict=False))
        residuals = [held[self.sources[i]] for i in linear.residuals]
        found = builder.inline(
            linear.graph, [*residuals, *[after[j] for j in parts.outputs if j in after]]
        )
        made = dict(zip([parts.inputs[p] for p in linear.outputs], found, strict=True))
        totals = zip(sums, rest[len(following) + len(carry) :], strict=True)
        return [
            place,
            *[held[self._before(j)] for j in following],
            *[or_zeros(made.get(first + j), self.input_types[first + j]) for j in carry],
            *[accumulate(total, made[i]) for i, total in totals],
        ]


__all__ = ["Back", "Buffered", "Limit", "Source", "limit_of"]
