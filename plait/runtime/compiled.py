"""A compiled graph as a function of payloads that knows its derivatives: compiled graphs, too."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plait import backends
from plait.ir import Executable, Graph, dispatch, ops
from plait.ir.autodiff import capacity
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.graphs import Joint, joint
from plait.ir.autodiff.partition import Split, split
from plait.ir.derivatives.define import like
from plait.ir.errors import LoopCapacityError
from plait.runtime import log
from plait.runtime.memory import memory_of, memory_text
from plait.runtime.options import Options
from plait.runtime.pipeline import run_passes
from plait.tracer import recorded

if TYPE_CHECKING:
    from plait import passes  # loaded when something is compiled


#: The passes before a graph is differentiated.
BEFORE = "dce,inline{keep_rules=true},simplify"


def simplified(both: Joint) -> Joint:
    """A joint graph in which the forward and the backward part share what they have in common."""
    from plait import passes

    return replace(both, graph=passes.run_pipeline(both.graph, "simplify").graph)


def kept_text(parts: Split, policy: str) -> str:
    """``its gradient keeps 3 values of 768 bytes and runs 2 nodes again (min-cut)``."""
    saved = sum(c.kind == "saved" for c in parts.choices)
    again = sum(c.kind == "recomputed" for c in parts.choices)
    values, nodes = counted(saved, "value"), counted(again, "node")
    return (
        f"its gradient keeps {values} of {parts.saved_bytes} bytes, runs {nodes} again ({policy})"
    )


def counted(number: int, noun: str) -> str:
    """``2 nodes``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True, eq=False)
class Linearized:
    """A compiled graph's derivative with respect to some of its inputs.

    Attributes
    ----------
    forward, backward : CompiledGraph
    split : Split
        The graphs that they were made of, and how the residuals get from one to the other.
    capacity : int
        Trips that the buffers of loops hold.
    """

    forward: CompiledGraph
    backward: CompiledGraph
    split: Split
    capacity: int


class CompiledGraph:
    """A graph compiled for a backend, a ``Differentiable``.

    Passes and compilation run on first need, once, whatever the number of threads. So does the
    graph's derivative, which is another two compiled graphs, and so on for higher orders.

    Parameters
    ----------
    graph : Graph
        Without state: what it assigns are further outputs. Before the passes, which drop the rules
        that functions in it have of their own.
    options : Options
        Of the compiled function that it is part of.
    device : Any
        Where it runs; None for the backend's default.
    """

    def __init__(self, graph: Graph, options: Options, device: Any = None) -> None:
        self.name = graph.name
        self.graph = graph
        self.options = options
        self.device = device
        self._lock = threading.RLock()
        self._executable: Executable | None = None
        self._checks: passes.CheckTable = ()
        self._linearized: dict[tuple[bool, ...], Linearized] = {}
        self._pushed: dict[tuple[bool, ...], tuple[CompiledGraph, tuple[int, ...]]] = {}
        self._capacity: int | None = None
        self._smooth: Graph | None = None

    @property
    def capacity(self) -> int:
        """Trips that loops in its gradient have had to have room for; 0 when not known."""
        return self._capacity or 0

    # Running.

    @property
    def executable(self) -> Executable:
        """The compiled program."""
        if self._executable is None:
            with self._lock:
                if self._executable is None:
                    self._executable = self._compile()
        return self._executable

    def _compile(self) -> Executable:
        from plait import passes

        name, dumps = self.options.backend, log.Dumps(self.graph)
        optimized = run_passes(self.graph, self.options.passes, dumps).graph
        runnable, self._checks = passes.lower_checks(optimized, enabled=self.options.checks)
        log.log("compile", f"{self.name} for {name}")
        if name == "xla":
            lower = importlib.import_module(backends.BACKENDS["xla"]).lower
            compiled: Executable = lower(runnable, donated={}, device=self.device).compile()
            if log.enabled("plan"):
                memory = memory_of(compiled.memory_analysis())
                log.log("plan", f"{self.name} for {memory_text('xla', memory)}")
            return compiled
        plan = passes.plan(runnable, backend=name) if name == "planned" else None
        return backends.get_backend(name).compile(runnable, plan=plan, donated={})

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run on payloads of exactly the graph's input types.

        Raises
        ------
        Exception
            Of the first check that fails.
        """
        if not dispatch.is_eager():  # a way back that is written down
            found: tuple[Any, ...] = dispatch.run_at(
                0, ops.call, operands, {"name": self.name}, (self.graph,)
            )
            return found
        run = self.executable
        if self.options.backend == "xla":
            results = run(*recorded.raw_payloads(operands))
        else:
            results = run(*[np.asarray(x) for x in operands])
        if self._checks:
            status = np.asarray(results[-1])
            if status[0]:
                raise self._checks[int(status[0]) - 1].exception(status)
            results = results[:-1]
        return tuple(results)

    # Reverse mode.

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """The results, and the compiled way back."""
        while True:
            linear = self.linearized(needs)
            try:
                found = apply(linear.forward, operands)
                break
            except LoopCapacityError as error:
                if 0 < error.trips <= linear.capacity:
                    raise  # of a loop in the graph itself, whose buffers are made further out
                self._grow(needs, linear, error.trips or 2 * linear.capacity)
        results = found[: linear.split.num_outputs]
        held = [
            operands[r.index] if r.kind == "input" else found[r.index]
            for r in linear.split.residuals
        ]

        def pull(cotangents: Sequence[Any], wanted: tuple[bool, ...]) -> Sequence[Any]:
            parts = linear.split
            given = [
                like(results[i], 0) if cotangents[i] is None else cotangents[i]
                for i in parts.outputs
            ]
            pulled = dispatch.apply(linear.backward, (*held, *given))
            made: list[Any] = [None] * len(operands)
            for i, x in zip(parts.inputs, pulled, strict=True):
                made[i] = x if wanted[i] else None
            return made

        return results, pull

    @property
    def smooth(self) -> Graph:
        """The graph that is differentiated: simplified, with the rules of functions in it."""
        from plait import passes

        if self._smooth is None:
            self._smooth = passes.run_pipeline(self.graph, BEFORE).graph
        return self._smooth

    def linearized(self, needs: tuple[bool, ...]) -> Linearized:
        """The derivative with respect to the inputs that need one."""
        with self._lock:
            found = self._linearized.get(needs)
            if found is None:
                options = capacity.current()
                room = max(options.capacity, self.capacity)
                policy = self.options.residuals
                options = replace(options, capacity=room, residuals=policy)
                with capacity.use(options):
                    inputs = [i for i, need in enumerate(needs) if need]
                    parts = split(simplified(joint(self.smooth, inputs)))
                    found = Linearized(
                        self._derived(parts.forward, "forward"),
                        self._derived(parts.backward, "backward"),
                        parts,
                        options.capacity,
                    )
                log.log("plan", f"{self.name}: {kept_text(parts, policy)}")
                self._linearized[needs] = found
            return found

    def _derived(self, graph: Graph, role: str) -> CompiledGraph:
        named = Graph(f"{self.name}_{role}", graph.inputs, graph.nodes, graph.outputs)
        return CompiledGraph(named, self.options, self.device)

    def _grow(self, needs: tuple[bool, ...], failed: Linearized, trips: int) -> None:
        """Make room for the trips that a loop made."""
        with self._lock:
            if self._linearized.get(needs) is failed:
                self._capacity = max(capacity.next_capacity(trips), self._capacity or 1)
                self._linearized.clear()

    # Forward mode.

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results and their tangents, by one compiled graph."""
        active = tuple([t is not None for t in tangents])
        with self._lock:
            made = self._pushed.get(active)
            if made is None:
                graph, outputs = jvp_graph(self.smooth, [i for i, a in enumerate(active) if a])
                made = self._pushed[active] = (self._derived(graph, "jvp"), tuple(outputs))
        pushed, outputs = made
        found = apply(pushed, (*operands, *[t for t in tangents if t is not None]))
        count = len(self.graph.outputs)
        by_output = dict(zip(outputs, found[count:], strict=True))
        return found[:count], tuple([by_output.get(i) for i in range(count)])


__all__ = ["CompiledGraph", "Linearized"]
