"""Rewrites what is assigned to: attributes, items and outside names are written by hooks."""

from __future__ import annotations

import ast
from typing import Any

from plait.tracer.convert.expressions import Expressions
from plait.tracer.convert.nodes import (
    STORE,
    Where,
    assign,
    assign_to,
    attribute,
    constant,
    expression,
    if_,
    load,
    store,
    where,
)
from plait.tracer.convert.unit import Scope

_IN_PLACE = {
    ast.Add: "iadd",
    ast.Sub: "isub",
    ast.Mult: "imul",
    ast.MatMult: "imatmul",
    ast.Div: "itruediv",
    ast.FloorDiv: "ifloordiv",
    ast.Mod: "imod",
    ast.Pow: "ipow",
    ast.LShift: "ilshift",
    ast.RShift: "irshift",
    ast.BitAnd: "iand",
    ast.BitOr: "ior",
    ast.BitXor: "ixor",
}


class Targets:
    """Rewrites the assignments of one function."""

    def __init__(self, scope: Scope, expressions: Expressions) -> None:
        self._scope = scope
        self._unit = scope.unit
        self._expressions = expressions
        self._spare = 0

    # Assignments.

    def is_plain(self, target: Any) -> bool:
        """Whether a target binds local names only."""
        if isinstance(target, ast.Name):
            return self._scope.kind(target.id) in ("local", "inner")
        if isinstance(target, (ast.Tuple, ast.List)):
            return all(map(self.is_plain, target.elts))
        return isinstance(target, ast.Starred) and self.is_plain(target.value)

    def assign(self, targets: list[Any], value: Any, at: Where) -> list[ast.stmt]:
        """``a = b.c = value``; the value is converted already."""
        if all(map(self.is_plain, targets)):
            return [assign_to(targets, value, at)]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            return self.store(targets[0], value)
        found: list[ast.stmt] = []
        if not isinstance(value, (ast.Name, ast.Constant)):
            held = self.spare("value")
            found.append(assign(held, value, at))
            value = load(held, at)
        for target in targets:
            found += self.store(target, value)
        return found

    def spare(self, what: str) -> str:
        """A fresh name."""
        self._spare += 1
        return f"{self._unit.prefix}{what}{self._spare}"

    def store(self, target: Any, value: Any) -> list[ast.stmt]:
        """Assign to one target; the value may be evaluated twice in the text, once as it runs."""
        at = where(target)
        if self.is_plain(target):
            return [assign_to([target], value, at)]
        if isinstance(target, ast.Name):
            return self._outside(target, value, at)
        if isinstance(target, ast.Attribute):
            name = constant(self._scope.private(target.attr), at)
            return [self._hooked("set_attr", target, [name, value], value)]
        if isinstance(target, ast.Subscript):
            key = self._expressions.key(target.slice)
            return [self._hooked("set_item", target, [key, value], value)]
        held: dict[str, Any] = {}
        pattern = self.pattern(target, held)
        found: list[ast.stmt] = [assign_to([pattern], value, at)]
        return found + self.unpack(held)

    def _hooked(self, name: str, target: Any, rest: list[Any], value: Any) -> ast.stmt:
        at = where(target)
        arguments = [self._expressions.base(target.value), *rest]
        staged = expression(self._unit.hooked(name, arguments, at), at)
        native = assign_to([target], value, at)
        return if_(self._unit.active(at), [staged], [native], at)

    def _outside(self, target: Any, value: Any, at: Where) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        if not isinstance(value, (ast.Name, ast.Constant)):
            held = self.spare("value")
            found.append(assign(held, value, at))
            value = load(held, at)
        native = assign_to([target], value, at)
        return [
            *found,
            if_(self._unit.active(at), [self._write(target.id, value, at)], [native], at),
        ]

    def _write(self, name: str, value: Any, at: Where) -> ast.stmt:
        """Let the runtime assign to a name that is not the function's own."""
        hooked = self._unit.hooked("write", self._scope.outside(name, value, at), at)
        return expression(hooked, at)

    def pattern(self, target: Any, held: dict[str, Any]) -> Any:
        """A target of names only; ``held`` gets what is to be stored from which name."""
        if self.is_plain(target):
            return target
        at = where(target)
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = [self.pattern(part, held) for part in target.elts]
            return type(target)(parts, STORE, **at)
        if isinstance(target, ast.Starred):
            return ast.Starred(self.pattern(target.value, held), STORE, **at)
        name = self.spare("part")
        held[name] = target
        return store(name, at)

    def unpack(self, held: dict[str, Any]) -> list[ast.stmt]:
        """Store what ``pattern`` has left in names."""
        found: list[ast.stmt] = []
        for name, part in held.items():
            found += self.store(part, load(name, where(part)))
        return found

    # Augmented assignments.

    def augment(self, node: Any) -> list[ast.stmt]:
        """``x += v``, ``x.a += v``, ``x[k] += v``."""
        target, at = node.target, where(node)
        if isinstance(target, ast.Name):
            is_number = target.id in self._scope.numbers and isinstance(node.value, ast.Constant)
            return [node if is_number else self._augment_name(node, target, at)]
        held = self.spare("object")
        first = assign(held, self._expressions.base(target.value), at)
        if isinstance(target, ast.Attribute):
            key: Any = constant(self._scope.private(target.attr), at)
            steps, names = [first], ("attr", "set_attr")
        else:
            key_name = self.spare("key")
            steps = [first, assign(key_name, self._expressions.key(target.slice), at)]
            key, names = load(key_name, at), ("item", "set_item")
        old = self._unit.hooked(f"{names[0]}_part", [load(held, at), key], at)
        new = self._augmented(node, old, at)
        write = self._unit.hooked(names[1], [load(held, at), key, new], at)
        steps.append(expression(write, at))
        return [if_(self._unit.active(at), steps, [node], at)]

    def _augmented(self, node: Any, old: Any, at: Where) -> ast.expr:
        operation = constant(_IN_PLACE[type(node.op)], at)
        return self._unit.hooked(
            "augment", [old, operation, self._expressions.hook(node.value)], at
        )

    def _augment_name(self, node: Any, target: Any, at: Where) -> ast.stmt:
        name, kind = target.id, self._scope.kind(target.id)
        old = self._expressions.hook(load(name, where(target)))
        is_native = isinstance(old, ast.Name)
        new = self._augmented(node, old, at)
        is_own = kind in ("local", "inner")
        write = assign(name, new, at) if is_own else self._write(name, new, at)
        value = self._expressions.value(node.value)
        native = node if value is node.value else ast.AugAssign(target, node.op, value, **at)
        test = self._unit.active(at)
        if is_native and kind == "local":
            simple = ast.Compare(
                attribute(load(name, at), "__class__", at),
                [ast.NotIn()],
                [self._unit.hook("SCALARS", at)],
                **at,
            )
            test = ast.BoolOp(ast.And(), [test, simple], **at)
        return if_(test, [write], [native], at)

    # Deletions.

    def delete(self, node: Any) -> list[ast.stmt]:
        """``del x``, ``del x.a``, ``del x[k]``."""
        found: list[ast.stmt] = []
        for target in node.targets:
            found += self._delete(target)
        return found

    def _delete(self, target: Any) -> list[ast.stmt]:
        at = where(target)
        if isinstance(target, (ast.Tuple, ast.List)):
            return [step for part in target.elts for step in self._delete(part)]
        native = ast.Delete([target], **at)
        if isinstance(target, ast.Name):
            kind = self._scope.kind(target.id)
            if kind in ("local", "inner"):
                return [native]
            hooked = self._unit.hooked("delete", self._scope.outside(target.id, None, at), at)
            return [if_(self._unit.active(at), [expression(hooked, at)], [native], at)]
        if isinstance(target, ast.Attribute):
            name, key = "del_attr", constant(self._scope.private(target.attr), at)
        else:
            name, key = "del_item", self._expressions.key(target.slice)
        arguments = [self._expressions.base(target.value), key]
        staged = expression(self._unit.hooked(name, arguments, at), at)
        return [if_(self._unit.active(at), [staged], [native], at)]
