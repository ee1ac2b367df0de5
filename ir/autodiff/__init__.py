"""Derivatives of anything that runs through the interception point, to any order."""

from plait.ir.autodiff.function import Differentiable
from plait.ir.autodiff.recording import Record, Recording

__all__ = ["Differentiable", "Record", "Recording"]
