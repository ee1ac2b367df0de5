"""Objects whose state cannot be given back after a branch or an iteration: iterators, buffers."""

from __future__ import annotations

import io
import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.tracer.outcome import Break, stop
from plait.tracer.state import current

_ITERTOOLS = tuple(kind for kind in vars(itertools).values() if isinstance(kind, type))
_FILLED = frozenset(("fill", "itemset", "partition", "put", "resize", "sort"))
_LOOKING = frozenset(map(id, (repr, str, type, id, isinstance, len, hasattr, getattr, iter)))


def call(trace: Any, run: Callable[..., Any], function: Any, args: Any, kwargs: Any) -> Any:
    """A call inside of a region: it may move on only what the region itself has made.

    Raises
    ------
    Break, Restart
        It moves on what others see, whether the branch is taken or not.
    """
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ndarray):
        if getattr(function, "__name__", "") in _FILLED:
            refuse(owner)
    elif _moves(owner):
        refuse(owner)
    if type(function) is not types.FunctionType and id(function) not in _LOOKING:
        for x in (*args, *kwargs.values()):
            if _moves(x):
                refuse(x)
    found = run(trace, function, args, kwargs)
    if _moves(found) or isinstance(found, np.ndarray):
        trace.movable[id(found)] = found
    return found


def _moves(x: Any) -> bool:
    """Whether an object is an iterator of Python's, or a file."""
    if isinstance(x, (*_ITERTOOLS, io.IOBase)):
        return True
    kind = type(x)
    is_iterator = hasattr(kind, "__next__") and kind.__module__ == "builtins"
    return is_iterator and kind is not types.GeneratorType  # a yield is noticed itself


def refuse(x: Any) -> None:
    """Break the graph, or unroll the loop, unless the innermost region has made an object.

    Raises
    ------
    Break, Restart, NumberNeeded
        It is there on other paths, too.
    """
    trace = current()
    if trace is None or not trace.root.regions or id(x) in getattr(trace, "movable", ()):
        return
    what = f"a {type(x).__name__} changes in a branch or a loop on a tensor's value"
    trace.avoid(what)
    raise stop(trace, Break(f"{what}, and cannot be given back what it was; use a list"))


def iterate(x: Any) -> None:
    """Refuse a loop over an iterator that lives on, as ``call`` does."""
    if _moves(x):
        refuse(x)


__all__ = ["call", "iterate", "refuse"]
