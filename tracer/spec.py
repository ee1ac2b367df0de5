"""Specs: the type of an argument without its value, and their text form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from plait.ir import Dim, DType, Shape, TensorType, as_dtype, parse_type
from plait.ir.errors import DTypeError, ParseError, ShapeError
from plait.ir.frames import boundary


@dataclass(frozen=True, slots=True, init=False)
class TensorSpec:
    """Shape and dtype of a tensor argument, in place of the tensor.

    Parameters
    ----------
    shape : sequence of int or str, or str
        Sizes; a name stands for a dimension that is not known yet. Or the whole type as text, such
        as ``"f32[8,16]"``.
    dtype : dtype_like, optional
        ``"float32"`` (the default), ``"f32"``, ``np.float32``, ...; not with a type as text.
    name : str, optional
        Name of the graph's input.

    Raises
    ------
    ShapeError
        A size is negative or no integer.
    UnknownNameError, DTypeError
        The dtype is not one of Plait's, or is given twice.
    ParseError
        The text is not a tensor type.

    Examples
    --------
    >>> pl.TensorSpec((8, 16), "float32")
    f32[8,16]
    >>> pl.TensorSpec("f32[8,16]").shape
    (8, 16)
    """

    shape: Shape
    dtype: DType
    name: str

    __plait_leaf__ = True

    @boundary
    def __init__(self, shape: Any, dtype: Any = None, name: str = "") -> None:
        if isinstance(shape, str) and "[" in shape:
            shape, dtype = _from_text(shape, dtype)
        dtype = "float32" if dtype is None else dtype
        object.__setattr__(self, "shape", tuple(_dimension(d) for d in _sequence(shape)))
        object.__setattr__(self, "dtype", as_dtype(dtype))
        object.__setattr__(self, "name", name)

    @property
    def type(self) -> TensorType:
        """The tensor type."""
        return TensorType(self.dtype, self.shape)

    def __repr__(self) -> str:
        return str(self.type)


def _from_text(text: str, dtype: Any) -> tuple[Shape, DType]:
    """Shape and dtype of a type as text."""
    parsed = parse_type(text)
    if not isinstance(parsed, TensorType):
        raise ParseError(f"{text} is not a tensor type; write types as f32[8,16]", file="<spec>")
    if dtype is not None:
        raise DTypeError(f"the type {text} has its dtype already; leave out dtype={dtype!r}")
    return parsed.shape, parsed.dtype


def spec_from_text(value: Any) -> TensorSpec | None:
    """The spec that a string such as ``"f32[8,16]"`` stands for; None for what has no ``[``.

    Raises
    ------
    ParseError
        A string with ``[`` that is no tensor type.
    """
    if type(value) is not str or "[" not in value:
        return None
    try:
        return TensorSpec(*_from_text(value, None))
    except ParseError as error:
        raise ParseError(
            f"{value!r} is taken for a type: {error.message}; a string that is a value goes to an "
            "argument named in static="
        ) from None


def _sequence(shape: Any) -> tuple[Any, ...]:
    if isinstance(shape, (int, str)):
        return (shape,)
    try:
        return tuple(shape)
    except TypeError:
        raise ShapeError(f"a shape is a tuple of sizes, got {shape!r}") from None


def _dimension(d: Any) -> int | Dim:
    if isinstance(d, Dim):
        return d
    if isinstance(d, str) and d.isidentifier():
        return Dim(d)
    try:
        size = d.__index__()
    except (AttributeError, TypeError):
        raise ShapeError(f"a size is an integer or a name, got {d!r}") from None
    if size < 0:
        raise ShapeError(f"a size cannot be negative, got {size}")
    return int(size)


_TOKEN = re.compile(
    r"\s*(?:(?P<type>[A-Za-z_]\w*\s*\[[^\]]*\])"
    r"|(?P<keyword>[A-Za-z_]\w*)\s*=(?!=)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf|nan))"
    r"|(?P<mark>[\[\](){},:]))"
)
_CONSTANTS = {"None": None, "True": True, "False": False, "inf": float("inf"), "nan": float("nan")}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse_specs(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Parse arguments such as ``f32[8,16] {"w": f32[4]}, k=2``.

    Types become ``TensorSpec``, everything else is a Python literal; lists, tuples and dicts nest.
    Arguments are separated by commas or blanks.

    Raises
    ------
    ParseError
        With the column of what was not understood.

    Examples
    --------
    >>> from plait.tracer import parse_specs
    >>> parse_specs('{"x": f32[8,16]}, k=2')
    (({'x': f32[8,16]},), {'k': 2})
    """
    parser = _SpecParser(text)
    args, kwargs = parser.arguments()
    return tuple(args), kwargs


class _SpecParser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.position = 0
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                column = at + len(text[at:]) - len(text[at:].lstrip())
                raise self.error(f"unexpected {text[column]!r}", column)
            group = match.lastgroup
            self.tokens.append((group, match.group(group), match.start(group)))
            at = match.end()

    def error(self, message: str, column: int) -> ParseError:
        hint = "write types as f32[8,16] and separate arguments by commas"
        return ParseError(f"{message}; {hint}", file="<spec>", column=column + 1)

    def peek(self) -> tuple[str, str, int]:
        if self.position < len(self.tokens):
            return self.tokens[self.position]
        return ("end", "the end", len(self.text))

    def take(self) -> tuple[str, str, int]:
        token = self.peek()
        self.position += 1
        return token

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        while self.peek()[0] != "end":
            kind, text, column = self.peek()
            if kind == "keyword":
                self.take()
                if text in kwargs:
                    raise self.error(f"argument {text!r} is given twice", column)
                kwargs[text] = self.value()
            elif kwargs:
                raise self.error("a positional argument follows a named one", column)
            else:
                args.append(self.value())
            if self.peek()[1] == ",":
                self.take()
        return args, kwargs

    def value(self, depth: int = 0) -> Any:
        kind, text, column = self.take()
        if depth > 100:
            raise self.error("arguments nest more than 100 deep", column)
        if kind == "type":
            try:
                parsed = parse_type(text)
            except ParseError as error:
                raise ParseError(error.message, file="<spec>", column=column + 1) from None
            if not isinstance(parsed, TensorType):
                raise self.error(f"{text} is not a tensor type", column)
            return TensorSpec(parsed.shape, parsed.dtype)
        if kind == "string":
            return _literal(text)
        if kind == "number" or (kind == "name" and text in _CONSTANTS):
            return _CONSTANTS[text] if text in _CONSTANTS else _literal(text)
        if kind == "mark" and text in _CLOSING:
            return self.container(text, depth + 1)
        if kind == "name" and self.peek()[1] == "[":
            raise self.error(f"']' is missing in {self.text[column:].strip()}", column)
        hint = f" (a type needs a shape: {text}[])" if kind == "name" else ""
        raise self.error(f"expected a type or a value, found {text}{hint}", column)

    def container(self, opening: str, depth: int) -> Any:
        closing = _CLOSING[opening]
        items: list[Any] = []
        comma = False
        while self.peek()[1] != closing:
            if self.peek()[0] == "end":
                raise self.error(f"expected {closing!r}", len(self.text))
            item = self.value(depth)
            if opening == "{":
                _, mark, column = self.take()
                if mark != ":":
                    raise self.error("expected ':' after a key", column)
                item = (_key(item), self.value(depth))
            items.append(item)
            if self.peek()[1] == ",":
                self.take()
                comma = True
        self.take()
        if opening == "(":
            return items[0] if len(items) == 1 and not comma else tuple(items)
        return dict(items) if opening == "{" else items


def _literal(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text.lstrip("+"))
    except (SyntaxError, ValueError):
        raise ParseError(f"{text} is not a Python literal", file="<spec>") from None


def _key(item: Any) -> Any:
    try:
        hash(item)
    except TypeError:
        raise ParseError(f"{item!r} cannot be a key of a dict", file="<spec>") from None
    return item
