"""Why a gradient is None: the way from a target back to a source, or where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.ir.autodiff.recording import UNKNOWN, Record, Recording


def explain_path(recording: Recording, targets: Sequence[Any], source: Any) -> str:
    """How targets depend on a source, or where the path between them breaks.

    Parameters
    ----------
    recording : Recording
    targets : sequence of payload
    source : payload or None
    """
    start = None if source is None else recording.number(source)
    if start is None:
        return (
            "the source was not watched while the tape recorded: watch it before it is used "
            "(trainable variables are watched by themselves)"
        )
    ends = {n for n in map(recording.number, targets) if n is not None}
    if not ends:
        return (
            "nothing that the tape recorded leads to the target: it was computed outside of the "
            "tape, from other tensors, or from values that left it (numpy(), item(), float())"
        )
    if start in ends:
        return "the target is the source"
    smooth = recording.reached([start])
    if not smooth.isdisjoint(ends):
        return f"connected: {_chain(recording, start, ends, smooth)}"
    loose = _reached(recording, start)
    if loose.isdisjoint(ends):
        used = any(start in record.operands for record in recording.records)
        return (
            "the target was computed without the source"
            if used
            else "the source was never used while the tape recorded"
        )
    cut = _last_cut(recording, smooth, loose, ends)
    where = f" at {cut.location}" if cut.location is not None else ""
    return f"the path breaks at {cut.name}{where}, which has no derivative"


def _reached(recording: Recording, start: int) -> set[int]:
    """All values that depend on the source, with or without derivative."""
    found = {start}
    for record in recording.records:
        if not found.isdisjoint(record.operands):
            found.update(record.results)
    return found


def _last_cut(recording: Recording, smooth: set[int], loose: set[int], ends: set[int]) -> Record:
    """The function on a path to the target that drops the derivative."""
    needed = set(ends)
    found: Record | None = None
    for record in reversed(recording.records):
        if needed.isdisjoint(record.results) or loose.isdisjoint(record.operands):
            continue
        if not smooth.isdisjoint(record.operands) and smooth.isdisjoint(record.results):
            found = record
            break
        needed.update(n for n in record.operands if n in loose)
    assert found is not None
    return found


def _chain(recording: Recording, start: int, ends: set[int], smooth: set[int]) -> str:
    """The names of the functions on one path."""
    names: list[str] = []
    wanted = next(n for n in ends if n in smooth)
    for record in reversed(recording.records):
        if wanted == start:
            break
        if wanted in record.results and record.pull is not None:
            before = [n for n in record.operands if n != UNKNOWN and n in smooth]
            if before:
                names.append(record.name)
                wanted = before[0]
    return " <- ".join(names)


__all__ = ["explain_path"]
