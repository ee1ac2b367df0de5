"""The regions of a program, in groups that keep one signature, with the nodes that hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from plait.ir import Graph, Node, Value, nested_graphs, ops


@dataclass(frozen=True, slots=True)
class Layout:
    """What the inputs of a region op's regions are, in order: constants, carry, slices.

    Attributes
    ----------
    consts, carry : int
        How many inputs are the same on every trip, and how many the trip before gives; the rest
        are slices. Inputs of branches and callees are constants.
    stacked : bool
        Whether outputs after the carry are stacked; otherwise they are results as they are.
    conditions : int
        Leading regions whose outputs are no results.
    """

    consts: int
    carry: int = 0
    stacked: bool = False
    conditions: int = 0


def layout_of(node: Node) -> Layout | None:
    """The layout of a region op; None for one that is not known here."""
    if node.op is ops.scan:
        return Layout(node.attributes["num_consts"], node.attributes["num_carry"], stacked=True)
    if node.op is ops.while_:
        consts = node.attributes["num_consts"]
        return Layout(consts, len(node.operands) - consts, conditions=1)
    if node.op is ops.cond or node.op is ops.call:
        return Layout(len(node.regions[0].inputs))
    return None


@dataclass(eq=False, slots=True)
class Scope:
    """One graph, and what is found out about its values.

    Attributes
    ----------
    graph : Graph
    group : Group or None
        None for the program itself.
    sites : dict
        The nodes that hold regions.
    effects : list of Node
        The nodes that must run.
    replaced : dict
        Results of region ops that equal other values.
    reasons : dict
        Why they do, as the name of a firing.
    merged : dict
        Inputs that equal other inputs.
    added : dict
        Nodes to put before a node.
    live : set of Value
    kept : set of Node
        Nodes that compute what is live, or have an effect.
    reached : bool
        Whether a kept node holds the graph.
    """

    graph: Graph
    group: Group | None = None
    sites: dict[Node, Site] = field(default_factory=dict)
    effects: list[Node] = field(default_factory=list)
    replaced: dict[Value, Value] = field(default_factory=dict)
    reasons: dict[Value, str] = field(default_factory=dict)
    merged: dict[Value, Value] = field(default_factory=dict)
    added: dict[Node, list[Node]] = field(default_factory=dict)
    live: set[Value] = field(default_factory=set)
    kept: set[Node] = field(default_factory=set)
    reached: bool = False

    def forwarded(self, value: Value) -> Value:
        """What stands for a value, equal inputs apart."""
        return self.replaced.get(value, value)

    def same(self, value: Value) -> Value:
        """What stands for a value."""
        value = self.replaced.get(value, value)
        return self.merged.get(value, value)

    def output(self, index: int) -> Value:
        """What stands for an output, equal inputs apart."""
        return self.forwarded(self.graph.outputs[index])


@dataclass(eq=False, slots=True)
class Site:
    """A node that holds regions.

    Attributes
    ----------
    scope : Scope
        Of the graph that the node stands in.
    node : Node
    regions : tuple of Scope
    layout : Layout or None
    """

    scope: Scope
    node: Node
    regions: tuple[Scope, ...]
    layout: Layout | None

    @property
    def leading(self) -> int:
        """Operands that no region sees: the predicate."""
        return len(self.node.operands) - len(self.regions[0].graph.inputs)

    @property
    def conditions(self) -> tuple[Scope, ...]:
        """The regions whose outputs are no results."""
        return self.regions[: self.layout.conditions] if self.layout else ()

    @property
    def bodies(self) -> tuple[Scope, ...]:
        """The regions that give the results."""
        return self.regions[self.layout.conditions :] if self.layout else self.regions

    def operand(self, index: int) -> Value:
        """The operand of an input."""
        return self.node.operands[self.leading + index]


@dataclass(eq=False, slots=True)
class Group:
    """Regions whose signatures change together, as they are held by the same nodes.

    Attributes
    ----------
    layout : Layout or None
        None where the signature has to stay: nodes differ in what they make of an input.
    regions, bodies : dict of Scope
        All, and those that give results; as ordered sets.
    sites, live : list of Site
        All, and those that are kept.
    merged : dict of int
        Inputs that equal an earlier one.
    fixed : set of int
        Carry inputs that no trip changes.
    inputs, outputs : set of int
        Places of the signature that are kept.
    """

    layout: Layout | None
    regions: dict[Scope, None] = field(default_factory=dict)
    bodies: dict[Scope, None] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)
    live: list[Site] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    fixed: set[int] = field(default_factory=set)
    inputs: set[int] = field(default_factory=set)
    outputs: set[int] = field(default_factory=set)

    @property
    def signature(self) -> Graph:
        """A region, for the number and types of the inputs."""
        return next(iter(self.regions)).graph

    def is_carry(self, index: int) -> bool:
        """Whether an input is given by the trip before."""
        layout = self.layout
        return (
            layout is not None
            and layout.consts <= index < layout.consts + layout.carry
            and index not in self.fixed
        )

    def order(self) -> list[int]:
        """The inputs that are kept, in their new order: what became constant comes earlier."""
        assert self.layout is not None
        first, kept = self.layout.consts, sorted(self.inputs)
        head = [i for i in kept if i < first] + [i for i in kept if i in self.fixed]
        return head + [i for i in kept if i >= first and i not in self.fixed]


def find_scopes(graph: Graph) -> dict[Graph, Scope]:
    """A scope for the graph and each of its regions, regions first, with groups and effects."""
    scopes = {g: Scope(g) for g in nested_graphs(graph)}
    for scope in scopes.values():
        for node in scope.graph.nodes:
            if node.regions:
                regions = tuple([scopes[r] for r in node.regions])
                scope.sites[node] = Site(scope, node, regions, layout_of(node))
                if node.op.is_effect or any(r.effects for r in regions):
                    scope.effects.append(node)
            elif node.op.is_effect:
                scope.effects.append(node)
    _find_groups([site for scope in scopes.values() for site in scope.sites.values()])
    return scopes


def _find_groups(sites: Iterable[Site]) -> None:
    """Give each region its group: regions of one node share it."""
    leaders: dict[Scope, Scope] = {}

    def leader(scope: Scope) -> Scope:
        while (above := leaders.setdefault(scope, scope)) is not scope:
            leaders[scope] = leaders[above]
            scope = above
        return scope

    for site in sites:
        for region in site.regions[1:]:
            leaders[leader(region)] = leader(site.regions[0])
    for site in sites:
        head = leader(site.regions[0])
        group = head.group
        if group is None:
            group = head.group = Group(site.layout)
        if site.layout != group.layout:
            group.layout = None
        group.sites.append(site)
        for region in site.regions:
            region.group = group
            group.regions[region] = None
        group.bodies.update(dict.fromkeys(site.bodies))
    for site in sites:
        group = site.regions[0].group
        assert group is not None
        if any(region in group.bodies for region in site.conditions):
            group.layout = None
