"""Functions of Python and NumPy whose result is another at each call: they are never baked in."""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import datetime
import os
import random
import secrets
import time
import types
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["reason"]

_RANDOM = "draws random numbers of Python or NumPy, which a graph would fix; use pl.random"
_CLOCK = (
    "reads the clock, which a graph would fix; read it outside, or pass the time as an argument"
)
_SYSTEM = "asks the system, whose answer a graph would fix; call it outside and pass the result"
_CATCHING = (
    "catches exceptions, which a graph raises when it has run; test the values with pl.where"
)
_INPUT = "reads from outside of the program; read it before, and pass what was read"


def _names(module: Any, names: str) -> list[Any]:
    return [found for name in names.split() if (found := getattr(module, name, None)) is not None]


def _public(module: Any) -> list[Any]:
    found = [getattr(module, name) for name in dir(module) if not name.startswith("_")]
    return [f for f in found if callable(f) and not isinstance(f, type)]


_CLOCKS = (
    "clock_gettime clock_gettime_ns ctime gmtime localtime monotonic monotonic_ns perf_counter "
    "perf_counter_ns process_time process_time_ns sleep thread_time thread_time_ns time time_ns "
    "asctime strftime"
)
_ASKING = (
    "cpu_count getcwd getenv getloadavg getpid getppid listdir scandir stat times "
    "get_terminal_size access"
)

_TABLE: tuple[tuple[str, Iterable[Any]], ...] = (
    (_RANDOM, [*_public(random), *_public(np.random), *_public(secrets)]),
    (_RANDOM, [np.random.default_rng, random.Random, random.SystemRandom, os.urandom]),
    (_RANDOM, [*_names(os, "getrandom"), *_names(uuid, "uuid1 uuid3 uuid4 uuid5")]),
    (_CLOCK, _names(time, _CLOCKS)),
    (_SYSTEM, _names(os, _ASKING)),
    (_INPUT, [builtins.input, builtins.open]),
    (_CATCHING, [contextlib.suppress]),
)
_PURE = frozenset(map(id, [uuid.uuid3, uuid.uuid5, secrets.compare_digest]))
_REASONS: dict[int, str] = {
    id(f): text for text, found in _TABLE for f in found if id(f) not in _PURE
}
for _class in (random.Random, np.random.Generator, np.random.RandomState):
    _REASONS |= {id(f): _RANDOM for f in vars(_class).values() if callable(f)}
# The objects whose identities the table holds live as long as it does.
_HELD = [f for _, found in _TABLE for f in found]

_CONTEXT = "asks or changes the context, which a graph would fix; pass the value as an argument"
#: Methods of these classes draw and advance a state, or read the clock.
_CLASSES: tuple[tuple[type, str, frozenset[str] | None], ...] = (
    (random.Random, _RANDOM, None),
    (np.random.Generator, _RANDOM, None),
    (np.random.RandomState, _RANDOM, None),
    (np.random.BitGenerator, _RANDOM, None),
    (datetime.datetime, _CLOCK, frozenset(("now", "today", "utcnow"))),
    (datetime.date, _CLOCK, frozenset(("today",))),
    (contextvars.ContextVar, _CONTEXT, None),
)


def reason(function: Callable[..., Any]) -> str | None:
    """Why a call of a function is not part of a graph; None when nothing is known against it.

    Parameters
    ----------
    function : callable
        Functions and bound methods; a ``functools.partial`` counts as what it calls.

    Examples
    --------
    >>> import random
    >>> print(reason(random.random).split(",")[0])
    random.random draws random numbers of Python or NumPy
    >>> reason(len) is None
    True
    """
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = function.func
    text = _REASONS.get(id(function)) or _method_reason(function)
    return None if text is None else f"{_name(function)} {text}"


def is_seeding(function: Any, args: tuple[Any, ...]) -> bool:
    """Whether a call makes a generator of random numbers that are the same at each call."""
    known = function in (np.random.default_rng, np.random.RandomState, random.Random)
    return known and bool(args) and type(args[0]) is int


def _method_reason(function: Any) -> str | None:
    owner = getattr(function, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        return None
    kind = owner if isinstance(owner, type) else type(owner)
    name = getattr(function, "__name__", "")
    for base, text, names in _CLASSES:
        if issubclass(kind, base):
            return text if names is None or name in names else None
    return None


def _name(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", type(function).__name__)
    if owner is not None and not isinstance(owner, types.ModuleType):
        kind = owner if isinstance(owner, type) else type(owner)
        return f"{_OWNERS.get(id(owner), kind.__name__)}.{name}"
    own = getattr(function, "__qualname__", name)
    if "." in own and "<locals>" not in own:
        return own
    module = (getattr(function, "__module__", "") or "").replace("numpy", "np")
    return name if module in ("", "builtins", "_io") else f"{_PUBLIC.get(module, module)}.{name}"


_OWNERS = {id(getattr(random.random, "__self__", None)): "random"}
_OWNERS |= {id(getattr(np.random.rand, "__self__", None)): "np.random"}
_PUBLIC = {"posix": "os", "nt": "os"}
