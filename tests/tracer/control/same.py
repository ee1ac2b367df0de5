"""Runs a function as it is and compiled, and compares what it gives, raises and prints."""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Callable
from typing import Any

import plait as pl

Outcome = tuple[str, str, int]


def outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    """What a call gives or raises, what it prints, and the line that raises."""
    printed = io.StringIO()
    line = 0
    with contextlib.redirect_stdout(printed):
        try:
            found = shown(function(*args))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            line = traceback.extract_tb(error.__traceback__)[-1].lineno or 0
    return found, printed.getvalue(), line


def shown(result: Any) -> str:
    """A result with the classes of what it holds."""
    if isinstance(result, (list, tuple)):
        return f"{type(result).__name__}[{', '.join(map(shown, result))}]"
    return f"{type(result).__name__} {result!r}"


def same(
    function: Callable[..., Any],
    *calls: Any,
    backends: tuple[str, ...] = ("reference", "planned"),
    fullgraph: bool = True,
) -> Any:
    """Demand equal outcomes for each call; a call is a tuple of arguments, or one argument.

    Returns
    -------
    GraphFunction
        As compiled for the last backend.
    """
    compiled: Any = None
    for backend in backends:
        compiled = pl.graph_function(function, backend=backend, fullgraph=fullgraph)
        for call in calls:
            args = call if isinstance(call, tuple) else (call,)
            assert outcome(compiled, args) == outcome(function, args), (backend, args)
    return compiled


def ops_of(compiled: Any, *args: Any) -> list[str]:
    """Names of the ops of a traced graph, those of its regions too."""
    return [node.op.name for node in compiled.graph(*args, stage="traced").walk()]
