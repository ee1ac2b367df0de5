"""A plan made executable: one callable a step, bound to an arena, run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from plait.backends.planned.memory import aligned_bytes, at_offset, copy_of, empty, own, writable
from plait.backends.planned.regions import RUNNERS
from plait.ir import ExecutionPlan, Graph, Node, Step, TensorType, Trait, Value, spread_literals
from plait.ir.errors import PlaitError

Action = Callable[[], object]
#: A value that the run holds alone and that is at least so large is let go after its last use.
RELEASED_FROM = 4096


@dataclass(eq=False, slots=True)
class Place:
    """Memory of one or more values, as the plan shares it.

    ``kind`` is ``"arena"``, ``"fixed"`` (made once), ``"fresh"`` (allocated by each run before it
    is written), ``"own"`` (made by the op), ``"input"`` or ``"donated"``.
    """

    kind: str
    nbytes: int
    index: int = -1


class Program:
    """A plan with its values numbered and its regions' programs; shared by all calls."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self.plan = plan
        self.graph = plan.graph
        self.numbers: dict[Value, int] = {v: i for i, v in enumerate(self.graph.inputs)}
        for step in plan.steps:
            for result in step.node.results:
                self.numbers[result] = len(self.numbers)
        self.places = _find_places(plan)
        self.spread = spread_literals(plan.graph)
        self.inner: dict[Graph, Program] = {r: Program(p) for r, p in plan.plans.items()}
        self.donated = sorted(plan.donated)
        self.taken_over = self._taken_over()
        self.returns = self._plan_returns()

    def _taken_over(self) -> dict[Place, int]:
        """Places of outputs that begin their life in a donated input's memory."""
        found: dict[Place, int] = {}
        for output, index in self.plan.aliases.items():
            place = self.places[self.graph.outputs[output]]
            if place.kind == "fresh":
                found[place] = index
        return found

    def _plan_returns(self) -> list[tuple[int, int | None]]:
        """For each output, its number, and the bytes of the memory it may keep; None: copied."""
        given: set[Place] = set()
        returns: list[tuple[int, int | None]] = []
        for value in self.graph.outputs:
            place = self.places[value]
            keeps = place.kind in ("fresh", "own", "donated") and place not in given
            given.add(place)
            keeps = keeps or type(value.type) is not TensorType
            returns.append((self.numbers[value], place.nbytes if keeps else None))
        return returns

    def new_state(self) -> State:
        """An arena with the program's steps bound to it."""
        return State(self)


class State:
    """One call in flight: an arena, the values, and the steps bound to them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arena = aligned_bytes(program.plan.arena_bytes)
        self.values: list[Any] = [None] * len(program.numbers)
        self.fixed: set[int] = set()
        self.actions: list[Action] = []
        self.regions: dict[Graph, Region] = {}
        for step in program.plan.steps:
            self._bind(step)
        self.volatile = [i for i in range(len(self.values)) if i not in self.fixed]

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """Run all steps on the inputs; the outputs live outside the arena."""
        values = self.values
        values[: len(arrays)] = arrays
        try:
            for i in self.program.donated:
                values[i] = writable(values[i])
            for action in self.actions:
                action()
            return [_returned(values[i], nbytes) for i, nbytes in self.program.returns]
        finally:
            for i in self.volatile:
                values[i] = None

    # Binding steps.

    def _bind(self, step: Step) -> None:
        node = step.node
        numbers = [self.program.numbers[v] for v in node.results]
        place = self.program.places[node.results[0]] if node.results else None
        if place is not None and place.kind == "fixed" and not node.operands:
            self._fix(numbers[0], _made_once(node, node in self.program.spread))
        elif step.view_of is not None:
            self._bind_view(step, numbers)
        elif node.regions:
            self._bind_regions(node, numbers)
        elif place is None or (place.kind == "own" and step.in_place_of is None):
            self.actions.append(self._own_results(node, numbers))
        else:
            self._bind_into(step, numbers)
        self._release(step)

    def _fix(self, number: int, array: Any) -> None:
        self.values[number] = array
        self.fixed.add(number)

    def _operands(self, node: Node) -> list[int]:
        return [self.program.numbers[v] for v in node.operands]

    def _bind_view(self, step: Step, numbers: list[int]) -> None:
        """A view of memory that stays where it is, is made once."""
        node, operands = step.node, self._operands(step.node)
        values = self.values
        if len(operands) == 1 and operands[0] in self.fixed:
            array = values[operands[0]]
            found = _first(node.op.reference(array, **node.attributes))
            literal = self.program.places[node.operands[0]].kind == "fixed"
            if found is array or literal or np.may_share_memory(found, array):
                self._fix(numbers[0], found)
                return
        reference = partial(node.op.reference, **node.attributes)
        if len(operands) == 1 and node.op.view is not None:
            (source,), (target,) = operands, numbers

            def view() -> None:
                values[target] = reference(values[source])

        else:

            def view() -> None:
                found = reference(*[values[i] for i in operands])
                found = found if type(found) is tuple else (found,)
                for i, array in zip(numbers, found, strict=True):
                    values[i] = array

        self.actions.append(view)

    def _bind_regions(self, node: Node, numbers: list[int]) -> None:
        runs = [self._region(r) for r in node.regions]
        runner, values, operands = RUNNERS[node.op], self.values, self._operands(node)

        def run_regions() -> None:
            try:
                results = runner(node, runs, [values[i] for i in operands])
            except PlaitError as error:
                raise error.at(node.location) from error.__cause__
            for i, result in zip(numbers, results, strict=True):
                values[i] = result

        self.actions.append(run_regions)

    def _region(self, graph: Graph) -> Region:
        found = self.regions.get(graph)
        if found is None:
            found = self.regions[graph] = Region(self.program.inner[graph])
        return found

    def _own_results(self, node: Node, numbers: list[int]) -> Action:
        """The op makes its results itself."""
        values, operands = self.values, self._operands(node)
        reference = partial(node.op.reference, **node.attributes)
        types = [v.type for v in node.results]

        def make_results() -> None:
            arrays = tuple([values[i] for i in operands])
            try:
                found = reference(*arrays)
            except PlaitError as error:
                raise error.at(node.location) from error.__cause__
            results = found if type(found) is tuple else (found,) if types else ()
            for i, result, t in zip(numbers, results, types, strict=True):
                values[i] = own(result, t.dtype, arrays) if type(t) is TensorType else result

        return make_results

    def _bind_into(self, step: Step, numbers: list[int]) -> None:
        """The op writes into memory that the plan chose."""
        node, operands = step.node, self._operands(step.node)
        prepare = [self._target(step, k, number) for k, number in enumerate(numbers)]
        late = [p for p in prepare if p is not None]
        write = _writer(node)
        values = self.values
        if not late and all(i in self.fixed for i in operands):
            outs = [values[i] for i in numbers]
            self.actions.append(write.bound(outs, [values[i] for i in operands]))
            return
        if len(late) == 1 and len(numbers) == 1:
            self.actions.append(write.late(values, late[0], numbers[0], operands))
            return
        self.actions += [partial(_set, values, i, p) for i, p in zip(numbers, prepare, strict=True)
                         if p is not None]  # fmt: skip
        self.actions.append(write.ready(values, numbers, operands))

    def _target(self, step: Step, k: int, number: int) -> Callable[[], Any] | None:
        """Fix the array that result k is written into, or give what makes it at each run."""
        value, slot = step.node.results[k], step.slots[k]
        values, t = self.values, value.tensor_type
        if step.in_place_of is not None:
            source = self.program.numbers[step.node.operands[step.in_place_of]]
            cast = _as_type(t, step.node.operands[step.in_place_of].tensor_type)
            if source in self.fixed:
                self._fix(number, cast(values[source]))
                return None
            return lambda: cast(values[source])
        if slot is not None:
            self._fix(number, at_offset(self.arena, t.shape, t.dtype, slot.offset))
            return None
        donor = self.program.taken_over.get(self.program.places[value])
        if donor is not None:
            return lambda: at_offset(values[donor].reshape(-1).view(np.uint8), t.shape, t.dtype, 0)
        return partial(empty, t.shape, t.dtype, t.nbytes)

    def _release(self, step: Step) -> None:
        """Let go of large arrays outside the arena after their last use."""
        for value in step.frees:
            place = self.program.places[value]
            if place.kind in ("own", "fresh") and place.nbytes >= RELEASED_FROM:
                number = self.program.numbers[value]
                self.actions.append(partial(self.values.__setitem__, number, None))


class Region:
    """A region's program with a state of its own, made when it first runs."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.state: State | None = None

    def __call__(self, arrays: Sequence[Any]) -> list[Any]:
        if self.state is None:
            self.state = self.program.new_state()
        return self.state.run(arrays)


@dataclass(frozen=True, slots=True)
class Writer:
    """Calls an op so that it writes into given arrays.

    A ufunc is called without the Python function around it.
    """

    function: Callable[..., object]
    is_ufunc: bool

    def bound(self, outs: list[Any], operands: list[Any]) -> Action:
        """Everything stays where it is: no Python runs around the op."""
        if self.is_ufunc:
            return partial(self.function, *operands, out=outs[0])
        return partial(self.function, tuple(outs) if len(outs) > 1 else outs[0], *operands)

    def late(
        self, values: list[Any], make: Callable[[], Any], number: int, operands: list[int]
    ) -> Action:
        """The output's memory is found at each run."""
        function = self.function
        if self.is_ufunc:

            def write() -> None:
                out = values[number] = make()
                function(*[values[i] for i in operands], out=out)

        else:

            def write() -> None:
                out = values[number] = make()
                function(out, *[values[i] for i in operands])

        return write

    def ready(self, values: list[Any], numbers: list[int], operands: list[int]) -> Action:
        """The outputs' memory is known, operands are not."""
        function = self.function
        if not self.is_ufunc:

            def write() -> None:
                outs = [values[i] for i in numbers]
                out = tuple(outs) if len(outs) > 1 else outs[0]
                function(out, *[values[i] for i in operands])

            return write
        (target,) = numbers
        if len(operands) == 1:
            (x,) = operands
            return lambda: function(values[x], out=values[target])
        if len(operands) == 2:
            x, y = operands
            return lambda: function(values[x], values[y], out=values[target])
        return lambda: function(*[values[i] for i in operands], out=values[target])


def _writer(node: Node) -> Writer:
    if isinstance(node.op.reference, np.ufunc) and len(node.results) == 1:
        return Writer(node.op.reference, True)
    assert node.op.into is not None
    return Writer(partial(node.op.into, **node.attributes), False)


def _set(values: list[Any], number: int, make: Callable[[], Any]) -> None:
    values[number] = make()


def _first(found: Any) -> Any:
    return found[0] if type(found) is tuple else found


def _made_once(node: Node, spread: bool) -> Any:
    """A constant's array, read-only."""
    if spread and node.op.spread is not None:
        return node.op.spread(**node.attributes)
    array = np.asarray(node.op.reference(**node.attributes), node.results[0].dtype)
    array.flags.writeable = False
    return array


def _as_type(wanted: TensorType, found: TensorType) -> Callable[[Any], Any]:
    """The same memory as another type; the same object when the types are equal."""
    if wanted == found:
        return lambda array: array
    return lambda array: array.view(wanted.dtype)


def _returned(array: Any, nbytes: int | None) -> Any:
    """An output: the array when it is the whole of memory that the caller may keep."""
    if type(array) is not np.ndarray:
        return array
    flags = array.flags
    whole = array.nbytes == nbytes and flags.c_contiguous and flags.writeable
    return array if whole else copy_of(array)


def _find_places(plan: ExecutionPlan) -> dict[Value, Place]:
    """Where each value lives, as the plan's slots, views and in-place ops say."""
    places: dict[Value, Place] = {}
    for value in plan.graph.inputs:
        kind = "donated" if value.index in plan.donated else "input"
        places[value] = Place(kind, _nbytes(value), value.index)
    for step in plan.steps:
        for k, value in enumerate(step.node.results):
            base = _shared(step, k)
            places[value] = places[base] if base is not None else _new_place(step, k)
            if step.in_place_of is not None and places[value].kind == "fixed":
                places[value].kind = "fresh"  # a fill that another op writes over
    return places


def _shared(step: Step, k: int) -> Value | None:
    """The operand whose memory result k shares."""
    if Trait.BARRIER in step.node.op.traits and step.view_of is not None:
        return step.node.operands[k]
    operand = step.in_place_of if step.in_place_of is not None else step.view_of
    return step.node.operands[operand] if operand is not None and k == 0 else None


def _new_place(step: Step, k: int) -> Place:
    node = step.node
    nbytes = _nbytes(node.results[k])
    if step.slots[k] is not None:
        return Place("arena", nbytes)
    if Trait.CONSTANT in node.op.traits:
        return Place("fixed", nbytes)
    writes = node.op.into is not None and not node.regions
    return Place("fresh" if writes else "own", nbytes)


def _nbytes(value: Value) -> int:
    return value.type.nbytes if type(value.type) is TensorType else 0
