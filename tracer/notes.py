"""What a trace notes for its reader: why it was needed, and what of it a graph cannot hold."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from types import ModuleType
from typing import Any

import numpy as np

from plait.ir import TensorType
from plait.ir.location import Location, display_name, user_location
from plait.tracer.arguments import is_device_array
from plait.tracer.tensor import Tensor

ABSENT = "absent"
#: How much of a value's text is shown.
MAX_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not what it was when the function was captured.

    Attributes
    ----------
    kind : str
        ``"argument"``, ``"structure"`` (of the arguments), ``"outside"`` (a global, an attribute,
        a closure's variable), ``"number"`` (that became an input, or had to be fixed),
        ``"device"``, ``"aliasing"`` or ``"cache"``.
    path : str
        As the user would write it: ``x``, ``config.rate``, ``items[2]``.
    before, after : str
        Type or value, ``"absent"`` where there is none.
    location : Location or None
        The user's line that passed or read it.
    note : str
        What else there is to say.
    """

    kind: str
    path: str
    before: str
    after: str
    location: Location | None = None
    note: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class UnseenCall:
    """A call of code that is run, but not looked into: what it reads is not watched."""

    function: str
    location: Location | None = None

    def __str__(self) -> str:
        return f"{self.function} is not looked into: a change of what it reads goes unnoticed"


@dataclass(frozen=True, slots=True)
class SideEffect:
    """Something that happened while the function was traced and will not at later calls."""

    what: str
    location: Location | None = None

    def __str__(self) -> str:
        return f"{self.what}: once, while the function was captured, not at later calls"


@dataclass(frozen=True, slots=True)
class UnrolledLoop:
    """A long loop whose trips are all written down."""

    trips: int
    reason: str
    location: Location | None = None

    def __str__(self) -> str:
        return f"a loop of {self.trips} trips is unrolled: {self.reason}"


Note = UnseenCall | SideEffect | UnrolledLoop


class Notes:
    """What one trace notes; each thing once."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def __iter__(self) -> Iterator[Note]:
        return iter(self._found)

    def unseen(self, function: str, location: Location | None = None) -> None:
        """Note a call of code that cannot be looked into."""
        self._found[UnseenCall(function, location or user_location())] = None

    def side_effect(self, what: str, location: Location | None = None) -> None:
        """Note something that a call of the graph will not do again."""
        self._found[SideEffect(what, location or user_location())] = None

    def unrolled(self, location: Location | None, trips: int, reason: str) -> None:
        """Note a long loop that did not become one in the graph."""
        self._found[UnrolledLoop(trips, reason, location or user_location())] = None


# How values show.


def shown(value: Any) -> str:
    """A value in a few words, without a device array's contents and without addresses."""
    if type(value) is Tensor:
        return str(TensorType(value.dtype, tuple(value.shape)))
    if isinstance(value, np.ndarray) or is_device_array(value):
        return f"array {TensorType(value.dtype, tuple(value.shape))}"
    if isinstance(value, (ModuleType, type)) or callable(value):
        return _shown_callable(value)
    text = _safe_repr(value)
    is_container = isinstance(value, (list, tuple, dict, set, frozenset))
    if is_container and (text.startswith("<") or len(text) > MAX_LENGTH):
        return f"{type(value).__name__} of {len(value)}"
    return cut(text)


def cut(text: str) -> str:
    """A text of bounded length."""
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."


def _shown_callable(value: Any) -> str:
    if isinstance(value, ModuleType):
        return f"<module {value.__name__}>"
    if isinstance(value, type):
        return f"<class {value.__qualname__}>"
    plain = inspect.unwrap(value) if hasattr(value, "__wrapped__") else value
    code = getattr(plain, "__code__", None)
    if code is not None:
        return f"<{value.__name__} at {display_name(code.co_filename)}:{code.co_firstlineno}>"
    name = getattr(value, "__qualname__", None)
    return f"<{name}>" if name else f"<{type(value).__name__} object>"


def _safe_repr(value: Any) -> str:
    plain = f"<{type(value).__name__} object>"
    try:
        text = repr(value)
    except Exception:
        return plain
    return plain if " object at 0x" in text else text


# What code that we do not look into does to what it is given.


def observed(notes: Notes, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call code that is not looked into, and note what it changes or writes.

    Parameters
    ----------
    notes : Notes
        Of the root trace.
    function : callable
        Of a library, or without source.
    """
    name = function_name(function)
    given = [getattr(function, "__self__", None), *args, *kwargs.values()]
    before = [_state(value) for value in given]
    result = function(*args, **kwargs)
    did = [
        _did(value)
        for value, then in zip(given, before, strict=True)
        if then is not None and not _same(then, _state(value))
    ]
    did = did or list(filter(None, [_writes_file(name, args, kwargs)]))
    for what in did[:1]:
        notes.side_effect(f"{name} {what}")
    return result


def function_name(function: Any) -> str:
    """A callable's name with its module, as the user would import it."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    if owner is not None and not isinstance(owner, ModuleType) and "." not in name:
        name = f"{type(owner).__name__}.{name}"
    module = str(getattr(function, "__module__", None) or "")
    module = (
        ""
        if module in ("builtins", "__main__") or function is open
        else _PUBLIC.get(module, module.lstrip("_"))
    )
    return f"{module}.{name}" if module else name


_PUBLIC = {"posix": "os", "nt": "os", "_io": "io"}


def _did(value: Any) -> str:
    if hasattr(value, "tell"):
        return f"moved on in {shown_file(value)}"
    return f"changed a {type(value).__name__} that it was given"


def shown_file(file: Any) -> str:
    """A file's name, where it has one."""
    name = getattr(file, "name", None)
    return repr(str(name)) if isinstance(name, (str, PurePath)) else f"a {type(file).__name__}"


def _state(value: Any) -> Any:
    """What would differ if the value was changed; None when nothing can be said."""
    kind = type(value)
    if kind is Tensor or isinstance(value, (ModuleType, type)):
        return None
    if isinstance(value, np.ndarray):
        return np.array(value, copy=True) if value.nbytes <= _LARGEST else None
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, dict):
        return [x for item in value.items() for x in item]
    if kind.__name__ == "deque" or isinstance(value, (list, set)):
        return list(value)
    if hasattr(value, "tell") and hasattr(value, "read"):
        return _position(value)
    held = getattr(value, "__dict__", None)
    return _state(dict(held)) if held and not callable(value) else None


_LARGEST = 1 << 24


def _position(file: Any) -> Any:
    try:
        return ("position", file.tell())
    except Exception:
        return None


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, np.ndarray):
        return bool(then.tobytes() == now.tobytes() and then.shape == now.shape)
    if isinstance(then, list):
        return len(then) == len(now) and all(a is b for a, b in zip(then, now, strict=True))
    return bool(then == now)


_WRITERS = {
    "write": "wrote to a file or stream",
    "writelines": "wrote to a file or stream",
    "write_text": "wrote a file",
    "write_bytes": "wrote a file",
    "savetxt": "wrote a file",
    "save": "wrote a file",
    "savez": "wrote a file",
    "savez_compressed": "wrote a file",
    "tofile": "wrote a file",
}
_CHANGES = "mkdir makedirs rmdir touch unlink remove rename replace symlink rmtree"
for _verb in _CHANGES.split():
    _WRITERS[_verb] = "changed the file system"
_OWNERS = ("io.", "os.", "pathlib.", "shutil.", "numpy.", "tempfile.")


def _writes_file(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What a function of the standard library or NumPy does to files, by its name."""
    short = name.rpartition(".")[2]
    if name == "open":
        mode = kwargs.get("mode", args[1] if len(args) > 1 else "r")
        return f"opened {str(args[0])!r} to write" if set(str(mode)) & set("wax+") else ""
    if name == "print":
        return "printed to a stream" if kwargs.get("file") else ""
    is_file = name.startswith(_OWNERS) or name.startswith(("TextIOWrapper.", "Buffered", "FileIO."))
    return _WRITERS.get(short, "") if is_file else ""


__all__ = [
    "ABSENT",
    "Change",
    "Note",
    "Notes",
    "SideEffect",
    "UnrolledLoop",
    "UnseenCall",
    "cut",
    "function_name",
    "observed",
    "shown",
    "shown_file",
]
