"""The verifier: a table of named rules that every graph keeps, types inferred again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plait.ir.analysis import nested_graphs
from plait.ir.errors import GraphError, PlaitError, VerificationError
from plait.ir.graph import Graph, Node, Value
from plait.ir.text import format_value, print_node
from plait.ir.types import SHORT_NAMES, BytesType, Dim, TensorType, TokenType, Type

#: A fault: what is wrong, and the node where it is.
Fault = tuple[str, Node | None]
_DIM_NAME = re.compile(r"[^\W\d]\w*\Z")


class Context:
    """What the rules know of one graph: where each value is made, and what has been checked."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        #: For each value the index of its node; -1 for inputs.
        self.made: dict[Value, int] = dict.fromkeys(graph.inputs, -1)
        for i, node in enumerate(graph.nodes):
            for result in node.results:
                self.made.setdefault(result, i)
        self.checked_types: set[Type] = set()


@dataclass(frozen=True, slots=True)
class Rule:
    """One property of every graph.

    Attributes
    ----------
    name, doc : str
    faults : callable
        Gives the places of a graph, regions apart, where the property does not hold.
    """

    name: str
    doc: str
    faults: Callable[[Context], Iterator[Fault]]


def check_inputs(context: Context) -> Iterator[Fault]:
    """Inputs have no node, their own position as index, and stand in the list once."""
    inputs = context.graph.inputs
    for i, value in enumerate(inputs):
        if value.node is not None:
            yield f"input {i} is the result of a node", value.node
        if value.index != i:
            yield f"input {i} has index {value.index}", None
    if len(set(inputs)) != len(inputs):
        yield "one value is two inputs", None


def check_single_assignment(context: Context) -> Iterator[Fault]:
    """Nodes stand in the list once, and their results point back to them."""
    for i, node in enumerate(context.graph.nodes):
        for j, result in enumerate(node.results):
            if result.node is not node or result.index != j:
                yield f"result {j} does not point back to its node and position", node
            elif context.made[result] != i:
                yield "the node stands in the graph twice", node


def check_dominance(context: Context) -> Iterator[Fault]:
    """Operands are inputs or results of earlier nodes of the same graph."""
    made, later = context.made, len(context.graph.nodes)
    for i, node in enumerate(context.graph.nodes):
        for j, operand in enumerate(node.operands):
            at = made.get(operand, later)
            if at >= i:
                yield f"operand {j} is {_whereabouts(at, later)}", node


def check_outputs(context: Context) -> Iterator[Fault]:
    """Outputs are inputs or results of the same graph."""
    for i, output in enumerate(context.graph.outputs):
        if output not in context.made:
            yield f"output {i} is {_whereabouts(0, 0)}", None


def _whereabouts(at: int, later: int) -> str:
    if at >= later:
        return "not defined in this graph; regions get values of outer graphs as operands"
    return "used before it is defined"


def check_names(context: Context) -> Iterator[Fault]:
    """The graph and its inputs are named by strings, dimensions by identifiers."""
    graph = context.graph
    if type(graph.name) is not str or not graph.name:
        yield f"a graph's name must be a string that is not empty, found {graph.name!r}", None
    for i, value in enumerate(graph.inputs):
        if type(value.name) is not str:
            yield f"the name of input {i} must be a string, found {value.name!r}", None


def check_types(context: Context) -> Iterator[Fault]:
    """Types are tensors of known dtypes and sizes from 0 on, tokens, or bytes."""
    for value, at in context.made.items():
        if value.type not in context.checked_types:
            fault = _type_fault(value.type)
            if fault:
                yield fault, context.graph.nodes[at] if at >= 0 else None
            context.checked_types.add(value.type)


def _type_fault(type_: Type) -> str:
    """What is wrong with a type; empty when nothing is."""
    kind = type(type_)
    if kind is TokenType:
        return ""
    if not isinstance(type_, (TensorType, BytesType)):
        return f"{type_!r} is not a type"
    if isinstance(type_, TensorType) and type_.dtype not in SHORT_NAMES:
        return f"dtype {type_.dtype!r} is not supported"
    for d in type_.shape:
        if type(d) is Dim and not _DIM_NAME.match(d.name):
            return f"dimension name {d.name!r} is not an identifier"
        if type(d) is not Dim and (type(d) is not int or d < 0):
            return f"{d!r} is not a size, in shape {type_.shape}"
    return ""


def check_attributes(context: Context) -> Iterator[Fault]:
    """Attributes are those that the op's ``infer`` takes, and have a text form."""
    for node in context.graph.nodes:
        known, given = node.op.parameters, node.attributes
        if not known and not given:
            continue
        for name, value in given.items():
            if name not in known:
                yield f"op {node.op.name} has no attribute {name!r}", node
            if type(value) not in _PLAIN and (fault := _attribute_fault(name, value)):
                yield fault, node
        for name, parameter in known.items():
            if name not in given and parameter.default is parameter.empty:
                yield f"attribute {name!r} is missing", node


_PLAIN = frozenset((int, str, bool, float, type(None)))


def _attribute_fault(name: str, value: object) -> str:
    try:
        format_value(value, lambda _: "")
    except GraphError as error:
        return f"attribute {name!r}: {error.message}"
    return ""


def check_inference(context: Context) -> Iterator[Fault]:
    """The op's type rule gives the types of the node's results again."""
    for node in context.graph.nodes:
        types = tuple([v.type for v in node.operands])
        try:
            inferred = node.op.infer_types(types, node.attributes, node.regions)
        except PlaitError as error:
            yield error.message, node
            continue
        except Exception as error:  # an attribute of a class that the rule did not expect
            yield f"{type(error).__name__}: {error}", node
            continue
        found = tuple([r.type for r in node.results])
        if inferred != found:
            shown = ", ".join(map(str, found))
            wanted = ", ".join(map(str, inferred))
            yield f"results are ({shown}), but its operands give ({wanted})", node


def check_regions(context: Context) -> Iterator[Fault]:
    """Only ops with regions have them."""
    for node in context.graph.nodes:
        if node.regions and not node.op.has_regions:
            yield f"op {node.op.name} takes no regions, found {len(node.regions)}", node


def check_effects(context: Context) -> Iterator[Fault]:
    """A token is used once at most: effects stand in one order."""
    used: set[Value] = set()
    for node in context.graph.nodes:
        for operand in node.operands:
            if type(operand.type) is TokenType:
                if operand in used:
                    yield "the token is used already by an earlier node", node
                used.add(operand)
    for i, output in enumerate(context.graph.outputs):
        if type(output.type) is TokenType:
            if output in used:
                yield f"output {i} is a token that is used already", None
            used.add(output)


def _rule(name: str, faults: Callable[[Context], Iterator[Fault]]) -> Rule:
    return Rule(name, faults.__doc__ or "", faults)


#: In the order in which they are checked: later rules rely on earlier ones.
RULES: tuple[Rule, ...] = (
    _rule("names", check_names),
    _rule("inputs", check_inputs),
    _rule("single-assignment", check_single_assignment),
    _rule("dominance", check_dominance),
    _rule("outputs", check_outputs),
    _rule("types", check_types),
    _rule("attributes", check_attributes),
    _rule("regions", check_regions),
    _rule("inference", check_inference),
    _rule("effects", check_effects),
)


def verify(graph: Graph) -> Graph:
    """Check a graph and all its regions against every rule; returns the graph.

    Raises
    ------
    VerificationError
        Names the rule, the graph or region, and the node by its line of the text form.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %x }")
    >>> ir.verify(graph) is graph
    True
    """
    for inner in nested_graphs(graph):
        context = Context(inner)
        for rule in RULES:
            fault = next(rule.faults(context), None)
            if fault is not None:
                raise _error(rule, inner, graph, *fault)
    return graph


def _error(
    rule: Rule, graph: Graph, whole: Graph, message: str, node: Node | None
) -> VerificationError:
    where = f"graph {whole.name!r}"
    if graph is not whole:
        where = f"region {graph.name!r} of {where}"
    line = f"\n  in: {_line(graph, node)}" if node is not None else ""
    error = VerificationError(f"{where} breaks the rule {rule.name!r}: {message}{line}")
    error.rule = rule.name
    return error.at(node.location) if node is not None and node.location.line else error


def _line(graph: Graph, node: Node) -> str:
    """The node's text; its operands' types where its attributes have no text."""
    try:
        return print_node(graph, node)
    except GraphError:
        operands = ", ".join([str(v.type) for v in node.operands])
        return f"{node.op.name}({operands})"
