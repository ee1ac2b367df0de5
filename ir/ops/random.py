"""Random bits from a counter: Philox 4x32-10, equal on every backend.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3.
SC 2011.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.op import Op, register
from plait.ir.ops.rules import check_tensors
from plait.ir.types import Dim, DType, Shape, TensorType, as_dtype, uint32, uint64

__all__ = ["philox"]

FAMILY = "random"
ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
#: Blocks computed at a time, so that the words stay in the cache.
CHUNK = 8192


def philox_4x32(counter: Any, key: Any) -> tuple[Any, Any, Any, Any]:
    """Four words of 32 random bits, in uint64, for four words of counter and two of key.

    Parameters
    ----------
    counter : sequence of four uint64 arrays, each below 2**32
    key : sequence of two int, or uint64 arrays that broadcast with the counter
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW
        c2, c3 = (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def blocks_of(shape: Shape, dtype: DType) -> int:
    """How many counter values the bits of a shape take: four words of 32 bits each."""
    return -(-math.prod(shape) * (dtype.itemsize // 4) // 4)


def infer_philox(state: Any, *, shape: Shape, dtype: DType = uint32) -> TensorType:
    """Bits of ``shape`` in ``dtype``, uint32 or uint64, for a state u64[2]: key and counter.

    Of states u64[..., 2] the bits of each: their leading axes come first.
    """
    check_tensors("philox", state)
    if state.dtype != uint64 or state.shape[-1:] != (2,):
        raise DTypeError(f"philox: expected a state u64[2] of key and counter, got {state}")
    if as_dtype(dtype) not in (uint32, uint64):
        raise DTypeError(f"philox: bits come as uint32 or uint64, not {as_dtype(dtype).name}")
    if not all(type(n) is Dim or (type(n) is int and n >= 0) for n in shape):
        raise ShapeError(f"philox: expected sizes that are numbers, got shape {shape}")
    return TensorType(as_dtype(dtype), (*state.shape[:-1], *shape))


def _philox(state: Any, *, shape: Shape, dtype: DType = uint32) -> Any:
    dtype = as_dtype(dtype)
    keys, counters = state.reshape(-1, 2).T
    rows, count = len(keys), blocks_of(shape, dtype)
    words = np.empty((rows * count, 4), np.uint32)
    for start in range(0, rows * count, CHUNK):
        stop = min(start + CHUNK, rows * count)
        row, block = np.divmod(np.arange(start, stop), max(count, 1))
        # Unsigned arithmetic wraps around: the counter has 64 bits.
        places, key = block.astype(np.uint64) + counters[row], keys[row]
        zero = np.zeros_like(places)
        found = philox_4x32((places & LOW, places >> HALF, zero, zero), (key & LOW, key >> HALF))
        for i, word in enumerate(found):
            words[start:stop, i] = word
    # A 64-bit number is two words, the lower half first.
    bits = words.astype("<u4", copy=False).view(dtype.newbyteorder("<"))
    bits = bits.reshape(rows, bits.size // rows if rows else 0)
    sizes: Any = (*state.shape[:-1], *shape)
    return bits[:, : math.prod(sizes[state.ndim - 1 :])].reshape(sizes).astype(dtype, copy=True)


def _philox_into(out: Any, state: Any, **attributes: Any) -> None:
    out[...] = _philox(state, **attributes)


philox = register(
    Op(
        name="philox",
        family=FAMILY,
        doc="random bits: Philox 4x32-10 of the counters (counter + i, 0), four words each; of "
        "several states those of each",
        infer=infer_philox,
        reference=_philox,
        into=_philox_into,
        flops=lambda _, results, **__: results[0].size * 20,
    )
)
