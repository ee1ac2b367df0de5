"""Storage: who shares a buffer, so that a write reaches every view and nothing that was lent out.

A handle without a storage owns its buffer alone. ``FROZEN`` marks a buffer that something else may
read. A ``Storage`` joins the handles that view one buffer. Neither consults reference counts.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import Value, dispatch
from plait.ir.autodiff.tape import live, moved
from plait.ir.device import device_of

if TYPE_CHECKING:
    from plait.tracer.tensor_handle import Handle

#: Results larger than this are aligned to ``ALIGNMENT`` bytes when they leave for a compiler.
ALIGN_ABOVE = 64 * 1024
ALIGNMENT = 64


class _Frozen:
    """The mark of a buffer that something else may read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "FROZEN"


FROZEN = _Frozen()


class Storage:
    """One buffer and the handles that view it.

    Attributes
    ----------
    frozen : bool
        Whether something else reads the buffer, so that the next write copies it first.
    """

    __slots__ = ("_bound", "_handles", "frozen")

    def __init__(self, frozen: bool) -> None:
        self.frozen = frozen
        self._handles: list[weakref.ref[Handle]] = []
        self._bound = 16

    def add(self, handle: Handle) -> None:
        """Let a handle share this storage."""
        self._handles.append(weakref.ref(handle))
        handle._storage = self
        if len(self._handles) > self._bound:
            self._handles = [ref for ref in self._handles if ref() is not None]
            self._bound = 2 * len(self._handles) + 16

    def handles(self) -> list[Handle]:
        """The living handles."""
        found = [ref() for ref in self._handles]
        return [h for h in found if h is not None and h._storage is self]

    def copy_buffer(self, written: Any) -> None:
        """Move the living handles to a copy of their buffer, each at its place.

        ``written`` is the array of this buffer that is about to be written to.
        """
        handles = [h for h in self.handles() if h._data.size]
        ends = [np.lib.array_utils.byte_bounds(h._data) for h in handles]
        low = min((start for start, _ in ends), default=0)
        high = max((end for _, end in ends), default=0)
        buffer = empty_aligned((high - low,), np.dtype(np.uint8))
        buffer[...] = np.asarray(_Bytes(low, high - low, handles))
        for handle in handles:
            old = handle._data
            offset = old.__array_interface__["data"][0] - low
            handle._data = np.ndarray(old.shape, old.dtype, buffer, offset, old.strides)
            if any(s == 0 and d > 1 for s, d in zip(old.strides, old.shape, strict=True)):
                handle._data.flags.writeable = False  # as NumPy has broadcast views
            if live and not np.may_share_memory(old, written):
                moved(handle._data, old)
        self.frozen = False


class _Bytes:
    """A stretch of memory as an array of bytes; keeps its owners alive."""

    def __init__(self, start: int, size: int, owners: list[Any]) -> None:
        self.owners = [h._data for h in owners]
        self.__array_interface__ = {
            "data": (start, True),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }


def empty_aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """An uninitialized array whose data starts at a multiple of 64 bytes."""
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNMENT
    return raw[start : start + size].view(kind).reshape(shape)


def copy_array(array: Any) -> Any:
    """A copy in C order; aligned to 64 bytes when it is large."""
    if array.nbytes <= ALIGN_ABOVE:
        return np.array(array, order="C", copy=True, subok=False)
    result = empty_aligned(array.shape, array.dtype)
    np.copyto(result, array)
    return result


def storage_of(handle: Handle) -> Any:
    """The handle's storage: None, ``FROZEN`` or a ``Storage``."""
    try:
        return handle._storage
    except AttributeError:  # the fast path leaves it unset
        handle._storage = None
        return None


def freeze(handle: Handle) -> None:
    """Note that something else may read the handle's buffer from now on."""
    storage = getattr(handle, "_storage", None)  # the fast path leaves it unset
    if storage is None:
        handle._storage = FROZEN
    elif storage is not FROZEN:
        storage.frozen = True


def share(base: Handle, view: Handle) -> None:
    """Make ``view``, whose array lies in ``base``'s buffer, a view of it."""
    storage = storage_of(base)
    if storage is None or storage is FROZEN:
        frozen = storage is FROZEN or type(base._data) is not np.ndarray
        if type(base._data) is not np.ndarray:
            data = base._data
            base._data = np.asarray(data)
            if live:
                moved(base._data, data)
        storage = Storage(frozen or not base._data.flags.writeable)
        storage.add(base)
    storage.add(view)


def read_array(handle: Handle) -> Any:
    """The ndarray of an eager handle, which may be read-only; nothing may write to it."""
    data = handle._data
    return data if type(data) is np.ndarray else np.asarray(data)


def writable_array(handle: Handle) -> Any:
    """The ndarray of an eager handle, made writable: a write to it reaches all views."""
    storage = storage_of(handle)
    data = handle._data
    if storage is None and type(data) is np.ndarray and data.flags.writeable:
        return data
    if storage is None or storage is FROZEN:
        handle._data = data = copy_array(np.asarray(data))
        handle._storage = None
    elif storage.frozen:
        storage.copy_buffer(data)
    return handle._data


def lent_array(handle: Handle) -> Any:
    """A read-only view of an eager handle's array, to be kept by others; freezes the storage."""
    freeze(handle)
    view = read_array(handle).view()
    view.flags.writeable = False
    return view


def aligned_array(handle: Handle) -> Any:
    """The ndarray of an eager handle, moved once to aligned memory when it is large."""
    data = read_array(handle)
    if data.nbytes > ALIGN_ABOVE and data.__array_interface__["data"][0] % ALIGNMENT:
        storage = storage_of(handle)
        if storage is None or storage is FROZEN:
            old = data
            handle._data = data = copy_array(data)
            handle._storage = None
            if live:
                moved(data, old)
                freeze(handle)
    return data


def on_host(payload: Any) -> bool:
    """Whether NumPy can read an eager payload where it lies."""
    if type(payload) is np.ndarray or type(payload) not in dispatch.EAGER.executors:
        return type(payload) is not Value
    return device_of(payload).is_host


def shares_memory(result: Any, operand: Any) -> bool:
    """Whether two ndarrays come from one owner."""
    return _owner(result) is _owner(operand)


def is_view_of(view: Any, base: Any) -> bool:
    """Whether a tensor views what another one holds; traced ones always can."""
    one, other = view._data, getattr(base, "_data", base)
    if type(one) is Value:
        return True
    return type(other) is np.ndarray and np.may_share_memory(one, other)


def _owner(array: Any) -> Any:
    while type(base := array.base) is np.ndarray:
        array = base
    return array if base is None else base
