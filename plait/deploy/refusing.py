"""What no file can hold: code of Python's, changes outside, objects of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plait.deploy.raising import with_named_errors
from plait.ir import Graph, Location, Node, nested_graphs
from plait.ir.errors import SaveError
from plait.ir.host import function_name
from plait.ir.location import display_name
from plait.tracer import TracedFunction


def refuse(function: Any, traced: TracedFunction) -> None:
    """Demand a captured function that its graph says everything of.

    Raises
    ------
    SaveError
        At the user's line where that is known, else where the function begins.
    """
    for node, called in host_functions(with_named_errors(traced.graph)):
        raise SaveError(_said(node, called), node.location)
    here = definition(function)
    if traced.made is not None:
        raise SaveError(
            f"{traced.graph.name} makes a pl.Variable when it is called first; call it once, then "
            "save it",
            traced.made,
        )
    for effect in traced.effects:
        path = traced.found[effect.target].text or "an object"
        place = path if effect.kind != "attribute" else f"{path}.{effect.name}"
        place = effect.name if effect.kind in ("global", "cell") else place
        raise SaveError(
            f"{traced.graph.name} changes {place}, which is outside of it and not in a file; "
            "return the new value, or keep it in a pl.Variable",
            effect.location or here,
        )
    if any(capture.kind == "value" for capture in traced.captures):
        raise SaveError(
            f"{traced.graph.name} uses tensors of a function that is being traced; save it outside",
            here,
        )
    if traced.same:
        raise SaveError(
            f"{traced.graph.name} writes into a tensor that was given twice; save it for arguments "
            "that differ",
            here,
        )


def _said(node: Node, called: Any) -> str:
    return (
        f"{node.op.name} runs the Python function {function_name(called)}, which a file does not "
        "hold; compute it with pl functions, or outside of the saved function"
    )


def host_functions(graph: Graph) -> Iterator[tuple[Node, Any]]:
    """The nodes that hold Python functions, and these."""
    for one in nested_graphs(graph):
        for node in one.nodes:
            for value in node.attributes.values():
                for item in _items(value):
                    if callable(item):
                        yield node, item


def _items(value: Any) -> Iterator[Any]:
    if type(value) is tuple:
        for item in value:
            yield from _items(item)
    else:
        yield value


def definition(function: Any) -> Location | None:
    """Where a function begins."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is None:
        return None
    return Location(display_name(code.co_filename), code.co_firstlineno, code.co_name)


__all__ = ["definition", "host_functions", "refuse"]
