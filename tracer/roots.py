"""Where a trace's paths begin: the function, what it is bound to, its static arguments."""

from __future__ import annotations

import builtins
import dis
import functools
import types
from collections.abc import Callable, Sequence
from typing import Any

from plait.ir.location import Location, display_name
from plait.tracer.arguments import LeafSpec
from plait.tracer.converted import convert, is_converted
from plait.tracer.outcome import Break, stop
from plait.tracer.paths import Argument, Attr, Cell, Global, Held, Item, Path
from plait.tracer.provenance import PLAIN, Provenance
from plait.tracer.trusted import is_trusted, is_trusted_module
from plait.tracer.unseen import hidden_argument, hidden_reason, is_fixed, is_hidden, is_made_by_exec

_LOADS = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))
_FREE = frozenset(("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"))
_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD"))


def begin(
    trace: Any, function: Callable[..., Any], leaves: Sequence[LeafSpec], paths: Sequence[str]
) -> None:
    """Register where paths begin, and guard what the function is made of."""
    provenance: Provenance = trace.provenance
    for i, (leaf, text) in enumerate(zip(leaves, paths, strict=True)):
        if leaf.type is None and type(leaf.value.value) not in PLAIN:
            provenance.demand_still(leaf.value.value, text)
            provenance.root(leaf.value.value, Argument(i, text))
    bare = function
    while hasattr(bare, "__wrapped__") or isinstance(bare, types.MethodType):
        bare = bare.__func__ if isinstance(bare, types.MethodType) else bare.__wrapped__
    given(provenance, bare, [leaf.value.value for leaf in leaves if leaf.type is None])
    register(provenance, function)


def register(provenance: Provenance, function: Any) -> None:
    """Register a function or another callable that is traced from the start."""
    reference = getattr(function, "__plait_self__", None)
    if reference is not None:
        provenance.root(reference(), Held(reference(), "self", weak=True))
        given(provenance, function.__wrapped__, [reference()])
        _root(provenance, function.__wrapped__)
    elif isinstance(function, types.MethodType):
        provenance.root(function.__self__, Held(function.__self__, "self", weak=True))
        given(provenance, function.__func__, [function.__self__])
        _root(provenance, function.__func__)
    elif isinstance(function, functools.partial):
        path = Held(function, "partial", weak=True)
        provenance.root(function, path)
        for i, item in enumerate(function.args):
            provenance.read(Item(Attr(path, "args"), i), item)
        for key, item in function.keywords.items():
            provenance.read(Item(Attr(path, "keywords"), key), item)
        register(provenance, function.func)
    elif isinstance(function, types.FunctionType):
        _root(provenance, function)
    elif not isinstance(function, type) and hasattr(function, "__dict__"):
        provenance.root(function, Held(function, "self", weak=True))
        call = getattr(type(function), "__call__")  # noqa: B004, B009
        if isinstance(call, types.FunctionType):
            given(provenance, call, [function])
            _root(provenance, call)


def _root(provenance: Provenance, function: Any) -> None:
    """Register a function that is there before the trace."""
    if isinstance(function, types.FunctionType):
        provenance.root(function, Held(function, function.__name__, weak=True))
    called(provenance, function)


def called(provenance: Provenance, function: Any) -> None:
    """Guard what a function that is about to run names, unless its own code tells.

    A converted function tells of each read; of any other all that its code names is guarded.
    """
    if not isinstance(function, types.FunctionType):
        return
    if is_trusted(function) and not is_made_by_exec(function):
        return
    if provenance.is_known(function):
        return
    path = provenance.path_of(function)
    if path is not None:
        provenance.cells |= set(map(id, function.__closure__ or ()))
        provenance.read_static(Attr(path, "__code__"), function.__code__)
        _defaults(provenance, function, path)
    if not is_converted(convert(function)):
        _demand(provenance, is_hidden(function) and hidden_reason(function))
        with provenance.at(_place(function.__code__)):
            _names(provenance, function, function.__code__)


def given(provenance: Provenance, function: Any, values: Sequence[Any]) -> None:
    """Break the graph where a hidden function is given an outside object to look into."""
    values = [x for x in values if not isinstance(x, type)]
    outside = [x for x in values if provenance.path_of(x) is not None]
    if outside and is_hidden(function):
        _demand(provenance, hidden_argument(function, outside))


def _demand(provenance: Provenance, reason: str | bool | None) -> None:
    """Break the graph for a reason, if there is one."""
    if reason:
        raise stop(provenance.trace, Break(str(reason)))


def _place(code: types.CodeType) -> Location:
    return Location(display_name(code.co_filename), code.co_firstlineno, code.co_name)


def _defaults(provenance: Provenance, function: Any, path: Path) -> None:
    """Guard the defaults of parameters; the last ones have those by position."""
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
    for i, (name, value) in enumerate(zip(names, given, strict=False)):
        where = Item(Attr(path, "__defaults__"), i - len(given))
        where.text = f"{path.text}({name}=)"
        provenance.read_static(where, value)
    for name, value in (function.__kwdefaults__ or {}).items():
        where = Item(Attr(path, "__kwdefaults__"), name)
        where.text = f"{path.text}({name}=)"
        provenance.read_static(where, value)


def _names(provenance: Provenance, function: Any, code: types.CodeType) -> None:
    """Guard the globals and free variables that code loads, with the attributes of modules."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    path: Path | None = None
    value: Any = None
    for step in dis.get_instructions(code):
        name = step.argval
        if step.opname in _LOADS:
            path, value = _global(provenance, function.__globals__, name)
        elif step.opname in _FREE and name in cells:
            path, value = _free(provenance, cells[name], name)
        elif step.opname in _ATTRIBUTES and isinstance(value, types.ModuleType) and path:
            path, value = _attribute(provenance, path, value, name)
        elif step.opname not in ("CACHE", "PRECALL", "PUSH_NULL"):
            path = value = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _names(provenance, function, constant)


def _global(
    provenance: Provenance, namespace: dict[str, Any], name: str
) -> tuple[Path | None, Any]:
    path = Global(namespace, name)
    if name in namespace:
        return path, _static(provenance, path, namespace[name])
    provenance.missing(namespace, name)
    return None, getattr(builtins, name, None)


def _free(provenance: Provenance, cell: Any, name: str) -> tuple[Path | None, Any]:
    try:
        value = cell.cell_contents
    except ValueError:
        return None, None
    path = Cell(cell, name)
    return path, _static(provenance, path, value)


def _attribute(
    provenance: Provenance, parent: Path, module: Any, name: str
) -> tuple[Path | None, Any]:
    if is_trusted_module(module) or not hasattr(module, name):
        return None, None
    path = Attr(parent, name)
    return path, _static(provenance, path, getattr(module, name))


def _static(provenance: Provenance, path: Path, value: Any) -> Any:
    """Guard a value that code reads without telling; what it holds is guarded, too."""
    provenance.read_static(path, value)
    is_own = isinstance(value, types.FunctionType) and not is_fixed(value)
    if is_own and not provenance.is_known(value, "natively"):
        provenance.read_static(Attr(path, "__code__"), value.__code__)
        _defaults(provenance, value, path)
        _names(provenance, value, value.__code__)
    return value


__all__ = ["begin", "called", "register"]
