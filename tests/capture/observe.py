"""What a call did, as data: result, arguments afterwards, printed text, error; and differences."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import io
import re
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import plait as pl

CORPUS = Path(__file__).parent / "corpus"

ARRAYS = ("Tensor", "ndarray")
NUMBERS = ("bool", "int", "float", "complex")

#: Largest error relative to the value, absolute below 1: compiled sums run in another order.
TOLERANCES = {
    "float16": 4e-3,
    "float32": 2e-5,
    "float64": 1e-11,
    "complex64": 2e-5,
    "complex128": 1e-11,
}


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A value without parts: its class, and an array of it where it is a number or an array."""

    kind: str
    value: Any


@dataclasses.dataclass(frozen=True)
class Error:
    """An exception as its user sees it."""

    kind: type[BaseException]
    message: str
    line: str


@dataclasses.dataclass(frozen=True)
class Observation:
    """All that can be seen of a call."""

    leaves: dict[str, Leaf]
    printed: str
    error: Error | None
    warned: tuple[str, ...] = ()

    def without_arguments(self) -> Observation:
        """What was printed, raised and returned."""
        leaves = {p: leaf for p, leaf in self.leaves.items() if not p.startswith("args")}
        return dataclasses.replace(self, leaves=leaves)

    def arguments(self) -> set[str]:
        """The paths of what is an argument, or a part of one, in the result."""
        return {path.removesuffix(" is") for path in self.leaves if path.endswith(" is")}

    def argument(self, path: str) -> str | None:
        """Where a part of the result is among the arguments."""
        found = self.leaves.get(f"{path} is")
        return found.value if found is not None else None

    def is_object(self, path: str) -> bool:
        """Whether a part of the result is more than a number."""
        return path in self.leaves and self.leaves[path].kind not in NUMBERS

    def with_identities(self, paths: set[str]) -> Observation:
        """Without the identity of other parts than these."""
        dropped = {f"{path} is" for path in self.arguments() - paths}
        leaves = {p: leaf for p, leaf in self.leaves.items() if p not in dropped}
        return dataclasses.replace(self, leaves=leaves)


def observe(function: Callable[..., Any], args: Any, kwargs: Any) -> Observation:
    """Call a function and look."""
    printed, error, result = io.StringIO(), None, None
    with (
        contextlib.redirect_stdout(printed),
        np.errstate(all="ignore"),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
        except Exception as raised:
            error = Error(type(raised), first_line(raised), user_line(raised))
    leaves = dict(_leaves("args", (args, kwargs), {}))
    leaves |= _leaves("result", result, {})
    leaves |= _same_objects((args, kwargs), result)
    names = tuple(sorted({w.category.__name__ for w in warned}))
    return Observation(leaves, printed.getvalue(), error, names)


# Errors.


def first_line(error: BaseException) -> str:
    """The message without the places that are named below it."""
    return (str(error).splitlines() or [""])[0]


def user_line(error: BaseException) -> str:
    """The line of the corpus that an error names: ``branches.py:12``."""
    location = getattr(error, "location", None)
    if location is not None:
        return f"{Path(location.file).name}:{location.line}"
    for note in getattr(error, "__notes__", ()):
        found = re.search(r"corpus/(\w+\.py):(\d+)", note)
        if found:
            return f"{found[1]}:{found[2]}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f for f in frames if Path(f.filename).parent == CORPUS]
    return f"{Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else "nowhere"


# Values.

_PLAIN = (str, bytes, type(None), type, types.FunctionType, types.BuiltinFunctionType, range)


def _leaves(path: str, value: Any, seen: dict[int, str]) -> Iterator[tuple[str, Leaf]]:
    """The leaves of a value by their path; an object met again says where it was met first."""
    if isinstance(value, (pl.Tensor, np.ndarray, np.generic)):
        yield path, _array_leaf(value)
    elif isinstance(value, pl.Variable):
        yield path, Leaf("Variable", np.asarray(value))
    elif isinstance(value, (bool, int, float, complex)):
        yield path, Leaf(type(value).__name__, np.asarray(value))
    elif isinstance(value, _PLAIN) or type(value).__module__ in ("builtins", "functools", "types"):
        yield from _builtin_leaves(path, value, seen)
    else:
        yield from _object_leaves(path, value, seen)


def _array_leaf(value: Any) -> Leaf:
    kind = "Tensor" if isinstance(value, pl.Tensor) else "ndarray"
    return Leaf(kind, np.array(value.numpy() if kind == "Tensor" else value))


def _builtin_leaves(path: str, value: Any, seen: dict[int, str]) -> Iterator[tuple[str, Leaf]]:
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        yield from _container_leaves(path, value, seen)
    else:
        name = getattr(value, "__qualname__", None) or value
        yield path, Leaf(type(value).__name__, name if isinstance(value, _PLAIN) else "")


def _container_leaves(path: str, value: Any, seen: dict[int, str]) -> Iterator[tuple[str, Leaf]]:
    if id(value) in seen and not isinstance(value, tuple):
        yield path, Leaf("same object", seen[id(value)])
        return
    seen[id(value)] = path
    kind = type(value).__name__
    if isinstance(value, dict):
        yield path, Leaf(kind, [str(k) for k in value])
        parts = [(repr(k), v) for k, v in value.items()]
    elif isinstance(value, (list, tuple, collections.deque)):
        yield path, Leaf(kind, len(value))
        parts = [(str(k), v) for k, v in enumerate(value)]
    else:
        yield path, Leaf(kind, sorted(map(repr, value)))
        parts = []
    for key, item in parts:
        yield from _leaves(f"{path}[{key}]", item, seen)


def _object_leaves(path: str, value: Any, seen: dict[int, str]) -> Iterator[tuple[str, Leaf]]:
    if isinstance(value, (list, tuple, dict, set, collections.deque)):
        yield from _container_leaves(path, value, seen)
        return
    if id(value) in seen:
        yield path, Leaf("same object", seen[id(value)])
        return
    seen[id(value)] = path
    yield path, Leaf(type(value).__qualname__, "")
    state = dict(getattr(value, "__dict__", {}))
    for owner in type(value).__mro__:
        names = getattr(owner, "__slots__", ())
        state |= {n: getattr(value, n) for n in names if n[0] != "_" and hasattr(value, n)}
    for name in sorted(state):
        yield from _leaves(f"{path}.{name}", state[name], seen)


def _same_objects(args: Any, result: Any) -> dict[str, Leaf]:
    """Which objects of the arguments are in the result: a result may be an argument itself."""
    given = {id(v): p for p, v in _objects("args", args, set())}
    found = _objects("result", result, set())
    return {f"{p} is": Leaf("argument", given[id(v)]) for p, v in found if id(v) in given}


def _objects(path: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (bool, int, float, complex, *_PLAIN)) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (list, tuple)):
        if not isinstance(value, tuple):
            yield path, value
        for key, item in enumerate(value):
            yield from _objects(f"{path}[{key}]", item, seen)
        return
    yield path, value
    parts = value.items() if isinstance(value, dict) else getattr(value, "__dict__", {}).items()
    for name, item in parts:
        yield from _objects(f"{path}.{name}", item, seen)


# Differences.


def differences(
    wanted: Observation, got: Observation, *, classes: bool = True, widens: bool = False
) -> list[str]:
    """What differs, a line each.

    Without ``classes`` an array is as good as a tensor; where a result ``widens``, a tensor is as
    good as a Python number, and a wider dtype as the wanted one.
    """
    found = []
    if classes and wanted.printed != got.printed:
        found.append(_text("printed", repr(wanted.printed), repr(got.printed)))
    if not _same_error(wanted.error, got.error, classes):
        found.append(_text("error", wanted.error, got.error))
    ours, theirs = wanted.leaves, got.leaves
    if wanted.error is not None:  # A compiled function changes nothing when it fails.
        ours, theirs = {}, {}
    for path in {**ours, **theirs}:
        pair = ours.get(path), theirs.get(path)
        if not _same_leaf(*pair, classes, widens):
            found.append(_text(path, *pair))
    return found


def _same_error(wanted: Error | None, got: Error | None, classes: bool) -> bool:
    if wanted is None or got is None:
        return wanted is got
    if not classes:
        return issubclass(wanted.kind, got.kind) or issubclass(got.kind, wanted.kind)
    if wanted.line != got.line:
        return False
    if issubclass(got.kind, pl.errors.PlaitError):  # Messages know less in a graph than eager ones.
        native = not issubclass(wanted.kind, pl.errors.PlaitError)
        return got.kind is wanted.kind or (native and issubclass(got.kind, wanted.kind))
    is_unbound = wanted.kind is UnboundLocalError  # Ours names the branch.
    return wanted.kind is got.kind and (is_unbound or wanted.message == got.message)


def _same_leaf(wanted: Leaf | None, got: Leaf | None, classes: bool, widens: bool) -> bool:
    if wanted is None or got is None:
        return not classes and "argument" in (getattr(leaf, "kind", "") for leaf in (wanted, got))
    if classes and wanted.kind != got.kind and not (widens and got.kind in ARRAYS):
        return False
    ours, theirs = wanted.value, got.value
    if not (isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray)):
        return bool(ours == theirs)
    if ours.shape != theirs.shape or (ours.dtype != theirs.dtype and not widens):
        return False
    return _close(ours, theirs)


def _close(wanted: Any, got: Any) -> bool:
    bound = max(TOLERANCES.get(str(a.dtype), 0.0) for a in (wanted, got))
    if not bound:
        return bool(np.array_equal(wanted, got))
    wide = np.complex128 if "c" in (wanted.dtype.kind, got.dtype.kind) else np.float64
    pair = wanted.astype(wide), got.astype(wide)
    return bool(np.allclose(*pair, rtol=bound, atol=bound, equal_nan=True))


def _text(what: str, wanted: Any, got: Any) -> str:
    return f"{what}: wanted {wanted}, got {got}"
