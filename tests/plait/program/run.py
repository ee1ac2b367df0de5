"""Running the NumPy programs of graphs, and comparing them with the reference."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from plait import inspect, ir
from plait.ir import Graph, GraphBuilder, TokenType
from tests.ir.op_cases import Case


def one_op_graph(case: Case) -> Graph:
    """A case as a graph of one node."""
    builder = GraphBuilder("one")
    inputs = [builder.input(t) for t in case.types]
    with builder:
        found = case.op(*inputs, regions=case.regions, **case.attributes)
        return builder.build(found if type(found) is tuple else () if found is None else (found,))


def load(graph: Graph) -> dict[str, Any]:
    """The names that a graph's program defines."""
    text = inspect.python(graph)
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(text, "program.py", "exec"), names)
    for node in graph.walk():
        function = node.attributes.get("function")
        if function is not None:
            names[function.__name__] = function
    return names


def run(graph: Graph, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """What a graph's program gives for arrays; tokens are left out."""
    function = load(graph)[graph.name]
    found = function(*[x for x in arrays if not isinstance(x, TokenType)])
    outputs = [v for v in graph.outputs if not isinstance(v.type, TokenType)]
    if len(outputs) == 1:
        return (found,)
    return () if found is None else tuple(found)


def wanted(graph: Graph, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """What the reference gives; tokens are left out."""
    return tuple([x for x in ir.evaluate(graph, arrays) if not isinstance(x, TokenType)])


def check_same_bits(graph: Graph, arrays: Sequence[Any]) -> None:
    """Demand that a graph's program gives the bits of the reference."""
    with redirect_stdout(io.StringIO()) as said:
        expected = wanted(graph, arrays)
    with redirect_stdout(io.StringIO()) as says:
        found = run(graph, arrays)
    assert says.getvalue() == said.getvalue()
    assert len(expected) == len(found)
    for want, have in zip(expected, found, strict=True):
        got = np.asarray(have)
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        same = got.tobytes() == want.tobytes()
        assert same or bool(np.all((got == want) | ((got != got) & (want != want))))
