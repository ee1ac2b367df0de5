"""Eager tensors under a tape: a tape knows values by their arrays, which must never change.

What a tape has seen is frozen, so that a write moves the tensor to a new array. While a tape looks
on, the write is computed once more by the functions on payloads, which it records, and the new
arrays are known to it by what was computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.ir import Value, dispatch, functions, is_complex, ops
from plait.ir.autodiff.tape import moved
from plait.ir.device import device_of
from plait.tracer.tensor_storage import Storage, freeze, storage_of, writable_array


def tapes() -> list[Any]:
    """The tapes of this thread that know values by their payloads."""
    return (
        [tape for tape in dispatch.tapes() if hasattr(tape, "number")] if dispatch.recording else []
    )


def is_known(*payloads: Any) -> bool:
    """Whether a tape of this thread knows one of the payloads."""
    return any(tape.number(x) is not None for tape in tapes() for x in payloads)


def concerns(handle: Any, *payloads: Any) -> bool:
    """Whether a tape knows a tensor, something that shares its buffer, or one of the payloads."""
    if not tapes():
        return False
    return is_known(handle._data, *payloads, *[other._data for other in _others(handle)])


def _others(handle: Any) -> list[Any]:
    """The tensors that share a tensor's buffer."""
    storage = storage_of(handle)
    found = storage.handles() if isinstance(storage, Storage) else []
    return [other for other in found if other is not handle]


def kept(array: Any) -> Any:
    """A user's array for tapes, which may read it when it has been written to."""
    if not array.flags.writeable or not tapes() or is_known(array):
        return array
    return array.copy(order="K")


def watch(tape: Any, handle: Any) -> Any:
    """Let a tape that is recording know a tensor, and its views; gives the payload."""
    from plait.tracer.tensor_handle import payload_of

    known = tape.watched.get(id(handle))
    if known is not None:
        return known[1]
    data = handle._data
    if type(data) is np.ndarray and dispatch.only_tape() is tape:
        freeze(handle)  # the common case
    else:
        data = payload_of(handle)
    is_known = tape.number(data) is not None
    is_twin = any(other is data for _, other in tape.watched.values())
    if is_known and is_twin and type(data) is np.ndarray:
        handle._data = data = data.view()  # two tensors hold the same array
        is_known = False
    tape.watched[id(handle)] = (handle, data)
    if is_known:
        return data
    tape.watch(data)
    if type(data) is Value:  # of a graph around this one, what stands for it here
        builder: Any = dispatch.current()
        if not builder.owns(data):
            tape.alias(builder.lift(data), data)
    if type(data) is np.ndarray and type(handle._storage) is Storage:
        for other in _others(handle):
            mine, theirs = common_positions(other._data, data)
            if mine.size:
                _alias(other, _merged(other._data, mine, data, theirs))
    return data


def follow(made: Any, function: Callable[..., Any], base: Any, *rest: Any) -> None:
    """Let tapes know a tensor that was made from a payload, as what the function makes of it."""
    if is_known(base):
        _alias(made, function(base, *rest))


def _alias(handle: Any, payload: Any) -> None:
    for tape in tapes():
        tape.alias(handle._data, payload)
    freeze(handle)


def write(handle: Any, payload: Any) -> None:
    """Replace all elements of a tensor by a payload of its shape, in it and in its views.

    Parameters
    ----------
    handle : Tensor
        Eager, on the host.
    payload : payload
        Of the tensor's shape, and of a dtype that its own takes.
    """
    before = [(other, other._data) for other in _others(handle)]
    known = is_known(handle._data, payload, *[data for _, data in before])
    target = writable_array(handle)
    np.copyto(target, np.asarray(payload), casting="same_kind")
    if not known:
        return
    written = payload if payload.dtype == target.dtype else ops.cast(payload, dtype=target.dtype)
    _alias(handle, written)
    for other, old in before:
        mine, theirs = common_positions(other._data, target)
        if mine.size:
            _alias(other, _merged(old, mine, written, theirs))
        elif other._data is not old:  # the buffer that they share has been copied
            _alias(other, old)


def _merged(old: Any, mine: Any, written: Any, theirs: Any) -> Any:
    """What another tensor holds after some of its elements were written."""
    if old.dtype == written.dtype:
        fresh = functions.take(functions.reshape(written, (-1,)), theirs)
        flat = functions.setitem(functions.reshape(old, (-1,)), mine, fresh)
        return functions.reshape(flat, old.shape)
    one, other = (_components(x) if is_complex(x.dtype) else x for x in (old, written))
    if one.dtype != other.dtype:  # the bits of another dtype depend on nothing
        return old
    found = _merged(one, mine, other, theirs)
    if one is old:
        return found
    return ops.complex_(*[functions.getitem(found, (..., i)) for i in (0, 1)])


def _components(x: Any) -> Any:
    """The parts of complex numbers, as they lie in memory."""
    return functions.stack([functions.real(x), functions.imag(x)], axis=-1)


def common_positions(a: Any, b: Any) -> tuple[Any, Any]:
    """What two arrays share, by flat positions in each: elements, or parts of complex numbers."""
    if not np.may_share_memory(a, b):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if a.dtype != b.dtype:
        a, b = (_parts(x) if is_complex(x.dtype) else x for x in (a, b))
    _, mine, theirs = np.intersect1d(_addresses(a), _addresses(b), return_indices=True)
    return mine, theirs


def _parts(array: Any) -> Any:
    """A view of complex numbers with the parts along a last axis."""
    part = array.real[..., None]
    strides = (*array.strides, array.itemsize // 2)
    return np.lib.stride_tricks.as_strided(part, (*array.shape, 2), strides, writeable=False)


def _addresses(array: Any) -> Any:
    start = array.__array_interface__["data"][0]
    found = np.full(array.shape, start, np.int64)
    for axis, (size, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        line = np.arange(size, dtype=np.int64) * stride
        found += line.reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    return found.ravel()


# Variables.


def reads(variable: Any) -> bool:
    """Whether a tape of this thread has to know that a variable is read."""
    return any(
        (tape.watches_variables and variable.trainable) or tape.knows_variable(variable)
        for tape in tapes()
    )


def raw_payloads(payloads: Sequence[Any]) -> list[Any]:
    """Payloads for a compiler: of variables what they hold, not the views that tapes know."""
    mine = tapes()
    if not mine or not mine[0].raw:
        return list(payloads)
    raw = mine[0].raw
    return [raw[id(x)][0] if id(x) in raw else x for x in payloads]


def on_host(payload: Any) -> Any:
    """An eager payload that a tape may know, for NumPy: always the same view of a jax array."""
    mine = tapes()
    if not mine or type(payload) is np.ndarray or not device_of(payload).is_host:
        return payload
    views = mine[0].views
    if id(payload) not in views:
        view = np.asarray(payload)
        views[id(payload)] = (payload, view)
        mine[0].raw[id(view)] = (payload, view)
        moved(view, payload)
    return views[id(payload)][1]


def read_variable(variable: Any, raw: Any, view: Any) -> Any:
    """The payload by which the tapes of this thread know a variable's value.

    Parameters
    ----------
    variable : Variable
    raw : ndarray or jax.Array
        What it holds.
    view : ndarray or jax.Array
        The same for eager ops: a fresh view of a jax array on the host.
    """
    mine = tapes()
    if not mine:
        return view
    pinned = mine[0].pinned.get(id(variable))
    if pinned is not None and pinned[1] is raw:
        payload = pinned[2]
    else:
        payload = view
        if is_known(raw):
            moved(payload, raw)
        elif payload is raw:
            payload = raw.view() if type(raw) is np.ndarray else raw.copy()
        mine[0].pinned[id(variable)] = (variable, raw, payload)
        mine[0].raw[id(payload)] = (raw, payload)
    for tape in mine:
        tape.watch_variable(variable, payload)
    return payload


__all__ = [
    "concerns",
    "follow",
    "is_known",
    "kept",
    "on_host",
    "raw_payloads",
    "read_variable",
    "reads",
    "tapes",
    "watch",
    "write",
]
