"""Converts the definition of a function, of those inside of it, and of the methods of classes."""

from __future__ import annotations

import ast
import copy
from typing import Any

from plait.tracer.convert.flow import Flow
from plait.tracer.convert.jumps import Lowering
from plait.tracer.convert.names import function_names, numbers, own_names, parameters
from plait.tracer.convert.nodes import (
    NOWHERE,
    Where,
    assign,
    constant,
    expression,
    if_,
    load,
    rebuilt,
    where,
)
from plait.tracer.convert.statements import Statements
from plait.tracer.convert.unit import RUNTIME, Scope, Unit

#: Builtins that list the names of the frame that calls them.
_LISTING = frozenset(("locals", "vars", "dir"))
#: Builtins that may read any name of the frame that calls them.
_LOOKING = frozenset(("locals", "vars", "dir", "eval", "exec", "breakpoint"))


def convert_definition(
    node: Any, unit: Unit, *, owner: str = "", free: frozenset[str] = frozenset()
) -> Any:
    """The definition of a converted function, or its lambda."""
    if isinstance(node, ast.Lambda):
        outside = Scope(unit, None, set(), function="<lambda>", owner=owner, free=free)
        return _Functions(outside, Flow(set(), frozenset(), "", ""), "").expressions.hook(node)
    return _converted(node, unit, None, owner, free)


def _converted(
    node: Any, unit: Unit, parent: Scope | None, owner: str, free: frozenset[str]
) -> Any:
    names = function_names(node)
    local = own_names(node, names)
    arguments = parameters(node.args)
    scope = Scope(
        unit,
        parent,
        local,
        function=node.name,
        owner=owner,
        declared=names.outer,
        free=free,
        first=arguments[0] if arguments else "",
        line=node.lineno,
    )
    scope.numbers = numbers(node, names)
    doc, statements = _split(node.body)
    if names.read & _LISTING:
        listing = _Listing(scope)
        statements = [listing.visit(copy.deepcopy(each)) for each in statements]
    lowering = Lowering(unit.prefix)
    items = lowering.lower(statements, ast.Return(None, **NOWHERE))
    looks = bool(names.read & _LOOKING)
    always = frozenset(local if looks else names.captured & local)
    flow = Flow(local, always, unit.prefix, lowering.value)
    end = frozenset((lowering.value,) if lowering.has_flag else ())
    flow.live(items, end, (frozenset(), frozenset(), frozenset()))
    bound = frozenset(arguments)
    flow.bind(items, bound, "bound")
    if lowering.has_flags:
        flow.bind(items, bound, "loose")
    written = _Functions(scope, flow, lowering.value).block(items)
    at = _start(statements[0] if statements else node)
    body = [*doc, *_entered(scope, at), *_flagged(lowering, written, at)]
    return rebuilt(node, {"body": body or [ast.Pass(**NOWHERE)]})


def _start(node: Any) -> Where:
    """Where a statement begins."""
    line, column = node.lineno, node.col_offset
    return {"lineno": line, "col_offset": column, "end_lineno": line, "end_col_offset": column}


class _Listing(ast.NodeTransformer):
    """Leaves the converter's own names out of what ``locals()`` and the like give."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def visit_FunctionDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def visit_Call(self, node: Any) -> Any:
        function, scope = node.func, self._scope
        if not isinstance(function, ast.Name) or node.args or node.keywords:
            return self.generic_visit(node)
        name = function.id
        if name not in _LISTING or scope.kind(name) != "global":
            return self.generic_visit(node)
        if scope.unit.resolve(name) != "builtin":
            return node
        prefix = scope.unit.prefix
        form = _NAMES if name == "dir" else _ITEMS
        found = ast.parse(form.format(prefix=prefix, call=name, size=len(prefix)), mode="eval").body
        for inner in ast.walk(found):
            if "lineno" in inner._attributes:
                ast.copy_location(inner, node)
        return found


#: What ``dir()`` and ``locals()`` become.
_NAMES = "[{prefix}k for {prefix}k in {call}() if {prefix!r} != {prefix}k[:{size}]]"
_ITEMS = (
    "{{{prefix}k: {prefix}v for {prefix}k, {prefix}v in {call}().items() "
    "if {prefix!r} != {prefix}k[:{size}]}}"
)


def _split(body: list[Any]) -> tuple[list[Any], list[Any]]:
    """A function's docstring and its other statements."""
    first = body[0]
    value = first.value if isinstance(first, ast.Expr) else None
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return ([first], body[1:]) if is_text else ([], body)


def _entered(scope: Scope, at: Where) -> list[ast.stmt]:
    if not scope.record.static_reads and scope.parent is not None:
        return []
    unit = scope.unit
    enter = unit.hooked("enter", [constant(unit.key(scope.record), at)], at)
    return [if_(unit.active(at), [expression(enter, at)], (), at)]


def _flagged(lowering: Lowering, body: list[ast.stmt], at: Where) -> list[ast.stmt]:
    """A body that knows whether it has returned, where jumps may have been staged."""
    if not lowering.has_flag:
        return body
    first = assign(lowering.returned, constant(False, at), at)
    last = where(body[-1]) if body else NOWHERE
    value = [load(lowering.value, last), constant(True, last)]  # no path goes on without a return
    result = ast.Call(
        ast.Attribute(constant(RUNTIME, last), "use", ast.Load(), **last), value, [], **last
    )
    return [first, *body, ast.Return(result, **last)]


class _Functions(Statements):
    """Statements with the definitions among them."""

    def function(self, node: Any) -> Any:
        inner = _converted(node, self.unit, self.scope, self.scope.owner, frozenset())
        value = self.expressions.value
        return rebuilt(
            inner,
            {
                "args": self.expressions.arguments(node.args, value),
                "decorator_list": [value(d) for d in node.decorator_list],
            },
        )

    def class_(self, node: Any) -> Any:
        value = self.expressions.value
        body = [self._member(statement, node.name) for statement in node.body]
        keywords = [rebuilt(k, {"value": value(k.value)}) for k in node.keywords]
        return rebuilt(
            node,
            {
                "body": body,
                "bases": [value(base) for base in node.bases],
                "keywords": keywords,
                "decorator_list": [value(d) for d in node.decorator_list],
            },
        )

    def _member(self, statement: Any, owner: str) -> Any:
        if not isinstance(statement, ast.FunctionDef):
            return statement
        inner = _converted(statement, self.unit, self.scope, owner, frozenset())
        return rebuilt(statement, {"body": inner.body})
