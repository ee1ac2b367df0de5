"""Calls of code that is not looked into: what they change that no graph will change again."""

from __future__ import annotations

import io
from pathlib import PurePath
from types import ModuleType
from typing import Any

import numpy as np

from plait.tracer.notes import function_name
from plait.tracer.outcome import Break
from plait.tracer.places import CONTAINERS
from plait.tracer.tensor import Tensor
from plait.tracer.trace import Trace

#: Arrays of more bytes are not compared.
LARGEST = 1 << 24
#: How many of the containers that an object holds are compared.
MOST_HELD = 100


def observed(trace: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call code that is not looked into, and note what it changes or writes outside of the trace.

    Builtin containers that it is given are left out: they are journaled, and guarded as a whole.

    Parameters
    ----------
    trace : Trace
        The innermost one.
    function : callable
        Of a library, or without source.
    """
    given = [getattr(function, "__self__", None), *args, *kwargs.values()]
    before = [_state(value) for value in given]
    try:
        result = function(*args, **kwargs)
    except Break as found:
        found.module = found.module or str(getattr(function, "__module__", None) or "")
        raise
    root = trace.root
    did = [
        _did(value, root.provenance.path_of(value))
        for value, then in zip(given, before, strict=True)
        if then is not None and not _same(then, _state(value))
    ]
    name = function_name(function)
    did.append(_written(name, given[0], args, kwargs))
    what = next(filter(None, did), "")
    if what:
        root.notes.side_effect(f"{name} {what}")
    return result


def _did(value: Any, path: Any) -> str:
    """What happened to a value, if it is one from outside."""
    if _is_file(value):
        return f"moved on in {_file_name(value)}"
    return f"changed {path.text}" if path is not None else ""


def _file_name(file: Any) -> str:
    name = getattr(file, "name", None)
    return repr(str(name)) if isinstance(name, (str, PurePath)) else f"a {type(file).__name__}"


def _is_file(value: Any) -> bool:
    return hasattr(value, "tell") and hasattr(value, "read")


# What would differ.


def _state(value: Any) -> Any:
    """What would differ if the value was changed; None when nothing can be said."""
    kind = type(value)
    if kind is Tensor or isinstance(value, (ModuleType, type)) or callable(value):
        return None
    if isinstance(value, np.ndarray):
        return np.array(value, copy=True) if value.nbytes <= LARGEST else None
    if _is_file(value):
        return _position(value)
    if isinstance(value, CONTAINERS):
        return _held(_contents(value))
    fields = getattr(value, "__dict__", None)
    return [*_contents(fields), *_held(_contents(fields))] if fields else None


def _contents(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [x for item in value.items() for x in item]
    return list(value)


def _held(parts: list[Any]) -> list[Any]:
    """The contents of the containers among some values."""
    containers = [x for x in parts if isinstance(x, CONTAINERS)]
    return [x for part in containers[:MOST_HELD] for x in (part, *_contents(part))]


def _position(file: Any) -> Any:
    try:
        return [int(file.tell())]
    except Exception:
        return None


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, np.ndarray):
        return bool(then.tobytes() == now.tobytes() and then.shape == now.shape)
    if now is None or len(then) != len(now):
        return False
    return all(a is b or (type(a) is int and a == b) for a, b in zip(then, now, strict=True))


# Files.

_WRITING = frozenset(("write", "writelines", "write_text", "write_bytes", "savetxt", "save"))
_WRITING |= frozenset(("savez", "savez_compressed", "tofile"))
_CHANGING = frozenset(("mkdir", "makedirs", "rmdir", "touch", "unlink", "remove", "rename"))
_CHANGING |= frozenset(("replace", "symlink", "rmtree", "copyfile", "move"))
_OWNERS = ("os.", "pathlib.", "shutil.", "numpy.")


def _written(name: str, owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What a function of the standard library or NumPy does to files, by its name."""
    short = name.rpartition(".")[2]
    if name == "open":
        mode = str(kwargs.get("mode", args[1] if len(args) > 1 else "r"))
        return f"opened {str(args[0])!r} to write" if set(mode) & set("wax+") else ""
    if name == "print":
        return "printed to a stream" if kwargs.get("file") is not None else ""
    if not (isinstance(owner, io.IOBase) or name.startswith(_OWNERS)):
        return ""
    if short in _WRITING:
        return "wrote to a file or stream"
    return "changed the file system" if short in _CHANGING else ""


__all__ = ["observed"]
