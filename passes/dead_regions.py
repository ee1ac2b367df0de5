"""Region ops without the results, carries and operands that nothing needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from plait.ir import Graph, Node, Value
from plait.passes.infrastructure import Firing
from plait.passes.region_groups import Group, Scope, Site, find_scopes
from plait.passes.region_liveness import mark_live
from plait.passes.region_values import find_equal_values


def remove_dead_in_regions(graph: Graph, firings: list[Firing] | None = None) -> Graph:
    """The graph without what is dead in it and in its regions, signatures of regions included.

    What one walk removes may make more values equal; walks go on until nothing changes.
    """
    found: list[Firing] = [] if firings is None else firings
    while True:
        made = _walk(graph, found)
        if made is graph:
            return graph
        graph = made


def _walk(graph: Graph, firings: list[Firing]) -> Graph:
    """Find what is equal, then what is live, then build the rest anew, regions first."""
    scopes = find_scopes(graph)
    find_equal_values(scopes.values())
    mark_live(scopes, graph)
    made: dict[Graph, Graph] = {}
    for scope in scopes.values():
        if scope.reached:
            made[scope.graph] = _Rebuild(scope, made, firings).run()
    return made[graph]


class _Rebuild:
    """One graph, built anew where something changes; ``made`` has its regions."""

    def __init__(self, scope: Scope, made: dict[Graph, Graph], firings: list[Firing]) -> None:
        self.scope = scope
        self.made = made
        self.firings = firings
        self.renamed: dict[Value, Value] = {}

    def run(self) -> Graph:
        graph, group = self.scope.graph, self.scope.group
        inputs, outputs = graph.inputs, graph.outputs
        if group is not None:
            inputs = self._inputs(group)
            if group.layout is not None and self.scope in group.bodies:
                outputs = tuple([outputs[i] for i in sorted(group.outputs)])
        nodes = tuple([self._node(node) for node in self._kept()])
        outputs = tuple([self._read(v) for v in outputs])
        if inputs is graph.inputs and outputs == graph.outputs and nodes == graph.nodes:
            return graph
        return Graph(graph.name, inputs, nodes, outputs)

    def _inputs(self, group: Group) -> tuple[Value, ...]:
        """The inputs that are kept, numbered again."""
        old = self.scope.graph.inputs
        order = None if group.layout is None else group.order()
        if order is None or order == list(range(len(old))):
            return old
        new = [Value(old[j].type, None, i, old[j].name) for i, j in enumerate(order)]
        self.renamed.update(zip([old[j] for j in order], new, strict=True))
        return tuple(new)

    def _read(self, value: Value) -> Value:
        """What is read in place of a value."""
        value = self.scope.same(value)
        return self.renamed.get(value, value)

    def _kept(self) -> Iterator[Node]:
        """The nodes that stay, with those that are added, in order."""
        kept, added = self.scope.kept, self.scope.added
        for node in self.scope.graph.nodes:
            if node in added:
                yield from [n for n in added[node] if n in kept]
            if node in kept:
                yield node
            else:
                self.firings.append(Firing("drop", node.location))

    def _node(self, node: Node) -> Node:
        """The node on its new operands; itself when nothing changes."""
        operands, attributes, regions = node.operands, node.attributes, node.regions
        results = node.results
        site = self.scope.sites.get(node)
        if site is not None:
            group = site.regions[0].group
            assert group is not None
            operands, results = _selected(site, group)
            attributes = _attributes(node, group)
            regions = tuple([self.made[r] for r in regions])
            self.firings += _site_firings(site, group)
        operands = tuple([self._read(v) for v in operands])
        if operands == node.operands and regions == node.regions and results == node.results:
            return node
        types = tuple([v.type for v in results])
        new = Node.make(node.op, operands, attributes, regions, node.location, types)
        self.renamed.update(zip(results, new.results, strict=True))
        return new


def _selected(site: Site, group: Group) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """The operands and results of a node that stay."""
    node = site.node
    if group.layout is None:
        return node.operands, node.results
    operands = [site.operand(i) for i in group.order()]
    results = [node.results[i] for i in sorted(group.outputs)]
    return (*node.operands[: site.leading], *operands), tuple(results)


def _attributes(node: Node, group: Group) -> Any:
    """The attributes, with the numbers of constants and carries that stay."""
    if group.layout is None or "num_consts" not in node.attributes:
        return node.attributes
    slices = group.layout.consts + group.layout.carry
    carry = sum(group.is_carry(i) for i in group.inputs)
    consts = sum(i < slices for i in group.inputs) - carry
    counts = {"num_consts": consts, "num_carry": carry}
    return {**node.attributes, **{k: n for k, n in counts.items() if k in node.attributes}}


def _site_firings(site: Site, group: Group) -> Iterator[Firing]:
    """What was dropped at a node, and why."""
    layout = group.layout
    if layout is None:
        return
    found: Counter[str] = Counter()
    for i, result in enumerate(site.node.results):
        if i not in group.outputs:
            is_carry = i < layout.carry
            plain = "drop-carry" if is_carry else "drop-result"
            found[site.scope.reasons.get(result, plain)] += 1
    for i in range(len(group.signature.inputs)):
        if i in group.merged:
            found["merge-operands"] += 1
        elif i not in group.inputs and not group.is_carry(i):
            found["drop-operand"] += 1
    for name, count in found.items():
        yield from [Firing(name, site.node.location)] * count
