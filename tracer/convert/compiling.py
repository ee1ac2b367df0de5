"""Compiles a definition as it stood in its file, without running what is around it."""

from __future__ import annotations
import __future__

import ast
from dis import get_instructions, hasjabs, hasjrel
from types import CodeType
from typing import Any

from plait.tracer.convert.expressions import MARK
from plait.tracer.convert.nodes import Where, assign, constant, rebuilt, where

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag

_JUMPS = frozenset((*hasjabs, *hasjrel))
_NEUTRAL = {"LOAD_METHOD": "LOAD_ATTR"}
_FILLERS = frozenset(("PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG", "NOP"))

_WRAPPER = "plait_wrapper"
#: A class of this name mangles nothing.
_NO_CLASS = "_"
_AT: Where = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


def class_of(code: CodeType) -> str:
    """The class whose private names a function sees; empty when there is none."""
    parts = code.co_qualname.split(".")
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] != "<locals>" and parts[index + 1] != "<locals>":
            return parts[index]
    return ""


def compiled(node: Any, code: CodeType) -> CodeType:
    """The code object of a definition, in the place of ``code``: its class and free variables.

    Its qualified name, and those of what is in it, are still to be set: see ``finished``.
    """
    stripped = _stripped(node)
    owner = class_of(code)
    statement = ast.Expr(stripped, **where(node)) if isinstance(node, ast.Lambda) else stripped
    cls = ast.ClassDef(
        name=owner or _NO_CLASS,
        bases=[],
        keywords=[],
        body=[statement],
        decorator_list=[],
        **_type_parameters(),
        **_AT,
    )
    free: list[ast.stmt] = [
        assign(name, constant(None, _AT), _AT) for name in code.co_freevars if name != "__class__"
    ]
    if owner and owner not in code.co_freevars:  # where a method names its own class
        free.append(ast.Global([owner], **_AT))
    wrapper = ast.FunctionDef(
        name=_WRAPPER,
        args=ast.arguments(
            posonlyargs=[],
            args=[],
            vararg=None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=[],
        ),
        body=[*free, cls],
        decorator_list=[],
        returns=None,
        **_type_parameters(),
        **_AT,
    )
    module = ast.Module([wrapper], [])
    flags = code.co_flags & _FUTURE
    made = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    return _inner(_inner(_inner(made, _WRAPPER), cls.name), code.co_name)


def _type_parameters() -> Any:
    return {"type_params": []} if "type_params" in ast.ClassDef._fields else {}


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def _stripped(node: Any) -> Any:
    """A definition without what is evaluated outside of it; its decorators keep its first line."""
    nothing = [constant(None, where(d)) for d in node.args.defaults]
    keyword = [None if d is None else constant(None, where(d)) for d in node.args.kw_defaults]
    arguments = rebuilt(node.args, {"defaults": nothing, "kw_defaults": keyword})
    for kind in ("posonlyargs", "args", "kwonlyargs"):
        bare = [_unannotated(argument) for argument in getattr(arguments, kind)]
        arguments = rebuilt(arguments, {kind: bare})
    for kind in ("vararg", "kwarg"):
        argument = getattr(arguments, kind)
        if argument is not None:
            arguments = rebuilt(arguments, {kind: _unannotated(argument)})
    if isinstance(node, ast.Lambda):
        return rebuilt(node, {"args": arguments})
    decorators = [constant(None, where(d)) for d in node.decorator_list]
    changed = {"args": arguments, "decorator_list": decorators, "returns": None}
    if getattr(node, "type_params", None):
        changed["type_params"] = []
    return rebuilt(node, changed)


def _unannotated(argument: Any) -> Any:
    return argument if argument.annotation is None else rebuilt(argument, {"annotation": None})


# Comparing.


def is_same(theirs: CodeType, ours: CodeType) -> bool:
    """Whether a code object is of the source that ``ours`` was compiled from."""
    same = theirs.co_code == ours.co_code and theirs.co_names == ours.co_names
    if same or _steps(theirs) == _steps(ours):
        return _same_names(theirs, ours) and _same_constants(theirs, ours)
    return _is_rewritten(theirs) and _may_be_rewritten(theirs, ours)


def _steps(code: CodeType) -> list[Any]:
    """The instructions without what depends on the module around a function.

    Python calls an attribute of an imported name otherwise than one of another name.
    """
    return [
        (_NEUTRAL.get(step.opname, step.opname), None if step.opcode in _JUMPS else step.argval)
        for step in get_instructions(code)
        if step.opname not in _FILLERS and not isinstance(step.argval, CodeType)
    ]


def _same_names(theirs: CodeType, ours: CodeType) -> bool:
    return theirs.co_varnames == ours.co_varnames and theirs.co_freevars == ours.co_freevars


def _same_constants(theirs: CodeType, ours: CodeType) -> bool:
    if len(theirs.co_consts) != len(ours.co_consts):
        return False
    for a, b in zip(theirs.co_consts, ours.co_consts, strict=True):
        if isinstance(a, CodeType) and isinstance(b, CodeType):
            if not is_same(a, b):
                return False
        elif type(a) is not type(b) or (repr(a) != repr(b) and not _is_qualname(b)):
            return False
    return True


def _is_qualname(value: Any) -> bool:
    """Whether a constant is the qualified name of a class in what ``compiled`` gives."""
    return isinstance(value, str) and value.startswith(f"{_WRAPPER}.<locals>.")


def _is_rewritten(code: CodeType) -> bool:
    """Whether pytest has rewritten a function's asserts, or those of one inside of it."""
    if any(name.startswith("@py") for name in (*code.co_names, *code.co_varnames)):
        return True
    return any(_is_rewritten(c) for c in code.co_consts if isinstance(c, CodeType))


def _may_be_rewritten(theirs: CodeType, ours: CodeType) -> bool:
    names = {*theirs.co_names, "AssertionError"}
    return (
        names >= {*ours.co_names}
        and {*theirs.co_varnames, *theirs.co_cellvars} >= {*ours.co_varnames, *ours.co_cellvars}
        and theirs.co_freevars == ours.co_freevars
        and theirs.co_argcount == ours.co_argcount
    )


# Finishing.


def finished(
    made: CodeType, original: CodeType, offset: int, constants: dict[str, Any]
) -> tuple[CodeType, list[CodeType]]:
    """A compiled code with its constants, line numbers and names; and all code inside of it."""
    found: list[CodeType] = []
    code = _finished(made, made.co_qualname, original.co_qualname, offset, constants, found)
    return code, found


def _finished(
    code: CodeType,
    prefix: str,
    qualname: str,
    offset: int,
    constants: dict[str, Any],
    found: list[CodeType],
) -> CodeType:
    changed: dict[str, Any] = {"co_qualname": qualname + code.co_qualname[len(prefix) :]}
    consts: list[Any] = []
    for value in code.co_consts:
        if type(value) is str:
            if value.startswith(prefix):  # the qualified name of a class
                value = qualname + value[len(prefix) :]
            consts.append(constants.get(value, value))
        elif type(value) is not CodeType:
            consts.append(value)
        elif MARK in value.co_varnames[: value.co_argcount]:
            inner = _finished(value, prefix, qualname, offset, constants, found)
            outer = changed["co_qualname"]
            consts.append(inner.replace(co_name=code.co_name, co_qualname=outer))
        else:
            consts.append(_finished(value, prefix, qualname, offset, constants, found))
    changed["co_consts"] = tuple(consts)
    made = code.replace(co_firstlineno=code.co_firstlineno + offset, **changed)
    found.append(made)
    return made
