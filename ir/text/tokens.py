"""The tokenizer: text to kinds, texts and offsets, in one regular expression."""

from __future__ import annotations

import re
from typing import NoReturn

from plait.ir.errors import ParseError

_STRING = r'"(?:[^"\\\n]++|\\[^\n])*+"'
_NAME = r"[^\W\d]\w*(?:\.\w+)*"
_TOKEN = re.compile(
    rf"""
    (?P<space>(?:[ \t\r\n]+|\#[^\n]*)+)
  | (?P<value>%(?:\w+(?:\.\w+)*|{_STRING}))
  | (?P<type>[^\W\d]\w*\[[^\[\]\n"]*\])
  | (?P<name>{_NAME})
  | (?P<mark>->|[(){{}},:=\[\]])
  | (?P<number>-?(?:0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|(?:inf|nan)\b))
  | (?P<string>{_STRING})
  | (?P<reference>@[^\W\d]\w*)
  | (?P<at>@)
  | (?P<dim>\?[^\W\d]\w*)
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}
MAX_NUMBER = 1000


class Tokens:
    """The tokens of a text, with a position that the parser moves.

    Attributes
    ----------
    kinds, texts : list of str
        ``value`` is without its percent sign and unquoted, ``string`` unquoted. The last token is
        of kind ``end``.
    offsets : list of int
    index : int
        The current token.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.offsets: list[int] = []
        self.index = 0
        self._split()

    def _split(self) -> None:
        position, text = 0, self.text
        kinds, texts, offsets = self.kinds, self.texts, self.offsets
        for match in _TOKEN.finditer(text):
            start = match.start()
            if start != position:
                self._fail_at_character(position)
            position = match.end()
            kind = match.lastgroup
            if kind == "space" or kind is None:
                continue
            kinds.append(kind)
            texts.append(match.group())
            offsets.append(start)
            if kind == "value":
                texts[-1] = self._unquote(texts[-1][1:], start + 1)
            elif kind == "string":
                texts[-1] = self._unquote(texts[-1], start)
            elif kind == "number" and position - start > MAX_NUMBER:
                self.fail(f"a number of more than {MAX_NUMBER} characters", start)
        if position != len(text):
            self._fail_at_character(position)
        kinds.append("end")
        texts.append("the end of the text")
        offsets.append(len(text))

    def _unquote(self, text: str, offset: int) -> str:
        if not text.startswith('"'):
            return text
        inner = text[1:-1]
        if "\\" not in inner:
            return inner

        def unescape(match: re.Match[str]) -> str:
            code = match[1] or match[2]
            if code is not None and int(code, 16) < 0x110000:
                return chr(int(code, 16))
            if match[3] in _PLAIN_ESCAPES:
                return _PLAIN_ESCAPES[match[3]]
            self.fail(f"unknown escape {match[0]} in a string", offset + 1 + match.start())

        return _ESCAPE.sub(unescape, inner)

    def _fail_at_character(self, position: int) -> NoReturn:
        character = self.text[position]
        if character == '"':
            self.fail("a string that does not end on its line", position)
        self.fail(f"unexpected character {character!r}", position)

    def fail(self, message: str, offset: int | None = None) -> NoReturn:
        """Raise a ``ParseError`` at an offset of the text, by default at the current token."""
        at = self.offsets[self.index] if offset is None else offset
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        raise ParseError(message, self.file, line, column)

    def describe(self) -> str:
        """The current token, for messages."""
        kind, text = self.kinds[self.index], self.texts[self.index]
        if kind == "end":
            return text
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        return f"%{shown}" if kind == "value" else repr(shown)

    def fail_expected(self, expected: str) -> NoReturn:
        """Raise: something else stands at the current token."""
        self.fail(f"expected {expected}, found {self.describe()}")

    def take(self, kind: str, expected: str) -> str:
        """The text of the current token, which must be of a kind; moves on."""
        i = self.index
        if self.kinds[i] != kind:
            self.fail_expected(expected)
        self.index = i + 1
        return self.texts[i]

    def expect(self, mark: str, where: str = "") -> None:
        """Move past a punctuation mark, which must be there."""
        i = self.index
        if self.texts[i] != mark or self.kinds[i] != "mark":
            self.fail_expected(f"'{mark}'{where and ' ' + where}")
        self.index = i + 1

    def at(self, mark: str, ahead: int = 0) -> bool:
        """Whether a punctuation mark stands here, or some tokens ahead."""
        i = self.index + ahead
        return i < len(self.kinds) and self.texts[i] == mark and self.kinds[i] == "mark"

    def accept(self, mark: str) -> bool:
        """Move past a punctuation mark if it is there."""
        i = self.index
        if self.texts[i] == mark and self.kinds[i] == "mark":
            self.index = i + 1
            return True
        return False
