"""How deep functions call themselves while they are captured."""

from __future__ import annotations

import sys
import threading
import types
from typing import Any

from plait.ir import dispatch
from plait.tracer.outcome import Break, stop

#: How deep a function may call itself, each time inside of a branch on a traced value.
DEPTH = 50
#: Each call takes up to so many frames for one of plain Python.
_FRAMES = 4


class _Depth(threading.local):
    def __init__(self) -> None:
        self.counts: dict[int, int] = {}  # of code that runs, by identity
        self.limit = 0


_depth = _Depth()


def enter(trace: Any, code: types.CodeType) -> int:
    """Say that a function begins; gives how often it runs already.

    Raises
    ------
    Break
        It calls itself without end: each of the calls is in a branch or a trace of its own.
    """
    counts = _depth.counts
    depth = counts.get(id(code), 0)
    if depth >= DEPTH:
        _deepen(trace, code, depth)
    counts[id(code)] = depth + 1
    return depth


def leave(code: types.CodeType, depth: int) -> None:
    """Say that a function ends, of which so many others run."""
    if not depth:
        _depth.counts.pop(id(code), None)
        return
    _depth.counts[id(code)] = depth
    if depth == DEPTH and _depth.limit:
        sys.setrecursionlimit(_depth.limit)
        _depth.limit = 0


def _deepen(trace: Any, code: types.CodeType, depth: int) -> None:
    """Refuse a function that calls itself without end; let others go deep."""
    if len(dispatch.interpreters()) > DEPTH:
        reason = (
            f"{code.co_name} calls itself in a branch on a tensor's value, which cannot stop it "
            "while it is captured: loop with while, or let a Python number count down"
        )
        raise stop(trace, Break(reason))
    if depth == DEPTH and not _depth.limit:
        _depth.limit = sys.getrecursionlimit()
        sys.setrecursionlimit(_FRAMES * _depth.limit)


__all__ = ["enter", "leave"]
