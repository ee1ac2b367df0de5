"""From a graph to an execution plan: slots in one arena, in-place ops, donated inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plait.ir import (
    Decision,
    ExecutionPlan,
    Graph,
    Node,
    Slot,
    Step,
    TensorType,
    Value,
    ops,
    spread_literals,
)
from plait.ir.errors import GraphError, ShapeError
from plait.passes.arena import Lifetime, aligned, allocate, max_live_bytes
from plait.passes.buffers import Buffer, Buffers, Layouts, result_kind, shared_operands
from plait.passes.scheduling import is_literal, schedule, value_bytes

#: Donated inputs, each with the output that should take it over, if that is known.
Donations = Mapping[int, int | None]
_Memo = dict[tuple[Graph, tuple[tuple[int, int | None], ...]], ExecutionPlan]


def plan(
    graph: Graph, backend: str = "planned", donated: Iterable[int] | Mapping[int, int] = ()
) -> ExecutionPlan:
    """Schedule a graph and give every value its place in memory.

    Parameters
    ----------
    graph : Graph
        Its shapes are numbers.
    backend : str
        The backend that it is for.
    donated : collection of int, or mapping of int to int
        Inputs that the caller gives up; with a mapping, each with the output that should take
        over its buffer.

    Raises
    ------
    ShapeError
        A shape is symbolic.
    GraphError
        A donated input does not exist.
    """
    wishes: Donations = dict(donated) if isinstance(donated, Mapping) else dict.fromkeys(donated)
    for index in wishes:
        if not 0 <= index < len(graph.inputs):
            raise GraphError(f"donated input {index} is not one of {len(graph.inputs)} inputs")
    return _plan(graph, backend, wishes, {})


def _plan(graph: Graph, backend: str, donated: Donations, memo: _Memo) -> ExecutionPlan:
    key = (graph, tuple(sorted(donated.items())))
    found = memo.get(key)
    if found is None:
        found = memo[key] = _Planner(graph, backend, donated, memo).make()
    return found


def region_donations(node: Node) -> list[Donations]:
    """For each region, the inputs that it may write over: the carry of a loop."""
    if node.op is ops.while_:
        consts = node.attributes["num_consts"]
        carry = range(consts, len(node.operands))
        return [{}, {i: i - consts for i in carry}]
    if node.op is ops.scan:
        consts = node.attributes["num_consts"]
        carry = range(consts, consts + node.attributes["num_carry"])
        return [{i: i - consts for i in carry}]
    return [{} for _ in node.regions]


@dataclass(slots=True)
class _Draft:
    """A step before the arena is laid out."""

    node: Node
    buffers: tuple[Buffer | None, ...] = ()
    in_place_of: int | None = None
    view_of: int | None = None
    frees: tuple[Value, ...] = ()
    decisions: list[Decision] = field(default_factory=list)


class _Planner:
    """Plans one graph."""

    def __init__(self, graph: Graph, backend: str, donated: Donations, memo: _Memo) -> None:
        _demand_static(graph)
        self.graph = graph
        self.backend = backend
        self.donated = donated
        self.memo = memo
        self.order = schedule(graph).order
        self.spread = spread_literals(graph)
        self.end = len(self.order)
        self.outputs: dict[Value, list[int]] = {}
        for i, value in enumerate(graph.outputs):
            self.outputs.setdefault(value, []).append(i)
        values = [*graph.inputs, *[r for n in self.order for r in n.results]]
        layouts = Layouts(max([value_bytes(v.type) for v in values], default=0))
        self.buffers = Buffers(layouts, self._last_uses())
        self.decisions: list[Decision] = []
        self.aliases: dict[int, int] = {}

    def _last_uses(self) -> dict[Value, int]:
        last: dict[Value, int] = {}
        for i, node in enumerate(self.order):
            for value in node.operands:
                last[value] = i
        for value in self.graph.outputs:
            last[value] = self.end
        return last

    def make(self) -> ExecutionPlan:
        """Walk the order once, settle the outputs, lay out the arena."""
        for value in self.graph.inputs:
            kind = "donated" if value.index in self.donated else "input"
            self.buffers.add(value, kind, -1, value.index)
        drafts = [self._draft(i, node) for i, node in enumerate(self.order)]
        self._settle_outputs()
        self._settle_donations()
        slots, arena, peak = self._lay_out()
        steps = tuple([self._step(d, slots) for d in drafts])
        distinct = sorted(set(slots.values()), key=lambda s: s.index)
        results = [r for n in self.order if not is_literal(n, self.spread) for r in n.results]
        unplanned = sum(aligned(value_bytes(v.type)) for v in results if v not in self.outputs)
        return ExecutionPlan(
            graph=self.graph,
            backend=self.backend,
            steps=steps,
            slots=tuple(distinct),
            arena_bytes=arena,
            peak_bytes=peak,
            unplanned_bytes=unplanned,
            aliases=self.aliases,
            donated=frozenset(self.donated),
            plans=self._region_plans(),
            decisions=tuple(self.decisions),
        )

    # One step.

    def _draft(self, i: int, node: Node) -> _Draft:
        draft = _Draft(node)
        shared = shared_operands(node, self.buffers.layouts)
        self._explain_view(draft, shared)
        made: list[Buffer | None] = []
        for value, operand in zip(node.results, shared, strict=True):
            if operand is not None and type(value.type) is TensorType:
                self.buffers.join(value, self.buffers.of[node.operands[operand]])
                made.append(None)
            else:
                made.append(self._own_buffer(draft, i, value))
        draft.buffers = tuple(made)
        last = self.buffers.last_use
        ends = [v for v in dict.fromkeys(node.operands) if last[v] == i]
        draft.frees = (*ends, *[v for v in node.results if v not in last])
        return draft

    def _explain_view(self, draft: _Draft, shared: list[int | None]) -> None:
        wanted = draft.node.op.view
        if shared and shared[0] is not None:
            draft.view_of = shared[0]
            reason = f"{draft.node.op.name} is a view of operand {shared[0]}"
            draft.decisions.append(Decision("alias", True, reason))
        elif wanted is not None:
            reason = f"the strides of operand {wanted} do not allow a view: it is copied"
            draft.decisions.append(Decision("alias", False, reason))

    def _own_buffer(self, draft: _Draft, i: int, value: Value) -> Buffer:
        """The buffer that a result takes over, or a new one."""
        node = draft.node
        if not node.op.overwrites or len(node.results) != 1:
            if node.operands and not node.regions and type(value.type) is TensorType:
                reason = f"{node.op.name} cannot write over an operand that it reads"
                draft.decisions.append(Decision("in-place", False, reason))
            return self.buffers.add(value, result_kind(node, self.spread), i)
        reasons: list[str] = []
        for operand in self._candidates(node):
            kept_for = self._kept_for(node.operands[operand], value)
            refusal = self.buffers.refusal(node, operand, i, self.outputs.keys(), kept_for)
            if refusal is None:
                buffer = self.buffers.of[node.operands[operand]]
                self.buffers.join(value, buffer)
                buffer.last = max(buffer.last, i)
                draft.in_place_of = operand
                reason = f"{node.op.name} writes over operand {operand}: this is its last use"
                draft.decisions.append(Decision("in-place", True, reason))
                return buffer
            reasons.append(refusal)
        draft.decisions.append(Decision("in-place", False, "; ".join(reasons)))
        return self.buffers.add(value, result_kind(node, self.spread), i)

    def _candidates(self, node: Node) -> list[int]:
        """Operands that the op may write over: donated ones first, then those of equal type."""
        result = node.results[0].type

        def cost(operand: int) -> tuple[bool, bool, int]:
            value = node.operands[operand]
            return (self.buffers.of[value].kind != "donated", value.type != result, operand)

        return sorted(node.op.overwrites, key=cost)

    def _kept_for(self, operand: Value, result: Value) -> int | None:
        """The output that a donated buffer is meant for, when ``result`` is another output."""
        buffer = self.buffers.of[operand]
        wish = self.donated.get(buffer.index) if buffer.kind == "donated" else None
        meant = self.outputs.get(result)
        return None if wish is None or meant is None or wish in meant else wish

    # Outputs and donations.

    def _settle_outputs(self) -> None:
        """The first output that is the whole of a buffer becomes that buffer; others are copied."""
        for i, value in enumerate(self.graph.outputs):
            buffer = self.buffers.of[value]
            if buffer.kind == "none":
                continue
            reason = self._copied_because(value, buffer)
            if reason is None:
                buffer.output = i
                if buffer.kind == "donated":
                    self.aliases[i] = buffer.index
            else:
                reason = f"output {i} is copied: {reason}"
                self.decisions.append(Decision("alias", False, reason))

    def _copied_because(self, value: Value, buffer: Buffer) -> str | None:
        if buffer.kind == "literal":
            return "it is a constant"
        if buffer.kind == "input":
            return f"it shares input {buffer.index}, which the caller keeps"
        if buffer.output is not None:
            return f"it shares the buffer of output {buffer.output}"
        if not self.buffers.layouts.is_whole(value, buffer.nbytes):
            return "it is a view of a part of another value, or in another order"
        return None

    def _settle_donations(self) -> None:
        """Let outputs whose buffers begin after a donated input's end take over its memory."""
        waiting = [b for b in self.buffers.seen if b.kind == "arena" and b.output is not None]
        for donor in [b for b in self.buffers.seen if b.kind == "donated"]:
            if donor.output is None:
                self._hand_over(donor, waiting)
            if donor.output is None:
                used = any(b.takes_over is donor for b in self.buffers.seen)
                reason = f"no output of {donor.nbytes} bytes begins after input {donor.index} ends"
                if not used:
                    self.decisions.append(Decision("donation", False, reason))
                continue
            reason = f"output {donor.output} takes over the buffer of input {donor.index}"
            self.decisions.append(Decision("donation", True, reason))

    def _hand_over(self, donor: Buffer, waiting: list[Buffer]) -> None:
        wish = self.donated[donor.index]
        fitting = [b for b in waiting if b.nbytes == donor.nbytes and b.born > donor.last]
        reserved = {w for w in self.donated.values() if w is not None and w != wish}
        fitting = [b for b in fitting if b.output not in reserved]
        if not fitting or donor.nbytes == 0:
            return
        chosen = min(fitting, key=lambda b: (b.output != wish, b.output))
        waiting.remove(chosen)
        chosen.takes_over = donor
        donor.output = chosen.output
        assert chosen.output is not None
        self.aliases[chosen.output] = donor.index

    # The arena.

    def _lay_out(self) -> tuple[dict[Buffer, Slot], int, int]:
        placed = [b for b in self.buffers.seen if b.kind == "arena" and b.output is None]
        lives = [Lifetime(b.born, b.last, b.nbytes) for b in placed]
        offsets, total = allocate(lives)
        places = [(o, aligned(b.nbytes)) for o, b in zip(offsets, placed, strict=True)]
        numbers = {place: i for i, place in enumerate(sorted(set(places)))}
        made = {place: Slot(i, *place) for place, i in numbers.items()}
        slots = {b: made[place] for b, place in zip(placed, places, strict=True)}
        return slots, total, max_live_bytes(lives)

    def _step(self, draft: _Draft, slots: Mapping[Buffer, Slot]) -> Step:
        found = tuple([None if b is None else slots.get(b) for b in draft.buffers])
        if draft.in_place_of is None:
            for buffer, slot in zip(draft.buffers, found, strict=True):
                if buffer is not None and buffer.kind != "none":
                    draft.decisions.append(_explain_slot(draft.node, buffer, slot))
        return Step(
            node=draft.node,
            slots=found,
            in_place_of=draft.in_place_of,
            view_of=draft.view_of,
            frees=draft.frees,
            decisions=tuple(draft.decisions),
        )

    def _region_plans(self) -> dict[Graph, ExecutionPlan]:
        """A region that is used twice may write over what all its uses allow."""
        allowed: dict[Graph, Donations] = {}
        for node in self.order:
            for region, donated in zip(node.regions, region_donations(node), strict=True):
                before = allowed.get(region, donated)
                allowed[region] = {k: v for k, v in donated.items() if before.get(k, -1) == v}
        return {r: _plan(r, self.backend, d, self.memo) for r, d in allowed.items()}


def _explain_slot(node: Node, buffer: Buffer, slot: Slot | None) -> Decision:
    if slot is not None:
        steps = f"from step {buffer.born} to step {buffer.last}"
        return Decision("slot", True, f"slot {slot.index} at byte {slot.offset}, {steps}")
    if buffer.kind == "literal":
        return Decision("slot", False, "it is a constant, made once")
    if buffer.kind == "own":
        why = "runs regions, which make" if node.regions else "has no form that writes, it makes"
        return Decision("slot", False, f"{node.op.name} {why} its own results")
    if buffer.takes_over is not None:
        return Decision("slot", False, f"it lives in donated input {buffer.takes_over.index}")
    return Decision("slot", False, f"it becomes output {buffer.output}, outside the arena")


def _demand_static(graph: Graph) -> None:
    values = [*graph.inputs, *[r for n in graph.nodes for r in n.results]]
    for value in values:
        if type(value.type) is TensorType and not value.type.is_static:
            raise ShapeError(
                f"graph {graph.name!r} has a value of type {value.type}; a plan needs sizes: "
                "give the symbolic dimensions numbers first"
            )
