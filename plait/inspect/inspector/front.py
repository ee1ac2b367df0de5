"""What can be inspected: graphs, plans, captured functions, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.inspect.inspector.document import make_document
from plait.inspect.inspector.gradients import joined
from plait.inspect.inspector.page import Inspection
from plait.inspect.inspector.stages import StageRecord, pass_stages, plan_stage
from plait.ir import ExecutionPlan, Graph


def inspect_graph(
    graph: Graph,
    passes: str | None = None,
    *,
    title: str | None = None,
    own_outputs: Sequence[int] | None = None,
) -> Inspection:
    """A page about a graph: itself, what each pass makes of it, and its plan.

    Parameters
    ----------
    graph : Graph
    passes : str, optional
        The pipeline; the default one when None.
    title : str, optional
        By default the graph's name.
    own_outputs : sequence of int, optional
        For a graph that also gives gradients, the outputs that are the function's own.
    """
    stages = pass_stages(graph, passes)
    stages += plan_stage(lambda: _plan(stages[-1].graph))
    return _page(title or graph.name, stages, own_outputs=own_outputs)


def inspect_plan(plan: ExecutionPlan) -> Inspection:
    """A page about a plan."""
    return _page(plan.graph.name, plan_stage(lambda: plan))


def inspect_function(function: Any, program: Any, gradient: Any = None) -> Inspection:
    """A page about a captured function.

    Parameters
    ----------
    function : GraphFunction
    program : Program
        What was captured of it.
    gradient : Program, optional
        What was captured of the function that also gives its gradients: shown instead.
    """
    shown = program if gradient is None else gradient
    graph = shown.traced.graph
    stages = pass_stages(graph, shown.options.passes)
    stages += plan_stage(lambda: shown.plan("planned"))
    own: list[int] | None = None
    if gradient is not None:
        own = [*range(program.traced.own), *range(shown.traced.own, len(graph.outputs) + 1)]
    return _page(graph.name, stages, getattr(function, "sources", ()), own)


def inspect_passes(
    forward: Graph, backward: Graph, residuals: Sequence[Any], own: int
) -> Inspection:
    """A page about the forward and the backward pass of a gradient, as one graph.

    Parameters
    ----------
    forward, backward : Graph
    residuals : sequence of Residual
        Where the first inputs of the backward pass come from.
    own : int
        Number of the outputs that are the function's own.
    """
    both = joined(forward, backward, residuals, own)
    kept = sum(one.kind == "saved" for one in residuals)
    note = f"forward and backward pass as they run under a tape; {kept} values kept between"
    title = f"{forward.name.removesuffix('_forward')}, forward and backward"
    return _page(title, [StageRecord("gradient", both, note)], own_outputs=range(own))


def _plan(graph: Graph) -> ExecutionPlan:
    from plait import passes

    lowered, _ = passes.lower_checks(graph)
    return passes.plan(lowered)


def _page(
    title: str,
    stages: list[StageRecord],
    known: Any = (),
    own_outputs: Sequence[int] | None = None,
) -> Inspection:
    document = make_document(title, stages, known, own_outputs)
    texts = [(f"{file}, from line {line}", text) for file, line, text in document["sources"]]
    shown = {id(s.plan or s.graph): s for s in stages}
    texts += [(s.name, (s.plan or s.graph).as_text()) for s in shown.values()]
    return Inspection(document, texts)


__all__ = ["inspect_function", "inspect_graph", "inspect_passes", "inspect_plan"]
