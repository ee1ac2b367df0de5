"""Loops on traced values: the body is traced as a region, again when what it carries widens."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from plait.ir import Graph, GraphBuilder, TensorType, Value, ops
from plait.tracer.control.branch import truth
from plait.tracer.control.items import (
    Leaf,
    LeafType,
    Maybe,
    Mismatch,
    is_number,
    item_of,
    lower_leaf,
    zeros_of,
)
from plait.tracer.control.loop_results import LoopResults
from plait.tracer.control.scope import Before, fail, holds_own, place_item, renew, undo
from plait.tracer.control.site import Site
from plait.tracer.control.slots import Carried, Slot, carried_in, is_tensor, statics
from plait.tracer.outcome import Ending
from plait.tracer.places import UNBOUND, PayloadPlace, Place, owner_of
from plait.tracer.region import Region, join_captures
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.tensor_operators import is_replaced
from plait.tracer.tensor_views import relatives

BOOL = TensorType(np.dtype(bool), ())
#: How often a body is traced before its carries must have settled.
ROUNDS = 12


class Loop:
    """A loop whose body is being traced, while converted code runs it.

    Attributes
    ----------
    state : tuple
        What the names of the site hold now, for the user's code to go on with.
    done : bool
        Whether the loop is written down and the code behind it goes on.
    """

    def __init__(self, parent: Any, site: Site, held: dict[str, Any], caller: Any) -> None:
        self.parent = parent
        self.site = site
        self.before: Any = Before(parent, dict(held), caller)
        self.state: tuple[Any, ...] = ()
        self.done = False
        self.rounds = 0
        self.region: Region
        self.slots = [self._name_slot(name) for name in site.names]
        self._keep_written()

    def _name_slot(self, name: str) -> Slot:
        item = item_of(self.before.held.get(name, UNBOUND))
        return Slot(name, None, item, is_flag=name == self.site.flag)

    def _keep_written(self) -> None:
        """Names that are written in place keep their tensor, whose payload is carried."""
        known = set()
        for slot in list(self.slots):
            if slot.name not in self.site.written or not is_tensor(slot.before):
                continue
            handle = slot.before.source
            if is_replaced(handle):
                continue
            slot.kept = True
            if id(handle) not in known and type(handle._data) is Value:
                known.add(id(handle))
                self._add_place(PayloadPlace(handle), handle._data)

    def _add_place(self, place: Place, old: Any) -> None:
        self.slots.append(Slot("", place, place_item(place, old)))

    # One iteration.

    def begin(self) -> None:
        """Open the region of the body, with a state of inputs."""
        self.rounds += 1
        if self.rounds > ROUNDS:
            raise self.failure("what it carries changes its type in each iteration")
        self.region = Region(self.parent, "body", self.restart())
        self.region.open()
        self.inputs_before()
        state = []
        for slot in self.slots:
            entry = slot.enter(self._input)
            first = [leaf.before for leaf in carried_in(slot.carry)]
            self.region.begins |= dict(zip(slot.inputs, first, strict=False))
            if slot.place is None:
                state.append(entry)
            else:
                self.region.note(slot.place)
                slot.place.write(entry)
        self.state = tuple(state)

    def _input(self, type_: LeafType) -> Value:
        if type_.kind == "number":
            return self.region.number(type_.type, "")
        return self.region.input(type_.type)

    def inputs_before(self) -> None:
        """Make the inputs of the region that are not state."""

    def restart(self) -> Any:
        """The decision that avoids the region; None when there is none."""
        return None

    def end(self, held: dict[str, Any]) -> bool:
        """Close the region; whether the body has to be traced again."""
        where = str(self.site)
        names = [item_of(held.get(s.name, UNBOUND)) for s in self.slots if s.place is None]
        self.region.leave()
        written = self.region.journal
        changes = undo(self.region, self.before, self.site.names)
        places = {p.key: (p, old, new) for p, old, new in changes}
        self._refuse_lost_writes(written)
        again = self._new_places(places)
        try:
            for slot in self.slots:
                if slot.place is None:
                    again |= slot.leave(names.pop(0), where)
                elif slot.place.key in places:
                    again |= slot.leave(places[slot.place.key][2], where)
        except Mismatch as mismatch:
            what = slot.name or (slot.place.describe() if slot.place is not None else "")
            raise self.mismatch(f"{what} is {mismatch}") from None
        return again

    def _new_places(self, places: dict[tuple[Any, ...], tuple[Place, Any, Any]]) -> bool:
        known = {slot.place.key for slot in self.slots if slot.place is not None}
        fresh = [entry for key, entry in places.items() if key not in known]
        fresh = [entry for entry in fresh if not self.appended(*entry)]
        for place, old, _ in fresh:
            slot = Slot("", place, old)
            slot.after = old
            self.slots.append(slot)
        for slot in self.slots:
            if slot.place is not None and slot.place.key not in places:
                slot.after = slot.carry
        return bool(fresh)

    def appended(self, place: Place, old: Any, new: Any) -> bool:
        """Whether a change of a place needs no carry."""
        return False

    def _refuse_lost_writes(self, written: Any) -> None:
        """A tensor that enters under a rebound name may be shared: writes to it would be lost."""
        changed = {id(owner_of(place)) for place, _ in written.entries}
        for slot in self.slots:
            if slot.is_raw or slot.kept:
                continue
            what = slot.name or slot.place.describe()  # type: ignore[union-attr]
            for made, source in slot.entered:
                if id(made) in changed and not is_number(source):
                    raise self.failure(f"{what} is both written in place and assigned anew")
                if type(source) is Tensor and not changed.isdisjoint(relatives(source)):
                    raise self.failure(f"{what} is assigned anew, and written under another name")

    # The whole loop.

    def mismatch(self, reason: str) -> Ending:
        """What happens when no carry holds a name."""
        return self.failure(reason)

    def failure(self, reason: str) -> Ending:
        """The end of a trace that cannot stage this loop; to be raised."""
        return fail(
            self.parent,
            self.site,
            f"{reason} in {self.site}, which depends on tensors; give it the same type, shape and "
            "structure before the loop and at the end of its body",
        )

    def carries(self) -> tuple[list[Value], list[Value], list[Value]]:
        """For each carry its first value, its input of the region, and what the region gives."""
        first, inputs, last = [], [], []
        for slot in self.slots:
            leaves = slot.carried_leaves()
            first += [self._first(slot, leaf) for leaf in leaves]
            with self.region.again():
                late = slot.late is not None
                mine = [self.region.input(c.type.type) for c in leaves] if late else slot.inputs
                inputs += mine
                last += [
                    same if type(after) is Carried else self._last(carry, after)
                    for same, carry, after in zip(mine, leaves, slot.after_leaves(), strict=True)
                ]
        return first, inputs, last

    def _first(self, slot: Slot, leaf: Carried) -> Value:
        if slot.is_flag:
            return lower_leaf(self.parent, _payload(slot.before), leaf.type)
        if leaf.before is None:
            return zeros_of(self.parent, leaf.type)
        return lower_leaf(self.parent, leaf.before, leaf.type)

    def _last(self, carry: Carried, after: Any) -> Value:
        if after is None:
            return zeros_of(self.region, carry.type)
        return lower_leaf(self.region, after.payload, carry.type)

    def settle(self, results: Iterator[Value], ran: Any) -> None:
        """Let names and places hold the results; ``ran``: whether an iteration ran."""
        state = []
        self.results: Any = LoopResults(self, ran)
        for slot in self.slots:
            is_late = slot.late is not None and not slot.is_flag
            if is_late and any(holds_own(x, self.region) for x in statics(slot.late)):
                raise self.failure(f"{slot.name} is an object with tensors, made in each iteration")
            value = slot.result(results, self.results)
            if is_late and ran is not True:
                value = Maybe(value, ran, slot.name, f"{self.site} running at least once")
            if slot.place is None:
                state.append(value)
            else:
                slot.place.write(value)
        self.state = tuple(state)
        self.done = True

    def forget(self, held: dict[str, Any]) -> None:
        """Keep nothing from before the loop: a tensor that is dead cannot be written."""
        self.slots, self.before, self.results = [], None, None
        renew(held, self.site.names, self.state)


def _payload(item: Any) -> Any:
    return item.payload if type(item) is Leaf else False


class While(Loop):
    """A ``while`` whose test is traced."""

    def __init__(
        self, parent: Any, test: Value, site: Site, held: dict[str, Any], caller: Any
    ) -> None:
        super().__init__(parent, site, held, caller)
        self._test = test
        self.begin()

    def step(self, test: Any, held: dict[str, Any]) -> None:
        """The body has run and the test after it: trace it again, or write the loop down."""
        last_test = truth(self.region, test) if type(test) is Tensor else bool(test)
        if self.end(held):
            self.begin()
            return
        first, inputs, last = self.carries()
        with self.region.again():
            last_test = lower_leaf(self.region, last_test, LeafType("number", bool))
        self.region.finish()
        outers = join_captures([self.region])
        flag = self.region.input(BOOL, "go_on")
        body = self.region.graph([*self.region.captured, flag, *inputs], [last_test, *last])
        condition = passing(body.input_types, len(outers))
        results = ops.while_(
            *outers, self._test, *first, regions=(condition, body), num_consts=len(outers)
        )
        self.settle(iter(results[1:]), wrap(self._test, "number"))
        self.forget(held)


def passing(types: Sequence[Any], index: int) -> Graph:
    """The condition that is one of the carries."""
    builder = GraphBuilder("condition")
    inputs = [builder.input(t) for t in types]
    return builder.build([inputs[index]])


def while_(loop: Any, test: Any, site: Site, held: dict[str, Any]) -> Any:
    """A ``while`` whose test is no Python bool: None when its truth is Python's, else the loop."""
    if loop is not None:
        loop.step(test, held)
        return loop
    trace = current()
    if trace is None or trace.is_lazy or type(test) is not Tensor:
        return None
    return While(trace, truth(trace, test), site, held, sys._getframe(1).f_back)


__all__ = ["Loop", "While", "passing", "while_"]
