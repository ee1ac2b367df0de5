"""The public ``print``, which shows tensors also from inside of compiled functions."""

from __future__ import annotations

from plait.ir.frames import boundary
from plait.tracer import print_public

print = boundary(print_public)

__all__ = ["print"]
