"""Derivatives of branches: each gives its residuals, of which the branch not taken gives zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.ir.autodiff.call import with_tangents
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.linear import Linear, trim
from plait.ir.autodiff.memo import Memo
from plait.ir.autodiff.partition import Residual, Split, split
from plait.ir.autodiff.regions import Backward, Kept, RegionFunction
from plait.ir.autodiff.while_parts import make_region, zeros
from plait.ir.graph import Graph
from plait.ir.types import Type

PREDICATE = Residual("input", 0)


@dataclass(slots=True, eq=False)
class _Plan:
    """A branch op in two.

    Attributes
    ----------
    splits : tuple of Split
        One for each branch.
    forward : tuple of Graph
        The branches with the residuals of both.
    sources : tuple of tuple of Residual
        For each branch, where its residuals are among the op's operands and results.
    """

    splits: tuple[Split, ...]
    forward: tuple[Graph, ...]
    sources: tuple[tuple[Residual, ...], ...]
    backwards: dict[Any, Backward | None] = field(default_factory=dict)

    @property
    def kept(self) -> list[Residual]:
        """All that the way back may read."""
        return [PREDICATE, *[s for sources in self.sources for s in sources]]

    def backward(self, given: tuple[bool, ...], asked: tuple[bool, ...]) -> Backward | None:
        """What pulls the cotangents back; None when nothing is left to do."""
        if (given, asked) not in self.backwards:
            self.backwards[given, asked] = self._make(given, asked)
        return self.backwards[given, asked]

    def _make(self, given: tuple[bool, ...], asked: tuple[bool, ...]) -> Backward | None:
        linears = [
            trim(s.backward, [given[i] for i in s.outputs], [asked[1 + i] for i in s.inputs])
            for s in self.splits
        ]
        targets = sorted(
            {s.inputs[i] for s, one in zip(self.splits, linears, strict=True) for i in one.outputs}
        )
        if not targets:
            return None
        sources = dict.fromkeys(
            s[i] for s, one in zip(self.sources, linears, strict=True) for i in one.residuals
        )
        taken = sorted({i for s in self.splits for i in s.outputs if given[i]})
        branches = tuple(
            [
                self._branch(k, linear, list(sources), taken, targets)
                for k, linear in enumerate(linears)
            ]
        )
        return Backward(
            CondFunction({}, branches),
            (PREDICATE, *sources),
            tuple(taken),
            tuple([1 + i for i in targets]),
        )

    def _branch(
        self,
        which: int,
        linear: Linear,
        sources: list[Residual],
        taken: list[int],
        targets: list[int],
    ) -> Graph:
        """One branch of the way back: it reads its part of the residuals and cotangents."""
        made, own = self.splits[which], self.sources[which]
        primal = self.forward[which]

        def body(builder: Any, *values: Any) -> Sequence[Any]:
            residuals = dict(zip(sources, values, strict=False))
            cotangents = dict(zip(taken, values[len(sources) :], strict=True))
            found = builder.inline(
                linear.graph,
                [
                    *[residuals[own[i]] for i in linear.residuals],
                    *[cotangents[i] for i in made.outputs if i in cotangents],
                ],
            )
            places = {made.inputs[i]: x for i, x in zip(linear.outputs, found, strict=True)}
            return [places[i] if i in places else zeros(primal.inputs[i].type) for i in targets]

        types: list[Type] = [
            primal.inputs[s.index - 1].type if s.kind == "input" else primal.outputs[s.index].type
            for s in sources
        ]
        types += [primal.outputs[i].type for i in taken]
        return make_region(linear.graph.name, types, body)


_plans: Memo[_Plan] = Memo()


def _plan(regions: tuple[Graph, ...], needs: tuple[bool, ...]) -> _Plan:
    def make() -> _Plan:
        active = [i for i, need in enumerate(needs[1:]) if need]
        splits = tuple([split(joint(region, active)) for region in regions])
        slots, places = _slots(splits)
        forward = tuple([_with_slots(s, slots, own) for s, own in zip(splits, places, strict=True)])
        count = splits[0].num_outputs
        sources = tuple(
            [
                tuple([_source(r, s, own, count) for r in s.residuals])
                for s, own in zip(splits, places, strict=True)
            ]
        )
        return _Plan(splits, forward, sources)

    return _plans.get(regions, needs, make)


def _slots(splits: Sequence[Split]) -> tuple[list[Type], list[list[int]]]:
    """Results for saved values, which branches share by type; and for each branch its slots."""
    slots: list[Type] = []
    places: list[list[int]] = []
    for one in splits:
        own: list[int] = []
        for type_ in one.forward.output_types[one.num_outputs :]:
            free = [i for i, t in enumerate(slots) if t == type_ and i not in own]
            if not free:
                free = [len(slots)]
                slots.append(type_)
            own.append(free[0])
        places.append(own)
    return slots, places


def _with_slots(one: Split, slots: list[Type], own: list[int]) -> Graph:
    """A forward branch whose saved values are in their slots, zeros in the others."""
    count = one.num_outputs

    def body(builder: Any, *values: Any) -> Sequence[Any]:
        found = builder.inline(one.forward, values)
        saved = dict(zip(own, found[count:], strict=True))
        return [
            *found[:count],
            *[saved[i] if i in saved else zeros(t) for i, t in enumerate(slots)],
        ]

    return make_region(one.forward.name, one.forward.input_types, body)


def _source(residual: Residual, one: Split, own: list[int], count: int) -> Residual:
    """Where a branch's residual is among the op's operands and results."""
    if residual.kind == "input":
        return Residual("input", 1 + residual.index)
    if residual.kind == "output":
        return residual
    return Residual("saved", count + own[residual.index - one.num_outputs])


class CondFunction(RegionFunction):
    """A ``cond`` with its derivatives."""

    name = "cond"

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """Run the branch with its residuals; the way back is a branch on the same predicate."""
        plan = _plan(self.regions, needs)
        results = apply(CondFunction(self.attributes, plan.forward), operands)
        kept = Kept(plan.kept, operands, results)

        def pull(cotangents: Sequence[Any], asked: tuple[bool, ...]) -> Sequence[Any]:
            given = tuple([g is not None for g in cotangents])
            return kept.pull(plan.backward(given, asked), cotangents)

        return results[: len(self.regions[0].outputs)], pull

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Run the branch that also gives tangents; zeros where only the other has one."""
        given = tuple([i for i, t in enumerate(tangents[1:]) if t is not None])
        regions, changed = _tangent_plans.get(
            self.regions, given, lambda: _push(self.regions, given)
        )
        values = (*operands, *[tangents[1 + i] for i in given])
        found = apply(CondFunction(self.attributes, regions), values)
        return with_tangents(found, len(self.regions[0].outputs), changed)


_tangent_plans: Memo[tuple[tuple[Graph, ...], tuple[int, ...]]] = Memo()


def _push(
    regions: tuple[Graph, ...], given: tuple[int, ...]
) -> tuple[tuple[Graph, ...], tuple[int, ...]]:
    """The branches with tangents of the same results."""
    pushed = [jvp_graph(region, given) for region in regions]
    changed = tuple(sorted({i for _, outputs in pushed for i in outputs}))
    count = len(regions[0].outputs)

    def complete(graph: Graph, outputs: tuple[int, ...]) -> Graph:
        def body(builder: Any, *values: Any) -> Sequence[Any]:
            found = builder.inline(graph, values)
            own = dict(zip(outputs, found[count:], strict=True))
            filled = [own[i] if i in own else zeros(graph.outputs[i].type) for i in changed]
            return [*found[:count], *filled]

        return make_region(graph.name, graph.input_types, body)

    return tuple([complete(graph, outputs) for graph, outputs in pushed]), changed


__all__ = ["CondFunction"]
