"""Small NumPy arrays that come again at each call stay on the device: their crossing costs most."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

#: What a call does with larger ones takes longer than their crossing.
LARGEST = 64 * 1024


class Lender:
    """The arrays on the device of one quick call's inputs.

    An array that was frozen is never written to again, and neither is an array that only Plait
    holds: a write moves the tensor to a copy. So what was made of such an array stays right as long
    as it is there.

    Parameters
    ----------
    count : int
        Number of inputs.
    place : callable
        Makes an array of the device of an ndarray.

    Attributes
    ----------
    lent : list
        For each input an ndarray, held until another one is seen in its place, and the array that
        stands for it.
    ticks : iterator of int
        Counts the calls with other ndarrays.
    """

    def __init__(self, count: int, place: Callable[[Any], Any]) -> None:
        self.lent: list[tuple[Any, Any]] = [_NOTHING] * count
        self.ticks = itertools.count(1)
        self._place = place
        self._seen: list[Callable[[], Any]] = [_none] * count
        self._lock = threading.Lock()

    def note(self, *data: Any) -> None:
        """Look at the inputs of a call: those seen here at the last look as well are lent."""
        with self._lock:
            for i, array in enumerate(data):
                if array is self.lent[i][1]:
                    continue
                self.lent[i] = _NOTHING
                is_small = type(array) is np.ndarray and array.nbytes <= LARGEST
                if not is_small or array.base is not None:
                    self._seen[i] = _none
                elif self._seen[i]() is array:
                    self.lent[i] = (array, self._place(array))
                else:
                    self._seen[i] = weakref.ref(array)


def _none() -> None:
    """Stands for a reference to nothing."""


_NOTHING = (_none, _none)  # what no input is

__all__ = ["Lender"]
