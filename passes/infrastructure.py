"""What a pass is: a frozen dataclass with a name, typed options and one method."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar, TypeVar

from plait.ir import Graph, Location
from plait.ir.errors import ParseError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Firing:
    """One application of a rule.

    Attributes
    ----------
    rule : str
        Name of the rule, or of what the pass did (``"merge"``, ``"inline"``).
    location : Location
        The user's line of the node that was replaced.
    """

    rule: str
    location: Location


@dataclass(frozen=True)
class Pass(ABC):
    """A transformation of graphs. Options are the dataclass's fields, all with defaults.

    Examples
    --------
    >>> from plait import passes
    >>> str(passes.parse_pass("fold{max_bytes=1024}"))
    'fold{max_bytes=1024}'
    """

    name: ClassVar[str] = ""

    @abstractmethod
    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        """The transformed graph, or the same object when there is nothing to do.

        Parameters
        ----------
        graph : Graph
        firings : list of Firing, optional
            What was done is added here.
        """

    @property
    def doc(self) -> str:
        """What the pass does, in one line."""
        return (inspect.getdoc(type(self)) or "").partition("\n")[0]

    def __str__(self) -> str:
        changed = [
            f"{f.name}={_shown(getattr(self, f.name))}"
            for f in dataclasses.fields(self)
            if getattr(self, f.name) != f.default
        ]
        return f"{self.name}{{{','.join(changed)}}}" if changed else self.name


_WORD = re.compile(r"[A-Za-z_][\w+-]*")


def _shown(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str and _WORD.fullmatch(value) and value not in ("true", "false"):
        return value
    return json.dumps(value)


_registry: dict[str, type[Pass]] = {}
PassClass = TypeVar("PassClass", bound=type[Pass])


def register_pass(cls: PassClass) -> PassClass:
    """Class decorator: make a pass known by its name to specs and ``--list-passes``."""
    if not cls.name or cls.name in _registry:
        raise UnknownNameError(f"pass name {cls.name!r} is empty or taken")
    _registry[cls.name] = cls
    return cls


def all_passes() -> tuple[Pass, ...]:
    """Every registered pass with its default options, by name."""
    return tuple([_registry[name]() for name in sorted(_registry)])


def get_pass(name: str, **options: Any) -> Pass:
    """A pass by name.

    Raises
    ------
    UnknownNameError
        No pass has this name, or the pass has no such option; says which there are.
    """
    cls = _registry.get(name)
    if cls is None:
        near = get_close_matches(name, _registry, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownNameError(
            f"unknown pass {name!r}; {hint}passes: {', '.join(sorted(_registry))}"
        )
    for option in options:
        _option_type(cls, option)
    return cls(**options)


@cache
def _option_types(cls: type[Pass]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


def _option_type(cls: type[Pass], option: str) -> Any:
    known = _option_types(cls)
    if option not in known:
        options = ", ".join(known) or "none"
        raise UnknownNameError(f"pass {cls.name!r} has no option {option!r}; options: {options}")
    return known[option]


# pass (',' pass)*, pass := name ['{' option '=' value (',' option '=' value)* '}']
_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_][\w+-]*)|(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    |(?P<string>"(?:[^"\\]|\\.)*")|(?P<mark>[{}=,]))""",
    re.VERBOSE,
)


class _Reader:
    """Tokens of a pipeline's text, one ahead, with their columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._scan())
        self.at = 0

    def _scan(self) -> Iterator[tuple[str, str, int]]:
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                bad = len(self.text[position:]) - len(self.text[position:].lstrip()) + position
                raise self.error(f"unexpected {self.text[bad]!r}", bad)
            kind = match.lastgroup or ""
            yield kind, match[kind], match.start(kind)
            position = match.end()
        yield "end", "", end

    def error(self, message: str, position: int) -> ParseError:
        return ParseError(message, "<pipeline>", 1, position + 1)

    def peek(self) -> str:
        return self.tokens[self.at][1]

    def take(self, what: str, *kinds: str) -> tuple[str, str, int]:
        token = self.tokens[self.at]
        if token[0] not in kinds:
            raise self.error(f"expected {what}, found {token[1] or 'the end'!r}", token[2])
        self.at += 1
        return token

    def expect(self, *marks: str) -> str:
        token = self.tokens[self.at]
        if token[1] not in marks or token[0] == "string":
            wanted = " or ".join(repr(m) if m else "the end" for m in marks)
            raise self.error(f"expected {wanted}, found {token[1] or 'the end'!r}", token[2])
        self.at += 1
        return token[1]


def parse_passes(text: str) -> tuple[Pass, ...]:
    """The passes of a text such as ``"canonicalize,fold{max_bytes=1024},cse,dce"``.

    Raises
    ------
    ParseError
        The text is not of that form; carries the column.
    UnknownNameError
        A pass or option that does not exist.
    """
    reader = _Reader(text)
    found: list[Pass] = []
    if not reader.peek():
        return ()
    while True:
        found.append(_read_pass(reader))
        if not reader.expect(",", ""):
            return tuple(found)


def parse_pass(text: str) -> Pass:
    """One pass with its options."""
    found = parse_passes(text)
    if len(found) != 1:
        raise ParseError(f"expected one pass, found {len(found)}", "<pipeline>")
    return found[0]


def _read_pass(reader: _Reader) -> Pass:
    name = reader.take("the name of a pass", "word")[1]
    cls = type(get_pass(name))
    options: dict[str, Any] = {}
    if reader.peek() == "{":
        reader.expect("{")
        while reader.peek() != "}":
            option = reader.take("the name of an option", "word")[1]
            wanted = _option_type(cls, option)
            reader.expect("=")
            options[option] = _read_value(reader, option, wanted)
            if reader.peek() != "}":
                reader.expect(",", "}")
        reader.expect("}")
    return cls(**options)


def _read_value(reader: _Reader, option: str, wanted: Any) -> Any:
    kind, text, position = reader.take("a value", "word", "number", "string")
    if wanted is bool and text in ("true", "false"):
        return text == "true"
    if wanted is int and kind == "number" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if wanted is float and kind == "number":
        return float(text)
    if wanted is str and kind in ("word", "string"):
        return json.loads(text) if kind == "string" else text
    raise reader.error(f"option {option!r} takes {wanted.__name__}, found {text}", position)
