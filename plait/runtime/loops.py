"""How gradients go back through loops whose number of trips is not known."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Literal

from plait.ir.autodiff import capacity
from plait.ir.frames import boundary


@boundary
def loop_gradients(
    max_iterations: int | None = None,
    checkpoint: Literal["sqrt"] | None = None,
    checkpoints: int | None = None,
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

    Returns
    -------
    context manager
        For the calls in the block. Functions that were captured outside of it are captured anew.

    Raises
    ------
    RangeError
        A number that is too small, or both ways of checkpoints.

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
    )
    return capacity.use(options)


__all__ = ["loop_gradients"]
