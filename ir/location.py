"""Where in the user's code a value comes from."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType


@dataclass(frozen=True, slots=True)
class Location:
    """A line of the user's code: a file (relative to its project) or cell, line and function."""

    file: str = "<unknown>"
    line: int = 0
    function: str = ""

    def __str__(self) -> str:
        inside = f", in {self.function}" if self.function else ""
        return f"{self.file}:{self.line}{inside}"


UNKNOWN = Location()


def is_internal(frame: FrameType) -> bool:
    """Whether a frame runs Plait's own code, generated methods included."""
    module = frame.f_globals.get("__name__", "")
    return module[:5] == "plait" and module[5:6] in ("", ".")


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame that is not Plait's own code, from ``depth`` calls up.

    A frame costs a fifth of a microsecond to look at: say how many are known to be ours.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:  # inline for speed: every traced op comes here
        module = frame.f_globals.get("__name__", "")
        if module[:5] != "plait" or module[5:6] not in ("", "."):
            return frame
        frame = frame.f_back
    return None


def user_location(depth: int = 1) -> Location:
    """The innermost line of the user's code on the stack, from ``depth`` calls up."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:  # as ``user_frame``
        module = frame.f_globals.get("__name__", "")
        if module[:5] != "plait" or module[5:6] not in ("", "."):
            return location_of(frame)
        frame = frame.f_back
    return UNKNOWN


def raised_at(error: BaseException) -> Location:
    """The user's line at which an error was raised."""
    known = getattr(error, "location", None)
    if isinstance(known, Location):
        return known
    found, entry = UNKNOWN, error.__traceback__
    while isinstance(entry, TracebackType):
        code = entry.tb_frame.f_code
        if not is_internal(entry.tb_frame):
            found = Location(display_name(code.co_filename), entry.tb_lineno, code.co_name)
        entry = entry.tb_next
    return found


def location_of(frame: FrameType) -> Location:
    """The location of a frame, with its file named as in dumps and messages."""
    code = frame.f_code
    if "IPython" in sys.modules:
        return Location(display_name(code.co_filename), frame.f_lineno, _function_name(frame))
    if code.co_name in _COMPREHENSIONS:
        return _location(code.co_filename, frame.f_lineno, _function_name(frame))
    place = (id(code), frame.f_lasti)  # quicker to find than the line
    known = _places.get(place)
    if known is not None and known[0] is code:
        return known[1]
    found = _location(code.co_filename, frame.f_lineno, code.co_name)
    if len(_places) >= _MOST_PLACES:
        _places.clear()
    _places[place] = (code, found)
    return found


#: Locations by the identity of their code, which is held, and the place in it.
_places: dict[tuple[int, int], tuple[CodeType, Location]] = {}
_MOST_PLACES = 4096


@lru_cache(maxsize=4096)
def _location(file: str, line: int, function: str) -> Location:
    return Location(_file_name(file), line, function)


_COMPREHENSIONS = frozenset(("<listcomp>", "<setcomp>", "<dictcomp>"))


def _function_name(frame: FrameType) -> str:
    """The function of a frame; Python 3.11 runs a comprehension in a frame of its own."""
    name = frame.f_code.co_name
    while name in _COMPREHENSIONS and frame.f_back is not None:
        frame = frame.f_back
        name = frame.f_code.co_name
    return name


def display_name(filename: str) -> str:
    """A file's name as shown: relative to the project that holds it, equal on every machine."""
    return _cell_name(filename) or _file_name(filename)


def _cell_name(filename: str) -> str | None:
    """``In [3]`` for the file IPython gave a cell; the number changes when it runs again."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if get_shell is None:
        return None
    name_of = getattr(getattr(get_shell(), "compile", None), "format_code_name", None)
    shown = name_of(filename) if name_of is not None else None  # ("Cell", "In[3]")
    return f"In [{shown[1].removeprefix('In[')}" if shown else None


@lru_cache(maxsize=1024)
def _file_name(filename: str) -> str:
    if filename.startswith("<"):
        return filename
    path = Path(os.path.abspath(filename))
    for folder in path.parents:
        if any((folder / mark).exists() for mark in ("pyproject.toml", "setup.py", ".git")):
            return path.relative_to(folder).as_posix()
    return path.name
