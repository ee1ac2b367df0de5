"""How the function of a program is called: parameters, where the graph's inputs are in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Texts = Sequence[str]


def plain_result(outputs: Texts) -> list[str]:
    """Return the outputs, several as a tuple."""
    return [f"return {', '.join(outputs)}".rstrip()]


@dataclass(frozen=True, slots=True)
class Entry:
    """The Python side of a program's function.

    Attributes
    ----------
    parameters : str
        As between the parentheses of its ``def``.
    begin : callable
        Gives the lines that take the graph's inputs from the parameters, for their names.
    end : callable
        Gives the lines that return the result, for expressions of the graph's outputs.
    doc : tuple of str
        Lines of the docstring.
    names : tuple of str
        Names that the function's own values must not take.
    globals : tuple of str
        Lines of the module, before the function.
    imports : tuple of str
        Lines that import something.
    helpers : tuple of str
        Helpers that these lines call.
    state : tuple of str and ndarray
        What the module's dict of state holds, by name.
    state_name : str
        The name of that dict.
    avoided : tuple of str
        Names that nothing else of the module must have.
    """

    parameters: str
    begin: Callable[[Texts], list[str]]
    end: Callable[[Texts], list[str]] = plain_result
    doc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    state: tuple[tuple[str, Any], ...] = ()
    state_name: str = "state"
    avoided: tuple[str, ...] = ()
