"""What a trace reads from outside: which paths lead there, what must hold there, what is an input.

An object that was reached from a global, a closure, an argument or the like has a path. Objects
made by the trace have none, and what is read from them needs no guard.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from plait.ir import SHORT_NAMES, Value
from plait.ir.location import Location, user_location
from plait.tracer.guards import Guard, Strong, weakly
from plait.tracer.outcome import Break, stop
from plait.tracer.paths import Attr, Global, Item, Path, Result
from plait.tracer.places import CellPlace, ContentPlace, GlobalPlace, Place
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.tensor_views import as_array
from plait.tracer.trusted import LIBRARIES, is_trusted

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type, types.ModuleType)
METHODS = (types.MethodType,)
CONTAINERS = (list, dict, tuple, set, frozenset, deque, bytearray)
#: Classes of values that are compared and never change.
PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes, range, slice, type(...)))
NUMBERS = frozenset((int, float, complex))


def _is_of_library(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in LIBRARIES


class Edits:
    """How the trace changed an outside container, as far as that needs not its contents.

    Attributes
    ----------
    keys : dict
        Keys and indices that were set.
    is_simple : bool
        Whether there was nothing but such sets, and appends.
    """

    __slots__ = ("is_simple", "keys")

    def __init__(self) -> None:
        self.keys: dict[Any, None] = {}
        self.is_simple = True


class Provenance:
    """What one trace reads from outside.

    Parameters
    ----------
    trace : Trace
        The root trace.

    Attributes
    ----------
    guards : dict
        Guards by their keys, in the order of the reads.
    edits : dict
        For each container that the trace changed, by its identity, how.
    cells : set
        Variables of enclosing functions that were there before the trace, by identity.
    """

    def __init__(self, trace: Any) -> None:
        self.trace = trace
        self.meet: Callable[[Any], None] | None = None  # told of outside objects that are found
        self.guards: dict[tuple[Any, ...], Guard] = {}
        self.edits: dict[int, Edits] = {}
        self.cells: set[int] = set()
        self._paths: dict[int, Path] = {}
        self._kept: list[Any] = []
        self._read: dict[tuple[Any, ...], tuple[Any, Any]] = {}
        self._stand_ins: dict[int, Tensor] = {}
        self._inputs: dict[int, Value] = {}
        self._originals: dict[int, Any] = {}
        self._whole: set[int] = set()
        self._called: set[tuple[int, str]] = set()
        self._location: Location | None = None

    # Which objects are from outside.

    def path_of(self, value: Any) -> Path | None:
        """The way to an object that was reached from outside; None for one made by the trace."""
        return self._paths.get(id(value))

    def root(self, value: Any, path: Path) -> None:
        """Say that a path leads to an object; the first one said stays."""
        if id(value) not in self._paths:
            self._paths[id(value)] = path
            self._kept.append(value)
            if self.meet is not None and not isinstance(value, (*FUNCTIONS, *CONTAINERS)):
                self.meet(value)

    def is_outside(self, place: Place) -> bool:
        """Whether a place was there before the trace."""
        owner = getattr(place, "owner", getattr(place, "container", None))
        if owner is not None:
            return self.path_of(owner) is not None
        if isinstance(place, CellPlace):
            return id(place.cell) in self.cells
        return isinstance(place, GlobalPlace)

    def is_written(self, place: Place) -> bool:
        """Whether the trace changed a place, so that what is there now is its own."""
        return place in self.trace.journal

    def original(self, stand_in: Any) -> Any:
        """The outside array that a tracer stands for; None when it stands for none."""
        return self._originals.get(id(stand_in))

    def unchanged(self, stand_in: Any) -> Any:
        """The outside array that a tracer stands for and was not written into; else None."""
        array = self._originals.get(id(stand_in))
        same = array is not None and stand_in._data is self._inputs[id(array)]
        return array if same else None

    def stand_in(self, value: Any) -> Any:
        """What captured code gets in the place of an outside array."""
        return self._stand_ins.get(id(value), value)

    def written_arrays(self) -> list[tuple[Any, Any]]:
        """Outside arrays that the trace wrote into, and what stands for them."""
        found = [(self._originals[id(s)], s) for s in self._stand_ins.values()]
        return [(array, s) for array, s in found if s._data is not self._inputs[id(array)]]

    def stand_ins(self) -> list[tuple[Value, Tensor]]:
        """What stands for outside arrays, by the inputs of the graph."""
        return [(self._inputs[i], made) for i, made in self._stand_ins.items()]

    def release(self) -> None:
        """Let go of everything but the guards."""
        self.trace = self.meet = None
        for held in (self._paths, self._kept, self._read, self._stand_ins, self._originals):
            held.clear()

    # Guards.

    def guard(self, path: Path, kind: str, expected: Any) -> None:
        """Demand something of what a path leads to."""
        made = Guard(path, kind, expected, self._location or user_location(2))
        self.guards.setdefault(made.key, made)

    @contextmanager
    def at(self, location: Location) -> Iterator[None]:
        """Give guards made meanwhile this location."""
        saved, self._location = self._location, location
        try:
            yield
        finally:
            self._location = saved

    def is_known(self, function: Any, how: str = "") -> bool:
        """Whether a function was said to run before, in this way; from now on it was."""
        if (id(function), how) in self._called:
            return True
        self._called.add((id(function), how))
        self._kept.append(function)
        return False

    def absent(self, path: Path) -> None:
        """Demand that a path leads nowhere."""
        self.guard(path, "absent", None)

    def missing(self, namespace: dict[str, Any], name: str) -> None:
        """Demand that a global is not there, and that Python's own of that name stays."""
        self.absent(Global(namespace, name))
        found = vars(builtins)
        if name in found:
            path = Global(found, name)
            path.text = f"builtins.{name}"
            if isinstance(found[name], types.FunctionType):
                self.read(path, found[name])
            else:
                self.guard(path, "is", Strong(found[name]))

    # Reading.

    def read(self, path: Path, value: Any, whole: bool = True) -> Any:
        """Note that a path was read; gives what captured code is to see.

        Parameters
        ----------
        path : Path
        value : Any
            What was found.
        whole : bool
            Whether all of a container's contents may be looked at.
        """
        known = self._read.get(path.key)
        if known is not None and known[0] is value:
            if whole and isinstance(value, CONTAINERS):
                self.whole(value)
            return known[1]
        result = self._classify(path, value, whole)
        self._read[path.key] = (value, result)
        self._kept.append(value)
        return result

    def seen(self, key: tuple[Any, ...], value: Any) -> Any:
        """What a read of a name gave that found the same value; None when it is to be made.

        Names have the same keys as paths and as places.
        """
        known = self._read.get(key)
        if known is None or known[0] is not value or key in self.trace.journal:
            return None
        return known[1]

    def read_static(self, path: Path, value: Any) -> None:
        """Note that code reads a path which does not tell what it does with the value."""
        if type(value) in PLAIN:
            self._read_plain(path, value, type(value), static=True)
        elif isinstance(value, np.ndarray):
            self._array(path, value)
        else:
            self._classify(path, value, True, static=True)

    def _classify(self, path: Path, value: Any, whole: bool, static: bool = False) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return self._read_plain(path, value, kind, static=static)
        if kind is Tensor:
            return self._read_tensor(path, value)
        if isinstance(value, np.ndarray):
            return self._read_array(path, value)
        if isinstance(value, FUNCTIONS):
            self.guard(path, "is", Strong(value))
            self.root(value, path)
        elif isinstance(value, METHODS):
            self._read_method(path, value)
        elif isinstance(value, CONTAINERS):
            self.guard(path, "type", kind)
            self._register(path, value)
            if whole:
                self.whole(value, static)
        elif isinstance(value, (np.generic, np.dtype)):
            self.guard(path, "value", value)
        elif kind is types.MappingProxyType:
            self.guard(path, "is", weakly(value))
            contents = Result(path, dict, path.text)
            self.guard(contents, "keys", [*value])
            self._elements(contents, value.items(), static=True)
        else:
            self.demand_still(value, path.text)
            self.guard(path, "is", weakly(value))
            self.root(value, path)
        return value

    def demand_still(self, value: Any, text: str) -> None:
        """Refuse what changes where nobody can watch.

        Raises
        ------
        Break
            An iterator, or a collection whose code is the standard library's.
        """
        kind = type(value)
        if value is sys.stdout or value is sys.stderr or _is_of_library(kind):
            return
        if isinstance(value, CONTAINERS):
            return
        step = getattr(kind, "__next__", None)
        if step is not None and not isinstance(step, types.FunctionType):
            reason = "is an iterator from outside, which moves on at each call; pass what it gives"
            raise stop(self.trace, Break(f"{text} {reason}"))
        if isinstance(value, Collection) and is_trusted(getattr(kind, "__iter__")):  # noqa: B009
            reason = "whose contents cannot be watched; use a dict or a list, or pass what it holds"
            raise stop(self.trace, Break(f"{text} is a {kind.__name__}, {reason}"))

    def _register(self, path: Path, value: Any) -> None:
        """Remember the way to something that another one may take the place of."""
        known = self.path_of(value)
        if known is None:
            self.root(value, path)
        elif known.key != path.key:
            self.guard(path, "same", known)

    def _read_plain(self, path: Path, value: Any, kind: type, static: bool) -> Any:
        if kind not in NUMBERS or static:
            self.guard(path, "value", value)
            return value
        if ("number", path.key) not in self.trace.decisions or not _fits(value):
            self.guard(path, "value", value)
            return value
        self.guard(path, "number", kind)
        return wrap(self.trace.outside_number(path, value), "number")

    def _read_tensor(self, path: Path, value: Tensor) -> Tensor:
        if type(value._data) is Value:
            if id(value) in self.trace.adopted.items:
                self._register(path, value)
                return value
            if value in self._originals.values() or self.trace.owns(value._data):
                return value
            if value._kind != "tensor":
                return value  # of a trace around this one, whose number or array it is
        data = value._data
        self.guard(path, "tensor", (data.dtype, tuple(data.shape)))
        self._register(path, value)
        return value

    def _array(self, path: Path, value: Any) -> bool:
        """Guard the type of an array; whether a graph can read it."""
        if value.dtype not in SHORT_NAMES or type(value) is not np.ndarray:
            kind = type(value).__name__
            reason = f"{path.text} is a {kind} of {value.dtype}, whose elements cannot be watched"
            raise stop(self.trace, Break(f"{reason}; pass what is needed of it"))
        self.guard(path, "array", (type(value), value.dtype, value.shape))
        self._register(path, value)
        return True

    def _read_array(self, path: Path, value: Any) -> Any:
        if not self._array(path, value):
            return value
        found = self._stand_ins.get(id(value))
        if found is None:
            found = wrap(self.trace.outside_array(value), "ndarray")
            as_array(found)
            self._stand_ins[id(value)] = found
            self._inputs[id(value)] = found._data
            self._originals[id(found)] = value
        return found

    def tracer_of(self, array: Any) -> Tensor | None:
        """What stands for an array that a path leads to; None for any other array.

        Code that is not converted takes arrays out of containers itself.
        """
        path = self.path_of(array)
        if path is None or not self._array(path, array):
            return None
        found: Tensor = self._read_array(path, array)
        return found

    def _read_method(self, path: Path, value: Any) -> None:
        self.guard(path, "method", value.__func__)
        self.read(Attr(path, "__self__"), value.__self__, whole=False)

    # Contents.

    def whole(self, container: Any, static: bool = False) -> None:
        """Guard all contents of an outside container, as they were before the trace."""
        path = self.path_of(container)
        if path is None or id(container) in self._whole:
            return
        self._whole.add(id(container))
        contents = container
        place = ContentPlace(container)
        if self.is_written(place):
            contents = self.trace.journal.old(place)
        if isinstance(container, dict):
            self.guard(path, "keys", [*contents])
            self._elements(path, contents.items(), static)
        elif isinstance(container, (set, frozenset)):
            self.guard(path, "set", contents.copy())
        elif contents and all(map(_is_compared, contents)):
            self.guard(path, "contents", [*contents])
        else:
            self.guard(path, "length", len(contents))
            self._elements(path, enumerate(contents), static)

    def _elements(self, path: Path, pairs: Any, static: bool) -> None:
        for key, item in pairs:
            where, kind = Item(path, key), type(item)
            if static or kind in PLAIN:
                self.read_static(where, item)
            else:
                self.read(where, item, whole=True)

    def note_edit(self, container: Any, keys: tuple[Any, ...] | None) -> None:
        """Say, before it happens, that the trace changes a container.

        Parameters
        ----------
        container : Any
        keys : tuple or None
            Keys or indices that are set, none of them for an append; None for any other change.
        """
        edits = self.edits.setdefault(id(container), Edits())
        if keys is None:
            self.whole(container)
            edits.is_simple = False
        else:
            edits.keys |= dict.fromkeys(keys)
        self._kept.append(container)


def _is_compared(value: Any) -> bool:
    """Whether ``==`` says that a value is the same, given that the class is."""
    kind = type(value)
    return kind in PLAIN and not (kind in (float, complex) and (not value or value != value))


def _fits(value: Any) -> bool:
    return type(value) is not int or -(2**63) <= value < 2**63


__all__ = ["CONTAINERS", "FUNCTIONS", "METHODS", "NUMBERS", "PLAIN", "Edits", "Provenance"]
