"""The places of a function where control flow may be staged, as its converted code names them."""

from __future__ import annotations

from dataclasses import dataclass

from plait.ir.location import Location, display_name


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """An ``if``, ``while``, ``for`` or the like in a user's source; compared by identity.

    Attributes
    ----------
    kind : str
        ``"if"``, ``"guard"`` (an ``if`` that the conversion made for a jump), ``"while"``,
        ``"for"`` or the name of an expression's or statement's hook.
    names : tuple of str
        The names that are its state: assigned inside and needed afterwards or, in a loop, by the
        next iteration. In the order of what the runtime gives back.
    file : str
        As Python names it.
    line : int
    function : str
    flag : str
        The name of the flag that a guard tests negated, or that a loop's breaks set; may be empty.
    written : tuple of str
        Those of ``names`` that are also written in place (``x[i] = v``, ``x += v``).
    """

    kind: str
    names: tuple[str, ...] = ()
    file: str = "<unknown>"
    line: int = 0
    function: str = ""
    flag: str = ""
    written: tuple[str, ...] = ()

    @property
    def location(self) -> Location:
        """The user's line, as messages show it."""
        return Location(display_name(self.file), self.line, self.function)

    def __str__(self) -> str:
        return f"the {'if' if self.kind == 'guard' else self.kind} at line {self.line}"
