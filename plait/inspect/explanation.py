"""Everything that is known of why a compiled function is as it is: captures, rewrites, buffers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from plait.inspect.naming import value_names
from plait.ir import UNKNOWN, Decision, ExecutionPlan, Location
from plait.ir.errors import PlaitError
from plait.runtime import Traced


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a rule did at a line of the user's.

    Attributes
    ----------
    pass_name, rule : str
    location : str
        The user's line of the nodes that were replaced.
    count : int
    """

    pass_name: str
    rule: str
    location: str
    count: int


@dataclass(frozen=True, slots=True)
class BufferDecision:
    """Where a value is stored, or is not, and why.

    Attributes
    ----------
    value : str
        In the text form of the optimized graph, with its type; empty for inputs and outputs.
    op : str
    kind : str
        ``"in-place"``, ``"donation"``, ``"alias"`` or ``"slot"``.
    taken : bool
    reason : str
    location : str
    region : str
        The name of the region that the value is in.
    """

    value: str
    op: str
    kind: str
    taken: bool
    reason: str
    location: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Residual:
    """What a gradient keeps, or computes again.

    Attributes
    ----------
    kind : str
        ``"input"``, ``"output"``, ``"saved"`` or ``"recomputed"``.
    name, type, location : str
    bytes : int
    """

    kind: str
    name: str
    type: str
    bytes: int
    location: str


@dataclass(frozen=True, slots=True)
class FullExplanation:
    """The records of one program of a function.

    Attributes
    ----------
    rewrites : tuple of Rewrite
    decisions : tuple of BufferDecision
    residuals : tuple of Residual
    note : str
        Why there is no plan; empty where there is one.
    """

    rewrites: tuple[Rewrite, ...]
    decisions: tuple[BufferDecision, ...]
    residuals: tuple[Residual, ...] = ()
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        made = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in made.items()}

    def as_text(self) -> str:
        """The records as tables."""
        parts = []
        rows: list[tuple[str, ...]]
        if self.rewrites:
            rows = [(r.pass_name, r.rule, f"{r.count}", r.location) for r in self.rewrites]
            parts.append(table("rewrites", ("pass", "rule", "times", "line"), rows))
        buffers = [d for d in self.decisions if d.kind != "slot"]
        if buffers:
            heads = ("value", "op", "", "reason", "line")
            parts.append(table("buffers", heads, [_decision_row(d) for d in buffers]))
        if self.note:
            parts.append(f"buffers\n  not planned: {self.note}")
        if self.residuals:
            heads = ("kind", "what", "type", "bytes", "line")
            rows = [(r.kind, r.name, r.type, f"{r.bytes}", r.location) for r in self.residuals]
            parts.append(table("residuals of the gradient", heads, rows))
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.as_text()


def _decision_row(decision: BufferDecision) -> tuple[str, ...]:
    verb = f"{decision.kind} {'taken' if decision.taken else 'refused'}"
    inner = f" in {decision.region}" if decision.region else ""
    return decision.value, f"{decision.op}{inner}", verb, decision.reason, decision.location


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A title, and rows in columns below it."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  " + "  ".join([c.ljust(w) for c, w in zip(row, widths, strict=True)]).rstrip()
        for row in (heads, *rows)
    ]
    return "\n".join([title, *lines])


def explain_program(traced: Traced, gradient: bool = False) -> FullExplanation:
    """What the passes and the planner did to a captured function, and why.

    Parameters
    ----------
    traced : Traced
    gradient : bool
        Whether to say what its gradient keeps.
    """
    optimized = traced.optimize()
    decisions: tuple[BufferDecision, ...] = ()
    note = ""
    try:
        decisions = tuple(dict.fromkeys(_decisions(optimized.plan())))
    except PlaitError as error:
        note = error.message
    residuals = tuple(_residuals(traced)) if gradient else ()
    return FullExplanation(tuple(_rewrites(optimized.report)), decisions, residuals, note)


def _rewrites(report: Any) -> Iterator[Rewrite]:
    for one in report.passes:
        name = one.spec.partition("{")[0]
        counted = Counter([(f.rule, f.location) for f in one.firings])
        for (rule, location), count in counted.items():
            yield Rewrite(name, rule, _shown(location), count)


def _decisions(plan: ExecutionPlan, region: str = "") -> Iterator[BufferDecision]:
    for decision in plan.decisions:
        yield _decision(decision, "", "", UNKNOWN, region)
    names = value_names(plan.graph)
    for step in plan.steps:
        node = step.node
        shown = f"{names[node.results[0]]}: {node.results[0].type}" if node.results else ""
        for decision in step.decisions:
            yield _decision(decision, shown, node.op.name, node.location, region)
        for inner in node.regions:
            if inner in plan.plans:
                yield from _decisions(plan.plans[inner], inner.name)


def _decision(
    decision: Decision, value: str, op: str, location: Location, region: str
) -> BufferDecision:
    kind, taken, reason = decision.kind, decision.taken, decision.reason
    return BufferDecision(value, op, kind, taken, reason, _shown(location), region)


def _residuals(traced: Traced) -> Iterator[Residual]:
    derived = traced.differentiate()
    for choice in (*derived.residuals, *derived.recomputed):
        location = _shown(choice.location)
        yield Residual(choice.kind, choice.name, str(choice.type), choice.bytes, location)


def _shown(location: Location) -> str:
    return f"{location.file}:{location.line}" if location.line else ""


__all__ = [
    "BufferDecision",
    "FullExplanation",
    "Residual",
    "Rewrite",
    "explain_program",
]
