"""What is being traced in this thread, and the note that something is about to change."""

from __future__ import annotations

from typing import Any

from plait.ir import dispatch
from plait.tracer.places import Place


def current() -> Any:
    """The innermost trace or region of this thread; None when nothing is traced."""
    found = dispatch.innermost()
    return found if found is not None and getattr(found, "is_trace", False) else None


def note(place: Place) -> None:
    """Say that captured code is about to change a place, so that scopes can undo and merge it."""
    trace = current()
    if trace is not None:
        trace.note(place)
