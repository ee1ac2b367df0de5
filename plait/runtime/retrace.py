"""Why a function is traced again: what differs from the nearest signature that it knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from plait.runtime.program import Program
from plait.runtime.request import Request
from plait.tracer import LeafSpec

ABSENT = "absent"
MAX_SHOWN = 3
MAX_LENGTH = 60


def why_retraced(
    request: Request, specs: Sequence[LeafSpec], place: Any, known: Iterable[Program]
) -> str:
    """The argument paths that differ from the nearest known signature, before and after.

    Parameters
    ----------
    request : Request
    specs : sequence of LeafSpec
        What the arguments are now.
    place : Any
        The device; None for the default.
    known : iterable of Program
        The one used last comes last, and wins among equals.
    """
    after = dict(zip(request.paths(), specs, strict=True))
    found: list[str] | None = None
    for program in known:
        differences = _differences(program, request, after, place)
        if found is None or len(differences) <= len(found):
            found = differences
    if not found:
        return "the same types, but other arguments are the same object"
    more = f", and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return ", ".join(found[:MAX_SHOWN]) + more


def _differences(
    program: Program, request: Request, after: dict[str, LeafSpec], place: Any
) -> list[str]:
    traced = program.traced
    paths = replace(request, tree=traced.in_tree).paths()
    before = dict(zip(paths, traced.leaves, strict=True))
    found = [
        f"{path}: {_change(before.get(path), after.get(path))}"
        for path in {**before, **after}
        if before.get(path) != after.get(path)
    ]
    if not found and traced.in_tree != request.tree:
        found.append(f"structure: {traced.in_tree} -> {request.tree}")
    if program.device != place:
        found.append(f"device: {program.device or 'default'} -> {place or 'default'}")
    return found


def _change(before: LeafSpec | None, after: LeafSpec | None) -> str:
    kinds = before is not None and after is not None and before.kind != after.kind
    return f"{_shown(before, kinds)} -> {_shown(after, kinds)}"


def _shown(spec: LeafSpec | None, kind: bool) -> str:
    if spec is None:
        return ABSENT
    if spec.type is None:
        text = repr(spec.value.value)
        return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."
    if spec.kind == "number":
        return f"any {spec.value.__name__}"
    return f"{spec.kind} {spec.type}" if kind else str(spec.type)


__all__ = ["why_retraced"]
