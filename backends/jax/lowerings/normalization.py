"""The softmax family in jax.lax, with the reference's formulas; half precision in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from plait.backends.jax.lowerings.common import Table, in_float32, like, zeros

Ints = tuple[int, ...]


def stretch(reduced: Any, shape: Ints, axes: Ints) -> Any:
    """A reduction's result repeated along the axes that it lost."""
    kept = [a for a in range(len(shape)) if a not in axes]
    return lax.broadcast_in_dim(reduced, shape, kept)


def shifted(x: Any, axis: int) -> Any:
    """The operand less its largest element along an axis."""
    return lax.sub(x, stretch(lax.reduce_max(x, (axis,)), x.shape, (axis,)))


def lower_softmax(x: Any, *, axis: int) -> Any:
    """Exponentials that add up to 1."""
    e = lax.exp(shifted(x, axis))
    return lax.div(e, stretch(lax.reduce_sum(e, (axis,)), x.shape, (axis,)))


def lower_log_softmax(x: Any, *, axis: int) -> Any:
    """Logarithm of the softmax."""
    low = shifted(x, axis)
    total = lax.log(lax.reduce_sum(lax.exp(low), (axis,)))
    return lax.sub(low, stretch(total, x.shape, (axis,)))


def lower_logsumexp(x: Any, *, axes: Ints, keepdims: bool) -> Any:
    """Logarithm of the sum of exponentials; an infinite largest element is not subtracted."""
    largest = lax.reduce_max(x, axes) if axes else x
    infinite = lax.eq(lax.abs(largest), like(largest, np.inf))
    largest = lax.select(infinite, zeros(largest), largest)
    e = lax.exp(lax.sub(x, stretch(largest, x.shape, axes)))
    total = lax.add(lax.log(lax.reduce_sum(e, axes) if axes else e), largest)
    if not keepdims:
        return total
    return lax.reshape(total, [1 if a in axes else d for a, d in enumerate(x.shape)])


TABLE: Table = {
    "softmax": in_float32(lower_softmax),
    "log_softmax": in_float32(lower_log_softmax),
    "logsumexp": in_float32(lower_logsumexp),
}
