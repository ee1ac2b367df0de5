"""Short ways to build syntax trees, whose nodes say which place of the user's file they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

#: A place in a source file: line and column of start and end, as fields of a node.
Where = dict[str, Any]

#: No line at all: steps that a debugger or coverage tool should not see.
NOWHERE: Where = {"lineno": -1, "col_offset": -1, "end_lineno": -1, "end_col_offset": -1}

LOAD = ast.Load()
STORE = ast.Store()
IS = ast.Is()
IS_NOT = ast.IsNot()
AND = ast.And()
NOT = ast.Not()

N = TypeVar("N", bound=ast.AST)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def where(node: Any) -> Where:
    """The place of a node of the user's."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def made(kind: type[N], fields: dict[str, Any]) -> N:
    """A new node; a third of the time that its class takes, which counts the fields."""
    node = kind.__new__(kind)
    node.__dict__ = fields
    return node


def load(name: str, at: Where) -> ast.expr:
    """A name, read."""
    return made(ast.Name, {"id": name, "ctx": LOAD, **at})


def store(name: str, at: Where) -> ast.expr:
    """A name, to be assigned to."""
    return made(ast.Name, {"id": name, "ctx": STORE, **at})


def constant(value: Any, at: Where) -> ast.expr:
    """A constant."""
    return made(ast.Constant, {"value": value, "kind": None, **at})


def attribute(value: ast.expr, name: str, at: Where) -> ast.expr:
    """``value.name``, read."""
    return made(ast.Attribute, {"value": value, "attr": name, "ctx": LOAD, **at})


def call(
    function: ast.expr,
    arguments: Sequence[ast.expr],
    at: Where,
    keywords: Sequence[ast.keyword] = (),
) -> ast.expr:
    """``function(*arguments, **keywords)``."""
    return made(ast.Call, {"func": function, "args": [*arguments], "keywords": [*keywords], **at})


def assign(name: str, value: ast.expr, at: Where) -> ast.stmt:
    """``name = value``."""
    return assign_to([store(name, at)], value, at)


def assign_to(targets: list[ast.expr], value: ast.expr, at: Where) -> ast.stmt:
    """``target = other = value``."""
    return made(ast.Assign, {"targets": targets, "value": value, "type_comment": None, **at})


def expression(value: ast.expr, at: Where) -> ast.stmt:
    """A value that is computed for its effects."""
    return made(ast.Expr, {"value": value, **at})


def either(test: ast.expr, body: ast.expr, orelse: ast.expr, at: Where) -> ast.expr:
    """``body if test else orelse``."""
    return made(ast.IfExp, {"test": test, "body": body, "orelse": orelse, **at})


def assign_names(names: Sequence[str], value: ast.expr, at: Where) -> ast.stmt:
    """``a, b = value``; just ``value`` where there are no names."""
    if not names:
        return expression(value, at)
    target = ast.Tuple([store(name, at) for name in names], STORE, **at)
    return assign_to([target], value, at)


def if_(
    test: ast.expr, body: list[ast.stmt], orelse: Iterable[ast.stmt] = (), at: Where = NOWHERE
) -> ast.stmt:
    """``if test: body else: orelse``."""
    return made(ast.If, {"test": test, "body": body, "orelse": [*orelse], **at})


@lru_cache(maxsize=4096)
def is_(name: str, value: bool | None) -> ast.expr:
    """``name is value``, as a step of the converter's own."""
    at = NOWHERE
    return ast.Compare(load(name, at), [IS], [constant(value, at)], **at)


@lru_cache(maxsize=4096)
def is_not(name: str, value: bool | None) -> ast.expr:
    """``name is not value``, as a step of the converter's own."""
    at = NOWHERE
    return ast.Compare(load(name, at), [IS_NOT], [constant(value, at)], **at)


@lru_cache(maxsize=4096)
def set_(name: str, value: bool | None) -> ast.stmt:
    """``name = value``, as a step of the converter's own."""
    return assign(name, constant(value, NOWHERE), NOWHERE)


def all_of(tests: list[ast.expr], at: Where = NOWHERE) -> ast.expr:
    """``a and b and c``."""
    return tests[0] if len(tests) == 1 else ast.BoolOp(AND, tests, **at)


def not_(value: ast.expr, at: Where = NOWHERE) -> ast.expr:
    """``not value``."""
    return ast.UnaryOp(NOT, value, **at)


def lambda_(body: ast.expr, names: Sequence[str], at: Where) -> ast.expr:
    """``lambda a=a, b=b: body``."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name, None, **at) for name in names],
        vararg=None,
        kwonlyargs=[],
        kw_defaults=[],
        kwarg=None,
        defaults=[load(name, at) for name in names],
    )
    return ast.Lambda(arguments, body, **at)


def rebuilt(node: Any, changed: dict[str, Any]) -> Any:
    """A copy of a node with other fields; the node itself where none changed."""
    if not changed:
        return node
    return made(type(node), {**node.__dict__, **changed})


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below a node, contexts and operators aside."""
    kind, fields = type(node), node.__dict__
    names = _BELOW.get(kind)
    if names is None:
        names = _BELOW[kind] = tuple([name for name in kind._fields if name not in _PLAIN])
    found: list[ast.AST] = []
    for name in names:
        value = fields.get(name)
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


#: Fields that hold no nodes, or only those without names.
_TEXTS = ("arg", "asname", "attr", "conversion", "id", "is_async", "kind", "level", "module")
_PLAIN = frozenset((*_TEXTS, "ctx", "op", "ops", "simple", "type_comment"))
_BELOW: dict[type, tuple[str, ...]] = {}


def has_suspension(node: ast.AST) -> bool:
    """Whether an expression has a walrus or a yield: it cannot move into a lambda."""
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)):
            return True
        if not isinstance(item, ast.Lambda):
            pending += children(item)
    return False
