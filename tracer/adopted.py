"""Tensors from outside that a trace writes into: traced meanwhile, what they were afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import Value, functions
from plait.tracer.outcome import Break, stop
from plait.tracer.places import PayloadPlace
from plait.tracer.tensor_storage import Storage, read_array, storage_of
from plait.tracer.tensor_views import TracedView, Twin


class Adopted:
    """The outside tensors that a trace has made its own.

    Attributes
    ----------
    items : dict
        By the identity of each handle: the handle, its array, its storage, its input.
    """

    def __init__(self) -> None:
        self.items: dict[int, tuple[Any, Any, Any, Value]] = {}
        self._views: dict[int, tuple[Any, list[Any]]] = {}

    def note_view(self, handle: Any, view: Any) -> None:
        """Remember a view, by a weak reference, of a handle that is not written yet."""
        self._views.setdefault(id(handle), (handle, []))[1].append(view)

    def adopt(self, trace: Any, handle: Any) -> None:
        """Let a handle from outside hold a value of the trace until that ends.

        Writes to it are then ordinary ones; those to views of the same buffer reach it, too.
        """
        root, storage = trace.root, storage_of(handle)
        related = [
            (other, array)
            for other, array, other_storage, _ in self.items.values()
            if isinstance(storage, Storage) and other_storage is storage
        ]
        array = handle._data
        value = root.lift_foreign(array) if type(array) is Value else root.read_input(handle)
        root.journal.before(PayloadPlace(handle))
        self.items[id(handle)] = (handle, array, storage, value)
        handle._data, handle._storage = value, TracedView()
        views = self._views.pop(id(handle), (None, []))[1]
        views += storage.children if isinstance(storage, TracedView) else []
        ours = [ref for ref in views if (view := ref()) is not None and not root.is_outside(view)]
        handle._storage.children = ours
        for other, other_array in related:
            _join(trace, handle, array, other, other_array)

    def shares(self, handle: Any) -> bool:
        """Whether a handle views a buffer that the trace may have written into."""
        if not self.items or id(handle) in self.items:
            return False
        storage = storage_of(handle)
        return isinstance(storage, Storage) and any(
            s is storage for _, _, s, _ in self.items.values()
        )

    def written(self) -> list[tuple[Any, Any]]:
        """Handles whose value changed, and the values."""
        found = [(h, h._data, value) for h, _, _, value in self.items.values()]
        return [(handle, now) for handle, now, then in found if now is not then]

    def release(self) -> None:
        """Give every handle what it held."""
        for handle, array, storage, _ in self.items.values():
            handle._data, handle._storage = array, storage
        self._views.clear()


def _join(trace: Any, handle: Any, array: Any, other: Any, other_array: Any) -> None:
    """Let what is written to one of two views of a buffer reach the other."""
    if array.dtype != other_array.dtype:
        raise stop(
            trace,
            Break("a tensor from outside is written in place that other dtypes' tensors view"),
        )
    mine, theirs = _common(read_array_of(array), read_array_of(other_array))
    if not mine.size:
        return
    handle._storage.twins.append(Twin(other, mine, theirs))
    other._storage.twins.append(Twin(handle, theirs, mine))
    flat = functions.reshape(handle._data, (-1,))
    fresh = functions.take(functions.reshape(other._data, (-1,)), theirs)
    handle._data = functions.reshape(functions.setitem(flat, mine, fresh), handle._data.shape)


def read_array_of(data: Any) -> Any:
    """An ndarray of a payload."""
    return data if type(data) is np.ndarray else np.asarray(data)


def _common(a: Any, b: Any) -> tuple[Any, Any]:
    """The positions of the elements that lie at the same addresses."""
    _, mine, theirs = np.intersect1d(_addresses(a), _addresses(b), return_indices=True)
    return mine, theirs


def _addresses(array: Any) -> Any:
    found = np.asarray(array.__array_interface__["data"][0], np.int64)
    for size, stride in zip(array.shape, array.strides, strict=True):
        found = np.add.outer(found, np.arange(size) * stride)
    return found.ravel()


def sharing(handles: Sequence[Any]) -> tuple[Any, ...]:
    """How tensors lie in common buffers: pairs, their distances and strides."""
    stored = [(i, h) for i, h in enumerate(handles) if isinstance(storage_of(h), Storage)]
    found = []
    for n, (i, a) in enumerate(stored):
        for j, b in stored[:n]:
            if storage_of(a) is storage_of(b):
                x, y = read_array(a), read_array(b)
                start, other = (z.__array_interface__["data"][0] for z in (x, y))
                found.append((i, j, start - other, x.strides, y.strides))
    return tuple(found)


__all__ = ["Adopted", "sharing"]
