"""Errors as ``file:line:column: error: message`` with the line they point at."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, TracebackType

from plait.ir import display_name, is_internal
from plait.ir.errors import ParseError, PlaitError, TargetError

MAX_FRAMES = 8
MAX_LINE = 160


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file: the file's own name, and line and columns counted from 1."""

    file: str
    line: int
    column: int
    end: int
    function: str = ""

    @property
    def shown(self) -> str:
        """``file:line:column`` with the file named as seen from the working folder."""
        return f"{shown_name(self.file)}:{self.line}:{self.column}"


@contextmanager
def source(text: str) -> Iterator[None]:
    """Let errors of parsing ``text`` show the line that they point at."""
    try:
        yield
    except ParseError as error:
        lines = text.split("\n")
        if error.line <= len(lines):
            error.add_note(excerpt(lines[error.line - 1], error.column, error.column + 1))
        raise


def diagnose(error: BaseException) -> str:
    """The lines that tell a person about an error; never more of a stack than the user's own."""
    notes = list(getattr(error, "__notes__", ()))
    if isinstance(error, ParseError):
        return "\n".join([str(error), *notes])
    if isinstance(error, TargetError) and error.__cause__ is not None:
        return _user_error(error, error.__cause__)
    if not isinstance(error, PlaitError):
        shown = f"{type(error).__name__}: {error}".strip()
        return (
            f"plait: internal error: {shown}\n"
            "this is a fault of Plait; PLAIT_FULL_TRACEBACK=1 shows where it happened"
        )
    if error.location is None:
        return "\n".join([f"plait: error: {error.message}", *notes])
    file, line = error.location.file, error.location.line
    path = _find(file)
    text = linecache.getline(path, line) if path else ""
    column = len(text) - len(text.lstrip()) + 1 if text.strip() else 1
    head = f"{shown_name(path) if path else file}:{line}:{column}: error: {error.message}"
    parts = [head, excerpt(text, column, len(text.rstrip()) + 1)] if text.strip() else [head]
    return "\n".join([*parts, *notes])


def _find(shown: str) -> str | None:
    """The file of a location: as named from here, or a loaded module's file of that name."""
    if os.path.exists(shown):
        return os.path.abspath(shown)  # lines are remembered by path, wherever the work goes on
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(os.path.basename(shown)) and display_name(file) == shown:
            return str(file)
    return None


def _user_error(error: TargetError, cause: BaseException) -> str:
    """An exception of the user's code: their line and their message."""
    places = user_places(cause.__traceback__)
    message = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    if isinstance(cause, SyntaxError) and cause.filename and cause.lineno:
        column = cause.offset or 1
        end = cause.end_offset if cause.end_lineno == cause.lineno else None
        places.append(Place(cause.filename, cause.lineno, column, max(end or 0, column + 1)))
        message = f"{type(cause).__name__}: {cause.msg}"
    elif isinstance(cause, PlaitError):
        message = cause.message
    if not places:
        return f"plait: error: {error.message}: {message}"
    last = places[-1]
    lines = [f"{last.shown}: error: {message}"]
    text = linecache.getline(last.file, last.line)
    if text.strip():
        lines.append(excerpt(text, last.column, last.end))
    lines += [f"  called from {p.shown}, in {p.function}" for p in places[-2:-MAX_FRAMES:-1]]
    return "\n".join([*lines, f"  {error.message}"])


def user_places(traceback: TracebackType | None) -> list[Place]:
    """The places of a traceback that lie in the user's own files, outermost first."""
    found: list[Place] = []
    while traceback is not None:
        frame, code = traceback.tb_frame, traceback.tb_frame.f_code
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] == "click" or name.startswith("plait.cli"):
            found.clear()
        elif not is_internal(frame) and not is_library(code.co_filename):
            found.append(_place(code, traceback))
        traceback = traceback.tb_next
    return found


def _place(code: CodeType, traceback: TracebackType) -> Place:
    positions = next(
        itertools.islice(code.co_positions(), traceback.tb_lasti // 2, None), (None,) * 4
    )
    line, end_line, column, end = positions
    text = linecache.getline(code.co_filename, traceback.tb_lineno)
    if line != traceback.tb_lineno or column is None or end is None:
        column, end = len(text) - len(text.lstrip()), len(text.rstrip())
    elif end_line != line:
        end = len(text.rstrip())
    # Columns count bytes of UTF-8; people count characters.
    encoded = text.encode()
    start, stop = (len(encoded[:n].decode(errors="ignore")) for n in (column, end))
    name = code.co_name if code.co_name != "<module>" else "the module"
    return Place(code.co_filename, traceback.tb_lineno, start + 1, stop + 1, name)


def is_library(file: str) -> bool:
    """Whether a file is installed rather than written by the user."""
    if file.startswith("<"):
        return True
    path = Path(file).resolve()
    if {"site-packages", "dist-packages"} & set(path.parts):
        return True
    return path.is_relative_to(Path(sysconfig.get_path("stdlib")).resolve())


def excerpt(text: str, column: int, end: int) -> str:
    """A line of text with a mark below the columns; tabs count as one."""
    line = text.rstrip().replace("\t", " ")
    start = 0
    if len(line) > MAX_LINE:
        start = max(0, min(column - MAX_LINE // 2, len(line) - MAX_LINE))
        line = line[start : start + MAX_LINE]
    column, end = column - start, min(end - start, len(line) + 1)
    mark = " " * (column - 1) + "^" + "~" * (end - column - 1)
    return f"    {line}\n    {mark}"


def shown_name(file: str) -> str:
    """A file's name relative to the working folder when it lies in it, else to its project."""
    if file.startswith("<"):
        return file
    relative = os.path.relpath(file)
    return display_name(file) if relative.startswith(os.pardir) else Path(relative).as_posix()
