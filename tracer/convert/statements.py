"""Writes a function's items down again, as Python that stages what depends on traced values."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from plait.tracer.convert.loops import Loops
from plait.tracer.convert.nodes import (
    NOT,
    NOWHERE,
    Where,
    all_of,
    assign,
    constant,
    either,
    expression,
    if_,
    is_,
    is_not,
    load,
    rebuilt,
    set_,
    where,
)
from plait.tracer.convert.tree import (
    Condition,
    For,
    If,
    Item,
    Jump,
    Match,
    Raise,
    Simple,
    Try,
    While,
    With,
)


class Statements(Loops):
    """Writes down the statements of one function."""

    def block(self, items: Sequence[Item]) -> list[ast.stmt]:
        """The statements that stand for some items."""
        found: list[ast.stmt] = []
        for item in items:
            self.scope.bound, self.scope.loose = item.bound, item.loose
            found += self._write(item)
        return found

    def filled(self, items: Sequence[Item]) -> list[ast.stmt]:
        """A block that may not be empty."""
        return self.block(items) or [ast.Pass(**NOWHERE)]

    def _write(self, item: Item) -> list[ast.stmt]:
        if isinstance(item, Simple):
            return self._simple(item.node)
        if isinstance(item, If):
            return self._if(item)
        if isinstance(item, While):
            return self.while_(item)
        if isinstance(item, For):
            return self.for_(item)
        if isinstance(item, Jump):
            return self._return(item) if item.kind == "return" else self._jump(item)
        if isinstance(item, Raise):
            return self._raise(item)
        if isinstance(item, With):
            return self._with(item)
        if isinstance(item, Try):
            return self._try(item)
        assert isinstance(item, Match)
        return self._match(item)

    @abstractmethod
    def function(self, node: Any) -> ast.stmt:
        """A function that is defined in a converted one."""

    @abstractmethod
    def class_(self, node: Any) -> ast.stmt:
        """A class that is defined in a converted function."""

    # Simple statements.

    def _simple(self, node: Any) -> list[ast.stmt]:
        at = where(node)
        if isinstance(node, ast.Expr):
            value = self.expressions.value(node.value)
            return [node if value is node.value else expression(value, at)]
        if isinstance(node, ast.Assign):
            return self.targets.assign(node.targets, self.expressions.value(node.value), at)
        if isinstance(node, ast.AugAssign):
            return self.targets.augment(node)
        if isinstance(node, ast.AnnAssign):
            return self._annotated(node, at)
        if isinstance(node, ast.Delete):
            return self.targets.delete(node)
        if isinstance(node, ast.Assert):
            return self._assert(node, at)
        if isinstance(node, ast.FunctionDef):
            return self._define(node, node.name, self.function(node))
        if isinstance(node, ast.ClassDef):
            return self._define(node, node.name, self.class_(node))
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return [node, *self._imported(node, at)]
        return [node]

    def _imported(self, node: Any, at: Where) -> list[ast.stmt]:
        """Tell of each name that an import binds."""
        found: list[ast.stmt] = []
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if alias.name == "*" or self.scope.kind(name) not in ("local", "inner"):
                continue
            details: list[Any] = [alias.name if alias.asname else name]
            if isinstance(node, ast.ImportFrom):
                details = [node.module or "", node.level, alias.name]
            arguments = [load(name, at), *[constant(x, at) for x in details]]
            found.append(assign(name, self.unit.hooked("imported", arguments, at), at))
        return [if_(self.unit.active(at), found, (), at)] if found else []

    def _annotated(self, node: Any, at: Where) -> list[ast.stmt]:
        if node.value is None:
            return [node]
        value = self.expressions.value(node.value)
        if isinstance(node.target, ast.Name) and self.targets.is_plain(node.target):
            return [node if value is node.value else rebuilt(node, {"value": value})]
        return self.targets.assign([node.target], value, at)

    def _define(self, node: Any, name: str, definition: ast.stmt) -> list[ast.stmt]:
        kind = self.scope.kind(name)
        if kind in ("local", "inner"):
            return [definition]
        at = where(node)
        target = ast.Name(name, ast.Store(), **at)
        return [definition, *self.targets.store(target, load(name, at))]

    def _assert(self, node: Any, at: Where) -> list[ast.stmt]:
        held = self.targets.spare("asserted")
        hook = self.expressions.hook
        tested = ast.BoolOp(ast.And(), [is_not(held, True), is_not(held, False)], **at)
        message = constant(None, at)
        if node.msg is not None:
            message = self.expressions.thunk(node.msg)
        arguments = [load(held, at), message, self.scope.site("assert", at)]
        staged = expression(self.unit.hooked("assert_", arguments, at), at)
        text = None if node.msg is None else hook(node.msg)
        plain = ast.Assert(load(held, at), text, **at)
        steps = [assign(held, hook(node.test), at), if_(tested, [staged], [plain], at)]
        both = if_(self.unit.active(at), steps, [node], at)
        return [if_(load("__debug__", at), [both], (), at)]

    # Conditions.

    def _if(self, item: If) -> list[ast.stmt]:
        if item.is_native:
            test = self.expressions.value(item.test)
            body, orelse = self.filled(item.body), self.block(item.orelse)
            return [ast.If(test, body, orelse, **where(item.node))]
        at = where(item.node) if item.test is None else where(item.test)
        kind = "guard" if item.flag else "if"
        site = self.scope.site(kind, at, item.state, item.flag, self.written(item))
        name, unbound = item.name, self.unbound(item)
        if item.flag:
            return [self.unset(name, item.flag, site, at), *self._then(item, at)]
        assert item.test is not None
        found = [assign(name, self.expressions.value(item.test), at)]
        decide = self._decide(item, site, at)
        if not item.orelse:  # tests that fail cost one comparison
            return [*found, if_(is_not(name, False), [decide, *self._then(item, at)])]
        found.append(decide)
        body = self.block(item.body)
        change = self.turn(name, "otherwise", item.state, unbound, at)
        body.append(if_(is_not(name, True), change))
        merge = self.turn(name, "merge", item.state, unbound, at)
        orelse = self.block(item.orelse)
        orelse.append(if_(is_not(name, False), merge))
        return [*found, if_(is_not(name, False), body), if_(is_not(name, True), orelse)]

    def _then(self, item: If, at: Where) -> list[ast.stmt]:
        """The body of a condition without an else branch."""
        body = self.block(item.body)
        only = self.turn(item.name, "only", item.state, self.unbound(item), at)
        body.append(if_(is_not(item.name, True), only))
        return [if_(is_not(item.name, False), body)]

    def _decide(self, item: If, site: ast.expr, at: Where) -> ast.stmt:
        """Make a bool, or what stands for a traced one, of the value of a test."""
        name = item.name
        staged = self.unit.hooked("test", [load(name, at), site], at)
        truth = ast.UnaryOp(NOT, ast.UnaryOp(NOT, load(name, at), **at), **at)
        chosen = either(self.unit.active(at), staged, truth, at)
        test = [is_not(name, True)]
        if item.orelse:
            test.append(is_not(name, False))
        return if_(all_of(test, at), [assign(name, chosen, at)], (), at)

    # Jumps.

    def natively(self, conditions: tuple[Condition, ...], body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements that run only where Python itself runs what is around them."""
        if not conditions:
            return body
        return [if_(all_of([is_(name, value) for name, value in conditions]), body)]

    def _ends(self, tries: tuple[str, ...], at: Where) -> list[ast.stmt]:
        return [self.try_end(name, at) for name in reversed(tries)]

    def _flags(self, names: tuple[str, ...]) -> list[ast.stmt]:
        return [set_(name, True) for name in names]

    def _return(self, item: Jump) -> list[ast.stmt]:
        node, at = item.node, where(item.node)
        value = None if node.value is None else self.expressions.value(node.value)
        if not item.conditions and not item.tries:
            return [node if value is node.value else ast.Return(value, **at)]
        name = self.value
        found = [assign(name, constant(None, at) if value is None else value, at)]
        leave: list[ast.stmt] = [*self._ends(item.tries, at), ast.Return(load(name, at), **at)]
        found += self.natively(item.conditions, leave)
        return found + (self._flags(item.flags) if item.conditions else [])

    def _jump(self, item: Jump) -> list[ast.stmt]:
        at = where(item.node)
        leave: list[ast.stmt] = [*self._ends(item.tries, at), item.node]
        flags = self._flags(item.flags) if item.conditions else []
        # At the user's line, so that a breakpoint there is met.
        mark: list[ast.stmt] = []
        if flags:
            first = item.flags[0]
            mark, flags = [assign(first, constant(True, at), at)], flags[1:]
        return [*mark, *flags, *self.natively(item.conditions, leave)]

    def _raise(self, item: Raise) -> list[ast.stmt]:
        node, at = item.node, where(item.node)
        if not item.conditions:
            return [self._raised(node, self.expressions.value)]
        arguments = [self.expressions.hook(node.exc)]
        if node.cause is not None:
            arguments.append(self.expressions.hook(node.cause))
        # Code that Python would not reach stands behind what is no branch of the graph itself.
        native = self.natively(item.conditions[-1:], [self._raised(node, self.expressions.value)])
        return [*native, expression(self.unit.hooked("raise_", arguments, at), at)]

    def _raised(self, node: Any, convert: Any) -> ast.stmt:
        cause = None if node.cause is None else convert(node.cause)
        return ast.Raise(convert(node.exc), cause, **where(node))

    # Blocks.

    def _with(self, item: With) -> list[ast.stmt]:
        held: dict[str, Any] = {}
        parts = []
        for part in item.node.items:
            target = part.optional_vars
            if target is not None:
                target = self.targets.pattern(target, held)
            parts.append(ast.withitem(self.expressions.manager(part.context_expr), target))
        stores = self.targets.unpack(held)
        return [ast.With(parts, [*stores, *self.filled(item.body)], **where(item.node))]

    def try_end(self, name: str, at: Where) -> ast.stmt:
        """Tell the runtime that a block with handlers ends without an exception."""
        end = expression(self.unit.hooked("try_end", [load(name, at)], at), at)
        return if_(is_not(name, None), [end])

    def _try(self, item: Try) -> list[ast.stmt]:
        node, at, name = item.node, where(item.node), item.name
        first: list[ast.stmt] = []
        types = [None if h.type is None else self.expressions.value(h.type) for h in node.handlers]
        if name:
            first = [self._try_begin(name, self._handled(node), at)]
        if item.last:
            first.append(self._try_begin(item.last, [], at))
        body = self.filled(item.body)
        if name:
            body.append(self.try_end(name, at))
        handlers = []
        for handler, kind, items in zip(node.handlers, types, item.handlers, strict=True):
            place = where(handler)
            caught = expression(self.unit.hooked("caught", [load(name, place)], place), place)
            once = set_(name, None)  # except* may take several
            steps = [if_(is_not(name, None), [caught, once]), *self.block(items)]
            handlers.append(ast.ExceptHandler(kind, handler.name, steps, **place))
        if name and not handlers:  # a jump in the last block drops exceptions
            caught = expression(self.unit.hooked("caught", [load(name, at)], at), at)
            steps = [if_(is_not(name, None), [caught]), ast.Raise(None, None, **at)]
            handlers = [ast.ExceptHandler(None, None, steps, **at)]
        orelse = self.block(item.orelse)
        return [*first, type(node)(body, handlers, orelse, self._final(item), **at)]

    def _try_begin(self, name: str, arguments: list[ast.expr], at: Where) -> ast.stmt:
        """Tell the runtime that a block begins which an exception may leave."""
        begin = self.unit.hooked("try_begin", arguments, at)
        return assign(name, either(self.unit.active(at), begin, constant(None, at), at), at)

    def _handled(self, node: Any) -> list[ast.expr]:
        """What gives the classes of the handlers; nothing where they may be all, or change."""
        types = [handler.type for handler in node.handlers]
        if not types or type(node) is not ast.Try or not all(map(self._is_known, types)):
            return []
        return [self.expressions.thunk(ast.Tuple(types, ast.Load(), **where(node)))]

    def _is_known(self, node: Any) -> bool:
        if isinstance(node, ast.Tuple):
            return all(map(self._is_known, node.elts))
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name) or self.scope.kind(node.id) != "global":
            return False
        return self.unit.resolve(node.id) != "dynamic"

    def _final(self, item: Try) -> list[ast.stmt]:
        """The block that runs whatever happened."""
        if not item.last:
            return []
        steps = []
        for hook in ("final_begin", "final_end"):
            at = where(item.node.finalbody[-(hook == "final_end")])
            told = expression(self.unit.hooked(hook, [load(item.last, at)], at), at)
            steps.append(if_(is_not(item.last, None), [told]))
        return [steps[0], *self.block(item.final), steps[1]]

    def _match(self, item: Match) -> list[ast.stmt]:
        node = item.node
        cases = []
        subject = self.expressions.value(node.subject)
        for case, items in zip(node.cases, item.bodies, strict=True):
            guard = None if case.guard is None else self.expressions.value(case.guard)
            cases.append(ast.match_case(case.pattern, guard, self.filled(items)))
        return [ast.Match(subject, cases, **where(node))]
