"""One function of a program while it is written: names, lines, and the statements of ops."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from string import Formatter
from typing import Any

from plait.inspect.program.comments import comment_of
from plait.inspect.program.literals import quoted
from plait.inspect.program.names import Names
from plait.inspect.program.pages import Pages
from plait.inspect.program.repeated import Repeated, is_inline
from plait.inspect.program.table import Site, expression_of
from plait.ir import UNKNOWN, Dim, Graph, Literal, Location, Node, TensorType, TokenType, Value
from plait.ir.errors import GraphError
from plait.ir.template import error_class
from plait.ir.text import name_values
from plait.ir.types import DType

#: Regions nested deeper are functions of their own: Python bounds the depth of blocks.
DEEPEST = 8
LETTERS = "tuvwyzpqr"

_INTEGER = re.compile(r"^np\.u?int\d+\((-?\d+)\)$")

Texts = Mapping[Value, str]


class Scope:
    """Writes one function.

    Parameters
    ----------
    pages : Pages
    define : callable
        ``define(graph, name)`` writes another function, and gives its name.

    Attributes
    ----------
    lines : list of str
    names : Names
    """

    def __init__(self, pages: Pages, define: Callable[[Graph, str], str]) -> None:
        self.pages = pages
        self.names = Names(pages.names)
        self.lines: list[str] = []
        self._define = define
        self._sizes: dict[Dim, str] = {}
        self._callees: dict[Graph, str] = {}
        self._depth = 1
        self._place = UNKNOWN
        self._reused: set[str] = set()

    # What tables of ops ask.

    def dtype(self, dtype: DType) -> str:
        """A dtype; what it needs is imported."""
        return self.pages.dtype(dtype)

    def literal(self, array: Any) -> str:
        """An array, in the text or by the name of a constant."""
        return self.pages.literal(array)

    def helper(self, name: str) -> str:
        """The name of a helper, which the program takes along."""
        return self.pages.helper(name)

    def load(self, line: str) -> None:
        """Have a line that imports something."""
        self.pages.load(line)

    def size(self, size: Any) -> str:
        """A size, or the name of one that is not known."""
        return self._sizes[size] if type(size) is Dim else str(size)

    def shape(self, shape: Sequence[Any]) -> str:
        """A shape as a tuple."""
        sizes = [self.size(d) for d in shape]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    # Sizes that are not known.

    def bind_sizes(self, graph: Graph, bound: Texts) -> list[str]:
        """Name the symbolic sizes of the inputs; the lines that read them."""
        lines: list[str] = []
        for value in graph.inputs:
            if not isinstance(value.type, TensorType):
                continue
            for axis, dim in enumerate(value.type.shape):
                if type(dim) is Dim and dim not in self._sizes:
                    name = self._sizes[dim] = self.names.take(dim.name)
                    lines.append(f"{name} = {bound[value]}.shape[{axis}]")
        return lines

    def unbound_sizes(self, graph: Graph) -> list[str]:
        """Name the symbolic sizes that no input has: they are parameters."""
        return [self._sizes.setdefault(d, self.names.take(d.name)) for d in self.missing(graph)]

    def missing(self, graph: Graph) -> list[Dim]:
        """The symbolic sizes that a graph uses and no input of it has."""
        own = {d for v in graph.inputs for d in _dims(getattr(v.type, "shape", ()))}
        used: dict[Dim, None] = {}
        for node in graph.walk():
            for attribute in node.attributes.values():
                used |= dict.fromkeys(_dims(attribute))
        return [d for d in used if d not in own]

    # Lines.

    def line(self, text: str) -> None:
        """Write a line, or several, at the present depth."""
        indent = "    " * self._depth
        self.lines += [f"{indent}{part}" for part in text.split("\n")]

    @contextmanager
    def indented(self, head: str) -> Iterator[None]:
        """Write what is in the block below a head."""
        self.line(head)
        start, self._depth = len(self.lines), self._depth + 1
        try:
            yield
        finally:
            if not any(not text.lstrip().startswith("#") for text in self.lines[start:]):
                self.line("pass")
            self._depth -= 1

    def comment(self, location: Location) -> None:
        """Say which line of the user's the next lines are, once for a run of them."""
        if location != self._place and location.line:
            self._place = location
            self.line(comment_of(location, self.pages.lines))

    # Graphs.

    def dense_inputs(self, graph: Graph) -> set[Value]:
        """The inputs of a function's graph are arrays in C order."""
        return set(graph.inputs)

    def block(
        self, graph: Graph, bound: Texts, dense: Collection[Value] = (), level: int = 0
    ) -> list[str]:
        """Write the nodes of a graph whose inputs have texts; the texts of its outputs."""
        texts = dict(bound)
        repeated = Repeated(graph, dense)
        letter = LETTERS[level] if level < len(LETTERS) else f"t{level}_"
        for value, number in name_values(graph).items():
            if value.node is not None:
                texts[value] = self._name_of(value, letter, number)
        for node in graph.nodes:
            if not repeated.is_needed(node):
                continue
            self.comment(node.location)
            args = [self._operand(texts, repeated, node, k) for k in range(len(node.operands))]
            results = _Results(node, texts)
            if node.regions:
                self.control(node, args, results, level)
            else:
                self.statement(node, args, results)
        return [texts[v] for v in graph.outputs]

    def _name_of(self, value: Value, letter: str, number: str) -> str:
        """A result's name, or the number itself that it is."""
        node = value.node
        if node is not None and node.op.is_constant:
            literal = node.attributes.get("value")
            if isinstance(literal, Literal) and is_inline(node):
                return self.literal(literal.array)
        name = f"{letter}{number}"
        if name not in self._reused:  # regions beside each other may use the same names
            name = self.names.take(name)
            self._reused.add(name)
        return name

    def _operand(self, texts: Texts, repeated: Repeated, node: Node, k: int) -> str:
        source = repeated.source(node, k)
        if isinstance(source, Literal):
            return self.literal(source.array)
        return texts[source]

    def statement(self, node: Node, args: Sequence[str], results: _Results) -> None:
        """Write a node without regions."""
        special = _STATEMENTS.get(node.op.name)
        if special is not None:
            return special(self, node, args, results)
        try:
            expression = expression_of(Site(node, tuple(args), self))
        except KeyError:
            raise GraphError(f"op {node.op.name!r} has no text in NumPy").at(
                node.location
            ) from None
        comma = "," if len(results.texts) == 1 and node.op.name == "split" else ""
        self.line(f"{results.target}{comma} = {expression}")

    def print(self, node: Node, args: Sequence[str], results: _Results) -> None:
        """Write a print."""
        end = node.attributes.get("end", "\n")
        options = f", end={quoted(end)}" if end != "\n" else ""
        text = self.message(node.attributes["template"], node.operands[1:], args[1:])
        self.line(f"print({text}{options}, flush=True)")

    def message(self, template: str, values: Sequence[Value], texts: Sequence[str]) -> str:
        """A template filled with arrays."""
        if "{" not in template and "}" not in template:
            return quoted(template)
        plain = _filled_by_python(template, values, texts)
        if plain is not None:
            return f"f{quoted(plain)}"
        return f"{self.helper('filled')}({', '.join([quoted(template), *texts])})"

    def check(self, node: Node, args: Sequence[str], _: _Results) -> None:
        """Write a check."""
        error, message = node.attributes["error"], node.attributes["message"]
        kind = getattr(error, "kind", None) or (error if isinstance(error, type) else None)
        kind = error_class(error) if isinstance(error, str) else kind or Exception
        own = next(c for c in kind.__mro__ if c.__module__ == "builtins")
        if kind.__module__ != "builtins" and callable(error):
            message = f"{kind.__name__}: {message}"
        assert getattr(builtins, own.__name__) is own
        with self.indented(f"if not {args[0]}:"):
            shown = self.message(message, node.operands[1:], args[1:])
            self.line(f"raise {own.__name__}({shown})")

    def hook(self, node: Node, args: Sequence[str], results: _Results) -> None:
        """Write a call of a Python function."""
        name = self.pages.hook(node.attributes["function"])
        first = 1 if node.op.name == "callback" else 0
        call = f"{name}({', '.join([f'{a}.copy()' for a in args[first:]])})"
        if not results.texts:
            return self.line(call)
        if len(results.texts) == 1 and first:
            return self.line(f"{results.target} = np.array({call})")
        comma = "," if len(results.texts) == 1 else ""
        self.line(f"{results.target}{comma} = map(np.array, {call})")

    def barrier(self, node: Node, args: Sequence[str], results: _Results) -> None:
        """Write the same values."""
        pairs = zip(node.operands, args, strict=True)
        given = [a for v, a in pairs if type(v.type) is not TokenType]
        if given:
            self.line(f"{results.target} = {', '.join(given)}")

    def nothing(self, *_: Any) -> None:
        """Tokens are no values of a program."""

    # Regions.

    def control(self, node: Node, args: Sequence[str], results: _Results, level: int) -> None:
        """Write a node with regions."""
        from plait.inspect.program.control import CONTROL

        write = CONTROL.get(node.op.name)
        if write is None:
            raise GraphError(f"op {node.op.name!r} has no text in NumPy").at(node.location)
        write(self, node, args, results, level)

    def region(self, graph: Graph, args: Sequence[str], level: int) -> list[str]:
        """Write a region where it stands; a deep one as a call of a function of its own."""
        if level < DEEPEST:
            return self.block(graph, dict(zip(graph.inputs, args, strict=True)), (), level)
        fresh = [self.names.take("value") for v in graph.outputs if type(v.type) is not TokenType]
        call = self.call(graph, graph.name, args)
        self.line(f"{', '.join(fresh)} = {call}" if fresh else call)
        given = iter(fresh)
        return [next(given) if type(v.type) is not TokenType else "" for v in graph.outputs]

    def call(self, graph: Graph, name: str, args: Sequence[str]) -> str:
        """A call of a graph's function, which is written once."""
        if graph not in self._callees:
            self._callees[graph] = self._define(graph, name or graph.name)
        pairs = zip(graph.inputs, args, strict=True)
        given = [a for v, a in pairs if type(v.type) is not TokenType]
        given += [self.size(d) for d in self.missing(graph)]
        return f"{self._callees[graph]}({', '.join(given)})"


class _Results:
    """The names of a node's results, tokens left out."""

    def __init__(self, node: Node, texts: dict[Value, str]) -> None:
        self._values = [r for r in node.results if type(r.type) is not TokenType]
        self._texts = texts

    @property
    def texts(self) -> list[str]:
        """The names."""
        return [self._texts[v] for v in self._values]

    @property
    def target(self) -> str:
        """What stands before an assignment."""
        return ", ".join(self.texts)

    def stand_for(self, texts: Sequence[str]) -> None:
        """Let the results be what other names are, without an assignment."""
        self._texts.update(zip(self._values, texts, strict=True))


def _filled_by_python(template: str, values: Sequence[Value], texts: Sequence[str]) -> str | None:
    """The inner of an f-string for a template; None where Python shows the values otherwise."""
    parts: list[str] = []
    count = 0
    for text, name, spec, conversion in Formatter().parse(template):
        parts.append(text.replace("{", "{{").replace("}", "}}"))
        if name is None:
            continue
        place, count = (int(name), count) if name else (count, count + 1)
        shows_alike = values[place].ndim or values[place].dtype.kind in "biu"
        plain = _INTEGER.sub(r"\1", texts[place])
        is_number = plain.lstrip("-").isdecimal()
        if spec or conversion or not shows_alike or not (is_number or plain.isidentifier()):
            return None
        parts.append(plain if is_number else f"{{{plain}}}")
    return "".join(parts)


def _dims(value: Any) -> list[Dim]:
    """The symbolic sizes in an attribute."""
    if type(value) is Dim:
        return [value]
    return [d for item in value for d in _dims(item)] if type(value) is tuple else []


_STATEMENTS: dict[str, Callable[..., None]] = {
    "create_token": Scope.nothing,
    "print": Scope.print,
    "check": Scope.check,
    "callback": Scope.hook,
    "foreign": Scope.hook,
    "barrier": Scope.barrier,
}
