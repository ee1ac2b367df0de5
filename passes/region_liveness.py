"""Which values of a program are needed, through regions of any depth, each marked once."""

from __future__ import annotations

from collections.abc import Mapping

from plait.ir import Graph, Node, Value
from plait.passes.region_groups import Group, Scope, Site


def mark_live(scopes: Mapping[Graph, Scope], graph: Graph) -> None:
    """Fill in what the graph's outputs and its effects need.

    A carry is live when a result, the condition, an effect or another live carry needs it: marking
    from these on finds the fixed point, in one walk over nodes and values.
    """
    marking = _Marking()
    top = scopes[graph]
    marking.reach(top)
    for value in graph.outputs:
        marking.mark(top, value)
    marking.run()


class _Marking:
    """What is to be looked at still."""

    def __init__(self) -> None:
        self.values: list[tuple[Scope, Value]] = []
        self.nodes: list[tuple[Scope, Node]] = []

    def run(self) -> None:
        while self.values or self.nodes:
            if self.nodes:
                self.keep_node(*self.nodes.pop())
            else:
                self.keep_value(*self.values.pop())

    def mark(self, scope: Scope, value: Value) -> None:
        """Need a value."""
        value = scope.same(value)
        if value not in scope.live:
            scope.live.add(value)
            self.values.append((scope, value))

    def keep_value(self, scope: Scope, value: Value) -> None:
        """Need what computes or gives a value."""
        if value.node is None:
            if scope.group is not None:
                self.keep_input(scope.group, value.index)
            return
        self.keep_node(scope, value.node)
        site = scope.sites.get(value.node)
        if site is not None:
            self.keep_output(_group(site), value.index)

    def keep_node(self, scope: Scope, node: Node) -> None:
        """Need a node's operands; of a region op those that its regions need."""
        if node in scope.kept:
            return
        scope.kept.add(node)
        site = scope.sites.get(node)
        if site is not None:
            self.keep_site(site)
            return
        for operand in node.operands:
            self.mark(scope, operand)

    def keep_site(self, site: Site) -> None:
        """Need the predicate or condition, the effects inside, and what is known to be needed."""
        group = _group(site)
        group.live.append(site)
        for region in site.regions:
            self.reach(region)
        leading = site.leading
        needed = range(len(site.node.operands) - leading) if group.layout is None else group.inputs
        for i in range(leading):
            self.mark(site.scope, site.node.operands[i])
        for i in needed:
            self.mark(site.scope, site.operand(i))

    def reach(self, scope: Scope) -> None:
        """Need the effects of a graph, and of a condition its output."""
        if scope.reached:
            return
        scope.reached = True
        self.nodes += [(scope, node) for node in scope.effects]
        group = scope.group
        if group is None:
            return
        if group.layout is None:
            needed = [*scope.graph.inputs, *scope.graph.outputs]
        elif scope not in group.bodies:
            needed = [*scope.graph.outputs]
        else:
            needed = [scope.graph.outputs[i] for i in group.outputs]
        for value in needed:
            self.mark(scope, value)

    def keep_input(self, group: Group, index: int) -> None:
        """Need an operand at each site; of a carry, what the trip before gives, too."""
        if group.layout is None or index in group.inputs:
            return
        group.inputs.add(index)
        for site in group.live:
            self.mark(site.scope, site.operand(index))
        if group.is_carry(index):
            self.keep_output(group, index - group.layout.consts)

    def keep_output(self, group: Group, index: int) -> None:
        """Need an output of each region; of a carry, its start, too."""
        if group.layout is None or index in group.outputs:
            return
        group.outputs.add(index)
        for region in group.bodies:
            if region.reached:
                self.mark(region, region.graph.outputs[index])
        if index < group.layout.carry:
            self.keep_input(group, index + group.layout.consts)


def _group(site: Site) -> Group:
    group = site.regions[0].group
    assert group is not None
    return group
