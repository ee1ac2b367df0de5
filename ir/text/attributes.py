"""Attributes as text: numbers, strings, dtypes, types, literals, functions, and tuples of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import GraphError
from plait.ir.graph import Node
from plait.ir.host import function_name
from plait.ir.literal import Literal
from plait.ir.text.literals import format_array, format_complex, format_float
from plait.ir.text.names import quote
from plait.ir.types import SHORT_NAMES, BytesType, Dim, TensorType, TokenType

_CONSTANTS: dict[Any, str] = {None: "none", True: "true", False: "false"}
LiteralFormat = Callable[[Literal], str]
FunctionFormat = Callable[[Callable[..., Any]], str]


def format_literal(literal: Literal) -> str:
    """A literal with all its elements and its type."""
    return f"{format_array(literal.array)}: {literal.type}"


def format_function(function: Callable[..., Any]) -> str:
    """A Python function by its name."""
    return f"python {quote(function_name(function))}"


def format_value(
    value: Any,
    literal: LiteralFormat = format_literal,
    function: FunctionFormat = format_function,
) -> str:
    """An attribute's text; equal texts mean equal attributes, but for functions of one name.

    Raises
    ------
    GraphError
        The attribute is of a class that the text form does not have.
    """
    kind = type(value)
    formatter = _FORMATTERS.get(kind)
    if formatter is not None:
        return formatter(value)
    if kind is Literal:
        return literal(value)
    if kind is tuple:
        inner = [format_value(item, literal, function) for item in value]
        return f"({inner[0]},)" if len(inner) == 1 else f"({', '.join(inner)})"
    if isinstance(value, np.dtype) and value in SHORT_NAMES:
        return SHORT_NAMES[value]
    if isinstance(value, (np.bool_, np.number)):
        return format_value(value.item())
    if callable(value) and not isinstance(value, type):
        return function(value)
    raise GraphError(
        f"an attribute of class {kind.__name__} has no text form; "
        "use numbers, strings, dtypes, types, literals, or tuples of these"
    )


def _format_int(value: int) -> str:
    return str(value)


def _format_constant(value: Any) -> str:
    return _CONSTANTS[value]


_FORMATTERS: dict[type, Callable[[Any], str]] = {
    int: _format_int,
    bool: _format_constant,
    type(None): _format_constant,
    str: quote,
    float: format_float,
    complex: format_complex,
    bytes: lambda value: f"bytes {quote(value.decode('latin-1'))}",
    Dim: lambda value: f"?{value.name}",
    TensorType: str,
    TokenType: str,
    BytesType: str,
}


def ordered_attributes(node: Node) -> list[tuple[str, Any]]:
    """A node's attributes in the order of the op's signature, unknown ones last by name."""
    attributes = node.attributes
    if len(attributes) < 2:
        return list(attributes.items())
    order = {name: i for i, name in enumerate(node.op.parameters)}
    names = sorted(attributes, key=lambda name: (order.get(name, len(order)), name))
    return [(name, attributes[name]) for name in names]


def format_attributes(node: Node, literal: LiteralFormat = format_literal) -> str:
    """The attributes of a node in braces; empty when there are none."""
    if not node.attributes:
        return ""
    parts = [f"{name} = {format_value(v, literal)}" for name, v in ordered_attributes(node)]
    return f"{{{', '.join(parts)}}}"
