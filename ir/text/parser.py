"""The parser: recursive descent, types inferred again, every fault with its line and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plait.ir.errors import ParseError, PlaitError, UnknownNameError
from plait.ir.graph import Graph, Node, Value
from plait.ir.location import UNKNOWN, Location
from plait.ir.op import Op, get_op
from plait.ir.text.names import quote_value
from plait.ir.text.tokens import Tokens
from plait.ir.text.values import ValueParser
from plait.ir.types import Type


def parse(
    text: str,
    file: str = "<string>",
    constants: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Graph:
    """Read a graph from its text form.

    Parameters
    ----------
    text : str
        One graph, as ``str(graph)`` and ``print_graph`` write it; ``#`` starts a comment.
    file : str
        Name of the text for messages.
    constants : mapping of str to array, optional
        The large constants that the text names.
    functions : mapping of str to callable, optional
        The Python functions that callbacks name.

    Raises
    ------
    ParseError
        The text is not a graph; says what was expected, with file, line and column.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> graph.nodes[0].op.name
    'tanh'
    >>> ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %y }")
    Traceback (most recent call last):
    plait.ir.errors.ParseError: <string>:1:42: error: %y is not defined
    """
    parser = _Parser(Tokens(text, file), {} if constants is None else constants, functions or {})
    try:
        return parser.graph()
    except RecursionError:
        raise ParseError("nested too deeply for this stack", file) from None


class _Scope:
    """The values of one graph by name, and the scope around it."""

    __slots__ = ("outer", "values")

    def __init__(self, outer: _Scope | None) -> None:
        self.values: dict[str, Value] = {}
        self.outer = outer


class _Parser:
    def __init__(
        self,
        tokens: Tokens,
        constants: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.tokens = tokens
        self.values = ValueParser(tokens, constants, functions)
        self.function = ""
        self.scope = _Scope(None)

    def graph(self) -> Graph:
        """The whole text: one graph."""
        tokens = self.tokens
        if tokens.take("name", "'graph'") != "graph":
            tokens.index -= 1
            tokens.fail_expected("'graph'")
        name = self.function = self.name("the graph's name")
        inputs = self.inputs()
        if not (tokens.kinds[tokens.index] == "mark" and tokens.accept("->")):
            tokens.fail_expected("'->' and the output types")
        types, places = self.output_types()
        nodes, outputs = self.body()
        for i, (wanted, value) in enumerate(zip(types, outputs, strict=False)):
            if value.type != wanted:
                tokens.fail(
                    f"output {i} is {value.type}, but the graph's first line says {wanted}",
                    places[i],
                )
        if len(types) != len(outputs):
            tokens.fail(
                f"the graph returns {len(outputs)} value(s), but its first line says {len(types)}",
                places[0],
            )
        if tokens.kinds[tokens.index] != "end":
            tokens.fail_expected("the end of the text")
        return Graph(name, inputs, nodes, outputs)

    def name(self, expected: str) -> str:
        """A plain or quoted name."""
        if self.tokens.kinds[self.tokens.index] == "string":
            return self.tokens.take("string", expected)
        return self.tokens.take("name", expected)

    def inputs(self) -> tuple[Value, ...]:
        """``(%x: f32[2], ...)``; defines the values."""
        tokens = self.tokens
        tokens.expect("(", "and the inputs")
        found: list[Value] = []
        while not tokens.accept(")"):
            if found:
                tokens.expect(",", "or ')' after an input")
            place = tokens.index
            name = tokens.take("value", "an input such as %x")
            tokens.expect(":", "and a type after an input")
            value = Value(self.values.type(), None, len(found), name)
            self.define(name, value, place)
            found.append(value)
        return tuple(found)

    def output_types(self) -> tuple[list[Type], list[int]]:
        """``(f32[2], ...)`` with the offset of each type, and of the list where it is empty."""
        tokens = self.tokens
        types: list[Type] = []
        places = [tokens.offsets[tokens.index]]
        tokens.expect("(", "and the output types")
        while not tokens.accept(")"):
            if types:
                tokens.expect(",", "or ')' after an output type")
                places.append(tokens.offsets[tokens.index])
            else:
                places = [tokens.offsets[tokens.index]]
            types.append(self.values.type())
        return types, places

    def body(self) -> tuple[tuple[Node, ...], tuple[Value, ...]]:
        """``{ nodes return outputs }``."""
        tokens = self.tokens
        tokens.expect("{", "before the graph's nodes")
        nodes: list[Node] = []
        while not (tokens.kinds[tokens.index] == "name" and tokens.texts[tokens.index] == "return"):
            nodes.append(self.node())
        tokens.index += 1
        outputs = [] if tokens.at("}") else [self.use()]
        while not tokens.accept("}"):
            tokens.expect(",", "or '}' after an output")
            outputs.append(self.use())
        return tuple(nodes), tuple(outputs)

    def define(self, name: str, value: Value, place: int) -> None:
        """Enter a value into the scope."""
        if self.scope.values.setdefault(name, value) is not value:
            self.tokens.fail(f"{quote_value(name)} is defined already", self.tokens.offsets[place])

    def use(self) -> Value:
        """A value that is defined."""
        tokens = self.tokens
        i = tokens.index
        name = tokens.texts[i]
        value = self.scope.values.get(name)
        if value is None or tokens.kinds[i] != "value":
            tokens.take("value", "a value such as %x")
            tokens.index = i
            outer = self.scope.outer
            while outer is not None and name not in outer.values:
                outer = outer.outer
            hint = "; pass it to the region as an operand" if outer is not None else ""
            tokens.fail(
                f"{quote_value(name)} is not defined{' in this region' if hint else ''}{hint}"
            )
        tokens.index = i + 1
        return value

    def node(self) -> Node:
        """``%0: f32[2] = add(%x, %y) {attributes} regions @ location``."""
        tokens = self.tokens
        names, types, places = self.results()
        place = tokens.index
        op = self.op()
        tokens.expect("(", "and the operands")
        operands: list[Value] = []
        while not tokens.accept(")"):
            if operands:
                tokens.expect(",", "or ')' after an operand")
            operands.append(self.use())
        braces = tokens.index
        attributes = self.values.attributes() if tokens.accept("{") else {}
        if attributes or op.parameters:
            self.check_attributes(op, attributes, braces if attributes else place)
        regions = self.regions() if op.has_regions else ()
        location = self.location() if tokens.kinds[tokens.index] == "at" else UNKNOWN
        inferred = self.infer(op, operands, attributes, regions, place)
        if list(inferred) != types:
            self.fail_types(op, types, inferred, places or [place])
        node = Node.make(op, tuple(operands), attributes, regions, location, tuple(types))
        for name, value, at in zip(names, node.results, places, strict=True):
            self.define(name, value, at - 2)
        return node

    def results(self) -> tuple[list[str], list[Type], list[int]]:
        """``%0: f32[2], %1: i32[] =``: names, types, and the tokens of the types."""
        tokens = self.tokens
        names: list[str] = []
        types: list[Type] = []
        places: list[int] = []
        if tokens.kinds[tokens.index] != "value":
            return names, types, places
        while True:
            names.append(tokens.take("value", "a result such as %0"))
            tokens.expect(":", "and a type after a result")
            places.append(tokens.index)
            types.append(self.values.type())
            if not tokens.accept(","):
                break
        tokens.expect("=", "after the results")
        return names, types, places

    def op(self) -> Op:
        """The record of an op's name."""
        tokens = self.tokens
        name = tokens.take("name", "an op, a result such as %0, or 'return'")
        try:
            return get_op(name)
        except UnknownNameError as error:
            tokens.index -= 1
            tokens.fail(error.message)

    def check_attributes(self, op: Op, attributes: Mapping[str, Any], place: int) -> None:
        """Demand the attributes of the op's signature."""
        at = self.tokens.offsets[place]
        known = op.parameters
        for name in attributes:
            if name not in known:
                names = ", ".join(known) or "no attributes"
                self.tokens.fail(f"op {op.name} has no attribute {name!r}; it has {names}", at)
        for name, parameter in known.items():
            if name not in attributes and parameter.default is parameter.empty:
                self.tokens.fail(f"op {op.name} needs the attribute {name!r}", at)

    def infer(
        self,
        op: Op,
        operands: list[Value],
        attributes: Mapping[str, Any],
        regions: tuple[Graph, ...],
        place: int,
    ) -> tuple[Type, ...]:
        """The result types by the op's type rule; its errors stand at the op's name."""
        types = tuple([v.type for v in operands])
        try:
            return op.infer_types(types, attributes, regions)
        except PlaitError as error:
            reason = error.message
        except RecursionError:
            raise
        except Exception as error:  # an attribute of a class that the rule did not expect
            reason = f"{type(error).__name__}: {error}"
        shown = ", ".join(map(str, types))
        prefix = "" if reason.startswith(f"{op.name}:") else f"{op.name}: "
        self.tokens.fail(f"{prefix}{reason}; operands ({shown})", self.tokens.offsets[place])

    def fail_types(
        self, op: Op, found: list[Type], wanted: tuple[Type, ...], places: list[int]
    ) -> None:
        """Raise: the types written differ from those inferred."""
        if len(found) != len(wanted):
            self.tokens.fail(
                f"{op.name} has {len(wanted)} result(s), found {len(found)}",
                self.tokens.offsets[places[0]],
            )
        i = next(i for i, (f, w) in enumerate(zip(found, wanted, strict=True)) if f != w)
        self.tokens.fail(
            f"{op.name}: result {i} is {wanted[i]}, but the text says {found[i]}",
            self.tokens.offsets[places[i]],
        )

    def at_region(self) -> bool:
        """Whether a region follows, rather than a node without results."""
        tokens = self.tokens
        i = tokens.index
        if tokens.kinds[i] not in ("name", "string") or not tokens.at("(", 1):
            return False
        if not tokens.at(")", 2):
            return tokens.at(":", 3)
        empty = tokens.at("}", 4) or tokens.at("=", 5)
        return tokens.at("{", 3) and not empty

    def regions(self) -> tuple[Graph, ...]:
        """The regions of a node."""
        found: list[Graph] = []
        while self.at_region():
            self.values.enter()
            self.scope = _Scope(self.scope)
            name = self.name("a region's name")
            inputs = self.inputs()
            nodes, outputs = self.body()
            found.append(Graph(name, inputs, nodes, outputs))
            assert self.scope.outer is not None
            self.scope = self.scope.outer
            self.values.leave()
        return tuple(found)

    def location(self) -> Location:
        """``@ "file":12 in function``."""
        tokens = self.tokens
        tokens.index += 1
        file = tokens.take("string", "a file's name in quotes")
        tokens.expect(":", "and a line number after a file's name")
        line = self.values.number()
        if type(line) is not int:
            tokens.index -= 1
            tokens.fail_expected("a line number")
        i = tokens.index
        if tokens.kinds[i] != "name" or tokens.texts[i] != "in":
            return Location(file, line, self.function)
        tokens.index = i + 1
        return Location(file, line, self.name("a function's name"))
