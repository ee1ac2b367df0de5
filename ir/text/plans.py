"""The text form of execution plans: the graph's, with slots, in-place ops and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from plait.ir.graph import Value
from plait.ir.plan import Decision, ExecutionPlan, Slot, Step
from plait.ir.text.names import name_values, quote_name, quote_value
from plait.ir.text.printer import Printer, Writing, drive
from plait.ir.types import TensorType

Texts = Mapping[Value, str]


def print_plan(plan: ExecutionPlan, *, locations: bool = False, reasons: bool = False) -> str:
    """The text form of a plan.

    Each line of the graph shows where its results live: in a slot of the arena (with its offset),
    in place of an operand, as a view, or as an output, outside the arena. Values have the names
    that they have in the graph's own text.

    Parameters
    ----------
    plan : ExecutionPlan
    locations : bool
        Whether each node shows the user's file and line.
    reasons : bool
        Whether each decision, taken or refused, says why.
    """
    printer = _PlanPrinter(locations, reasons)
    return "\n".join([*_header(plan, reasons), printer.write_plan(plan)])


def _header(plan: ExecutionPlan, reasons: bool) -> list[str]:
    """What holds for the whole plan, as comments."""
    saved = plan.unplanned_bytes - plan.arena_bytes
    lines = [
        f"# plan for backend {plan.backend}: arena {plan.arena_bytes} bytes in "
        f"{len(plan.slots)} slot(s), peak {plan.peak_bytes} bytes",
        f"# saved {saved} of {plan.unplanned_bytes} bytes of intermediate results",
    ]
    names = name_values(plan.graph)
    inputs = [quote_value(names[v]) for v in plan.graph.inputs]
    if plan.donated:
        shown = ", ".join([inputs[i] for i in sorted(plan.donated)])
        lines.append(f"# donated: {shown}")
    for output, source in sorted(plan.aliases.items()):
        lines.append(f"# output {output} takes over the buffer of {inputs[source]}")
    if reasons:
        lines += [f"# {_reason(d)}" for d in plan.decisions]
    return lines


def _reason(decision: Decision) -> str:
    return f"{decision.kind} {'taken' if decision.taken else 'refused'}: {decision.reason}"


class _PlanPrinter(Printer):
    """Writes the steps of a plan in their order."""

    def __init__(self, locations: bool, reasons: bool) -> None:
        super().__init__(locations)
        self._reasons = reasons

    def write_plan(self, plan: ExecutionPlan) -> str:
        """The text of the plan's graph."""
        graph = plan.graph
        self._function = graph.name
        names = name_values(graph)
        returned = ", ".join([self.type(v.type) for v in graph.outputs])
        head = f"graph {quote_name(graph.name)}{self.header(graph, names)} -> ({returned}) {{"
        self.lines.append(head)
        drive(self.steps(plan, names, "  "))
        self.lines.append("}")
        return "\n".join(self.lines)

    def steps(self, plan: ExecutionPlan, names: Mapping[Value, str], indent: str) -> Writing:
        """Write the steps; yields the writing of each region."""
        texts = {v: quote_value(n) for v, n in names.items()}
        outputs = {v: i for i, v in reversed(list(enumerate(plan.graph.outputs)))}
        for step in plan.steps:
            node = step.node
            line = indent + self.node(node, texts)
            for region in node.regions:
                inner = name_values(region)
                self.lines.append(
                    f"{line} {quote_name(region.name)}{self.header(region, inner)} {{"
                )
                if region in plan.plans:
                    yield self.steps(plan.plans[region], inner, indent + "  ")
                else:
                    yield self.body(region, inner, indent + "  ")
                line = f"{indent}}}"
            note = ", ".join(_notes(step, texts, outputs, plan.aliases))
            line = f"{line}  {note}" if note else line
            self.lines.append(line + self.location(node.location, len(line)))
            if self._reasons:
                self.lines += [f"{indent}  # {_reason(d)}" for d in step.decisions]
                self.lines += _frees(step.frees, texts, indent)
        self.lines.append(self.outputs(plan.graph, texts, indent))


def _frees(values: Iterable[Value], texts: Texts, indent: str) -> list[str]:
    shown = ", ".join([texts.get(v, "%?") for v in values])
    return [f"{indent}  # last use of {shown}"] if shown else []


def _notes(
    step: Step, texts: Texts, outputs: Mapping[Value, int], aliases: Mapping[int, int]
) -> list[str]:
    """Where the results of a step live."""
    notes: list[str] = []
    operands = step.node.operands
    if step.view_of is not None:
        notes.append(f"view of {texts.get(operands[step.view_of], '%?')}")
    if step.in_place_of is not None:
        notes.append(f"in-place of {texts.get(operands[step.in_place_of], '%?')}")
    several = len(step.node.results) > 1
    for result, slot in zip(step.node.results, step.slots, strict=True):
        place = _place(result, slot, outputs, aliases)
        if place and type(result.type) is TensorType:
            notes.append(f"{texts[result]} in {place}" if several else place)
    return notes


def _place(
    value: Value, slot: Slot | None, outputs: Mapping[Value, int], aliases: Mapping[int, int]
) -> str:
    if slot is not None:
        return f"slot {slot.index} @ {slot.offset:#x}"
    if value not in outputs:
        return ""
    output = outputs[value]
    return f"output {output}" + (f" in input {aliases[output]}" if output in aliases else "")
