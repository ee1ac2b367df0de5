"""Why a function is captured again: what differs from the nearest program that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from plait.ir.location import Location
from plait.runtime.program import Program
from plait.runtime.request import Request
from plait.tracer import ABSENT, Change, LeafSpec, TracedFunction, cut, shown_layout

AN_INPUT = "it is an input of the graph now"
MAX_SHOWN = 3
#: How many programs of the same signature are asked what they read.
MOST_COMPARED = 8

#: Why numbers of argument leaves and at outside paths are fixed, and the lines that need them.
Needs = Mapping[Any, tuple[str, Location]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program is wanted for.

    Attributes
    ----------
    request : Request
    specs : sequence of LeafSpec
        What the arguments are now.
    place : Any
        The device; None for the default.
    same : tuple of int
        Which arguments are one object, where that matters.
    loops : LoopOptions
        How loops in gradients are captured.
    needs : mapping
        Why numbers are no inputs: by argument leaf, or by the key of a path outside.
    """

    request: Request
    specs: Sequence[LeafSpec]
    place: Any
    same: tuple[int, ...] = ()
    loops: Any = None
    needs: Needs = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """The types of the arguments, values of static ones."""
        return f"({', '.join(map(_shown, self.specs))})"


def why(
    asked: Asked, known: Iterable[Program], location: Location
) -> tuple[tuple[Change, ...], Program | None]:
    """What differs from the nearest known program, before and after, and that program.

    Parameters
    ----------
    asked : Asked
    known : iterable of Program
        The one used last comes last, and wins among equals.
    location : Location
        The user's line that calls.
    """
    differences = [(program, _differences(program, asked, location)) for program in known]
    alike = [program for program, found in differences if not found]
    if alike:
        differences = [(p, _outside(p, asked)) for p in alike[-MOST_COMPARED:]]
    nearest, found = min(reversed(differences), key=lambda x: len(x[1]), default=(None, []))
    return tuple(found), nearest


def _outside(program: Program, asked: Asked) -> list[Change]:
    """What is not as it was when it was read; of an object that is another one only itself."""
    leaves, given = asked.request.leaves, asked.request.given
    failed: set[Any] = set()
    found: list[Change] = []
    for guard in program.failing(leaves, given):
        change = guard.failure(leaves, given)
        if change is not None and failed.isdisjoint(_lineage(guard.path)):
            need = asked.needs.get(guard.path.key) if guard.number is not None else None
            found.append(change if need is None else _needed(change, need))
        failed.add(guard.path)
    if not found and program.look(leaves, given) is None:
        texts = "memory shared as it was", "shared in another way"
        found.append(Change("aliasing", "tensors from outside", *texts))
    return found


def _lineage(path: Any) -> Iterator[Any]:
    """A path and those of the objects that it goes through."""
    while path is not None:
        yield path
        path = path.parent


def _needed(change: Change, need: tuple[str, Location]) -> Change:
    why, where = need
    return replace(change, kind="number", note=f"{why}, at {where.file}:{where.line}")


def with_inputs(changes: Sequence[Change], traced: TracedFunction) -> tuple[Change, ...]:
    """Changes of numbers from outside say so when the new graph has these as inputs."""
    inputs = {c.path.text: c for c in traced.captures if c.kind == "number" and c.path is not None}
    return tuple(
        replace(change, kind="number", note=AN_INPUT)
        if change.kind == "outside" and change.path in inputs
        else change
        for change in changes
    )


def _differences(program: Program, asked: Asked, location: Location) -> list[Change]:
    traced, request = program.traced, asked.request
    paths = replace(request, tree=traced.in_tree).paths()
    before = dict(zip(paths, traced.leaves, strict=True))
    after = dict(zip(request.paths(), asked.specs, strict=True))
    needs = {path: asked.needs[i] for i, path in enumerate(request.paths()) if i in asked.needs}
    found = [
        _change(path, before.get(path), after.get(path), needs.get(path), location)
        for path in {**before, **after}
        if before.get(path) != after.get(path)
    ]
    if not found and traced.in_tree != request.tree:
        structures = cut(str(traced.in_tree)), cut(str(request.tree))
        found.append(Change("structure", "structure", *structures, location))
    if program.device != asked.place:
        devices = str(program.device or "default"), str(asked.place or "default")
        found.append(Change("device", "device", *devices, location))
    if not found and program.loops != asked.loops:
        rooms = _room(program.loops), _room(asked.loops)
        found.append(Change("loops", "trips of loops", *rooms, location))
    if not found and traced.same != asked.same:
        names = _aliases(paths, traced.same), _aliases(paths, asked.same)
        found.append(Change("aliasing", "arguments", *names, location))
    return found


def _room(loops: Any) -> str:
    """How many trips of a loop its gradient has room for, and other options."""
    if loops is None:
        return "default"
    options, usual = asdict(loops), asdict(type(loops)())
    capacity = options.pop("capacity")
    rest = [f", {name}={value!r}" for name, value in options.items() if value != usual[name]]
    return f"room for {capacity} in gradients{''.join(rest)}"


def _change(
    path: str,
    before: LeafSpec | None,
    after: LeafSpec | None,
    need: tuple[str, Location] | None,
    location: Location,
) -> Change:
    kinds = before is not None and after is not None and _kind(before) != _kind(after)
    texts = _described(before, kinds), _described(after, kinds)
    if after is not None and after.kind == "number":
        return Change("number", path, *texts, location, AN_INPUT)
    if need is not None and after is not None and after.is_static:
        return Change("number", path, *texts, need[1], need[0])
    return Change("argument", path, *texts, location, _dimensions(before, after))


def _kind(spec: LeafSpec) -> tuple[str, bool]:
    return spec.kind, spec.value is np.generic


def _dimensions(before: LeafSpec | None, after: LeafSpec | None) -> str:
    """Which dimensions differ, where only they do."""
    if before is None or after is None or before.type is None or after.type is None:
        return ""
    old, new = before.type, after.type
    if old.dtype != new.dtype or len(old.shape) != len(new.shape):
        return ""
    differ = [i for i, (a, b) in enumerate(zip(old.shape, new.shape, strict=True)) if a != b]
    if not differ or len(old.shape) == 1:
        return ""
    return f"dimension{'s' * (len(differ) > 1)} {', '.join(map(str, differ))}"


def _aliases(paths: Sequence[str], same: tuple[int, ...]) -> str:
    """``x is y``: which arguments are one object."""
    twins = [f"{paths[i]} is {paths[j]}" for i, j in enumerate(same) if j != i]
    return ", ".join(twins) or "different objects"


def _described(spec: LeafSpec | None, kind: bool) -> str:
    if spec is None:
        return ABSENT
    if spec.type is None:
        return cut(repr(spec.value.value))
    if spec.kind == "number":
        return f"any {spec.value.__name__}"
    what = "scalar" if spec.value is np.generic else spec.kind
    text = f"{what} {spec.type}" if kind else str(spec.type)
    return text if spec.layout is None else f"{text} {shown_layout(spec.layout)}"


def _shown(spec: LeafSpec) -> str:
    return str(spec.type) if spec.type is not None else cut(repr(spec.value.value))


def first_changes(changes: Sequence[Change]) -> str:
    """The first changes in one line."""
    more = f", and {len(changes) - MAX_SHOWN} more" if len(changes) > MAX_SHOWN else ""
    return ", ".join(map(str, changes[:MAX_SHOWN])) + more


__all__ = ["Asked", "Needs", "first_changes", "why", "with_inputs"]
