"""Lowers ``return``, ``break`` and ``continue`` out of what may be staged to flags and guards."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plait.tracer.convert.choices import unfolded
from plait.tracer.convert.nodes import (
    assign_to,
    load,
    store,
    where,
)
from plait.tracer.convert.patterns import as_ifs, without_guards
from plait.tracer.convert.tree import (
    Condition,
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

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOPS = (ast.For, ast.While)
_JUMPS = (ast.Return, ast.Break, ast.Continue)
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


def _jumps(statements: Sequence[Any], in_loop: bool = False) -> Iterator[str]:
    """The kinds of jumps that leave some statements."""
    for statement in statements:
        if isinstance(statement, ast.Return):
            yield "return"
        elif isinstance(statement, (ast.Break, ast.Continue)):
            if not in_loop:
                yield "break" if isinstance(statement, ast.Break) else "continue"
        elif isinstance(statement, _LOOPS):
            yield from _jumps(statement.body, True)
            yield from _jumps(statement.orelse, in_loop)
        elif not isinstance(statement, _DEFINITIONS):
            for block in _BLOCKS:
                yield from _jumps(getattr(statement, block, ()), in_loop)


def _end(statements: Sequence[Any]) -> str:
    """How some statements end: ``""`` (they may go on), ``"raise"``, or ``"jump"`` on some way."""
    if not statements:
        return ""
    last = statements[-1]
    if isinstance(last, _JUMPS):
        return "jump"
    if isinstance(last, ast.Raise):
        return "raise"
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return "" if "break" in _jumps(last.body) else "jump"
    if isinstance(last, ast.If):
        ends = _end(last.body), _end(last.orelse)
        return "" if "" in ends else "jump" if "jump" in ends else "raise"
    return _end(last.body) if isinstance(last, ast.With) and _end(last.body) == "jump" else ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a statement stands.

    Attributes
    ----------
    to_function, to_loop, to_body : tuple of Condition
        What must hold for a return, a break and a continue to be Python's own.
    loops : tuple of Loop
        Those around it, the innermost last.
    tries, loop_tries : tuple of str
        The blocks with handlers around it, and those inside of the innermost loop.
    """

    to_function: tuple[Condition, ...] = ()
    to_loop: tuple[Condition, ...] = ()
    to_body: tuple[Condition, ...] = ()
    loops: tuple[Loop, ...] = ()
    tries: tuple[str, ...] = ()
    loop_tries: tuple[str, ...] = ()

    def under(self, name: str, value: bool) -> _Frame:
        """Inside of a branch that Python itself runs when ``name is value``."""
        one: tuple[Condition, ...] = ((name, value),)
        return replace(
            self,
            to_function=self.to_function + one,
            to_loop=self.to_loop + one,
            to_body=self.to_body + one,
        )

    def inside(self, loop: Loop) -> _Frame:
        """Inside of a loop."""
        one: tuple[Condition, ...] = ((loop.name, None),)
        return _Frame(self.to_function + one, one, (), (*self.loops, loop), self.tries, ())

    def trying(self, name: str) -> _Frame:
        """Inside of a block with handlers."""
        return replace(self, tries=(*self.tries, name), loop_tries=(*self.loop_tries, name))


class Lowering:
    """Lowers the body of one function.

    Attributes
    ----------
    returned, value : str
        The flag that says that the function has returned, and what; used when ``has_flag``.
    has_flags : bool
        Whether any jump may set flags.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._depth = 0
        self._loops = 0
        self._subjects = 0
        self._choices = 0
        self._set: set[str] = set()
        self.returned = f"{prefix}returned"
        self.value = f"{prefix}value"
        self.has_flag = False
        self.has_flags = False

    def lower(self, statements: list[Any], end: Any) -> list[Item]:
        """The items of a function's body; ``end`` is where the function ends."""
        items = self._block(statements, _Frame())
        if self.has_flag and not _end(statements):
            self._depth = self._loops = self._subjects = self._choices = 0
            items = self._block([*statements, end], _Frame())
        return items

    # Blocks.

    def _block(self, statements: Sequence[Any], frame: _Frame) -> list[Item]:
        items: list[Item] = []
        for index, statement in enumerate(statements):
            rest = statements[index + 1 :]
            if isinstance(statement, ast.Match):
                self._subjects += 1
                subject, flag = (f"{self._prefix}{n}{self._subjects}" for n in ("subject", "case"))
                chain = as_ifs(statement, subject) or without_guards(statement, subject, flag)
                if chain is not None:
                    return items + self._block([*chain, *rest], frame)
            choice = unfolded(statement, f"{self._prefix}choice{self._choices + 1}")
            if choice is not None:
                self._choices += 1
                return items + self._block([*choice, *rest], frame)
            if isinstance(statement, ast.If) and rest:
                statement, rest = _moved(statement, rest, frame)
            before, self._set = self._set, set()
            items += self._lowered(statement, frame)
            flag = _guarding(frame, self.returned)
            is_set = flag in self._set
            self._set |= before
            if not rest or isinstance(statement, (*_JUMPS, ast.Raise)):
                return items
            if is_set:
                return [*items, self._guard(flag, rest, rest[0], frame)]
        return items

    def _guard(self, flag: str, statements: Sequence[Any], node: Any, frame: _Frame) -> If:
        name = self._deeper()
        body = self._block(statements, frame.under(name, True))
        self._depth -= 1
        return If(node, flag=flag, name=name, body=body)

    def _deeper(self) -> str:
        self._depth += 1
        return f"{self._prefix}test{self._depth}"

    # Statements.

    def _lowered(self, statement: Any, frame: _Frame) -> list[Item]:
        if isinstance(statement, _LOOPS):
            return self._loop(statement, frame)
        return [self._statement(statement, frame)]

    def _statement(self, statement: Any, frame: _Frame) -> Item:
        if isinstance(statement, ast.If):
            return self._if(statement, frame)
        if isinstance(statement, _JUMPS):
            return self._jump(statement, frame)
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            return Raise(statement, conditions=frame.to_function)
        if isinstance(statement, ast.With):
            return With(statement, body=self._block(statement.body, frame))
        if isinstance(statement, (ast.Try, ast.TryStar)):
            return self._try(statement, frame)
        if isinstance(statement, ast.Match):
            cases = [self._block(case.body, frame) for case in statement.cases]
            return Match(statement, bodies=cases)
        return Simple(statement)

    def _if(self, node: ast.If, frame: _Frame) -> If:
        if is_python_bool(node.test):
            body, orelse = self._block(node.body, frame), self._block(node.orelse, frame)
            return If(node, test=node.test, body=body, orelse=orelse, is_native=True)
        name = self._deeper()
        body = self._block(node.body, frame.under(name, True))
        orelse = self._block(node.orelse, frame.under(name, False))
        self._depth -= 1
        return If(node, test=node.test, name=name, body=body, orelse=orelse)

    def _loop(self, node: Any, frame: _Frame) -> list[Item]:
        self._loops += 1
        number, jumps = self._loops, set(_jumps(node.body))
        broken = f"{self._prefix}broken{number}" if jumps & {"break", "return"} else ""
        skipped = f"{self._prefix}skipped{number}" if "continue" in jumps else ""
        name = f"{self._prefix}loop{number}"
        loop: Loop
        if isinstance(node, ast.While):
            loop = While(node, name=name, broken=broken, skipped=skipped, test=node.test)
        else:
            loop = For(node, name=name, broken=broken, skipped=skipped)
            loop.target, loop.iterable = node.target, node.iter
        inner = frame.inside(loop)
        if broken and isinstance(loop, For):
            guard_name = self._deeper()
            held = f"{name}_item"
            place = where(node.target)
            loop.target = store(held, place)
            bind = assign_to([node.target], load(held, place), place)
            loop.body = self._block([bind, *node.body], inner.under(guard_name, True))
            self._depth -= 1
            loop.body = [If(node, flag=broken, name=guard_name, body=loop.body)]
        else:
            loop.body = self._block(node.body, inner)
        if node.orelse and broken:
            return [loop, self._guard(broken, node.orelse, node.orelse[0], frame)]
        return [loop, *self._block(node.orelse, frame)]

    def _jump(self, node: Any, frame: _Frame) -> Jump:
        if isinstance(node, ast.Return):
            flags = [flag for loop in frame.loops for flag in (loop.broken, loop.skipped) if flag]
            flags.append(self.returned)
            if frame.to_function:
                self.has_flag = self.has_flags = True
                self._set.update(flags)
            return Jump(
                node,
                kind="return",
                conditions=frame.to_function,
                flags=tuple(flags),
                tries=frame.tries,
            )
        loop = frame.loops[-1]
        if isinstance(node, ast.Break):
            flags = [flag for flag in (loop.broken, loop.skipped) if flag]
            kind, conditions = "break", frame.to_loop
        else:
            flags, kind, conditions = [loop.skipped], "continue", frame.to_body
        if conditions:
            self._set.update(flags)
            self.has_flags = True
        return Jump(
            node, kind=kind, conditions=conditions, flags=tuple(flags), tries=frame.loop_tries
        )

    def _try(self, node: Any, frame: _Frame) -> Try:
        inner, stem = frame, self._deeper()
        name = last = ""
        if node.handlers or any(_jumps(node.finalbody)):
            name = f"{stem}_try"
            inner = frame.trying(name)
        if node.finalbody:
            last = f"{stem}_last"
        before, self._set = self._set, set()
        found = Try(node, name=name, last=last, body=self._block(node.body, inner))
        flag = _guarding(frame, self.returned)
        is_set = flag in self._set
        self._set |= before
        found.handlers = [self._block(handler.body, frame) for handler in node.handlers]
        if node.orelse:
            found.orelse = (
                [self._guard(flag, node.orelse, node.orelse[0], frame)]
                if is_set
                else self._block(node.orelse, frame)
            )
        found.final = self._block(node.finalbody, frame)
        self._depth -= 1
        return found


def _guarding(frame: _Frame, returned: str) -> str:
    """The flag that says that the rest of a block is skipped."""
    if not frame.loops:
        return returned
    loop = frame.loops[-1]
    return loop.skipped or loop.broken


def _moved(node: ast.If, rest: Sequence[Any], frame: _Frame) -> tuple[ast.If, Sequence[Any]]:
    """An ``if`` of which one branch always jumps takes what follows into the other one."""
    if is_python_bool(node.test) and not frame.to_function:
        return node, rest
    if _end(node.body) == "jump":
        return ast.If(node.test, node.body, [*node.orelse, *rest], **where(node)), ()
    if _end(node.orelse) == "jump":
        return ast.If(node.test, [*node.body, *rest], node.orelse, **where(node)), ()
    return node, rest


def is_python_bool(test: ast.expr) -> bool:
    """Whether an expression is a Python bool for certain: made of identity tests."""
    if isinstance(test, ast.Compare):
        return all(isinstance(op, (ast.Is, ast.IsNot)) for op in test.ops) and len(test.ops) == 1
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return is_python_bool(test.operand)
    if isinstance(test, ast.BoolOp):
        return all(map(is_python_bool, test.values))
    return isinstance(test, ast.Constant)
