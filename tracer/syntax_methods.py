"""Special methods that Python's syntax calls: of a user's class they are converted while tracing.

``a + b`` calls ``a.__add__`` with no hook in between. So the classes of the objects that a trace
meets have their operators and iteration replaced by the converted forms, which do the same, until
no trace needs them any more.
"""

from __future__ import annotations

import threading
from types import FunctionType
from typing import Any

from plait.tracer import roots
from plait.tracer.converted import convert, is_converted
from plait.tracer.paths import Attr, Class, Namer, Path
from plait.tracer.trusted import is_trusted

_BINARY = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift"
_OTHERS = "neg pos abs invert lt le gt ge eq ne hash iter next"
NAMES = frozenset(
    [f"__{name}__" for name in (*_BINARY.split(), *_OTHERS.split())]
    + [f"__r{name}__" for name in _BINARY.split()]
)

_lock = threading.Lock()
#: For a class and a name the original, the converted form, and how many traces need it.
_replaced: dict[tuple[type, str], list[Any]] = {}
_originals: dict[Any, Any] = {}


def original_of(function: Any) -> Any:
    """The user's own function where a trace has put the converted form in its place."""
    return _originals.get(function, function) if type(function) is FunctionType else function


class SpecialMethod(Attr):
    """A special method as the user's class has it, whether or not a trace has replaced it."""

    __slots__ = ()

    def code(self, held: str, name: Namer) -> str:
        """The original function."""
        return f"{name(original_of)}({held}.{self.name})"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """The original function."""
        return original_of(getattr(held, self.name))


class SyntaxMethods:
    """The special methods that one trace has converted."""

    def __init__(self, provenance: Any) -> None:
        self._met: set[type] = set()
        self._held: list[tuple[type, str]] = []
        provenance.meet = lambda value: self._meet(provenance, value)

    def _meet(self, provenance: Any, value: Any) -> None:
        """Convert the special methods of an object's class; guard them if a path leads there."""
        kind = type(value)
        if kind in self._met:
            return
        self._met.add(kind)
        path = class_path(provenance, value)
        for base in kind.__mro__:
            if is_trusted(base):
                continue
            for name in NAMES & vars(base).keys():
                function = original_of(vars(base)[name])
                if type(function) is FunctionType:
                    self._replace(provenance, base, name, function, path)

    def _replace(
        self, provenance: Any, base: type, name: str, function: Any, path: Path | None
    ) -> None:
        converted = convert(function)
        if converted is function or not is_converted(converted):
            return
        with _lock:
            entry = _replaced.get((base, name))
            if entry is None:
                try:
                    setattr(base, name, converted)
                except TypeError:
                    return  # a class that does not change
                entry = _replaced[base, name] = [function, converted, 0]
                _originals[converted] = function
            entry[2] += 1
        self._held.append((base, name))
        if path is not None:
            where = SpecialMethod(path, name)
            provenance.guard(where, "is", lambda: function)
            provenance.root(function, where)
        roots.called(provenance, function)

    def release(self) -> None:
        """Give the classes their own methods back, where no other trace needs the converted."""
        with _lock:
            for key in self._held:
                entry = _replaced[key]
                entry[2] -= 1
                if entry[2]:
                    continue
                del _replaced[key]
                _originals.pop(entry[1], None)
                if vars(key[0]).get(key[1]) is entry[1]:
                    setattr(*key, entry[0])
        self._held.clear()


def class_path(provenance: Any, value: Any) -> Path | None:
    """A way to the class of an object: by the object, or by the name of the class."""
    path = provenance.path_of(value)
    return Class(path) if path is not None else provenance.path_of(type(value))


__all__ = ["SyntaxMethods", "class_path", "original_of"]
