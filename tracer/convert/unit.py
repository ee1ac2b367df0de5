"""One conversion: its constants, and what the names of each of its functions stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from plait.tracer.control.site import Site
from plait.tracer.convert.names import mangled
from plait.tracer.convert.nodes import Where, attribute, call, constant, lambda_, load


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """A name from outside of a converted function, where it reads or writes it.

    Attributes
    ----------
    name : str
    kind : str
        ``"global"``, ``"free"`` (a closure's) or ``"local"`` (of a function around it that is
        converted too).
    line : int
    function : str
    """

    name: str
    kind: str
    line: int
    function: str


@dataclass(slots=True, eq=False)
class CodeRecord:
    """What the runtime is told when a converted function is entered.

    Attributes
    ----------
    file, function : str
    line : int
    static_reads : dict of str to int
        Globals and builtins that the code reads as they are (functions, classes, modules), and
        the line of the first read.
    """

    file: str
    function: str
    line: int
    static_reads: dict[str, int] = field(default_factory=dict)


#: What a global name stands for when a function is converted: ``"dynamic"`` (read by a hook),
#: ``"static"`` (a function, class or module), ``"library"`` (a module whose attributes do not
#: change), ``"plait"`` (a function or module of ours), ``"builtin"``.
Resolve = Callable[[str], str]


class Unit:
    """What is common to a converted function and those inside of it."""

    def __init__(self, file: str, offset: int, prefix: str, resolve: Resolve) -> None:
        self.file = file
        self.offset = offset
        self.prefix = prefix
        self.resolve = resolve
        self.constants: dict[str, Any] = {}

    def key(self, value: Any) -> str:
        """A constant's stand-in: the compiler takes no constants but Python's own."""
        name = f"\0plait {len(self.constants)}"
        self.constants[name] = value
        return name

    def hook(self, name: str, at: Where) -> ast.expr:
        """A function of the runtime."""
        return attribute(constant(RUNTIME, at), name, at)

    def hooked(self, name: str, arguments: list[ast.expr], at: Where) -> ast.expr:
        """A call of a function of the runtime."""
        return call(self.hook(name, at), arguments, at)

    def active(self, at: Where) -> ast.expr:
        """The test whether anything is being traced."""
        return attribute(constant(DISPATCH, at), "active", at)

    def builtin(self, name: str, at: Where) -> ast.expr:
        """A builtin, whatever its name means to the user."""
        return attribute(constant(BUILTINS, at), name, at)


#: The stand-ins of the runtime, of the module that says whether anything is traced, of builtins.
RUNTIME, DISPATCH, BUILTINS = "\0plait runtime", "\0plait dispatch", "\0plait builtins"


class Scope:
    """The names of one function that is being converted.

    Attributes
    ----------
    unit : Unit
    parent : Scope or None
        The function around it, where that is converted with it.
    local : set of str
        Its own names.
    owner : str
        The class whose private names it sees.
    function : str
    first : str
        Its first parameter.
    thunks, functions : int
        How many lambdas of ours, and how many comprehensions that Python runs as functions, are
        around what is being converted.
    numbers : set of str
        Local names that hold nothing but numbers.
    bound, loose : frozenset of str or None
        Which names are bound for certain at present; see ``tree.Item``.
    """

    def __init__(
        self,
        unit: Unit,
        parent: Scope | None,
        local: set[str],
        *,
        function: str,
        owner: str = "",
        declared: dict[str, str] | None = None,
        free: frozenset[str] = frozenset(),
        first: str = "",
        line: int = 0,
    ) -> None:
        self.unit = unit
        self.parent = parent
        self.local = local
        self.owner = owner
        self.function = function
        self.first = first
        self.declared = declared or {}
        self.free = free
        self.bound: frozenset[str] | None = frozenset(local)
        self.loose: frozenset[str] | None = self.bound
        self.record = CodeRecord(unit.file, function, line + unit.offset)
        self.thunks = 0
        self.functions = 0
        self.numbers: set[str] = set()
        self._inner: list[frozenset[str]] = []

    @contextmanager
    def comprehension(self, names: set[str], is_function: bool = False) -> Iterator[None]:
        """Inside of a comprehension that binds ``names``; Python may run it as a function."""
        self._inner.append(frozenset(names))
        self.functions += is_function
        try:
            yield
        finally:
            self._inner.pop()
            self.functions -= is_function

    def kind(self, name: str) -> str:
        """What a name is.

        ``"inner"`` (bound by a comprehension or the converter), ``"local"``, ``"outer"`` (of a
        converted function around it), ``"free"`` or ``"global"``.
        """
        if name.startswith(self.unit.prefix) or any(name in names for names in self._inner):
            return "inner"
        declared = self.declared.get(name)
        if name in self.local and declared in (None, "local"):
            return "local"
        if declared == "global":
            return "global"
        scope = self.parent
        while scope is not None:
            if scope.declared.get(name) == "global":
                return "global"
            if name in scope.local or any(name in names for names in scope._inner):
                return "outer"
            if scope.parent is None:
                break
            scope = scope.parent
        root = scope or self
        return "free" if mangled(name, self.owner) in root.free else "global"

    def is_sure(self, name: str) -> bool:
        """Whether a name of a converted function around is bound at the definition of this one."""
        scope = self.parent
        while scope is not None:
            if name in scope.local:
                return scope.bound is None or name in scope.bound
            scope = scope.parent
        return True

    def private(self, name: str) -> str:
        """A name as the code object has it."""
        return mangled(name, self.owner)

    def outside(self, name: str, value: Any, at: Where) -> list[ast.expr]:
        """The arguments of a hook for a name from outside: which one, a value, and its cell."""
        kind, line = self.kind(name), at["lineno"] + self.unit.offset
        root = Root(self.private(name), "local" if kind == "outer" else kind, line, self.function)
        found = [constant(self.unit.key(root), at)]
        if value is not None:
            found.append(value)
        return found if kind == "global" else [*found, lambda_(load(name, at), (), at)]

    def site(
        self,
        kind: str,
        at: Where,
        names: tuple[str, ...] = (),
        flag: str = "",
        written: tuple[str, ...] = (),
    ) -> ast.expr:
        """A constant for a place where control flow may be staged."""
        private = tuple([self.private(name) for name in names])
        line = at["lineno"] + self.unit.offset
        places = tuple([self.private(name) for name in written])
        site = Site(kind, private, self.unit.file, line, self.function, flag, places)
        return constant(self.unit.key(site), at)
