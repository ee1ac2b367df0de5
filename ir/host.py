"""Python functions inside a graph: their names in the text form, and stand-ins for absent ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plait.ir.errors import GraphError


@dataclass(frozen=True, slots=True)
class MissingFunction:
    """Stands for a Python function that a graph read from text names but was not given."""

    name: str

    def __call__(self, *_: Any) -> Any:
        """Raise: the function is not there."""
        raise GraphError(
            f"the graph calls the Python function {self.name!r}, which its text only names; "
            "give it: parse(text, functions={name: function})"
        )


def function_name(function: Callable[..., Any]) -> str:
    """The name of a Python function in the text form: ``module:qualified_name``."""
    if isinstance(function, MissingFunction):
        return function.name
    owner = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{owner}:{name}"
