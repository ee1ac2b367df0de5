"""A compiled function called inside a trace: a ``call`` node of the graph around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait.ir import Value, ops
from plait.runtime.request import Request
from plait.runtime.specialize import Specializer
from plait.tracer import Break, Capture, Output, Tensor, Trace, stop, unflatten, wrap


def call_in_trace(
    trace: Trace, specializer: Specializer, function: Callable[..., Any], request: Request
) -> Any:
    """Write down the call and return tracers of its results."""
    try:
        traced = specializer.program(function, request).traced
    except Break as found:
        raise stop(trace, Break(found.reason, found.location, found.error)) from None
    dynamic = [i for i, leaf in enumerate(traced.leaves) if leaf.type is not None]
    operands = [_operand(trace, request.leaves[i]) for i in dynamic]
    operands += [_captured(trace, c) for c in traced.captures]
    results = ops.call(*operands, regions=(traced.graph,), name=traced.graph.name)
    own = len(results) - len(traced.assigned) - len(traced.mutated)
    for variable, value in zip(traced.assigned, results[own:], strict=False):
        trace.assign_variable(variable, value)
    for i, value in zip(traced.mutated, results[own + len(traced.assigned) :], strict=True):
        request.leaves[i][...] = wrap(value)
    made: list[Any] = []
    for output in traced.outputs:
        again = output.kind == "result"
        made.append(made[output.index] if again else _result(output, results, request.leaves))
    return unflatten(traced.out_tree, made)


def _operand(trace: Trace, leaf: Any) -> Value:
    if type(leaf) is Tensor:
        data = leaf._data
        return trace.lift(data) if type(data) is Value else trace.read_tensor(leaf)
    return trace.lift(leaf)


def _captured(trace: Trace, capture: Capture) -> Any:
    if capture.kind == "tensor":
        return trace.read_tensor(capture.source)
    if capture.kind == "variable":
        return trace.read_variable(capture.source)
    return trace.lift(capture.source)


def _result(output: Output, results: tuple[Value, ...], leaves: list[Any]) -> Any:
    if output.kind == "argument":
        return leaves[output.index]
    if output.kind == "static":
        return output.value
    if output.kind == "array":
        return output.value.copy()
    return wrap(results[output.index], output.kind)
