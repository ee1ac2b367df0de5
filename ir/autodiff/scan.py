"""Derivatives of scans: the values that a trip saves are stacked; the way back runs against them.

What the operands hold already (constants, slices) and the stacked outputs are not saved again. The
cotangents of constants are summed in the carry of the backward scan, those of slices are stacked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.ir import dispatch, ops
from plait.ir.autodiff.accumulation import accumulate
from plait.ir.autodiff.call import with_tangents
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.graphs import is_differentiable, joint, replay
from plait.ir.autodiff.linear import Linear, peel, trim
from plait.ir.autodiff.memo import Memo
from plait.ir.autodiff.partition import Residual, Split, split
from plait.ir.autodiff.regions import Kept, RegionFunction
from plait.ir.autodiff.scan_products import Taken, take_products
from plait.ir.autodiff.while_parts import Indices, make_region, reached, zeros
from plait.ir.graph import Graph
from plait.ir.types import Type

Mask = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which inputs of a scan's body are constants and which are carried; the rest are slices.

    Attributes
    ----------
    consts, carry : int
        How many.
    """

    consts: int
    carry: int

    @property
    def first_slice(self) -> int:
        """The first input that is a slice."""
        return self.consts + self.carry

    def is_const(self, index: int) -> bool:
        """Whether an input is the same in each trip."""
        return index < self.consts

    def is_carry(self, index: int) -> bool:
        """Whether an input is what the trip before gave."""
        return self.consts <= index < self.first_slice


def active_inputs(body: Graph, layout: Layout, needs: Sequence[bool]) -> Indices:
    """The inputs that depend on operands that matter: the least set that a trip keeps."""
    known = {i for i, need in enumerate(needs) if need and is_differentiable(body.inputs[i])}
    while True:
        found = reached(body, known)
        more = {layout.consts + j for j in found if j < layout.carry} - known
        if not more:
            return tuple(sorted(known))
        known |= more


@dataclass(frozen=True, slots=True, eq=False)
class Back:
    """A backward scan for the cotangents that are given and those that are asked for.

    Attributes
    ----------
    body : Graph
        Constants: ``consts``, what the prelude makes of them. Carry: cotangents of ``carry``, sums
        of cotangents of ``sums``. Slices: ``slices``, then the cotangents of the results
        ``arriving``. Stacked outputs: cotangents of ``stacked``, then what products are made of.
    prelude : Graph or None
    consts, slices : tuple of Residual
        Operands and results of the forward scan.
    arriving : tuple of int
        Stacked results.
    carry, sums, stacked : tuple of int
        Operands of the forward scan.
    taken : Taken or None
        Of the sums, products that are taken after the scan.
    """

    body: Graph
    prelude: Graph | None
    consts: tuple[Residual, ...]
    slices: tuple[Residual, ...]
    arriving: Indices
    carry: Indices
    sums: Indices
    stacked: Indices
    taken: Taken | None

    @property
    def carried_sums(self) -> Indices:
        """The constants whose sums the scan carries."""
        if self.taken is None:
            return self.sums
        return tuple([self.sums[k] for k in self.taken.kept])

    def add_products(self, found: dict[int, Any], slices: Sequence[Any], made: Any) -> None:
        """Add the products to the sums; ``made`` are stacks that the scan gave for them."""
        if self.taken is not None:
            stacks = dict(zip(self.taken.sources, [*slices, *made], strict=True))
            for i, products in zip(self.sums, self.taken.products, strict=True):
                for product in products:
                    one = product.summed(stacks)
                    found[i] = one if i not in found else ops.add(found[i], one)


@dataclass(slots=True, eq=False)
class _Plan:
    """A scan in two."""

    layout: Layout
    types: tuple[Type, ...]
    split: Split
    unchanged: frozenset[int]
    backs: dict[tuple[Mask, Mask], Back | None] = field(default_factory=dict)

    def is_fixed(self, residual: Residual) -> bool:
        """Whether a residual is the same in each trip."""
        i = residual.index
        return residual.kind == "input" and (self.layout.is_const(i) or i in self.unchanged)

    def back(self, given: Mask, asked: Mask) -> Back | None:
        """What pulls the cotangents back; None when nothing is left to do."""
        if (given, asked) not in self.backs:
            linear, carry = self._trimmed(given, asked)
            targets = [self.split.inputs[i] for i in linear.outputs]
            wanted = carry or any(not self.layout.is_carry(i) for i in targets)
            self.backs[given, asked] = self._make(linear, given, carry) if wanted else None
        return self.backs[given, asked]

    def _trimmed(self, given: Mask, asked: Mask) -> tuple[Linear, Indices]:
        """The way back through one trip, and the carried operands with cotangents that are not 0.

        A carry's cotangent may become other than zero after any number of trips.
        """
        parts, layout = self.split, self.layout
        first, is_carry = layout.consts, layout.is_carry
        known = {*parts.inputs, *[first + j for j in parts.outputs]}
        carry = {first + j for j in range(layout.carry) if given[j] and first + j in known}
        wanted = [is_carry(i) or asked[i] for i in parts.inputs]
        while True:
            there = [(first + j in carry) if j < layout.carry else given[j] for j in parts.outputs]
            linear = trim(parts.backward, there, wanted)
            found = {parts.inputs[i] for i in linear.outputs}
            more = {i for i in found if is_carry(i)} - carry
            if not more:
                return linear, tuple(sorted(carry))
            carry |= more

    def _make(self, linear: Linear, given: Mask, carry: Indices) -> Back:
        parts, layout = self.split, self.layout
        residuals = [parts.residuals[i] for i in linear.residuals]
        consts = tuple(dict.fromkeys(r for r in residuals if self.is_fixed(r)))
        slices = tuple(dict.fromkeys(r for r in residuals if not self.is_fixed(r)))
        targets = [parts.inputs[i] for i in linear.outputs]
        arriving = tuple([j for j in parts.outputs if j >= layout.carry and given[j]])
        sums = tuple([i for i in targets if layout.is_const(i)])
        stacked = tuple([i for i in targets if i >= layout.first_slice])
        names: list[Any] = [*consts, *carry, *[("sum", i) for i in sums], *slices]

        def step(builder: Any, *values: Any) -> Sequence[Any]:
            held = dict(zip(names, values, strict=False))
            stacks = dict(zip(arriving, values[len(names) :], strict=True))
            cotangents = {
                j: held.get(layout.consts + j) if j < layout.carry else stacks.get(j)
                for j in parts.outputs
            }
            taken = [g for g in cotangents.values() if g is not None]
            found = builder.inline(linear.graph, [*[held[r] for r in residuals], *taken])
            made = dict(zip(targets, found, strict=True))
            return [
                *[made[i] if i in made else zeros(self.types[i]) for i in carry],
                *[accumulate(held["sum", i], made[i]) for i in sums],
                *[made[i] for i in stacked],
            ]

        body = make_region(linear.graph.name, self._types(names, arriving), step)
        first = len(consts) + len(carry)
        after = first + len(sums)
        taken = take_products(body, range(first, after), len(carry), range(after, len(body.inputs)))
        body = body if taken is None else taken.body
        peeled = peel(body, len(consts))
        body, prelude = (body, None) if peeled is None else (peeled.body, peeled.prelude)
        return Back(body, prelude, consts, slices, arriving, carry, sums, stacked, taken)

    def _types(self, names: Sequence[Any], arriving: Indices) -> list[Type]:
        """Types of the backward body's inputs."""
        outputs = self.split.forward.output_types
        found: list[Type] = []
        for name in names:
            if isinstance(name, Residual):
                found.append((self.types if name.kind == "input" else outputs)[name.index])
            else:
                found.append(self.types[name[1] if isinstance(name, tuple) else name])
        return [*found, *[outputs[j] for j in arriving]]


_plans: Memo[_Plan] = Memo()


def _plan(body: Graph, layout: Layout, needs: Mask) -> _Plan:
    active = active_inputs(body, layout, needs)

    def make() -> _Plan:
        first, after = layout.consts, layout.first_slice
        unchanged = frozenset(
            [
                first + j
                for j, v in enumerate(body.outputs[: layout.carry])
                if v is body.inputs[first + j]
            ]
        )
        same = [*range(first), *unchanged]
        parts = split(
            joint(body, active),
            free_inputs=[*same, *range(after, len(body.inputs))],
            free_outputs=range(layout.carry, len(body.outputs)),
            invariant=same,
        )
        return _Plan(layout, body.input_types, parts, unchanged)

    return _plans.get((body,), (layout, active), make)


class ScanFunction(RegionFunction):
    """A ``scan`` with its derivatives."""

    name = "scan"

    def __init__(self, attributes: Mapping[str, Any], regions: tuple[Graph, ...]) -> None:
        super().__init__(attributes, regions)
        self.body = regions[0]
        self.layout = Layout(attributes["num_consts"], attributes["num_carry"])

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """Run the scan and stack what the way back reads."""
        plan = _plan(self.body, self.layout, needs)
        results = apply(ScanFunction(self.attributes, (plan.split.forward,)), operands)
        kept = Kept(plan.split.residuals, operands, results)

        def pull(cotangents: Sequence[Any], asked: tuple[bool, ...]) -> Sequence[Any]:
            return self._pull(plan, kept, cotangents, asked)

        return results[: plan.split.num_outputs], pull

    def _pull(
        self, plan: _Plan, kept: Kept, cotangents: Sequence[Any], asked: tuple[bool, ...]
    ) -> Sequence[Any]:
        back = plan.back(tuple([g is not None for g in cotangents]), asked)
        if back is None:
            return [None] * kept.count
        first = self.layout.consts
        consts = [kept.values[r] for r in back.consts]
        if back.prelude is not None:
            consts += replay(back.prelude, consts)
        starts = [cotangents[i - first] for i in back.carry]
        carry = [
            zeros(plan.types[i]) if g is None else g
            for i, g in zip(back.carry, starts, strict=True)
        ]
        carry += [zeros(plan.types[i]) for i in back.carried_sums]
        slices = [kept.values[r] for r in back.slices] + [cotangents[j] for j in back.arriving]
        attributes = {
            "num_consts": len(consts),
            "num_carry": len(carry),
            "length": self.attributes["length"],
            "reverse": not self.attributes.get("reverse", False),
        }
        backward = ScanFunction(attributes, (back.body,))
        made = dispatch.apply(backward, (*consts, *carry, *slices))
        places = (*back.carry, *back.carried_sums, *back.stacked)
        by_operand = dict(zip(places, made, strict=False))
        back.add_products(by_operand, slices, made[len(places) :])
        return [by_operand.get(i) if need else None for i, need in enumerate(asked)]

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Run the scan with tangents beside the values."""
        layout, body = self.layout, self.body
        active = active_inputs(body, layout, [t is not None for t in tangents])
        pushed = _pushes.get((body,), (layout, active), lambda: _push(body, layout, active))
        consts, carry, slices = [
            [zeros(body.inputs[i].type) if tangents[i] is None else tangents[i] for i in group]
            for group in pushed.groups
        ]
        first, after = layout.consts, layout.first_slice
        attributes = {
            **self.attributes,
            "num_consts": first + len(consts),
            "num_carry": layout.carry + len(carry),
        }
        values = (*operands[:first], *consts, *operands[first:after], *carry)
        found = apply(
            ScanFunction(attributes, (pushed.body,)), (*values, *operands[after:], *slices)
        )
        return with_tangents(
            tuple([found[i] for i in pushed.results]), len(body.outputs), pushed.changed
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pushed:
    """A scan that carries tangents.

    Attributes
    ----------
    body : Graph
        Inputs: constants, their tangents, carry, its tangents, slices, their tangents; outputs
        likewise.
    groups : tuple of tuple of int
        The constants, carried values and slices that have tangents.
    results : tuple of int
        Where the results are, and then the tangents.
    changed : tuple of int
        The results that have tangents.
    """

    body: Graph
    groups: tuple[Indices, Indices, Indices]
    results: Indices
    changed: Indices


_pushes: Memo[_Pushed] = Memo()


def _push(body: Graph, layout: Layout, active: Indices) -> _Pushed:
    first, after, count = layout.consts, layout.first_slice, layout.carry
    graph, made = jvp_graph(body, active)
    consts = tuple([i for i in active if i < first])
    carry = tuple([i for i in active if layout.is_carry(i)])
    slices = tuple([i for i in active if i >= after])
    stacked = tuple([j for j in made if j >= count])
    values = range(len(body.inputs))
    names: list[Any] = [*values[:first], *[("d", i) for i in consts]]
    names += [*values[first:after], *[("d", i) for i in carry]]
    names += [*values[after:], *[("d", i) for i in slices]]

    def step(builder: Any, *given: Any) -> Sequence[Any]:
        held = dict(zip(names, given, strict=True))
        tangents = [held["d", i] for i in active]
        found = builder.inline(graph, [*[held[i] for i in values], *tangents])
        outputs = found[: len(body.outputs)]
        own = dict(zip(made, found[len(body.outputs) :], strict=True))
        return [
            *outputs[:count],
            *[own[i - first] if i - first in own else zeros(body.inputs[i].type) for i in carry],
            *outputs[count:],
            *[own[j] for j in stacked],
        ]

    types = [body.inputs[n[1] if isinstance(n, tuple) else n].type for n in names]
    middle, end = count + len(carry), len(body.outputs) + len(carry)
    results = [*range(count), *range(middle, end)]
    results += [*range(count, middle), *range(end, end + len(stacked))]
    changed = (*[i - first for i in carry], *stacked)
    region = make_region(graph.name, types, step)
    return _Pushed(region, (consts, carry, slices), tuple(results), changed)


__all__ = ["ScanFunction"]
