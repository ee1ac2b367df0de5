"""Derivative rules of the ops, by family; loaded when a derivative is first asked for."""

from plait.ir.derivatives import (
    convolution,
    effects,
    elementwise,
    foreign,
    indexing,
    linear,
    manipulation,
    reductions,
    special,
    transcendental,
)

__all__ = [
    "convolution",
    "effects",
    "elementwise",
    "foreign",
    "indexing",
    "linear",
    "manipulation",
    "reductions",
    "special",
    "transcendental",
]
