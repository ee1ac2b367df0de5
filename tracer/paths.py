"""Paths: how a value outside of a function is found again at each call, and what users call it."""

from __future__ import annotations

import contextlib
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

#: Gives the name under which generated code finds a constant.
Namer = Callable[[Any], str]


class Path(ABC):
    """A way to a value: from a root, by attributes and items.

    Attributes
    ----------
    key : tuple
        Equal for equal ways.
    text : str
        As the user would write it.
    parent : Path or None
        The way to the object that the last step starts from; None for a root.
    """

    __slots__ = ("__weakref__", "key", "parent", "text")

    key: tuple[Any, ...]
    text: str
    parent: Path | None

    @abstractmethod
    def code(self, held: str, name: Namer) -> str:
        """An expression for the value; ``held`` is one for the parent's."""

    @abstractmethod
    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """The value, from that of the parent or from the arguments of a call."""

    @property
    def is_given(self) -> bool:
        """Whether the way begins at a whole argument."""
        return isinstance(self, Given) or (self.parent is not None and self.parent.is_given)

    @property
    def is_of_call(self) -> bool:
        """Whether the way begins at the arguments of a call."""
        begin: Path = self
        while begin.parent is not None:
            begin = begin.parent
        return isinstance(begin, (Argument, Given))

    def find(self, leaves: Any = (), given: Any = None) -> Any:
        """The present value.

        Raises
        ------
        Exception
            Whatever a step raises that has nothing to find.
        """
        held = None if self.parent is None else self.parent.find(leaves, given)
        return self.step(held, leaves, given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.text}>"


class Global(Path):
    """A global variable."""

    __slots__ = ("name", "namespace")

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.namespace, self.name = namespace, name
        self.parent, self.text = None, name
        self.key = ("global", id(namespace), name)

    def code(self, held: str, name: Namer) -> str:
        """A look-up in the module's dictionary."""
        return f"{name(self.namespace)}[{self.name!r}]"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """A look-up in the module's dictionary."""
        return self.namespace[self.name]


class Cell(Path):
    """A variable of an enclosing function."""

    __slots__ = ("cell",)

    def __init__(self, cell: Any, name: str) -> None:
        self.cell = cell
        self.parent, self.text = None, name
        self.key = ("cell", id(cell))

    def code(self, held: str, name: Namer) -> str:
        """What the cell holds."""
        return f"{name(self.cell)}.cell_contents"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """What the cell holds."""
        return self.cell.cell_contents


class Argument(Path):
    """A leaf of the arguments."""

    __slots__ = ("position",)

    def __init__(self, position: int, text: str) -> None:
        self.position = position
        self.parent, self.text = None, text
        self.key = ("argument", position)

    def code(self, held: str, name: Namer) -> str:
        """The leaf."""
        return f"leaves[{self.position}]"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """The leaf."""
        return leaves[self.position]


class Given(Path):
    """A whole argument, as the caller gave it."""

    __slots__ = ("where",)

    def __init__(self, where: tuple[int, int | str], text: str) -> None:
        self.where = where
        self.parent, self.text = None, text
        self.key = ("given", *where)

    def code(self, held: str, name: Namer) -> str:
        """A positional or named argument."""
        return f"given[{self.where[0]}][{self.where[1]!r}]"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """A positional or named argument."""
        return given[self.where[0]][self.where[1]]


class Held(Path):
    """An object that is known: kept weakly where that is possible and asked for."""

    __slots__ = ("_get",)

    def __init__(self, value: Any, text: str, weak: bool = False) -> None:
        self._get: Any = lambda: value
        if weak:
            with contextlib.suppress(TypeError):
                self._get = weakref.ref(value)
        self.parent, self.text = None, text
        self.key = ("held", id(value))

    @property
    def is_weak(self) -> bool:
        """Whether the object may be gone."""
        return isinstance(self._get, weakref.ref)

    def code(self, held: str, name: Namer) -> str:
        """The object, None when it is gone."""
        return f"{name(self._get)}()"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """The object, None when it is gone."""
        return self._get()


class Attr(Path):
    """An attribute."""

    __slots__ = ("name",)

    parent: Path

    def __init__(self, parent: Path, name: str) -> None:
        self.parent, self.name = parent, name
        self.text = f"{parent.text}.{name}"
        self.key = ("attribute", parent.key, name)

    def code(self, held: str, name: Namer) -> str:
        """An ordinary access."""
        return (
            f"{held}.{self.name}" if self.name.isidentifier() else f"getattr({held}, {self.name!r})"
        )

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """An ordinary access."""
        return getattr(held, self.name)


class Item(Path):
    """An item of a list, tuple, dict or the like."""

    __slots__ = ("index",)

    parent: Path

    def __init__(self, parent: Path, index: Any) -> None:
        self.parent, self.index = parent, index
        self.text = f"{parent.text}[{index!r}]"
        self.key = ("item", parent.key, type(index), index)

    def code(self, held: str, name: Namer) -> str:
        """An ordinary subscript."""
        plain = type(self.index) in (int, str)
        return f"{held}[{self.index!r}]" if plain else f"{held}[{name(self.index)}]"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """An ordinary subscript."""
        return held[self.index]


class Result(Path):
    """What a function that changes nothing gives for an object."""

    __slots__ = ("args", "function")

    parent: Path

    def __init__(self, parent: Path, function: Callable[..., Any], text: str, *args: Any) -> None:
        self.parent, self.function, self.args = parent, function, args
        self.text = text
        parts = [x if isinstance(x, str) else id(x) for x in (function, *args)]
        self.key = ("result", parent.key, *parts)

    def code(self, held: str, name: Namer) -> str:
        """A call."""
        return f"{name(self.function)}({', '.join([held, *map(name, self.args)])})"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """A call."""
        return self.function(held, *self.args)


class Class(Path):
    """The class of an object."""

    __slots__ = ()

    parent: Path

    def __init__(self, parent: Path) -> None:
        self.parent, self.text = parent, f"type({parent.text})"
        self.key = ("class", parent.key)

    def code(self, held: str, name: Namer) -> str:
        """The class."""
        return f"type({held})"

    def step(self, held: Any, leaves: Any, given: Any) -> Any:
        """The class."""
        return type(held)


__all__ = ["Argument", "Attr", "Cell", "Class", "Given", "Global", "Held", "Item", "Path", "Result"]
