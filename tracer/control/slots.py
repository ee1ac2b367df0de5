"""The state of a staged loop: for each name and place what enters an iteration and leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from plait.ir import Value
from plait.tracer.control.items import (
    MISSING,
    Branching,
    Leaf,
    LeafType,
    Maybe,
    MaybeItem,
    Mismatch,
    Static,
    handle_of,
    is_number,
    item_of,
)
from plait.tracer.places import UNBOUND, Place
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_views import as_array, is_scalar


class Carried:
    """A leaf that is carried from iteration to iteration.

    Attributes
    ----------
    type : LeafType
    before : Any
        The payload before the loop; None for one that is set before it is read.
    source : Any
        What the user's code sees of it there.
    """

    __slots__ = ("before", "source", "type")

    def __init__(self, type_: LeafType, before: Any, source: Any = None) -> None:
        self.type = type_
        self.before = before
        self.source = source


class Results(Protocol):
    """Makes what user code sees of the results of a loop."""

    def leaf(self, value: Value, carry: Carried, after: Any) -> Any:
        """A tensor, an array or a number."""
        ...

    def container(self, carry: Branching, after: Any, children: list[Any]) -> Any:
        """A container of results."""
        ...


class Slot:
    """A name or a place that a loop changes.

    Attributes
    ----------
    name : str
        Empty for a place.
    place : Place or None
    before : item
        What it holds before the loop.
    carry : tree of Carried
        What it holds when an iteration begins: like an item, with ``Carried`` for the leaves.
    late : tree of Carried or None
        What an iteration leaves there that begins with nothing.
    kept : bool
        The name keeps its tensor, which is written in place: the tensor's payload is carried.
    entered : list of pairs
        What was made for an iteration: each tensor and container, and what it stands for.
    """

    def __init__(self, name: str, place: Place | None, before: Any, is_flag: bool = False) -> None:
        self.name = name
        self.place = place
        self.before = before
        self.is_flag = is_flag
        self.kept = False
        self.late: Any = None
        self.carry: Any = Static(False) if is_flag else carried(before)
        self.inputs: list[Value] = []
        self.entered: list[tuple[Any, Any]] = []
        self.entry: Any = None
        self.after: Any = None

    def enter(self, make: Callable[[LeafType], Value]) -> Any:
        """What the user's code finds when an iteration begins."""
        self.inputs, self.entered = [], []
        if self.kept:
            self.entry = self.before.source
        else:
            self.entry = self._enter(self.carry, make)
        return self.entry

    @property
    def is_raw(self) -> bool:
        """Whether payloads are carried, not what users see of them."""
        return self.place is not None and getattr(self.place, "is_payload", False)

    def _enter(self, carry: Any, make: Callable[[LeafType], Value]) -> Any:
        if type(carry) is Carried:
            value = make(carry.type)
            self.inputs.append(value)
            if self.is_raw:
                return value
            handle = handle_of(value, carry.type)
            if type(carry.source) is Tensor and not is_scalar(carry.source):
                as_array(handle)
            self.entered.append((handle, carry.source))
            return handle
        if type(carry) is Branching:
            children = [self._enter(child, make) for child in carry.children]
            made = carry.join(carry.rest, children)
            self.entered.append((made, carry.source))
            return made
        if type(carry) is MaybeItem:
            value, defined = self._enter(carry.value, make), self._enter(carry.defined, make)
            return Maybe(value, defined, carry.name or self.name, carry.where)
        return UNBOUND if carry is MISSING else carry.source

    def leave(self, after: Any, where: str) -> bool:
        """Take what an iteration leaves; whether the loop has to be traced again with it.

        Raises
        ------
        Mismatch
            Nothing can hold what enters and what leaves.
        """
        self.after = after
        if self.kept:
            if type(after) is Leaf and after.source is self.before.source:
                return False
            self.kept = False
            return True
        if self.is_flag:
            if type(after) is Leaf and after.payload is False:
                self.late = None
            else:
                self.late = carried(after)
            return False
        if self.carry is MISSING:
            return self._leave_late(after, where)
        wider = widened(self.carry, after)
        is_new = wider is not self.carry
        self.carry = wider
        return is_new

    def _leave_late(self, after: Any, where: str) -> bool:
        if after is MISSING:
            self.late = None
            return False
        if type(after) is MaybeItem:
            never = Carried(LeafType("number", bool), False)
            self.carry = MaybeItem(emptied(carried(after.value)), never, self.name, where)
            return True
        self.late = emptied(carried(after))
        return False

    def unchanged(self) -> set[int]:
        """What was made for an iteration and is still in its own place at the end, by identity."""
        return set(_unchanged(self.carry, self.after, iter(self.entered)))

    def carried_leaves(self) -> list[Carried]:
        """What is carried, in the order of ``inputs``; for late ones these are made at the end."""
        if self.kept:
            return []
        return list(carried_in(self.late if self.late is not None else self.carry))

    def after_leaves(self) -> list[Any]:
        """What an iteration leaves in each of them."""
        if self.kept:
            return []
        template = self.late if self.late is not None else self.carry
        return list(matched(template, self.after))

    def result(self, values: Iterator[Value], made: Results) -> Any:
        """What the slot holds after the loop."""
        if self.kept:
            return self.before.source
        template = self.late if self.late is not None else self.carry
        return self._result(template, self.after, values, made)

    def _result(self, template: Any, after: Any, values: Iterator[Value], made: Results) -> Any:
        if type(template) is Carried:
            value = next(values)
            return value if self.is_raw else made.leaf(value, template, after)
        if type(template) is Branching:
            inner = after.children if type(after) is Branching else template.children
            found = [
                self._result(t, a, values, made)
                for t, a in zip(template.children, inner, strict=True)
            ]
            return made.container(template, after, found)
        if type(template) is MaybeItem:
            inside = after if type(after) is MaybeItem else template
            value = self._result(template.value, inside.value, values, made)
            return Maybe(
                value,
                self._result(template.defined, inside.defined, values, made),
                template.name or self.name,
                template.where,
            )
        return UNBOUND if template is MISSING else template.source


def _unchanged(carry: Any, after: Any, entered: Iterator[tuple[Any, Any]]) -> Iterator[int]:
    if type(carry) is MaybeItem:
        parts = [after.value, after.defined] if type(after) is MaybeItem else [None, None]
        for part, end in zip([carry.value, carry.defined], parts, strict=True):
            yield from _unchanged(part, end, entered)
        return
    if type(carry) is Branching:
        is_same_kind = type(after) is Branching and len(after.children) == len(carry.children)
        ends: list[Any] = after.children if is_same_kind else [None] * len(carry.children)
        for child, end in zip(carry.children, ends, strict=True):
            yield from _unchanged(child, end, entered)
    elif type(carry) is not Carried:
        return
    made, _ = next(entered, (None, None))
    if made is not None and (after is carry or getattr(after, "source", None) is made):
        yield id(made)


def carried(item: Any) -> Any:
    """The tree of what is carried of an item."""
    if type(item) is Leaf:
        return Carried(item.type, item.payload, item.source)
    if type(item) is Branching:
        children = [carried(child) for child in item.children]
        return Branching(item.kind, item.rest, children, item.join, item.source)
    if type(item) is MaybeItem:
        return MaybeItem(carried(item.value), carried(item.defined), item.name, item.where)
    return item


def emptied(carry: Any) -> Any:
    """The tree with nothing before the loop."""
    if type(carry) is Carried:
        return Carried(carry.type, None)
    if type(carry) is Branching:
        children = [emptied(child) for child in carry.children]
        return Branching(carry.kind, carry.rest, children, carry.join, carry.source)
    return carry


def carried_in(carry: Any) -> Iterator[Carried]:
    """The carried leaves of a tree in order."""
    if type(carry) is Carried:
        yield carry
    elif type(carry) is Branching:
        for child in carry.children:
            yield from carried_in(child)
    elif type(carry) is MaybeItem:
        yield from carried_in(carry.value)
        yield from carried_in(carry.defined)


def statics(carry: Any) -> Iterator[Any]:
    """The objects in a tree that are neither leaves nor containers."""
    if type(carry) is Static:
        yield carry.source
    elif type(carry) is Branching:
        for child in carry.children:
            yield from statics(child)
    elif type(carry) is MaybeItem:
        yield from statics(carry.value)


def matched(carry: Any, after: Any) -> Iterator[Any]:
    """The leaves of an item that stand where the carried ones of a tree stand."""
    if type(carry) is Carried:
        yield after
    elif type(carry) is Branching:
        for c, a in zip(carry.children, after.children, strict=True):
            yield from matched(c, a)
    elif type(carry) is MaybeItem:
        is_maybe = type(after) is MaybeItem
        yield from matched(carry.value, after.value if is_maybe else after)
        yield from matched(carry.defined, after.defined if is_maybe else item_of(True))


def widened(carry: Any, after: Any) -> Any:
    """The tree that holds what enters and what leaves; the same object when it does already.

    Raises
    ------
    Mismatch
        There is none.
    """
    if type(carry) is MaybeItem and type(after) is not MaybeItem and after is not MISSING:
        after = MaybeItem(after, item_of(True), carry.name, carry.where)
    if type(carry) is not type(after) and not (type(carry) is Carried and type(after) is Leaf):
        raise Mismatch(f"{text(carry)} first and {text(after)} later")
    if type(carry) is Carried:
        joined = carry.type.join(after.type)
        return carry if joined == carry.type else Carried(joined, carry.before, carry.source)
    if type(carry) is Static:
        if not carry.equals(after):
            raise Mismatch(f"{text(carry)} first and {text(after)} later")
        return carry
    if type(carry) is MaybeItem:
        value, defined = widened(carry.value, after.value), widened(carry.defined, after.defined)
        if value is carry.value and defined is carry.defined:
            return carry
        return MaybeItem(value, defined, carry.name, carry.where)
    return _widened_container(carry, after)


def _widened_container(carry: Branching, after: Branching) -> Branching:
    same = carry.kind is after.kind and carry.rest == after.rest
    if not same or len(carry.children) != len(after.children):
        raise Mismatch(f"{text(carry)} first and {text(after)} later")
    children = [widened(c, a) for c, a in zip(carry.children, after.children, strict=True)]
    if all(x is y for x, y in zip(children, carry.children, strict=True)):
        return carry
    return Branching(carry.kind, carry.rest, children, carry.join, carry.source)


def text(item: Any) -> str:
    """How a message shows an item or a tree."""
    if type(item) in (Leaf, Carried):
        return str(item.type)
    if type(item) is Branching:
        return f"a {item.kind.__name__} of {len(item.children)}"
    if item is MISSING:
        return "nothing"
    if type(item) is MaybeItem:
        return text(item.value)
    shown = repr(item.source)
    return shown if len(shown) < 60 else f"{shown[:57]}..."


def is_tensor(item: Any) -> bool:
    """Whether an item is a tensor or an array, which can be written in place."""
    return type(item) is Leaf and type(item.source) is Tensor and not is_number(item.source)
