"""What is kept for objects by their identity, for as long as they live."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from plait.ir.errors import SignatureError

V = TypeVar("V")


class IdentityMap(Generic[V]):
    """Values by object identity, dropped with the object."""

    def __init__(self) -> None:
        self._items: dict[int, tuple[Any, V]] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, make: Callable[[Any], V]) -> V:
        """The value of ``key``, made when it is new."""
        found = self._items.get(id(key))
        if found is not None and found[0]() is key:
            return found[1]
        number = id(key)
        try:
            reference = weakref.ref(key, lambda _: self._items.pop(number, None))
        except TypeError:
            raise SignatureError(
                f"a method of {type(key).__name__} cannot be compiled for an instance: its "
                "__slots__ leave no room for weak references; add '__weakref__' to them"
            ) from None
        made = make(key)
        with self._lock:
            self._items[number] = (reference, made)
        return made

    def values(self) -> list[V]:
        """What was made for the objects that live."""
        with self._lock:
            return [made for reference, made in self._items.values() if reference() is not None]

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()


__all__ = ["IdentityMap"]
