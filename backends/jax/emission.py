"""A whole graph as one jax primitive, so that lowering is fast.

Jax spends some 30 µs on each op that it traces and lowers. Nodes of a graph are mostly repetitions
of few applications (an op on given types with given attributes), so only these are traced, once
each, into templates; the nodes are then emitted as copies of the templates' StableHLO ops, at a few
µs each, which leaves time to name every one after its node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend.core import Primitive
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import func
from jax.interpreters import mlir

from plait.backends.jax.function import Function, apply, as_function, scope_name
from plait.backends.jax.keys import attributes_key
from plait.ir import Graph, Node, TensorType, Value

#: Ops whose regions use nothing from outside, so that a copy needs new operands only.
CLOSED = frozenset(
    f"stablehlo.{name}"
    for name in ("reduce", "reduce_window", "scatter", "select_and_scatter", "sort")
)

Key = tuple[Any, ...]


@dataclass(slots=True)
class Step:
    """One StableHLO op of a template; operands by their places among the template's values."""

    name: str
    types: list[Any]
    operands: tuple[int, ...]
    attributes: dict[str, Any]
    original: Any = None

    def emit(self, values: list[Any], location: Any, place: Any) -> None:
        """Append a copy of the op at a place of the program, its results to ``values``."""
        operands = [values[i] for i in self.operands]
        if self.original is None:
            made = ir.Operation.create(
                self.name,
                results=self.types,
                operands=operands,
                attributes=self.attributes,
                loc=location,
                ip=place,
            )
        else:
            made = self.original.clone(place)
            for i, operand in enumerate(operands):
                made.operands[i] = operand
        if len(self.types) == 1:
            values.append(made.result)
        else:
            values.extend(made.results)


@dataclass(slots=True)
class Template:
    """The StableHLO of one application.

    Attributes
    ----------
    constants : list of ir.Value
        What does not depend on the operands: emitted once. They follow the operands' places.
    steps : list of Step
    results : tuple of int
    """

    constants: list[Any]
    steps: list[Step]
    results: tuple[int, ...]


def application(node: Node) -> Key | None:
    """What nodes that have one template share; None for a node with regions, which has none."""
    if node.regions:
        return None
    types = tuple([v.type for v in node.operands])
    return (node.op, types, attributes_key(node.attributes))


def abstract(type_: Any) -> Any:
    """The abstract value of jax for a tensor type."""
    return jax.core.ShapedArray(type_.shape, type_.dtype)


def emit(context: Any, *arguments: Any, graph: Graph, given: tuple[int, ...]) -> list[Any]:
    """The lowering of the primitive: emit the graph's nodes at the current place.

    ``arguments`` are those of the inputs in ``given``; nothing reads the others.
    """
    keys = [application(node) for node in graph.nodes]
    templates = make_templates(context, dict(zip(keys, graph.nodes, strict=True)))
    values: dict[Value, Any] = {graph.inputs[i]: x for i, x in zip(given, arguments, strict=True)}
    place = ir.InsertionPoint.current
    number = 0
    for key, node in zip(keys, graph.nodes, strict=True):
        local = [values[v] for v in node.operands]
        name = scope_name(node, number)
        number += len(node.results)
        location = ir.Location.name(name)
        template = None if key is None else templates[key]
        if template is None:
            with location:
                inner = context.replace(name_stack=context.name_stack.extend(name))
                results = trace(inner, [node], local)
        else:
            local += template.constants
            for step in template.steps:
                step.emit(local, location, place)
            results = [local[i] for i in template.results]
        values.update(zip(node.results, results, strict=True))
    return [values[v] for v in graph.outputs]


def trace(context: Any, nodes: Sequence[Node], values: Sequence[Any]) -> list[Any]:
    """Trace nodes on operands of their own and emit what jax makes of them at the current place."""
    types = [v.type for node in nodes for v in node.operands]

    def function(*operands: Any) -> list[Any]:
        rest = iter(operands)
        results: list[Any] = []
        for node in nodes:
            regions = [as_primitive(region) for region in node.regions]
            results += apply(node, [next(rest) for _ in node.operands], regions)
        return results

    own = context.replace(avals_in=list(map(abstract, types)), avals_out=None, const_lowering={})
    found: list[Any] = list(mlir.lower_fun(function)(own, *values))
    return found


def as_primitive(graph: Graph) -> Function:
    """The graph as a function that jax sees as one primitive; for graphs without host effects.

    A graph with tokens, which are no values of jax, stays a plain function.
    """
    if has_tokens(graph):
        return as_function(graph)

    def function(*arguments: Any) -> Sequence[Any]:
        given = tuple([i for i, x in enumerate(arguments) if x is not None])
        found: Sequence[Any] = graph_primitive.bind(
            *[arguments[i] for i in given], graph=graph, given=given
        )
        return tuple(found)

    return function


def has_tokens(graph: Graph) -> bool:
    """Whether a value of the graph itself is a token."""
    results = (v for node in graph.nodes for v in node.results)
    return any(type(v.type) is not TensorType for v in (*graph.inputs, *results))


def make_templates(context: Any, nodes: dict[Key | None, Node]) -> dict[Key, Template | None]:
    """A template for each application, None for one that cannot be copied.

    All are traced as one function, into a module that is thrown away.
    """
    chosen = {key: node for key, node in nodes.items() if key is not None}
    types = [tensor(v.type) for node in chosen.values() for v in node.operands]
    scratch = ir.Module.create()
    with ir.InsertionPoint(scratch.body):
        block = func.FuncOp("templates", (types, [])).add_entry_block()
    with ir.InsertionPoint(block):
        results = trace(context, list(chosen.values()), list(block.arguments))
    made: dict[Key, Template | None] = {}
    first_argument = first_result = 0
    for key, node in chosen.items():
        count = len(node.operands)
        own = results[first_result : first_result + len(node.results)]
        made[key] = record(own, range(first_argument, first_argument + count))
        first_argument += count
        first_result += len(node.results)
    return made


def tensor(type_: Any) -> Any:
    """The StableHLO type of a tensor type."""
    assert type(type_) is TensorType
    return ir.RankedTensorType.get(type_.shape, mlir.dtype_to_ir_type(type_.dtype))


def record(results: Sequence[Any], arguments: range) -> Template | None:
    """The ops that results need, as a template; constants are emitted at the current place."""
    order: dict[Any, None] = {}
    for result in results:
        collect(result, order)
    if any(len(op.regions) and op.name not in CLOSED for op in order):
        return None
    places = {}
    constants: list[Any] = []
    varying = []
    for op in order:
        if all(not is_argument(x) and x in places for x in op.operands):
            copy = op.clone()
            for i, operand in enumerate(op.operands):
                copy.operands[i] = constants[places[operand] - len(arguments)]
            for x, y in zip(op.results, copy.results, strict=True):
                places[x] = len(arguments) + len(constants)
                constants.append(y)
        else:
            varying.append(op)
    steps = []
    count = len(arguments) + len(constants)

    def place_of(x: Any) -> int:
        if is_argument(x):
            return int(ir.BlockArgument(x).arg_number) - arguments.start
        return places[x]

    for op in varying:
        attributes = {name: op.attributes[name] for name in op.attributes}
        operands = tuple(map(place_of, op.operands))
        steps.append(
            Step(
                op.name,
                [x.type for x in op.results],
                operands,
                attributes,
                op if len(op.regions) else None,
            )
        )
        for x in op.results:
            places[x] = count
            count += 1
    return Template(constants, steps, tuple(map(place_of, results)))


def is_argument(x: Any) -> bool:
    """Whether a value is an argument of the templates' function."""
    return isinstance(x.owner, ir.Block)


def collect(value: Any, order: dict[Any, None]) -> None:
    """Add the ops that a value needs, in an order that respects data."""
    if is_argument(value) or value.owner in order:
        return
    for operand in value.owner.operands:
        collect(operand, order)
    order[value.owner] = None


graph_primitive = Primitive("plait_graph")
graph_primitive.multiple_results = True
graph_primitive.def_abstract_eval(
    lambda *_, graph, given: [abstract(v.type) for v in graph.outputs]
)
mlir.register_lowering(graph_primitive, emit)
