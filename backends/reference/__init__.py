"""The meaning: node by node in NumPy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from plait.backends.reference.executable import ReferenceExecutable as ReferenceExecutable
from plait.ir import ExecutionPlan, Graph
from plait.ir.errors import BackendError

__all__ = ["ReferenceExecutable", "compile"]


def compile(
    graph: Graph,
    *,
    plan: ExecutionPlan | None = None,
    donated: Collection[int] = (),
    device: Any = None,
) -> ReferenceExecutable:
    """Make a graph ready to run by the NumPy references of its ops.

    Parameters
    ----------
    graph : Graph
        Symbolic dimensions take the sizes of the arrays at each call.
    plan : ExecutionPlan, optional
        Not used: every result is a new array.
    donated : collection of int
        Not used: arguments are never written to.
    device : Device, optional
        The CPU, where NumPy runs.

    Raises
    ------
    BackendError
        The device is not the CPU.
    """
    if device is not None and not str(device).startswith("cpu"):
        raise BackendError(
            f"the reference backend runs on the CPU only, not on {device}; use backend 'xla'"
        )
    return ReferenceExecutable(graph)
