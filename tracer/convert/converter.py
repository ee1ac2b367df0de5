"""Converts functions, once for each piece of code, and says why one is not converted."""

from __future__ import annotations

import builtins
import gc
import linecache
import os
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from plait.tracer.convert.compiling import class_of, compiled, finished, is_same
from plait.tracer.convert.definitions import convert_definition
from plait.tracer.convert.source import Source, find_sources
from plait.tracer.convert.unit import BUILTINS, DISPATCH, RUNTIME, Unit

_STATIC = (FunctionType, BuiltinFunctionType, type, ModuleType, np.ufunc)
_LIBRARIES = frozenset(("numpy", "math", "cmath", "jax", "jaxlib", "scipy", "ml_dtypes"))
_ASYNC = 0x80 | 0x200  # coroutines and asynchronous generators


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str


@dataclass(frozen=True, slots=True)
class _Entry:
    code: CodeType
    statics: tuple[tuple[str, Any], ...]
    function: FunctionType
    defaults: Any
    keyword_defaults: Any


def _what(value: Any) -> str:
    """What a global or builtin stands for; see ``unit.Resolve``."""
    if not isinstance(value, _STATIC):
        return "dynamic"
    is_module = isinstance(value, ModuleType)
    module = (value.__name__ if is_module else getattr(value, "__module__", None)) or ""
    first = str(module).partition(".")[0]
    if first == "plait":
        return "plait"
    return "library" if is_module and first in _LIBRARIES else "static"


@lru_cache(maxsize=1)
def _library_folders() -> tuple[tuple[str, str], ...]:
    kinds = {
        "stdlib": "the standard library",
        "platstdlib": "the standard library",
        "purelib": "site-packages",
        "platlib": "site-packages",
    }
    paths = sysconfig.get_paths()
    found = {os.path.join(os.path.realpath(paths[k]), ""): what for k, what in kinds.items()}
    return tuple(sorted(found.items(), key=lambda entry: -len(entry[0])))


@lru_cache(maxsize=4096)
def library_of(file: str) -> str:
    """The library that a file belongs to; empty for a user's own."""
    if file.startswith("<frozen "):
        return "the standard library"
    path = os.path.realpath(file)
    if {"site-packages", "dist-packages"} & set(path.split(os.sep)):
        return "site-packages"
    return next((what for folder, what in _library_folders() if path.startswith(folder)), "")


def _global_names(code: CodeType) -> frozenset[str]:
    names = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            names |= _global_names(inner)
    return frozenset(names)


class Converter:
    """Converts functions for one runtime.

    Attributes
    ----------
    runtime : Any
        What converted code calls.
    dispatch : Any
        Whose ``active`` says whether anything is being traced.
    """

    def __init__(self, runtime: Any, dispatch: Any) -> None:
        self.runtime = runtime
        self.dispatch = dispatch
        self._codes: dict[Any, CodeType | _Refusal] = {}
        self._names: dict[CodeType, tuple[str, ...]] = {}
        self._converted: dict[int, CodeType] = {}
        self._functions: WeakKeyDictionary[FunctionType, _Entry] = WeakKeyDictionary()
        self._included: set[str] = set()

    def include(self, module: str) -> None:
        """Convert the functions of a library too, and of what is below it."""
        self._included.add(module)
        self._codes.clear()
        self._functions.clear()

    def exclude(self, module: str) -> None:
        """Convert the functions of a library no more."""
        self._included.discard(module)
        self._codes.clear()
        self._functions.clear()

    def is_converted(self, function: Any) -> bool:
        """Whether a function is one that a conversion has made."""
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        return id(code) in self._converted

    def convert(self, function: Any) -> Any:
        """The converted function; the function itself when it is converted or cannot be."""
        if type(function) is MethodType:
            inner = self.convert(function.__func__)
            same = inner is function.__func__
            return function if same else MethodType(inner, function.__self__)
        if type(function) is not FunctionType or id(function.__code__) in self._converted:
            return function
        entry = self._functions.get(function)
        if entry is not None and self._holds(entry, function):
            return entry.function
        code, statics = self._code(function)
        if isinstance(code, _Refusal):
            return function
        made = _rebuilt(function, code)
        self._functions[function] = _Entry(
            function.__code__, statics, made, function.__defaults__, function.__kwdefaults__
        )
        return made

    def why_not(self, function: Any) -> str | None:
        """Why a function is not converted; None when it is, or can be."""
        function = getattr(function, "__func__", function)
        if type(function) is not FunctionType:
            return f"{_shown(function)} is not a Python function"
        if id(function.__code__) in self._converted:
            return None
        code, _ = self._code(function)
        return code.reason if isinstance(code, _Refusal) else None

    # Caches.

    def _holds(self, entry: _Entry, function: FunctionType) -> bool:
        if (
            entry.code is not function.__code__
            or entry.defaults is not function.__defaults__
            or entry.keyword_defaults is not function.__kwdefaults__
        ):
            return False
        module = function.__globals__
        return all(module.get(name, value) is value for name, value in entry.statics)

    def _code(
        self, function: FunctionType
    ) -> tuple[CodeType | _Refusal, tuple[tuple[str, Any], ...]]:
        code, module = function.__code__, function.__globals__
        names = self._names.get(code)
        if names is None:
            names = self._names[code] = tuple(sorted(_global_names(code) | {"locals"}))
        known = _builtins_of(module)
        meaning: dict[str, str] = {}
        statics = []
        for name in names:
            if name in module:
                meaning[name] = _what(module[name])
                if meaning[name] != "dynamic":
                    statics.append((name, module[name]))
            elif name in known:
                meaning[name] = "builtin" if isinstance(known[name], _STATIC) else "static"
                statics.append((name, known[name]))
        key = (code.co_filename, code, tuple(meaning.items()))
        found = self._codes.get(key)
        if found is None:
            try:
                with _no_collection():
                    found = self._convert(function, meaning)
            except (RecursionError, SyntaxError) as error:  # what Python cannot compile
                found = _Refusal(f"{_shown(function)} is too deeply nested ({error})")
            self._codes[key] = found
        return found, tuple(statics)

    # Conversion.

    def _convert(self, function: FunctionType, meaning: dict[str, str]) -> CodeType | _Refusal:
        code = function.__code__
        refusal = self._refusal(function)
        if refusal:
            return _Refusal(refusal)
        source = self._source(function)
        if isinstance(source, str):
            return _Refusal(source)
        prefix = "_plait_"
        while prefix in source.text:
            prefix = f"_{prefix}"
        unit = Unit(
            code.co_filename, source.offset, prefix, lambda name: meaning.get(name, "dynamic")
        )
        free = frozenset(code.co_freevars)
        node = convert_definition(source.node, unit, owner=class_of(code), free=free)
        constants = unit.constants
        constants[RUNTIME], constants[DISPATCH] = self.runtime, self.dispatch
        constants[BUILTINS] = builtins
        made, every = finished(compiled(node, code), code, source.offset, constants)
        self._converted.update({id(inner): inner for inner in every})
        return made

    def _refusal(self, function: FunctionType) -> str:
        code, name = function.__code__, _shown(function)
        module = function.__globals__.get("__name__") or ""
        first = str(module).partition(".")[0]
        if code.co_flags & _ASYNC:
            return f"{name} is asynchronous"
        if first == "plait":
            return f"{name} is Plait's own"
        if not self._is_included(str(module)):
            library = library_of(code.co_filename)
            if library:
                return f"{name} is from {library} ({module})"
        return ""

    def _is_included(self, module: str) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in self._included)

    def _source(self, function: FunctionType) -> Source | str:
        """The definition of a function, or why there is none."""
        code, name = function.__code__, _shown(function)
        found = False
        for attempt in range(2):
            for source in find_sources(code, function.__globals__):
                found = True
                if is_same(code, compiled(source.node, code)):
                    return source
            if not attempt:
                linecache.checkcache(code.co_filename)
        if found or linecache.getlines(code.co_filename):
            return f"the source of {name} in {code.co_filename} is not what was loaded"
        return f"the source of {name} is not to be found ({code.co_filename})"


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection meanwhile: trees are many objects, none of them garbage in cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _builtins_of(module: dict[str, Any]) -> dict[str, Any]:
    found = module.get("__builtins__", builtins)
    return found if isinstance(found, dict) else vars(found)


def _shown(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__name__)


def _rebuilt(function: FunctionType, code: CodeType) -> FunctionType:
    """A function with other code and everything else of another one, its closure cells too."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    made = FunctionType(
        code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple([cells[name] for name in code.co_freevars]),
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__ = function.__qualname__
    made.__module__ = function.__module__
    made.__doc__ = function.__doc__
    made.__annotations__ = function.__annotations__
    made.__dict__.update(function.__dict__)
    made.__dict__.pop("__plait_rows__", None)  # of ``vmap``: holds the function, which holds this
    if hasattr(function, "__type_params__"):
        setattr(made, "__type_params__", function.__type_params__)  # noqa: B010 - from 3.12 on
    return made
