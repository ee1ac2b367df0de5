"""The stages of compilation, one object each: traced, optimized, lowered, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plait.ir import ExecutionPlan, Graph
from plait.ir.errors import UnknownNameError
from plait.runtime.program import Program

STAGES = ("traced", "optimized", "plan", "stablehlo", "hlo")


class Traced:
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
        raise UnknownNameError(f"unknown stage {stage!r}; there are {', '.join(STAGES)}")

    def __str__(self) -> str:
        return self.as_text()


class Optimized:
    """A captured function after the passes.

    Attributes
    ----------
    graph : Graph
    report : PassReport
        What each pass did.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.graph: Graph = program.optimized.graph
        self.report = program.optimized.report

    def as_text(self) -> str:
        """The text form of the graph."""
        return self.graph.as_text()

    def plan(self, backend: str = "planned") -> ExecutionPlan:
        """Order, buffers and in-place ops for a backend."""
        return self._program.plan(backend)

    def lower(self, backend: str | None = None) -> Lowered:
        """Translate for a backend: the function's own, or another."""
        program = self._program
        if backend is not None and backend != program.options.backend:
            options = replace(program.options, backend=backend)
            program = Program(program.traced, options, program.device)
        return Lowered(program)

    def cost_analysis(self) -> Any:
        """FLOPs and bytes moved, by Plait's cost model."""
        return self.graph.cost()

    def __str__(self) -> str:
        return self.as_text()


class Lowered:
    """A graph translated for a backend, not compiled yet."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._text = program.lower()

    def as_text(self) -> str:
        """StableHLO for ``xla``, the plan for ``planned``, the graph for ``reference``."""
        return self._text()

    def compile(self) -> Compiled:
        """Compile."""
        return Compiled(self._program)

    def __str__(self) -> str:
        return self.as_text()


class Compiled:
    """A compiled function; called with arguments of the traced types."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._executable = program.executable

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._program.call_with(args, kwargs)

    def as_text(self, form: str = "hlo") -> str:
        """A form of the compiled program: ``"hlo"`` or ``"stablehlo"`` for ``xla``."""
        return self._executable.as_text(form)

    def memory_analysis(self) -> Mapping[str, int]:
        """Bytes of arguments, outputs, temporaries, aliases, and the total."""
        return self._executable.memory_analysis()

    def cost_analysis(self) -> Any:
        """FLOPs and bytes moved, by Plait's cost model."""
        return self._program.optimized.graph.cost()


__all__ = ["STAGES", "Compiled", "Lowered", "Optimized", "Traced"]
