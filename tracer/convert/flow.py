"""What a function's names hold where: bound for certain, and needed afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from plait.tracer.convert.names import Names
from plait.tracer.convert.tree import (
    For,
    If,
    Item,
    Jump,
    Loop,
    Match,
    Raise,
    Simple,
    Try,
    While,
    With,
)

Live = frozenset[str]
Bound = frozenset[str] | None

_NOTHING: Live = frozenset()


def pieces(item: Item) -> list[ast.AST]:
    """What an item evaluates itself, apart from its blocks."""
    node = item.node
    if type(item) is Simple:
        return [node]
    if isinstance(item, If):
        return [] if item.test is None else [item.test]
    if isinstance(item, While):
        return [item.test]
    if isinstance(item, For):
        return [item.iterable]
    if isinstance(item, Jump):
        return [node.value] if item.kind == "return" and node.value is not None else []
    if isinstance(item, With):
        return list(node.items)
    if isinstance(item, Try):
        return [handler.type for handler in node.handlers if handler.type is not None]
    if isinstance(item, Match):
        parts: list[ast.AST] = [node.subject]
        for case in node.cases:
            parts += [case.pattern] + ([case.guard] if case.guard is not None else [])
        return parts
    return [node]


def blocks(item: Item) -> list[list[Item]]:
    """The blocks of an item."""
    if type(item) is Simple:
        return []
    if isinstance(item, If):
        return [item.body, item.orelse]
    if isinstance(item, (Loop, With)):
        return [item.body]
    if isinstance(item, Try):
        return [item.body, *item.handlers, item.orelse, item.final]
    return item.bodies if isinstance(item, Match) else []


def _targets(item: Item) -> set[str]:
    """Names that an item binds before anything else can read them."""
    node = item.node
    if type(item) is Simple and type(node) is ast.Assign:
        return {n.id for target in node.targets for n in _names(target)}
    if isinstance(item, For):
        return {n.id for n in _names(item.target)}
    if isinstance(item, (If, While, Jump, Raise, With, Try, Match)):
        return set()
    if isinstance(node, ast.AnnAssign):
        return {n.id for n in _names(node.target)} if node.value is not None else set()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return set()


def _names(target: Any) -> Iterable[ast.Name]:
    if isinstance(target, ast.Name):
        yield target
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _names(part)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)


class Flow:
    """Finds for each item of a function which names its state is, and which names are bound.

    Attributes
    ----------
    written : dict of Item to set of str
        Names whose objects an item's blocks write in place.
    """

    def __init__(self, local: set[str], always: frozenset[str], prefix: str, value: str) -> None:
        self._names = local
        self._always = always
        self._prefix = prefix
        self._value = value
        self._own: dict[Item, Names] = {}
        self._bound: dict[Item, set[str]] = {}
        self._known: dict[tuple[Any, ...], Live] = {}
        self._used: dict[Item, Live] = {}
        self._whole: dict[Item, set[str]] = {}
        self._deleted: dict[Item, set[str]] = {}
        self.written: dict[Item, set[str]] = {}

    def names(self, item: Item) -> Names:
        """What an item itself does with names, its blocks aside."""
        found = self._own.get(item)
        if found is None:
            found = self._own[item] = Names().add(pieces(item))
            if type(item) is Simple:
                return found
            if isinstance(item, For):
                found.bound |= Names().add([item.target]).bound
            elif isinstance(item, Try):
                found.bound |= {h.name for h in item.node.handlers if h.name is not None}
            elif isinstance(item, Jump):
                found.bound |= set(item.flags)
                if item.kind == "return" and item.conditions:
                    found.bound.add(self._value)
            if isinstance(item, Loop):
                found.bound |= {item.broken, item.skipped} - {""}
        return found

    def assigned(self, item: Item) -> set[str]:
        """The names that an item and its blocks assign."""
        found = self._whole.get(item)
        if found is None:
            names = self.names(item)
            found, written = {*names.bound}, {*names.written}
            for block in blocks(item):
                for inner in block:
                    found |= self.assigned(inner)
                    written |= self.written[inner]
            self._whole[item] = found
            self.written[item] = written
        return found

    def _own_of(self, names: Iterable[str]) -> set[str]:
        """Those of some names that are the function's, or the converter's own."""
        return {n for n in names if n in self._names or n.startswith(self._prefix)}

    def _reads(self, item: Item) -> Live:
        """The names of the function that an item reads itself."""
        found = self._used.get(item)
        if found is None:
            found = self._used[item] = frozenset(self._own_of(self.names(item).read))
        return found

    def _binds(self, item: Item) -> set[str]:
        """See ``_targets``."""
        found = self._bound.get(item)
        if found is None:
            found = self._bound[item] = _targets(item)
        return found

    # Liveness, backwards.

    def live(self, block: list[Item], after: Live, leaves: tuple[Live, Live, Live]) -> Live:
        """The names that are needed before a block; ``leaves``: after break, continue, always."""
        for item in reversed(block):
            after = self._live(item, after, leaves)
        return after

    def _live(self, item: Item, after: Live, leaves: tuple[Live, Live, Live]) -> Live:
        after |= leaves[2]
        used = self._reads(item)
        if type(item) is Simple:
            return (after - self._binds(item)) | used
        if isinstance(item, (If, Loop)):
            key = (item, after, leaves)
            known = self._known.get(key)
            if known is None:  # what holds it may ask again and again
                known = (
                    self._live_if(item, after, leaves)
                    if isinstance(item, If)
                    else self._live_loop(item, after, leaves)
                )
                known = self._known[key] = known | used
            return known
        if isinstance(item, Jump):
            if not item.conditions:
                after = {"break": leaves[0], "continue": leaves[1]}.get(item.kind, _NOTHING)
            return (after - {self._value} if item.kind == "return" else after) | used
        if isinstance(item, With):
            return self.live(item.body, after, leaves) | used
        if isinstance(item, Try):
            return self._live_try(item, after, leaves) | used
        if isinstance(item, Match):
            ways = [self.live(body, after, leaves) for body in item.bodies]
            return after.union(*ways) | used
        return after | used

    def _state(self, item: Item, needed: Live, always: Live) -> None:
        kept = self.assigned(item) & (needed | always | self._always)
        item.state = tuple(sorted(self._own_of(kept).union(item.state)))

    def _live_if(self, item: If, after: Live, leaves: tuple[Live, Live, Live]) -> Live:
        state: Live = _NOTHING  # what is read at the end of the branches, to be joined
        while True:
            other = self.live(item.orelse, after | state, leaves)
            self._state(item, after | other, leaves[2])
            if state >= frozenset(item.state):
                break
            state |= frozenset(item.state)
        body = self.live(item.body, after | state, leaves)
        flag = {item.flag} if item.flag else _NOTHING
        return body | other | flag

    def _live_loop(self, item: Loop, after: Live, leaves: tuple[Live, Live, Live]) -> Live:
        own = {item.broken} - {""}
        tested = self._reads(item) if isinstance(item, While) else _NOTHING
        targets = self._binds(item)
        head = body = after | tested | own
        while True:
            inside = self.live(item.body, head, (after | own, head, leaves[2]))
            body = inside - targets - {item.skipped}
            if body <= head:
                break
            head |= body
        self._state(item, after | body | own, leaves[2])
        return head - own

    def _live_try(self, item: Try, after: Live, leaves: tuple[Live, Live, Live]) -> Live:
        final = self.live(item.final, after, leaves)
        inner = (leaves[0] | final, leaves[1] | final, leaves[2] | final)
        caught = final.union(*(self.live(body, final, inner) for body in item.handlers))
        orelse = self.live(item.orelse, final, inner)
        tried = (inner[0] | caught, inner[1] | caught, inner[2] | caught)
        return self.live(item.body, orelse, tried) | caught

    # Names bound for certain, forwards.

    def bind(self, block: list[Item], bound: Bound, slot: str) -> Bound:
        """What is bound after a block; noted in ``slot`` of each of its items.

        In the slot ``"loose"``, a jump that sets flags goes on behind itself.
        """
        for item in block:
            setattr(item, slot, bound)
            if bound is not None:
                bound = self._bind(item, bound, slot)
            else:
                for inner in blocks(item):
                    self.bind(inner, None, slot)
        return bound

    def _bind(self, item: Item, bound: frozenset[str], slot: str) -> Bound:
        node = item.node
        if type(item) is Simple:
            if type(node) is ast.Delete:
                return bound - {n.id for target in node.targets for n in _names(target)}
            return bound | self._binds(item)
        if isinstance(item, If):
            return _join(
                self.bind(item.body, bound, slot),
                self.bind(item.orelse, bound, slot),
            )
        if isinstance(item, Loop):
            self.bind(item.body, (bound - self.deleted(item)) | self._binds(item), slot)
            return bound - self.deleted(item)
        if isinstance(item, Jump):
            return bound if slot == "loose" and item.conditions else None
        if isinstance(item, Raise):
            return None
        if isinstance(item, With):
            targets = [part.optional_vars for part in node.items if part.optional_vars is not None]
            inner = bound | {n.id for target in targets for n in _names(target)}
            self.bind(item.body, inner, slot)
            return inner - self.deleted(item)  # it may swallow an exception
        if isinstance(item, Try):
            return self._bind_try(item, bound, slot)
        if isinstance(item, Match):
            ends = [
                self.bind(body, bound | Names().add([case.pattern]).bound, slot)
                for case, body in zip(node.cases, item.bodies, strict=True)
            ]
            return _join(bound - self.deleted(item), *ends)
        return bound

    def _bind_try(self, item: Try, bound: frozenset[str], slot: str) -> Bound:
        node = item.node
        at_error = bound - self.deleted(item)
        body = self.bind(item.body, bound, slot)
        ends = [self.bind(item.orelse, body, slot)]
        for handler, block in zip(node.handlers, item.handlers, strict=True):
            name = {handler.name} - {None}
            end = self.bind(block, at_error | name, slot)
            ends.append(None if end is None else end - name)
        self.bind(item.final, at_error, slot)
        end = _join(*ends)
        if end is None:
            return None
        for inner in item.final:
            end = end | self._binds(inner)
        return end - self.deleted(item)

    def deleted(self, item: Item) -> set[str]:
        """Names that a block may unbind."""
        known = self._deleted.get(item)
        if known is not None:
            return known
        found: set[str] = set()
        for block in blocks(item):
            for inner in block:
                if isinstance(inner.node, ast.Delete):
                    found |= Names().add([inner.node]).bound
                found |= self.deleted(inner)
        if isinstance(item, Try):
            found |= {h.name for h in item.node.handlers if h.name is not None}
        self._deleted[item] = found
        return found


def _join(*ends: Bound) -> Bound:
    known = [end for end in ends if end is not None]
    return frozenset.intersection(*known) if known else None
