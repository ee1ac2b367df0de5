"""A graph as a Python function of jax values: nodes applied one by one, regions as functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax

from plait.backends.jax.lowerings import LOWERINGS
from plait.backends.jax.lowerings.common import Lowering
from plait.ir import UNKNOWN, Graph, Node
from plait.ir.errors import BackendError, PlaitError

Function = Callable[..., Sequence[Any]]


def as_function(graph: Graph, table: Mapping[str, Lowering] = LOWERINGS) -> Function:
    """A function that applies the graph's nodes to jax values, each in a scope of its own.

    A scope is named ``op_N``, ``%N`` the node's first result in the text form, and shows in XLA's
    names. ``table`` says what applies each op. The graph is its attribute ``graph``.
    """

    def function(*arguments: Any) -> Sequence[Any]:
        values = dict(zip(graph.inputs, arguments, strict=True))
        for node, scope in zip(graph.nodes, scope_names(graph), strict=True):
            with jax.named_scope(scope):
                found = apply(node, [values[v] for v in node.operands], table)
            if type(found) is tuple:
                values.update(zip(node.results, found, strict=True))
            else:
                (result,) = node.results
                values[result] = found
        return tuple([values[v] for v in graph.outputs])

    function.graph = graph  # type: ignore[attr-defined]
    return function


def scope_names(graph: Graph) -> Iterator[str]:
    """The name of each node in XLA's names; results are numbered past numbers of inputs."""
    taken = {v.name for v in graph.inputs if v.name.isdecimal()}
    numbers: Iterator[int] = itertools.count()
    if taken:
        numbers = (i for i in itertools.count() if str(i) not in taken)
    for node in graph.nodes:
        if node.results:
            yield f"{node.op.name}_{next(numbers)}"
            for _ in node.results[1:]:
                next(numbers)
        else:
            yield node.op.name


def apply(node: Node, operands: Sequence[Any], table: Mapping[str, Lowering] = LOWERINGS) -> Any:
    """The result of one node on jax values, or a tuple of its results.

    Raises
    ------
    BackendError
        There is no lowering for the op, or jax refuses it; carries the user's location.
    """
    try:
        lowering = table.get(node.op.name)
        if lowering is None:
            raise BackendError(f"op {node.op.name!r} has no lowering for xla")
        if node.regions:
            regions = [as_function(r, table) for r in node.regions]
            return lowering(*operands, regions=regions, **node.attributes)
        return lowering(*operands, **node.attributes)
    except PlaitError as error:
        raise (error if node.location == UNKNOWN else error.at(node.location)) from None
    except (TypeError, ValueError, NotImplementedError) as error:
        failure = BackendError(f"xla cannot lower {describe(node)}: {error}")
        raise (failure if node.location == UNKNOWN else failure.at(node.location)) from error


def describe(node: Node) -> str:
    """A node with its operands' types, for messages."""
    return f"{node.op.name}({', '.join(str(v.type) for v in node.operands)})"
