"""The gradient of a captured function as a stage: forward, backward, and what is kept between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, overload

from plait.ir import Graph
from plait.ir.autodiff import capacity
from plait.ir.autodiff.graphs import is_differentiable
from plait.ir.autodiff.partition import POLICIES, Choice
from plait.ir.errors import DTypeError
from plait.ir.frames import public_methods
from plait.runtime.compiled import CompiledGraph, Linearized, counted
from plait.runtime.explain_text import html_table, place
from plait.runtime.inspected import page_about
from plait.runtime.memory import MemoryAnalysis, memory_of
from plait.runtime.played import checked_argnums
from plait.runtime.program import Program
from plait.runtime.staging import Stage
from plait.runtime.taped import compiled_graph
from plait.tracer import flatten, unflatten

HEADER = (
    "residuals",
    "kept",
    "bytes kept",
    "run again",
    "forward temporaries",
    "backward temporaries",
)


@dataclass(frozen=True, slots=True)
class GradientMemory:
    """What a gradient needs with one choice of residuals.

    Attributes
    ----------
    residuals : str
        The choice: ``"min-cut"``, ``"save-all"`` or ``"recompute-all"``.
    kept : int
        Number of values that the forward pass makes and keeps for the backward pass alone.
    kept_bytes : int
        Bytes of these. Arguments and results, which live anyway, are not counted.
    recomputed : int
        Number of nodes that the backward pass runs again.
    forward, backward : MemoryAnalysis
        Bytes of the two compiled programs, by the backend. What is kept is among the outputs of the
        one and the arguments of the other.
    """

    residuals: str
    kept: int
    kept_bytes: int
    recomputed: int
    forward: MemoryAnalysis
    backward: MemoryAnalysis

    def __str__(self) -> str:
        kept, nodes = counted(self.kept, "value"), counted(self.recomputed, "node")
        return (
            f"{self.residuals}: {kept} of {self.kept_bytes:,} bytes kept, {nodes} run again; "
            f"temporaries: forward {self.forward['temporaries']:,}, "
            f"backward {self.backward['temporaries']:,} bytes"
        )


class ResidualComparison(Sequence[GradientMemory]):
    """What a gradient needs with each choice of residuals: frozen records, shown as a table.

    Attributes
    ----------
    title : str
    """

    def __init__(self, title: str, records: Iterable[GradientMemory]) -> None:
        self.title = title
        self._records = tuple(records)

    @overload
    def __getitem__(self, index: int) -> GradientMemory: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[GradientMemory, ...]: ...
    def __getitem__(self, index: int | slice) -> GradientMemory | tuple[GradientMemory, ...]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def as_dict(self) -> dict[str, Any]:
        """The records as dicts by their choice, ready for JSON."""
        return {record.residuals: asdict(record) for record in self._records}

    def as_text(self) -> str:
        """The table as text."""
        return "\n".join([self.title, *aligned([HEADER, *map(_row, self._records)])])

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        table = html_table(HEADER, [_row(record) for record in self._records], numbers=1)
        return f"<p><b>{self.title}</b></p>{table}"


@public_methods
class Differentiated(Stage):
    """The reverse mode derivative of a captured function. Made by ``Traced.differentiate``.

    What a call of the function under a tape runs: ``forward`` when it is called, ``backward`` when
    the tape is played.

    Attributes
    ----------
    wrt : tuple of str
        Arguments and variables that it is differentiated with respect to.
    policy : str
        How the residuals were chosen.
    forward : Graph
        Inputs: those of the captured graph. Outputs: its own, then the values that are saved.
    backward : Graph
        Inputs: the residuals, then a cotangent for each floating output. Outputs: the cotangents of
        ``wrt``, less those that are always zero.
    residuals : tuple of Choice
        What the backward pass gets: ``kind`` (``"input"`` and ``"output"``, which are there anyway,
        or ``"saved"``), ``name`` of the op or input that makes it, ``type``, ``bytes``,
        ``location``.
    recomputed : tuple of Choice
        What the backward pass computes again.
    saved_bytes : int
        Bytes of the saved residuals.
    capacity : int
        Trips that loops of unknown length have room for.
    """

    def __init__(self, program: Program, argnums: int | Sequence[int] | None, policy: str) -> None:
        self._program = program
        self._needs = wanted_inputs(program, argnums)
        self.policy = policy
        self._linear = self._linearized(policy)
        parts = self._linear.split
        self.wrt = _names(program, self._needs)
        self.forward: Graph = parts.forward
        self.backward: Graph = parts.backward
        self.residuals = tuple([c for c in parts.choices if c.kind != "recomputed"])
        self.recomputed = tuple([c for c in parts.choices if c.kind == "recomputed"])
        self.saved_bytes = parts.saved_bytes
        self.capacity = self._linear.capacity

    def _linearized(self, policy: str) -> Linearized:
        program = self._program
        own = compiled_graph(program)
        if policy == program.options.residuals:
            return own.linearized(self._needs)
        options = replace(program.options, residuals=policy)
        room = max(own.capacity, capacity.current().capacity)
        with capacity.use(replace(capacity.current(), capacity=room)):
            other = CompiledGraph(program.traced.graph, options, program.device)
            return other.linearized(self._needs)

    def memory_analysis(self) -> GradientMemory:
        """Bytes of the two passes, compiled by the function's backend."""
        return _measured(self.policy, self._linear)

    def compare_residuals(self) -> ResidualComparison:
        """``memory_analysis`` of each choice of residuals; compiles both passes for each."""
        others = [p for p in POLICIES if p != self.policy]
        linears = {self.policy: self._linear, **{p: self._linearized(p) for p in others}}
        name, backend = self._program.traced.graph.name, self._program.options.backend
        title = (
            f"gradient of {name} with respect to {', '.join(self.wrt)}, compiled for {backend}; "
            f"calls take {self._program.options.residuals}"
        )
        return ResidualComparison(title, [_measured(p, linears[p]) for p in POLICIES])

    def inspect(self) -> Any:
        """A page about both passes as one graph, which a notebook shows; ``.save`` writes it."""
        parts = self._linear.split
        return page_about("gradient", self, parts.residuals, parts.num_outputs)

    def as_text(self) -> str:
        """The residuals as comments, then the text of both graphs."""
        kept = counted(sum(c.kind == "saved" for c in self.residuals), "value")
        title = (
            f"gradient with respect to {', '.join(self.wrt)}; {self.policy}: "
            f"{kept} of {self.saved_bytes:,} bytes kept, "
            f"{counted(len(self.recomputed), 'node')} run again"
        )
        rows = [_choice_row(f"%residual{i}", choice) for i, choice in enumerate(self.residuals)]
        rows += [_choice_row("", choice) for choice in self.recomputed]
        comments = [f"# {line}" for line in (title, *aligned(rows))]
        return "\n".join([*comments, self.forward.as_text(), "", self.backward.as_text()])


def wanted_inputs(program: Program, argnums: int | Sequence[int] | None) -> tuple[bool, ...]:
    """For each input of a program's graph, whether a gradient is to go back to it.

    Parameters
    ----------
    program : Program
    argnums : int, sequence of int, or None
        Positional arguments; None for all floating tensors among the arguments, and the trainable
        variables.

    Raises
    ------
    SignatureError, DTypeError
        There is no such argument, it is not floating, or there is nothing to differentiate by.
    """
    traced = program.traced
    inputs = traced.graph.inputs
    smooth = [is_differentiable(value) for value in inputs]
    if argnums is None:
        places = program.positions
        asked = [traced.leaves[i].kind != "number" for i in places]
        asked += [c.kind == "variable" and c.source.trainable for c in traced.captures]
        needs = tuple([a and s for a, s in zip(asked, smooth, strict=True)])
        if not any(needs):
            raise DTypeError(
                "differentiate: no argument is a floating tensor, and no trainable variable is read"
            )
        return needs
    chosen = _leaves_of(program, argnums)
    for i, leaf in enumerate(program.positions):
        if leaf in chosen and not smooth[i]:
            raise DTypeError(
                f"differentiate: {traced.paths[leaf]} is {inputs[i].type}; only floating and "
                "complex tensors have gradients"
            )
    needs = tuple([i in chosen for i in program.positions])
    return (*needs, *[False] * len(traced.captures))


def _leaves_of(program: Program, argnums: int | Sequence[int]) -> set[int]:
    """The leaves of some positional arguments."""
    tree = program.traced.in_tree
    args, _ = unflatten(tree, list(range(len(program.traced.leaves))))
    return {leaf for k in checked_argnums(argnums, args) for leaf in flatten(args[k])[0]}


def _names(program: Program, needs: Sequence[bool]) -> tuple[str, ...]:
    traced = program.traced
    names = [traced.paths[i] for i in program.positions]
    names += [v.name for v in traced.graph.inputs[len(names) :]]
    return tuple([name for name, need in zip(names, needs, strict=True) if need])


def _measured(policy: str, linear: Linearized) -> GradientMemory:
    choices = linear.split.choices
    return GradientMemory(
        policy,
        sum(c.kind == "saved" for c in choices),
        linear.split.saved_bytes,
        sum(c.kind == "recomputed" for c in choices),
        memory_of(linear.forward.executable.memory_analysis()),
        memory_of(linear.backward.executable.memory_analysis()),
    )


def _row(record: GradientMemory) -> tuple[str, ...]:
    numbers = (
        record.kept,
        record.kept_bytes,
        record.recomputed,
        record.forward["temporaries"],
        record.backward["temporaries"],
    )
    return (record.residuals, *[f"{number:,}" for number in numbers])


def _choice_row(residual: str, choice: Choice) -> tuple[str, ...]:
    size = f"{choice.bytes:,} bytes" if choice.kind == "saved" else ""
    return residual, choice.kind, choice.name, choice.type, size, place(choice.location)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the cells of rows in columns, what begins with a digit to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_cell, row, widths)).rstrip() for row in rows]


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text[:1].isdigit() else text.ljust(width)


__all__ = ["Differentiated", "GradientMemory", "ResidualComparison", "wanted_inputs"]
