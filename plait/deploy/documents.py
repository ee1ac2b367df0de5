"""JSON documents, read strictly: each step names what it expects, every fault is one error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from plait.ir.errors import SavedFileError

T = TypeVar("T")


def write_json(document: dict[str, Any]) -> bytes:
    """The bytes of a document, the same each time: a line for each entry of it."""
    lines = [f"{json.dumps(name)}: {_line(entry)}" for name, entry in document.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _line(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=True, allow_nan=False)


def read_json(data: bytes, member: str) -> Document:
    """The document in some bytes.

    Raises
    ------
    SavedFileError
        They are not JSON, nest too deeply, or name something twice.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            raise ValueError("one name stands twice in an object")
        return made

    def refuse(text: str) -> NoReturn:
        raise ValueError(f"{text[:20]} is not an exact number")

    try:
        found = json.loads(
            data.decode(), object_pairs_hook=pairs, parse_constant=refuse, parse_float=refuse
        )
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"{member} is not a JSON document: {error}") from None
    return Document(found, member)


class Document:
    """A value of a JSON document, with the way to it for messages."""

    __slots__ = ("value", "where")

    def __init__(self, value: Any, where: str) -> None:
        self.value = value
        self.where = where

    def fail(self, expected: str) -> NoReturn:
        """Raise: something else was expected here."""
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise SavedFileError(f"{self.where}: expected {expected}, found {shown}")

    def _of(self, kind: type[T], expected: str) -> T:
        if type(self.value) is not kind:
            self.fail(expected)
        return self.value

    @property
    def text(self) -> str:
        """A string."""
        return self._of(str, "a string")

    @property
    def flag(self) -> bool:
        """True or false."""
        return self._of(bool, "true or false")

    @property
    def number(self) -> int:
        """An integer."""
        return self._of(int, "an integer")

    def index(self, size: int) -> int:
        """An integer from 0 to below ``size``."""
        found = self.number
        if not 0 <= found < size:
            self.fail(f"an integer from 0 to below {size}")
        return found

    @property
    def items(self) -> list[Document]:
        """The items of a list."""
        found: list[Any] = self._of(list, "a list")
        return [Document(item, f"{self.where}[{i}]") for i, item in enumerate(found)]

    @property
    def names(self) -> dict[str, Document]:
        """The entries of an object."""
        found: dict[str, Any] = self._of(dict, "an object")
        return {key: Document(item, f"{self.where}.{key}") for key, item in found.items()}

    def fields(self, *names: str) -> list[Document]:
        """The entries of an object that has exactly these."""
        found = self.names
        if found.keys() != set(names):
            self.fail(f"an object of {', '.join(names)}")
        return [found[name] for name in names]

    def read(self, reader: Callable[[str], T], expected: str) -> T:
        """What ``reader`` makes of a string."""
        try:
            return reader(self.text)
        except (ValueError, TypeError, OverflowError):
            self.fail(expected)


__all__ = ["Document", "read_json", "write_json"]
