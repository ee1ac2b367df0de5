"""What a trace notes for its reader: why it was needed, and what of it a graph cannot hold."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from plait.ir import SHORT_NAMES, TensorType
from plait.ir.location import UNKNOWN, Location, display_name, user_location
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
    location : Location
        The user's line that passed or read it.
    note : str
        What else there is to say.
    """

    kind: str
    path: str
    before: str
    after: str
    location: Location = UNKNOWN
    note: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class UnseenCall:
    """A call of code that is run, but not looked into: what it reads is not watched."""

    function: str
    location: Location = UNKNOWN

    def __str__(self) -> str:
        return f"{self.function} is not looked into: a change of what it reads goes unnoticed"


@dataclass(frozen=True, slots=True)
class SideEffect:
    """Something that happened while the function was traced and will not at later calls."""

    what: str
    location: Location = UNKNOWN

    def __str__(self) -> str:
        return f"{self.what}: once, while the function was captured, not at later calls"


@dataclass(frozen=True, slots=True)
class UnrolledLoop:
    """A long loop whose trips are all written down."""

    trips: int
    reason: str
    location: Location = UNKNOWN

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
    if isinstance(value, np.ndarray) and value.dtype not in SHORT_NAMES:
        return f"array {value.dtype}{[*value.shape]}"
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


# How functions are called.


def function_name(function: Any) -> str:
    """A callable's name with its module, as the user would import it."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    if owner is not None and not isinstance(owner, ModuleType) and "." not in name:
        name = f"{type(owner).__name__}.{name}"
    module = str(getattr(function, "__module__", None) or "")
    if module in ("", "builtins", "__main__") or function is open:
        return name
    return f"{_PUBLIC.get(module, module.lstrip('_'))}.{name}"


_PUBLIC = {"posix": "os", "nt": "os", "_io": "io"}


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
    "shown",
]
