"""A graph as a Python function of jax values, which jax traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from plait.backends.jax.lowerings import LOWERINGS
from plait.ir import UNKNOWN, Graph, Node
from plait.ir.errors import BackendError, PlaitError

Function = Callable[..., tuple[Any, ...]]


def as_function(graph: Graph, *, scopes: bool = False, prefix: str = "") -> Function:
    """A function that applies the graph's nodes to jax values.

    Parameters
    ----------
    graph : Graph
    scopes : bool
        Put each node into a named scope ``op_N``, N the number of its first result in the text
        form; XLA's own names then say where they come from.
    prefix : str
        Put before the scopes of a region's nodes.
    """

    def function(*arguments: Any) -> tuple[Any, ...]:
        values = dict(zip(graph.inputs, arguments, strict=True))
        count = 0
        for node in graph.nodes:
            operands = [values[v] for v in node.operands]
            if scopes:
                scope = f"{prefix}{node.op.name}_{count}"
                with jax.named_scope(scope):
                    results = apply(node, operands, scopes=True)
                count += len(node.results)
            else:
                results = apply(node, operands)
            for value, result in zip(node.results, results, strict=True):
                values[value] = result
        return tuple([values[v] for v in graph.outputs])

    return function


def apply(node: Node, operands: Sequence[Any], *, scopes: bool = False) -> tuple[Any, ...]:
    """The results of one node on jax values.

    Raises
    ------
    BackendError
        There is no lowering for the op, or jax refuses it; carries the user's location.
    """
    lowering = LOWERINGS.get(node.op.name)
    try:
        if lowering is None:
            raise BackendError(f"op {node.op.name!r} has no lowering for xla")
        attributes: Mapping[str, Any] = node.attributes
        if node.regions:
            regions = [as_function(r, scopes=scopes) for r in node.regions]
            attributes = {**attributes, "regions": regions}
        found = lowering(*operands, **attributes)
    except PlaitError as error:
        raise (error if node.location == UNKNOWN else error.at(node.location)) from None
    except (TypeError, ValueError, NotImplementedError) as error:
        failure = BackendError(f"xla cannot lower {describe(node)}: {error}")
        raise (failure if node.location == UNKNOWN else failure.at(node.location)) from error
    return found if type(found) is tuple else (found,)


def describe(node: Node) -> str:
    """A node with its operands' types, for messages."""
    return f"{node.op.name}({', '.join(str(v.type) for v in node.operands)})"
