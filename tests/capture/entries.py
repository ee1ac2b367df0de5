"""What an entry of the corpus is: a function, the inputs it is called with, what to expect."""

from __future__ import annotations

import copy
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Args:
    """The arguments of one call: ndarrays stand for the tensors."""

    positional: tuple[Any, ...]
    named: dict[str, Any]

    def fresh(self, convert: Callable[[Any], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A copy that a call may change; each ndarray becomes what ``convert`` makes of it."""
        return _fresh((self.positional, self.named), convert, {})  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Entry:
    """A function of the corpus.

    ``captures`` are the control ops that the graph of the first input has, in any order and also
    nested ones: ``"while, cond, cond"``. ``breaks`` says that the graph breaks. ``numpy`` says
    that it also runs on plain NumPy arrays, with equal results. ``widens`` says that a captured
    carry or branch has a wider dtype than the eager value. ``xla`` puts it into XLA's sample.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[Args, ...]
    is_scenario: bool = False
    captures: str | None = None
    breaks: bool = False
    numpy: bool = True
    widens: bool = False
    xla: bool = False


ENTRIES: dict[str, Entry] = {}


def args(*positional: Any, **named: Any) -> Args:
    """An input of several arguments."""
    return Args(positional, named)


def entry(*inputs: Any, **expected: Any) -> Callable[[F], F]:
    """Put a function into the corpus, to be called with each input; it stays what it is.

    An input is the one argument of a call, or ``args(...)``.
    """
    calls = tuple(i if isinstance(i, Args) else args(i) for i in inputs)

    def register(function: F) -> F:
        _add(Entry(_name(function), function, calls, **expected))
        return function

    return register


def scenario(**expected: Any) -> Callable[[F], F]:
    """Put a program into the corpus that compiles functions itself, by its one argument."""

    def register(function: F) -> F:
        _add(Entry(_name(function), function, (), is_scenario=True, numpy=False, **expected))
        return function

    return register


def _name(function: Callable[..., Any]) -> str:
    name: str = function.__name__
    return f"{function.__module__.rpartition('.')[2]}.{name}"


def _add(made: Entry) -> None:
    if made.name in ENTRIES:
        raise ValueError(f"there are two entries called {made.name}")
    ENTRIES[made.name] = made


# Arrays.


def f32(*values: Any) -> Any:
    """A float32 array of the values: 0-d of one number."""
    return _array(values, np.float32)


def f64(*values: Any) -> Any:
    """A float64 array of the values."""
    return _array(values, np.float64)


def i32(*values: Any) -> Any:
    """An int32 array of the values."""
    return _array(values, np.int32)


def i64(*values: Any) -> Any:
    """An int64 array of the values."""
    return _array(values, np.int64)


def bools(*values: Any) -> Any:
    """An array of truth values."""
    return _array(values, np.bool_)


def normal(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    """Normally distributed numbers, always the same."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def _array(values: tuple[Any, ...], dtype: Any) -> Any:
    return np.asarray(values[0] if len(values) == 1 else values, dtype)


# Copies.

_SHARED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)


def _fresh(value: Any, convert: Callable[[Any], Any], made: dict[int, Any]) -> Any:
    """A deep copy with converted arrays; what was one object is one object again."""
    if isinstance(value, _SHARED):
        return value
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, np.ndarray):
        result: Any = convert(value.copy())
    elif isinstance(value, tuple):
        items = [_fresh(v, convert, made) for v in value]
        result = type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    else:
        return _fresh_object(value, convert, made)
    made[id(value)] = result
    return result


def _fresh_object(value: Any, convert: Callable[[Any], Any], made: dict[int, Any]) -> Any:
    result = made[id(value)] = copy.copy(value)
    if isinstance(value, list):
        result[:] = [_fresh(v, convert, made) for v in value]
    elif isinstance(value, dict):
        result.update({k: _fresh(v, convert, made) for k, v in value.items()})
    if type(value).__module__ in sys.modules and hasattr(value, "__dict__"):
        for name, item in vars(value).items():
            object.__setattr__(result, name, _fresh(item, convert, made))
    return result
