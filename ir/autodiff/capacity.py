"""How much room the gradient of a loop has for its trips: options of the thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from plait.ir import dispatch
from plait.ir.errors import RangeError

#: Which residuals a gradient keeps, and which it computes again.
POLICIES = ("min-cut", "save-all", "recompute-all")


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How loops whose number of trips is not known are differentiated in reverse.

    Attributes
    ----------
    capacity : int
        Trips that the buffers hold at first; a loop of more raises ``LoopCapacityError``.
    max_iterations : int or None
        A promise: no loop makes more trips. The buffers hold as many, and a loop that breaks it
        is an error.
    checkpoint : "sqrt" or None
        Keep about as many states as the square root of the number of trips, and compute the trips
        between them again in the backward pass.
    checkpoints : int or None
        Keep at most that many states, at each of two levels, whatever the number of trips.
    memory : int or None
        Bytes that the buffers of one loop may take; where they take more, ``checkpoint`` is "sqrt".
    residuals : str
        Which values the backward pass gets and which it computes again, in loops and elsewhere:
        a policy of ``plait.ir.autodiff.partition.split``.
    """

    capacity: int = 64
    max_iterations: int | None = None
    checkpoint: Literal["sqrt"] | None = None
    checkpoints: int | None = None
    memory: int | None = None
    residuals: str = "min-cut"

    def __post_init__(self) -> None:
        least_of = {"capacity": 1, "max_iterations": 0, "checkpoints": 1, "memory": 1}
        for name, least in least_of.items():
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < least):
                raise RangeError(f"{name} must be a number of {least} or more, got {value!r}")
        if self.checkpoint not in (None, "sqrt"):
            raise RangeError(f"checkpoint must be 'sqrt' or None, got {self.checkpoint!r}")
        if self.checkpoint and self.checkpoints:
            raise RangeError("give checkpoint='sqrt' or checkpoints=, not both")


_DEFAULT = LoopOptions()


class _Options(threading.local):
    def __init__(self) -> None:
        self.current = _DEFAULT


_options = _Options()


def current() -> LoopOptions:
    """The options of this thread."""
    return _options.current


def is_default() -> bool:
    """Whether nobody has chosen options in this thread."""
    return _options.current is _DEFAULT


@contextmanager
def use(options: LoopOptions) -> Iterator[LoopOptions]:
    """Differentiate the loops of the block with these options."""
    saved, _options.current = _options.current, options
    dispatch.activate(+1)  # quick ways around the options are closed
    try:
        yield options
    finally:
        dispatch.activate(-1)
        _options.current = saved


def next_capacity(trips: int) -> int:
    """The capacity for a loop that made so many trips: the next power of two."""
    return 1 << max(trips - 1, 0).bit_length()


__all__ = ["LoopOptions", "current", "next_capacity", "use"]
