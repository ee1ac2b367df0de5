"""A compiled function called inside a trace: a ``call`` node of the graph around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait.ir import Value, dispatch, ops
from plait.runtime.request import Request
from plait.runtime.specialize import Specializer
from plait.tracer import Break, Inner, Making, Tensor, Trace, stop, unflatten, wrap


def call_in_trace(
    trace: Trace, specializer: Specializer, function: Callable[..., Any], request: Request
) -> Any:
    """Write down the call and return tracers of its results; its changes are the trace's."""
    try:
        with dispatch.below(0):  # tapes see the call, not the values of its graph
            traced = specializer.program(function, request).traced
    except Break as found:  # there is no graph of the function around, either
        same = Break(found.reason, found.location, found.error, found.is_error)
        same.guards = tuple([guard for guard in found.guards if not guard.path.is_of_call])
        raise stop(trace, same) from None
    if traced.made is not None:
        trace.root.made = trace.root.made or traced.made
    is_inside = getattr(function, "__plait_inside__", False)
    inner = Inner(trace, traced, request.leaves, request.found, is_inside)
    dynamic = [i for i, leaf in enumerate(traced.leaves) if leaf.type is not None]
    operands = [_operand(trace, request.leaves[i]) for i in dynamic]
    operands += [inner.operand(*pair) for pair in zip(traced.captures, inner.sources, strict=True)]
    results = ops.call(*operands, regions=(traced.graph,), name=traced.graph.name)
    state = results[traced.own :]
    for variable, value in zip(traced.assigned, state, strict=False):
        trace.assign_variable(variable, value)
    for i, value in zip(traced.mutated, state[len(traced.assigned) :], strict=True):
        request.leaves[i][...] = wrap(value)
    made: list[Any] = []
    for output in traced.outputs:
        again = output.kind == "result"
        made.append(made[output.index] if again else inner.result(output, results))
    making = Making(lambda output: inner.result(output, results), inner.objects, made)
    for effect in traced.effects:  # all values before the first change
        if effect.value is not None:
            making.make(effect.value)
    if traced.recipe is None:
        result = unflatten(traced.out_tree, made)
    else:
        result = making.make(traced.recipe)
    for effect in traced.effects:
        inner.replay(effect, making)
    return result


def _operand(trace: Trace, leaf: Any) -> Value:
    if type(leaf) is Tensor:
        data = leaf._data
        return trace.lift(data) if type(data) is Value else trace.read_tensor(leaf)
    return trace.lift(leaf)
