"""Functions without source: whether all that they may read and change outside can be watched."""

from __future__ import annotations

import builtins
import dis
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from plait.tracer.converted import convert, is_converted, is_of_library
from plait.tracer.provenance import CONTAINERS, PLAIN
from plait.tracer.tensor import Tensor
from plait.tracer.trusted import LIBRARIES, is_trusted

_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD"))
_GLOBAL = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))
_SET_GLOBAL = frozenset(("STORE_GLOBAL", "DELETE_GLOBAL"))
_SET_FREE = frozenset(("STORE_DEREF", "DELETE_DEREF"))
_SET_ITEM = frozenset(("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_ATTR", "DELETE_ATTR"))
_FREE = frozenset(("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"))
_OF_NAMES = (globals, eval, exec)
_READING = frozenset(("copy", "count", "get", "index", "items", "keys", "values"))
_CHANGING = (
    frozenset(n for kind in (list, dict, set, bytearray) for n in vars(kind) if n[0] != "_")
    - _READING
)


def is_hidden(function: Any) -> bool:
    """Whether a function is the user's and its code does not tell what it reads and writes."""
    if not isinstance(function, types.FunctionType):
        return False
    if is_trusted(function) and not is_made_by_exec(function):
        return False
    return not is_of_library(function) and not is_converted(convert(function))


def is_made_by_exec(function: types.FunctionType) -> bool:
    """Whether a function has no file, whatever module it says it is of."""
    file = function.__code__.co_filename
    return file.startswith("<") and not file.startswith("<frozen")


def hidden_reason(function: types.FunctionType) -> str | None:
    """What keeps a hidden function from being captured; None where all of it can be watched."""
    what = next(_unwatched(function, set()), None)
    return None if what is None else _reason(function, what)


def hidden_argument(function: Any, values: Any) -> str | None:
    """What keeps a hidden function from being captured with these arguments."""
    for value in values:
        if not _is_watched(value, True):
            return _reason(function, f"it is given a {type(value).__name__}")
    return None


def _reason(function: Any, what: str) -> str:
    return (
        f"{function.__name__} has no source that can be captured, and what it reads and changes "
        f"outside cannot be watched ({what}); define it in a file, or pass values"
    )


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _unwatched(function: types.FunctionType, known: set[int]) -> Iterator[str]:
    """What cannot be watched, in words."""
    known.add(id(function))
    codes = [*_codes(function.__code__)]
    steps = [step for code in codes for step in dis.get_instructions(code)]
    names = {name for code in codes for name in code.co_names}
    changes = bool(names & _CHANGING) or any(step.opname in _SET_ITEM for step in steps)
    yield from _assigned(function, steps)
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for name, value in [*_loaded(function, steps), *[("a default", x) for x in defaults]]:
        if isinstance(value, types.FunctionType) and not is_fixed(value):
            if changes:
                yield f"it may change {name}"
            if id(value) not in known:
                yield from _unwatched(value, known)
        elif any(value is f for f in _OF_NAMES) or not _is_watched(value, not changes):
            yield f"it uses {name}"


def _assigned(function: types.FunctionType, steps: Any) -> Iterator[str]:
    for step in steps:
        is_free = step.opname in _SET_FREE and step.argval in function.__code__.co_freevars
        if is_free or step.opname in _SET_GLOBAL:
            yield f"it assigns to {step.argval}"


def _loaded(function: types.FunctionType, steps: Any) -> Iterator[tuple[str, Any]]:
    """Names and attributes of modules that code loads, with their values."""
    code, module = function.__code__, None
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    for step in steps:
        name, value = step.argval, None
        if step.opname in _GLOBAL:
            value = function.__globals__.get(name, getattr(builtins, str(name), None))
        elif step.opname in _FREE and name in cells:
            value = _content(cells[name])
        elif step.opname in _ATTRIBUTES and module is not None:
            value = getattr(module, name, None)
        elif step.opname in ("CACHE", "PRECALL", "PUSH_NULL"):
            continue
        is_module = isinstance(value, types.ModuleType) and not is_trusted(value)
        module = value if is_module and not is_fixed(value) else None
        if value is not None:
            yield str(name), value


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def is_fixed(value: Any) -> bool:
    """Whether a function, class or module is of a library."""
    name = value.__name__ if isinstance(value, types.ModuleType) else value.__module__
    if (name or "").partition(".")[0] in LIBRARIES:
        return True
    if isinstance(value, types.FunctionType):
        return is_of_library(value) or (is_trusted(value) and not is_made_by_exec(value))
    return is_trusted(value)


def _is_watched(value: Any, whole: bool) -> bool:
    """Whether guards tell when a value is another one; ``whole`` where containers may be read."""
    kind = type(value)
    if kind in PLAIN or kind is Tensor or isinstance(value, (np.ndarray, np.generic, np.dtype)):
        return True
    if isinstance(value, types.ModuleType):
        return True
    if isinstance(value, type):
        return is_trusted(value) or issubclass(value, BaseException)
    if isinstance(value, types.BuiltinFunctionType):
        owner = value.__self__
        return owner is None or isinstance(owner, (types.ModuleType, type))
    if isinstance(value, types.FunctionType):
        return True
    if isinstance(value, CONTAINERS):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        is_kept = whole or isinstance(value, (tuple, frozenset))
        return is_kept and all(_is_watched(x, whole) for x in parts)
    return kind.__module__.partition(".")[0] in LIBRARIES


__all__ = ["hidden_argument", "hidden_reason", "is_fixed", "is_hidden", "is_made_by_exec"]
