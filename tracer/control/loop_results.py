"""What user code sees after a loop: what stayed is the same object, aliases stay aliases."""

from __future__ import annotations

from typing import Any

from plait.ir import Value
from plait.tracer.control.aliases import Aliases, is_around
from plait.tracer.control.items import Branching, Leaf, handle_of, leaf_of
from plait.tracer.control.slots import Carried
from plait.tracer.places import PayloadPlace, owner_of
from plait.tracer.pytree import container_of
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_views import relatives, stand_for


class LoopResults:
    """Makes the results of a loop.

    Parameters
    ----------
    loop : Loop
    ran : Any
        True when an iteration ran for certain.
    """

    def __init__(self, loop: Any, ran: Any) -> None:
        self._loop = loop
        self._ran = ran is True
        self._made: dict[int, Any] = {}
        self._tensors: dict[tuple[Any, ...], Tensor] = {}
        self._aliases = Aliases()
        self._claimed: set[int] = set()
        self.entered = {id(made): source for slot in loop.slots for made, source in slot.entered}
        self._unchanged = {x for slot in loop.slots for x in slot.unchanged()}
        self._written = {
            id(slot.place.handle) for slot in loop.slots if isinstance(slot.place, PayloadPlace)
        }
        changed = {id(owner_of(place)) for place, _ in loop.region.journal.entries}
        self._entered_written = changed & self.entered.keys()

    def leaf(self, value: Value, carry: Carried, after: Any) -> Any:
        """A tensor, an array or a number."""
        source = after.source if type(after) is Leaf else None
        if type(source) is not Tensor or source._kind == "number" or carry.type.kind == "number":
            return handle_of(value, carry.type)
        before = self._kept(source, carry)
        if before is not None and _is_of(before, carry):
            return before
        key = self._identity(source, carry)
        if self._ran and after.type == carry.type:
            if key in self._tensors and id(source) not in self._entered_written:
                return self._tensors[key]
            if is_around(source, self._loop.region) and not self._is_written(source):
                return source
        made = handle_of(value, carry.type)
        self._tie(made, source)
        if not self._ran and type(carry.source) is Tensor:
            stand_for(made, carry.source)
        self._made.setdefault(id(source), made)
        return self._tensors.setdefault(key, made)

    def _kept(self, source: Any, carry: Any) -> Any:
        """What was there before the loop and is still there; None when it is not."""
        before = self.entered.get(id(source))
        return before if before is carry.source and id(source) in self._unchanged else None

    def _identity(self, source: Tensor, carry: Carried) -> tuple[Any, ...]:
        """What names of one object after the loop share, also if no iteration runs."""
        first = () if self._ran else (id(carry.source), id(carry.before))
        return id(source), carry.type, *first

    def _is_written(self, source: Tensor) -> bool:
        return not self._written.isdisjoint(relatives(source))

    def _tie(self, made: Tensor, source: Tensor) -> None:
        """Entangle a result with what it may share elements with."""
        self.claim(source)
        self.tie(made, source, True)

    def tie(self, made: Tensor, source: Tensor, is_last: bool) -> None:
        """Entangle what the last or another iteration has made with what is there otherwise."""
        if is_last:
            self._aliases.add(made, source, self._loop.region)
        for x in relatives(source):
            before = self.entered.get(x)
            if type(before) is Tensor:
                stand_for(made, before)

    def claim(self, source: Tensor) -> None:
        """Refuse what is written in place under another name: later trips would not see it."""
        found = self._entered_written & relatives(source).keys()
        if self._is_written(source) or not found.isdisjoint(self._claimed):
            raise self._loop.failure("a tensor is written in place that another name stands for")
        self._claimed |= found

    def container(self, carry: Branching, after: Any, children: list[Any]) -> Any:
        """A container of results."""
        source = after.source if type(after) is Branching else None
        if source is None or isinstance(source, tuple):
            return carry.join(carry.rest, children)
        before = self.entered.get(id(source))
        if before is not None:
            if self._kept(source, carry) is not None and _holds(before, children):
                return before
        elif self._loop.before.is_outer(source):
            raise self._loop.failure(f"a {carry.kind.__name__} is given another name")
        if id(source) in self._made:
            if not self._ran:
                raise self._loop.failure(f"a {carry.kind.__name__} gets two names")
            return self._made[id(source)]
        return self._made.setdefault(id(source), carry.join(carry.rest, children))

    def afters(self) -> set[int]:
        """The tensors of the last iteration that names and places hold, and their relatives."""
        found: set[int] = set()
        for slot in self._loop.slots:
            if slot.is_raw or slot.kept:
                continue
            for leaf in slot.after_leaves():
                if type(leaf) is Leaf and type(leaf.source) is Tensor:
                    found |= relatives(leaf.source).keys()
        return found

    def find(self, source: Any) -> Any:
        """The result that an object of the last iteration became; None when there is none."""
        return self._made.get(id(source))


def _is_of(before: Any, carry: Carried) -> bool:
    found = leaf_of(before)
    return found is not None and found.type == carry.type


def _holds(container: Any, children: list[Any]) -> bool:
    """Whether a container holds these very objects."""
    split = container_of(container)
    held = [*split[0](container)[0]] if split is not None else []
    return len(held) == len(children) and all(map(_is, held, children))


def _is(a: Any, b: Any) -> bool:
    return a is b


__all__ = ["LoopResults"]
