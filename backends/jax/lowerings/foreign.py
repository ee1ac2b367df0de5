"""Code of other frameworks: jax's own in place, any other by a callback to the host."""

from __future__ import annotations

from typing import Any

import jax

from plait.backends.jax.lowerings.common import Table, shape_struct
from plait.ir import TensorType


def lower_foreign(
    *operands: Any, function: Any, result_types: tuple[TensorType, ...]
) -> tuple[Any, ...]:
    """What a function of jax applies; of others, their reference."""
    apply = getattr(function, "apply", None)
    if apply is not None:
        return tuple(apply(*operands))
    shapes = tuple([shape_struct(t.shape, t.dtype) for t in result_types])
    found: tuple[Any, ...] = jax.pure_callback(function, shapes, *operands)
    return found


TABLE: Table = {"foreign": lower_foreign}
