"""The planned executable: a small pool of arenas, one for each call in flight."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from plait.backends.planned.program import Program, State
from plait.ir import ExecutionPlan, Graph, Step, TensorType, Value
from plait.ir.errors import BackendError, SignatureError

#: Arenas kept for later calls; more exist while more calls are in flight.
MAX_IDLE = 4


class PlannedExecutable:
    """A graph as NumPy calls in preallocated memory. Thread-safe and re-entrant.

    Parameters
    ----------
    plan : ExecutionPlan
    """

    backend = "planned"

    def __init__(self, plan: ExecutionPlan) -> None:
        self.plan = plan
        self.program = Program(plan)
        self._idle: list[State] = [self.program.new_state()]

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Run on one array for each input; the outputs are the caller's.

        Raises
        ------
        SignatureError
            An array that is not of its input's type.
        """
        arguments = self._check(arrays)
        try:
            state = self._idle.pop()
        except IndexError:
            state = self.program.new_state()
        try:
            with np.errstate(all="ignore"):
                return state.run(arguments)
        finally:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(state)

    def _check(self, arrays: Sequence[Any]) -> list[Any]:
        inputs = self.plan.graph.inputs
        if len(arrays) != len(inputs):
            raise SignatureError(
                f"graph {self.plan.graph.name!r} takes {len(inputs)} argument(s), got {len(arrays)}"
            )
        return [_check_one(a, v) for a, v in zip(arrays, inputs, strict=True)]

    def memory_analysis(self) -> Mapping[str, int]:
        """Bytes: ``arguments``, ``outputs``, ``temporaries``, ``aliases`` and ``total``."""
        graph = self.plan.graph
        arguments = sum(_nbytes(v) for v in graph.inputs)
        outputs = sum(_nbytes(v) for v in graph.outputs)
        temporaries = _temporaries(self.plan)
        aliases = sum(_nbytes(graph.outputs[i]) for i in self.plan.aliases)
        return {
            "arguments": arguments,
            "outputs": outputs,
            "temporaries": temporaries,
            "aliases": aliases,
            "total": arguments + outputs + temporaries - aliases,
        }

    def as_text(self, form: str) -> str:
        """The plan, for the form ``"plan"``.

        Raises
        ------
        BackendError
            Another form.
        """
        if form != "plan":
            raise BackendError(f"the planned backend has the form 'plan' only, not {form!r}")
        return self.plan.as_text()


def _check_one(array: Any, value: Value) -> Any:
    t = value.type
    if type(t) is not TensorType:
        return array
    if type(array) is not np.ndarray:
        array = np.asarray(array)
    if array.shape != t.shape or array.dtype != t.dtype:
        found = f"{array.dtype.name}{list(array.shape)}"
        raise SignatureError(f"input {value.index} ({value.name or 'unnamed'}) is {t}, got {found}")
    return array


def _nbytes(value: Value) -> int:
    return value.type.nbytes if type(value.type) is TensorType else 0


def _temporaries(plan: ExecutionPlan) -> int:
    """The arenas, with those of regions, and the peak of what ops allocate themselves."""
    program = Program(plan)
    live = peak = 0
    outputs = set(plan.graph.outputs)
    for step in plan.steps:
        made = [v for v in step.node.results if _is_own(program, v, step) and v not in outputs]
        live += sum(_nbytes(v) for v in made)
        peak = max(peak, live)
        freed = [v for v in step.frees if v.node is not None and program.places[v].kind == "own"]
        live -= sum(_nbytes(v) for v in freed)
    return plan.arena_bytes + peak + sum(_temporaries(p) for p in plan.plans.values())


def _is_own(program: Program, value: Value, step: Step) -> bool:
    alone = step.view_of is None and step.in_place_of is None
    return alone and program.places[value].kind == "own"


def unplanned(graph: Graph, donated: Collection[int] = ()) -> ExecutionPlan:
    """A plan without reuse: the program's order, a fresh array for each result."""
    regions = {r: unplanned(r) for n in graph.nodes for r in n.regions}
    steps = tuple([Step(n, (None,) * len(n.results)) for n in graph.nodes])
    results = [v for n in graph.nodes for v in n.results]
    return ExecutionPlan(
        graph=graph,
        backend="planned",
        steps=steps,
        slots=(),
        arena_bytes=0,
        peak_bytes=0,
        unplanned_bytes=sum(_nbytes(v) for v in results),
        aliases={},
        donated=frozenset(),
        plans=regions,
    )
