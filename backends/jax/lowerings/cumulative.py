"""Running sums, products and extremes in jax.lax; half precision runs in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Lowering, Table, cast, in_float32, kind


def running(function: Callable[..., Any]) -> Lowering:
    """A running function along ``axis``; booleans run as bytes."""

    def lowering(x: Any, *, axis: int, reverse: bool = False) -> Any:
        if kind(x) == "b":
            return cast(function(cast(x, np.uint8), axis=axis, reverse=reverse), x.dtype)
        return function(x, axis=axis, reverse=reverse)

    return in_float32(lowering)


TABLE: Table = {
    "cumsum": running(lax.cumsum),
    "cumprod": running(lax.cumprod),
    "cummax": running(lax.cummax),
    "cummin": running(lax.cummin),
}
