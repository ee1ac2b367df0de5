"""The stages of a compilation, collected: the graph before and after each pass, and the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plait import passes
from plait.ir import ExecutionPlan, Graph
from plait.ir.errors import ShapeError


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stop of the slider.

    Attributes
    ----------
    name : str
        ``"traced"``, a pass with its options, ``"optimized"`` or ``"plan"``.
    graph : Graph
    note : str
        What happened here, in one line.
    firings : tuple of Firing
        Each rule that fired.
    plan : ExecutionPlan or None
    """

    name: str
    graph: Graph
    note: str = ""
    firings: tuple[passes.Firing, ...] = ()
    plan: ExecutionPlan | None = None


def pass_stages(graph: Graph, spec: str | None = None) -> list[StageRecord]:
    """The graph as it is, after each pass, and optimized.

    Parameters
    ----------
    graph : Graph
    spec : str, optional
        The pipeline; the default one when None.
    """
    pipeline = passes.Pipeline.parse(passes.DEFAULT_PIPELINE if spec is None else spec)
    made: list[Graph] = []
    found = passes.run_pipeline(graph, pipeline, listener=lambda _, after: made.append(after))
    records = [StageRecord("traced", graph, "as it was captured")]
    each = zip(pipeline.passes, made, found.report.passes, strict=True)
    for one, after, report in each:
        note = one.doc.replace("``", "")
        records.append(StageRecord(report.spec, after, note, report.firings))
    note = "what the backends get" if pipeline.passes else "no pass ran"
    return [*records, StageRecord("optimized", found.graph, note)]


def plan_stage(make: Callable[[], ExecutionPlan]) -> list[StageRecord]:
    """The stage of a plan; none where a size is symbolic."""
    try:
        plan = make()
    except ShapeError:
        return []
    note = f"order, slots and in-place ops, for the backend {plan.backend}"
    return [StageRecord("plan", plan.graph, note, (), plan)]


__all__ = ["StageRecord", "pass_stages", "plan_stage"]
