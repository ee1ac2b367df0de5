"""One-hot rows and reinterpreted bits in jax.lax."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Table, cast


def lower_one_hot(indices: Any, *, depth: int, dtype: Any) -> Any:
    """Compare each index with 0, 1, 2, ..."""
    shape = (*indices.shape, depth)
    wide = lax.broadcast_in_dim(cast(indices, np.int64), shape, range(indices.ndim))
    return cast(lax.eq(wide, lax.broadcasted_iota(np.int64, shape, indices.ndim)), np.dtype(dtype))


def lower_bitcast(x: Any, *, dtype: Any) -> Any:
    """The same bits; XLA adds and takes the last axis as Plait does."""
    return lax.bitcast_convert_type(x, np.dtype(dtype))


TABLE: Table = {
    "one_hot": lower_one_hot,
    "bitcast": lower_bitcast,
}
