"""What was made of graphs, kept as long as these live, so that it is made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

from plait.ir.autodiff import capacity
from plait.ir.graph import Graph

T = TypeVar("T")


class Memo(Generic[T]):
    """Values by the identity of some graphs, a key, and the thread's options of loops.

    A value must not hold the first of its graphs, which it would keep alive.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Graph, dict[Any, tuple[tuple[ref[Graph], ...], T]]]
        self._known = WeakKeyDictionary()

    def get(self, graphs: tuple[Graph, ...], key: Hashable, make: Callable[[], T]) -> T:
        """The value, made when it is not known."""
        table = self._known.setdefault(graphs[0], {})
        place = (tuple([id(g) for g in graphs[1:]]), key, capacity.current())
        found = table.get(place)
        if found is not None and all(r() is g for r, g in zip(found[0], graphs[1:], strict=True)):
            return found[1]
        made = make()
        table[place] = (tuple([ref(g) for g in graphs[1:]]), made)
        return made


__all__ = ["Memo"]
