"""Converts Python functions so that what depends on traced values goes into the graph."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from plait.ir import dispatch
from plait.tracer.convert.converter import Converter
from plait.tracer.convert.unit import CodeRecord, Root

__all__ = [
    "CodeRecord",
    "Converter",
    "Root",
    "convert",
    "exclude",
    "include",
    "is_converted",
    "why_not",
]

F = TypeVar("F")


@lru_cache(maxsize=1)
def _converter() -> Converter:
    from plait.tracer import control  # converts, too

    return Converter(control, dispatch)


def convert(function: F) -> F:
    """A function that means the same, and can be captured; itself when it cannot be converted.

    See ``why_not`` for the reason. Name, defaults, attributes, globals and closure cells are those
    of ``function``. Converted once for each code object and file.
    """
    found: F = _converter().convert(function)
    return found


def why_not(function: object) -> str | None:
    """Why a function is not converted; None when it is, or can be."""
    return _converter().why_not(function)


def is_converted(function: object) -> bool:
    """Whether a function is one that ``convert`` has made, or was defined inside of one."""
    return _converter().is_converted(function)


def include(module: str) -> None:
    """Convert the functions of a library (``"package"`` or ``"package.module"``) too.

    Functions of the standard library and of site-packages are left alone otherwise.
    """
    _converter().include(module)


def exclude(module: str) -> None:
    """Leave the functions of a library alone again."""
    _converter().exclude(module)
