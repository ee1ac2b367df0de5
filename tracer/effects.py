"""What captured code changed outside: values of its graph, and where each call puts them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from plait.ir import Value
from plait.ir.errors import TraceError
from plait.ir.location import Location
from plait.tracer.outside import MetArray
from plait.tracer.paths import Held, Path
from plait.tracer.places import (
    UNBOUND,
    AttrPlace,
    CellPlace,
    ContentPlace,
    GlobalPlace,
    Place,
)
from plait.tracer.provenance import PLAIN, Edits
from plait.tracer.pytree import container_of
from plait.tracer.tensor import FROZEN, Tensor
from plait.tracer.trusted import is_trusted


class Making:
    """One call's values: what recipes are made from.

    Attributes
    ----------
    output : callable
        The value of an ``Output`` at this call.
    found : sequence
        What the paths asked for lead to at this call.
    result : sequence
        The leaves of the function's result, as far as they are made.
    """

    def __init__(
        self, output: Callable[[Any], Any], found: Sequence[Any], result: Sequence[Any]
    ) -> None:
        self.output, self.found, self.result = output, found, result
        self._made: dict[int, Any] = {}

    def make(self, recipe: Recipe) -> Any:
        """The value of a recipe; one and the same object however often it is asked for."""
        key = id(recipe)
        if key not in self._made:
            self._made[key] = recipe.make(self)
        return self._made[key]

    def keep(self, recipe: Recipe, value: Any) -> None:
        """Say early what a recipe gives, for objects that hold themselves."""
        self._made[id(recipe)] = value


class Recipe(ABC):
    """How to make a value anew at each call."""

    __slots__ = ()

    @abstractmethod
    def make(self, making: Making) -> Any:
        """The value at one call."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Recipe):
    """A value that a graph's output or an argument gives."""

    output: Any

    def make(self, making: Making) -> Any:
        """The output's value."""
        return making.output(self.output)


@dataclass(frozen=True, slots=True, eq=False)
class Again(Recipe):
    """A leaf of the function's result."""

    index: int

    def make(self, making: Making) -> Any:
        """The leaf itself."""
        return making.result[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Outside(Recipe):
    """An object from outside."""

    index: int

    def make(self, making: Making) -> Any:
        """What its path led to when the call began."""
        return making.found[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Recipe):
    """A value that is the same at each call."""

    value: Any

    def make(self, making: Making) -> Any:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True, eq=False)
class Copy(Recipe):
    """A fresh copy of an array, a set or the like."""

    value: Any

    def make(self, making: Making) -> Any:
        """A copy."""
        return self.value.copy()


@dataclass(slots=True, eq=False)
class Build(Recipe):
    """A container of other values."""

    join: Callable[[list[Any]], Any]
    children: list[Recipe] = field(default_factory=list)

    def make(self, making: Making) -> Any:
        """A new container."""
        return self.join([making.make(child) for child in self.children])


@dataclass(slots=True, eq=False)
class Instance(Recipe):
    """An object of a user's class."""

    kind: type
    names: list[str] = field(default_factory=list)
    children: list[Recipe] = field(default_factory=list)

    def make(self, making: Making) -> Any:
        """A new object with the same attributes; its constructor does not run."""
        made: Any = object.__new__(self.kind)
        making.keep(self, made)
        for name, child in zip(self.names, self.children, strict=True):
            object.__setattr__(made, name, making.make(child))
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One change outside.

    Attributes
    ----------
    kind : str
        ``"attribute"``, ``"global"``, ``"cell"``, ``"item"``, ``"extend"``, ``"contents"`` or
        ``"tensor"`` (written in place; an array, too).
    target : int
        Which of the program's paths leads to the object that is changed.
    name : Any
        The attribute, the variable or the key.
    value : Recipe or None
        None for what is deleted.
    location : Location or None
        The user's line that makes the change first.
    """

    kind: str
    target: int
    name: Any
    value: Recipe | None
    location: Location | None = None

    def apply(self, making: Making) -> None:
        """Make the change."""
        value = UNBOUND if self.value is None else making.make(self.value)
        _APPLY[self.kind](making.found[self.target], self.name, value)


def _set_item(target: Any, name: Any, value: Any) -> None:
    target[name] = value


def _write(target: Any, name: Any, value: Any) -> None:
    if type(target) is not Tensor:
        np.copyto(target, np.asarray(value._data))
        return
    storage = getattr(target, "_storage", None)
    if storage is None or not hasattr(storage, "handles"):
        target._data, target._storage = value._data, FROZEN
    else:
        target[...] = value


_APPLY: dict[str, Callable[[Any, Any, Any], None]] = {
    "attribute": lambda target, name, value: AttrPlace(target, name).write(value),
    "global": lambda target, name, value: GlobalPlace(target, name).write(value),
    "cell": lambda target, name, value: CellPlace(target, name).write(value),
    "item": _set_item,
    "extend": lambda target, name, value: target.extend(value),
    "contents": lambda target, name, value: ContentPlace(target).write(value),
    "tensor": _write,
}


class Collector:
    """Turns what a trace leaves outside into effects.

    Parameters
    ----------
    trace : Trace
    leaf : callable
        ``leaf(value)`` gives the ``Output`` of a leaf, which becomes an output of the graph where
        it is traced.
    """

    def __init__(self, trace: Any, leaf: Callable[[Any], Any]) -> None:
        self.trace = trace
        self.provenance = trace.provenance
        self.paths: list[Path] = []
        self.effects: list[Effect] = []
        self._leaf = leaf
        self._where: dict[tuple[Any, ...], int] = {}
        self._given: dict[int, Path] = {}
        self._recipes: dict[int, Recipe] = {}
        self._kept: list[Any] = []

    def path(self, path: Path) -> int:
        """The number of a path that is looked up when a call begins."""
        if path.key not in self._where:
            self._where[path.key] = len(self.paths)
            self.paths.append(path)
        return self._where[path.key]

    # Values.

    def note_result(self, leaves: Sequence[Any]) -> None:
        """Say which objects are leaves of the function's result."""
        for i, leaf in enumerate(leaves):
            if not is_made(leaf):
                self._recipes.setdefault(id(leaf), Again(i))

    def recipe(self, value: Any) -> Recipe:
        """How to make a value at each call."""
        if type(value) in PLAIN:
            return Constant(value)
        known = self._recipes.get(id(value))
        if known is None:
            self._kept.append(value)
            known = self._recipe(value)
            self._recipes[id(value)] = known
        return known

    def _recipe(self, value: Any) -> Recipe:
        path = self.outside(value)
        if path is not None:
            return Outside(self.path(path))
        container = container_of(value)
        if container is not None:
            children, rest = container[0](value)
            made = Build(partial(container[1], rest))
            self._recipes[id(value)] = made
            made.children.extend([self.recipe(child) for child in children])
            return made
        if type(value) in (set, bytearray, deque):
            return Copy(value.copy())
        if isinstance(value, np.ndarray):
            return self._array(value)
        if is_made(value):
            return self._instance(value)
        if is_text(value):
            return Leaf(self._leaf(value))
        if type(value) is Tensor:
            return Leaf(self._leaf(value)) if type(value._data) is Value else Constant(value)
        if holds_tracers(value):
            raise TraceError(
                f"a {type(value).__name__} that holds tensors which are being traced is kept "
                "outside of the compiled function; keep the tensors themselves"
            )
        return Constant(value)

    def outside(self, value: Any) -> Path | None:
        """The way to an object from outside, or to what a tracer stands for; None for others."""
        if type(value) in PLAIN:
            return None
        given = self._given.get(id(value))
        if given is not None:
            return given
        found = self.provenance.original(value)
        path: Path | None = self.provenance.path_of(value if found is None else found)
        if path is None and id(value) in self.trace.adopted.items:
            return Held(value, "a tensor")
        return path

    def note_given(self, copy: Any, path: Path) -> None:
        """Say that captured code saw a copy of one of the caller's containers."""
        self._given[id(copy)] = path

    def keeps(self, variables: Sequence[Any]) -> bool:
        """Whether variables that the trace made are kept outside."""
        return all(id(variable) in self._recipes for variable in variables)

    def needs_recipe(self, value: Any, seen: set[int]) -> bool:
        """Whether a result holds a container twice, or one that is outside or is kept there."""
        container = container_of(value)
        if container is None:
            return self.outside(value) is None and is_made(value)
        if self.outside(value) is not None or id(value) in self._recipes or id(value) in seen:
            return True
        seen.add(id(value))
        return any(self.needs_recipe(child, seen) for child in container[0](value)[0])

    def _array(self, value: Any) -> Recipe:
        return Copy(MetArray(value).then)

    def _instance(self, value: Any) -> Recipe:
        made = Instance(type(value))
        self._recipes[id(value)] = made
        for name, item in vars(value).items():
            made.names.append(name)
            made.children.append(self.recipe(item))
        return made

    # Places.

    def collect(self) -> None:
        """Turn everything that changed outside into effects."""
        for handle, value in self.trace.adopted.written():
            path = self.provenance.path_of(handle) or Held(handle, "a tensor")
            self._tensor(path, handle, value)
        for array, handle in self.provenance.written_arrays():
            self._tensor(self.provenance.path_of(array), handle, handle._data)
        for place, old in self.trace.journal.entries:
            self._place(place, old)

    def _tensor(self, path: Path, handle: Any, value: Value) -> None:
        made = Tensor()
        made._data, made._storage = value, None
        self._kept.append(made)
        where = self.trace.changed.get(id(handle))
        self.effects.append(Effect("tensor", self.path(path), None, Leaf(self._leaf(made)), where))

    def _place(self, place: Place, old: Any) -> None:
        count = len(self.effects)
        self._place_changed(place, old)
        where = self.trace.changed.get(place.key)
        self.effects[count:] = [replace(made, location=where) for made in self.effects[count:]]

    def _place_changed(self, place: Place, old: Any) -> None:
        if isinstance(place, AttrPlace):
            path = self.provenance.path_of(place.owner)
            if path is not None:
                self.change("attribute", path, place.name, place.read())
        elif isinstance(place, GlobalPlace):
            self.change("global", Held(place.namespace, "globals()"), place.name, place.read())
        elif isinstance(place, CellPlace) and self.provenance.is_outside(place):
            self.change("cell", Held(place.cell, place.name), place.name, place.read())
        elif isinstance(place, ContentPlace):
            path = self.provenance.path_of(place.container)
            if path is not None:
                self._contents(path, place.container, old)

    def change(self, kind: str, path: Path, name: Any, value: Any = UNBOUND) -> None:
        """Add an effect; without a value something is deleted."""
        self._kept.append(value)
        recipe = None if value is UNBOUND else self.recipe(value)
        self.effects.append(Effect(kind, self.path(path), name, recipe))

    def _contents(self, path: Path, container: Any, old: Any) -> None:
        edits = self.provenance.edits.get(id(container), Edits())
        is_known = id(container) in self.provenance.edits and edits.is_simple
        if not is_known:
            self.provenance.whole(container)
            contents = dict(container) if isinstance(container, dict) else [*container]
            self.change("contents", path, None, contents)
            return
        for key in edits.keys:
            self.change("item", path, key, container[key])
        if isinstance(container, (list, deque)) and len(container) > len(old):
            fresh = [*container][len(old) :]
            self.change("extend", path, None, fresh)


def _new(kind: type) -> Any:
    """What makes the instances of a class."""
    return kind.__new__


def is_made(value: Any) -> bool:
    """Whether an object is one that captured code made, of a class of the user."""
    kind = type(value)
    if isinstance(value, type) or is_trusted(kind):
        return False
    return hasattr(value, "__dict__") and _new(kind) is _new(object)


def is_text(value: Any) -> bool:
    """Whether a value stands for a text that is not known yet."""
    return getattr(type(value), "__plait_text__", False) is True


def holds_tracers(leaf: Any) -> bool:
    """Whether an object of a class that is no container holds tensors that are being traced."""
    held = [*getattr(leaf, "__dict__", {}).values()]
    if isinstance(leaf, partial):
        held += [*leaf.args, *leaf.keywords.values()]
    for cell in getattr(leaf, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:
            continue  # not bound yet
    return any(type(x) is Tensor and type(x._data) is Value for x in held)


__all__ = ["Collector", "Effect", "Making", "Recipe", "holds_tracers", "is_made", "is_text"]
