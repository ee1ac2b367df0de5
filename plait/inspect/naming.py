"""Texts of graphs in pictures and tables: the names and notations of the text form, shortened."""

from __future__ import annotations

from collections.abc import Mapping

from plait.ir import UNKNOWN, Graph, Literal, Node, Step, Value
from plait.ir.text import format_value, name_values, ordered_attributes, quote_value

MAX_OPERANDS = 12
#: Attributes whose texts are longer together are left to hover texts and tables.
MAX_ATTRIBUTES = 34


def value_names(graph: Graph) -> dict[Value, str]:
    """Names of the graph's values as in its text, with the percent sign."""
    return {value: quote_value(name) for value, name in name_values(graph).items()}


def short_literal(literal: Literal) -> str:
    """A literal's elements when it has few, its type otherwise."""
    if literal.array.size > 4:
        return str(literal.type)
    return format_value(literal).rpartition(": ")[0]


def attribute_texts(node: Node) -> list[str]:
    """The attributes, one text each, in the order of the op's signature."""
    return [f"{k}={format_value(v, short_literal)}" for k, v in ordered_attributes(node)]


def shorten(text: str, limit: int) -> str:
    """The text, cut in its middle when it is longer than ``limit``."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def result_line(node: Node, names: Mapping[Value, str]) -> str:
    """Names and types of a node's results, equal types together: ``%1 … %4: f32[8,16]``."""
    results = node.results
    if len(results) == 1:
        return f"{names[results[0]]}: {results[0].type}"
    join = ", " if len(results) == 2 else " … "
    shown = f"{names[results[0]]}{join}{names[results[-1]]}"
    types = list(dict.fromkeys(str(r.type) for r in results))
    return f"{shown}: {shorten(', '.join(types), 40)}"


def node_line(node: Node, names: Mapping[Value, str]) -> str:
    """One node as a line of the text form, large literals by their type, no regions."""
    left = ", ".join(f"{names[r]}: {r.type}" for r in node.results)
    operands = [names[v] for v in node.operands]
    if len(operands) > MAX_OPERANDS:
        operands[MAX_OPERANDS - 1 : -1] = ["…"]
    attributes = ", ".join(attribute_texts(node))
    right = f"{node.op.name}({', '.join(operands)})" + (f" {{{attributes}}}" if attributes else "")
    return f"{left} = {right}" if left else right


def hover_text(node: Node, names: Mapping[Value, str]) -> str:
    """A node's line, and the user's line below it where it is known."""
    line = node_line(node, names)
    return f"{line}\n{node.location}" if node.location != UNKNOWN else line


def storage_texts(step: Step, names: Mapping[Value, str]) -> list[str]:
    """How a step's results are stored."""
    lines = []
    operands = step.node.operands
    if step.in_place_of is not None:
        lines.append(f"in place of {names[operands[step.in_place_of]]}")
    if step.view_of is not None:
        lines.append(f"view of {names[operands[step.view_of]]}")
    slots = [f"slot {s.index} @ {s.offset:#x}" for s in step.slots if s is not None]
    return lines + ([", ".join(slots)] if slots else [])
