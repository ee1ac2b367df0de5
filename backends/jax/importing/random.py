"""Random keys and bits: jax's own algorithms on the data of keys, threefry in integer ops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from plait.backends.jax.importing.control import types_of
from plait.backends.jax.importing.rules import (
    Lacking,
    Site,
    full,
    ints,
    key_implementation,
    like,
    reshape,
    rule,
    stretch,
)
from plait.backends.jax.lowerings.common import shape_struct
from plait.ir import ops
from plait.ir.types import uint32

__all__: list[str] = []

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


@rule("threefry2x32")
def _threefry2x32(at: Site, *operands: Any) -> Any:
    """Two words for two of a key and two of a counter, as a function of that name."""
    shape = at.results[0].shape
    words = [stretch(x, shape) for x in operands]
    region = at.region("threefry2x32", types_of(words), threefry2x32)
    return ops.call(*words, regions=(region,), name="threefry2x32")


def threefry2x32(k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """Threefry with 20 rounds (Salmon et al., Parallel random numbers: as easy as 1, 2, 3)."""
    keys = (k0, k1, ops.bitwise_xor(ops.bitwise_xor(k0, k1), like(k0, PARITY)))
    x0, x1 = ops.add(x0, keys[0]), ops.add(x1, keys[1])
    for i in range(5):
        for distance in ROTATIONS[i % 2]:
            x0 = ops.add(x0, x1)
            x1 = ops.bitwise_xor(x0, rotate_left(x1, distance))
        x0 = ops.add(x0, keys[(i + 1) % 3])
        x1 = ops.add(ops.add(x1, keys[(i + 2) % 3]), like(x1, i + 1))
    return x0, x1


def rotate_left(x: Any, distance: int) -> Any:
    """The bits of words of 32 bits, turned."""
    high = ops.shift_left(x, like(x, distance))
    return ops.bitwise_or(high, ops.shift_right(x, like(x, 32 - distance)))


def apply(at: Site, function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """A function of jax's values, traced at the operands and translated here."""
    specs = [shape_struct(x.shape, x.dtype) for x in operands]
    return at.inline_closed(jax.make_jaxpr(function)(*specs), operands)


def implementation(at: Site) -> Any:
    """How the keys of an equation are made."""
    for v in (*at.equation.invars, *at.equation.outvars):
        dtype = getattr(v.aval, "dtype", None)
        made = None if dtype is None else key_implementation(dtype)
        if made is not None:
            return made
    raise Lacking


def over_keys(function: Callable[..., Any], axes: int) -> Callable[..., Any]:
    """The function of one key, for keys that lie along axes."""
    for _ in range(axes):
        function = jax.vmap(function)
    return function


def _axes_of(at: Site) -> int:
    return len(at.equation.invars[0].aval.shape)


@rule("random_bits")
def _bits(at: Site, keys: Any) -> Any:
    made, width, shape = implementation(at), at.params["bit_width"], at.params["shape"]
    return apply(
        at, over_keys(lambda key: made.random_bits(key, width, shape), _axes_of(at)), [keys]
    )


@rule("random_split")
def _split(at: Site, keys: Any) -> Any:
    made, shape = implementation(at), at.params["shape"]
    return apply(at, over_keys(lambda key: made.split(key, shape), _axes_of(at)), [keys])


@rule("random_seed")
def _seed(at: Site, seeds: Any) -> Any:
    made = implementation(at)
    return apply(at, over_keys(made.seed, seeds.ndim), [seeds])


@rule("random_fold_in")
def _fold_in(at: Site, keys: Any, messages: Any) -> Any:
    made = implementation(at)
    shape = at.equation.outvars[0].aval.shape
    given = messages
    if messages.dtype != uint32:
        wide = np.dtype(np.uint32)
        given = ops.cast(messages, dtype=wide)
    keys = _spread_keys(keys, shape, len(made.key_shape))
    return apply(at, over_keys(made.fold_in, len(shape)), [keys, stretch(given, shape)])


def _spread_keys(keys: Any, shape: Sequence[int], own: int) -> Any:
    """Data of keys, repeated as far as they broadcast."""
    wanted = (*shape, *keys.shape[keys.ndim - own :])
    return stretch(reshape(keys, (*[1] * (len(wanted) - keys.ndim), *keys.shape)), wanted)


@rule("iota_2x32_shape")
def _counters(at: Site) -> Any:
    """The upper and lower words of 0, 1, 2, ... in a shape."""
    shape = at.results[0].shape
    size = math.prod(int(n) for n in shape)
    if size >= 2**32 or not shape:
        raise Lacking
    row = ops.iota(dtype=np.dtype(np.uint32), shape=(size,), axis=0)
    return full(np.uint32, 0, ints(shape)), reshape(row, ints(shape))
