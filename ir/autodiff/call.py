"""Derivatives of calls, of those that are recomputed, and of functions with rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.ir import dispatch, ops
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.graphs import joint
from plait.ir.autodiff.linear import trim
from plait.ir.autodiff.liveness import live_part, num_checks
from plait.ir.autodiff.memo import Memo
from plait.ir.autodiff.partition import Split, split
from plait.ir.autodiff.regions import Backward, Kept, RegionFunction
from plait.ir.autodiff.while_parts import make_region, zeros
from plait.ir.graph import Graph
from plait.ir.ops.custom import with_cotangents
from plait.ir.types import Type


@dataclass(slots=True, eq=False)
class _Plan:
    """A call in two.

    Attributes
    ----------
    split : Split
    forward : Graph or None
        None for the callee itself.
    remat : bool
    backwards : dict
        By the cotangents that are given and asked for.
    """

    split: Split
    forward: Graph | None
    remat: bool
    backwards: dict[Any, Backward | None] = field(default_factory=dict)

    def backward(self, given: Sequence[bool], asked: Sequence[bool]) -> Backward | None:
        """What pulls the cotangents back; None when nothing is left to do."""
        made = self.split
        there = tuple([given[i] for i in made.outputs])
        wanted = tuple([asked[i] for i in made.inputs])
        if (there, wanted) not in self.backwards:
            self.backwards[there, wanted] = self._make(there, wanted)
        return self.backwards[there, wanted]

    def _make(self, given: tuple[bool, ...], wanted: tuple[bool, ...]) -> Backward | None:
        linear = trim(self.split.backward, given, wanted)
        if not linear.outputs:
            return None
        graph = linear.graph
        if self.remat:
            graph = _behind_barrier(graph)
        return Backward(
            CallFunction({"name": graph.name}, (graph,)),
            tuple([self.split.residuals[i] for i in linear.residuals]),
            tuple([i for i, there in zip(self.split.outputs, given, strict=True) if there]),
            tuple([self.split.inputs[i] for i in linear.outputs]),
        )


def _behind_barrier(graph: Graph) -> Graph:
    """The graph with a barrier behind its inputs, so that nothing merges with what ran before."""

    def body(builder: Any, *given: Any) -> Sequence[Any]:
        found: Sequence[Any] = builder.inline(graph, ops.barrier(*given))
        return found

    return make_region(graph.name, graph.input_types, body)


_plans: Memo[_Plan] = Memo()


def _plan(callee: Graph, needs: tuple[bool, ...], remat: bool) -> _Plan:
    def make() -> _Plan:
        both = joint(callee, [i for i, need in enumerate(needs) if need])
        made = split(both, policy="recompute-all" if remat else None)
        saves = any(r.kind == "saved" for r in made.residuals)
        # A loop's gradient checks its number of trips, in the forward pass only.
        checks = num_checks(made.forward) > num_checks(callee)
        return _Plan(made, None if remat and not (saves or checks) else made.forward, remat)

    return _plans.get((callee,), (needs, remat), make)


class CallFunction(RegionFunction):
    """A ``call`` with its derivatives."""

    name = "call"

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """Call what also gives residuals."""
        (callee,) = self.regions
        plan = _plan(callee, needs, self.attributes.get("remat", False))
        forward = CallFunction(self.attributes, (plan.forward or callee,))
        results = apply(forward, operands)
        kept = Kept(plan.split.residuals, operands, results)

        def pull(cotangents: Sequence[Any], asked: tuple[bool, ...]) -> Sequence[Any]:
            return kept.pull(plan.backward([g is not None for g in cotangents], asked), cotangents)

        return results[: plan.split.num_outputs], pull

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Call what also gives tangents."""
        (callee,) = self.regions
        given = [i for i, t in enumerate(tangents) if t is not None]
        both, changed = jvp_graph(callee, given)
        forward = CallFunction(self.attributes, (both,))
        found = apply(forward, (*operands, *[tangents[i] for i in given]))
        return with_tangents(found, len(callee.outputs), changed)


def with_tangents(
    found: tuple[Any, ...], count: int, changed: Sequence[int]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The results, and for each its tangent or None; ``changed`` says which have one."""
    made = dict(zip(changed, found[count:], strict=True))
    return found[:count], tuple([made.get(i) for i in range(count)])


class CustomFunction(RegionFunction):
    """A ``custom_vjp``: its rule, which forward mode transposes."""

    name = "custom_vjp"

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """Run ``forward``; ``backward`` is the way back."""
        primal, forward, backward = self.regions
        count = len(primal.outputs)
        found = apply(CallFunction(self.attributes, (forward,)), operands)
        residuals = found[count:]
        taken, given = _smooth(primal.output_types), _smooth(primal.input_types)

        def pull(cotangents: Sequence[Any], asked: tuple[bool, ...]) -> Sequence[Any]:
            filled = [
                zeros(primal.output_types[i]) if cotangents[i] is None else cotangents[i]
                for i in taken
            ]
            function = CallFunction(self.attributes, (backward,))
            made = dict(zip(given, dispatch.apply(function, (*residuals, *filled)), strict=True))
            return [made.get(i) if need else None for i, need in enumerate(asked)]

        return found[:count], pull

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Run ``forward``, and the transpose of ``backward`` on the tangents."""
        primal, forward, backward = self.regions
        count = len(primal.outputs)
        found = apply(CallFunction(self.attributes, (forward,)), operands)
        active = tuple([t is not None for t in tangents])
        graph, changed = _transposes.get(
            (backward, primal), active, lambda: _transpose(primal, backward, active)
        )
        given = [t for t in tangents if t is not None]
        made = apply(CallFunction(self.attributes, (graph,)), (*found[count:], *given))
        return with_tangents((*found[:count], *made), count, changed)


def _smooth(types: Sequence[Type]) -> tuple[int, ...]:
    """The positions that have cotangents."""
    return tuple([i for i, t in enumerate(types) if with_cotangents((t,))])


_transposes: Memo[tuple[Graph, tuple[int, ...]]] = Memo()


def _transpose(
    primal: Graph, backward: Graph, active: tuple[bool, ...]
) -> tuple[Graph, tuple[int, ...]]:
    """A graph of residuals and tangents of operands that gives tangents of results."""
    taken, given = _smooth(primal.output_types), _smooth(primal.input_types)
    first = len(backward.inputs) - len(taken)
    both = joint(backward, range(first, len(backward.inputs)))
    places = {i: k for k, i in enumerate(given)}
    tangents = [places[i] for i, there in enumerate(active) if there]

    def body(builder: Any, *values: Any) -> Sequence[Any]:
        residuals, pushed = values[:first], dict(zip(tangents, values[first:], strict=True))
        cotangents = [zeros(v.type) for v in backward.inputs[first:]]
        filled = [
            pushed[k] if k in pushed else zeros(backward.output_types[k]) for k in both.outputs
        ]
        found = builder.inline(both.graph, [*residuals, *cotangents, *filled])
        return found[both.num_outputs :]  # type: ignore[no-any-return]

    types = [v.type for v in backward.inputs[:first]]
    types += [backward.output_types[k] for k in tangents]
    made = make_region(f"{backward.name}_transposed", types, body)
    return live_part(made, effects=False), tuple([taken[i - first] for i in both.inputs])


__all__ = ["CallFunction", "CustomFunction", "with_tangents"]
