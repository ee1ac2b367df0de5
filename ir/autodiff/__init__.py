"""Derivatives of anything that runs through the interception point, to any order.

The modules are loaded when they are first asked for: importing plait needs few of them.
"""

from importlib import import_module
from typing import Any

from plait.ir.autodiff.function import Differentiable as Differentiable
from plait.ir.autodiff.recording import Record as Record
from plait.ir.autodiff.recording import Recording as Recording

__all__ = [
    "Differentiable",
    "Record",
    "Recording",
    "capacity",
    "closure",
    "forward",
    "function",
    "graphs",
    "liveness",
    "partition",
    "recording",
    "tape",
    "while_parts",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"plait.ir.autodiff has no {name!r}; it has {', '.join(__all__)}")
    return import_module(f"plait.ir.autodiff.{name}")
