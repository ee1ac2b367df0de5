"""When results of two backends agree: equal types, and values within a tolerance by dtype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plait import ir
from plait.ir.types import DType

#: Largest error, relative to the value, or absolute where the value is below 1. Integers and
#: booleans are equal. Reference and XLA differ in the order of sums and in the last bits of
#: transcendental functions; complex ones have larger errors, of cancellation.
TOLERANCES: Mapping[DType, float] = {
    ir.float16: 2e-3,
    ir.bfloat16: 1.6e-2,
    ir.float32: 3e-6,
    ir.float64: 1e-13,
    ir.complex64: 1e-5,
    ir.complex128: 1e-12,
}


def disagreement(got: Any, wanted: Any, tolerance: float | None = None) -> str:
    """What is wrong with a result; empty when it agrees. NaN equals NaN, and -0 equals 0."""
    if isinstance(wanted, ir.TokenType) or isinstance(got, ir.TokenType):
        return "" if type(got) is type(wanted) else f"got {got!r}, wanted {wanted!r}"
    got, wanted = np.asarray(got), np.asarray(wanted)
    if (got.dtype, got.shape) != (wanted.dtype, wanted.shape):
        found, expected = (ir.TensorType(a.dtype, a.shape) for a in (got, wanted))
        return f"got {found}, wanted {expected}"
    bound = TOLERANCES.get(wanted.dtype, 0.0) if tolerance is None else tolerance
    if not bound:
        # A NaN differs from itself.
        same = (got == wanted) | ((got != got) & (wanted != wanted))
        return "" if bool(np.all(same)) else f"got {got}, wanted {wanted}"
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    close = np.allclose(
        got.astype(wide), wanted.astype(wide), rtol=bound, atol=bound, equal_nan=True
    )
    return "" if close else f"got {got}, wanted {wanted}, which differ by more than {bound}"
