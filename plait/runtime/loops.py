"""How gradients go back through loops whose number of trips is not known."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Literal

from plait.ir.autodiff import capacity
from plait.ir.errors import RangeError
from plait.ir.frames import boundary


@boundary
def loop_gradients(
    max_iterations: int | None = None,
    checkpoint: Literal["sqrt"] | None = None,
    checkpoints: int | None = None,
    memory: int | str | None = None,
) -> AbstractContextManager[object]:
    """A scope in which gradients of captured ``while`` loops are computed in another way.

    By default the forward pass of such a loop keeps what the backward pass needs of each trip, in
    buffers that have room for a power of two of trips. When a loop makes more, the buffers grow,
    and the function runs again. The backward pass makes exactly as many trips.

    Parameters
    ----------
    max_iterations : int, optional
        A promise that no loop makes more trips: the buffers have that much room from the start,
        and a loop that makes more is an error.
    checkpoint : "sqrt", optional
        Keep the state of about as many trips as the square root of their number, and compute those
        between them again in the backward pass: less memory, more time.
    checkpoints : int, optional
        Keep the state of at most that many trips, at each of two levels, whatever their number.
    memory : int or str, optional
        A budget for the buffers of each loop, in bytes or as text such as ``"64MB"``. Where they
        would take more, ``checkpoint="sqrt"`` is chosen.

    Returns
    -------
    context manager
        For the calls in the block. Functions that were captured outside of it are captured anew.

    Raises
    ------
    RangeError
        A number that is too small, both ways of checkpoints, or a text that is no size.

    Examples
    --------
    >>> with pl.loop_gradients(max_iterations=100):
    ...     slope = pl.grad(pl.graph_function(lambda x: x * x))(5.0)
    >>> slope
    pl.Tensor(10., dtype=float32)
    """
    options = replace(
        capacity.current(),
        max_iterations=max_iterations,
        checkpoint=checkpoint,
        checkpoints=checkpoints,
        memory=None if memory is None else bytes_of(memory),
    )
    return capacity.use(options)


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(|[kmg]i?)b?\s*", re.IGNORECASE)


def bytes_of(size: int | str) -> int:
    """A size in bytes: a number, or text such as ``"64MB"`` or ``"1.5 GiB"``.

    Raises
    ------
    RangeError
        It is no size.
    """
    if isinstance(size, int):
        return size
    match = _SIZE.fullmatch(size)
    if match is None:
        raise RangeError(f"{size!r} is no size; give bytes, or text such as '64MB' or '1.5 GiB'")
    return int(float(match[1]) * _UNITS[match[2].upper()])


__all__ = ["bytes_of", "loop_gradients"]
