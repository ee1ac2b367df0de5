"""An order of the nodes that keeps less memory alive than the order they were written in."""

from __future__ import annotations

import heapq
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from plait.ir import (
    LITERAL_BYTES,
    Graph,
    Node,
    Schedule,
    TensorType,
    Trait,
    Type,
    Value,
    spread_literals,
)


def schedule(graph: Graph) -> Schedule:
    """Order a graph's nodes for a low peak of live bytes.

    Two orders are made besides the program's own: a list scheduling that always takes the ready
    node that frees most, and a walk that finishes one chain before it begins the next. The best
    of the three is taken, the program's order when none is better. Effects keep their order.

    Parameters
    ----------
    graph : Graph
        Regions are one step each; they are scheduled on their own.
    """
    work = _Work.of(graph)
    program = list(range(len(graph.nodes)))
    best, peak = program, work.peak(program)
    for candidate in (_by_freed_bytes, _by_chains):
        if peak <= work.lower_bound:
            break
        order = candidate(work)
        found = work.peak(order)
        if found < peak:
            best, peak = order, found
    nodes = graph.nodes if best is program else tuple([graph.nodes[i] for i in best])
    return Schedule(graph, nodes, peak)


def value_bytes(type_: Type) -> int:
    """Bytes of a tensor; nothing for tokens and host bytes."""
    return type_.nbytes if type(type_) is TensorType else 0


def is_literal(node: Node, spread: Container[Node]) -> bool:
    """Whether a node's result is made once, before the run; large fills only when ``spread``."""
    if Trait.CONSTANT not in node.op.traits:
        return False
    small = value_bytes(node.results[0].type) <= LITERAL_BYTES
    return small or node.op.into is None or node in spread


def aliased_operands(node: Node) -> list[int | None]:
    """For each result, the operand whose memory it shares, if it does."""
    if Trait.BARRIER in node.op.traits:
        return list(range(len(node.results)))
    found: list[int | None] = [None] * len(node.results)
    if node.op.view is not None:
        found[0] = node.op.view
    return found


@dataclass
class _Work:
    """A graph by numbers: dependencies between nodes, buffers with their sizes and readers."""

    before: list[set[int]] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    makes: list[list[int]] = field(default_factory=list)
    reads: list[set[int]] = field(default_factory=list)
    readers: list[list[int]] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    lower_bound: int = 0
    spread: frozenset[Node] = frozenset()

    @classmethod
    def of(cls, graph: Graph) -> _Work:
        """Number the nodes and find the buffers: a view shares its operand's."""
        work = cls()
        numbers = {node: i for i, node in enumerate(graph.nodes)}
        buffers: dict[Value, int] = {}
        effect: int | None = None
        work.spread = spread_literals(graph)
        for i, node in enumerate(graph.nodes):
            before = {numbers[v.node] for v in node.operands if v.node is not None}
            if node.has_effect:
                if effect is not None:
                    before.add(effect)
                effect = i
            work.before.append(before)
            work.after.append([])
            for j in sorted(before):
                work.after[j].append(i)
            work._add_buffers(i, node, buffers)
        work.kept = {buffers[v] for v in graph.outputs if v in buffers}
        ends = sum(work.sizes[b] for b in work.kept)
        widest = [work._touched(i) for i in range(len(graph.nodes))]
        work.lower_bound = max([ends, *widest])
        return work

    def _add_buffers(self, i: int, node: Node, buffers: dict[Value, int]) -> None:
        reads = {buffers[v] for v in node.operands if v in buffers}
        makes: list[int] = []
        for value, operand in zip(node.results, aliased_operands(node), strict=True):
            if operand is not None:
                base = buffers.get(node.operands[operand])
                if base is not None:
                    buffers[value] = base
            elif not is_literal(node, self.spread):
                buffers[value] = len(self.sizes)
                makes.append(len(self.sizes))
                self.sizes.append(value_bytes(value.type))
                self.readers.append([])
        for b in reads:
            self.readers[b].append(i)
        self.reads.append(reads)
        self.makes.append(makes)

    def _touched(self, i: int) -> int:
        """Bytes that are alive while a node runs, whatever the order."""
        return sum(self.sizes[b] for b in {*self.reads[i], *self.makes[i]})

    def peak(self, order: Sequence[int]) -> int:
        """The largest sum of live bytes over an order."""
        left = [len(r) for r in self.readers]
        live = peak = 0
        for i in order:
            made = self.makes[i]
            live += sum(self.sizes[b] for b in made)
            peak = max(peak, live)
            for b in self.reads[i]:
                left[b] -= 1
                if left[b] == 0 and b not in self.kept:
                    live -= self.sizes[b]
            for b in made:
                if not self.readers[b] and b not in self.kept:
                    live -= self.sizes[b]
        return peak


def _by_freed_bytes(work: _Work) -> list[int]:
    """List scheduling: of the ready nodes, the one after which least is alive, then the first."""
    count = len(work.before)
    waiting = [len(b) for b in work.before]
    left = [len(r) for r in work.readers]
    last_reader = [sum(r) for r in work.readers]  # of the readers left, their sum: the last alone
    change = [0] * count

    def change_of(i: int) -> int:
        made = sum(work.sizes[b] for b in work.makes[i])
        freed = sum(work.sizes[b] for b in work.reads[i] if left[b] == 1 and b not in work.kept)
        return made - freed

    ready: list[tuple[int, int]] = []
    for i in range(count):
        if waiting[i] == 0:
            change[i] = change_of(i)
            ready.append((change[i], i))
    heapq.heapify(ready)
    done = [False] * count
    order: list[int] = []
    while ready:
        key, i = heapq.heappop(ready)
        if done[i] or key != change[i]:
            continue  # pushed again since with a better key
        done[i] = True
        order.append(i)
        for j in work.after[i]:
            waiting[j] -= 1
            if waiting[j] == 0:
                change[j] = change_of(j)
                heapq.heappush(ready, (change[j], j))
        for b in work.reads[i]:
            left[b] -= 1
            last_reader[b] -= i
            j = last_reader[b]
            if left[b] == 1 and waiting[j] == 0 and not done[j]:
                change[j] = change_of(j)
                heapq.heappush(ready, (change[j], j))
    return order


def _by_chains(work: _Work) -> list[int]:
    """Depth first from the ends, the operand that needs most memory first (Sethi and Ullman)."""
    count = len(work.before)
    needs = [0] * count
    for i in range(count):
        inside = sorted([needs[j] for j in work.before[i]], reverse=True)
        held = sum(work.sizes[b] for b in work.makes[i])
        needs[i] = max([held, *inside[:1]]) + (inside[1] if len(inside) > 1 else 0) // 2
    order: list[int] = []
    seen = [False] * count
    roots = [i for i in range(count) if not work.after[i]]
    for root in roots:
        stack = [(root, False)]
        while stack:
            i, finished = stack.pop()
            if finished:
                order.append(i)
            elif not seen[i]:
                seen[i] = True
                stack.append((i, True))
                # What is pushed last runs first; of equals, the first in the program.
                inner = sorted(work.before[i], key=lambda j: (needs[j], -j))
                stack += [(j, False) for j in inner if not seen[j]]
    return order
