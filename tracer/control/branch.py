"""``if`` on a traced value: both branches are traced, one after the other, and joined by a cond."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from plait.ir import Value, functions, ops
from plait.ir.errors import ShapeError
from plait.ir.location import user_location
from plait.tracer.control.items import MISSING, Maybe, MaybeItem, Mismatch, item_of
from plait.tracer.control.merge import Maker, Merge
from plait.tracer.control.scope import Before, Changes, as_written, fail, renew, undo
from plait.tracer.control.site import Site
from plait.tracer.places import UNBOUND, Place
from plait.tracer.region import Region
from plait.tracer.state import current
from plait.tracer.tensor import Tensor


def test(value: Any, site: Site) -> Any:
    """The truth of the condition of an ``if``: True, False, or a ``Branch`` to be traced.

    To be called by converted code itself, whose names it reads.
    """
    trace = current()
    if trace is None or trace.is_lazy or type(value) is not Tensor:
        return bool(value)
    pred = truth(trace, value)
    return Branch(trace, pred, site, sys._getframe(1))


def truth(trace: Any, value: Tensor) -> Value:
    """The truth value of a tensor, as a scalar bool of the graph."""
    payload = value._data
    if type(payload) is not Value:
        payload = trace.read_tensor(value)
    elif value._kind == "number" and is_argument_number(trace, payload):
        trace.number_needed(payload)
    if payload.size != 1:
        raise ShapeError(
            f"the truth of a tensor of shape {tuple(payload.shape)} is ambiguous; "
            "use pl.any(x) or pl.all(x)"
        ).at(user_location())
    payload = trace.lift(payload)
    if payload.dtype != bool:
        payload = ops.not_equal(payload, np.zeros(payload.shape, payload.dtype))
    if payload.ndim:
        payload = functions.reshape(payload, ())
    found: Value = payload
    return found


def is_argument_number(trace: Any, value: Value) -> bool:
    """Whether a number is computed from numbers among the arguments and constants alone."""
    pending, seen = [value], {value}
    while pending:
        v = pending.pop()
        if not trace.owns(v):
            parent = getattr(trace, "parent", None)
            if parent is None or not is_argument_number(parent, v):
                return False
        elif v.node is not None:
            fresh = [x for x in v.node.operands if x not in seen]
            seen.update(fresh)
            pending.extend(fresh)
        elif isinstance(trace, Region):
            outer = trace.outer_of(v)
            if outer is None or not is_argument_number(trace.parent, outer):
                return False
        elif v not in trace._numbers:
            return False
    return True


class Branch:
    """An ``if`` whose condition is traced, while converted code runs its branches."""

    def __init__(self, parent: Any, pred: Value, site: Site, frame: FrameType) -> None:
        self._parent = parent
        self._pred = pred
        self._site = site
        self._before: Any = Before(parent, dict(frame.f_locals), frame.f_back)
        self._then = Region(parent, "then")
        self._else = Region(parent, "else")
        self._else.other = self._then
        self._ends: list[dict[str, Any]] = []
        self._places: list[Changes] = []
        self._then.open()

    def otherwise(self, held: dict[str, Any]) -> tuple[Any, ...]:
        """End the branch where the condition holds; the state from before, for the other one."""
        self._end(self._then, held)
        self._else.open()
        state = self._before.state(self._site.names)
        if self._site.kind == "guard" and self._site.flag in self._site.names:
            state[self._site.names.index(self._site.flag)] = True
        return tuple(state)

    def only(self, held: dict[str, Any]) -> tuple[Any, ...]:
        """End the branch where the condition holds, and the other one, which is empty."""
        state = self.otherwise(held)
        found = self.merge(dict(zip(self._site.names, state, strict=True)))
        renew(held, self._site.names, found)
        return found

    def merge(self, held: dict[str, Any]) -> tuple[Any, ...]:
        """End the other branch; the state after the ``if``."""
        self._end(self._else, held)
        site = self._site
        merging = Merge(
            self._pred,
            (self._then, self._else),
            self._before.is_outer,
            (f"{site} being true", f"{site} being false"),
        )
        if self._then.diverged and self._else.diverged:
            self._parent.diverged = True
            self._then.diverged = False
        names = [self._merge_name(merging, name) for name in site.names]
        places = self._merge_places(merging)
        results = merging.emit()
        for place, maker in places:
            place.write(maker(results))
        state = [_named(m(results), n) for m, n in zip(names, site.names, strict=True)]
        merging.forget()
        self._ends, self._places, self._before = [], [], None  # what is dead cannot be written
        renew(held, site.names, state)
        return tuple(state)

    def _end(self, region: Region, held: dict[str, Any]) -> None:
        self._ends.append({n: item_of(held.get(n, UNBOUND)) for n in self._site.names})
        region.leave()
        changes = undo(region, self._before, self._site.names)
        self._places.append({p.key: (p, old, new) for p, old, new in changes})

    def _merge_name(self, merging: Merge, name: str) -> Maker:
        then, other = self._ends[0][name], self._ends[1][name]
        if self._site.kind == "guard" and name == self._site.flag:
            before = self._before.held[name]
            if type(before) is Tensor and then.source is before:
                return lambda _: before
        return self._merged(merging, then, other, name)

    def _merged(self, merging: Merge, then: Any, other: Any, what: str) -> Maker:
        try:
            return merging.add(then, other)
        except Mismatch as mismatch:
            what = what if not what.startswith("_plait") else "what the function returns"
            raise fail(
                self._parent,
                self._site,
                f"{what} is {mismatch} in the branches of {self._site}, which depends on a "
                "tensor's value; one graph needs one type of value: give both the same shape and "
                "structure",
            ) from None

    def _merge_places(self, merging: Merge) -> list[tuple[Place, Maker]]:
        found = []
        first, second = self._places
        for key in {**first, **second}:
            place, old, _ = first.get(key) or second[key]
            ends = [e[key][2] if key in e else as_written(old, e) for e in (first, second)]
            maker = self._merged(merging, ends[0], ends[1], place.describe())
            if MISSING in ends or MaybeItem in map(type, ends):
                raise fail(
                    self._parent,
                    self._site,
                    f"{place.describe()} is set in one branch of {self._site} only, which depends "
                    "on a tensor's value; set it before the branch",
                )
            found.append((place, maker))
        return found


def _named(value: Any, name: str) -> Any:
    """Tell a value that may be unbound whose it is."""
    if type(value) is Maybe and not value.name:
        value.name = name
    return value


def use(value: Any, sure: bool = False, free: bool = False) -> Any:
    """The value of a name that may be unbound; checked when the graph runs.

    Not checked when it is ``sure``: Python does not come here with the name unbound.

    Raises
    ------
    UnboundLocalError, NameError
        It is not bound on any path; the latter where it is ``free``, of a function around.
    """
    if type(value) is not Maybe:
        return value
    if value.defined is not True and not sure:
        message = f"cannot access {value.name!r}: it is assigned only with {value.where}"
        kind = NameError if free else UnboundLocalError
        trace = current()
        if type(value.defined) is bool or trace is None:
            raise kind(message)
        from plait.tracer.control import raising  # it takes truth from here

        raising.check(truth(trace, value.defined), kind(message))
    return value.value
