"""Python's other builtins on traced tensors: reductions, orders, iterables, classes, text."""

from __future__ import annotations

import builtins
import functools
import operator
from abc import ABCMeta
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from plait.ir import Value, functions, is_floating, user_frame
from plait.tracer.control import iterables, numeric, text
from plait.tracer.control.iterables import Source, source_of
from plait.tracer.control.logic import (
    Choice,
    all_of,
    any_of,
    as_truth,
    contains,
    not_,
    staged,
    tensor_of,
)
from plait.tracer.paths import Held, Result
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import call, run
from plait.tracer.tensor_views import is_scalar

#: Python ranges of more trips may be staged, those of up to this many not.
TRIPS = 16


def _line(x: Any) -> Tensor | None:
    """The traced tensor of one axis and at least one element that ``x`` is; None otherwise."""
    tensor = staged(x)
    if tensor is None or tensor._kind == "number" or tensor.ndim != 1:
        return None
    return tensor if isinstance(tensor.shape[0], int) and tensor.shape[0] else None


# Reductions.


def sum_(*args: Any, **kwargs: Any) -> Any:
    """``sum``: of a long tensor a reduction in its own dtype."""
    start = args[1] if len(args) > 1 else kwargs.get("start", 0)
    x = staged(args[0]) if args else None
    is_long = x is not None and x.ndim and isinstance(x.shape[0], int) and x.shape[0] > TRIPS
    if x is None or not is_long or x.dtype.itemsize == 2 or isinstance(start, str):
        return sum(*args, **kwargs)
    dtype = (0 + x[0]).dtype
    return start + call("sum", x, axis=0, dtype=dtype)


def _extreme(native: Callable[..., Any], better: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """``max`` or ``min``."""

    def extreme(*args: Any, **kwargs: Any) -> Any:
        line = _line(args[0]) if len(args) == 1 and not kwargs.get("key") else None
        if line is not None and line.shape[0] > 2:
            return _reduced(native.__name__, line)
        key = kwargs.get("key")
        items = list(args[0]) if len(args) == 1 and _is_walked(args[0]) else list(args)
        if len(args) == 1 and items and items[0] is args[0]:
            return native(*args, **kwargs)
        keys = items if key is None else [_call(key, item) for item in items]
        if not items or not any(staged(x) is not None for x in keys):
            if key is not None:
                kwargs["key"] = _Known(keys)
            given = (items,) if len(args) == 1 else items
            return native(*given, **kwargs)
        return _best(items, keys, better)

    extreme.__name__ = native.__name__
    return extreme


class _Known:
    """A key function whose results are known, asked for in order."""

    def __init__(self, keys: list[Any]) -> None:
        self._keys = iter(keys)

    def __call__(self, _: Any) -> Any:
        return next(self._keys)


def _is_walked(x: Any) -> bool:
    """Whether the elements of ``x`` can be had now."""
    return not isinstance(x, Source) or type(x.length) is int


def _best(items: list[Any], keys: list[Any], better: Callable[[Any, Any], Any]) -> Any:
    best, highest = items[0], keys[0]
    for item, key in zip(items[1:], keys[1:], strict=True):
        wins = better(key, highest)
        highest = _pick(wins, key, highest)
        best = highest if keys is items else _pick(wins, item, best)
    return best


def _pick(condition: Any, a: Any, b: Any) -> Any:
    tensor = staged(condition)
    if tensor is None:
        return a if condition else b
    frame = user_frame(2)
    assert frame is not None
    return Choice(frame, "comparison", tensor).value(lambda: a, lambda: b)


def _reduced(name: str, x: Tensor) -> Any:
    """The largest or smallest element, as Python finds it: NaN counts where it comes first."""
    if is_floating(x.dtype):
        x = call("where", call("isnan", x), x[0], x)
    return call(name, x)


def any_(*args: Any, **kwargs: Any) -> Any:
    """``any``: all elements are computed, Python stops at the first that is true."""
    return _truth_of_all(any, any_of, args, kwargs)


def all_(*args: Any, **kwargs: Any) -> Any:
    """``all``: all elements are computed, Python stops at the first that is false."""
    return _truth_of_all(all, all_of, args, kwargs)


def _truth_of_all(
    native: Callable[..., Any], joined: Callable[[Any], Any], args: Any, kwargs: Any
) -> Any:
    if len(args) != 1 or kwargs or not text.is_capturing():
        return native(*args, **kwargs)
    line = _line(args[0])
    return joined(args[0]) if line is None else as_truth(call(native.__name__, line))


# Orders.


def sorted_(*args: Any, **kwargs: Any) -> Any:
    """``sorted``: scalars of one dtype; with a key of scalars, tensors of one type."""
    key, reverse = kwargs.get("key"), kwargs.get("reverse", False)
    if len(args) != 1 or not text.is_capturing() or staged(reverse) is not None:
        return sorted(*args, **kwargs)
    line = _line(args[0])
    items: list[Any] = [] if line is not None else list(args[0])
    keys = items if key is None else [_call(key, x) for x in items or list(args[0])]
    if line is None and not any(staged(x) is not None for x in keys):
        options = {} if key is None else {"key": _Known(keys)}
        return sorted(items, reverse=reverse, **options)
    if line is not None and key is None:
        return list(call("sort", line, descending=bool(reverse)))
    stacked = _stack(list(line) if line is not None else items)
    ranks = stacked if key is None else _stack(keys)
    if stacked is None or ranks is None or ranks.ndim != 1:
        return sorted(*args, **kwargs)
    order = call("argsort", ranks, stable=True, descending=bool(reverse))
    found = list(call("take", stacked, order, axis=0))
    first = tensor_of(items[0]) if items else None
    is_number = first is not None and first._kind == "number"
    return [numeric.number(text.value_of(x)) for x in found] if is_number else found


def _stack(items: list[Any]) -> Tensor | None:
    """Tensors of one type in one; None when they differ."""
    tensors = [tensor_of(x) for x in items]
    types = {None if t is None else (t._kind, t.dtype, tuple(t.shape)) for t in tensors}
    if len(types) != 1 or None in types:
        return None
    kind = tensors[0]._kind if tensors[0] is not None else "tensor"
    made: Tensor = run(functions.stack, (tensors,), {}, "tensor" if kind == "number" else kind)
    return made


# Iterables.


def range_(*args: Any) -> Any:
    """``range``: with a traced number one of its own class."""
    if not any(staged(x) is not None for x in args):
        return range(*args)
    return iterables.Range(*args)


def _source(x: Any) -> Source | None:
    return source_of(x, TRIPS) if text.is_capturing() else None


def enumerate_(*args: Any, **kwargs: Any) -> Any:
    """``enumerate``: of what can be staged something that can be staged."""
    start = args[1] if len(args) > 1 else kwargs.get("start", 0)
    source = _source(args[0] if args else kwargs.get("iterable"))
    if source is None or type(start) is not int:
        return enumerate(*args, **kwargs)
    return iterables.Enumerated(source, start)


def zip_(*args: Any, strict: bool = False) -> Any:
    """``zip``: of parts that can be staged something that can be staged."""
    if args and any(_source(x) is not None for x in args):
        sources = [source_of(x, -1) for x in args]
        if all(sources):
            return iterables.Zipped([s for s in sources if s is not None], strict)
    return zip(*args, strict=strict)


def reversed_(x: Any) -> Any:
    """``reversed``: of what can be staged something that can be staged."""
    source = _source(x)
    return reversed(x) if source is None else iterables.Reversed(source)


def len_(x: Any) -> Any:
    """``len``: of a traced range a runtime number."""
    if isinstance(x, Source) and type(x.length) is Value:
        return numeric.number(x.length)
    return len(x)


def reduce_(function: Any, values: Iterable[Any], *initial: Any) -> Any:
    """``functools.reduce``."""
    found = iter(values)
    if initial:
        (result,) = initial
    else:
        try:
            result = next(found)
        except StopIteration:
            raise TypeError("reduce() of empty iterable with no initial value") from None
    for value in found:
        result = _call(function, result, value)
    return result


def _call(function: Any, *args: Any) -> Any:
    from plait.tracer.control.calls import call as call_converted

    return call_converted(function, *args)


# Classes.


def kinds_of(x: Any) -> tuple[type, ...] | None:
    """The classes that a handle stands for, the first its own; None where it is what it is."""
    if type(x) is text.Text:
        return (str,)
    if type(x) is not Tensor or x._kind == "tensor" or current() is None:
        return None
    if x._kind == "number":
        return (type(x.dtype.type(0).item()),)
    if x._kind == "jax":
        import sys

        found: Any = getattr(sys.modules.get("jax"), "Array", None)
        return None if found is None else (found,)
    return (x.dtype.type,) if is_scalar(x) else (np.ndarray,)


def type_(*args: Any, **kwargs: Any) -> Any:
    """``type``: of a handle the class of what it stands for."""
    if len(args) != 1 or kwargs:
        return type(*args, **kwargs)
    found = kinds_of(args[0])
    if found is not None:
        return found[0]
    from plait.tracer.control.lookups import class_of

    return class_of(args[0])


def isinstance_(x: Any, classes: Any) -> bool:
    """``isinstance``: of a handle by what it stands for."""
    found = kinds_of(x)
    if found is not None:
        return any(issubclass(kind, classes) for kind in found)
    _watch_registered(type(x), classes)
    return isinstance(x, classes)


def issubclass_(kind: Any, classes: Any) -> bool:
    """``issubclass``."""
    if isinstance(kind, type):
        _watch_registered(kind, classes)
    return issubclass(kind, classes)


def _watch_registered(kind: type, classes: Any) -> None:
    """Guard whether a user's class counts as one of abstract classes, which may be changed."""
    trace = current()
    if trace is None or trace.is_lazy or kind is Tensor or kind.__module__ == "builtins":
        return
    for wanted in classes if isinstance(classes, tuple) else (classes,):
        if isinstance(wanted, tuple):
            _watch_registered(kind, wanted)
        elif isinstance(wanted, ABCMeta) and wanted not in kind.__mro__:
            try:
                is_one = issubclass(kind, wanted)
            except TypeError:  # a protocol with attributes
                continue
            text = f"issubclass({kind.__name__}, {wanted.__name__})"
            path = Result(Held(kind, kind.__name__), issubclass, text, wanted)
            trace.provenance.guard(path, "value", is_one)


# Text.


def _rendering(native: Callable[..., str]) -> Callable[..., Any]:
    def shown(*args: Any, **kwargs: Any) -> Any:
        if not text.is_capturing() or len(args) != 1 or kwargs:
            return native(*args, **kwargs)
        return args[0] if type(args[0]) is text.Text and native is str else _shown(native, args[0])

    return shown


def _shown(native: Callable[..., str], x: Any) -> Any:
    return text.rendered(lambda: native(x))


def format_(*args: Any, **kwargs: Any) -> Any:
    """``format``."""
    if not text.is_capturing() or kwargs:
        return format(*args, **kwargs)
    return text.rendered(lambda: format(*[text.plain(x) if i else x for i, x in enumerate(args)]))


#: Python's functions and what takes their place while a function is captured.
HOOKS: dict[Any, Callable[..., Any]] = {
    **numeric.HOOKS,
    sum: sum_,
    max: _extreme(max, operator.gt),
    min: _extreme(min, operator.lt),
    any: any_,
    all: all_,
    sorted: sorted_,
    range: range_,
    enumerate: enumerate_,
    zip: zip_,
    reversed: reversed_,
    abs: abs,
    divmod: divmod,
    iter: iter,
    next: next,
    len: len_,
    functools.reduce: reduce_,
    type: type_,
    isinstance: isinstance_,
    issubclass: issubclass_,
    str: _rendering(str),
    repr: _rendering(repr),
    ascii: _rendering(ascii),
    format: format_,
    print: text.print_values,
    operator.not_: not_,
    operator.truth: numeric.bool_,
    operator.contains: lambda container, item: contains(item, container),
}
#: Functions that call what they are given, which is to be converted.
CALLING: frozenset[Any] = frozenset((map, filter, iter, builtins.max, builtins.min))

__all__ = ["CALLING", "HOOKS", "kinds_of"]
