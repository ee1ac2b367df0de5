"""The printer: one text for each graph, the same on every machine and run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plait.ir.graph import Graph, Node, Value
from plait.ir.literal import Literal
from plait.ir.location import UNKNOWN, Location
from plait.ir.text.attributes import format_attributes, format_literal
from plait.ir.text.names import name_values, quote, quote_name, quote_value
from plait.ir.types import Type

#: Elements up to which a constant stands in the text itself.
INLINE_ELEMENTS = 16
#: Column of the locations, where the line leaves room.
LOCATION_COLUMN = 56

Writing = Iterator["Writing"]


class Printer:
    """Writes one graph.

    Attributes
    ----------
    lines : list of str
    constants : dict of str to Literal
        Constants that the text names and does not hold.
    """

    def __init__(self, locations: bool = True, max_elements: int | None = INLINE_ELEMENTS) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Literal] = {}
        self._references: dict[Literal, str] = {}
        self._types: dict[Type, str] = {}
        self._locations = locations
        self._max_elements = max_elements
        self._function = ""

    def write(self, graph: Graph, name: str | None = None) -> str:
        """The text of the graph, without a newline at the end."""
        shown = self._function = graph.name if name is None else name
        names = name_values(graph)
        returned = ", ".join([self.type(v.type) for v in graph.outputs])
        self.lines.append(
            f"graph {quote_name(shown)}{self.header(graph, names)} -> ({returned}) {{"
        )
        drive(self.body(graph, names, "  "))
        self.lines.append("}")
        return "\n".join(self.lines)

    def type(self, type_: Type) -> str:
        """A type's text, made once."""
        text = self._types.get(type_)
        if text is None:
            text = self._types[type_] = str(type_)
        return text

    def header(self, graph: Graph, names: Mapping[Value, str]) -> str:
        """The inputs in parentheses."""
        inputs = [f"{quote_value(names[v])}: {self.type(v.type)}" for v in graph.inputs]
        return f"({', '.join(inputs)})"

    def body(self, graph: Graph, names: Mapping[Value, str], indent: str) -> Writing:
        """Write nodes and outputs; yields the writing of each region."""
        texts = {v: quote_value(n) for v, n in names.items()}
        for node in graph.nodes:
            line = indent + self.node(node, texts)
            for region in node.regions:
                inner = name_values(region)
                self.lines.append(
                    f"{line} {quote_name(region.name)}{self.header(region, inner)} {{"
                )
                yield self.body(region, inner, indent + "  ")
                line = f"{indent}}}"
            self.lines.append(line + self.location(node.location, len(line)))
        self.lines.append(self.outputs(graph, texts, indent))

    def outputs(self, graph: Graph, texts: Mapping[Value, str], indent: str) -> str:
        """The line that returns the outputs."""
        returned = ", ".join([texts.get(v, "%?") for v in graph.outputs])
        return f"{indent}return {returned}".rstrip()

    def node(self, node: Node, texts: Mapping[Value, str]) -> str:
        """A node's results, op, operands and attributes."""
        operands = ", ".join([texts.get(v, "%?") for v in node.operands])
        right = f"{node.op.name}({operands})"
        if node.attributes:
            right = f"{right} {format_attributes(node, self.literal)}"
        if not node.results:
            return right
        results = [f"{texts.get(v, '%?')}: {self.type(v.type)}" for v in node.results]
        return f"{', '.join(results)} = {right}"

    def literal(self, literal: Literal) -> str:
        """A literal in full, or the name that stands for a large one."""
        limit = self._max_elements
        if limit is None or literal.array.size <= limit:
            return format_literal(literal)
        name = self._references.get(literal)
        if name is None:
            name = self._references[literal] = f"const_{len(self.constants)}"
            self.constants[name] = literal
        return f"@{name}: {self.type(literal.type)}"

    def location(self, location: Location, width: int) -> str:
        """A location at its column; the function is left out where it is the graph's."""
        if not self._locations or location == UNKNOWN:
            return ""
        padding = " " * max(LOCATION_COLUMN - width, 2)
        function = location.function
        inside = "" if function == self._function else f" in {quote_name(function)}"
        return f"{padding}@ {quote(location.file)}:{location.line}{inside}"


def drive(writing: Any) -> None:
    """Run a writing and those that it yields, of any depth, without recursion."""
    pending = [writing]
    while pending:
        inner = next(pending[-1], None)
        if inner is None:
            pending.pop()
        else:
            pending.append(inner)


def print_graph(
    graph: Graph,
    locations: bool = True,
    *,
    max_elements: int | None = INLINE_ELEMENTS,
    name: str | None = None,
) -> str:
    """The text form of a graph; ``parse`` reads it back.

    Parameters
    ----------
    graph : Graph
    locations : bool
        Whether each node shows the user's file and line.
    max_elements : int or None
        Constants of more elements are shown by name (``large_constants`` gives them); None shows
        all in full.
    name : str, optional
        Another name for the graph.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %x }")
    >>> print(ir.print_graph(graph, name="same"))
    graph same(%x: f32[2]) -> (f32[2]) {
      return %x
    }
    """
    return Printer(locations, max_elements).write(graph, name)


def large_constants(graph: Graph, max_elements: int = INLINE_ELEMENTS) -> dict[str, Literal]:
    """The constants that the text form shows by name, by those names."""
    printer = Printer(False, max_elements)
    printer.write(graph)
    return printer.constants


def print_node(graph: Graph, node: Node) -> str:
    """One node's line, without location and regions, named as in the text of its graph."""
    texts = {v: quote_value(n) for v, n in name_values(graph).items()}
    return Printer().node(node, texts)
