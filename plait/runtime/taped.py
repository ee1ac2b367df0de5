"""A call of a compiled function that tapes look on: one record for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.runtime.compiled import CompiledGraph
from plait.runtime.program import Program, number_array, wait
from plait.runtime.request import Request
from plait.runtime.watch import Found
from plait.tracer import Capture, Tensor, aligned_array, freeze, recorded


def call_taped(program: Program, request: Request) -> Any:
    """Run a program; for the tapes of this thread that have to know of it, that is one record."""
    leaves = request.leaves
    with dispatch.suspended():
        found = program.found(leaves, request.given, request.found)
    if not _is_taped(program, leaves, found):
        with dispatch.suspended():
            return program.call(leaves, request.given, found)
    captures = program.traced.captures
    operands = [_operand(leaves[i]) for i in program.positions]
    with program.locked:
        operands += [_captured(c, x) for c, x in zip(captures, found, strict=False)]
        results = dispatch.apply(compiled_graph(program), tuple(operands))
        if any(isinstance(leaves[i], (np.ndarray, np.generic)) for i in program.positions):
            wait(results)
        if program.checks:
            results = (*results, np.zeros(4, np.int64))  # of checks that have held
        return program.finish(results, leaves, found)


def _is_taped(program: Program, leaves: Sequence[Any], found: Found) -> bool:
    """Whether a tape of this thread has to know of a call."""
    tensors = [x for x in (*leaves, *found) if type(x) is Tensor]
    if recorded.is_known(*[x._data for x in tensors]):
        return True
    return any(
        capture.kind == "variable" and recorded.reads(source)
        for capture, source in zip(program.traced.captures, found, strict=False)
    )


def compiled_graph(program: Program) -> CompiledGraph:
    """The graph of a program as a differentiable function."""
    if program.differentiable is None:
        program.differentiable = CompiledGraph(
            program.traced.graph, program.options, program.device
        )
    made: CompiledGraph = program.differentiable
    return made


def _operand(leaf: Any) -> Any:
    if type(leaf) is np.ndarray:
        return recorded.kept(leaf)
    if type(leaf) is not Tensor:
        return leaf if hasattr(leaf, "dtype") else number_array(leaf)
    if type(leaf._data) is np.ndarray:
        aligned_array(leaf)
        freeze(leaf)
    return leaf._data


def _captured(capture: Capture, source: Any) -> Any:
    if capture.kind == "variable":
        return source.__plait_tensor__()._data
    return _operand(source)


__all__ = ["call_taped", "compiled_graph"]
