"""Methods of tensors, strings and Python's containers, called by converted code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from plait.tracer.control import builtins_, numeric, reads, text, writes
from plait.tracer.places import ContentPlace
from plait.tracer.state import note
from plait.tracer.tensor import Tensor

#: Tensors of up to this many elements give lists of runtime numbers.
LISTED = 64
_NUMBERS: dict[str, Callable[..., Any]] = {
    "b": numeric.bool_,
    "i": numeric.int_,
    "u": numeric.int_,
    "f": numeric.float_,
    "V": numeric.float_,
    "c": numeric.complex_,
}
_FORMATTING = frozenset(("format", "format_map", "join", "__add__", "__mod__", "__mul__"))


def tensor_method(tensor: Tensor, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a tensor; what gives Python numbers gives runtime numbers."""
    if name == "item" and not kwargs and (args or tensor.size == 1):
        picked = _picked(tensor, args)
        if picked is not None:
            return _number(picked)
    if name == "tolist" and not args and tensor.size <= LISTED:
        return _listed(tensor)
    return getattr(tensor, name)(*args, **kwargs)


def _picked(tensor: Tensor, index: tuple[Any, ...]) -> Tensor | None:
    if not index:
        return tensor
    if len(index) == 1 and isinstance(index[0], int) and tensor.ndim != 1:
        return tensor.reshape(-1)[index[0]]
    found = tensor[index[0] if len(index) == 1 and isinstance(index[0], tuple) else index]
    return found if found.size == 1 else None


def _number(tensor: Tensor) -> Any:
    return _NUMBERS[tensor.dtype.kind](tensor)


def _listed(tensor: Tensor) -> Any:
    return [_listed(row) for row in tensor] if tensor.ndim else _number(tensor)


def text_method(owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a string, which may join and format text with traced tensors."""
    if name not in _FORMATTING:
        return getattr(owner, name)(*args, **kwargs)
    if name == "join" and len(args) == 1:
        args = (list(args[0]),)

    def make() -> str:
        given = [[text.plain(x) for x in a] if name == "join" else a for a in args]
        made: str = getattr(text.plain(owner), name)(*given, **kwargs)
        return made

    return text.rendered(make)


_PERCENT = re.compile(r"%(?:\((\w+)\))?([-+ #0]*)(\d*)(\.\d+)?([a-zA-Z%])")
_NUMERIC = {
    **dict.fromkeys("diuoxX", numeric.int_),
    **dict.fromkeys("eEfFgG", numeric.float_),
}


def percent(template: str, values: Any) -> Any:
    """``template % values``."""
    given = [*values.values()] if isinstance(values, dict) else values
    given = list(given) if isinstance(given, (tuple, list)) else [given]
    if not text.is_capturing() or not any(type(x) in (Tensor, text.Text) for x in given):
        return template % values
    found = iter(given)
    parts: list[Any] = []
    end = 0
    for match in _PERCENT.finditer(template):
        name, flags, width, precision, kind = match.groups(default="")
        parts.append(template[end : match.start()])
        end = match.end()
        if kind == "%":
            parts.append("%")
            continue
        value = values[name] if name else next(found, _MISSING)
        if value is _MISSING:
            raise TypeError("not enough arguments for format string")
        parts.append(_percent_field(value, flags, f"{width}{precision}", kind))
    if not isinstance(values, dict) and next(found, _MISSING) is not _MISSING:
        raise TypeError("not all arguments converted during string formatting")
    return text.format_(*parts, template[end:])


_MISSING = object()


def _percent_field(value: Any, flags: str, size: str, kind: str) -> tuple[Any, str, str]:
    """The replacement field that shows a value as a field of ``%`` does."""
    signs = "".join(c for c in flags if c in "+ ")[:1]
    marks = ("#" if "#" in flags else "") + ("0" if "0" in flags and "-" not in flags else "")
    if kind in _NUMERIC:
        spec = f"{'<' if '-' in flags else ''}{signs}{marks}{size}{'d' if kind in 'iu' else kind}"
        return _NUMERIC[kind](value), "", spec
    spec = f"{'<' if '-' in flags else '>'}{size}" if size else ""
    return value, kind, spec


def container_method(owner: Any, bound: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a list, dict, set or the like; changes are noted before they happen."""
    name = bound.__name__
    if name == "sort" and isinstance(owner, list):
        ordered = builtins_.sorted_(owner, **kwargs)
        writes.mutate(owner, name, args)
        note(ContentPlace(owner))
        owner[:] = ordered
        return None
    if name == "get" and isinstance(owner, dict) and args and not kwargs:
        return reads.get(owner, *args)
    if name == "extend" and args:
        args = (list(args[0]),)
    writes.mutate(owner, name, args)
    return bound(*args, **kwargs)
