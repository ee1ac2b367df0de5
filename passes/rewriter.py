"""The greedy driver: one walk that rebuilds a graph by rules, hash-consed, to a fixed point.

Nodes are visited in order. Each is rebuilt with its operands replaced; then the rules of its op
are tried, and what a rule emits goes through the same door, so that everything behind the walk is
in normal form already. Nodes that do not change are shared between the old graph and the new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import (
    UNKNOWN,
    Graph,
    Literal,
    Location,
    Node,
    Op,
    Shape,
    TokenType,
    Trait,
    Type,
    Value,
    ops,
)
from plait.ir.errors import GraphError
from plait.passes.dce import remove_dead
from plait.passes.infrastructure import Firing
from plait.passes.keys import node_key

#: Rules may emit what other rules rewrite, so many deep.
MAX_DEPTH = 64

Replacement = Value | tuple[Value, ...] | None
#: ``build(rewriter, node)``: what stands for the node's results, or None.
Build = Callable[["Rewriter", Node], Replacement]


@dataclass(frozen=True, slots=True)
class Rule:
    """A directed rewrite: what stands on the left of the equation becomes what stands right.

    Attributes
    ----------
    name : str
        Names the rule in reports.
    equation : str
        The equation, with its conditions.
    root : Op, Trait or None
        The op of the nodes it is tried on, a trait of that op, or None for every node.
    build : callable
        ``build(rewriter, node)`` gives the values that replace the node's results (one, or a
        tuple), or None when the rule does not apply.
    exact : bool
        Whether the result has the same bits; a NaN stays a NaN.
    """

    name: str
    equation: str
    root: Op | Trait | None
    build: Build
    exact: bool = True


class RuleSet:
    """Rules found by op. Rules are tried in the order given."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_op: dict[Op, tuple[tuple[Build, Rule], ...]] = {}

    def of(self, op: Op) -> tuple[tuple[Build, Rule], ...]:
        """The rules to try on nodes of an op, each after what it does."""
        found = self._by_op.get(op)
        if found is None:
            roots = {op, None, *op.traits}
            found = tuple([(r.build, r) for r in self.rules if r.root in roots])
            self._by_op[op] = found
        return found


class Rewriter:
    """Rebuilds one graph; rules emit through it.

    Parameters
    ----------
    rules : RuleSet
    merge : bool
        Whether nodes equal in op, operands, attributes and regions become one.
    firings : list of Firing, optional
        What was done is added here.
    """

    def __init__(
        self,
        rules: RuleSet,
        *,
        merge: bool,
        firings: list[Firing] | None = None,
        outer: Rewriter | None = None,
    ) -> None:
        self.rules = rules
        self.merge = merge
        self.firings = firings if firings is not None else []
        self.location: Location = UNKNOWN
        self._memo: dict[Graph, Graph] = {} if outer is None else outer._memo
        self._sources: dict[Graph, Graph] = {} if outer is None else outer._sources
        self._nodes: list[Node] = []
        self._known: dict[Any, tuple[Value, ...]] = {}
        self._rank: dict[Value, int] = {}
        self._changed = False
        self._budget = 0
        self._depth = 0

    def run(self, graph: Graph) -> Graph:
        """The rewritten graph, without what became dead; the same object when nothing fired."""
        with np.errstate(all="ignore"):
            return self._rewrite(graph)

    def _rewrite(self, graph: Graph) -> Graph:
        known = self._memo.get(graph)
        if known is not None:
            return known
        self._rank = {v: i for i, v in enumerate(graph.inputs)}
        self._budget = 1000 + 100 * len(graph.nodes)
        replaced: dict[Value, Value] = {}
        for node in graph.nodes:
            self.location = node.location
            results = self._visit(node, replaced)
            if results is not node.results:
                self._changed = True
                replaced.update(zip(node.results, results, strict=True))
        made = graph
        if self._changed:
            outputs = tuple([replaced.get(v, v) for v in graph.outputs])
            made = Graph(graph.name, graph.inputs, tuple(self._nodes), outputs)
            made = remove_dead(made, inside=False)
        self._memo[graph] = self._memo[made] = made
        self._sources[made] = graph
        return made

    def source(self, region: Graph) -> Graph:
        """The region that this one was rewritten from, or itself."""
        return self._sources.get(region, region)

    def _visit(
        self, node: Node, replaced: Mapping[Value, Value], copied: bool = False
    ) -> tuple[Value, ...]:
        operands = node.operands
        if replaced:
            operands = tuple([replaced.get(v, v) for v in operands])
        regions = node.regions
        if regions:
            regions = tuple([self._region(r) for r in regions])
        if copied or operands != node.operands or regions != node.regions:
            types = tuple([r.type for r in node.results])
            node = Node.make(node.op, operands, node.attributes, regions, node.location, types)
        return self._place(node)

    def _region(self, region: Graph) -> Graph:
        inner = Rewriter(self.rules, merge=self.merge, firings=self.firings, outer=self)
        return inner._rewrite(region)

    def _place(self, node: Node) -> tuple[Value, ...]:
        """The results that stand for a node: an equal one's, a rule's, or its own."""
        key = node_key(node) if self.merge and _may_merge(node) else None
        if key is not None:
            known = self._known.get(key)
            if known is not None:
                self.firings.append(Firing("merge", node.location))
                return known
        results = self._try_rules(node)
        if results is None:
            results = node.results
            self._nodes.append(node)
            for value in results:
                self._rank[value] = len(self._rank)
        if key is not None:
            self._known[key] = results
        return results

    def _try_rules(self, node: Node) -> tuple[Value, ...] | None:
        """What the first rule that applies gives."""
        tries = self.rules.of(node.op)
        self._depth += 1
        if self._depth > MAX_DEPTH and tries:
            raise GraphError(f"rule {tries[0][1].name!r} fires without end", node.location)
        for build, rule in tries:
            found = build(self, node)
            if found is not None:
                self._depth -= 1
                return self._check(rule, node, found if type(found) is tuple else (found,))  # type: ignore[arg-type]
        self._depth -= 1
        return None

    def _check(self, rule: Rule, node: Node, results: tuple[Value, ...]) -> tuple[Value, ...]:
        """Count a firing; a rule must keep the types and come to an end."""
        self.firings.append(Firing(rule.name, node.location))
        self._budget -= 1
        if self._budget < 0:
            raise GraphError(f"rule {rule.name!r} fires without end")
        old, new = [v.type for v in node.results], [v.type for v in results]
        if old != new:
            shown = [", ".join(map(str, types)) for types in (old, new)]
            raise GraphError(f"rule {rule.name!r} gave ({shown[1]}) for ({shown[0]})")
        return results

    def rank(self, value: Value) -> int:
        """Position of a value's definition: inputs first, then nodes in order."""
        return self._rank[value]

    def apply(self, op: Op, *operands: Value, regions: Any = (), **attributes: Any) -> Any:
        """Emit an op, rewritten as far as it goes; one result, or a tuple."""
        inferred = (
            op.infer(*[v.type for v in operands], regions=regions, **attributes)
            if op.has_regions
            else op.infer(*[v.type for v in operands], **attributes)
        )
        several = type(inferred) is tuple
        types: tuple[Type, ...] = inferred if type(inferred) is tuple else (inferred,)  # type: ignore[assignment]
        node = Node.make(op, operands, attributes, tuple(regions), self.location, types)
        results = self._place(node)
        return results if several else results[0]

    def emit(self, op: Op, *operands: Value, **attributes: Any) -> Value:
        """Emit an op with one result."""
        result: Value = self.apply(op, *operands, **attributes)
        return result

    def like(self, node: Node, *operands: Value) -> Value:
        """Emit a node's op with its attributes on other operands; one result."""
        return self.emit(node.op, *operands, **node.attributes)

    def reorder(self, node: Node, *operands: Value) -> Value:
        """Emit a node's op with its operands in another order, which leaves its one type."""
        types = (node.results[0].type,)
        made = Node.make(node.op, operands, node.attributes, (), self.location, types)
        return self._place(made)[0]

    def constant(self, array: Any) -> Value:
        """Emit a constant."""
        value = array if type(array) is Literal else Literal(array)
        return self.emit(ops.constant, value=value)

    def fill(self, scalar: Any, type_: Type) -> Value:
        """Emit one number everywhere, in a tensor type."""
        shape: Shape = type_.shape  # type: ignore[union-attr]
        array = np.asarray(scalar, type_.dtype)  # type: ignore[union-attr]
        if shape == ():
            return self.constant(array)
        return self.emit(ops.full, value=Literal(array), shape=shape)

    def inline(self, graph: Graph, arguments: Sequence[Value]) -> tuple[Value, ...]:
        """Emit the nodes of a graph on other inputs; returns what stands for its outputs."""
        replaced = dict(zip(graph.inputs, arguments, strict=True))
        for node in graph.nodes:
            results = self._visit(node, replaced, copied=True)
            replaced.update(zip(node.results, results, strict=True))
        return tuple([replaced[v] for v in graph.outputs])


def _may_merge(node: Node) -> bool:
    """Whether two equal nodes may become one: not effects, barriers, nor new tokens."""
    op = node.op
    if op.is_effect or op.is_barrier:
        return False
    if node.regions and node.has_effect:
        return False
    return bool(node.operands) or type(node.results[0].type) is not TokenType
