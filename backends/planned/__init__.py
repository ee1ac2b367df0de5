"""NumPy in preallocated slots."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from plait.backends.planned.executable import PlannedExecutable as PlannedExecutable
from plait.backends.planned.executable import unplanned as unplanned
from plait.ir import ExecutionPlan, Graph
from plait.ir.errors import BackendError


def compile(
    graph: Graph,
    *,
    plan: ExecutionPlan | None = None,
    donated: Collection[int] = (),
    device: Any = None,
) -> PlannedExecutable:
    """Make a graph ready to run by NumPy.

    Parameters
    ----------
    graph : Graph
        Its shapes are numbers.
    plan : ExecutionPlan, optional
        What ``plait.passes.plan`` made of the graph; without it nothing is reused.
    donated : collection of int
        Inputs that the caller gives up; the plan says what becomes of them.
    device : Device, optional
        The CPU.

    Raises
    ------
    BackendError
        The plan is of another graph, or the device is not the CPU.
    """
    if device is not None and not str(device).startswith("cpu"):
        raise BackendError(f"the planned backend runs on the CPU, not on {device}")
    if plan is not None and plan.graph is not graph:
        raise BackendError(f"the plan is of another graph than {graph.name!r}")
    return PlannedExecutable(unplanned(graph) if plan is None else plan)
