"""Lists that a scan appends to: what each iteration has put there, from the stacked outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plait.ir import Value, functions
from plait.tracer.control.aliases import Aliases, is_around
from plait.tracer.control.items import Branching, Leaf, Static, leaf_of
from plait.tracer.control.scope import holds_own
from plait.tracer.control.slots import Carried, carried, matched
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.tensor_views import relatives


def settled(item: Any, loop: Any) -> Any:
    """What an iteration appends: what was there before the loop is the same object each time."""
    source = getattr(item, "source", None)
    if type(item) is Leaf:
        if type(source) is not Tensor or source._kind == "number":
            return item
        return Static(source) if is_around(source, loop.region) else item
    if type(item) is Branching:
        if not isinstance(source, tuple) and loop.before.is_outer(source):
            return Static(source)
        children = [settled(child, loop) for child in item.children]
        return Branching(item.kind, item.rest, children, item.join, source)
    if type(item) is Static and holds_own(source, loop.region):
        raise loop.failure("objects with tensors are appended to a list")
    return item


def flat(items: Sequence[Any]) -> Iterator[Leaf]:
    """The leaves of what an iteration appends, each a stacked output."""
    for item in items:
        yield from matched(carried(item), item)


class Stacks:
    """Rebuilds what the iterations of a scan have appended.

    Parameters
    ----------
    loop : For
    items : list
        What an iteration appends to all lists.
    values : list of Value
        The stack of each leaf.
    length : int
    """

    def __init__(self, loop: Any, items: Sequence[Any], values: Sequence[Value], length: int):
        self._loop = loop
        self._length = length
        self._values = list(values)
        self._sources = [leaf.source for leaf in flat(items)]
        self._tied = self._related()

    def columns(self, items: Sequence[list[Any]]) -> list[list[list[Any]]]:
        """For each list, for each iteration, what is appended."""
        found: list[list[list[Any]]] = [[] for _ in items]
        for i in range(self._length):
            memo: dict[int, Any] = {}
            aliases = Aliases()
            values = iter(self._values)
            for appended, column in zip(items, found, strict=True):
                templates = [carried(item) for item in appended]
                column.append([self._rebuilt(t, values, i, memo, aliases) for t in templates])
        return found

    def _related(self) -> set[int]:
        """Sources that may share elements with anything else that lives on."""
        tensors = [s for s in self._sources if type(s) is Tensor and s._kind != "number"]
        families = {id(s): relatives(s).keys() for s in tensors}
        results, region = self._loop.results, self._loop.region
        later = results.afters()
        if any(f & results.entered.keys() for f in families.values()) and any(
            not later.isdisjoint(f) for f in families.values()
        ):
            raise self._loop.failure("a tensor is appended to lists in several iterations")
        found = set()
        for source in tensors:
            results.claim(source)
            mine = families[id(source)]
            others = [f for key, f in families.items() if key != id(source)]
            known = mine & results.entered.keys() or not later.isdisjoint(mine)
            around = any(is_around(x, region) for x in relatives(source).values())
            if known or around or any(mine & f for f in others):
                found.add(id(source))
        return found

    def _rebuilt(
        self, template: Any, values: Iterator[Value], i: int, memo: dict[int, Any], aliases: Aliases
    ) -> Any:
        source = template.source
        if type(template) is Carried:
            value = next(values)
            if id(source) not in memo:
                memo[id(source)] = self._leaf(template, value, i, aliases)
            return memo[id(source)]
        if type(template) is Branching:
            inner = [self._rebuilt(c, values, i, memo, aliases) for c in template.children]
            if id(source) not in memo or isinstance(source, tuple):
                memo[id(source)] = template.join(template.rest, inner)
            return memo[id(source)]
        return source

    def _leaf(self, carry: Carried, value: Value, i: int, aliases: Aliases) -> Any:
        source, results = carry.source, self._loop.results
        payload = functions.getitem(value, i)
        if id(source) in self._tied:
            if i == 0 and _is_of(results.entered.get(id(source)), carry):
                return results.entered[id(source)]
            known = results.find(source)
            if i == self._length - 1 and _is_of(known, carry):
                known._data = payload  # equal, and seen to be a part of the stack
                return known
        made = wrap(payload, carry.type.kind)
        if id(source) in self._tied:
            aliases.add(made, source, self._loop.region)
            results.tie(made, source, i == self._length - 1)
        return made


def _is_of(known: Any, carry: Carried) -> bool:
    leaf = leaf_of(known)
    return leaf is not None and leaf.type == carry.type


__all__ = ["Stacks", "flat", "settled"]
