"""NumPy arrays that a trace meets: those that outlive it may change and are read at each call."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np


class MetArray:
    """An ndarray that a trace used, its contents then, and a way to it that does not keep it.

    Attributes
    ----------
    then : ndarray
        A read-only copy of what it held.
    """

    __slots__ = ("_array", "_layout", "_owner", "then")

    def __init__(self, array: Any) -> None:
        self.then = np.array(array, order="C", copy=True, subok=False)
        self.then.flags.writeable = False
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        self._array = weakref.ref(array)
        self._owner = weakref.ref(owner)
        self._layout = layout_of(array)

    def now(self) -> Any:
        """The array, or its view of an owner that lives on; None when nobody holds either."""
        array = self._array()
        if array is not None:
            return array
        owner = self._owner()
        if owner is None:
            return None
        return np.asarray(_View(owner, self.then.itemsize, self._layout)).view(self.then.dtype)

    def is_unchanged(self) -> bool:
        """Whether the array, which lives, holds the same bits as then."""
        return np.array_equal(_bits(self.now()), _bits(self.then))


class _View:
    """A stretch of an array's memory, which it keeps alive."""

    def __init__(self, owner: Any, itemsize: int, layout: Any) -> None:
        address, shape, strides = layout
        self.owner = owner
        self.__array_interface__ = {
            "data": (address, True),
            "shape": shape,
            "strides": strides,
            "typestr": f"|V{itemsize}",
            "version": 3,
        }


def layout_of(array: Any) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Address, shape and strides: equal for arrays that see the same memory in the same way."""
    return array.__array_interface__["data"][0], array.shape, array.strides


def _bits(array: Any) -> Any:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
