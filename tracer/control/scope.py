"""The end of a region: what changed in it, undone, with the objects that it made itself left be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CellType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from plait.ir import Value
from plait.ir.location import is_internal, user_frame
from plait.tracer.control.items import Branching, Leaf, MaybeItem, item_of, payload_item
from plait.tracer.control.site import Site
from plait.tracer.outcome import Break, stop
from plait.tracer.places import UNBOUND, CellPlace, PayloadPlace, Place
from plait.tracer.region import Region
from plait.tracer.tensor import Tensor

#: How many objects are looked at to find out whether one was there before a region.
LIMIT = 100_000
_CAPTURE = "plait.tracer.capture"
#: Where the loops and branches come from that converted code holds beside the user's names.
_HOOKS = frozenset(f"plait.tracer.control.{name}" for name in ("branch", "loop", "for_", "trying"))
_ATOMS = (str, bytes, int, float, complex, bool, type(None), type, ModuleType, np.ndarray, Tensor)

#: For each place that a region has changed, its key, itself, and its items before and after.
Changes = dict[tuple[Any, ...], tuple[Place, Any, Any]]


class Before:
    """What there was before a region: the names of a frame, and what can be reached from them.

    Parameters
    ----------
    trace : Trace
    held : dict
        The frame's names, which this keeps.
    caller : frame or None
        The one that has called the frame.
    """

    def __init__(self, trace: Any, held: dict[str, Any], caller: FrameType | None) -> None:
        self.held = held
        self._trace = trace
        self._caller = caller
        self._reachable: dict[int, Any] | None = None

    def state(self, names: Iterable[str]) -> list[Any]:
        """What the names hold, UNBOUND for those that are not bound."""
        return [self.held.get(name, UNBOUND) for name in names]

    def is_outer(self, x: Any) -> bool:
        """Whether an object was there before; asked when all changes are undone."""
        if self._trace.root.provenance.path_of(x) is not None:
            return True
        if self._reachable is None:
            self._reachable = reachable([_users(self.held), *_callers(self._caller)])
        return id(x) in self._reachable


def renew(held: dict[str, Any], names: Iterable[str], state: Iterable[Any]) -> None:
    """Let a frame's snapshot of its names, which lives on, not keep what they held."""
    for name, value in zip(names, state, strict=True):
        if value is UNBOUND:
            held.pop(name, None)
        else:
            held[name] = value


def _callers(frame: FrameType | None) -> Iterator[Any]:
    """The names of the user's frames that have called a frame, up to the call that is captured."""
    while frame is not None and frame.f_globals.get("__name__") != _CAPTURE:
        if not is_internal(frame):
            yield _users(frame.f_locals) if frame.f_locals is not frame.f_globals else ()
        frame = frame.f_back


def _users(held: Mapping[str, Any]) -> list[Any]:
    """What the user's names hold, without the branches and loops of converted code."""
    return [x for x in held.values() if type(x).__module__ not in _HOOKS]


def reachable(root: Any) -> dict[int, Any]:
    """The containers and instances that can be reached from an object, by identity."""
    found: dict[int, Any] = {}
    pending = [root]
    while pending and len(found) < LIMIT:
        x = pending.pop()
        if isinstance(x, _ATOMS) or id(x) in found:
            continue
        found[id(x)] = x
        pending.extend(_parts(x))
    return found


def _parts(x: Any) -> Iterable[Any]:
    if isinstance(x, dict):
        return [*x.values()]
    if isinstance(x, (list, tuple, set, frozenset)):
        return [*x]
    if isinstance(x, FunctionType):
        return [*(x.__closure__ or ()), *(x.__defaults__ or ())]
    if isinstance(x, CellType):
        try:
            return [x.cell_contents]
        except ValueError:
            return []
    if isinstance(x, MethodType):
        return [x.__self__, x.__func__]
    held = getattr(x, "__dict__", {})
    parts = [held] if isinstance(held, dict) else [*held.values()]
    for kind in type(x).__mro__:
        for name in getattr(kind, "__slots__", ()):
            parts.append(getattr(x, name, None))
    return parts


def holds_own(x: Any, region: Region) -> bool:
    """Whether an object holds tensors that a region has made."""
    if isinstance(x, _ATOMS):
        return False
    inside = [x, *reachable([x]).values()]
    parts = (part for owner in inside for part in _parts(owner))
    return any(type(p) is Tensor and type(p._data) is Value and region.owns(p._data) for p in parts)


def place_item(place: Place, value: Any) -> Any:
    """The item of what a place holds."""
    if not getattr(place, "is_payload", False):
        return item_of(value)
    kind = "tensor"
    if isinstance(place, PayloadPlace):
        kind = place.handle._kind
        if type(value) is not Value:
            item = payload_item(value, kind)
            item.payload = place.handle
            return item
    return payload_item(value, kind)


def undo(region: Region, before: Before, names: Sequence[str] = ()) -> list[tuple[Place, Any, Any]]:
    """Give places that were there before a region what they held; their items before and after.

    To be called below the user's code whose ``names`` are state: not among the places are these,
    though functions inside of it assign to them.
    """
    entries = [(p, old, p.read()) for p, old in region.journal.entries]
    entries = [e for e in entries if not _is_name(e[0], names)]
    after = [place_item(p, now) for p, _, now in entries]
    region.journal.roll_back()
    kept = []
    for (place, old, now), item in zip(entries, after, strict=True):
        if _was_there(place, old, region, before):
            kept.append((place, place_item(place, old), item))
        else:
            place.write(now)
    return kept


def _is_name(place: Place, names: Sequence[str]) -> bool:
    """Whether a place is a variable of the user's code that runs now, one of some names."""
    if not isinstance(place, CellPlace) or place.name not in names:
        return False
    if (frame := user_frame(2)) is None:
        return False
    held = place.read()
    place.write(mark := object())
    found = frame.f_locals.get(place.name) is mark
    place.write(held)
    return found and bool(frame.f_locals)  # which looks again


def as_written(item: Any, changes: Changes) -> Any:
    """An item that a region has left in its place, with what was written into its tensors."""
    if type(item) is Leaf:
        found = changes.get(PayloadPlace(item.source).key) if item.source is not None else None
        return item if found is None else Leaf(found[2].payload, found[2].type, item.source)
    if type(item) is MaybeItem:
        value = as_written(item.value, changes)
        return MaybeItem(value, item.defined, item.name, item.where)
    if type(item) is not Branching:
        return item
    children = [as_written(child, changes) for child in item.children]
    return Branching(item.kind, item.rest, children, item.join, item.source)


def _was_there(place: Place, old: Any, region: Region, before: Before) -> bool:
    if getattr(place, "is_payload", False):
        return type(old) is not Value or _is_around(region, old)
    owner = getattr(place, "owner", getattr(place, "container", None))
    if owner is None or isinstance(owner, (type, ModuleType)) or before.is_outer(owner):
        return True
    return region.provenance is not None and region.provenance.is_outside(place)


def _is_around(region: Region, value: Value) -> bool:
    """Whether a value is known around a region: not one of its own, or of one inside that ended."""
    if region.owns(value):
        return region.outer_of(value) is not None
    scope: Any = region.parent
    while scope is not None:
        if scope.owns(value):
            return True
        scope = getattr(scope, "parent", None)
    return any(outer.owns(value) for outer in region.root.outer)


def fail(region: Any, site: Site, reason: str) -> Break:
    """The end of a trace that cannot stage a site; to be raised."""
    ending = Break(reason, site.location)
    stop(region, ending)
    return ending
