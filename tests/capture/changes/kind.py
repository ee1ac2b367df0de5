"""One kind of outside change: a program, a change, and what ``explain()`` says of it."""

from __future__ import annotations

from dataclasses import dataclass

HERE = "# here"


@dataclass(frozen=True)
class Change:
    """One kind of change.

    ``source`` defines ``f``; the line marked ``# here`` reads what changes. ``path`` is what the
    retrace record names; None where the change is an input and nothing is captured again. ``call``
    and ``again`` are the calls before and after. With ``here`` False the record names the call.
    """

    name: str
    source: str
    change: str
    path: str | None
    call: str = "f(X)"
    again: str = ""
    here: bool = True

    @property
    def line(self) -> int:
        """The line that reads what changes."""
        lines = self.source.splitlines()
        return next(i for i, text in enumerate(lines, 1) if HERE in text)
