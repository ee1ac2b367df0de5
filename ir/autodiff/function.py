"""What tapes can see besides ops: functions of payloads that know their own derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

#: Cotangents of the results (None: zero) and which operands need theirs, to those of the operands.
Pull = Callable[[Sequence[Any], tuple[bool, ...]], Sequence[Any]]
#: Applies a ``Differentiable`` to operands, seen by the tapes further out.
Apply = Callable[["Differentiable", tuple[Any, ...]], tuple[Any, ...]]


class Differentiable(Protocol):
    """A function of payloads with derivatives of its own: a region op, a compiled call, a user's.

    Attributes
    ----------
    name : str
        How explanations call it.
    """

    name: str

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results, no tape looking on."""
        ...

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """The results, and what pulls their cotangents back to the operands that need theirs.

        Whatever is run must be seen by the tapes further out: meanwhile through ``apply``, and by
        the way back, later, through ``dispatch.apply``, or as strict ops.
        """
        ...

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results and their tangents; None stands for a tangent of zero."""
        ...


__all__ = ["Apply", "Differentiable", "Pull"]
