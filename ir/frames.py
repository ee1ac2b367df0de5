"""The boundary to users: errors leave it with the user's line and without Plait's own frames."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

from plait.ir.errors import (
    CheckError,
    DTypeError,
    IndexOutOfRangeError,
    PlaitError,
    RangeError,
    ShapeError,
    SignatureError,
    TraceError,
)
from plait.ir.location import is_internal, user_location

__all__ = ["boundary", "full_traceback", "hide_internals", "public_methods", "translated"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

# What bad arguments raise inside of us, and what users get: it keeps the built-in class.
_KINDS: tuple[tuple[type[Exception], type[PlaitError]], ...] = (
    (OverflowError, RangeError),
    (IndexError, IndexOutOfRangeError),
    (ValueError, ShapeError),
    (TypeError, DTypeError),
)
_LIBRARIES = frozenset(("jax", "jaxlib", "ml_dtypes", "numpy", "scipy")) | sys.stdlib_module_names
_PREFIX = re.compile(r"([A-Za-z_][\w.]*|x\[.*?\].*?): ")
_CALL = re.compile(r"\(\) (takes|missing|got) ")  # a function was called as it cannot be
# Their messages are written for the user's line already, or are equal in compiled code.
_SAID = (CheckError, IndexOutOfRangeError, TraceError, SignatureError)


def full_traceback() -> bool:
    """Whether ``PLAIT_FULL_TRACEBACK`` asks for all frames."""
    return os.environ.get("PLAIT_FULL_TRACEBACK", "") not in ("", "0")


# Frames.


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_library(frame: FrameType) -> bool:
    module: str = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] in _LIBRARIES


def _user_entries(traceback: TracebackType | None) -> list[TracebackType]:
    """The entries of the user's code, and of libraries that it called."""
    kept, inside = [], False
    for entry in _entries(traceback):
        if is_internal(entry.tb_frame):
            inside = True
        elif not (inside and _is_library(entry.tb_frame)):
            inside = False
            kept.append(entry)
    return kept


def hide_internals(error: BaseException) -> None:
    """Take Plait's frames out of the traceback of an error and of those that it is chained to.

    Called in the handler of a public function that then raises again without an argument, which
    adds no frame: the last frame shown is the user's.
    """
    if full_traceback():
        return
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        found = pending.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        pending += [found.__cause__, found.__context__]
        _note_internal(found)
        rebuilt: TracebackType | None = None
        for entry in reversed(_user_entries(found.__traceback__)):
            rebuilt = TracebackType(rebuilt, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        found.__traceback__ = rebuilt


_NOTE = "raised inside Plait; PLAIT_FULL_TRACEBACK=1 shows where"


def _note_internal(error: BaseException) -> None:
    """Say so where an error that is not meant for users comes from inside of us."""
    if isinstance(error, PlaitError):
        return
    last = None
    for entry in _entries(error.__traceback__):
        if is_internal(entry.tb_frame) or not _is_library(entry.tb_frame):
            last = entry
    ours = last is not None and is_internal(last.tb_frame)
    if ours and _NOTE not in getattr(error, "__notes__", ()):
        error.add_note(_NOTE)


# Errors.


def translated(error: Exception, function: Callable[..., Any]) -> Exception:
    """What a user of ``function`` is to see: the same error, or one of ours in its place.

    Errors of the user's own code (a callback's, an ``__array__`` method's) stay as they are.
    """
    if isinstance(error, PlaitError):
        if error.location is None and not isinstance(error, _SAID):
            _name_function(error, _public_name(function))
        return error.at(user_location())
    if not isinstance(error, (TypeError, ValueError, OverflowError, IndexError)):
        return error
    entries = list(_entries(error.__traceback__))
    if any(not (is_internal(e.tb_frame) or _is_library(e.tb_frame)) for e in entries):
        return error
    name, text = _public_name(function), str(error)
    if isinstance(error, TypeError) and len(entries) == 1 and f"{function.__name__}() " in text:
        text = text[text.index("() ") + 3 :]
        found: PlaitError = SignatureError(f"{name}: {text}; call it as {_call_form(function)}")
    else:
        kind = next(ours for builtin, ours in _KINDS if isinstance(error, builtin))
        kind = SignatureError if isinstance(error, TypeError) and _CALL.search(text) else kind
        found = kind(text if name.startswith("_") else f"{name}: {text}")
    found.__cause__ = error
    found.__suppress_context__ = True
    if not full_traceback():
        found.__cause__ = None
    return found.at(user_location())


def _name_function(error: PlaitError, name: str) -> None:
    """Let a message begin with the function that the user called, not with one inside of it."""
    from plait.ir import functions, ops

    match = _PREFIX.match(error.message)
    if name.startswith("_"):
        return
    if match is None:
        error.message = f"{name}: {error.message}"
    elif match[1] != name and (hasattr(functions, match[1]) or hasattr(ops, match[1])):
        error.message = f"{name}: {error.message[match.end() :]}"


def _public_name(function: Callable[..., Any]) -> str:
    """What the user wrote to call a function: the class for its ``__init__``."""
    name = function.__name__
    return function.__qualname__.rpartition(".")[0] if name == "__init__" else name


def _call_form(function: Callable[..., Any]) -> str:
    """``sum(x, axis=None)``: the call without types."""
    empty = inspect.Parameter.empty
    signature = inspect.signature(function)
    given = [p for name, p in signature.parameters.items() if name != "self"]
    bare = [p.replace(annotation=empty) for p in given]
    shown = signature.replace(parameters=bare, return_annotation=empty)
    return f"{_public_name(function)}{shown}"


# Public functions.


def boundary(function: Callable[P, R]) -> Callable[P, R]:
    """A function for users: wrong arguments raise Plait's errors, with no frame but the user's."""

    @wraps(function)
    def public(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            try:
                raise translated(error, function)
            except Exception as shown:
                hide_internals(shown)
                raise

    return public


def public_methods(owner: C) -> C:
    """Make boundaries of the methods that a class defines; its special methods are left alone."""
    made: dict[int, Any] = {}
    for name, method in list(vars(owner).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(owner, name, made.setdefault(id(method), boundary(method)))
    return owner
