"""How derivative rules are written: as pullbacks, or as one partial derivative for each operand.

A rule gives the cotangents of an op's operands for those of its results (a vector-Jacobian product,
VJP). It calls the strict emitters of ``plait.ir.ops`` only, so that it serves arrays, graphs and
every higher order. It is linear in the cotangents, through ops whose own rules do not need the
values of these: forward mode transposes it.

Complex numbers: a rule transposes and does not conjugate, as in JAX. The cotangent ``g`` of ``z``
pairs with a change ``dz`` as ``real(g * dz)``; the gradient of a real function of ``u + iv`` is
``df/du - i df/dv``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from plait.ir import dispatch, ops
from plait.ir.literal import Literal
from plait.ir.op import Op, set_vjp, without_gradient
from plait.ir.types import DType

__all__ = [
    "Application",
    "Partial",
    "Rule",
    "define_vjp",
    "like",
    "literal",
    "no_gradient",
    "on_arrays",
    "partials",
    "scalar",
]


@dataclass(slots=True, eq=False)
class Application:
    """One application of an op, as its rule sees it.

    Attributes
    ----------
    operands, results : tuple of payload
    attributes : mapping of str
        Those that were given; defaults may be left out.
    needs : tuple of bool
        For each operand, whether its cotangent is asked for.
    """

    operands: tuple[Any, ...]
    results: tuple[Any, ...]
    attributes: Mapping[str, Any]
    needs: tuple[bool, ...]


#: ``rule(application, *cotangents)``: one cotangent for each operand, of its dtype and shape, or
#: None: zero, not asked for, or not differentiable. Of several results' cotangents, some may be
#: None: zero.
Rule = Callable[..., tuple[Any, ...]]
#: ``partial(g, result, *operands, **attributes)``: the cotangent of one operand.
Partial = Callable[..., Any]


def define_vjp(*made: Op) -> Callable[[Rule], Rule]:
    """Make the decorated function the rule of some ops."""

    def decorate(rule: Rule) -> Rule:
        for op in made:
            set_vjp(op, rule)
        return rule

    return decorate


def no_gradient(*made: Op) -> None:
    """Declare that the results of some ops do not depend smoothly on the operands.

    They are piecewise constant, integers, or made by code that cannot be differentiated.
    """
    for op in made:
        set_vjp(op, without_gradient)


def partials(op: Op, *functions: Partial | None) -> None:
    """Define the rule of an op with one result by a function for each operand.

    Parameters
    ----------
    op : Op
    *functions : callable or None
        Called as ``f(g, result, *operands, **attributes)`` when the cotangent of that operand is
        asked for; None for an operand without derivative.
    """
    make: Callable[..., Rule] = _many
    if len(functions) < 3:
        make = _one if len(functions) == 1 else _two
    rule: Any = make(*functions)
    rule.partials = functions  # a way back on arrays alone calls them at once
    set_vjp(op, rule)


class _Ufuncs:
    """``plait.ir.ops`` with NumPy's ufuncs for the ops that are exactly these."""

    def __getattr__(self, name: str) -> Any:
        op = getattr(ops, name)
        found = op.reference if isinstance(getattr(op, "reference", None), np.ufunc) else op
        setattr(self, name, found)
        return found


_UFUNCS = _Ufuncs()


@cache
def _scope(module: str) -> dict[str, Any]:
    return {**vars(sys.modules[module]), "ops": _UFUNCS}


def on_arrays(f: Partial) -> Partial:
    """The same function for ndarrays alone: its ops that are ufuncs are called at once."""
    if not isinstance(f, FunctionType) or f.__globals__.get("ops") is not ops:
        return f
    module = sys.modules.get(f.__module__ or "")
    known = module is not None and vars(module) is f.__globals__
    scope = _scope(f.__module__) if known else {**f.__globals__, "ops": _UFUNCS}
    made = FunctionType(f.__code__, scope, f.__name__, f.__defaults__, f.__closure__)
    made.__kwdefaults__ = f.__kwdefaults__
    return made


def _one(f: Any) -> Rule:
    def rule(at: Application, g: Any) -> tuple[Any, ...]:
        return (f(g, at.results[0], at.operands[0], **at.attributes),)

    return rule


def _two(f: Any, h: Any) -> Rule:
    def rule(at: Application, g: Any) -> tuple[Any, ...]:
        (result,), (x, y), (first, second) = at.results, at.operands, at.needs
        return (
            f(g, result, x, y, **at.attributes) if first and f else None,
            h(g, result, x, y, **at.attributes) if second and h else None,
        )

    return rule


def _many(*functions: Any) -> Rule:
    def rule(at: Application, g: Any) -> tuple[Any, ...]:
        given = (g, at.results[0], *at.operands)
        pairs = zip(functions, at.needs, strict=True)
        return tuple([f(*given, **at.attributes) if f and need else None for f, need in pairs])

    return rule


@cache
def literal(dtype: DType, number: Any) -> Literal:
    """A 0-d number of a dtype, as an attribute."""
    return Literal(np.asarray(number, dtype))


def like(x: Any, number: Any) -> Any:
    """A number everywhere, in the dtype and shape of a payload."""
    if type(x) is np.ndarray and not dispatch.depth():
        made = np.empty(x.shape, x.dtype)
        made.fill(number)
        return made
    return ops.full(value=literal(x.dtype, number), shape=x.shape)


def scalar(dtype: DType, number: Any) -> Any:
    """A 0-d number of a dtype."""
    return ops.full(value=literal(dtype, number), shape=())
