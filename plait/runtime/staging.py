"""The stages of compilation, one object each: traced, optimized, lowered, compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plait.ir import ExecutionPlan, Graph
from plait.ir.display import mime_bundle
from plait.ir.errors import UnknownNameError
from plait.ir.frames import boundary, public_methods
from plait.ir.location import user_location
from plait.runtime.inspected import page_about
from plait.runtime.memory import MemoryAnalysis, PlanMemory, memory_of, plan_memory
from plait.runtime.options import demand_policy
from plait.runtime.program import Program

if TYPE_CHECKING:
    from plait import passes  # loaded when something is compiled
    from plait.ir import Cost
    from plait.runtime.differentiated import Differentiated

STAGES = ("traced", "optimized", "plan", "stablehlo", "hlo")
#: The form of a compiled program that is shown when none is named.
FORMS = {"xla": "hlo", "planned": "plan", "reference": "ir"}


class Stage(ABC):
    """What all stages have: a text, which is also how they show."""

    @abstractmethod
    def as_text(self) -> str:
        """The text form."""

    def __str__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return mime_bundle(self)


@public_methods
class Traced(Stage):
    """A captured function before any pass.

    Attributes
    ----------
    graph : Graph
        The graph as written down.
    captures : list of ndarray
        Present values of the graph's last inputs: what the function takes from outside.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.graph: Graph = program.traced.graph

    @property
    def captures(self) -> list[Any]:
        """Present values of captured tensors and variables, the graph's last inputs."""
        return [self._program.captured_array(c) for c in self._program.traced.captures]

    def as_text(self) -> str:
        """The text form of the graph."""
        return self.graph.as_text()

    def optimize(self, passes: str | None = None) -> Optimized:
        """Run the function's pipeline, or another one given as text."""
        program = self._program
        if passes is not None and passes != program.options.passes:
            options = replace(program.options, passes=passes)
            program = Program(program.traced, options, program.device)
        return Optimized(program)

    def differentiate(
        self, argnums: int | Sequence[int] | None = None, residuals: str | None = None
    ) -> Differentiated:
        """What a call under a tape runs: a forward and a backward graph, and what is kept between.

        Parameters
        ----------
        argnums : int or sequence of int, optional
            Positional arguments to differentiate with respect to; by default all floating tensors
            among the arguments, and all trainable variables that are read.
        residuals : {"min-cut", "save-all", "recompute-all"}, optional
            How the values that are kept are chosen; by default as the function says.

        Raises
        ------
        DTypeError, SignatureError
            An argument that is not floating, or not there.
        UnknownNameError
            There is no such way to choose.

        Examples
        --------
        >>> f = pl.graph_function(lambda x: pl.sum(pl.exp(pl.sin(x))), backend="planned")
        >>> derived = f.trace("f32[8]").differentiate()
        >>> [(r.kind, r.name, r.bytes) for r in derived.residuals]
        [('input', 'x', 32), ('saved', 'exp', 32)]
        >>> print(derived.memory_analysis())
        min-cut: 1 value of 32 bytes kept, 0 nodes run again; temporaries: ...
        """
        from plait.runtime.differentiated import Differentiated

        policy = self._program.options.residuals if residuals is None else residuals
        demand_policy(policy)
        return Differentiated(self._program, argnums, policy)

    def inspect(self) -> Any:
        """A page about the compilation, as of ``f.inspect``."""
        return page_about("function", None, self._program, None)

    def cost_analysis(self) -> Cost:
        """FLOPs and bytes moved, by Plait's cost model; ``known`` is False where sizes are not."""
        return self.graph.cost()

    def memory_analysis(self) -> PlanMemory:
        """Bytes by a plan of the graph as it is, no pass having run.

        Raises
        ------
        ShapeError
            A dimension is symbolic.
        """
        return self.optimize("").memory_analysis()

    def at_stage(self, stage: str) -> Any:
        """The form of a stage by its name.

        Raises
        ------
        UnknownNameError
            The stage does not exist.
        """
        if stage == "traced":
            return self.graph
        optimized = self.optimize()
        if stage == "optimized":
            return optimized.graph
        if stage == "plan":
            return optimized.plan()
        if stage == "stablehlo":
            return optimized.lower("xla").as_text()
        if stage == "hlo":
            return optimized.lower("xla").compile().as_text("hlo")
        raise _unknown_stage(stage)


@public_methods
class Optimized(Stage):
    """A captured function after the passes.

    Attributes
    ----------
    graph : Graph
    report : PipelineReport
        What each pass did.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.graph: Graph = program.optimized.graph
        self.report: passes.PipelineReport = program.optimized.report

    def as_text(self) -> str:
        """The text form of the graph."""
        return self.graph.as_text()

    def plan(self, backend: str = "planned") -> ExecutionPlan:
        """Order, buffers and in-place ops for a backend.

        Raises
        ------
        ShapeError
            A dimension is symbolic.
        """
        return self._program.plan(backend)

    def lower(self, backend: str | None = None) -> Lowered:
        """Translate for a backend: the function's own, or another."""
        program = self._program
        return Lowered(program if backend is None else program.for_backend(backend))

    def cost_analysis(self) -> Cost:
        """FLOPs and bytes moved, by Plait's cost model; ``known`` is False where sizes are not."""
        return self.graph.cost()

    def memory_analysis(self) -> PlanMemory:
        """Bytes by the plan: arguments, outputs, the arena, the peak of live bytes.

        Raises
        ------
        ShapeError
            A dimension is symbolic.
        """
        return plan_memory(self.plan())

    def compare_memory(self) -> dict[str, MemoryAnalysis]:
        """Bytes by the plan, ``"planned"``, beside what XLA says of its program, ``"xla"``.

        Compiles with XLA. The plan counts every input of the graph and the status of its checks;
        XLA leaves out inputs that nothing reads.

        Raises
        ------
        ShapeError, BackendError
            A dimension is symbolic, or XLA cannot compile the graph.
        """
        return {
            "planned": self.memory_analysis(),
            "xla": self.lower("xla").compile().memory_analysis(),
        }


@public_methods
class Lowered(Stage):
    """A graph translated for a backend, not compiled yet."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._text = program.lower()

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self._program.options.backend

    def as_text(self) -> str:
        """StableHLO for ``xla``, the plan for ``planned``, the graph for ``reference``."""
        return self._text()

    def cost_analysis(self) -> Mapping[str, float]:
        """``"flops"`` and ``"bytes accessed"``: XLA's estimate for ``xla``, else Plait's."""
        if self.backend == "xla":
            found: Mapping[str, float] = self._program.lowered.cost_analysis()
            return found
        return own_costs(self._program)

    def compile(self) -> Compiled:
        """Compile."""
        return Compiled(self._program)


@public_methods
class Compiled(Stage):
    """A compiled function; called with arguments of the traced types."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._executable: Any = program.executable

    @boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._program.call_with(args, kwargs)

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self._program.options.backend

    def as_text(self, form: str | None = None) -> str:
        """A form of the compiled program.

        Parameters
        ----------
        form : str, optional
            ``"hlo"`` (the default) or ``"stablehlo"`` for ``xla``, ``"plan"`` for ``planned``,
            ``"ir"`` for ``reference``.

        Raises
        ------
        UnknownNameError, BackendError
            The backend has no such form.
        """
        text: str = self._executable.as_text(form or FORMS[self.backend])
        return text

    def memory_analysis(self) -> MemoryAnalysis:
        """Bytes of arguments, outputs, temporaries, aliases, and the total, by the backend."""
        return memory_of(self._executable.memory_analysis())

    def cost_analysis(self) -> Mapping[str, float]:
        """``"flops"`` and ``"bytes accessed"``: XLA's estimate for ``xla``, else Plait's."""
        if self.backend == "xla":
            found: Mapping[str, float] = self._executable.cost_analysis()
            return found
        return own_costs(self._program)


def _unknown_stage(stage: Any) -> UnknownNameError:
    from difflib import get_close_matches

    near = get_close_matches(str(stage), STAGES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    found = UnknownNameError(f"unknown stage {stage!r}{hint} (stages: {', '.join(STAGES)})")
    return found.at(user_location())


def own_costs(program: Program) -> Mapping[str, float]:
    """Plait's costs under XLA's names."""
    cost = program.optimized.graph.cost()
    return {"flops": float(cost.flops), "bytes accessed": float(cost.bytes)}


__all__ = ["STAGES", "Compiled", "Lowered", "Optimized", "Traced"]
