"""Loops on a condition: forward mode carries tangents, reverse mode keeps what each trip needs.

Which trips a loop makes does not depend smoothly on anything: the condition has no derivative. The
reverse pass is a loop of exactly as many trips, and ordinary ops: it can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from plait.ir import dispatch, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.while_parts import Loop, make_region, or_zeros, zeros
from plait.ir.errors import LoopCapacityError
from plait.ir.graph import Graph


class Reverse(Protocol):
    """A loop that also keeps what the way back needs."""

    def run(self, operands: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results, and what was kept."""
        ...

    def pull(
        self,
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
        kept: tuple[Any, ...],
        cotangents: Sequence[Any],
        needs: tuple[bool, ...],
    ) -> Sequence[Any]:
        """The cotangents of the operands."""
        ...


class WhileFunction:
    """A ``while`` op with its derivatives."""

    name = "while"

    def __init__(self, attributes: Mapping[str, Any], regions: tuple[Graph, ...]) -> None:
        self.loop = Loop.make(attributes, regions)
        self.attributes = attributes
        self.regions = regions

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The final carry."""
        found: tuple[Any, ...] = dispatch.run_at(
            0, ops.while_, operands, self.attributes, self.regions
        )
        return found

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """Run the loop and keep what its trips need."""
        reverse, results, kept = self._run(operands, needs)

        def pull(cotangents: Sequence[Any], needs: tuple[bool, ...]) -> Sequence[Any]:
            return reverse.pull(operands, results, kept, cotangents, needs)

        return results, pull

    def _run(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...]
    ) -> tuple[Reverse, tuple[Any, ...], tuple[Any, ...]]:
        """Run with the capacity of the options; eager code knows at once if that was short."""
        options = capacity.current()
        known = 0 if dispatch.interpreters() else _capacities.get(self.loop.body, 0)
        room = max(options.capacity, known)
        while True:
            reverse = reverse_loop(self.loop, needs, replace(options, capacity=room))
            try:
                return reverse, *reverse.run(operands)
            except LoopCapacityError as error:
                if error.trips <= room:
                    raise
                room = _capacities[self.loop.body] = capacity.next_capacity(error.trips)

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Run the loop with tangents beside the carry; nothing of the trips is kept."""
        loop = self.loop
        consts, carry = loop.active([t is not None for t in tangents])
        first, width = loop.num_consts, loop.num_carry
        types = loop.carry_types
        given = [or_zeros(tangents[first + j], types[j]) for j in carry]
        found = ops.while_(
            *operands[:first],
            *[tangents[i] for i in consts],
            *operands[first:],
            *given,
            regions=_pushed(loop, consts, carry),
            **{**self.attributes, "num_consts": first + len(consts)},
        )
        made = dict(zip(carry, found[width:], strict=True))
        return tuple(found[:width]), tuple([made.get(j) for j in range(width)])


#: Trips that a loop's body made in eager code, when these were more than the capacity.
_capacities: WeakKeyDictionary[Graph, int] = WeakKeyDictionary()
_reverses: WeakKeyDictionary[Graph, dict[Any, Reverse]] = WeakKeyDictionary()
_forwards: WeakKeyDictionary[Graph, dict[Any, tuple[Graph, Graph]]] = WeakKeyDictionary()


def reverse_loop(loop: Loop, needs: Sequence[bool], options: LoopOptions) -> Reverse:
    """How a loop is run for the way back, by its bound and the options."""
    active = loop.active(needs)
    known = _reverses.setdefault(loop.body, {})
    key = (loop.condition, loop.num_consts, loop.bound, active, options)
    if key not in known:
        known[key] = _make_reverse(loop, active, options)
    return known[key]


def _make_reverse(
    loop: Loop, active: tuple[tuple[int, ...], tuple[int, ...]], options: LoopOptions
) -> Reverse:
    from plait.ir.autodiff.checkpoints import Checkpointed, slots_of
    from plait.ir.autodiff.while_buffers import Buffered, limit_of

    slots = slots_of(loop, options)
    if slots is not None:
        return Checkpointed(loop, *active, slots)
    made = Buffered(loop, *active, limit_of(loop, options))
    if options.memory is None or made.nbytes <= options.memory:
        return made
    slots = slots_of(loop, replace(options, checkpoint="sqrt"))
    return made if slots is None else Checkpointed(loop, *active, slots)


def _pushed(loop: Loop, consts: tuple[int, ...], carry: tuple[int, ...]) -> tuple[Graph, Graph]:
    """Condition and body of the loop that carries tangents too."""
    known = _forwards.setdefault(loop.body, {})
    key = (loop.condition, loop.num_consts, consts, carry)
    if key not in known:
        known[key] = _make_pushed(loop, consts, carry)
    return known[key]


def _make_pushed(
    loop: Loop, consts: tuple[int, ...], carry: tuple[int, ...]
) -> tuple[Graph, Graph]:
    first, width = loop.num_consts, loop.num_carry
    inputs = [*consts, *[first + j for j in carry]]
    both, changed = jvp_graph(loop.body, inputs)
    values = loop.body.inputs
    types = [v.type for v in values]
    types[first:first] = [types[i] for i in consts]
    types += [values[first + j].type for j in carry]

    def parts(given: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        before, after = given[:first], given[first + len(consts) :]
        tangents = [*given[first : first + len(consts)], *after[width:]]
        return [*before, *after[:width]], tangents

    def condition(builder: Any, *given: Any) -> Sequence[Any]:
        return builder.inline(loop.condition, parts(given)[0])  # type: ignore[no-any-return]

    def body(builder: Any, *given: Any) -> Sequence[Any]:
        primals, tangents = parts(given)
        found = builder.inline(both, [*primals, *tangents])
        made = dict(zip(changed, found[width:], strict=True))
        return [
            *found[:width],
            *[made[j] if j in made else zeros(values[first + j].type) for j in carry],
        ]

    return make_region(loop.condition.name, types, condition), make_region(
        loop.body.name, types, body
    )


__all__ = ["Reverse", "WhileFunction", "reverse_loop"]
