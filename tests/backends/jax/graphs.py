"""Small graphs that several tests of the backend compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait import ir
from plait.ir import Graph, GraphBuilder


def graph_of(function: Callable[..., Any], *types: str, name: str = "example") -> Graph:
    """The graph of a function of values that gives one value or several."""
    builder = GraphBuilder(name)
    inputs = [builder.input(ir.parse_type(t), f"x{i}") for i, t in enumerate(types)]
    with builder:
        found = function(*inputs)
    return builder.build(found if isinstance(found, tuple | list) else [found])
