"""The passes over a program's graph, and what is added to it before it runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from plait.ir import Graph, GraphBuilder, Value, ops
from plait.runtime import log

if TYPE_CHECKING:
    from plait import passes  # loaded when something is compiled


def run_passes(graph: Graph, spec: str | None, dumps: log.Dumps) -> passes.PipelineResult:
    """Run the pipeline, logging and dumping what ``PLAIT_LOG`` and ``PLAIT_DUMP_TO`` ask for."""
    from plait import passes

    if not (log.dumping() or log.enabled("passes")):
        return passes.run_pipeline(graph, spec)
    dumps.write("traced", graph.as_text)
    start = time.perf_counter()

    def listener(name: str, after: Graph) -> None:
        nonlocal start
        seconds = time.perf_counter() - start
        message = f"{graph.name}: {name}: {len(after.nodes)} nodes"
        log.log("passes", message, after.as_text, seconds)
        dumps.write(name, after.as_text)
        start = time.perf_counter()

    return passes.run_pipeline(graph, spec, listener=listener)


def keep_state_on_failure(graph: Graph, state_inputs: Sequence[int], start: int) -> Graph:
    """Make the new state (outputs from ``start``) the old one when the last output says failure."""
    builder = GraphBuilder(graph.name)
    inputs = [builder.input(v.type, v.name) for v in graph.inputs]
    outputs = list(builder.inline(graph, inputs))
    status: Value = outputs[-1]
    with builder:
        first = ops.slice_(status, starts=(0,), stops=(1,), steps=(1,))
        ok = ops.reshape(ops.equal(first, np.zeros(1, np.int64)), shape=())
        for i, position in enumerate(state_inputs, start):
            condition = ops.broadcast_to(ok, shape=inputs[position].shape)
            outputs[i] = ops.select(condition, outputs[i], inputs[position])
    return builder.build(outputs)


__all__ = ["keep_state_on_failure", "run_passes"]
