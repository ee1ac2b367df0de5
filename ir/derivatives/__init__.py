"""Derivative rules of the ops, by family; loaded when a derivative is first asked for."""

from functools import cache
from importlib import import_module

from plait.ir.derivatives import define as define

FAMILIES = (
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
)


@cache
def load() -> None:
    """Give the ops of all families their rules."""
    for family in FAMILIES:
        import_module(f"plait.ir.derivatives.{family}")


__all__ = ["FAMILIES", "define", "load"]
