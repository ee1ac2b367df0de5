"""Whether a write to one tensor or array shows in another."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import Value
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_storage import Storage, storage_of
from plait.tracer.tensor_views import TracedView

#: How hard to look for an element that two arrays share, before they are taken to.
WORK: Any = 10_000


def overlap(written: Any, other: Any) -> bool:
    """Whether what is written to ``written`` shows in ``other``: tensors, ndarrays, graph values.

    Tensors do so when they are views of one base; those that merely share a frozen buffer do not.
    """
    if type(written) is Tensor:
        if type(written._data) is Value:
            if type(other) is Value:
                return written._data is other
            return type(other) is Tensor and _base(written) is _base(other)
        if type(other) is not Tensor or type(other._data) is Value:
            return False
        storage = storage_of(written)
        return (
            isinstance(storage, Storage)
            and storage is storage_of(other)
            and _share(written._data, other._data)
        )
    if not isinstance(written, np.ndarray):
        return False
    return _share(written, other._data if type(other) is Tensor else other)


def _base(handle: Tensor) -> Any:
    """The traced tensor that a handle views in the end; itself when it views none."""
    found: Any = handle
    while (
        isinstance(getattr(found, "_storage", None), TracedView)
        and found._storage.parent is not None
    ):
        found = found._storage.parent
    return found


def _share(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=WORK))
    except np.exceptions.TooHardError:
        return True
