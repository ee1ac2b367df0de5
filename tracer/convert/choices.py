"""``and``, ``or`` and ternaries with a walrus or a yield in a part that may not run, as ``if``."""

from __future__ import annotations

import ast
from typing import Any

from plait.tracer.convert.nodes import (
    NOT,
    assign,
    constant,
    has_suspension,
    load,
    rebuilt,
    where,
)

_FIELDS: dict[type, str] = {
    ast.If: "test",
    ast.Assign: "value",
    ast.AnnAssign: "value",
    ast.AugAssign: "value",
    ast.Expr: "value",
    ast.Return: "value",
}


def unfolded(statement: Any, name: str) -> list[ast.stmt] | None:
    """The statements that stand for one whose expression is such a choice; None for others.

    Parameters
    ----------
    statement : ast.stmt
    name : str
        Gets the value of the expression.
    """
    if isinstance(statement, ast.While):
        return _loop(statement, name)
    field = _FIELDS.get(type(statement))
    value = getattr(statement, field) if field is not None else None
    if field is None or value is None or not _is_choice(value):
        return None
    return [*_into(value, name), rebuilt(statement, {field: load(name, where(value))})]


def _is_choice(node: Any) -> bool:
    if isinstance(node, ast.BoolOp):
        return any(map(has_suspension, node.values[1:])) or _is_choice(node.values[0])
    if isinstance(node, ast.IfExp):
        return has_suspension(node.body) or has_suspension(node.orelse) or _is_choice(node.test)
    return (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and _is_choice(node.operand)
    )


def _loop(node: ast.While, name: str) -> list[ast.stmt] | None:
    if not _is_choice(node.test):
        return None
    at, ended = where(node.test), f"{name}_ended"
    leave: list[ast.stmt] = [assign(ended, constant(True, at), at), ast.Break(**at)]
    test = ast.If(ast.UnaryOp(NOT, load(name, at), **at), leave, [], **at)
    body = [*_into(node.test, name), test, *node.body]
    loop = ast.While(constant(True, at), body, [], **where(node))
    if not node.orelse:
        return [loop]
    first = assign(ended, constant(False, at), at)
    return [first, loop, ast.If(load(ended, at), node.orelse, [], **at)]


def _into(node: Any, name: str) -> list[ast.stmt]:
    """Statements that give ``name`` the value of an expression."""
    at = where(node)
    if not _is_choice(node):
        return [assign(name, node, at)]
    if isinstance(node, ast.IfExp):
        return [ast.If(node.test, _into(node.body, name), _into(node.orelse, name), **at)]
    if isinstance(node, ast.UnaryOp):
        negated = ast.UnaryOp(NOT, load(name, at), **at)
        return [*_into(node.operand, name), assign(name, negated, at)]
    steps = _into(node.values[0], name)
    for value in node.values[1:]:
        test = load(name, at)
        if isinstance(node.op, ast.Or):
            test = ast.UnaryOp(NOT, test, **at)
        steps.append(ast.If(test, _into(value, name), [], **at))
    return steps
