"""A function's statements with structured control flow: jumps have become flags where needed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

#: What a loop or ``if`` must be for a jump out of it to be Python's own: the name of its
#: condition, and the constant that it must be.
Condition = tuple[str, bool | None]


@dataclass(slots=True, eq=False)
class Item:
    """A statement.

    Attributes
    ----------
    node : ast.stmt
        The user's statement.
    bound : frozenset of str or None
        Names bound for certain before it, as Python runs; None where Python does not come.
    loose : frozenset of str or None
        The same when jumps only set their flags, as in a graph.
    state : tuple of str
        Names assigned inside and needed afterwards.
    """

    node: Any
    bound: frozenset[str] | None = None
    loose: frozenset[str] | None = None
    state: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Simple(Item):
    """A statement without a body of its own, or a definition."""


@dataclass(slots=True, eq=False)
class If(Item):
    """An ``if``; with ``flag``, a guard: its body runs when the flag is not set.

    ``is_native`` ones have a test that is a Python bool for certain.
    """

    test: ast.expr | None = None
    flag: str = ""
    name: str = ""
    body: list[Item] = field(default_factory=list)
    orelse: list[Item] = field(default_factory=list)
    is_native: bool = False


@dataclass(slots=True, eq=False)
class Loop(Item):
    """A loop without its else clause.

    Attributes
    ----------
    name : str
        Of the loop's state at run time.
    broken, skipped : str
        The flags that say that the loop is left, and that the rest of its body is skipped; empty
        where nothing does so.
    """

    name: str = ""
    broken: str = ""
    skipped: str = ""
    body: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class While(Loop):
    """A ``while`` loop."""

    test: Any = None


@dataclass(slots=True, eq=False)
class For(Loop):
    """A ``for`` loop."""

    target: Any = None
    iterable: Any = None


@dataclass(slots=True, eq=False)
class Jump(Item):
    """``return``, ``break`` or ``continue``.

    Attributes
    ----------
    kind : str
    conditions : tuple of Condition
        What must hold for it to be Python's own; it always is where there are none.
    flags : tuple of str
        What it sets.
    tries : tuple of str
        The blocks with handlers that it leaves.
    """

    kind: str = ""
    conditions: tuple[Condition, ...] = ()
    flags: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Raise(Item):
    """A ``raise`` with an exception."""

    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True, eq=False)
class With(Item):
    """A ``with`` block."""

    body: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Try(Item):
    """A ``try`` statement.

    Attributes
    ----------
    name, last : str
        Of what the runtime gives for one with handlers, and for one with a last block.
    """

    name: str = ""
    last: str = ""
    body: list[Item] = field(default_factory=list)
    handlers: list[list[Item]] = field(default_factory=list)
    orelse: list[Item] = field(default_factory=list)
    final: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Match(Item):
    """A ``match`` whose patterns Python must match itself."""

    bodies: list[list[Item]] = field(default_factory=list)
