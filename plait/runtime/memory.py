"""How many bytes a program needs: by Plait's plan, and by what a backend says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from plait.ir import ExecutionPlan, TensorType, Value


class MemoryAnalysis(TypedDict):
    """Bytes of a program.

    Attributes
    ----------
    arguments, outputs : int
    temporaries : int
        What is allocated for the time of a call.
    aliases : int
        Outputs that take over the buffer of an argument.
    total : int
        Arguments, outputs and temporaries, less the aliases.
    """

    arguments: int
    outputs: int
    temporaries: int
    aliases: int
    total: int


class PlanMemory(MemoryAnalysis):
    """Bytes of a plan; ``temporaries`` are the arena and those of its regions.

    Attributes
    ----------
    arena : int
        Size of the arena.
    peak : int
        Largest sum of live bytes: the least that an arena can have.
    unplanned : int
        All intermediate results together, as they would be without reuse.
    """

    arena: int
    peak: int
    unplanned: int


def plan_memory(plan: ExecutionPlan) -> PlanMemory:
    """The bytes of a plan."""
    arguments = sum(map(_nbytes, plan.graph.inputs))
    outputs = sum(map(_nbytes, plan.graph.outputs))
    temporaries = _arenas(plan)
    aliases = sum(_nbytes(plan.graph.outputs[i]) for i in plan.aliases)
    return {
        "arguments": arguments,
        "outputs": outputs,
        "temporaries": temporaries,
        "aliases": aliases,
        "total": arguments + outputs + temporaries - aliases,
        "arena": plan.arena_bytes,
        "peak": plan.peak_bytes,
        "unplanned": plan.unplanned_bytes,
    }


def memory_of(found: Mapping[str, int]) -> MemoryAnalysis:
    """What an executable says of its memory, typed."""
    return {
        "arguments": found["arguments"],
        "outputs": found["outputs"],
        "temporaries": found["temporaries"],
        "aliases": found["aliases"],
        "total": found["total"],
    }


def memory_text(name: str, memory: MemoryAnalysis) -> str:
    """One line: ``xla: arguments 64, outputs 64, temporaries 0, aliases 0, total 128 bytes``."""
    keys = MemoryAnalysis.__annotations__
    return f"{name}: {', '.join(f'{key} {memory[key]}' for key in keys)} bytes"  # type: ignore[literal-required]


def memory_lines(memories: Mapping[str, MemoryAnalysis]) -> str:
    """A comment line for each, to stand below the text of a plan."""
    return "\n".join(f"# {memory_text(name, memory)}" for name, memory in memories.items())


def _arenas(plan: ExecutionPlan) -> int:
    """The arena and those of the regions."""
    total, pending = 0, [plan]
    while pending:
        one = pending.pop()
        total += one.arena_bytes
        pending += one.plans.values()
    return total


def _nbytes(value: Value) -> int:
    return value.type.nbytes if type(value.type) is TensorType else 0


__all__ = [
    "MemoryAnalysis",
    "PlanMemory",
    "memory_lines",
    "memory_of",
    "memory_text",
    "plan_memory",
]
