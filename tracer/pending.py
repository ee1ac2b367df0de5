"""Which interpreters record ops lazily, and the way from a tensor that is pending to its array."""

from __future__ import annotations

import threading
from typing import Any

from plait.ir import dispatch

#: The lazy interpreters (``tracer/segments.py``) that are at work in any thread.
recorders: tuple[Any, ...] = ()

_lock = threading.Lock()


def add(recorder: Any) -> None:
    """Let a lazy interpreter be asked for what is pending in it."""
    global recorders
    with _lock:
        recorders = (*recorders, recorder)


def remove(recorder: Any) -> None:
    """Forget a lazy interpreter."""
    global recorders
    with _lock:
        recorders = tuple([other for other in recorders if other is not recorder])


def recorder() -> Any:
    """The lazy interpreter that runs this thread's ops; None when another one does."""
    if not recorders:
        return None
    found = dispatch.current()
    return found if getattr(found, "is_pending", None) is not None else None


def note(handle: Any) -> None:
    """Tell the lazy interpreter of this thread that a handle on a graph value was made."""
    found = recorder()
    if found is not None:
        found.note_handle(handle)


def settle(handle: Any) -> bool:
    """Run what is pending, in any thread, that a handle's value is part of; False if nothing is."""
    for found in recorders:
        if found.is_pending(handle._data):
            found.flush()
            return True
    return False


def settle_mine(handle: Any) -> None:
    """Run what this thread has recorded if a handle's value is part of it."""
    found = recorder()
    if found is not None and found.is_pending(handle._data):
        found.flush()
