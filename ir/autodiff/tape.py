"""What tapes of both modes keep about eager tensors and variables."""

from __future__ import annotations

from typing import Any
from weakref import ref

#: The number of what a tape does not know.
UNKNOWN = -1

#: The tapes that can still be asked for derivatives: each takes its reference out when it ends.
live: set[ref[EagerState]] = set()


def moved(payload: Any, old: Any) -> None:
    """Say that a tensor's elements, unchanged, lie in another array now."""
    for known in tuple(live):
        tape = known()
        if tape is not None and tape.number(old) is not None:
            tape.alias(payload, old)


class EagerState:
    """How a tape finds the values of tensors and variables whose payloads change.

    Attributes
    ----------
    watched : dict
        By the identity of a tensor: itself, and the payload that it had when it was watched.
    variables : dict
        By the identity of a variable: itself, and the payload that stands for it.
    watches_variables : bool
        Whether trainable variables are watched when they are read.
    pinned : dict
        By the identity of a variable: itself, what it holds, and the payload that is read.
    views, raw : dict
        Of the tapes of a thread, for the outermost: jax arrays with their views for NumPy, by the
        identity of either.
    """

    def __init__(self) -> None:
        live.add(ref(self, live.discard))
        self.watched: dict[int, tuple[Any, Any]] = {}
        self.variables: dict[int, tuple[Any, Any]] = {}
        self.watches_variables = False
        self.pinned: dict[int, tuple[Any, Any, Any]] = {}
        self.views: dict[int, tuple[Any, Any]] = {}
        self.raw: dict[int, tuple[Any, Any]] = {}

    def number(self, payload: Any) -> int | None:
        """A number for a payload that is known; None for others."""
        raise NotImplementedError

    def alias(self, payload: Any, known: Any) -> None:
        """Let a payload be known as the value that another one stands for."""
        raise NotImplementedError

    def watch_variable(self, variable: Any, payload: Any) -> None:
        """Note that a variable is read, with the payload that is its value."""

    def knows_variable(self, variable: Any) -> bool:
        """Whether a variable was watched, or holds a value that is known."""
        if id(variable) in self.variables:
            return True
        held = getattr(variable, "_payload", None)
        return held is not None and self.number(held) is not None


__all__ = ["UNKNOWN", "EagerState", "live", "moved"]
