"""Text with traced tensors in it, and prints of it, in order, when the graph runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from plait.ir import Value, ops
from plait.ir.errors import TraceError
from plait.ir.functions.payload import WeakValue
from plait.ir.template import escape
from plait.tracer.outcome import Break, stop
from plait.tracer.rendering import formatted, is_rendering, mark, render, template_of
from plait.tracer.state import current, note
from plait.tracer.tensor_handle import payload_of

_UNKNOWN = "text that holds the value of a tensor is not known while the function is captured"


class Text:
    """What takes the place of a string whose tensors are not known yet.

    Attributes
    ----------
    template : str
        As ``plait.ir.template`` fills it.
    values : tuple of Value
        For its places.
    """

    __slots__ = ("template", "values")
    __plait_text__ = True

    def __init__(self, template: str, values: Sequence[Value]) -> None:
        self.template = template
        self.values = tuple(values)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """A string, as far as code can tell."""
        return str

    def _marked(self) -> str:
        """The text with marks, while a text is rendered that this is a part of."""
        return self.filled(str, mark)

    def with_places(self, place: Callable[[Value, str], str]) -> str:
        """A template with other places, ``place(value, form)`` for each."""
        return self.filled(escape, place)

    def filled(self, literal: Callable[[str], str], place: Callable[[Value, str], str]) -> str:
        """The text with each stretch and place replaced."""
        parts = []
        for text, name, spec, conversion in Formatter().parse(self.template):
            parts.append(literal(text))
            if name is not None:
                form = f"!{conversion}" if conversion else ""
                parts.append(place(self.values[int(name)], f"{form}:{spec}" if spec else form))
        return "".join(parts)

    def __str__(self) -> str:
        if is_rendering():
            return self._marked()
        unknown(self, "str()")

    def __repr__(self) -> str:
        if is_rendering():
            unknown(self, "repr()")
        return f"<traced text {self.template!r}>"

    def __format__(self, spec: str) -> str:
        found = formatted(self._marked(), spec) if is_rendering() else None
        return unknown(self, f"the format {spec!r}") if found is None else found

    def __add__(self, other: Any) -> Any:
        return rendered(lambda: plain(self) + plain(other)) if is_text(other) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return rendered(lambda: plain(other) + plain(self)) if is_text(other) else NotImplemented

    def __mul__(self, count: Any) -> Any:
        return rendered(lambda: plain(self) * count)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        if any(literal for literal, *_ in Formatter().parse(self.template)):
            return True
        unknown(self, "bool()")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(str, name):
            raise AttributeError(f"'str' object has no attribute {name!r}")
        unknown(self, f".{name}()")

    def __hash__(self) -> int:
        unknown(self, "hash()")

    def __eq__(self, other: object) -> bool:
        return self is other or unknown(self, "a comparison")

    def __lt__(self, other: object) -> bool:
        unknown(self, "a comparison")

    __gt__ = __le__ = __ge__ = __lt__

    def __len__(self) -> int:
        unknown(self, "len()")

    def __iter__(self) -> Any:
        unknown(self, "iteration")

    def __contains__(self, item: Any) -> bool:
        unknown(self, "in")

    def __getitem__(self, key: Any) -> Any:
        unknown(self, "a subscript")


def unknown(_: Any, what: str) -> NoReturn:
    """Stop the trace, for something needs the text itself.

    Raises
    ------
    Break
        While a function is traced.
    TraceError
        Afterwards.
    """
    reason = f"{what} of {_UNKNOWN}; print it, or use it as the message of an error"
    trace = current()
    if trace is None:
        raise TraceError(reason)
    raise stop(trace, Break(reason))


def is_text(x: Any) -> bool:
    """Whether ``x`` is a string, known or not."""
    return isinstance(x, str)


def plain(x: Any) -> Any:
    """A text with marks for one that is not known, anything else as it is."""
    return x._marked() if type(x) is Text else x


def rendered(make: Callable[[], str]) -> Any:
    """The string that ``make`` gives; a ``Text`` where tensors take part in it."""
    if is_rendering():
        return make()
    text, found = render(make)
    if not found:
        return text
    template, shown = template_of(text, found)
    return Text(template, [value_of(x) for x in shown])


def value_of(shown: Any) -> Value:
    """The graph's value of what a place of a template shows."""
    trace = current()
    payload = shown if type(shown) is Value else payload_of(shown)
    value: Value = trace.lift(payload.value if type(payload) is WeakValue else payload)
    return value


# What converted code calls.


def format_(*parts: Any) -> Any:
    """An f-string.

    Parameters
    ----------
    *parts
        A string for literal text; ``(value, conversion, spec)`` for a replacement field, where the
        conversion is ``"r"``, ``"s"``, ``"a"`` or ``""``.
    """
    if is_capturing():
        return rendered(lambda: _formatted(parts))
    return _formatted(parts)


_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}


def _formatted(parts: Sequence[Any]) -> str:
    texts = []
    for part in parts:
        if type(part) is tuple:
            value, conversion, spec = part
            if conversion:
                value = _CONVERSIONS[conversion](value)
                found = formatted(value, plain(spec))
                if found is None:
                    unknown(value, f"the format {spec!r}")
                texts.append(found)
            else:
                texts.append(format(value, plain(spec)))
        else:
            texts.append(part)
    return "".join(texts)


def is_capturing() -> bool:
    """Whether a graph is written down in this thread, rather than values computed."""
    trace = current()
    return trace is not None and not trace.is_lazy


# Prints.


class TokenPlace:
    """The token of a trace's effects: what was printed last, as code after it sees it."""

    is_payload = True
    key = ("token",)

    def __init__(self, token: Value) -> None:
        self._token = token

    def read(self) -> Value:
        """The token."""
        return self._token

    def write(self, value: Value) -> None:
        """Exchange the token."""
        self._token = value

    def describe(self) -> str:
        """What it stands for."""
        return "the order of prints"


_places: WeakKeyDictionary[Any, TokenPlace] = WeakKeyDictionary()


def token_place(root: Any) -> TokenPlace:
    """The place of a trace's token; the token is made at the first effect, outside of regions."""
    place = _places.get(root)
    if place is None:
        place = _places[root] = TokenPlace(root.emit(ops.create_token))
    return place


def print_values(
    *values: Any, sep: Any = " ", end: Any = "\n", file: Any = None, flush: bool = False
) -> None:
    """Python's ``print``; while a function is captured, one that its graph does at each call.

    Raises
    ------
    Break
        The file is another than ``sys.stdout``.
    """
    if not is_capturing():
        print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    if file is not None and file is not sys.stdout:
        reason = (
            "print to a file other than sys.stdout cannot be part of a graph; return the values "
            "and print them outside of the compiled function"
        )
        raise stop(current(), Break(reason))
    gap = " " if sep is None else sep
    for name, x in (("sep", gap), ("end", "" if end is None else end)):
        if not is_text(x):
            raise TypeError(f"{name} must be None or a string, not {type(x).__name__}")
    text = rendered(lambda: plain(gap).join([str(x) for x in values]))
    if type(end) is Text:
        text, end = rendered(lambda: plain(text) + plain(end)), ""
    emit_print(text, "\n" if end is None else end)


def emit_print(text: Any, end: str = "\n") -> None:
    """Write a print of a string or ``Text`` down."""
    place = token_place(current().root)
    note(place)
    template, values = (text.template, text.values) if type(text) is Text else (escape(text), ())
    place.write(ops.print_(place.read(), *values, template=template, end=end))


def print_public(
    *values: Any,
    sep: str = " ",
    end: str = "\n",
    file: Any = None,
    flush: bool = False,
    **named: Any,
) -> None:
    """Print tensors and other values when they are computed, also in a compiled function.

    As with Python's ``print``, which compiled functions treat in the same way, values are separated
    by ``sep``. When the first one is a string with replacement fields (``"{}"``, ``"{name:.3f}"``)
    and more values follow, it is a format for them, as in ``jax.debug.print``.

    Parameters
    ----------
    *values
        Tensors, or anything else.
    sep, end : str
        What stands between values, and after the last one.
    file : optional
        ``sys.stdout``, the default; in eager code, any other stream too.
    flush : bool
        Whether to flush the stream; compiled functions always do.
    **named
        Values for the named fields of a format.

    Raises
    ------
    TraceError
        In a compiled function: a file other than ``sys.stdout``.
    IndexError, KeyError, ValueError
        The format has a field without a value, or cannot be read.

    Examples
    --------
    >>> pl.print("x is", pl.asarray([1, 2]))
    x is pl.Tensor([1, 2], dtype=int32, shape=(2,))
    >>> @pl.graph_function
    ... def mean(x):
    ...     m = pl.mean(x)
    ...     pl.print("mean {:.2f} of {n}", m, n=x.size)
    ...     return m
    >>> _ = mean(pl.asarray([1.0, 2.0]))
    mean 1.50 of 2
    """
    if named or (len(values) > 1 and _has_fields(values[0])):
        template, *rest = values or ("",)
        text = format_string(template, rest, named)
        print_values(text, end=end, file=file, flush=flush)
    else:
        print_values(*values, sep=sep, end=end, file=file, flush=flush)


def format_string(template: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """``template.format(*args, **kwargs)``."""
    if not is_capturing():
        return template.format(*args, **kwargs)
    return rendered(lambda: plain(template).format(*args, **kwargs))


def _has_fields(template: Any) -> bool:
    if type(template) is not str:
        return False
    try:
        return any(name is not None for _, name, _, _ in Formatter().parse(template))
    except ValueError:
        return False
