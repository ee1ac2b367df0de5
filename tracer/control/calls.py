"""Calls of converted code: what the callee is decides whether it is converted, hooked or just run.

A user's functions are converted, also as methods, constructors, partials and behind the usual
decorators. Python's builtins have hooks for traced tensors. Plait, NumPy and the parts of the
standard library that neither read nor change anything outside are trusted. All else is run, and
noted as not looked into.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import dispatch, user_location
from plait.tracer.asked import is_asked
from plait.tracer.control import (
    builtins_,
    cached,
    impure,
    lookups,
    moving,
    reads,
    recursion,
    trying,
    writes,
)
from plait.tracer.control.drawing import call_impure, draw
from plait.tracer.control.methods import container_method, tensor_method, text_method
from plait.tracer.control.text import Text
from plait.tracer.notes import function_name
from plait.tracer.observed import observed
from plait.tracer.outcome import Break, stop
from plait.tracer.places import CONTAINERS, ContentPlace
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.trusted import LIBRARIES, is_trusted, is_trusted_module, is_trusted_name

#: Modules of the standard library that neither read nor change what is outside of their arguments.
_PURE = (
    "abc array base64 binascii bisect builtins calendar cmath collections colorsys contextlib copy "
    "dataclasses datetime decimal difflib enum fractions functools hashlib heapq itertools json "
    "keyword math numbers operator queue re reprlib statistics string struct textwrap types typing "
    "unicodedata weakref zlib _bisect _collections _collections_abc _functools _heapq _operator "
    "_weakref typing_extensions"
)
PURE = frozenset(_PURE.split())
_CALLING_ITERTOOLS = "accumulate dropwhile filterfalse groupby starmap takewhile"
_CALLING_NUMPY = "apply_along_axis apply_over_axes fromfunction frompyfunc piecewise vectorize"
#: Functions that call what they are given.
CALLING: dict[int, Any] = {
    id(f): f
    for f in (
        *builtins_.CALLING,
        *[getattr(itertools, name) for name in _CALLING_ITERTOOLS.split()],
        *[getattr(np, name) for name in _CALLING_NUMPY.split()],
    )
}
_ATTRIBUTES: dict[Any, Callable[..., Any]] = {
    getattr: reads.attr,
    hasattr: reads.has_attr,
    setattr: writes.set_attr,
    delattr: writes.del_attr,
}
_HOOKS: dict[int, Callable[..., Any]] = {
    id(f): hook for f, hook in {**builtins_.HOOKS, **_ATTRIBUTES, **lookups.HOOKS}.items()
}
#: Builtins that on numbers and text alone do what they do outside of a trace.
_ON_SCALARS = frozenset(
    map(id, (abs, bool, complex, divmod, float, int, len, max, min, pow, range, round, str))
)
_SIZED = (list, tuple, dict)
_SCALARS = frozenset((bool, int, float, complex, str, bytes, *np.sctypeDict.values()))
_MANAGER_CODE = contextlib.contextmanager(lambda: iter(())).__code__
_dispatching: Any = functools.singledispatch(lambda x: x)
_DISPATCH_CODE = _dispatching.__code__
_BUILTIN = (types.BuiltinFunctionType, types.MethodWrapperType)
_UNBOUND = (types.MethodDescriptorType, types.WrapperDescriptorType)


def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``."""
    if not dispatch.active:
        return function(*args, **kwargs)
    if id(function) in _ON_SCALARS:
        if not kwargs and _SCALARS.issuperset(map(type, args)):
            return function(*args)
    elif hasattr(function, "__plait_lifted__"):
        return function(*args, **kwargs)
    trace = current()
    if trace is None or trace.is_lazy:
        return function(*args, **kwargs)
    path_of = trace.provenance.path_of
    if function is len and args and type(args[0]) in _SIZED and path_of(args[0]) is None:
        return len(*args, **kwargs)  # of what the trace has made
    if trace.root.regions:
        return moving.call(trace, _call, function, args, kwargs)
    return _call(trace, function, args, kwargs)


def _call(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    hook = _HOOKS.get(id(function))
    if hook is not None:
        own = _own_method(function, args)
        if own is not None:
            return _call_function(trace, own, args, kwargs)
        _read(args)
        return hook(*args, **kwargs)
    reason = impure.reason(function)
    if reason is not None:
        return call_impure(trace, reason, function, args, kwargs)
    handler = _HANDLERS.get(type(function))
    if handler is not None:
        return handler(trace, function, args, kwargs)
    if isinstance(function, type):
        return _construct(trace, function, args, kwargs)
    return _call_object(trace, function, args, kwargs)


def method(owner: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """``owner.name(*args, **kwargs)``."""
    if not dispatch.active:
        return getattr(owner, name)(*args, **kwargs)
    trace = current()
    if trace is None or trace.is_lazy:
        return getattr(owner, name)(*args, **kwargs)
    kind = type(owner)
    if kind is Tensor:
        return tensor_method(owner, name, args, kwargs)
    if kind is types.ModuleType and is_trusted_module(owner):
        lifted = vars(owner).get(name)
        if hasattr(lifted, "__plait_lifted__"):
            return lifted(*args, **kwargs)
    is_append = kind is list and name == "append" and not kwargs and len(args) == 1
    if is_append and trace.provenance.path_of(owner) is None and not trace.root.regions:
        owner.append(args[0])
        return None
    if id(owner) in trace.root.seeded:
        return draw(trace, "a generator draws random numbers", getattr(owner, name), args, kwargs)
    if kind is str or kind is Text:
        return text_method(owner, name, args, kwargs)
    if kind is super:
        return call(lookups.super_attribute(owner, name), *args, **kwargs)
    found = reads.attr(owner, name)
    if type(found) is types.MethodType:
        return _call_bound(trace, found, args, kwargs)
    return call(found, *args, **kwargs)


#: The special methods that builtins call: a user's are converted.
_SPECIAL: dict[int, str] = {
    id(f): f"__{f.__name__}__"
    for f in (abs, bool, complex, divmod, float, int, iter, len, next, repr, reversed, round, str)
}


def _own_method(function: Any, args: tuple[Any, ...]) -> Any:
    """The user's special method that a builtin is to call; None where there is none."""
    name = _SPECIAL.get(id(function)) if args else None
    if name is None or type(args[0]) in reads.OPAQUE or isinstance(args[0], type):
        return None
    return reads.special(args[0], name)


class Manager:
    """A user's context manager whose methods are converted."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._trial: Any = None

    def __enter__(self) -> Any:
        entered = method(self._manager, "__enter__")
        self._trial = trying.try_begin()
        return entered

    def __exit__(self, *failure: Any) -> Any:
        trial = self._trial
        if failure[0] is None and trying.may_swallow(self._manager):
            trying.try_end(trial)
        if trial is not None:
            trying.final_begin(trial)
        dropped = method(self._manager, "__exit__", *failure)
        if trial is not None:
            trying.final_end(trial)
        if dropped and failure[0] is not None:
            trying.caught(trial)
        return dropped


def manager(found: Any) -> Any:
    """What a ``with`` statement enters in the place of a context manager."""
    if not dispatch.active or current() is None or reads.special(found, "__enter__") is None:
        return found
    return Manager(found)


def callback(function: Any) -> Any:
    """What is given to native code in the place of a function that it calls."""
    if function is None or not callable(function):
        return function
    hook = _HOOKS.get(id(function))
    if hook is not None:
        return hook
    if isinstance(function, types.FunctionType):
        reads.called(function)
        converted = convert(function)
        if is_converted(converted):
            return converted
    if isinstance(function, types.FunctionType) and is_trusted(function):
        return function
    return functools.partial(call, function)


def convert(function: Any) -> Any:
    """The converted form of a function; the function itself where there is none."""
    from plait.tracer.convert import convert as converted  # it imports what converted code calls

    return converted(function)


def is_converted(function: Any) -> bool:
    """Whether a function is converted."""
    return hasattr(function, "__plait_converted__")


def _read(args: tuple[Any, ...]) -> None:
    """Say that what code looks at all of is guarded."""
    for x in args:
        if isinstance(x, CONTAINERS) or type(x) is tuple:
            reads.contents(x)


# Functions.


def _call_function(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    code = function.__code__
    if not is_converted(function):
        found = _converted(trace, function, args)
        if found is None:
            return _run(trace, function, args, kwargs)
        function = found
    depth = recursion.enter(trace, code)
    try:
        return function(*args, **kwargs)
    finally:
        recursion.leave(code, depth)


def _converted(trace: Any, function: Any, args: tuple[Any, ...]) -> Any:
    """What runs in the place of a function that is not converted; None for itself."""
    if function.__code__ is _MANAGER_CODE:
        return contextlib.contextmanager(callback(function.__wrapped__))
    if function.__code__ is _DISPATCH_CODE and args:
        return functools.partial(call, lookups.dispatched(function, builtins_.type_(args[0])))
    if is_library(function):
        return None
    reads.called(function, args)
    converted = convert(function)
    if converted is function:
        return None
    reads.called(function)
    return converted


def is_library(function: Any) -> bool:
    """Whether a function is Plait's or of a library that works on traced tensors by itself."""
    module = getattr(function, "__module__", None) or getattr(type(function), "__module__", "")
    root = module.partition(".")[0] if isinstance(module, str) else ""
    return root in LIBRARIES and not is_asked(module)


def _call_bound(trace: Any, bound: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    function = bound.__func__
    if not isinstance(function, types.FunctionType):
        return call(function, bound.__self__, *args, **kwargs)
    if is_library(function):
        return bound(*args, **kwargs)
    return _call_function(trace, function, (bound.__self__, *args), kwargs)


def _call_partial(trace: Any, partial: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    function, first, named = lookups.partial_parts(partial)
    return call(function, *first, *args, **{**named, **kwargs})


def _call_builtin(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, (*CONTAINERS, tuple)):
        return container_method(owner, function, args, kwargs)
    if type(owner) is str:
        return text_method(owner, function.__name__, args, kwargs)
    if lookups.is_own(function):
        return lookups.OWN[function.__name__](owner, *args)
    return _run(trace, function, args, kwargs)


def _call_unbound(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a builtin class, called by the class: ``list.append(items, x)``."""
    own = lookups.OWN.get(function.__name__)
    if own is not None and function.__objclass__ is object:
        return own(*args)
    if args and isinstance(args[0], (*CONTAINERS, tuple)):
        return container_method(args[0], function.__get__(args[0]), args[1:], kwargs)
    if args and type(args[0]) in (str, Text):
        return text_method(args[0], function.__name__, args[1:], kwargs)
    return _run(trace, function, args, kwargs)


def _call_object(trace: Any, owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An instance with ``__call__``, or an alias such as ``list[int]``."""
    origin = getattr(owner, "__origin__", None)
    if isinstance(origin, type) and isinstance(owner, types.GenericAlias):
        return call(origin, *args, **kwargs)
    if is_library(owner):
        return _call_library(trace, owner, args, kwargs)
    if isinstance(owner, lookups.CALLED):
        return lookups.called(owner, args)
    found = reads.special(owner, "__call__")
    if found is not None:
        return _call_function(trace, found, (owner, *args), kwargs)
    return _run(trace, owner, args, kwargs)


# Classes.


def _construct(trace: Any, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make an instance; ``__new__`` and ``__init__`` of a user's class are converted."""
    meta = type(kind).__call__
    if isinstance(meta, types.FunctionType) and not is_trusted(meta):
        return _call_function(trace, meta, (kind, *args), kwargs)
    if (is_trusted(kind) and not is_asked(kind.__module__)) or isinstance(meta, types.FunctionType):
        return _run(trace, kind, args, kwargs)
    new, init = kind.__new__, kind.__init__
    if new is object.__new__:
        if init is object.__init__ or getattr(kind, "__abstractmethods__", None):
            return kind(*args, **kwargs)
        made = object.__new__(kind)
    elif isinstance(new, types.FunctionType):
        made = call(new, kind, *args, **kwargs)
    else:
        made = new(kind, *args, **kwargs)
    if trace.provenance.meet is not None:
        trace.provenance.meet(made)
    if isinstance(made, kind):
        _initialize(trace, made, init, args, kwargs)
    return made


def _initialize(
    trace: Any, made: Any, init: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    kind = type(made)
    post = getattr(kind, "__post_init__", None)
    is_made = hasattr(kind, "__dataclass_fields__") and init.__code__.co_filename == "<string>"
    if is_made and isinstance(post, types.FunctionType):
        # The generated __init__ finds __post_init__ on the class.
        body = {"__post_init__": lambda self, *given: call(post, self, *given), "__slots__": ()}
        meta: Any = type(kind)
        object.__setattr__(made, "__class__", meta(kind.__name__, (kind,), body))
        try:
            init(made, *args, **kwargs)
        finally:
            object.__setattr__(made, "__class__", kind)
    elif is_made or not isinstance(init, types.FunctionType):
        init(made, *args, **kwargs)
    elif _call_function(trace, init, (made, *args), kwargs) is not None:
        raise TypeError("__init__() should return None")


# What is not converted.


def _run(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call what is not converted: trusted code as it is; all else is noted."""
    reason = impure.reason(function)
    if reason is not None:
        return call_impure(trace, reason, function, args, kwargs)
    if id(function) in CALLING:
        _read(args)
        given = [callback(x) if callable(x) else x for x in args]
        named = {key: callback(x) if key in ("key", "func") else x for key, x in kwargs.items()}
        return function(*given, **named)
    if is_library(function):
        return _call_library(trace, function, args, kwargs)
    values = (*args, *kwargs.values())
    if is_pure(function):
        _read(values)
        return lookups.purely(trace, function, args, kwargs)
    trace.root.notes.unseen(function_name(function))
    for x in values:
        if isinstance(x, CONTAINERS):
            trace.note(ContentPlace(x))
        reads.escape(x)
    try:
        return observed(trace, function, args, kwargs)
    except Break as found:
        if found.location.file.startswith("<"):  # no line that the user can look up
            found.location, found.error = user_location(), None
            found.reason = f"{function_name(function)} cannot be looked into: {found.reason}"
        raise


def _call_library(trace: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call what works on traced tensors by itself; jax's functions do not."""
    module = getattr(function, "__module__", None) or type(function).__module__
    is_jax = module.partition(".")[0] in ("jax", "jaxlib")
    if is_jax and any(type(x) is Tensor for x in (*args, *kwargs.values())):
        reason = (
            f"{function_name(function)} takes no tensor that is being captured: use Plait's "
            "function of that name, or call it outside of the compiled function"
        )
        raise stop(trace, Break(reason))
    return function(*args, **kwargs)


def is_pure(function: Any) -> bool:
    """Whether a function of the standard library works on its arguments alone."""
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, (types.ModuleType, type)):
        function = type(owner)
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    if file.startswith("<") and not file.startswith("<frozen"):
        return False  # made by exec, whatever module it says it is of
    module = getattr(function, "__module__", None) or type(function).__module__
    if not isinstance(module, str) or not is_trusted_name(module):
        return False
    return module.partition(".")[0] in PURE


_HANDLERS: dict[type, Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]] = {
    types.FunctionType: _call_function,
    types.MethodType: _call_bound,
    functools.partial: _call_partial,
    functools._lru_cache_wrapper: cached.call_cached,
    **dict.fromkeys(_BUILTIN, _call_builtin),
    **dict.fromkeys(_UNBOUND, _call_unbound),
}

__all__ = ["call", "callback", "method"]
