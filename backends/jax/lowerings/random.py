"""Philox 4x32-10 in integer ops of jax.lax: the reference's bits, bit for bit."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Table, cast, like

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = np.uint32
WIDE = np.uint64


def halves(x: Any) -> tuple[Any, Any]:
    """The lower and the upper 32 bits of uint64."""
    return cast(x, LOW), cast(lax.shift_right_logical(x, like(x, 32)), LOW)


@jax.jit
def philox_4x32(key: Any, counter: Any) -> Any:
    """Four words for each 64-bit counter, u32[count, 4], of one key or one for each.

    Compiled apart, so traced once a size.
    """
    c0, c1 = halves(counter)
    c2 = c3 = like(c0, 0)
    k0, k1 = (k if k.ndim else lax.broadcast(k, c0.shape) for k in halves(key))
    for _ in range(ROUNDS):
        low0, high0 = halves(lax.mul(cast(c0, WIDE), like(counter, MULTIPLIERS[0])))
        low1, high1 = halves(lax.mul(cast(c2, WIDE), like(counter, MULTIPLIERS[1])))
        c0, c1 = lax.bitwise_xor(lax.bitwise_xor(high1, c1), k0), low1
        c2, c3 = lax.bitwise_xor(lax.bitwise_xor(high0, c3), k1), low0
        k0, k1 = lax.add(k0, like(k0, WEYL[0])), lax.add(k1, like(k1, WEYL[1]))
    return lax.concatenate([lax.expand_dims(c, [1]) for c in (c0, c1, c2, c3)], 1)


def lower_philox(state: Any, *, shape: tuple[int, ...], dtype: Any = np.uint32) -> Any:
    """Bits for a state of key and counter, or for each of several."""
    dtype = np.dtype(dtype)
    batch, size = state.shape[:-1], math.prod(shape)
    count = -(-size * (dtype.itemsize // 4) // 4)  # A counter gives four words of 32 bits.
    rows = math.prod(batch)
    if rows * size == 0:
        return lax.full((*batch, *shape), np.zeros((), dtype))
    key, first = (lax.index_in_dim(state, i, state.ndim - 1, keepdims=False) for i in range(2))
    blocks = lax.broadcasted_iota(WIDE, (rows, count), 1)
    counter = lax.reshape(lax.add(_repeated(first, blocks), blocks), (rows * count,))
    if batch:
        key = lax.reshape(_repeated(key, blocks), (rows * count,))
    words = philox_4x32(key, counter)
    if dtype == WIDE:
        pairs = lax.reshape(words, (2 * rows * count, 2))
        low, high = (cast(lax.index_in_dim(pairs, i, 1, keepdims=False), WIDE) for i in range(2))
        bits = lax.bitwise_or(low, lax.shift_left(high, like(high, 32)))
    else:
        bits = lax.reshape(words, (4 * rows * count,))
    bits = lax.reshape(bits, (rows, bits.size // rows))
    return lax.reshape(lax.slice_in_dim(bits, 0, size, axis=1), (*batch, *shape))


def _repeated(word: Any, blocks: Any) -> Any:
    """A word of each state, repeated for its blocks."""
    return lax.broadcast_in_dim(lax.reshape(word, blocks.shape[:1]), blocks.shape, (0,))


TABLE: Table = {"philox": lower_philox}
