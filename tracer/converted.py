"""The converter, which is loaded when something is traced: it imports what traces."""

from __future__ import annotations

from typing import Any


def convert(function: Any) -> Any:
    """The converted form of a function; the function itself where there is none."""
    from plait.tracer.convert import convert as converted

    return converted(function)


def is_converted(function: Any) -> bool:
    """Whether the code of a function tells what it reads and writes."""
    from plait.tracer.convert import is_converted as found

    return found(function)


def is_of_library(function: Any) -> bool:
    """Whether a function stands in a file of the standard library or of an installed package."""
    from plait.tracer.convert.converter import library_of

    return bool(library_of(function.__code__.co_filename))
