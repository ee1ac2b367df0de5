"""The builder of a function being traced, and what tracing gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import Graph, GraphBuilder, Literal, Node, TensorType, Value, dispatch, get_op
from plait.ir.errors import TraceError
from plait.ir.location import Location, user_location
from plait.tracer import recorded
from plait.tracer.adopted import Adopted
from plait.tracer.arguments import NUMBER_TYPES, LeafSpec
from plait.tracer.guards import Guard
from plait.tracer.layouts import Layouts
from plait.tracer.merged_reads import look
from plait.tracer.notes import Note, Notes
from plait.tracer.outcome import Ending
from plait.tracer.outside import MetArray, layout_of
from plait.tracer.paths import Path
from plait.tracer.places import Journal, Place, VariablePlace
from plait.tracer.provenance import Provenance
from plait.tracer.pytree import TreeDef
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import leaked

if TYPE_CHECKING:
    from plait.tracer.effects import Effect, Recipe


class NumberNeeded(BaseException):
    """Control flow or a shape asked for the value of a runtime Python number.

    Not an ``Exception``, so that a user's handler does not swallow it: the driver traces again
    with the number static.

    Attributes
    ----------
    trace : Trace
        Whose arguments the numbers are.
    positions : frozenset of int and Path
        Which of its argument leaves, and which numbers from outside.
    is_own : bool
        Whether the function that was being traced last is that of ``trace``.
    location : Location
        The user's line that asked.
    """

    def __init__(self, trace: Trace, positions: frozenset[Any]) -> None:
        super().__init__(positions)
        self.trace = trace
        self.positions = positions
        self.is_own = False
        self.location = user_location()


@dataclass(frozen=True, slots=True)
class Capture:
    """Something from outside that a trace uses, as an input of its graph.

    Attributes
    ----------
    kind : str
        ``"tensor"`` (a handle), ``"array"`` (an ndarray), ``"variable"``, ``"value"`` (of an
        outer trace), or ``"number"`` (a Python number).
    source : Any
        None when it is looked up at each call.
    type : TensorType
    path : Path or None
        Where it is looked up.
    """

    kind: str
    source: Any
    type: TensorType
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One leaf of a traced function's result.

    Attributes
    ----------
    kind : str
        ``"tensor"``, ``"ndarray"``, ``"jax"``, ``"number"``: the graph's output ``index``, with
        ``value`` an array of NumPy's, otherwise perhaps a scalar;
        ``"text"``: a text whose template and number of places ``value`` holds;
        ``"outside"``: the object that path ``index`` of ``found`` led to;
        ``"made"``: an object that the recipe of the result makes;
        ``"argument"``: argument leaf ``index`` itself; ``"result"``: the same object as leaf
        ``index`` of the result; ``"static"``: ``value`` as it is; ``"array"``: a fresh copy of
        the ndarray, set or the like ``value``.
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
    layouts : tuple of int
        Argument leaves whose layout in memory matters; those of ``leaves`` say which it is.
    same : tuple of int
        For each argument leaf, the first one that is the same object; empty when not asked.
    made : Location or None
        Where the function made a variable.
    paths : tuple of str
        How the user would name each argument leaf.
    notes : tuple of Note
        Calls that could not be looked into, effects that calls will not repeat, unrolled loops.
    guards : tuple of Guard
        What must hold outside for the graph to be right.
    effects : tuple of Effect
        What each call changes outside.
    found : tuple of Path
        The objects that the effects change or keep, looked up when a call begins.
    own : int
        How many outputs of the graph are neither new values of variables nor of arguments.
    keeps : bool
        Whether the variables that the function made are kept outside by its effects.
    recipe : Recipe or None
        How the result is made where it holds containers from outside, or kept there.
    """

    graph: Graph
    in_tree: TreeDef
    out_tree: TreeDef
    leaves: tuple[LeafSpec, ...]
    captures: tuple[Capture, ...]
    outputs: tuple[Output, ...]
    assigned: tuple[Any, ...]
    mutated: tuple[int, ...]
    same: tuple[int, ...] = ()
    made: Location | None = None
    paths: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    found: tuple[Path, ...] = ()
    own: int = 0
    keeps: bool = False
    recipe: Recipe | None = None
    layouts: tuple[int, ...] = ()


@dataclass(slots=True)
class _State:
    variable: Any
    initial: Value
    current: Any


class Trace(GraphBuilder):
    """The builder of a function being traced: also knows what the function takes from outside.

    Attributes
    ----------
    root : Trace
        The trace of the whole function; of a region the one that it is part of.
    regions : list of Trace
        The regions that are open now, the innermost last.
    journal : Journal
        What captured code changed, and what was there before.
    noted : int
        How often captured code was about to change something, or printed.
    decisions : mapping
        What earlier attempts found out, such as ``("unroll", site)``.
    ending : Ending or None
        Why this attempt ends.
    is_lazy : bool
        Whether values can be had: tests on tensors are then forced, not staged.
    """

    is_trace = True
    is_lazy = False

    def __init__(self, name: str, decisions: Mapping[Any, str] | None = None) -> None:
        super().__init__(name, locate=user_location)
        self.regions: list[Any] = []
        self.journal = Journal()
        self.looked: set[Any] = set()
        self.noted = 0
        self.changed: dict[Any, Location] = {}  # where places and tensors outside are written first
        self.seeded: dict[int, Any] = {}  # generators of random numbers that the trace has made
        self.decisions: Mapping[Any, str] = decisions or {}
        self.ending: Ending | None = None
        self.outer = [i for i in dispatch.interpreters() if isinstance(i, Trace)]
        self.captures: list[tuple[Capture, Value]] = []
        self._captured: dict[int, Value] = {}
        self._states: dict[int, _State] = {}
        self._arrays: list[tuple[MetArray, Node]] = []
        self._met: dict[Any, tuple[MetArray, Node]] = {}
        self._numbers: dict[Value, Any] = {}
        self._foreign: dict[Value, Value] = {}
        self.needed: set[Any] = set()
        self.made: Location | None = None
        self.variables: list[Any] = []
        self.notes = Notes()
        self.provenance = Provenance(self)
        self.adopted = Adopted()
        self.layouts = Layouts()
        self._kept: list[Any] = []

    @property
    def root(self) -> Trace:
        """The trace of the whole function."""
        return self

    def __exit__(self, *failure: Any) -> None:
        while self.regions:  # left open by an exception
            self.regions[-1].leave()
        super().__exit__(*failure)

    def note(self, place: Place) -> None:
        """Remember what a place holds, which captured code is about to change."""
        root = self.root
        root.noted += 1
        if place.key not in root.changed:
            root.changed[place.key] = user_location()
        if root.regions and place.key not in root.looked:
            root.looked.add(place.key)
            look(root.provenance, place, was_written=not root.journal.before(place))
        for scope in (*reversed(root.regions), root):
            if not scope.journal.before(place):
                return

    # What a trace takes from outside.

    def _capture(
        self, kind: str, source: Any, type_: TensorType, name: str, path: Path | None = None
    ) -> Value:
        value = self.input(type_, name if path is None else identifier(path.text))
        capture = Capture(kind, source if path is None else None, type_, path)
        self.captures.append((capture, value))
        return value

    def read_tensor(self, handle: Tensor) -> Value:
        """The value of a tensor made outside of the trace."""
        if self.adopted.shares(handle):
            self.adopted.adopt(current() or self, handle)
            value: Value = handle._data
            return value
        return self.read_input(handle)

    def read_input(self, handle: Tensor) -> Value:
        """The input that stands for a tensor made outside of the trace."""
        known = self._captured.get(id(handle))
        if known is None:
            data = handle._data
            name, path = f"captured{len(self.captures)}", self.provenance.path_of(handle)
            type_ = TensorType(data.dtype, tuple(data.shape))
            known = self._capture("tensor", handle, type_, name, path)
            self._captured[id(handle)] = known
            self._kept.append(handle)
        return known

    def write_tensor(self, handle: Tensor) -> None:
        """Make a tensor from outside the trace's own until it ends: it is about to be written."""
        self.root.changed.setdefault(id(handle), user_location())
        self.adopted.adopt(current() or self, handle)

    def outside_array(self, array: Any) -> Value:
        """The input that stands for an ndarray which was read by a path."""
        path = self.provenance.path_of(array)
        type_ = TensorType(array.dtype.newbyteorder("="), array.shape)
        return self._capture("array", array, type_, f"captured{len(self.captures)}", path)

    def outside_handles(self) -> list[tuple[Value, Tensor]]:
        """The tensors that stand for what is outside, by the inputs of the graph."""
        known = [(self._captured[id(handle)], handle) for handle in self._kept]
        return known + self.provenance.stand_ins()

    def outside_number(self, path: Path, value: Any) -> Value:
        """The input that stands for a Python number which was read by a path."""
        found = self._capture("number", None, NUMBER_TYPES[type(value)], "", path)
        self._numbers[found] = path
        return found

    def read_variable(self, variable: Any) -> Any:
        """The current value of a variable, inside this trace."""
        value = self._state(variable).current
        if dispatch.recording:
            for tape in recorded.tapes():
                tape.watch_variable(variable, value)
        return value

    def assign_variable(self, variable: Any, payload: Any) -> None:
        """Give a variable a new value, inside this trace; committed when a call returns."""
        state = self._state(variable)
        self.note(VariablePlace(state))
        state.current = self.lift(payload)

    def _state(self, variable: Any) -> _State:
        state = self._states.get(id(variable))
        if state is None:
            type_ = TensorType(variable.dtype, variable.shape)
            name = identifier(variable.name or f"variable{len(self._states)}")
            value = self._capture("variable", variable, type_, name)
            state = self._states[id(variable)] = _State(variable, value, value)
        return state

    def lift(self, payload: Any) -> Value:
        """As the builder's, but an ndarray from outside becomes an input when it outlives us."""
        if not isinstance(payload, np.ndarray):
            return super().lift(payload)
        tracer = self.provenance.tracer_of(payload)
        if tracer is not None:
            return self.lift(tracer._data)
        key = (*layout_of(payload), payload.dtype)
        known = self._met.get(key)
        if known is not None and known[0].now() is not None and known[0].is_unchanged():
            return known[1].results[0]
        met = MetArray(payload)
        result: Value = self.run(get_op("constant"), (), {"value": Literal(met.then)})
        assert result.node is not None
        self._met[key] = (met, result.node)
        self._arrays.append(self._met[key])
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
        self._foreign[captured] = value
        return captured

    def is_outside(self, handle: Any) -> bool:
        """Whether a tensor's elements are not those of this trace: made outside, or around it."""
        value = handle._data
        if type(value) is not Value:
            return True
        if not self.outer or any(scope.owns(value) for scope in (self, *self.regions)):
            return False
        return any(trace.owns(value) for trace in self.outer)

    def variable_made(self, variable: Any) -> None:
        """Note that the function being traced makes a variable."""
        self.made = self.made or user_location()
        self.variables.append(variable)

    def outside_value(self, handle: Tensor) -> Any:
        """The array from outside that a tracer stands for; the tracer itself when none is."""
        found = self.provenance.unchanged(handle)
        return handle if found is None else found

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
        positions: set[Any] = set()
        foreign: list[Value] = []
        pending, seen = [value], {value}
        while pending:
            v = pending.pop()
            if v in self._numbers:
                positions.add(self._numbers[v])
            elif v in self._foreign or not self.owns(v):
                foreign.append(self._foreign.get(v, v))
            elif v.node is None:
                return
            else:
                fresh = [x for x in v.node.operands if x not in seen]
                seen.update(fresh)
                pending.extend(fresh)
        if positions:
            self.needed |= positions
            raise NumberNeeded(self, frozenset(positions))
        for v in foreign:
            for trace in self.outer:
                if trace.owns(v):
                    trace.number_needed(v)

    # Closing.

    def undo(self) -> None:
        """Give what is outside what it held before the trace."""
        for place, old in reversed(self.journal.entries):
            if self.provenance.is_outside(place):
                place.write(old)
        self.adopted.release()
        self.provenance.release()

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
        adopted = [(met.now(), node) for met, node in self._arrays if met.now() is not None]
        if any(met.now() is not None and not met.is_unchanged() for met, _ in self._arrays):
            raise TraceError(
                "the function writes into an ndarray from outside of it, which a compiled function "
                "does once, while it is traced, and never again; pass the array as an argument, or "
                "keep the state in a pl.Variable"
            )
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


def identifier(text: str) -> str:
    """A name for a graph or an input, made of a text."""
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in text).lstrip("_")
    return name if name and not name[0].isdigit() else f"_{name}"
