"""Constants, fills and counters in jax.lax."""

from __future__ import annotations

from typing import Any

from jax import lax

from plait.backends.jax.lowerings.common import Table
from plait.ir import Literal


def lower_constant(*, value: Literal) -> Any:
    """The array itself: jax embeds it in the program."""
    return value.array


def lower_full(*, value: Literal, shape: tuple[int, ...]) -> Any:
    """One value, broadcast."""
    return lax.broadcast(value.array, shape)


def lower_iota(*, dtype: Any, shape: tuple[int, ...], axis: int) -> Any:
    """0, 1, 2, ... along ``axis``."""
    return lax.broadcasted_iota(dtype, shape, axis)


TABLE: Table = {
    "constant": lower_constant,
    "full": lower_full,
    "iota": lower_iota,
}
