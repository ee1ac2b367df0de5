"""``for`` over tensors and long ranges: a scan, or a while where its end depends on values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from plait.ir import Literal, TensorType, Value, functions, ops
from plait.tracer.control import moving
from plait.tracer.control.branch import truth
from plait.tracer.control.items import Branching, Leaf, LeafType, lower_leaf
from plait.tracer.control.iterables import (
    INT64,
    Enumerated,
    Reversed,
    Rows,
    Source,
    Zipped,
    source_of,
    tie_row,
)
from plait.tracer.control.loop import BOOL, Loop, passing
from plait.tracer.control.methods import container_method
from plait.tracer.control.site import Site
from plait.tracer.control.slots import Slot
from plait.tracer.control.stacks import Stacks, flat, settled
from plait.tracer.outcome import Ending, Restart, stop
from plait.tracer.places import UNBOUND, ContentPlace, Place
from plait.tracer.region import join_captures
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap

#: Python ranges of up to this many trips are unrolled.
TRIPS = 16
INDEX = TensorType(INT64, ())


class For(Loop):
    """A ``for`` whose body is traced once for all elements; its state is set up at the first step.

    Attributes
    ----------
    items : iterable
        What the ``for`` of converted code goes over; it asks ``step`` for the real state.
    element : Any
        The element for the iteration that begins.
    """

    def __init__(self, parent: Any, source: Source, site: Site, is_peeled: bool) -> None:
        self.parent = parent
        self.site = site
        self.state = ()
        self.done = False
        self.source = source
        self.items = repeat(None)
        self.element: Any = None
        self.is_peeled = is_peeled
        self.offset = int(is_peeled)
        self.is_fixed = type(source.length) is int
        self.is_scan = self.is_fixed and not site.flag
        self.phase = "peel" if is_peeled else "start"
        self._position: Value | None = None
        self._rows: list[tuple[Rows, Value]] = []
        self._grown: dict[tuple[Any, ...], tuple[Place, Branching, list[Any]]] = {}
        self._first_look: str | None = None
        self._marked: frozenset[Any] = frozenset()

    def step(self, held: dict[str, Any]) -> tuple[Any, ...]:
        """Called when an iteration begins; afterwards ``done`` and ``element`` hold, too."""
        self._step(held, sys._getframe(1).f_back)
        return self.state

    def _step(self, held: dict[str, Any], caller: Any) -> None:
        if self.phase == "peel":
            self.phase = "start"
            self.state = tuple([held.get(n, UNBOUND) for n in self.site.names])
            self.element = self.source.element(0)
            return
        if self.phase == "start":
            self._start(held, caller)
            return
        if self.end(held) or self._looks_again():
            self.begin()
            return
        if self.is_scan:
            self._write_scan()
        else:
            self._write_while()
        self.forget(held)

    def _start(self, held: dict[str, Any], caller: Any) -> None:
        self.phase = "body"
        super().__init__(self.parent, self.site, held, caller)
        broken = held.get(self.site.flag, False) if self.site.flag else False
        nothing = self.is_fixed and self.source.length <= self.offset
        if broken is True or nothing:
            self.state = tuple([held.get(n, UNBOUND) for n in self.site.names])
            self.done = True
            return
        self.begin()

    def inputs_before(self) -> None:
        """The position, and the rows that a scan hands out."""
        self._rows = []
        needs_index = self.source.needs_index or not self.is_scan
        self._position = self.region.number(INDEX, "i") if needs_index else None

    def begin(self) -> None:
        """Open the region, and make the element that stands for all."""
        super().begin()
        self.region.length = None if self.is_fixed else self.source.length
        for slot in self.slots:
            if slot.place is not None and slot.place.key in self._grown:
                raise self.failure("a list grows and is changed")
        # The first look is one at the lists as they are, the second at ones that are longer.
        self._marked = frozenset(self._grown if self._first_look is not None else ())
        for place, old, _ in self._grown.values() if self._marked else ():
            self.region.note(place)
            place.write([*(child.source for child in old.children), _Unreadable(self)])
        self.element = self._element(self.source)

    def _element(self, source: Source) -> Any:
        if isinstance(source, Rows):
            return self._row(source)
        if isinstance(source, Enumerated):
            position = Enumerated(_Nothing(source.length), source.start).element(self.index())
            return position[0], self._element(source.inner)
        if isinstance(source, Zipped):
            return tuple([self._element(inner) for inner in source.inner])
        if isinstance(source, Reversed) and self.is_scan and not source.inner.needs_index:
            return source.element(self.index())
        return source.element(self.index())

    def _row(self, source: Rows) -> Any:
        handle = source.handle
        data = handle._data
        is_carried = type(data) is Value and self.region.owns(data)
        if self.is_scan and not is_carried:
            type_ = LeafType(handle._kind, handle.dtype, tuple(handle.shape[1:])).type
            value = self.region.input(type_)
            self._rows.append((source, value))
            return _scanned_row(self, handle, value)
        return source.element(self.index())

    def index(self) -> Value:
        """The position of the iteration's element, an int64 of the region."""
        if self._position is None:
            self._position = self.region.number(INDEX, "i")
        return self._position

    # What changes.

    def appended(self, place: Place, old: Any, new: Any) -> bool:
        """Whether a list only grows at its end, by the same number of elements each time."""
        if not isinstance(place, ContentPlace) or not isinstance(place.container, list):
            return False
        count = len(old.children)
        grown = new.children[count + (place.key in self._marked) :]
        kept = zip(new.children, old.children, strict=False)
        if len(new.children) <= count or not all(_same(n, o) for n, o in kept):
            return False
        if not self.is_scan:
            raise self.failure(
                "a list grows by a number of elements that is known at run time only; write into a "
                "tensor of a fixed size"
            )
        self._grown[place.key] = (place, old, [settled(item, self) for item in grown])
        return True

    def _looks_again(self) -> bool:
        """Trace a body with lists that grow once more, to see that it does not read them."""
        if not self._grown:
            return False
        look = self._look()
        if self._first_look is None:
            self._first_look = look
            return True
        if look != self._first_look:
            raise self.failure("a list that grows is read")
        return False

    def _look(self) -> str:
        items = [leaf for _, _, found in self._grown.values() for leaf in flat(found)]
        items += [a for s in self.slots for a in s.after_leaves() if type(a) is Leaf]
        shape = [len(found) for _, _, found in self._grown.values()]
        return f"{_shape_of(self.region, [leaf.payload for leaf in items])} {shape}"

    # Where it cannot be staged.

    def restart(self) -> Any:
        """Unroll it, where the number of trips is known."""
        return ("unroll", self.site) if self.is_fixed else None

    def mismatch(self, reason: str) -> Ending:
        """Take the first element by itself, after which types have often settled."""
        if self.is_fixed and not self.is_peeled and self.rounds == 1:
            return stop(self.parent, Restart(("peel", self.site), reason))
        return self.failure(reason)

    def failure(self, reason: str) -> Ending:
        """Unroll, or give up."""
        if self.is_fixed:
            return stop(self.parent, Restart(("unroll", self.site), reason))
        self.parent.number_needed(self.source.length)
        return super().failure(reason)

    # Writing it down.

    def _write_scan(self) -> None:
        length = self.source.length - self.offset
        first, inputs, last = self.carries()
        with self.region.again():
            stacked = [
                lower_leaf(self.region, leaf.payload, leaf.type)
                for _, _, items in self._grown.values()
                for leaf in flat(items)
            ]
            if self._position is not None:
                first.insert(0, self.parent.constant(np.asarray(self.offset, INT64)))
                inputs.insert(0, self._position)
                last.insert(0, ops.add(self._position, np.ones((), INT64)))
        self.region.finish()
        outers = join_captures([self.region])
        rows = [value for _, value in self._rows]
        body = self.region.graph([*self.region.captured, *inputs, *rows], [*last, *stacked])
        scanned = [self._scanned(source) for source, _ in self._rows]
        results = ops.scan(
            *outers,
            *first,
            *scanned,
            regions=(body,),
            num_consts=len(outers),
            num_carry=len(first),
            length=length,
            reverse=False,
        )
        start = int(self._position is not None)
        self._finish(results[start : len(first)], results[len(first) :], True)

    def _scanned(self, source: Rows) -> Value:
        handle = source.handle
        data = handle._data
        if type(data) is not Value:
            value: Value = self.parent.read_tensor(handle)
        else:
            value = self.parent.lift(data)
        if not self.offset and value.shape[0] == self.source.length:
            return value
        found: Value = functions.getitem(value, slice(self.offset, self.source.length))
        return found

    def _finish(self, results: Sequence[Value], stacked: Sequence[Value], ran: Any) -> None:
        self.settle(iter(results), ran)
        if not self._grown:
            return
        appended = [items for _, _, items in self._grown.values()]
        everything = [item for items in appended for item in items]
        stacks = Stacks(self, everything, stacked, self.source.length - self.offset)
        for (place, _, _), columns in zip(
            self._grown.values(), stacks.columns(appended), strict=True
        ):
            place.write([*place.read(), *[x for column in columns for x in column]])

    def _write_while(self) -> None:
        first, inputs, last = self.carries()
        flag = next((s for s in self.slots if s.is_flag), None)
        position = self.index()
        with self.region.again():
            following = ops.add(position, np.ones((), INT64))
            go_on = ops.less(following, self._length_in(self.region))
            if flag is not None and flag.late is not None:
                broken = lower_leaf(self.region, flag.after.payload, LeafType("number", bool))
                go_on = ops.logical_and(go_on, ops.logical_not(broken))
        self.region.finish()
        outers = join_captures([self.region])
        runs = self.region.input(BOOL, "go_on")
        body = self.region.graph(
            [*self.region.captured, runs, position, *inputs], [go_on, following, *last]
        )
        ran = self._runs_at_all(flag)
        condition = passing(body.input_types, len(outers))
        start = np.asarray(self.offset, INT64)
        results = ops.while_(
            *outers, ran, start, *first, regions=(condition, body), num_consts=len(outers)
        )
        known = self.is_fixed and flag is None
        self._finish(results[2:], (), True if known else wrap(self.parent.lift(ran), "number"))

    def _length_in(self, scope: Any) -> Any:
        length = self.source.length
        return np.asarray(length, INT64) if self.is_fixed else scope.lift(length)

    def _runs_at_all(self, flag: Slot | None) -> Any:
        """Whether there is a first iteration: there are elements, and no break came before."""
        runs: Any = np.ones((), bool)
        if not self.is_fixed:
            runs = ops.less(np.asarray(self.offset, INT64), self.parent.lift(self.source.length))
        if flag is not None and type(flag.before) is Leaf and type(flag.before.source) is Tensor:
            runs = ops.logical_and(runs, ops.logical_not(truth(self.parent, flag.before.source)))
        return runs


class _Nothing(Source):
    """Elements that are not asked for."""

    def __init__(self, length: Any) -> None:
        self.length = length

    def element(self, index: Any) -> Any:
        """None."""
        return None


class _Unreadable:
    """Stands in a list that grows for what earlier iterations have put there."""

    def __init__(self, loop: For) -> None:
        object.__setattr__(self, "_loop", loop)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return _Unreadable
        raise object.__getattribute__(self, "_loop").failure("a list that grows is read")


def _scanned_row(loop: For, handle: Tensor, value: Value) -> Tensor:
    """The row that a scan hands out; its position matters only when it is written."""
    row = wrap(value, handle._kind)
    tie_row(handle, row, loop.index)
    return row


def _shape_of(graph: Any, outputs: Sequence[Any]) -> str:
    """What a region computes, as far as two looks at the same code can differ."""
    numbers = {v: i for i, v in enumerate(graph.inputs)}
    lines = []
    for node in graph.nodes:
        numbers.update((v, len(numbers) + i) for i, v in enumerate(node.results))
        inner = [_shape_of(region, region.outputs) for region in node.regions]
        given = [(k, "" if callable(v) else _constant(v)) for k, v in node.attributes.items()]
        lines.append(f"{node.op.name}{[numbers[v] for v in node.operands]}{given}{inner}")
    return f"{lines} {[numbers.get(v) if type(v) is Value else v for v in outputs]}"


def _constant(value: Any) -> str:
    return value.digest.hex() if isinstance(value, Literal) else repr(value)


def _same(new: Any, old: Any) -> bool:
    if type(new) is Leaf and type(old) is Leaf and type(new.source) is not Tensor:
        return new.source is old.source or new.payload == old.payload
    return new.source is old.source


def for_(iterable: Any, site: Site) -> Any:
    """How a ``for`` goes over an iterable that is no plain list or the like: None for natively."""
    trace = current()
    if trace is None or trace.is_lazy:
        return None
    decisions = trace.root.decisions
    source = source_of(iterable, TRIPS)
    if source is None:
        if trace.root.regions:
            moving.iterate(iterable)
        return None
    if ("unroll", site) in decisions:
        trips = source.length
        if isinstance(trips, int) and trips > TRIPS:
            trace.root.notes.unrolled(site.location, trips, decisions["unroll", site])
        return None
    return For(trace, source, site, ("peel", site) in decisions)


def listed(iterable: Any, one: Callable[[Any], Any], site: Site) -> list[Any]:
    """``[one(x) for x in iterable]``; staged over the rows of tensors, when there are many."""
    source = source_of(iterable, TRIPS) if current() is not None else None
    is_long = source is not None and type(source.length) is int and source.length > TRIPS
    has_rows = source is not None and any(True for _ in source.tensors())
    loop = for_(iterable, site) if is_long and has_rows else None
    if loop is None:
        moving.iterate(iterable)
        return [one(x) for x in iterable]
    found: list[Any] = []
    for _ in loop.items:
        loop.step({"found": found})
        if loop.done:
            break
        container_method(found, found.append, (one(loop.element),), {})
    return found


__all__ = ["For", "for_", "listed"]
