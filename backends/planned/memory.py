"""Arrays where we want them: aligned when fresh, in the arena when planned."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import DType

ALIGNMENT = 64
#: Aligning costs 1 to 2 µs, which smaller arrays do not pay back.
ALIGNED_FROM = 1 << 16


def empty(shape: Any, dtype: DType, nbytes: int) -> Any:
    """A fresh contiguous array, aligned when it is large."""
    if nbytes < ALIGNED_FROM:
        return np.empty(shape, dtype)
    return at_offset(aligned_bytes(nbytes), shape, dtype, 0)


def aligned_bytes(nbytes: int) -> Any:
    """Raw memory that begins at a multiple of the alignment."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]


def at_offset(memory: Any, shape: Any, dtype: DType, offset: int) -> Any:
    """An array over a stretch of raw memory."""
    return np.ndarray(shape, dtype, memory, offset)


def copy_of(array: Any) -> Any:
    """A contiguous copy, aligned when it is large; what is no array is passed on."""
    if type(array) is not np.ndarray:
        return array
    made = empty(array.shape, array.dtype, array.nbytes)
    np.copyto(made, array)
    return made


def writable(array: Any) -> Any:
    """The array itself when it can be written as a buffer, else a copy."""
    if type(array) is not np.ndarray:
        return array
    flags = array.flags
    return array if flags.c_contiguous and flags.writeable else copy_of(array)


def own(result: Any, dtype: DType, operands: tuple[Any, ...]) -> Any:
    """An op's result as an array that shares no memory with its operands."""
    if type(result) is not np.ndarray or result.dtype != dtype:
        result = np.asarray(result, dtype)
    if result.base is None and result.flags.writeable:
        if all(result is not x for x in operands):
            return result
    elif result.flags.writeable and not any(
        np.may_share_memory(result, x) for x in operands if type(x) is np.ndarray
    ):
        return result
    return copy_of(result)
