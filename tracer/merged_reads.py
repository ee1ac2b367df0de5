"""Reads that a merge makes: a place that one branch changes keeps in the other what it held."""

from __future__ import annotations

from typing import Any

from plait.tracer.paths import Attr, Cell, Global, Item, Path
from plait.tracer.places import UNBOUND, AttrPlace, CellPlace, ContentPlace, GlobalPlace, Place
from plait.tracer.provenance import Provenance

#: Contents of up to so many items are read one by one: numbers and tensors among them are inputs.
ITEMS = 64


def look(found: Provenance, place: Place, was_written: bool) -> None:
    """Guard what an outside place holds, which a region is about to change, or make it an input.

    Parameters
    ----------
    found : Provenance
    place : Place
        Noted by the trace already, so that what it holds may be exchanged.
    was_written : bool
        Whether the trace itself has changed it before the region.
    """
    if not found.is_outside(place):
        return
    if isinstance(place, ContentPlace):
        if was_written or not isinstance(place.container, (list, dict)):
            found.whole(place.container)
        else:
            _look_inside(found, place.container)
        return
    path = _path(found, place)
    if path is None or was_written:
        return
    value = place.read()
    if value is UNBOUND and isinstance(place, AttrPlace):
        value = getattr(place.owner, place.name, UNBOUND)  # the class's
    if value is UNBOUND:
        found.absent(path)
        return
    seen = found.read(path, value, whole=False)
    if seen is not place.read():
        place.write(seen)


def _path(found: Provenance, place: Place) -> Path | None:
    if isinstance(place, AttrPlace):
        owner = found.path_of(place.owner)
        return None if owner is None else Attr(owner, place.name)
    if isinstance(place, CellPlace):
        return Cell(place.cell, place.name)
    return Global(place.namespace, place.name) if isinstance(place, GlobalPlace) else None


def _look_inside(found: Provenance, container: Any) -> None:
    path = found.path_of(container)
    if path is None or len(container) > ITEMS:
        found.whole(container)
        return
    if isinstance(container, dict):
        found.guard(path, "keys", [*container])
        items = [*container.items()]
    else:
        found.guard(path, "length", len(container))
        items = [*enumerate(container)]
    for key, value in items:
        seen = found.read(Item(path, key), value, whole=False)
        if seen is not value:
            container[key] = seen


__all__ = ["look"]
