"""Tracing: run a Python function on tracers and write down what it does."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CoroutineType, GeneratorType
from typing import Any

import numpy as np

from plait.ir import (
    Graph,
    GraphBuilder,
    Literal,
    Node,
    TensorType,
    Value,
    dispatch,
    get_op,
    user_location,
)
from plait.ir.errors import TraceError
from plait.tracer.arguments import LeafSpec
from plait.tracer.pytree import TreeDef, flatten, unflatten
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import leaked, wrap


class NumberNeeded(BaseException):
    """Control flow or a shape asked for the value of a runtime Python number.

    Not an ``Exception``, so that a user's handler does not swallow it: the driver traces again
    with the number static.
    """

    def __init__(self, positions: frozenset[int]) -> None:
        super().__init__(positions)
        self.positions = positions


@dataclass(frozen=True, slots=True)
class Capture:
    """Something from outside that a trace uses, as an input of its graph.

    Attributes
    ----------
    kind : str
        ``"tensor"`` (a handle), ``"array"`` (an ndarray), ``"variable"`` or ``"value"`` (of an
        outer trace).
    source : Any
    type : TensorType
    """

    kind: str
    source: Any
    type: TensorType


@dataclass(frozen=True, slots=True)
class Output:
    """One leaf of a traced function's result.

    Attributes
    ----------
    kind : str
        ``"tensor"``, ``"ndarray"``, ``"jax"``, ``"number"``: the graph's output ``index``;
        ``"argument"``: argument leaf ``index`` itself; ``"static"``: ``value`` as it is;
        ``"array"``: a fresh copy of the ndarray ``value``.
    """

    kind: str
    index: int = 0
    value: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class TracedFunction:
    """A captured function: its graph and how Python values enter and leave it.

    Attributes
    ----------
    graph : Graph
        Inputs: dynamic argument leaves, then captures. Outputs: the function's own, then new
        values of ``assigned`` variables, then of ``mutated`` argument leaves.
    in_tree, out_tree : TreeDef
    leaves : tuple of LeafSpec
    captures : tuple of Capture
    outputs : tuple of Output
    assigned : tuple
        Variables that the function assigns to.
    mutated : tuple of int
        Argument leaves that the function writes into.
    """

    graph: Graph
    in_tree: TreeDef
    out_tree: TreeDef
    leaves: tuple[LeafSpec, ...]
    captures: tuple[Capture, ...]
    outputs: tuple[Output, ...]
    assigned: tuple[Any, ...]
    mutated: tuple[int, ...]


@dataclass(slots=True)
class _State:
    variable: Any
    initial: Value
    current: Any


class Trace(GraphBuilder):
    """The builder of a function being traced: also knows what the function takes from outside."""

    def __init__(self, name: str) -> None:
        super().__init__(name, locate=user_location)
        self.outer = [i for i in dispatch.interpreters() if isinstance(i, Trace)]
        self.captures: list[tuple[Capture, Value]] = []
        self._captured: dict[int, Value] = {}
        self._states: dict[int, _State] = {}
        self._arrays: dict[int, tuple[weakref.ref[Any], Node]] = {}
        self._numbers: dict[Value, int] = {}

    # What a trace takes from outside.

    def _capture(self, kind: str, source: Any, type_: TensorType, name: str) -> Value:
        value = self.input(type_, name)
        self.captures.append((Capture(kind, source, type_), value))
        return value

    def read_tensor(self, handle: Tensor) -> Value:
        """The input that stands for a tensor made outside of the trace."""
        known = self._captured.get(id(handle))
        if known is None:
            data = handle._data
            name = f"captured{len(self.captures)}"
            known = self._capture("tensor", handle, TensorType(data.dtype, data.shape), name)
            self._captured[id(handle)] = known
        return known

    def read_variable(self, variable: Any) -> Any:
        """The current value of a variable, inside this trace."""
        return self._state(variable).current

    def assign_variable(self, variable: Any, payload: Any) -> None:
        """Give a variable a new value, inside this trace; committed when a call returns."""
        self._state(variable).current = self.lift(payload)

    def _state(self, variable: Any) -> _State:
        state = self._states.get(id(variable))
        if state is None:
            type_ = TensorType(variable.dtype, variable.shape)
            name = _identifier(variable.name or f"variable{len(self._states)}")
            value = self._capture("variable", variable, type_, name)
            state = self._states[id(variable)] = _State(variable, value, value)
        return state

    def lift(self, payload: Any) -> Value:
        """As the builder's, but an ndarray from outside becomes an input when it outlives us."""
        if type(payload) is not np.ndarray:
            return super().lift(payload)
        known = self._arrays.get(id(payload))
        if known is not None and known[0]() is payload:
            return known[1].results[0]
        result: Value = self.run(get_op("constant"), (), {"value": Literal(payload)})
        assert result.node is not None
        self._arrays[id(payload)] = (weakref.ref(payload), result.node)
        return result

    def lift_foreign(self, value: Value) -> Value:
        """Capture a value of a trace around this one; any other has leaked."""
        known = self._captured.get(id(value))
        if known is not None:
            return known
        if not any(trace.owns(value) for trace in self.outer):
            raise leaked(value)
        captured = self._capture("value", value, value.tensor_type, f"outer{len(self.captures)}")
        self._captured[id(value)] = captured
        return captured

    # Runtime numbers.

    def number(self, type_: TensorType, name: str, position: int) -> Value:
        """An input for the Python number at an argument position."""
        value = self.input(type_, name)
        self._numbers[value] = position
        return value

    def number_needed(self, value: Value) -> None:
        """Make the numbers that ``value`` is computed from static, if it depends on nothing else.

        Raises
        ------
        NumberNeeded
            When that is so; otherwise returns, and the caller reports the use.
        """
        positions: set[int] = set()
        pending, seen = [value], {value}
        while pending:
            v = pending.pop()
            if v in self._numbers:
                positions.add(self._numbers[v])
            elif v.node is None:
                return
            else:
                fresh = [x for x in v.node.operands if x not in seen]
                seen.update(fresh)
                pending.extend(fresh)
        if positions:
            raise NumberNeeded(frozenset(positions))

    # Closing.

    def close(self, outputs: Sequence[Any]) -> tuple[Graph, tuple[Any, ...]]:
        """The graph, with new variable values as further outputs, and those variables."""
        changed = [s for s in self._states.values() if s.current is not s.initial]
        values = [self.lift(x) for x in (*outputs, *[s.current for s in changed])]
        self._adopt_living_arrays()
        graph = Graph(self.name, tuple(self.inputs), tuple(self.nodes), tuple(values))
        return graph, tuple(s.variable for s in changed)

    def _adopt_living_arrays(self) -> None:
        """Arrays that somebody outside still holds can change: they become inputs.

        Their constant nodes go and the results turn into inputs, which is sound because the graph
        is not built yet.
        """
        living = [(ref(), node) for ref, node in self._arrays.values()]
        adopted = [(array, node) for array, node in living if array is not None]
        for array, node in adopted:
            value = node.results[0]
            object.__setattr__(value, "node", None)
            object.__setattr__(value, "index", len(self.inputs))
            object.__setattr__(value, "name", f"captured{len(self.captures)}")
            self.inputs.append(value)
            capture = Capture("array", array, value.tensor_type)
            self.captures.append((capture, value))
        gone = {node for _, node in adopted}
        self.nodes = [node for node in self.nodes if node not in gone]


def _identifier(text: str) -> str:
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in text).lstrip("_")
    return name if name and not name[0].isdigit() else f"_{name}"


def trace_function(
    function: Callable[..., Any],
    in_tree: TreeDef,
    leaves: Sequence[LeafSpec],
    paths: Sequence[str],
    name: str,
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

    Raises
    ------
    NumberNeeded
        A runtime number must be static.
    TraceError
        The function cannot be captured as it stands.
    """
    trace = Trace(_identifier(name))
    handles = [
        _make_tracer(trace, leaf, path, i)
        for i, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
    ]
    dynamic = [i for i, leaf in enumerate(leaves) if leaf.type is not None]
    starts = {i: handles[i]._data for i in dynamic}
    args, kwargs = unflatten(in_tree, handles)
    with trace:
        result = function(*args, **kwargs)
        out_leaves, out_tree = flatten(result)
        outputs, values = _collect(trace, out_leaves, handles, leaves)
        mutated = tuple([i for i in dynamic if handles[i]._data is not starts[i]])
        values += [handles[i]._data for i in mutated]
        del result, out_leaves, args, kwargs
        graph, assigned = trace.close(values)
    if mutated and assigned:
        graph = _state_first(graph, len(values) - len(mutated), len(mutated))
    captures = tuple(c for c, _ in trace.captures)
    return TracedFunction(
        graph, in_tree, out_tree, tuple(leaves), captures, outputs, assigned, mutated
    )


def _state_first(graph: Graph, own: int, mutated: int) -> Graph:
    """Order the outputs: the function's own, variables, mutated arguments."""
    outs = graph.outputs
    order = (*outs[:own], *outs[own + mutated :], *outs[own : own + mutated])
    return Graph(graph.name, graph.inputs, graph.nodes, order)


def _make_tracer(trace: Trace, leaf: LeafSpec, path: str, position: int) -> Any:
    if leaf.type is None:
        return leaf.value.value
    name = _identifier(path)
    if leaf.kind == "number":
        return wrap(trace.number(leaf.type, name, position), "number")
    return wrap(trace.input(leaf.type, name), leaf.kind)


def _collect(
    trace: Trace, out_leaves: list[Any], handles: list[Any], leaves: Sequence[LeafSpec]
) -> tuple[tuple[Output, ...], list[Any]]:
    """Classify the leaves of the result; returns the outputs and the values to compute."""
    arguments = {id(h): i for i, h in enumerate(handles) if leaves[i].type is not None}
    outputs: list[Output] = []
    values: list[Any] = []
    for leaf in out_leaves:
        if id(leaf) in arguments:
            outputs.append(Output("argument", arguments[id(leaf)]))
        elif type(leaf) is Tensor and type(leaf._data) is Value:
            outputs.append(Output(leaf._kind, len(values)))
            values.append(leaf._data)
        elif isinstance(leaf, (GeneratorType, CoroutineType)):
            raise TraceError(
                f"a traced function cannot return a {type(leaf).__name__}, which runs once; "
                "return a list or a tuple of what it gives"
            )
        elif isinstance(leaf, np.ndarray):
            outputs.append(Output("array", value=leaf.copy()))
        else:
            outputs.append(Output("static", value=leaf))
    return tuple(outputs), values
