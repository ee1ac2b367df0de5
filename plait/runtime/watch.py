"""What a program reads and changes outside: looked up and guarded at each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir.errors import SignatureError
from plait.tracer import (
    Break,
    Change,
    Check,
    Guard,
    Held,
    Path,
    Tensor,
    TracedFunction,
    compile_check,
    overlap,
    sharing,
)

#: The sources of a program's captures, then the objects that its effects need.
Found = tuple[Any, ...]


class Watch:
    """Finds what a program needs from outside, when outside is as it was at the capture.

    Parameters
    ----------
    traced : TracedFunction

    Attributes
    ----------
    guards : tuple of Guard
    has_dropped : bool
        Whether guards that failed at once were dropped.
    """

    def __init__(self, traced: TracedFunction) -> None:
        self.guards: tuple[Guard, ...] = tuple([g for g in traced.guards if not _is_gone(g.path)])
        self.has_dropped = False
        sources = [Held(c.source, "") if c.path is None else c.path for c in traced.captures]
        self._wanted = [*sources, *traced.found]
        first = len(traced.captures)
        written = [effect.target for effect in traced.effects if effect.kind == "tensor"]
        self._writes = [(first + i, traced.found[i].text) for i in written]
        self._sharing: tuple[Any, ...] | None = None
        self.check = compile_check(self.guards, self._wanted)

    @property
    def quick(self) -> Check | None:
        """What ``look`` does for a program that writes nothing; None when there is nothing."""
        return self.check if self.guards or self._wanted else None

    def look(self, leaves: Sequence[Any], given: Any = None) -> Found | None:
        """What the paths lead to; None when a guard fails."""
        found = self.check(leaves, given)
        if found is None or not self._writes:
            return found
        for i, text in self._writes:
            _refuse_shared(found[i], text, leaves)
            if isinstance(found[i], np.ndarray):
                _refuse_shared(found[i], text, _other_arrays(found, i), "another array outside")
        shared = (_first_places(found), sharing(_tensors(found, leaves)))
        if self._sharing is None:
            self._sharing = shared
        return found if shared == self._sharing else None

    def failures(self, leaves: Sequence[Any], given: Any) -> tuple[Change, ...]:
        """What is not what it was at the capture."""
        found = [guard.failure(leaves, given) for guard in self.guards]
        return tuple([change for change in found if change is not None])

    def failing(self, leaves: Sequence[Any], given: Any) -> list[Guard]:
        """The guards that fail."""
        return [g for g in self.guards if g.failure(leaves, given) is not None]

    def settle(self, leaves: Sequence[Any], given: Any, once: bool) -> Found | None:
        """Look for the first time; None when guards fail at once.

        Parameters
        ----------
        leaves : sequence
        given : tuple or None
        once : bool
            Whether the program is for this call alone: such guards are dropped then.
        """
        found = self.look(leaves, given)
        if found is not None or not once:
            return found
        self.has_dropped = True
        broken = set(map(id, self.failing(leaves, given)))
        self.guards = tuple([g for g in self.guards if id(g) not in broken])
        self.check = compile_check(self.guards, self._wanted)
        found = self.look(leaves, given)
        if found is None:
            self.guards = ()
            self.check = compile_check((), self._wanted)
            found = self.look(leaves, given)
        assert found is not None
        return found

    def unsettled(self, leaves: Sequence[Any], given: Any) -> Break:
        """Why a program is of no use whose guards fail right after the capture."""
        failing = self.failing(leaves, given)
        if not failing:
            return Break("what it reads outside is not the same twice; pass it as an argument")
        what = failing[0].path.text
        reason = (
            f"{what} is another one right after it was read, so that nothing tells when it "
            "changes; read it outside, and pass it as an argument"
        )
        return Break(reason, failing[0].location)


def _is_gone(path: Path | None) -> bool:
    """Whether a path begins at what the capture has made and dropped."""
    while path is not None and path.parent is not None:
        path = path.parent
    return isinstance(path, Held) and path.find() is None


def _refuse_shared(
    written: Any, text: str, leaves: Sequence[Any], what: str = "an argument"
) -> None:
    """Demand that what a program writes into outside is no argument, nor a view of one."""
    for leaf in leaves:
        if leaf is written or overlap(written, leaf):
            reason = (
                f"the function writes into {text}, which shares memory with {what}; take a copy "
                "of it"
            )
            raise Break(reason, error=SignatureError(reason))


def _other_arrays(found: Found, index: int) -> list[Any]:
    return [x for x in found if isinstance(x, np.ndarray) and x is not found[index]]


def _first_places(found: Found) -> tuple[int, ...]:
    """For each tensor and array the place where it comes first: which of them are one."""
    first: dict[int, int] = {}
    arrays = [(i, x) for i, x in enumerate(found) if isinstance(x, (Tensor, np.ndarray))]
    return tuple([first.setdefault(id(x), i) for i, x in arrays])


def _tensors(found: Found, leaves: Sequence[Any]) -> list[Any]:
    known = {id(x): x for x in (*found, *leaves) if type(x) is Tensor}
    return [*known.values()]


__all__ = ["Found", "Watch"]
