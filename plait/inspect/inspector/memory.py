"""A plan over time: which value lives in which slot from which step to which."""

from __future__ import annotations

from dataclasses import dataclass

from plait.ir import ExecutionPlan, Value


@dataclass(frozen=True, slots=True)
class Life:
    """A value in a slot.

    Attributes
    ----------
    value : Value
    slot : int
    start, end : int
        The first and the last step at which it is there.
    in_place : bool
        Whether it took the slot over from an operand.
    bytes : int
    """

    value: Value
    slot: int
    start: int
    end: int
    in_place: bool
    bytes: int


def lives_of(plan: ExecutionPlan) -> list[Life]:
    """The lives of a plan's values in its slots, in order of their start."""
    ends: dict[Value, int] = {}
    for i, step in enumerate(plan.steps):
        for value in step.frees:
            ends[value] = i
        if step.in_place_of is not None:
            ends[step.node.operands[step.in_place_of]] = i - 1
    last = len(plan.steps) - 1
    found = []
    for i, step in enumerate(plan.steps):
        for k, (value, slot) in enumerate(zip(step.node.results, step.slots, strict=False)):
            if slot is None:
                continue
            taken = k == 0 and step.in_place_of is not None
            end = max(ends.get(value, last), i)
            found.append(Life(value, slot.index, i, end, taken, value.tensor_type.nbytes))
    return found


def live_bytes(lives: list[Life], steps: int) -> list[int]:
    """Bytes that live in the arena at each step."""
    change = [0] * (steps + 1)
    for life in lives:
        change[life.start] += life.bytes
        change[life.end + 1] -= life.bytes
    found, total = [], 0
    for step in change[:steps]:
        total += step
        found.append(total)
    return found


__all__ = ["Life", "live_bytes", "lives_of"]
