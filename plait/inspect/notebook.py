"""How graphs, plans and compiled functions show in a notebook: picture, table and text."""

from __future__ import annotations

from html import escape
from typing import Any

from plait.ir import ExecutionPlan, Graph, display, display_name, register_renderer
from plait.runtime import GraphFunction, Optimized, Traced, Variable, inspected


def graph_bundle(shown: Graph | ExecutionPlan) -> dict[str, str]:
    """Picture, and a page with the picture above a table and the text, both folded."""
    from plait.inspect.picture import svg
    from plait.inspect.tables import table

    picture = svg(shown)
    folded = "<details><summary>{}</summary>{}</details>"
    page = [
        picture,
        folded.format("table", table(shown)),
        folded.format("text", f"<pre>{escape(str(shown))}</pre>"),
    ]
    return {"image/svg+xml": picture, "text/html": f"<div>{''.join(page)}</div>"}


def function_bundle(shown: GraphFunction) -> dict[str, str]:
    """The graph that was captured last; before the first call, the function's own first line."""
    graph = shown.last_graph
    if graph is None:
        return {"text/plain": f"{shown!r}\n{source_line(shown)}"}
    return {"text/plain": f"{shown!r}\n{graph}", **graph_bundle(graph)}


def stage_bundle(shown: Traced | Optimized) -> dict[str, str]:
    """The stage's graph."""
    return graph_bundle(shown.graph)


def variable_bundle(shown: Variable) -> dict[str, str]:
    """The value as a tensor shows it, titled as a variable."""
    page = shown.value._repr_html_()
    name = f" {escape(shown.name)}" if shown.name else ""
    return {"text/html": page.replace("pl.Tensor", f"pl.Variable{name}", 1)}


def source_line(function: Any) -> str:
    """The line that defines a function, without its source: name, signature, place."""
    import inspect

    inner = inspect.unwrap(function)
    code = getattr(inner, "__code__", None)
    name = getattr(inner, "__name__", type(inner).__name__)
    try:
        signature = str(inspect.signature(inner))
    except (TypeError, ValueError):
        signature = "(...)"
    place = f"  # {display_name(code.co_filename)}:{code.co_firstlineno}" if code else ""
    return f"def {name}{signature}{place}"


def graph_page(shown: Graph, passes: str | None = None) -> Any:
    """The page about a graph."""
    from plait.inspect.inspector import inspect_graph

    return inspect_graph(shown, passes)


def plan_page(shown: ExecutionPlan) -> Any:
    """The page about a plan."""
    from plait.inspect.inspector import inspect_plan

    return inspect_plan(shown)


def function_page(function: Any, program: Any, gradient: Any) -> Any:
    """The page about a compiled function."""
    from plait.inspect.inspector import inspect_function

    return inspect_function(function, program, gradient)


def gradient_page(differentiated: Any, residuals: Any, own: int) -> Any:
    """The page about the two passes of a gradient."""
    from plait.inspect.inspector import inspect_passes

    return inspect_passes(differentiated.forward, differentiated.backward, residuals, own)


def register() -> None:
    """Let graphs, plans, compiled functions and variables show richly, and make pages."""
    display.register_inspector(Graph, graph_page)
    display.register_inspector(ExecutionPlan, plan_page)
    inspected.register_inspector("function", function_page)
    inspected.register_inspector("gradient", gradient_page)
    register_renderer(Graph, graph_bundle)
    register_renderer(ExecutionPlan, graph_bundle)
    register_renderer(GraphFunction, function_bundle)
    register_renderer(Traced, stage_bundle)
    register_renderer(Optimized, stage_bundle)
    register_renderer(Variable, variable_bundle)
