"""The compile driver: a traced function through passes and a backend to something callable."""

from __future__ import annotations

import importlib
import operator
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plait import backends
from plait.ir import (
    Executable,
    ExecutionPlan,
    Graph,
)
from plait.ir.errors import SignatureError
from plait.runtime import log
from plait.runtime.aliases import demand_layouts
from plait.runtime.memory import memory_lines, memory_of, memory_text
from plait.runtime.options import Options
from plait.runtime.pipeline import keep_state_on_failure, run_passes
from plait.runtime.records import Timings
from plait.runtime.results import make_result
from plait.runtime.watch import Found, Watch
from plait.tracer import (
    Break,
    Capture,
    Change,
    Guard,
    LeafSpec,
    Tensor,
    TracedFunction,
    TreeDef,
    aligned_array,
    classify,
    flatten,
    freeze,
    unflatten,
    wrap,
)

if TYPE_CHECKING:
    from plait import passes  # loaded when something is compiled


#: What the status of a call without a failure is equal to. A comparison with a buffer reads it at
#: once, several times quicker than an ndarray of it; what cannot be read so, as on a GPU, is
#: unequal, and looked at with care.
NO_FAILURE = bytearray(4 * 8)


class Locked:
    """Several locks that are held together; given in an order that all agree on."""

    __slots__ = ("_locks",)

    def __init__(self, locks: Sequence[Any]) -> None:
        self._locks = locks

    def __enter__(self) -> None:
        for lock in self._locks:
            lock.acquire()

    def __exit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.release()


class Program:
    """A traced function compiled for one backend and device, ready to be called.

    Passes and compilation run on first need, once, whatever the number of threads.

    Attributes
    ----------
    traced : TracedFunction
    options : Options
    device : Any
        Where it runs; None for the backend's default.
    """

    def __init__(self, traced: TracedFunction, options: Options, device: Any = None) -> None:
        self.traced = traced
        self.options = options
        self.device = device
        self._lock = threading.RLock()
        self._dumps = log.Dumps(traced.graph)
        self._optimized: passes.PipelineResult | None = None
        self._runnable: Graph | None = None
        self._lowered: Any = None
        self._executable: Executable | None = None
        self.checks: passes.CheckTable = ()
        self.locked: Any = Locked(())
        self._donated: frozenset[int] = frozenset()
        self.timings = Timings()
        self.differentiable: Any = None  # the graph as tapes see it
        self.loops: Any = None  # how loops in its gradients were captured
        self.quick: Any = None  # the quick calls by classes of arguments; False when there are none
        self.positions = [i for i, leaf in enumerate(traced.leaves) if leaf.type is not None]
        self._watch = Watch(traced)
        self._plan_outputs()

    def _plan_outputs(self) -> None:
        """Find out whether results are plain tensors in order, which is the quick way out."""
        outputs = self.traced.outputs
        self.is_plain = (
            not self.traced.mutated
            and not self.traced.effects
            and self.traced.recipe is None
            and all(o.kind == "tensor" and o.index == i for i, o in enumerate(outputs))
        )
        tree = self.traced.out_tree
        self.is_single = tree.kind is None
        self.is_tuple = tree.kind is tuple and all(c.kind is None for c in tree.children)

    # Stages.

    def for_backend(self, name: str) -> Program:
        """The same program for a backend; passes do not run again."""
        if name == self.options.backend:
            return self
        other = Program(self.traced, replace(self.options, backend=name), self.device)
        other._optimized, other._dumps = self.optimized, self._dumps
        return other

    @property
    def optimized(self) -> passes.PipelineResult:
        """The graph after the passes, with the report of what they did."""
        with self._lock:
            if self._optimized is None:
                with self._timed("passes"):
                    graph, spec = self.traced.graph, self.options.passes
                    self._optimized = run_passes(graph, spec, self._dumps)
            return self._optimized

    @property
    def executable(self) -> Executable:
        """The compiled program."""
        if self._executable is None:
            with self._lock:
                if self._executable is None:
                    self._executable = self._compile()
        return self._executable

    @property
    def is_compiled(self) -> bool:
        """Whether it was compiled already."""
        return self._executable is not None

    @property
    def runnable(self) -> Graph:
        """The optimized graph with its checks turned into a status output."""
        with self._lock:
            if self._runnable is None:
                self._runnable = self._make_runnable()
            return self._runnable

    def _make_runnable(self) -> Graph:
        from plait import passes

        graph, table = passes.lower_checks(self.optimized.graph, enabled=self.options.checks)
        self.checks = table
        if table and self.traced.assigned:
            graph = keep_state_on_failure(graph, self._state_inputs(), self._own_outputs())
        return graph

    def _state_inputs(self) -> list[int]:
        """The graph inputs of the assigned variables, in the order of their outputs."""
        start = len(self.positions)
        captures = self.traced.captures
        where = {id(c.source): start + i for i, c in enumerate(captures) if c.kind == "variable"}
        return [where[id(v)] for v in self.traced.assigned]

    def donated_inputs(self) -> dict[int, int]:
        """Graph inputs whose buffers are given up, and the output that takes each one over.

        None where the user's code runs inside, which may read the state.
        """
        if not self.traced.assigned or any(n.op.is_host_effect for n in self.runnable.walk()):
            return {}
        start = self._own_outputs()
        return {position: start + i for i, position in enumerate(self._state_inputs())}

    def plan(self, backend: str) -> ExecutionPlan:
        """The execution plan for a backend."""
        from plait import passes

        made = passes.plan(self.runnable, backend=backend, donated=self.donated_inputs())
        title = f"{self.traced.graph.name} for {backend}"
        log.log("plan", f"{title}: arena {made.arena_bytes} bytes", made.as_text)
        return made

    @property
    def lowered(self) -> Any:
        """The graph as StableHLO, for the backend ``xla``."""
        with self._lock:
            if self._lowered is None:
                lower = importlib.import_module(backends.BACKENDS["xla"]).lower
                graph = self.runnable
                with self._timed("lower", f"{graph.name}: lowered for xla"):
                    lowered = lower(graph, donated=self.donated_inputs(), device=self.device)
                self._dumps.write("stablehlo", lowered.as_text, "mlir")
                self._lowered = lowered
            return self._lowered

    def _compile(self) -> Executable:
        name = self.options.backend
        self._plan_state()
        log.log("compile", f"{self.traced.graph.name} for {name}")
        finished = f"{self.traced.graph.name}: compiled for {name}"
        if name == "xla":
            lowered = self.lowered
            with self._timed("compile", finished):
                compiled: Executable = lowered.compile()
            if log.dumping() or log.enabled("plan"):
                self._show_plan(self.plan(name), compiled)
            return compiled
        graph = self.runnable
        plan = self.plan(name) if name == "planned" else None
        if plan is not None:
            self._dumps.write("plan", plan.as_text, "txt")
        backend = backends.get_backend(name)
        with self._timed("compile", finished):
            return backend.compile(graph, plan=plan, donated=self.donated_inputs())

    @contextmanager
    def _timed(self, stage: str, message: str = "") -> Iterator[None]:
        """Keep, and log, how long a stage takes."""
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        setattr(self.timings, stage, 1e3 * seconds)
        if message and log.topics().get("compile", 0) > 1:
            log.log("compile", message, seconds=seconds)

    def _show_plan(self, plan: ExecutionPlan, compiled: Executable) -> None:
        """Show XLA's figures of its memory beside our plan."""
        memory = memory_of(compiled.memory_analysis())
        log.log("plan", f"{self.traced.graph.name} for {memory_text('xla', memory)}")
        text = f"{plan.as_text()}\n{memory_lines({'xla': memory})}"
        self._dumps.write("plan", lambda: text, "txt")

    def _plan_state(self) -> None:
        """Which variables are given up at a call, and the locks that it holds meanwhile.

        A buffer that is given up must not be read by another thread until the new one is there.
        """
        variables = [c.source for c in self.traced.captures if c.kind == "variable"]
        if self.donated_inputs():
            self._donated = frozenset(map(id, self.traced.assigned))
        exclusive = self._donated or self.options.backend == "xla"
        if exclusive and not any(n.op.is_host_effect for n in self.runnable.walk()):
            locks = [v.lock for v in sorted(variables, key=id)]
            self.locked = locks[0] if len(locks) == 1 else Locked(locks)

    def gives_up(self, variable: Any) -> bool:
        """Whether a call may take over the buffer of a variable."""
        return id(variable) in self._donated

    # What is outside.

    def look(self, leaves: Sequence[Any], given: Any = None) -> Found | None:
        """What the program's paths lead to; None when outside is not what it was captured for."""
        return self._watch.look(leaves, given)

    @property
    def quick_look(self) -> Callable[..., Found | None] | None:
        """``look`` without a detour; None when there is nothing to look at."""
        return self._watch.quick

    def failures(self, leaves: Sequence[Any] = (), given: Any = None) -> tuple[Change, ...]:
        """What is not what it was when the function was captured."""
        return self._watch.failures(leaves, given)

    def failing(self, leaves: Sequence[Any], given: Any) -> list[Guard]:
        """The guards that fail."""
        return self._watch.failing(leaves, given)

    @property
    def is_for_once(self) -> bool:
        """Whether it is tied to the trace around it, has made its variables, or lacks guards."""
        traced = self.traced
        is_tied = any(c.kind == "value" for c in traced.captures)
        return is_tied or traced.made is not None or self._watch.has_dropped

    def settle(self, leaves: Sequence[Any], given: Any = None, once: bool = False) -> Found | None:
        """What the paths lead to right after the capture; None when guards fail."""
        return self._watch.settle(leaves, given, once or self.is_for_once)

    def unsettled(self, leaves: Sequence[Any], given: Any = None) -> Break:
        """Why guards fail right after the capture."""
        return self._watch.unsettled(leaves, given)

    # Calls.

    def call(self, leaves: Sequence[Any], given: Any = None, found: Found | None = None) -> Any:
        """Run on argument leaves of exactly the traced kinds and types.

        Parameters
        ----------
        leaves : sequence
        given : tuple, optional
            The arguments themselves, whose containers the function may change.
        found : tuple, optional
            What ``look`` gave; looked for when it is not there.

        Raises
        ------
        SignatureError
            What the function reads from outside is not what it was when it was compiled.
        """
        run = self.executable
        found = self.found(leaves, given, found)
        with self.locked:
            return self._call(run, leaves, found)

    def found(self, leaves: Sequence[Any], given: Any, found: Found | None) -> Found:
        """What the program's paths lead to: ``found`` where that is known already.

        Raises
        ------
        SignatureError
            What the function reads from outside is not what it was when it was compiled.
        """
        if found is None:
            if given is None:
                given = unflatten(self.traced.in_tree, leaves)
            found = self.look(leaves, given)
        if found is None:
            raise self._stale(leaves, given)
        return found

    def _stale(self, leaves: Sequence[Any], given: Any) -> SignatureError:
        changes = ", ".join(map(str, self.failures(leaves, given)))
        name = self.traced.graph.name
        return SignatureError(f"{name} was compiled for other values outside of it: {changes}")

    def _call(self, run: Executable, leaves: Sequence[Any], found: Found) -> Any:
        if self._needs_host_arrays():
            payloads = [self._host(leaves[i]) for i in self.positions]
        else:
            payloads = [self._payload(leaves[i]) for i in self.positions]
        captures = self.traced.captures
        payloads += [self._captured(c, x) for c, x in zip(captures, found, strict=False)]
        results = run(*payloads)
        owned = any(isinstance(leaves[i], (np.ndarray, np.generic)) for i in self.positions)
        if owned or any(c.kind == "array" for c in captures):
            wait(results)
        return self.finish(results, leaves, found)

    def _needs_host_arrays(self) -> bool:
        return self.options.backend != "xla"

    @staticmethod
    def _payload(leaf: Any) -> Any:
        if type(leaf) is Tensor:
            if type(leaf._data) is np.ndarray:
                aligned_array(leaf)
                freeze(leaf)
            return leaf._data
        return leaf if hasattr(leaf, "dtype") else number_array(leaf)

    @staticmethod
    def _host(leaf: Any) -> Any:
        data = leaf._data if type(leaf) is Tensor else leaf
        return np.asarray(data) if hasattr(data, "dtype") else number_array(data)

    def _captured(self, capture: Capture, source: Any) -> Any:
        if capture.kind == "tensor":
            return self._host(source) if self._needs_host_arrays() else self._payload(source)
        if capture.kind == "variable":
            return source.lend(donated=self.gives_up(source), host=self._needs_host_arrays())
        return number_array(source) if capture.kind == "number" else source

    def captured_array(self, capture: Capture) -> Any:
        """The present value of a capture as an ndarray."""
        source = capture.source if capture.path is None else capture.path.find()
        if capture.kind == "variable":
            return source.numpy()
        return np.asarray(source._data if type(source) is Tensor else source)

    def call_with(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run on arguments that must have the traced structure and types.

        Raises
        ------
        SignatureError
            They have not; says which argument differs.
        """
        leaves, tree = flatten((args, kwargs))
        name, specs = self.traced.graph.name, self.traced.leaves
        if tree != self.traced.in_tree:
            found = [classify(leaf, f"argument {i}") for i, leaf in enumerate(leaves)]
            raise SignatureError(
                f"compiled as {name}{_call_form(self.traced.in_tree, specs)}, "
                f"called as {name}{_call_form(tree, found)}"
            )
        for i, (leaf, wanted) in enumerate(zip(leaves, specs, strict=True)):
            path = self.traced.paths[i]
            given = classify(leaf, path)
            if (given.type, wanted.is_static and given.value) != (
                wanted.type,
                wanted.is_static and wanted.value,
            ):
                raise SignatureError(
                    f"{name}: {path}: compiled for {_shown(wanted)}, got {_shown(given)}"
                )
        demand_layouts(self.traced, leaves)
        return self.call(leaves, (args, kwargs))

    def lower(self) -> Callable[[], str]:
        """Translate for the backend; gives what writes the result as text."""
        backend = self.options.backend
        if backend == "xla":
            text: Callable[[], str] = self.lowered.as_text
            return text
        if backend == "planned":
            return self.plan(backend).as_text
        return self.optimized.graph.as_text

    def finish(self, results: Sequence[Any], leaves: Sequence[Any], found: Found = ()) -> Any:
        """Raise what the checks found, commit state, and build the result."""
        if self.checks:
            self._commit(results)
            self.raise_status(results[-1])
        elif self.traced.assigned:
            self._commit(results)
        self._write_back(results, leaves)
        return make_result(self.traced, results, leaves, found)

    def raise_status(self, status: Any) -> None:
        """Raise the first failed check, if there is one.

        Raises
        ------
        Exception
            Of the class that eager execution raises, at the same line of the user.
        """
        if operator.eq(NO_FAILURE, status):
            return
        found = np.asarray(status)
        if not found[0]:
            return
        raise self.checks[int(found[0]) - 1].exception(found)

    def _own_outputs(self) -> int:
        return self.traced.own

    def _commit(self, results: Sequence[Any]) -> None:
        start = self._own_outputs()
        for i, variable in enumerate(self.traced.assigned):
            variable.commit(results[start + i])

    def _write_back(self, results: Sequence[Any], leaves: Sequence[Any]) -> None:
        start = self._own_outputs() + len(self.traced.assigned)
        for i, position in enumerate(self.traced.mutated):
            leaf = leaves[position]
            leaf[...] = wrap(results[start + i]) if type(leaf) is Tensor else results[start + i]


def _shown(spec: LeafSpec) -> str:
    """The type of an argument, or its value where that is part of the signature."""
    return repr(spec.value.value) if spec.type is None else str(spec.type)


class _Text(str):
    """Text that stands for an argument."""

    __repr__ = str.__str__


def _call_form(tree: TreeDef, specs: Sequence[LeafSpec]) -> str:
    """``(f32[8], k=2)``: the arguments of a call by their types."""
    args, kwargs = unflatten(tree, [_Text(_shown(spec)) for spec in specs])
    return f"({', '.join([*map(repr, args), *[f'{k}={v!r}' for k, v in kwargs.items()]])})"


def number_array(value: Any) -> Any:
    """A Python number as an operand: in 64 bits."""
    kind = {bool: np.bool_, int: np.int64, float: np.float64, complex: np.complex128}[type(value)]
    return np.asarray(value, kind)


def wait(results: Sequence[Any]) -> None:
    """Block until the results are there, so that buffers lent by their owner are free again."""
    for result in results:
        ready = getattr(result, "block_until_ready", None)
        if ready is not None:
            ready()
            return
