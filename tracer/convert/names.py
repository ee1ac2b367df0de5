"""Which names a function binds, reads and captures; computed from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from plait.tracer.convert.nodes import COMPREHENSIONS, FUNCTIONS, children


@dataclass(slots=True)
class Names:
    """What a piece of a function does with names, nested functions aside.

    Attributes
    ----------
    bound : set of str
        Assigned, imported, defined, deleted or bound by a pattern.
    read : set of str
        Read here, or by a nested function.
    captured : set of str
        Read or rebound by a nested function, lambda or generator expression.
    outer : dict of str to str
        Names that a global or nonlocal statement declares, and which of the two.
    written : set of str
        Names of objects that are written in place: ``x[i] = v``, ``x.a = v``, ``x += v``.
    scalar, other : set of str
        Names that are assigned Python numbers, and names that may be assigned something else.
    """

    bound: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    captured: set[str] = field(default_factory=set)
    outer: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    scalar: set[str] = field(default_factory=set)
    other: set[str] = field(default_factory=set)

    def add(self, nodes: Iterable[ast.AST]) -> Names:
        """Count what some nodes do, too."""
        pending = [*nodes]
        while pending:
            node = pending.pop()
            kind = type(node)
            if kind is ast.Name:
                self._name(node)
            elif kind in _SPECIAL:
                pending += _SPECIAL[kind](self, node)
            else:
                pending += children(node)
        return self

    def _name(self, node: Any) -> None:
        if type(node.ctx) is ast.Load:
            self.read.add(node.id)
        else:
            self._bind(node.id)

    def _bind(self, name: str) -> None:
        self.bound.add(name)
        self.other.add(name)

    def _assign(self, node: Any) -> list[ast.AST]:
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or not _is_number(node.value):
            return [*node.targets, node.value]
        self.bound.add(target.id)
        self.scalar.add(target.id)
        return []

    def _function(self, node: Any) -> list[ast.AST]:
        inner = function_names(node)
        free = (inner.read | inner.captured | inner.bound) - own_names(node, inner)
        self.read |= free
        self.captured |= free
        if not isinstance(node, ast.Lambda):
            self._bind(node.name)
        return outside_of(node)

    def _class(self, node: Any) -> list[ast.AST]:
        inner = Names().add(node.body)
        free = inner.read | inner.captured | set(inner.outer)
        self.read |= free
        self.captured |= inner.captured
        self._bind(node.name)
        return [*node.decorator_list, *node.bases, *node.keywords]

    def _comprehension(self, node: Any) -> list[ast.AST]:
        targets = Names().add([g.target for g in node.generators]).bound
        first, inner = node.generators[0].iter, Names()
        inner.add(_comprehension_parts(node))
        self.bound |= inner.bound - targets
        self.other |= inner.bound - targets
        self.read |= inner.read - targets
        self.captured |= inner.captured - targets
        if isinstance(node, ast.GeneratorExp):
            self.captured |= inner.read - targets
        self.written |= inner.written - targets
        return [first]

    def _augmented(self, node: Any) -> list[ast.AST]:
        target = node.target
        if isinstance(target, ast.Name):
            self.read.add(target.id)
            self.written.add(target.id)
            if _is_number(node.value):
                self.bound.add(target.id)
                return []
        return [target, node.value]

    def _item(self, node: Any) -> list[ast.AST]:
        if type(node.ctx) is not ast.Load:
            base = node.value
            while isinstance(base, (ast.Subscript, ast.Attribute)):
                base = base.value
            if isinstance(base, ast.Name):
                self.written.add(base.id)
        return children(node)

    def _declaration(self, node: Any) -> list[ast.AST]:
        kind = "global" if isinstance(node, ast.Global) else "nonlocal"
        self.outer.update(dict.fromkeys(node.names, kind))
        return []

    def _import(self, node: Any) -> list[ast.AST]:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])
        return []

    def _named(self, node: Any) -> list[ast.AST]:
        if node.name is not None:
            self._bind(node.name)
        return children(node)

    def _rest(self, node: Any) -> list[ast.AST]:
        if node.rest is not None:
            self._bind(node.rest)
        return children(node)

    def _annotated(self, node: Any) -> list[ast.AST]:
        if node.value is None:  # declares its name only
            if isinstance(node.target, ast.Name):
                self.outer.setdefault(node.target.id, "local")
            return []
        return [node.target, node.value]


_SPECIAL: dict[type, Any] = {
    ast.ClassDef: Names._class,
    ast.AugAssign: Names._augmented,
    ast.Subscript: Names._item,
    ast.Attribute: Names._item,
    ast.Global: Names._declaration,
    ast.Nonlocal: Names._declaration,
    ast.Import: Names._import,
    ast.ImportFrom: Names._import,
    ast.ExceptHandler: Names._named,
    ast.MatchAs: Names._named,
    ast.MatchStar: Names._named,
    ast.MatchMapping: Names._rest,
    ast.AnnAssign: Names._annotated,
    ast.Assign: Names._assign,
    **dict.fromkeys(FUNCTIONS, Names._function),
    **dict.fromkeys(COMPREHENSIONS, Names._comprehension),
}


def _is_number(node: Any) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _comprehension_parts(node: Any) -> list[ast.AST]:
    """What a comprehension evaluates in its own scope: all but the first iterable."""
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for number, generator in enumerate(node.generators):
        parts += generator.ifs
        if number:
            parts.append(generator.iter)
    return parts


def outside_of(node: Any) -> list[ast.AST]:
    """What a definition evaluates where it stands: decorators and defaults."""
    parts = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    if not isinstance(node, ast.Lambda):
        parts += node.decorator_list
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        every += [a for a in (node.args.vararg, node.args.kwarg) if a is not None]
        parts += [a.annotation for a in every if a.annotation is not None]
        parts += [node.returns] if node.returns is not None else []
    return parts


def parameters(arguments: ast.arguments) -> list[str]:
    """The names of a function's parameters."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return [argument.arg for argument in every]


def body_of(node: Any) -> list[Any]:
    """The statements of a function, or the expression of a lambda."""
    return [node.body] if isinstance(node, ast.Lambda) else node.body


def function_names(node: Any) -> Names:
    """The names of a function's body."""
    return Names().add(body_of(node))


def own_names(node: Any, names: Names) -> set[str]:
    """The local names of a function."""
    declared = {n for n, kind in names.outer.items() if kind != "local"}
    local = {n for n, kind in names.outer.items() if kind == "local"}
    return (names.bound | local | set(parameters(node.args))) - declared


def numbers(node: Any, names: Names) -> set[str]:
    """The names of a function that hold nothing but numbers, Python's or traced ones."""
    return (
        names.scalar - names.other - names.captured - set(parameters(node.args)) - set(names.outer)
    )


def mangled(name: str, owner: str) -> str:
    """A private name as Python names it inside of class ``owner``."""
    if not owner or name[:2] != "__" or name[-2:] == "__" or "." in name:
        return name
    stripped = owner.lstrip("_")
    return f"_{stripped}{name}" if stripped else name
