"""The gradient of a loop from a fixed number of kept states: memory that no number of trips grows.

The forward loop keeps the carry at multiples of a stride, which doubles when all slots are taken.
The backward pass goes from the last segment to the first: it runs the segment again and keeps
states in slots of a second level; then it goes back trip by trip, each run again from the last kept
state before it. Up to the square of the number of slots, that is a few runs of each trip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plait.ir import ops
from plait.ir.autodiff.accumulation import accumulate
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.graphs import joint, replay
from plait.ir.autodiff.linear import Linear, peel
from plait.ir.autodiff.liveness import live_inputs, live_nodes, num_checks
from plait.ir.autodiff.partition import Split, split
from plait.ir.autodiff.recomputation import can_recompute, quiet
from plait.ir.autodiff.while_buffers import Limit, limit_of
from plait.ir.autodiff.while_parts import (
    COUNT,
    Indices,
    Loop,
    buffer_type,
    inner_while,
    make_region,
    number,
    or_zeros,
    read,
    trimmed,
    write,
    zeros,
)
from plait.ir.errors import GraphError
from plait.ir.graph import Graph
from plait.ir.types import Type, int64

Values = Sequence[Any]
#: A stride that no loop reaches.
ENDLESS = 1 << 61


@dataclass(frozen=True, slots=True)
class Slots:
    """How many states are kept.

    Attributes
    ----------
    count : int
        At each of the two levels; even, or 1.
    stride : int
        Trips between two states at first.
    limit : Limit
        Of the loop's trips.
    whole : bool
        Whether the second level has a slot for each trip of a segment.
    """

    count: int
    stride: int
    limit: Limit
    whole: bool = False


def slots_of(loop: Loop, options: LoopOptions) -> Slots | None:
    """The slots that the options ask for; None for buffers of all trips."""
    if options.checkpoints is not None:
        count = options.checkpoints
        if loop.bound is not None and loop.bound <= count:
            return None
        limit = Limit(0) if options.max_iterations is None else limit_of(loop, options)
        return Slots(1, ENDLESS, limit) if count == 1 else Slots(count - count % 2, 1, limit)
    if options.checkpoint is not None:
        limit = limit_of(loop, options)
        count = math.isqrt(max(limit.trips - 1, 0)) + 1
        count += count % 2
        return None if limit.trips <= 2 * count else Slots(count, count, limit, whole=True)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """How a loop's trips are run a second time.

    Attributes
    ----------
    step : Graph
        Inputs: the loop's constants, ``fixed``, ``state``. Outputs: ``state`` after a trip.
    fixed, state : tuple of int
        What is needed of the carry: what no trip changes, and the rest.
    """

    step: Graph
    fixed: Indices
    state: Indices


def _again(loop: Loop, parts: Split) -> Again:
    """Run again what the backward pass needs, without effects."""
    body, first = loop.body, loop.num_consts
    if any(r.kind != "input" for r in parts.residuals):
        raise GraphError(_EFFECTS.format("its backward pass needs"))
    known = {r.index - first for r in parts.residuals if r.index >= first}
    while True:
        outputs = [body.outputs[j] for j in sorted(known)]
        read = live_inputs(body, outputs, effects=False)
        more = {i - first for i in read if i >= first} - known
        if not more:
            break
        known |= more
    fixed = tuple(sorted(known & loop.unchanged))
    state = tuple(sorted(known - loop.unchanged))
    outputs = [body.outputs[j] for j in state]
    nodes = live_nodes(body, outputs, effects=False)
    if not all(map(can_recompute, nodes)):
        raise GraphError(_EFFECTS.format("its next trip needs"))
    inputs = [*body.inputs[:first], *[body.inputs[first + j] for j in (*fixed, *state)]]
    step = Graph(f"{body.name}_again", tuple(inputs), tuple(nodes), tuple(outputs))
    return Again(quiet(step), fixed, state)


_EFFECTS = (
    "a loop cannot be differentiated with checkpoints when {} what a callback gave: it would run "
    "twice; leave checkpoints out"
)


class Checkpointed:
    """A loop with slots.

    Parameters
    ----------
    loop : Loop
    consts, carry : tuple of int
        The constants and carried values that are differentiated.
    slots : Slots
    """

    def __init__(self, loop: Loop, consts: Indices, carry: Indices, slots: Slots) -> None:
        # The loop itself, which a cache may know this by, is not held.
        first = self.num_consts = loop.num_consts
        self.num_carry, self.input_types = loop.num_carry, loop.body.input_types
        self.carry, self.slots = carry, slots
        made = joint(loop.body, [*consts, *[first + j for j in carry]], carry)
        self.split = split(made, free_outputs=(), invariant=range(first), policy="recompute-all")
        self.again = _again(loop, self.split)
        # The gradient of a loop in the body checks its number of trips, in the forward pass only.
        checked = num_checks(self.split.forward) > num_checks(loop.body)
        self.body = self.split.forward if checked else None
        states = [loop.carry_types[j] for j in self.again.state]
        self.types: list[Type] = [buffer_type(t, slots.count) for t in states]
        self.forward = make_region(
            f"{loop.body.name}_forward", self.input_types, _Forward(self, loop).graph
        )
        self._backs: dict[tuple[Indices, Indices], _Back] = {}

    def run(self, operands: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results; the count, how many slots are in use, their stride, and the slots."""
        found = replay(self.forward, operands)
        self.slots.limit.check(found[self.num_carry])
        return found[: self.num_carry], found[self.num_carry :]

    def pull(
        self,
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
        kept: tuple[Any, ...],
        cotangents: Sequence[Any],
        needs: tuple[bool, ...],
    ) -> Sequence[Any]:
        """The cotangents of the operands, segment by segment."""
        first = self.num_consts
        given = tuple([j for j in self.carry if cotangents[j] is not None])
        key = (given, tuple([i for i in range(first) if needs[i]]))
        if key not in self._backs:
            self._backs[key] = _Back(self, *trimmed(self.split, first, *key))
        back = self._backs[key]
        arguments = [*operands[:first], *[results[j] for j in self.again.fixed], *kept]
        arguments += [or_zeros(cotangents[j], self.input_types[first + j]) for j in back.carry]
        made = replay(back.graph, arguments)
        places = [*[first + j for j in back.carry], *back.sums]
        by_operand = dict(zip(places, made, strict=True))
        return [by_operand.get(i) if need else None for i, need in enumerate(needs)]


class _Forward:
    """Builds the forward graph: epochs of one stride, of segments, of trips."""

    def __init__(self, owner: Checkpointed, loop: Loop) -> None:
        self.loop, self.again, self.types = loop, owner.again, owner.types
        self.count, self.stride = owner.slots.count, owner.slots.stride
        self.body = owner.body or loop.body
        self.width = loop.num_carry

    def graph(self, builder: Any, *operands: Any) -> Values:
        first = self.loop.num_consts
        (go,) = builder.inline(self.loop.condition, operands)
        carry, start = operands[first:], [number(0), number(0), number(self.stride)]
        found = inner_while(
            operands[:first],
            [*carry, go, *start, *map(zeros, self.types)],
            lambda _, carry: carry[self.width],
            self.epoch,
            name="epoch",
        )
        return [*found[: self.width], *found[self.width + 1 :]]

    def epoch(self, _: Any, consts: Values, carry: Values) -> Values:
        """Segments until all slots are taken; then every other one is free again."""
        width, half = self.width, self.count // 2
        stride = carry[width + 3]
        found = inner_while(
            [*consts, stride],
            [*carry[: width + 3], *carry[width + 4 :]],
            lambda _, v: ops.logical_and(v[width], ops.less(v[width + 2], number(self.count))),
            self.segment,
            self.count,
            name="segment",
        )
        go, used = found[width], found[width + 2]
        rows = ops.iota(dtype=int64, shape=(self.count,), axis=0)
        last = _filled(self.count - 1, self.count)
        order = ops.select(_spread(go, self.count), ops.minimum(ops.add(rows, rows), last), rows)
        return [
            *found[: width + 2],
            ops.select(go, number(half), used),
            ops.select(go, ops.add(stride, stride), stride),
            *[ops.gather(b, order, axes=(0,)) for b in found[width + 3 :]],
        ]

    def segment(self, _: Any, consts: Values, carry: Values) -> Values:
        """Keep the state, then make as many trips as the stride says."""
        width = self.width
        go, total, used, *buffers = carry[width:]
        states = [carry[j] for j in self.again.state]
        kept = [write(b, x, used) for b, x in zip(buffers, states, strict=True)]
        found = inner_while(
            consts,
            [*carry[:width], go, number(0)],
            lambda c, v: ops.logical_and(v[width], ops.less(v[width + 1], c[-1])),
            self.trip,
            self.loop.bound,
            name="trip",
        )
        return [
            *found[: width + 1],
            ops.add(total, found[width + 1]),
            ops.add(used, number(1)),
            *kept,
        ]

    def trip(self, builder: Any, consts: Values, carry: Values) -> Values:
        outer = consts[: self.loop.num_consts]
        after = builder.inline(self.body, [*outer, *carry[: self.width]])
        (go,) = builder.inline(self.loop.condition, [*outer, *after])
        return [*after, go, ops.add(carry[-1], number(1))]


class _Back:
    """Builds the backward graph for the cotangents that are given and those that are asked for.

    Attributes
    ----------
    graph : Graph
        Inputs: the loop's constants, the fixed carry, count, slots in use, stride, slots,
        cotangents of ``carry``. Outputs: cotangents of ``carry`` and of the constants ``sums``.
    """

    def __init__(self, owner: Checkpointed, linear: Linear, carry: Indices) -> None:
        self.split, self.again, self.linear, self.carry = owner.split, owner.again, linear, carry
        self.first, self.count, self.slot_types = owner.num_consts, owner.slots.count, owner.types
        self.types, self.whole = owner.input_types, owner.slots.whole
        self.sums = tuple([i for p in linear.outputs if (i := self.split.inputs[p]) < self.first])
        self.fixed = [*range(self.first), *[self.first + j for j in self.again.fixed]]
        read_of = [self.split.residuals[i].index for i in linear.residuals]
        places = sorted(range(len(read_of)), key=lambda p: read_of[p] not in self.fixed)
        self.residuals = [read_of[p] for p in places]
        constant = sum(i in self.fixed for i in self.residuals)
        graph, inputs = linear.graph, linear.graph.inputs
        ordered = (*[inputs[p] for p in places], *inputs[len(places) :])
        self.back = Graph(graph.name, ordered, graph.nodes, graph.outputs)
        self.peeled = peel(self.back, constant)
        self.num_constant = constant
        types = [
            *[self.types[i] for i in self.fixed],
            *(COUNT, COUNT, COUNT),
            *self.slot_types,
            *[self.types[self.first + j] for j in carry],
        ]
        self.graph = make_region(self.split.backward.name, types, self.build)

    @property
    def num_fixed(self) -> int:
        """How many values are the same in all trips: operands and what is made of them."""
        return len(self.fixed) + (len(self.peeled.prelude.outputs) if self.peeled else 0)

    def build(self, builder: Any, *given: Any) -> Values:
        n = len(self.fixed)
        m = n + 3 + len(self.slot_types)
        held = dict(zip(self.fixed, given, strict=False))
        more: Values = ()
        if self.peeled is not None:
            numbers = self.residuals[: self.num_constant]
            more = builder.inline(self.peeled.prelude, [held[i] for i in numbers])
        total, used, stride = given[n : n + 3]
        found = inner_while(
            [*given[:n], *more, total, stride, *given[n + 3 : m]],
            [used, *given[m:], *[zeros(self.types[i]) for i in self.sums]],
            _counting_down,
            self.segment,
            self.count,
            name="segment_back",
        )
        return found[1:]

    def segment(self, _: Any, consts: Values, carry: Values) -> Values:
        """Run a segment again, keep states, and go back through it."""
        fixed = consts[: self.num_fixed]
        total, stride, *slots = consts[self.num_fixed :]
        place = ops.subtract(carry[0], number(1))
        length = ops.minimum(stride, ops.subtract(total, ops.multiply(place, stride)))
        start = [number(0), *[read(b, place) for b in slots], *map(zeros, self.slot_types)]
        go_back = self.trips if self.whole else self.pieces
        return [place, *go_back(fixed, length, stride, start, carry[1:])]

    def trips(
        self, fixed: Values, length: Any, stride: Any, start: Values, cotangents: Values
    ) -> Values:
        """Go back through a segment whose states all have room."""
        width = len(self.again.state)

        def forth(builder: Any, consts: Values, carry: Values) -> Values:
            states, kept = carry[1 : 1 + width], carry[1 + width :]
            rows = zip(kept, states, strict=True)
            return [
                ops.add(carry[0], number(1)),
                *self.step(builder, consts, states),
                *[write(b, x, carry[0]) for b, x in rows],
            ]

        def back(builder: Any, consts: Values, carry: Values) -> Values:
            place = ops.subtract(carry[0], number(1))
            state = [read(b, place) for b in consts[self.num_fixed :]]
            return [place, *self.pull(builder, consts[: self.num_fixed], state, carry[1:])]

        below = _below_last
        filled = inner_while([*fixed, length], start, below, forth, self.count, name="again")
        kept = filled[1 + width :]
        carry = [filled[0], *cotangents]
        return inner_while(
            [*fixed, *kept], carry, _counting_down, back, self.count, name="trip_back"
        )[1:]

    def pieces(
        self, fixed: Values, length: Any, stride: Any, start: Values, cotangents: Values
    ) -> Values:
        """Go back through a segment of which the states before some pieces are kept."""
        rounded = ops.add(stride, number(self.count - 1))
        piece = ops.floor_divide(rounded, number(self.count))
        filled = inner_while(
            [*fixed, length, piece],
            start,
            lambda c, v: ops.less(ops.multiply(v[0], c[-1]), c[-2]),
            self.fill,
            self.count,
            name="piece",
        )
        return inner_while(
            [*fixed, length, piece, *filled[1 + len(self.again.state) :]],
            [filled[0], *cotangents],
            _counting_down,
            self.piece,
            self.count,
            name="piece_back",
        )[1:]

    def fill(self, _: Any, consts: Values, carry: Values) -> Values:
        """Keep the state before a piece, and run the piece unless it is the last."""
        *fixed, length, piece = consts
        width = len(self.again.state)
        states, kept = carry[1 : 1 + width], carry[1 + width :]
        following = ops.add(carry[0], number(1))
        goes_on = ops.less(ops.multiply(following, piece), length)
        return [
            following,
            *self.advance(fixed, states, ops.select(goes_on, piece, number(0))),
            *[write(b, x, carry[0]) for b, x in zip(kept, states, strict=True)],
        ]

    def piece(self, _: Any, consts: Values, carry: Values) -> Values:
        """Go back through a piece, trip by trip, each run up to again."""
        fixed = consts[: self.num_fixed]
        length, piece, *kept = consts[self.num_fixed :]
        place = ops.subtract(carry[0], number(1))
        trips = ops.minimum(piece, ops.subtract(length, ops.multiply(place, piece)))

        def back(builder: Any, consts: Values, carry: Values) -> Values:
            fixed, first = consts[: self.num_fixed], consts[self.num_fixed :]
            place = ops.subtract(carry[0], number(1))
            state = self.advance(fixed, first, place)
            return [place, *self.pull(builder, fixed, state, carry[1:])]

        found = inner_while(
            [*fixed, *[read(b, place) for b in kept]],
            [trips, *carry[1:]],
            _counting_down,
            back,
            name="trip_back",
        )
        return [place, *found[1:]]

    def pull(self, builder: Any, fixed: Values, state: Values, cotangents: Values) -> Values:
        """Pull the cotangents back through the trip after a state, and add up the sums."""
        first, parts = self.first, self.split
        held = dict(zip(self.fixed, fixed, strict=False))
        held |= dict(zip([first + j for j in self.again.state], state, strict=True))
        after = dict(zip(self.carry, cotangents, strict=False))
        n = self.num_constant
        found = builder.inline(
            self.back if self.peeled is None else self.peeled.body,
            [
                *[held[i] for i in self.residuals[:n]],
                *fixed[len(self.fixed) :],
                *[held[i] for i in self.residuals[n:]],
                *[after[j] for j in parts.outputs if j in after],
            ],
        )
        made = dict(zip([parts.inputs[p] for p in self.linear.outputs], found, strict=True))
        totals = zip(self.sums, cotangents[len(self.carry) :], strict=True)
        return [
            *[or_zeros(made.get(first + j), self.types[first + j]) for j in self.carry],
            *[accumulate(total, made[i]) for i, total in totals],
        ]

    def step(self, builder: Any, fixed: Values, state: Values) -> Values:
        """The state after a trip."""
        return builder.inline(self.again.step, [*fixed[: len(self.fixed)], *state])  # type: ignore[no-any-return]

    def advance(self, fixed: Values, state: Values, trips: Any) -> Values:
        """The state after some more trips."""
        return inner_while(
            [*fixed, trips],
            [number(0), *state],
            _below_last,
            lambda builder, c, v: [ops.add(v[0], number(1)), *self.step(builder, c, v[1:])],
            name="again",
        )[1:]


def _counting_down(_: Values, carry: Values) -> Any:
    return ops.greater(carry[0], number(0))


def _below_last(consts: Values, carry: Values) -> Any:
    return ops.less(carry[0], consts[-1])


def _spread(flag: Any, size: int) -> Any:
    return ops.broadcast_to(ops.reshape(flag, shape=(1,)), shape=(size,))


def _filled(value: int, size: int) -> Any:
    return ops.broadcast_to(ops.reshape(number(value), shape=(1,)), shape=(size,))


__all__ = ["Checkpointed", "Slots", "slots_of"]
