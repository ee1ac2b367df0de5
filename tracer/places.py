"""Places that captured code can change, and journals of what they held before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


class _Unbound:
    """The value of a name that is not bound, and of a place that does not exist."""

    _instance: Any = None

    def __new__(cls) -> _Unbound:
        if cls._instance is None:
            cls._instance = object.__new__(cls)
        found: _Unbound = cls._instance
        return found

    def __repr__(self) -> str:
        return "UNBOUND"


UNBOUND = _Unbound()


class Place(Protocol):
    """A spot that can be read and written: an attribute, the contents of a list, ..."""

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for the same spot, as long as its object lives."""
        ...

    def read(self) -> Any:
        """What it holds, ``UNBOUND`` when nothing; of contents a shallow copy."""
        ...

    def write(self, value: Any) -> None:
        """Let it hold a value; ``UNBOUND`` removes it."""
        ...

    def describe(self) -> str:
        """How a message names it."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class AttrPlace:
    """An attribute of an object."""

    owner: Any
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The object and the name."""
        return "attribute", id(self.owner), self.name

    def read(self) -> Any:
        """What the object itself holds under the name."""
        held = getattr(self.owner, "__dict__", None)
        if held is not None and self.name in held:
            return held[self.name]
        slot = getattr(type(self.owner), self.name, None)
        if not hasattr(slot, "__set__"):
            return UNBOUND
        return getattr(self.owner, self.name, UNBOUND)

    def write(self, value: Any) -> None:
        """Set the attribute, past a ``__setattr__`` of the class."""
        try:
            if value is UNBOUND:
                if self.read() is not UNBOUND:
                    object.__delattr__(self.owner, self.name)
            else:
                object.__setattr__(self.owner, self.name, value)
        except TypeError:  # classes and modules
            if value is UNBOUND:
                delattr(self.owner, self.name)
            else:
                setattr(self.owner, self.name, value)

    def describe(self) -> str:
        """The attribute and the class."""
        return f"attribute {self.name} of a {type(self.owner).__name__}"


@dataclass(frozen=True, slots=True, eq=False)
class ContentPlace:
    """The contents of a list, dict, set, deque or bytearray."""

    container: Any

    @property
    def key(self) -> tuple[Any, ...]:
        """The container."""
        return "contents", id(self.container)

    def read(self) -> Any:
        """A plain shallow copy: a list, a dict or a set."""
        found = self.container
        if isinstance(found, dict):
            return dict(found)
        if isinstance(found, set):
            return set(found)
        return list(found)

    def write(self, value: Any) -> None:
        """Put other contents in, the container stays the same object."""
        found = self.container
        if isinstance(found, (list, bytearray)):
            found[:] = value
        elif isinstance(found, deque):
            found.clear()
            found.extend(value)
        else:
            found.clear()
            found.update(value)

    def describe(self) -> str:
        """The class of the container."""
        return f"a {type(self.container).__name__}"


#: Classes whose contents a ContentPlace can hold.
CONTAINERS: tuple[type, ...] = (list, dict, set, deque, bytearray)


@dataclass(frozen=True, slots=True, eq=False)
class PayloadPlace:
    """The payload of a tensor's handle, which an in-place write changes."""

    handle: Any
    is_payload: ClassVar[bool] = True

    @property
    def key(self) -> tuple[Any, ...]:
        """The handle."""
        return "payload", id(self.handle)

    def read(self) -> Any:
        """The payload."""
        return self.handle._data

    def write(self, value: Any) -> None:
        """Exchange the payload; views are places of their own."""
        self.handle._data = value

    def describe(self) -> str:
        """The tensor's type."""
        data = self.handle._data
        return f"a tensor ({data.dtype.name}, shape {tuple(data.shape)})"


@dataclass(frozen=True, slots=True, eq=False)
class CellPlace:
    """A variable of an enclosing function."""

    cell: Any
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The cell."""
        return "cell", id(self.cell)

    def read(self) -> Any:
        """What the variable holds."""
        try:
            return self.cell.cell_contents
        except ValueError:
            return UNBOUND

    def write(self, value: Any) -> None:
        """Assign to the variable."""
        if value is UNBOUND:
            del self.cell.cell_contents
        else:
            self.cell.cell_contents = value

    def describe(self) -> str:
        """The variable's name."""
        return f"variable {self.name} of an enclosing function"


@dataclass(frozen=True, slots=True, eq=False)
class GlobalPlace:
    """A global variable of a module."""

    namespace: dict[str, Any]
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The module and the name."""
        return "global", id(self.namespace), self.name

    def read(self) -> Any:
        """What the variable holds."""
        return self.namespace.get(self.name, UNBOUND)

    def write(self, value: Any) -> None:
        """Assign to the variable."""
        if value is UNBOUND:
            self.namespace.pop(self.name, None)
        else:
            self.namespace[self.name] = value

    def describe(self) -> str:
        """The variable's name."""
        return f"global {self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class VariablePlace:
    """The value that a ``pl.Variable`` has inside a trace."""

    state: Any
    is_payload: ClassVar[bool] = True

    @property
    def key(self) -> tuple[Any, ...]:
        """The variable's state in the trace."""
        return "variable", id(self.state)

    def read(self) -> Any:
        """The current payload."""
        return self.state.current

    def write(self, value: Any) -> None:
        """Exchange the payload."""
        self.state.current = value

    def describe(self) -> str:
        """The variable's name."""
        return f"variable {self.state.variable.name or ''}".rstrip()


def owner_of(place: Any) -> Any:
    """The object that a place belongs to; None for a variable's."""
    for name in ("handle", "container", "owner"):
        if hasattr(place, name):
            return getattr(place, name)
    return None


class Journal:
    """What places held before a stretch of code changed them, in the order of their changes."""

    __slots__ = ("_old",)

    def __init__(self) -> None:
        self._old: dict[tuple[Any, ...], tuple[Place, Any]] = {}

    def __len__(self) -> int:
        return len(self._old)

    def __contains__(self, place: Place | tuple[Any, ...]) -> bool:
        return (place if type(place) is tuple else place.key) in self._old  # type: ignore[union-attr]

    @property
    def entries(self) -> list[tuple[Place, Any]]:
        """Each changed place and what it held."""
        return list(self._old.values())

    def old(self, place: Place) -> Any:
        """What a changed place held."""
        return self._old[place.key][1]

    def before(self, place: Place) -> bool:
        """Note a place that is about to change; whether it was new."""
        key = place.key
        if key in self._old:
            return False
        self._old[key] = (place, place.read())
        return True

    def roll_back(self) -> None:
        """Give every place what it held, the latest change first."""
        for place, old in reversed(self._old.values()):
            place.write(old)
