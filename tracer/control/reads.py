"""Reads of converted code: names from outside, attributes, items; guarded while a trace runs."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.location import Location, display_name
from plait.tracer import roots
from plait.tracer.control import calls, lookups
from plait.tracer.paths import Attr, Cell, Class, Global, Item, Path
from plait.tracer.places import UNBOUND, AttrPlace, CellPlace, ContentPlace, GlobalPlace
from plait.tracer.provenance import CONTAINERS, PLAIN, Provenance
from plait.tracer.state import current
from plait.tracer.syntax_methods import original_of
from plait.tracer.tensor import Tensor
from plait.tracer.trusted import is_trusted, is_trusted_module

_BUILTIN = (list, tuple, dict)
#: Classes whose attributes and items are not looked into.
OPAQUE = frozenset((Tensor, bool, int, float, complex, str, bytes, type(None), range, slice))


def provenance() -> Provenance | None:
    """What the trace of this thread reads from outside; None when nothing is traced."""
    trace = current()
    return None if trace is None or trace.is_lazy else trace.provenance


# Names.


def enter(record: Any) -> None:
    """Guard the names that a function reads without telling: functions, classes, modules."""
    if not dispatch.active:
        return
    found = provenance()
    if found is None:
        return
    frame = sys._getframe(1)
    namespace = frame.f_globals
    for name, line in record.static_reads.items():
        path = Global(namespace, name)
        with found.at(Location(display_name(record.file), line, record.function)):
            if name not in namespace:
                found.missing(namespace, name)
            elif not found.is_written(GlobalPlace(namespace, name)):
                found.read(path, namespace[name])


def read(root: Any, value: Any, cell: Callable[[], Any] | None = None) -> Any:
    """A global, or with ``cell`` a variable of an enclosing function, that was read."""
    if not dispatch.active:
        return value
    return _read(root, value, cell, sys._getframe(1).f_globals, True)


def read_part(root: Any, value: Any, cell: Callable[[], Any] | None = None) -> Any:
    """As ``read``, where only what is asked of the value next is looked at."""
    if not dispatch.active:
        return value
    return _read(root, value, cell, sys._getframe(1).f_globals, False)


def _read(
    root: Any,
    value: Any,
    cell: Callable[[], Any] | None,
    namespace: dict[str, Any],
    whole: bool,
) -> Any:
    found = provenance()
    if found is None:
        return value
    if cell is not None:
        held = cell_of(cell)
        if id(held) not in found.cells:
            return value
        known = None if whole else found.seen(("cell", id(held)), value)
        if known is not None:
            return known
        if found.is_written(CellPlace(held, root.name)):
            return found.stand_in(value)
        return found.read(Cell(held, root.name), value, whole)
    known = None if whole else found.seen(("global", id(namespace), root.name), value)
    if known is not None:
        return known
    if root.name not in namespace:
        found.missing(namespace, root.name)
        return value
    if found.is_written(GlobalPlace(namespace, root.name)):
        return found.stand_in(value)
    return found.read(Global(namespace, root.name), value, whole)


def cell_of(function: Callable[[], Any]) -> Any:
    """The variable that a function of one expression returns."""
    closure: Any = getattr(function, "__closure__", None)
    return closure[0]


# Attributes.


def attr(obj: Any, name: str, *default: Any) -> Any:
    """``obj.name``, or ``getattr(obj, name, default)``."""
    if not dispatch.active or type(obj) in OPAQUE:
        return getattr(obj, name, *default)
    return _attr(obj, name, True, default)


def attr_part(obj: Any, name: str) -> Any:
    """``obj.name``, where only what is asked of the value next is looked at."""
    if not dispatch.active or type(obj) in OPAQUE:
        return getattr(obj, name)
    return _attr(obj, name, False, ())


def has_attr(obj: Any, name: str) -> bool:
    """``hasattr(obj, name)``."""
    return attr(obj, name, UNBOUND) is not UNBOUND


def _attr(obj: Any, name: str, whole: bool, default: tuple[Any, ...]) -> Any:
    found = provenance()
    if found is None:
        return getattr(obj, name, *default)
    if type(obj) is types.ModuleType and is_trusted_module(obj):
        value = getattr(obj, name, *default)
        if type(value) not in _BUILTIN:
            found.demand_still(value, f"{obj.__name__}.{name}")
        return value
    if type(obj) is super:
        return lookups.super_attribute(obj, name, default)
    if name.startswith("__"):
        return lookups.dunder(found, obj, name, default)
    path = found.path_of(obj)
    if path is not None:
        obj = found.stand_in(obj)
        if type(obj) is Tensor:
            return getattr(obj, name, *default)
    if isinstance(obj, types.ModuleType):
        return _module_attr(found, path, obj, name, whole, default)
    kind = obj if isinstance(obj, (type, types.FunctionType)) else type(obj)
    if is_trusted(kind):
        if path is None or kind is obj or calls.is_library(kind):
            return getattr(obj, name, *default)
        return _kept(found, path, obj, name, default)
    try:
        return _looked_up(found, path, obj, name, whole)
    except AttributeError:
        if not default:
            raise
        return default[0]


def _kept(found: Provenance, path: Path, obj: Any, name: str, default: tuple[Any, ...]) -> Any:
    """What an object of the standard library keeps, such as a ``SimpleNamespace``."""
    if found.is_written(AttrPlace(obj, name)):
        return found.stand_in(getattr(obj, name, *default))
    try:
        value = getattr(obj, name)
    except AttributeError:
        found.absent(Attr(path, name))
        if not default:
            raise
        return default[0]
    if type(value) in PLAIN or name in getattr(obj, "__dict__", ()):
        return found.read(Attr(path, name), value)
    return value


def _module_attr(
    found: Provenance,
    path: Path | None,
    module: Any,
    name: str,
    whole: bool,
    default: tuple[Any, ...],
) -> Any:
    if path is None or is_trusted_module(module):
        return getattr(module, name, *default)
    where = Attr(path, name)
    if found.is_written(AttrPlace(module, name)):
        return found.stand_in(getattr(module, name, *default))
    try:
        value = getattr(module, name)
    except AttributeError:
        found.absent(where)
        if not default:
            raise
        return default[0]
    return found.read(where, value, whole)


def _looked_up(found: Provenance, path: Path | None, obj: Any, name: str, whole: bool) -> Any:
    """An attribute as Python finds it; what is a user's function on the way is converted."""
    held = None if isinstance(obj, type) else class_attribute(type(obj), name)
    custom = special(obj, "__getattribute__")
    if custom is not None:
        return calls.call(custom, obj, name)
    if isinstance(held, property) and isinstance(held.fget, types.FunctionType):
        if path is not None:
            found.read(Attr(Class(path), name), held)
        return calls.call(held.fget, obj)
    if isinstance(held, functools.cached_property):
        return _cached(found, path, obj, name, held)
    if held is not None and (value := lookups.descriptor(found, path, obj, name)) is not UNBOUND:
        return value
    if path is None or found.is_written(AttrPlace(obj, name)):
        return _plain_attribute(found, None, obj, name)
    value = _plain_attribute(found, path, obj, name)
    if value is UNBOUND:
        return calls.call(class_attribute(type(obj), "__getattr__"), obj, name)
    if isinstance(value, types.MethodType) and value.__self__ is obj:
        where = Attr(path, name)
        found.guard(where, "method", value.__func__)
        found.root(value.__func__, Attr(where, "__func__"))
        return value
    return found.read(Attr(path, name), value, whole)


def _plain_attribute(found: Provenance, path: Path | None, obj: Any, name: str) -> Any:
    """An ordinary look-up; UNBOUND where the class has a ``__getattr__`` of the user for it."""
    fallback = class_attribute(type(obj), "__getattr__")
    if isinstance(fallback, types.FunctionType):
        try:
            return object.__getattribute__(obj, name)
        except AttributeError:
            if path is None:
                return calls.call(fallback, obj, name)
            found.absent(Attr(path, name))
            return UNBOUND
    try:
        return found.stand_in(getattr(obj, name)) if path is None else getattr(obj, name)
    except AttributeError:
        if path is not None:
            found.absent(Attr(path, name))
        raise


def _cached(found: Provenance, path: Path | None, obj: Any, name: str, held: Any) -> Any:
    """``functools.cached_property``: computed once and kept in the object."""
    if name not in vars(obj):
        if path is not None:
            found.absent(_InDict(path, name))
        value = calls.call(held.func, obj)
        current().note(AttrPlace(obj, name))
        vars(obj)[name] = value
        return value
    value = vars(obj)[name]
    if path is None or found.is_written(AttrPlace(obj, name)):
        return found.stand_in(value)
    return found.read(Attr(path, name), value)


class _InDict(Item):
    """An entry of an object's dictionary of attributes."""

    __slots__ = ()

    def __init__(self, parent: Path, name: str) -> None:
        super().__init__(Attr(parent, "__dict__"), name)
        self.text = f"{parent.text}.{name}"


def class_attribute(kind: type, name: str) -> Any:
    """What a class or its bases hold under a name, as it stands there; None for nothing."""
    return original_of(lookups.raw_attribute(kind, name))


def special(obj: Any, name: str) -> Any:
    """A user's function that Python calls for an operator, such as ``__call__``; else None."""
    method = class_attribute(type(obj), name)
    if not isinstance(method, types.FunctionType) or is_trusted(method):
        return None
    found = provenance() if dispatch.active else None
    path = None if found is None else found.path_of(obj)
    if found is not None and path is not None:
        where = Attr(Class(path), name)
        where.text = f"{path.text}.{name}"
        found.read(where, method)
    return method


# Items.


def item(obj: Any, key: Any) -> Any:
    """``obj[key]``."""
    kind = type(obj)
    if not dispatch.active or kind in OPAQUE:
        return obj[key]
    found = provenance() if kind in _BUILTIN else None
    if found is not None and found.path_of(obj) is None:
        return found.stand_in(obj[key])  # made by the trace: the most common case
    return _item(obj, key, True)


def item_part(obj: Any, key: Any) -> Any:
    """``obj[key]``, where only what is asked of the value next is looked at."""
    if not dispatch.active or type(obj) in OPAQUE:
        return obj[key]
    return _item(obj, key, False)


def _item(obj: Any, key: Any, whole: bool) -> Any:
    found = provenance()
    if found is None:
        return obj[key]
    obj = found.stand_in(obj)
    kind = type(obj)
    if kind is Tensor or isinstance(obj, np.ndarray):
        return obj[key]
    custom = special(obj, "__getitem__")
    if custom is not None:
        return calls.call(custom, obj, key)
    if not isinstance(obj, CONTAINERS):
        return obj[key]
    path = found.path_of(obj)
    container: Any = obj
    if path is None:
        return found.stand_in(container[key])
    if not _is_key(obj, key) or found.is_written(ContentPlace(obj)):
        return _changed_item(found, obj, key)
    return _original_item(found, path, obj, key, whole)


def _is_key(obj: Any, key: Any) -> bool:
    """Whether a key finds the same item again."""
    if isinstance(obj, dict):
        return isinstance(key, (str, bytes, int, float, bool, tuple, type(None))) or (
            class_attribute(type(key), "__hash__") is vars(object)["__hash__"]
        )
    return type(key) is int


def _changed_item(found: Provenance, obj: Any, key: Any) -> Any:
    """An item of a container that the trace changed, or with a key that is none to a guard."""
    edits = found.edits.get(id(obj))
    if (
        edits is None
        or not edits.is_simple
        or type(key) in (Tensor, slice)
        or key not in edits.keys
    ):
        found.whole(obj)
    return found.stand_in(obj[key])


def _original_item(found: Provenance, path: Path, obj: Any, key: Any, whole: bool) -> Any:
    where = Item(path, key)
    try:
        value = dict.__getitem__(obj, key) if isinstance(obj, dict) else obj[key]
    except KeyError:
        found.absent(where)
        if class_attribute(type(obj), "__missing__") is not None:
            note_missing(found, obj, key)
        return obj[key]
    except IndexError:
        found.guard(path, "length", len(obj))
        raise
    return found.read(where, value, whole)


def get(container: dict[Any, Any], key: Any, default: Any = None) -> Any:
    """``container.get(key, default)``."""
    found = provenance() if dispatch.active else None
    path = None if found is None else found.path_of(container)
    if found is None or path is None or type(key) is Tensor:
        return container.get(key, default)
    if not _is_key(container, key) or found.is_written(ContentPlace(container)):
        found.whole(container)
        return found.stand_in(container.get(key, default))
    if key in container:
        return _original_item(found, path, container, key, True)
    found.absent(Item(path, key))
    return default


def note_missing(found: Provenance, obj: Any, key: Any) -> None:
    """Say that a look-up is about to put an item into a dictionary."""
    current().note(ContentPlace(obj))
    found.note_edit(obj, (key,))


# For calls.


def contents(container: Any) -> None:
    """Say that code looks at all contents of a container."""
    found = provenance() if dispatch.active else None
    if found is not None and isinstance(container, CONTAINERS):
        found.whole(container)


def called(function: Any, args: tuple[Any, ...] = ()) -> None:
    """Say that a function is about to run: guard its code and defaults, and what it names."""
    found = provenance() if dispatch.active else None
    if found is not None:
        roots.given(found, function, args)
        roots.called(found, function)


def escape(obj: Any) -> None:
    """Say that an object goes to code that is not converted: its contents are guarded."""
    found = provenance() if dispatch.active else None
    if found is not None and isinstance(obj, CONTAINERS):
        found.whole(obj, static=True)


__all__ = [
    "attr",
    "attr_part",
    "called",
    "contents",
    "enter",
    "escape",
    "item",
    "item_part",
    "read",
    "read_part",
]
