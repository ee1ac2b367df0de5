"""Which donated inputs XLA may take over, and for which outputs: jax pairs equal types in order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait.ir.types import Type


@dataclass(frozen=True, slots=True)
class Donation:
    """Inputs that are donated and the order of outputs that makes jax pair them as wanted.

    Attributes
    ----------
    inputs : tuple of int
        Inputs that an output takes over.
    order : tuple of int or None
        Outputs in the order in which they are computed; None for their own order.
    aliases : mapping of int to int
        Output to the input whose buffer it takes over.
    """

    inputs: tuple[int, ...]
    order: tuple[int, ...] | None
    aliases: Mapping[int, int]


def pair(
    inputs: Sequence[Type], outputs: Sequence[Type], donated: Collection[int], order: Sequence[int]
) -> dict[int, int]:
    """The aliases that jax makes: an output takes the first donated input left of its type."""
    waiting: dict[Type, deque[int]] = defaultdict(deque)
    for i in sorted(donated):
        waiting[inputs[i]].append(i)
    return {o: waiting[outputs[o]].popleft() for o in order if waiting[outputs[o]]}


def plan_donation(
    inputs: Sequence[Type],
    outputs: Sequence[Type],
    donated: Collection[int],
    wanted: Mapping[int, int] | None = None,
) -> Donation:
    """Choose what to donate, and an order of outputs that gives the wanted aliases.

    Parameters
    ----------
    inputs, outputs : sequence of Type
    donated : collection of int
        Inputs that the caller gives up. One that no output can take over is not donated: jax
        would warn, and gain nothing.
    wanted : mapping of int to int, optional
        Output to donated input, of equal types. By default the last outputs take over the last
        inputs, because new state comes after results.
    """
    own = tuple(range(len(outputs)))
    if wanted is None:
        backwards = pair(inputs[::-1], outputs, [len(inputs) - 1 - i for i in donated], own[::-1])
        kept = {o: len(inputs) - 1 - i for o, i in backwards.items()}
    else:
        kept = {o: i for o, i in wanted.items() if i in donated and inputs[i] == outputs[o]}
    given = tuple(sorted(kept.values()))
    if pair(inputs, outputs, given, own) == kept:
        return Donation(given, None, kept)
    first = sorted(kept, key=kept.__getitem__)
    order = (*first, *[o for o in own if o not in kept])
    return Donation(given, order, kept)


def restore(order: Sequence[int], results: Sequence[Any]) -> list[Any]:
    """Results computed in ``order`` in their own order."""
    restored: list[Any] = [None] * len(order)
    for place, result in zip(order, results, strict=True):
        restored[place] = result
    return restored
