"""Questions about shapes."""

from __future__ import annotations

from typing import Any

from plait.ir.functions.manipulation import as_shape
from plait.ir.functions.payload import broadcast_shapes as common_shape
from plait.ir.types import Shape

__all__ = ["broadcast_shapes"]


def broadcast_shapes(*shapes: Any) -> Shape:
    """The common shape of shapes, by NumPy's rules.

    Parameters
    ----------
    *shapes : int or tuple of int

    Returns
    -------
    tuple

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> pl.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    found = [as_shape("broadcast_shapes", s) for s in shapes]
    return common_shape("broadcast_shapes", *found) if found else ()
