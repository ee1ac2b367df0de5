"""Tracing: run a Python function on tracers and write down what it does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, MappingView, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from plait.ir import Graph, Value
from plait.ir.errors import PlaitError, SignatureError, TraceError
from plait.ir.location import raised_at
from plait.tracer.arguments import LeafSpec
from plait.tracer.arguments_changed import GivenContainers
from plait.tracer.converted import convert
from plait.tracer.effects import Collector, Recipe, holds_tracers, is_made, is_text
from plait.tracer.outcome import Break, Restart
from plait.tracer.outside import MetArray
from plait.tracer.pytree import TreeDef, flatten, unflatten
from plait.tracer.roots import begin
from plait.tracer.syntax_methods import SyntaxMethods
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.tensor_views import as_array, is_scalar
from plait.tracer.trace import NumberNeeded, Output, Trace, TracedFunction, identifier

#: How often a function is traced anew because of what an attempt found out.
MAX_DECISIONS = 1000
#: Results that give what they hold once, or hold what changes.
_PASSING = (Iterator, Coroutine, MappingView)


def trace_function(
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    name: str,
    same: tuple[int, ...] = (),
    decisions: set[Any] | None = None,
) -> TracedFunction:
    """Run ``function`` on tracers of the given leaves.

    Parameters
    ----------
    function : callable
    in_tree : TreeDef
        Structure of ``(args, kwargs)``.
    leaves : sequence of LeafSpec
    paths : sequence of str
        How the user would name each leaf; the graph's inputs are called so.
    name : str
        Name of the graph.
    same : tuple of int, optional
        For each leaf the first one that is the same object, where the function may tell.
    decisions : set, optional
        What earlier attempts found out.

    Raises
    ------
    NumberNeeded
        A runtime number must be static.
    TraceError
        The function cannot be captured as it stands.
    """
    found = dict.fromkeys(decisions or (), "")
    while True:
        try:
            return _attempt(function, in_tree, leaves, paths, name, same, found)
        except Restart as again:
            if again.decision in found or len(found) >= MAX_DECISIONS:
                raise Break(again.reason) from None
            found[again.decision] = again.reason


def _attempt(
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    name: str,
    same: tuple[int, ...],
    decisions: Mapping[Any, str],
) -> TracedFunction:
    """Trace once, with what earlier attempts have found out."""
    trace = Trace(identifier(name), decisions)
    handles = _make_tracers(trace, leaves, paths, same)
    methods = SyntaxMethods(trace.provenance)
    try:
        with trace:
            ran = _run(trace, function, in_tree, leaves, paths, handles)
            graph, assigned = trace.close(ran.values)
    except NumberNeeded as needed:
        needed.is_own = needed.trace is trace
        raise
    except Break as found:
        found.guards += tuple(trace.provenance.guards.values())
        raise
    finally:
        trace.undo()
        methods.release()
    if ran.mutated and assigned:
        graph = _state_first(graph, ran.own, len(ran.mutated))
    captures = tuple(c for c, _ in trace.captures)
    return TracedFunction(
        graph,
        in_tree,
        ran.out_tree,
        tuple(leaves),
        captures,
        ran.outputs,
        assigned,
        ran.mutated,
        same,
        trace.made,
        tuple(paths),
        tuple(trace.notes),
        tuple(trace.provenance.guards.values()),
        tuple(ran.collector.effects),
        tuple(ran.collector.paths),
        ran.own,
        ran.collector.keeps(trace.variables),
        ran.recipe,
        tuple(sorted(trace.layouts.demanded)),
    )


@dataclass(slots=True)
class _Ran:
    """What a function gave and did."""

    outputs: tuple[Output, ...]
    values: list[Any]
    out_tree: TreeDef
    mutated: tuple[int, ...]
    own: int
    collector: Collector
    recipe: Recipe | None


def _make_tracers(
    trace: Trace, leaves: Sequence[LeafSpec], paths: Sequence[str], same: tuple[int, ...]
) -> list[Any]:
    """What the function is called with in the place of its arguments."""
    made = [
        _make_tracer(trace, leaf, path, i)
        for i, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
    ]
    handles = [made[i] for i in same] if same else made
    for i, (handle, leaf) in enumerate(zip(handles, leaves, strict=True)):
        if leaf.type is not None:
            trace.layouts.argument(i, handle, leaf.layout)
    return handles


def _make_tracer(trace: Trace, leaf: LeafSpec, path: str, position: int) -> Any:
    if leaf.type is None:
        return leaf.value.value
    name = identifier(path)
    if leaf.kind == "number":
        return wrap(trace.number(leaf.type, name, position), "number")
    made = wrap(trace.input(leaf.type, name), leaf.kind)
    if leaf.kind == "ndarray" and leaf.value is None:
        as_array(made)
    return made


def _run(
    trace: Trace,
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    handles: list[Any],
) -> _Ran:
    """Call the function and find out what it returns, computes and changes."""
    dynamic = [i for i, leaf in enumerate(leaves) if leaf.type is not None]
    starts = {id(handles[i]): handles[i]._data for i in dynamic}
    arguments = {id(handles[i]): i for i in reversed(dynamic)}
    given = unflatten(in_tree, handles)
    containers = GivenContainers(given, paths)
    begin(trace, function, leaves, paths)
    result = _call(trace, function, given)
    if trace.needed:  # the user's code has swallowed the exception
        raise NumberNeeded(trace, frozenset(trace.needed))
    out_leaves, out_tree = _flatten_result(result)
    values: list[Any] = []

    def traced(leaf: Any) -> Output:
        if is_text(leaf):
            values.extend(leaf.values)
            count = len(leaf.values)
            return Output("text", len(values) - count, (leaf.template, count))
        if id(leaf) in arguments:
            return Output("argument", arguments[id(leaf)])
        values.append(leaf._data)
        is_array = leaf._kind == "ndarray" and not is_scalar(leaf)
        return Output(leaf._kind, len(values) - 1, is_array)

    collector = Collector(trace, traced)
    for known in containers.known:
        collector.note_given(known.copy, known.path)
    collected = _collect(out_leaves, collector, traced)
    collector.note_result(out_leaves)
    collector.collect()
    containers.collect(collector)
    recipe = collector.recipe(result) if collector.needs_recipe(result, set()) else None
    written = [i for key, i in arguments.items() if handles[i]._data is not starts[key]]
    mutated = tuple(sorted(written))
    own = len(values)
    values += [handles[i]._data for i in mutated]
    del result, out_leaves, given
    outputs = tuple([_settle(output) for output in collected])
    return _Ran(outputs, values, out_tree, mutated, own, collector, recipe)


def _call(trace: Trace, function: Any, given: Any) -> Any:
    """Call the function; what ended the trace is raised, whatever the user's code made of it."""
    try:
        result = run(function, *given)
    except BaseException as error:
        if trace.ending is not None and error is not trace.ending:
            raise trace.ending from None
        if not isinstance(error, Exception):
            raise
        if trace.regions:
            raise Break(_LEFT.format(_said(error)), raised_at(error), error) from None
        if isinstance(error, (TraceError, RecursionError)):
            raise
        raise Break(_said(error), raised_at(error), error, is_error=True) from None
    if trace.ending is not None:
        raise trace.ending
    return result


_LEFT = (
    "{}, raised in a branch or a loop on traced values, which is traced whether or not it is taken"
)


def _said(error: Exception) -> str:
    text = error.message if isinstance(error, PlaitError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def run(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the function that is traced, converted where that can be."""
    from plait.tracer.control.calls import call  # imports what traces

    reference = getattr(function, "__plait_self__", None)
    if reference is not None:
        return convert(function.__wrapped__)(reference(), *args, **kwargs)
    if isinstance(function, FunctionType):
        return convert(function)(*args, **kwargs)
    return call(function, *args, **kwargs)


def _flatten_result(result: Any) -> tuple[list[Any], TreeDef]:
    try:
        return flatten(result)
    except SignatureError:
        raise TraceError(
            "the result of a compiled function nests more than 200 deep, or holds itself"
        ) from None


def _collect(
    out_leaves: list[Any], collector: Collector, traced: Callable[[Tensor], Output]
) -> list[Output]:
    """Classify the leaves of the result."""
    outputs: list[Output] = []
    seen: dict[int, int] = {}
    for leaf in out_leaves:
        first = seen.setdefault(id(leaf), len(outputs))
        path = collector.outside(leaf)
        if path is not None:
            outputs.append(Output("outside", collector.path(path)))
        elif is_text(leaf) or (type(leaf) is Tensor and type(leaf._data) is Value):
            outputs.append(Output("result", first) if first != len(outputs) else traced(leaf))
        elif isinstance(leaf, _PASSING):
            raise TraceError(
                f"a traced function cannot return a {type(leaf).__name__}, which runs once; "
                "return a list or a tuple of what it gives"
            )
        elif is_made(leaf):
            outputs.append(Output("made"))
        elif holds_tracers(leaf):
            raise TraceError(
                f"the result has a {type(leaf).__name__} that holds tensors which are being "
                "traced; return them in lists, tuples, dicts or dataclasses, or teach Plait the "
                "class with pl.register_pytree"
            )
        elif isinstance(leaf, np.ndarray):
            outputs.append(Output("met", value=MetArray(leaf)))
        elif type(leaf) in (set, bytearray, deque):
            outputs.append(Output("array", value=leaf.copy()))
        else:
            outputs.append(Output("static", value=leaf))
    return outputs


def _settle(output: Output) -> Output:
    """Of an ndarray in the result: itself when it is from outside, a copy when it was made."""
    if output.kind != "met":
        return output
    living = output.value.now()
    if living is not None:
        return Output("static", value=living)
    return Output("array", value=output.value.then)


def _state_first(graph: Graph, own: int, mutated: int) -> Graph:
    """Order the outputs: the function's own, variables, mutated arguments."""
    outs = graph.outputs
    order = (*outs[:own], *outs[own + mutated :], *outs[own : own + mutated])
    return Graph(graph.name, graph.inputs, graph.nodes, order)
