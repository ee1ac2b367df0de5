"""The programs of one function: several for a signature, told apart by what is outside."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from plait.ir.location import Location
from plait.runtime.program import Program
from plait.runtime.request import Request


class Programs:
    """A bounded number of programs by signature; those used last come first.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[Any, tuple[Program, ...]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> Program | None:
        """The program used last; None when there is none."""
        found = next(reversed(self._items.values()), ())
        return found[0] if found else None

    def known(self) -> list[Program]:
        """All programs, the one used last at the end."""
        return [program for found in self._items.values() for program in reversed(found)]

    def candidates(self, key: Any) -> tuple[Program, ...]:
        """The programs of a signature, the one used last first."""
        return self._items.get(key, ())

    def use(self, key: Any, program: Program) -> None:
        """Say that a program is used."""
        found = self._items.get(key, ())
        if program not in found:
            return
        self._items.move_to_end(key)
        if found[0] is not program:
            self._items[key] = (program, *[p for p in found if p is not program])

    def add(self, key: Any, program: Program) -> Iterator[Any]:
        """Keep a program; gives the signatures whose programs are dropped for it."""
        self._items[key] = (program, *self._items.get(key, ()))
        self._items.move_to_end(key)
        self._count += 1
        dropped = []
        while self._count > self._most:
            oldest, found = next(iter(self._items.items()))
            self._count -= 1
            dropped.append(oldest)
            if len(found) > 1:
                self._items[oldest] = found[:-1]
            else:
                del self._items[oldest]
        return iter(dropped)

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
        self._count = 0


class OutsideNumbers:
    """Which numbers that a function reads from outside are inputs of its graph.

    Attributes
    ----------
    dynamic : frozenset
        The paths of those that are, by their keys.
    needs : dict
        Why others are not, and the lines that need their values.
    """

    def __init__(self) -> None:
        self.dynamic: frozenset[Any] = frozenset()
        self.needs: dict[Any, tuple[str, Location]] = {}
        self._static: frozenset[Any] = frozenset()

    def note(self, programs: Iterable[Program], request: Request) -> None:
        """Make inputs of numbers that are not what they were for the program used last."""
        for program in programs:
            for guard in program.failing(request.leaves, request.given):
                kind, key = guard.number, guard.path.key
                if kind is None or key in self._static:
                    continue
                if type(_found(guard.path, request)) is kind:
                    self.dynamic |= {key}

    def fix(self, paths: Iterable[Any], why: str, location: Location) -> None:
        """Keep numbers in the guards: those of paths or of their keys."""
        keys = {getattr(path, "key", path) for path in paths if not isinstance(path, int)}
        self._static |= keys
        self.dynamic -= keys
        self.needs |= dict.fromkeys(keys, (why, location))

    def free(self, keys: Iterable[Any]) -> None:
        """Let numbers be inputs again."""
        self._static -= frozenset(keys)
        self.dynamic |= frozenset(keys)

    def decisions(self) -> set[Any]:
        """What a trace is told."""
        return {("number", key) for key in self.dynamic}


def _found(path: Any, request: Request) -> Any:
    try:
        return path.find(request.leaves, request.given)
    except Exception:
        return None


__all__ = ["OutsideNumbers", "Programs"]
