"""The parser's part for types, attributes and literals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ParseError
from plait.ir.host import MissingFunction
from plait.ir.literal import Literal
from plait.ir.text.literals import read_elements, read_float
from plait.ir.text.tokens import Tokens
from plait.ir.types import Dim, TensorType, Type, as_dtype, is_complex, parse_type, token

#: Regions in regions, tuples in tuples.
MAX_DEPTH = 100
MAX_RANK = 64
_WORDS: dict[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "inf": float("inf"),
    "nan": float("nan"),
    "token": token,
}
_ELEMENT_WORDS = frozenset(("true", "false", "inf", "nan"))


class ValueParser:
    """Reads types, attributes and literals at the position of the tokens."""

    def __init__(
        self,
        tokens: Tokens,
        constants: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.tokens = tokens
        self.constants = constants
        self.functions = functions
        self._types: dict[str, Type] = {"token": token}
        self._depth = 0

    def type(self) -> Type:
        """A type such as ``f32[8,16]`` or ``token``."""
        tokens = self.tokens
        i = tokens.index
        kind, text = tokens.kinds[i], tokens.texts[i]
        known = self._types.get(text)
        if known is None or (kind != "type" and kind != "name"):
            if kind not in ("type", "name"):
                tokens.fail_expected("a type such as f32[8,16]")
            try:
                known = self._types[text] = parse_type(text)
            except ParseError as error:
                tokens.fail(error.message)
        tokens.index = i + 1
        return known

    def attributes(self) -> dict[str, Any]:
        """``{name = value, ...}``, the opening brace passed already."""
        tokens = self.tokens
        found: dict[str, Any] = {}
        while not tokens.accept("}"):
            if found:
                tokens.expect(",", "or '}' after an attribute")
            name = tokens.take("name", "the name of an attribute")
            if name in found:
                tokens.index -= 1
                tokens.fail(f"attribute {name!r} is given twice")
            tokens.expect("=", "after the name of an attribute")
            found[name] = self.value()
        return found

    def value(self) -> Any:
        """The value of an attribute."""
        tokens = self.tokens
        start, kind = tokens.index, tokens.kinds[tokens.index]
        if kind == "reference" or tokens.at("["):
            return self.literal()
        if kind == "string":
            tokens.index += 1
            return tokens.texts[start]
        if kind == "type":
            return self.type()
        if kind == "dim":
            tokens.index += 1
            return Dim(tokens.texts[start][1:])
        if kind == "number" and tokens.texts[start].lstrip("-").startswith("0x"):
            return self.literal()
        after = tokens.texts[start + 2 : start + 6]
        if tokens.at("(") and len(after) == 4 and (after[0], *after[2:]) == (",", ")", ":"):
            return self.literal()  # a complex number's two parts, which may be given by their bits
        if kind == "number":
            found: Any = self.number()
        elif kind == "name":
            found = self.word()
        elif tokens.at("("):
            found = self.items()
        else:
            tokens.fail_expected("a value")
        if tokens.at(":"):
            tokens.index = start
            return self.literal()
        return found

    def number(self) -> int | float:
        """An integer, or a float where there is a point or an exponent."""
        text = self.tokens.take("number", "a number")
        if text.lstrip("-").isdigit():
            return int(text)
        return float(text)

    def items(self) -> tuple[Any, ...]:
        """``(a, b)``, ``(a,)`` or ``()``."""
        tokens = self.tokens
        self.enter()
        tokens.expect("(")
        items: list[Any] = []
        while not tokens.at(")"):
            items.append(self.value())
            if not tokens.at(")"):
                tokens.expect(",", "or ')' in a tuple")
        tokens.expect(")")
        self._depth -= 1
        return tuple(items)

    def enter(self) -> None:
        """Count one level of nesting; too many are an error."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.tokens.fail(f"nested deeper than {MAX_DEPTH} levels")

    def leave(self) -> None:
        """Count one level less."""
        self._depth -= 1

    def word(self) -> Any:
        """A value that starts with a name: a constant, a dtype, or one such as ``bytes "..."``."""
        tokens = self.tokens
        text = tokens.take("name", "a value")
        if text in _WORDS:
            return _WORDS[text]
        if text == "python":
            name = tokens.take("string", "the name of a Python function in quotes")
            return self.functions.get(name) or MissingFunction(name)
        if text == "bytes":
            return self.byte_string()
        if text in ("float", "complex"):
            return self.exact(text)
        try:
            return as_dtype(text)
        except ValueError:
            tokens.index -= 1
            tokens.fail(f"expected a value, found {text!r}")

    def byte_string(self) -> bytes:
        """A byte string, one character for each byte."""
        text = self.tokens.take("string", "a string")
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            self.tokens.index -= 1
            self.tokens.fail("a character beyond \\u00ff in a byte string")

    def exact(self, kind: str) -> float | complex:
        """``float(BITS)`` or ``complex(REAL, IMAGINARY)``, the name passed already."""
        tokens = self.tokens
        tokens.expect("(", f"after {kind}")
        texts = [self.element()]
        if kind == "complex":
            tokens.expect(",", "between real and imaginary part")
            texts.append(self.element())
        tokens.expect(")")
        try:
            numbers = [read_float(t) for t in texts]
        except DTypeError as error:
            tokens.index -= 1
            tokens.fail(error.message)
        return numbers[0] if kind == "float" else complex(*numbers)

    def literal(self) -> Literal:
        """``ELEMENTS: TYPE`` or ``@NAME: TYPE``."""
        tokens = self.tokens
        if tokens.kinds[tokens.index] == "reference":
            return self.reference()
        start = tokens.index
        texts: list[str] = []
        shape = self.elements(texts)
        type_ = self.literal_type()
        after, tokens.index = tokens.index, start
        count = type_.size * (2 if is_complex(type_.dtype) else 1)
        if len(texts) != count or (type_.size > 0 and shape != type_.shape):
            tokens.fail(f"elements of shape {shape} do not make a {type_}")
        try:
            array = read_elements(texts, type_.dtype).reshape(type_.shape)
        except DTypeError as error:
            tokens.fail(error.message)
        except ValueError:
            tokens.fail(f"{type_} is too large for an array")
        tokens.index = after
        array.flags.writeable = False
        return Literal(array)

    def literal_type(self) -> TensorType:
        """The static tensor type after the colon of a literal."""
        tokens = self.tokens
        tokens.expect(":", "and a type after a constant's elements or name")
        type_ = self.type()
        if type(type_) is not TensorType or not type_.is_static or type_.ndim > MAX_RANK:
            tokens.index -= 1
            tokens.fail(f"a constant cannot be of type {type_}")
        return type_

    def reference(self) -> Literal:
        """A constant that the text names."""
        tokens = self.tokens
        start = tokens.index
        name = tokens.take("reference", "the name of a constant")[1:]
        wanted = self.literal_type()
        after, tokens.index = tokens.index, start
        if name not in self.constants:
            tokens.fail(
                f"constant @{name} is not in the text; read the file with load_graph, "
                "or give it: parse(text, constants={name: array})"
            )
        given = self.constants[name]
        literal = given if isinstance(given, Literal) else Literal(np.asarray(given))
        if literal.type != wanted:
            tokens.fail(f"constant @{name} is {literal.type}, but the text says {wanted}")
        tokens.index = after
        return literal

    def elements(self, texts: list[str]) -> tuple[int, ...]:
        """Collect the elements of nested lists; returns the shape."""
        tokens = self.tokens
        if tokens.accept("("):
            texts.append(self.element())
            tokens.expect(",", "between real and imaginary part")
            texts.append(self.element())
            tokens.expect(")")
            return ()
        if not tokens.accept("["):
            texts.append(self.element())
            return ()
        self.enter()
        count, inner = 0, None
        while not tokens.accept("]"):
            if count:
                tokens.expect(",", "or ']' in a list")
            start = tokens.index
            shape = self.elements(texts)
            if inner is not None and shape != inner:
                tokens.index = start
                tokens.fail(f"the rows of a list differ in shape: {inner} and {shape}")
            count, inner = count + 1, shape
        self.leave()
        return (count, *(inner or ()))

    def element(self) -> str:
        """The text of one number or truth value."""
        tokens = self.tokens
        i = tokens.index
        kind, text = tokens.kinds[i], tokens.texts[i]
        if kind != "number" and not (kind == "name" and text in _ELEMENT_WORDS):
            tokens.fail_expected("a number, true or false")
        tokens.index = i + 1
        return text
