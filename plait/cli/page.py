"""``plait show --format html``: the inspector's page about a function or file."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

from plait.cli.diagnostics import source
from plait.cli.target import check_arguments, load_target, user_code
from plait.inspect.inspector import Inspection, inspect_graph
from plait.ir import Graph
from plait.tracer import parse_specs


def function_page(text: str, spec: str, stage: str, grad: bool) -> Inspection:
    """The page about a function, opened at a stage."""
    with source(spec):
        args, kwargs = parse_specs(spec)
    with load_target(text) as target:
        check_arguments(target, args, kwargs)
        with user_code(f"while tracing {target.name}"):
            target.function.trace(*args, **kwargs)
        with redirect_stdout(sys.stderr):
            made: Any = target.function.inspect(*args, grad=grad, **kwargs)
    found: Inspection = made
    return found.at_stage(stage)


def file_page(graph: Graph, stage: str, gradients: Graph | None) -> Inspection:
    """The page about a graph of a file, or about the graph that also gives its gradients."""
    own = None if gradients is None else range(len(graph.outputs))
    return inspect_graph(gradients or graph, own_outputs=own).at_stage(stage)


__all__ = ["file_page", "function_page"]
