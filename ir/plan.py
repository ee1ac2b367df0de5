"""The execution plan: a scheduled graph with its buffers, made by passes, run by backends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plait.ir.graph import Graph, Node, Value


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order of a graph's nodes, with the reason of the order.

    Attributes
    ----------
    graph : Graph
    order : tuple of Node
    peak_bytes : int
        Largest sum of live bytes over the order (inputs and constants not counted).
    """

    graph: Graph
    order: tuple[Node, ...]
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of the arena that one or more values occupy, one after the other."""

    index: int
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a value was or was not computed in place, donated, or given a shared slot.

    Attributes
    ----------
    kind : str
        ``"in-place"``, ``"donation"``, ``"alias"`` or ``"slot"``.
    taken : bool
    reason : str
        One sentence for people.
    """

    kind: str
    taken: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the plan.

    Attributes
    ----------
    node : Node
    slots : tuple of (Slot or None)
        Where each result lives; None for outputs, views and tokens, which live outside the arena.
    in_place_of : int or None
        The operand whose buffer result 0 takes over.
    view_of : int or None
        The operand of which result 0 is a view.
    frees : tuple of Value
        Values whose last use this is.
    decisions : tuple of Decision
    """

    node: Node
    slots: tuple[Slot | None, ...]
    in_place_of: int | None = None
    view_of: int | None = None
    frees: tuple[Value, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutionPlan:
    """Everything a backend needs to run a graph with preallocated buffers.

    Attributes
    ----------
    graph : Graph
    backend : str
        The backend that it was made for.
    steps : tuple of Step
    slots : tuple of Slot
    arena_bytes : int
        Size of the arena.
    peak_bytes : int
        Largest sum of live bytes: the lower bound of ``arena_bytes``.
    unplanned_bytes : int
        Bytes of all intermediate results together, as they would be with no reuse.
    aliases : mapping of int to int
        Output index to the index of the donated input whose buffer it takes over.
    donated : frozenset of int
        Inputs that the caller gives up.
    plans : mapping of Graph to ExecutionPlan
        Plans of regions.
    decisions : tuple of Decision
        Decisions about inputs and outputs.
    """

    graph: Graph
    backend: str
    steps: tuple[Step, ...]
    slots: tuple[Slot, ...]
    arena_bytes: int
    peak_bytes: int
    unplanned_bytes: int
    aliases: Mapping[int, int]
    donated: frozenset[int]
    plans: Mapping[Graph, ExecutionPlan]
    decisions: tuple[Decision, ...] = ()

    def as_text(self, **options: Any) -> str:
        """The text form of the graph with slots and in-place ops."""
        from plait.ir.text import print_plan

        return print_plan(self, **options)

    def inspect(self) -> Any:
        """A page about the plan, which a notebook shows; ``.save(path)`` writes it."""
        from plait.ir.display import inspect

        return inspect(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from plait.ir.display import mime_bundle

        return mime_bundle(self)

    def __str__(self) -> str:
        return self.as_text()
