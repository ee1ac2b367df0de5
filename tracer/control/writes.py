"""Writes of converted code: noted before they happen, so that each call can make them again."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.tracer.control import calls, lookups, moving
from plait.tracer.control.reads import OPAQUE, cell_of, class_attribute, provenance, special
from plait.tracer.places import AttrPlace, CellPlace, ContentPlace, GlobalPlace, Place
from plait.tracer.provenance import CONTAINERS
from plait.tracer.state import current
from plait.tracer.tensor import Tensor

#: Methods of containers that look at nothing and add at the end.
APPENDING = frozenset(("append", "extend", "__iadd__"))
#: Methods of containers that change nothing.
_READING = (
    "__contains__ __eq__ __getitem__ __iter__ __len__ __reversed__ copy count difference get "
    "index intersection isdisjoint issubset issuperset items keys symmetric_difference union values"
)
READING = frozenset(_READING.split())


def _note(place: Place) -> bool:
    """Note a place that is about to change; whether anything is traced."""
    trace = current()
    if trace is None:
        return False
    trace.note(place)
    return True


# Names.


def write(root: Any, value: Any, cell: Callable[[], Any] | None = None) -> None:
    """Assign to a global or, with ``cell``, to a variable of an enclosing function."""
    place = _place(root, cell, sys._getframe(1).f_globals)
    if dispatch.active:
        _note(place)
    place.write(value)


def delete(root: Any, cell: Callable[[], Any] | None = None) -> None:
    """``del`` of a global or a variable of an enclosing function."""
    namespace = sys._getframe(1).f_globals
    place = _place(root, cell, namespace)
    if dispatch.active:
        _note(place)
    if cell is None:
        if root.name not in namespace:
            raise NameError(f"name {root.name!r} is not defined", name=root.name)
        del namespace[root.name]
    else:
        del cell_of(cell).cell_contents


def _place(root: Any, cell: Callable[[], Any] | None, namespace: dict[str, Any]) -> Place:
    if cell is None:
        return GlobalPlace(namespace, root.name)
    return CellPlace(cell_of(cell), root.name)


# Attributes.


def set_attr(obj: Any, name: str, value: Any) -> None:
    """``obj.name = value``."""
    if dispatch.active and type(obj) not in OPAQUE and provenance() is not None:
        custom = special(obj, "__setattr__")
        if custom is not None:
            calls.call(custom, obj, name, value)
            return
        held = class_attribute(type(obj), name)
        if isinstance(held, property) and isinstance(held.fset, types.FunctionType):
            calls.call(held.fset, obj, value)
            return
        custom = lookups.descriptor_setter(obj, name, "__set__")
        if custom is not None:
            custom(obj, value)
            return
        _note(AttrPlace(obj, name))
    setattr(obj, name, value)


def del_attr(obj: Any, name: str) -> None:
    """``del obj.name``."""
    if dispatch.active and type(obj) not in OPAQUE and provenance() is not None:
        custom = special(obj, "__delattr__")
        if custom is not None:
            calls.call(custom, obj, name)
            return
        held = class_attribute(type(obj), name)
        if isinstance(held, property) and isinstance(held.fdel, types.FunctionType):
            calls.call(held.fdel, obj)
            return
        custom = lookups.descriptor_setter(obj, name, "__delete__")
        if custom is not None:
            custom(obj)
            return
        _note(AttrPlace(obj, name))
    delattr(obj, name)


def set_own_attr(obj: Any, name: str, value: Any) -> None:
    """``object.__setattr__(obj, name, value)``."""
    if dispatch.active and provenance() is not None:
        _note(AttrPlace(obj, name))
    object.__setattr__(obj, name, value)


def del_own_attr(obj: Any, name: str) -> None:
    """``object.__delattr__(obj, name)``."""
    if dispatch.active and provenance() is not None:
        _note(AttrPlace(obj, name))
    object.__delattr__(obj, name)


# Items.


def set_item(obj: Any, key: Any, value: Any) -> None:
    """``obj[key] = value``."""
    if not dispatch.active or type(obj) in OPAQUE:
        obj[key] = value
        return
    found = provenance()
    if found is not None:
        obj = found.stand_in(obj)
    if found is None or type(obj) is Tensor or isinstance(obj, np.ndarray):
        if isinstance(obj, np.ndarray):
            moving.refuse(obj)
        obj[key] = value
        return
    custom = special(obj, "__setitem__")
    if custom is not None:
        calls.call(custom, obj, key, value)
        return
    if isinstance(obj, CONTAINERS):
        lookups.refuse_attributes(obj)
        current().note(ContentPlace(obj))
        found.note_edit(obj, _set_keys(found, obj, key))
    obj[key] = value


def _set_keys(found: Any, obj: Any, key: Any) -> tuple[Any, ...] | None:
    """The keys that an assignment sets whatever the container holds; None for other changes."""
    if isinstance(obj, dict):
        return (key,)
    edits = found.edits.get(id(obj))
    if type(key) is not int or len(obj) != len(current().root.journal.old(ContentPlace(obj))):
        return None
    path = found.path_of(obj)
    if path is not None and (edits is None or edits.is_simple):
        found.guard(path, "length", len(obj))
    return (key % len(obj),) if -len(obj) <= key < len(obj) else None


def del_item(obj: Any, key: Any) -> None:
    """``del obj[key]``."""
    if dispatch.active and type(obj) not in OPAQUE and provenance() is not None:
        custom = special(obj, "__delitem__")
        if custom is not None:
            calls.call(custom, obj, key)
            return
        if isinstance(obj, CONTAINERS):
            mutate(obj, "__delitem__", (key,))
    del obj[key]


def mutate(container: Any, method: str, args: tuple[Any, ...] = ()) -> None:
    """Say that a method of a builtin container is about to run.

    Parameters
    ----------
    container : Any
    method : str
        Its name, such as ``"append"``.
    args : tuple, optional
        Its positional arguments.
    """
    found = provenance() if dispatch.active else None
    if found is None or not isinstance(container, CONTAINERS):
        return
    if method in READING or isinstance(container, (tuple, frozenset)):
        found.whole(container)
        return
    lookups.refuse_attributes(container)
    current().note(ContentPlace(container))
    if method in APPENDING and isinstance(container, list):
        found.note_edit(container, ())
    elif method == "__setitem__" and isinstance(container, dict):
        found.note_edit(container, (args[0],))
    else:
        found.note_edit(container, None)


__all__ = [
    "del_attr",
    "del_item",
    "delete",
    "mutate",
    "set_attr",
    "set_item",
    "set_own_attr",
    "write",
]
