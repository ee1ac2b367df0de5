"""The user's lines, as comments beside what they became."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Mapping

from plait.ir import Location, display_name

Lines = Mapping[tuple[str, int], str]


def comment_of(location: Location, lines: Lines) -> str:
    """``# lstm.py:12: gates = x @ w``; the place alone where the line is not known."""
    place = f"# {location.file}:{location.line}"
    line = lines.get((location.file, location.line), "").strip() or source_line(location)
    return f"{place}: {line}" if line else place


def source_line(location: Location) -> str:
    """A line of the user's code; empty where its file is not found."""
    path = _find(location.file)
    return linecache.getline(path, location.line).strip() if path else ""


def _find(shown: str) -> str | None:
    """The file of a location: as named from here, or a loaded module's file of that name."""
    if os.path.exists(shown):
        return os.path.abspath(shown)  # lines are remembered by path, wherever the work goes on
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(os.path.basename(shown)) and display_name(file) == shown:
            return str(file)
    return None
