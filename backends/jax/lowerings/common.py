"""Small pieces that the lowering tables share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import ml_dtypes
import numpy as np
from jax import lax

#: Takes jax values by position and the op's attributes by keyword (``regions`` as callables);
#: gives one value, or a tuple for an op with several results.
Lowering = Callable[..., Any]
Table = Mapping[str, Lowering]

#: Functions of jax that some of its versions leave without types.
shape_struct: Any = jax.ShapeDtypeStruct
optimization_barrier: Any = lax.optimization_barrier
block_until_ready: Any = jax.block_until_ready
effects_barrier: Any = jax.effects_barrier

HALVES = frozenset((np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)))


def like(x: Any, value: Any) -> Any:
    """A tensor of one value with the dtype and shape of ``x``."""
    return lax.broadcast(np.asarray(value, x.dtype), x.shape)


def zeros(x: Any) -> Any:
    """Zeros with the dtype and shape of ``x``."""
    return like(x, 0)


def kind(x: Any) -> str:
    """NumPy's letter for a kind of dtype; ``f`` for bfloat16 too."""
    letter: str = x.dtype.kind
    return "f" if letter == "V" else letter


def cast(x: Any, dtype: Any) -> Any:
    """The value in another dtype."""
    return x if x.dtype == dtype else lax.convert_element_type(x, dtype)


def in_float32(function: Lowering) -> Lowering:
    """Compute half precision in float32 and round once, as the reference does."""

    def lowering(*operands: Any, **attributes: Any) -> Any:
        dtype = operands[0].dtype
        if dtype not in HALVES:
            return function(*operands, **attributes)
        wide = [cast(x, np.float32) for x in operands]
        return cast(function(*wide, **attributes), dtype)

    return lowering


def bits_dtype(dtype: Any) -> Any:
    """The unsigned integer dtype as wide as ``dtype``."""
    return np.dtype(f"uint{8 * dtype.itemsize}")


def as_bits(x: Any) -> Any:
    """The bits of a real number as an unsigned integer."""
    return lax.bitcast_convert_type(x, bits_dtype(x.dtype))
