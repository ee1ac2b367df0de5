"""Names of Python for the values, functions and constants of a program."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

RESERVED = frozenset(
    (*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "math", "special")
)


class Names:
    """The names that are taken in a scope, and in those around it."""

    def __init__(self, outer: Names | None = None) -> None:
        self._outer = outer
        self._taken: set[str] = set()
        self._avoided: set[str] = set()

    def is_free(self, name: str) -> bool:
        """Whether nothing has the name yet."""
        return name not in self._avoided and not self._has(name)

    def _has(self, name: str) -> bool:
        if self._outer is None:
            return name in self._taken or name in RESERVED
        return name in self._taken or self._outer._has(name)

    def avoid(self, names: Iterable[str]) -> None:
        """Take none of these here; scopes inside may."""
        self._avoided.update(names)

    def take(self, name: str) -> str:
        """A name of this kind that nothing else has."""
        wanted = identifier(name)
        found, count = wanted, 1
        while not self.is_free(found):
            found, count = f"{wanted}_{count}", count + 1
        self._taken.add(found)
        return found


def identifier(text: str) -> str:
    """A text as a name of Python: ``params['w']`` is ``params_w``."""
    name = re.sub(r"\W+", "_", text).strip("_") or "value"
    return f"_{name}" if name[0].isdecimal() else name
