"""Rewrites expressions: what they read, call, test and build goes through the runtime's hooks."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from plait.tracer.convert.names import Names, parameters
from plait.tracer.convert.nodes import (
    LOAD,
    Where,
    call,
    constant,
    either,
    has_suspension,
    lambda_,
    load,
    rebuilt,
    where,
)
from plait.tracer.convert.unit import Scope

#: Builtins that look at the frame that calls them: never called by a hook.
OF_THE_FRAME = frozenset(
    ("super", "locals", "globals", "vars", "dir", "eval", "exec", "breakpoint", "__import__")
)
#: An argument that marks a lambda of the converter's own.
MARK = "\0thunk"


class Expressions:
    """Rewrites the expressions of one function.

    ``value`` gives an expression that takes the hooks only while something is being traced, and
    is the user's own otherwise; ``hook`` gives the one with hooks. Both give back the node itself
    where there is nothing to hook.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.unit = scope.unit

    def value(self, node: Any) -> Any:
        """An expression, with hooks where something is being traced."""
        hooked = self.hook(node)
        if hooked is node:
            return node
        at = where(node)
        return either(self.unit.active(at), hooked, node, at)

    def manager(self, node: Any) -> Any:
        """The expression of a ``with``: its methods are called by a hook."""
        at = where(node)
        hooked = self.unit.hooked("manager", [self.hook(node)], at)
        return either(self.unit.active(at), hooked, node, at)

    def hook(self, node: Any) -> Any:
        """An expression with hooks."""
        found = _HOOKS.get(type(node))
        return self.parts(node) if found is None else found(self, node)

    def hooks(self, nodes: list[Any]) -> list[Any]:
        """Several expressions with hooks."""
        return [self.hook(node) for node in nodes]

    def parts(self, node: Any) -> Any:
        """A node whose parts have hooks."""
        changed: dict[str, Any] = {}
        for name in node._fields:
            old = getattr(node, name, None)
            if isinstance(old, list):
                new = [self.hook(item) if isinstance(item, ast.AST) else item for item in old]
                if any(a is not b for a, b in zip(new, old, strict=True)):
                    changed[name] = new
            elif isinstance(old, (ast.expr, ast.comprehension, ast.keyword)):
                one = self.hook(old)
                if one is not old:
                    changed[name] = one
        return rebuilt(node, changed)

    # Names, attributes, items.

    def _name(self, node: Any, part: str = "") -> Any:
        if type(node.ctx) is not ast.Load:
            return node
        name, scope, at = node.id, self.scope, where(node)
        kind = scope.kind(name)
        if kind == "local":
            return self._local(node, at)
        if kind == "outer":
            return node if scope.is_sure(name) else self._use(node, False, True, at)
        if kind == "inner" or name in ("__class__", "__debug__"):
            return node
        if kind == "global" and name not in scope.declared:
            what = self.unit.resolve(scope.private(name))
            if what != "dynamic":
                line = at["lineno"] + self.unit.offset
                scope.record.static_reads.setdefault(scope.private(name), line)
                return node
        return self.unit.hooked(f"read{part}", scope.outside(name, node, at), at)

    def _local(self, node: Any, at: Where) -> Any:
        scope = self.scope
        if scope.bound is None or (
            node.id in scope.bound and (scope.loose is None or node.id in scope.loose)
        ):
            return node
        return self._use(node, node.id in scope.bound, scope.functions > 0, at)

    def _use(self, node: Any, is_sure: bool, is_free: bool, at: Where) -> Any:
        flags = [is_sure, is_free] if is_free else [is_sure] if is_sure else []
        return self.unit.hooked("use", [node, *[constant(flag, at) for flag in flags]], at)

    def base(self, node: Any) -> Any:
        """An expression of which only a part is read: an attribute, an item or a method."""
        if isinstance(node, ast.Name):
            return self._name(node, "_part")
        if isinstance(node, ast.Attribute):
            return self._attribute(node, "_part")
        return self._item(node, "_part") if isinstance(node, ast.Subscript) else self.hook(node)

    def module_kind(self, node: Any) -> str:
        """What a name that is read as it is stands for; empty for anything else."""
        if not isinstance(node, ast.Name) or self.scope.kind(node.id) != "global":
            return ""
        if node.id in self.scope.declared:
            return ""
        return self.unit.resolve(self.scope.private(node.id))

    def is_library(self, node: Any) -> bool:
        """Whether an expression is a module whose attributes do not change, or a part of one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return self.module_kind(node) in ("library", "plait")

    def _attribute(self, node: Any, part: str = "") -> Any:
        at = where(node)
        if self.is_library(node):
            self._root_of(node)
            return node
        name = constant(self.scope.private(node.attr), at)
        return self.unit.hooked(f"attr{part}", [self.base(node.value), name], at)

    def _root_of(self, node: Any) -> None:
        while isinstance(node, ast.Attribute):
            node = node.value
        self.hook(node)  # notes that it is read

    def _item(self, node: Any, part: str = "") -> Any:
        at = where(node)
        return self.unit.hooked(f"item{part}", [self.base(node.value), self.key(node.slice)], at)

    def key(self, node: Any) -> Any:
        """What stands in a subscript, as an object."""
        at = where(node)
        if isinstance(node, ast.Slice):
            ends = (node.lower, node.upper, node.step)
            parts = [constant(None, at) if e is None else self.hook(e) for e in ends]
            return call(self.unit.builtin("slice", at), parts, at)
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self.key(item) for item in node.elts], LOAD, **at)
        return self.hook(node)

    # Calls.

    def _call(self, node: Any) -> Any:
        at, function = where(node), node.func
        own = self._own_call(node, at)
        if own is not None:
            return own
        keywords = [rebuilt(k, {"value": self.hook(k.value)}) for k in node.keywords]
        if isinstance(function, ast.Attribute) and not self._is_ours(function):
            first = [self.base(function.value)]
            first.append(constant(self.scope.private(function.attr), at))
            arguments = [*first, *self.hooks(node.args)]
            return call(self.unit.hook("method", at), arguments, at, keywords)
        callee, arguments = self.hook(function), self.hooks(node.args)
        if self._is_ours(function):
            return call(callee, arguments, at, keywords)
        return call(self.unit.hook("call", at), [callee, *arguments], at, keywords)

    def _is_ours(self, node: Any) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return self.module_kind(node) == "plait"

    def _own_call(self, node: Any, at: Where) -> Any:
        """Calls that stay as they are: of builtins that look at the frame."""
        function = node.func
        if not isinstance(function, ast.Name) or function.id not in OF_THE_FRAME:
            return None
        if self.module_kind(function) != "builtin":
            return None
        if function.id in ("vars", "dir") and node.args:
            return None
        plain = not node.args and not node.keywords
        if function.id == "super" and plain and self.scope.thunks and self.scope.first:
            return call(function, [load("__class__", at), load(self.scope.first, at)], at)
        keywords = [rebuilt(k, {"value": self.hook(k.value)}) for k in node.keywords]
        made = rebuilt(node, {"args": self.hooks(node.args), "keywords": keywords})
        if function.id in ("globals", "eval", "exec"):
            return rebuilt(made, {"func": self.unit.hooked("frame", [function], at)})
        return made

    # Logic.

    def thunk(self, node: Any) -> Any:
        """A lambda that evaluates an expression with hooks, at once and at most once."""
        at = where(node)
        self.scope.thunks += 1
        body = self.hook(node)
        self.scope.thunks -= 1
        return mark(lambda_(body, self._by_value(node), at))

    def _by_value(self, node: Any) -> list[str]:
        """Names that a lambda may take as defaults, which leaves them fast for the function."""
        names, scope = Names().add([node]), self.scope
        if names.captured or scope.bound is None:
            return []
        sure = scope.bound if scope.loose is None else scope.bound & scope.loose
        return sorted(
            name
            for name in names.read
            if (name in sure and scope.kind(name) == "local") or scope.kind(name) == "inner"
        )

    def _bool_op(self, node: Any) -> Any:
        if any(map(has_suspension, node.values[1:])):
            return self.parts(node)
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        return self._chain(name, node.values, where(node))

    def _chain(self, name: str, values: list[Any], at: Where) -> Any:
        first, *rest = values
        if not rest:
            return self.hook(first)
        if len(rest) == 1:
            second = self.thunk(rest[0])
        else:
            self.scope.thunks += 1
            inner = self._chain(name, rest, where(rest[0]))
            self.scope.thunks -= 1
            names = self._by_value(ast.Tuple(rest, LOAD, **at))
            second = mark(lambda_(inner, names, at))
        return self.unit.hooked(name, [self.hook(first), second], at)

    def _unary(self, node: Any) -> Any:
        if not isinstance(node.op, ast.Not):
            return self.parts(node)
        return self.unit.hooked("not_", [self.hook(node.operand)], where(node))

    def _if_expression(self, node: Any) -> Any:
        if has_suspension(node.body) or has_suspension(node.orelse):
            return self.parts(node)
        arguments = [self.hook(node.test), self.thunk(node.body), self.thunk(node.orelse)]
        return self.unit.hooked("if_expression", arguments, where(node))

    def _compare(self, node: Any) -> Any:
        at = where(node)
        if len(node.ops) == 1:
            operands = [self.hook(node.left), self.hook(node.comparators[0])]
            return self._compared(node, operands[0], node.ops[0], operands[1], at)
        if any(map(has_suspension, node.comparators)):
            return self.parts(node)
        return self._chained(node.left, node.ops, node.comparators, at)

    def _compared(self, node: Any, left: Any, operation: Any, right: Any, at: Where) -> Any:
        if isinstance(operation, (ast.In, ast.NotIn)):
            found = self.unit.hooked("contains", [left, right], at)
            is_in = isinstance(operation, ast.In)
            return found if is_in else self.unit.hooked("not_", [found], at)
        is_identity = isinstance(operation, (ast.Is, ast.IsNot))
        if is_identity and not any(isinstance(x, ast.Constant) for x in (left, right)):
            found = self.unit.hooked("is_", [left, right], at)
            is_is = isinstance(operation, ast.Is)
            return found if is_is else ast.UnaryOp(ast.Not(), found, **at)
        if node is not None and left is node.left and right is node.comparators[0]:
            return node
        return ast.Compare(left, [operation], [right], **at)

    def _chained(self, left: Any, operations: list[Any], rest: list[Any], at: Where) -> Any:
        """``(lambda a, b: R.and_(a < b, lambda: b < c))(left, right)``: each operand once."""
        depth = self.scope.thunks
        a, b = f"{self.unit.prefix}left{depth}", f"{self.unit.prefix}right{depth}"
        first = self._compared(None, load(a, at), operations[0], load(b, at), at)
        self.scope.thunks += 1
        if len(rest) == 2:
            right = self.hook(rest[1])
            second = self._compared(None, load(b, at), operations[1], right, at)
        else:
            tail = ast.Compare(load(b, at), operations[1:], rest[1:], **at)
            with self.scope.comprehension({b}):
                second = self._chained(tail.left, tail.ops, tail.comparators, at)
        self.scope.thunks -= 1
        both = self.unit.hooked("and_", [first, mark(lambda_(second, (), at))], at)
        function: Any = lambda_(both, (a, b), at)
        function.args.defaults = []
        with self.scope.comprehension({b}):
            operands = [self.hook(left), self.hook(rest[0])]
        return call(mark(function), operands, at)

    # Text, functions, comprehensions.

    def _binary(self, node: Any) -> Any:
        """``"text %s" % value``; other operators are left to the operands."""
        left = node.left
        if not isinstance(node.op, ast.Mod) or not isinstance(left, ast.Constant):
            return self.parts(node)
        if type(left.value) is not str:
            return self.parts(node)
        return self.unit.hooked("percent", [left, self.hook(node.right)], where(node))

    def _text(self, node: Any) -> Any:
        at = where(node)
        parts: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                code = chr(part.conversion) if part.conversion > 0 else ""
                spec = part.format_spec
                form = constant("", at) if spec is None else self._text(spec)
                items = [self.hook(part.value), constant(code, at), form]
                parts.append(ast.Tuple(items, LOAD, **at))
            else:
                parts.append(part)
        if all(isinstance(part, ast.Constant) for part in parts):
            return node
        return self.unit.hooked("format_", parts, at)

    def _lambda(self, node: Any) -> Any:
        outer = self.scope
        scope = Scope(
            self.unit,
            outer,
            set(parameters(node.args)) | (Names().add([node.body]).bound),
            function="<lambda>",
            owner=outer.owner,
            line=node.lineno,
        )
        inner = type(self)(scope)
        at = where(node.body)
        hooked = inner.hook(node.body)
        if scope.record.static_reads:
            enter = self.unit.hooked("enter", [constant(self.unit.key(scope.record), at)], at)
            both = ast.Tuple([enter, hooked], LOAD, **at)
            hooked = ast.Subscript(both, constant(1, at), LOAD, **at)
        body = node.body
        if hooked is not body:
            body = either(self.unit.active(at), hooked, body, at)
        return ast.Lambda(self.arguments(node.args, self.hook), body, **where(node))

    def arguments(self, node: Any, convert: Callable[[Any], Any]) -> Any:
        """A function's parameters with converted defaults."""
        changed = {
            "defaults": [convert(default) for default in node.defaults],
            "kw_defaults": [None if d is None else convert(d) for d in node.kw_defaults],
        }
        return rebuilt(node, changed)

    def _list(self, node: Any) -> Any:
        """``R.listed(items, lambda item: element, site)``, which may be staged."""
        generator = node.generators[0]
        if len(node.generators) > 1 or generator.ifs or generator.is_async or _keeps(node):
            return self._comprehension(node)
        at, target = where(node), generator.target
        items = self.hook(generator.iter)
        with self.scope.comprehension(Names().add([target]).bound, _is_function(node)):
            element = self.hook(node.elt)
        name = target.id if isinstance(target, ast.Name) else f"{self.unit.prefix}item"
        if not isinstance(target, ast.Name):
            one = ast.Tuple([load(name, at)], LOAD, **at)
            parts = rebuilt(generator, {"iter": one})
            listed = rebuilt(node, {"elt": element, "generators": [parts]})
            element = ast.Subscript(listed, constant(0, at), LOAD, **at)
        function: Any = lambda_(element, (name,), at)
        function.args.defaults = []
        site = self.scope.site("comprehension", at)
        return self.unit.hooked("listed", [items, mark(function), site], at)

    def _comprehension(self, node: Any) -> Any:
        names = Names().add([g.target for g in node.generators]).bound
        first = self.hook(node.generators[0].iter)
        changed: dict[str, Any] = {}
        with self.scope.comprehension(names, _is_function(node)):
            generators = [
                self._generator(g, first if not n else None) for n, g in enumerate(node.generators)
            ]
            for name in ("elt", "key", "value"):
                if hasattr(node, name):
                    changed[name] = self.hook(getattr(node, name))
        return rebuilt(node, {"generators": generators, **changed})

    def _generator(self, node: Any, iterable: Any) -> Any:
        found = self.hook(node.iter) if iterable is None else iterable
        return rebuilt(node, {"iter": found, "ifs": self.hooks(node.ifs)})

    def _yield(self, node: Any) -> Any:
        at = where(node)
        sent = constant(None, at) if node.value is None else self.hook(node.value)
        both = ast.Tuple([self.unit.hooked("before_yield", [], at), sent], LOAD, **at)
        return rebuilt(node, {"value": ast.Subscript(both, constant(1, at), LOAD, **at)})

    def _walrus(self, node: Any) -> Any:
        name, at = node.target.id, where(node)
        value = self.hook(node.value)
        if self.scope.kind(name) in ("local", "inner"):
            return rebuilt(node, {"value": value}) if value is not node.value else node
        held = f"{self.unit.prefix}walrus"
        write = self.unit.hooked("write", self.scope.outside(name, load(held, at), at), at)
        both = ast.Tuple([write, load(held, at)], LOAD, **at)
        second = ast.Subscript(both, constant(1, at), LOAD, **at)
        function: Any = mark(lambda_(second, (), at))
        function.args.args.insert(0, ast.arg(held, None, **at))
        return call(function, [value], at)

    def _same(self, node: Any) -> Any:
        return node


def _is_function(node: Any) -> bool:
    """Whether Python runs a comprehension as a function of its own."""
    return isinstance(node, ast.GeneratorExp) or sys.version_info < (3, 12)


def _keeps(node: Any) -> bool:
    """Whether a comprehension makes functions, which share its names, or binds or yields."""
    kinds = (ast.Lambda, ast.GeneratorExp, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)
    return any(isinstance(x, kinds) for x in ast.walk(node))


def mark(node: Any) -> Any:
    """Mark a lambda as the converter's own: its code takes the name of the function around it."""
    place = where(node)
    node.args.args.append(ast.arg(MARK, None, **place))
    node.args.defaults.append(constant(None, place))
    return node


_HOOKS: dict[type, Callable[[Expressions, Any], Any]] = {
    ast.Constant: Expressions._same,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._item,
    ast.Call: Expressions._call,
    ast.BinOp: Expressions._binary,
    ast.BoolOp: Expressions._bool_op,
    ast.UnaryOp: Expressions._unary,
    ast.IfExp: Expressions._if_expression,
    ast.Compare: Expressions._compare,
    ast.JoinedStr: Expressions._text,
    ast.Lambda: Expressions._lambda,
    ast.Yield: Expressions._yield,
    ast.YieldFrom: Expressions._yield,
    ast.NamedExpr: Expressions._walrus,
    ast.ListComp: Expressions._list,
    **dict.fromkeys((ast.SetComp, ast.DictComp, ast.GeneratorExp), Expressions._comprehension),
}
