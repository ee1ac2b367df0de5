"""Writes loops down: on Python values they run as they are, on traced ones once for the graph."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence

from plait.tracer.convert.expressions import Expressions
from plait.tracer.convert.flow import Flow
from plait.tracer.convert.nodes import (
    AND,
    NOWHERE,
    Where,
    all_of,
    assign,
    assign_names,
    attribute,
    call,
    constant,
    either,
    if_,
    is_,
    is_not,
    load,
    not_,
    set_,
    store,
    where,
)
from plait.tracer.convert.targets import Targets
from plait.tracer.convert.tree import For, Item, While
from plait.tracer.convert.unit import Scope

_OR = ast.Or()


class Loops(ABC):
    """Writes down the loops of one function; the statements are the subclass's."""

    def __init__(self, scope: Scope, flow: Flow, value: str) -> None:
        self.scope = scope
        self.unit = scope.unit
        self.flow = flow
        self.value = value
        self.expressions = Expressions(scope)
        seen = scope.kind("locals") == "global" and "locals" not in scope.declared
        self._sees_locals = seen and scope.unit.resolve("locals") == "builtin"
        self.targets = Targets(scope, self.expressions)

    @abstractmethod
    def block(self, items: Sequence[Item]) -> list[ast.stmt]:
        """The statements that stand for some items."""

    # State.

    def held(self, at: Where) -> list[ast.expr]:
        """What the frame's names hold, as an argument."""
        if self._sees_locals:
            return [call(load("locals", at), [], at)]
        return [call(self.unit.builtin("locals", at), [], at)]

    def written(self, item: Item) -> tuple[str, ...]:
        """The names of an item's state whose objects are also written in place."""
        return tuple([name for name in item.state if name in self.flow.written[item]])

    def unbound(self, item: Item) -> list[str]:
        """The user's names of an item's state that may be unbound."""
        bound = item.bound if item.loose is None else item.loose
        sure = (bound or frozenset()) - self.flow.deleted(item)
        own = self.unit.prefix
        return [n for n in item.state if n not in sure and not n.startswith(own)]

    def take(
        self, names: tuple[str, ...], value: ast.expr, unbound: list[str], at: Where
    ) -> list[ast.stmt]:
        """Assign a state to its names; those that are unbound in it are unbound."""
        found = [assign_names(names, value, at)]
        for name in unbound:
            nothing = self.unit.hook("UNBOUND", at)
            test = ast.Compare(load(name, at), [ast.Is()], [nothing], **at)
            gone = ast.Delete([ast.Name(name, ast.Del(), **at)], **at)
            found.append(if_(test, [gone], (), at))
        return found

    # while

    def while_(self, item: While) -> list[ast.stmt]:
        """A ``while`` loop."""
        node, name, at = item.node, item.name, where(item.node.test)
        found = [set_(name, None)]
        if item.broken:
            found.append(set_(item.broken, False))
        tested = f"{name}_test"
        test = self.expressions.value(item.test)
        body = self._tested(item, tested, test, at)
        body.append(self._looped(item, tested, at))
        if item.skipped:
            body.append(set_(item.skipped, False))
        body += self.block(item.body)
        place = {**where(node), "end_lineno": node.lineno, "end_col_offset": node.col_offset + 5}
        found.append(ast.While(constant(True, NOWHERE), body, [], **place))
        return found

    def _tested(self, item: While, tested: str, test: ast.expr, at: Where) -> list[ast.stmt]:
        """Evaluate the test of a loop, unless the loop is left."""
        evaluate = assign(tested, test, at)
        if not item.broken:
            return [evaluate]
        name = f"{item.name}_left"
        walrus = self.flow.names(item).bound & set(item.state)
        names = tuple(sorted((walrus | {tested}) - {item.broken, item.skipped}))
        site = self.scope.site("guard", at, names, item.broken)
        unbound = [n for n in self.unbound(item) if n in names]
        ended = self.turn(name, "otherwise", names, unbound, at)
        merged = self.turn(name, "merge", names, unbound, at)
        staged = [
            self.unset(name, item.broken, site, at),
            if_(is_not(name, False), [evaluate]),
            if_(
                is_not(name, True),
                [
                    if_(is_not(name, False), ended),
                    set_(tested, False),
                    if_(is_not(name, False), merged),
                ],
            ),
        ]
        return [if_(is_(item.broken, False), [evaluate], staged)]

    def turn(
        self, name: str, method: str, names: tuple[str, ...], unbound: list[str], at: Where
    ) -> list[ast.stmt]:
        """End a branch: its state is taken, and another one given."""
        ended = call(attribute(load(name, at), method, at), self.held(at), at)
        return self.take(names, ended, unbound, at)

    def unset(self, name: str, flag: str, site: ast.expr, at: Where) -> ast.stmt:
        """``name`` is whether a flag is not set: a bool, or what stands for a traced one."""
        negated = self.unit.hooked("not_", [load(flag, at)], at)
        staged = assign(name, self.unit.hooked("test", [negated, site], at), at)
        yes = set_(name, True)
        no = set_(name, False)
        return if_(is_(flag, False), [yes], [if_(is_(flag, True), [no], [staged])])

    def _looped(self, item: While, tested: str, at: Where) -> ast.stmt:
        """Leave the loop, go on, or let the runtime decide."""
        name = item.name
        site = self.scope.site("while", at, item.state, item.broken, self.written(item))
        arguments = [load(name, at), load(tested, at), site, *self.held(at)]
        may = ast.BoolOp(AND, [is_not(tested, False), self.unit.active(NOWHERE)], **NOWHERE)
        ask = ast.BoolOp(_OR, [is_not(name, None), may], **NOWHERE)
        asked = self.unit.hooked("while_", arguments, at)
        nothing = constant(None, NOWHERE)
        decide = assign(name, either(ask, asked, nothing, NOWHERE), NOWHERE)
        state = attribute(load(name, at), "state", at)
        done = attribute(load(name, at), "done", at)
        taken = [
            *self.take(item.state, state, self.unbound(item), at),
            if_(done, [ast.Break(**at)], (), at),
        ]
        leave = [if_(not_(load(tested, at), at), [ast.Break(**NOWHERE)], (), at)]
        first = ast.BoolOp(_OR, [is_not(name, None), is_not(tested, True)], **NOWHERE)
        return if_(first, [decide, if_(is_not(name, None), taken, leave)])

    # for

    def for_(self, item: For) -> list[ast.stmt]:
        """A ``for`` loop."""
        node, name, at = item.node, item.name, where(item.node.iter)
        over, held = f"{name}_over", f"{name}_item"
        found = [assign(over, self.expressions.value(item.iterable), at)]
        found.append(self._begun(item, over, at))
        if item.broken:
            found.append(set_(item.broken, False))
        place = where(item.target)
        inner: list[ast.stmt] = []
        if item.skipped:
            inner.append(set_(item.skipped, False))
        if self._is_direct(item):
            held = item.target.id
        else:
            inner += self.targets.store(item.target, load(held, place))
        body = [self._stepped(item, held, at), *inner, *self.block(item.body)]
        items = attribute(load(name, at), "items", at)
        source = either(is_(name, None), load(over, at), items, at)
        loop = ast.For(store(held, place), source, body, [], **where(node))
        return [*found, loop, set_(over, None)]

    def _is_direct(self, item: For) -> bool:
        """Whether the elements may go straight into the target."""
        target = item.target
        if not isinstance(target, ast.Name):
            return False
        if target.id.startswith(self.unit.prefix):
            return True
        return target.id not in item.state and self.scope.kind(target.id) == "local"

    def _begun(self, item: For, over: str, at: Where) -> ast.stmt:
        site = self.scope.site("for", at, item.state, item.broken, self.written(item))
        staged = self.unit.hooked("for_", [load(over, at), site], at)
        plain = ast.Compare(
            attribute(load(over, at), "__class__", at),
            [ast.NotIn()],
            [self.unit.hook("PLAIN", at)],
            **at,
        )
        test = all_of([self.unit.active(at), plain], at)
        return assign(item.name, either(test, staged, constant(None, at), at), at)

    def _stepped(self, item: For, held: str, at: Where) -> ast.stmt:
        name = item.name
        step = ast.Call(attribute(load(name, at), "step", at), self.held(at), [], **at)
        element = attribute(load(name, at), "element", at)
        done = attribute(load(name, at), "done", at)
        steps = [
            *self.take(item.state, step, self.unbound(item), at),
            if_(done, [ast.Break(**at)], (), at),
            assign(held, element, at),
        ]
        return if_(is_not(name, None), steps)
