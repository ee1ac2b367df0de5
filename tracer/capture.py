"""Tracing: run a Python function on tracers and write down what it does."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, MappingView, Sequence
from typing import Any

import numpy as np

from plait.ir import Graph, Value
from plait.ir.errors import SignatureError, TraceError
from plait.tracer.arguments import LeafSpec
from plait.tracer.outside import MetArray
from plait.tracer.pytree import TreeDef, flatten, unflatten
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.trace import NumberNeeded, Output, Trace, TracedFunction, identifier

#: Results that give what they hold once, or hold what changes.
_PASSING = (Iterator, Coroutine, MappingView)


def trace_function(
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    name: str,
    same: tuple[int, ...] = (),
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

    Raises
    ------
    NumberNeeded
        A runtime number must be static.
    TraceError
        The function cannot be captured as it stands.
    """
    trace = Trace(identifier(name))
    handles = [
        _make_tracer(trace, leaf, path, i)
        for i, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
    ]
    handles = [handles[same[i] if same else i] for i in range(len(handles))]
    try:
        with trace:
            outputs, values, out_tree, mutated = _run(
                trace, function, in_tree, leaves, paths, handles
            )
            graph, assigned = trace.close(values)
    except NumberNeeded as needed:
        needed.is_own = needed.trace is trace
        raise
    if mutated and assigned:
        graph = _state_first(graph, len(values) - len(mutated), len(mutated))
    captures = tuple(c for c, _ in trace.captures)
    return TracedFunction(
        graph,
        in_tree,
        out_tree,
        tuple(leaves),
        captures,
        outputs,
        assigned,
        mutated,
        same,
        trace.made,
        tuple(paths),
        tuple(trace.notes),
    )


def _make_tracer(trace: Trace, leaf: LeafSpec, path: str, position: int) -> Any:
    if leaf.type is None:
        return leaf.value.value
    name = identifier(path)
    if leaf.kind == "number":
        return wrap(trace.number(leaf.type, name, position), "number")
    return wrap(trace.input(leaf.type, name), leaf.kind)


def _run(
    trace: Trace,
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    handles: list[Any],
) -> tuple[tuple[Output, ...], list[Any], TreeDef, tuple[int, ...]]:
    """Call the function; what it returns, the values to compute, and the leaves it wrote into."""
    dynamic = [i for i, leaf in enumerate(leaves) if leaf.type is not None]
    starts = {id(handles[i]): handles[i]._data for i in dynamic}
    arguments = {id(handles[i]): i for i in reversed(dynamic)}
    given = unflatten(in_tree, handles)
    result = function(*given[0], **given[1])
    if trace.needed:  # the user's code has swallowed the exception
        raise NumberNeeded(trace, frozenset(trace.needed))
    _refuse_changes(given, in_tree, handles, paths)
    out_leaves, out_tree = _flatten_result(result)
    collected, values = _collect(out_leaves, arguments)
    written = [i for key, i in arguments.items() if handles[i]._data is not starts[key]]
    mutated = tuple(sorted(written))
    values += [handles[i]._data for i in mutated]
    del result, out_leaves, given
    return tuple([_settle(o) for o in collected]), values, out_tree, mutated


def _flatten_result(result: Any) -> tuple[list[Any], TreeDef]:
    try:
        return flatten(result)
    except SignatureError:
        raise TraceError(
            "the result of a compiled function nests more than 200 deep, or holds itself"
        ) from None


def _refuse_changes(given: Any, in_tree: TreeDef, handles: list[Any], paths: Sequence[str]) -> None:
    """Raise when the function changed a container among its arguments, which stays outside."""
    leaves, tree = flatten(given)
    changed = [
        path for path, old, new in zip(paths, handles, leaves, strict=False) if old is not new
    ]
    if tree == in_tree and not changed:
        return
    what = changed[0] if tree == in_tree else "a list, dict or object among its arguments"
    raise TraceError(
        f"the function replaces {what}, which a compiled function cannot do to its caller's "
        "containers; return the new value instead"
    )


def _collect(out_leaves: list[Any], arguments: dict[int, int]) -> tuple[list[Output], list[Any]]:
    """Classify the leaves of the result; returns the outputs and the values to compute."""
    outputs: list[Output] = []
    values: list[Any] = []
    seen: dict[int, int] = {}
    for leaf in out_leaves:
        first = seen.setdefault(id(leaf), len(outputs))
        if id(leaf) in arguments:
            outputs.append(Output("argument", arguments[id(leaf)]))
        elif type(leaf) is Tensor and type(leaf._data) is Value:
            if first != len(outputs):
                outputs.append(Output("result", first))
                continue
            outputs.append(Output(leaf._kind, len(values)))
            values.append(leaf._data)
        elif isinstance(leaf, _PASSING):
            raise TraceError(
                f"a traced function cannot return a {type(leaf).__name__}, which runs once; "
                "return a list or a tuple of what it gives"
            )
        elif _holds_tracers(leaf):
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
    return outputs, values


def _holds_tracers(leaf: Any) -> bool:
    """Whether an object of a class that is no container holds tensors that are being traced."""
    held = [*getattr(leaf, "__dict__", {}).values()]
    if isinstance(leaf, functools.partial):
        held += [*leaf.args, *leaf.keywords.values()]
    for cell in getattr(leaf, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:
            continue  # not bound yet
    return any(type(x) is Tensor and type(x._data) is Value for x in held)


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
