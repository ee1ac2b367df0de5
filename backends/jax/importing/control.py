"""Calls, branches and loops as region ops, and functions with derivatives of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from plait.backends.jax.importing.opaque import apply_equation
from plait.backends.jax.importing.rules import (
    Lacking,
    Site,
    issubdtype,
    like,
    reshape,
    rule,
    stretch,
    type_of_aval,
)
from plait.backends.jax.lowerings.common import shape_struct
from plait.ir import TensorType, ops
from plait.ir.errors import PlaitError
from plait.ir.types import bool_, is_inexact

__all__: list[str] = []

#: How often a function inside its own linearization still has its own derivative: derivatives of
#: higher orders take that of what it computes.
MOST_ORDERS = 3


def types_of(operands: Sequence[Any]) -> list[TensorType]:
    """Types of payloads."""
    return [TensorType(x.dtype, tuple(x.shape)) for x in operands]


def body_of(params: Any) -> tuple[Any, Sequence[Any]]:
    """The jaxpr that a call holds, and its constants."""
    held = next((params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in params), None)
    if held is None:
        raise Lacking
    return (held.jaxpr, held.consts) if hasattr(held, "consts") else (held, ())


@rule("jit", "pjit", "closed_call", "core_call", "core_closed_call", "composite")
def _call(at: Site, *operands: Any) -> Any:
    jaxpr, consts = body_of(at.params)
    return at.inline(jaxpr, consts, operands)


@rule("remat2", "remat", "checkpoint")
def _remat(at: Site, *operands: Any) -> Any:
    jaxpr, consts = body_of(at.params)
    region = at.region("remat", types_of(operands), lambda *xs: at.inline(jaxpr, consts, xs))
    return ops.call(*operands, regions=(region,), name="remat", remat=True)


# Branches.
@rule("cond")
def _cond(at: Site, index: Any, *operands: Any) -> Any:
    return switch(at, index, operands, list(at.params["branches"]))


def switch(at: Site, index: Any, operands: Sequence[Any], branches: Sequence[Any]) -> Any:
    """One of several branches, as a chain of choices between two."""
    if len(branches) == 1:
        return at.inline_closed(branches[0], operands)
    if len(branches) == 2:
        other, then = [_branch(at, b, types_of(operands)) for b in branches]
        chosen = index if index.dtype == bool_ else ops.not_equal(index, like(index, 0))
        return ops.cond(chosen, *operands, regions=(then, other))
    given = (index, *operands)
    types = types_of(given)

    def rest(index: Any, *xs: Any) -> Any:
        return switch(at, ops.subtract(index, like(index, 1)), xs, branches[1:])

    first = at.region("branch", types, lambda _, *xs: at.inline_closed(branches[0], xs))
    others = at.region("branches", types, rest)
    is_first = ops.equal(index, like(index, 0))
    return ops.cond(is_first, *given, regions=(first, others))


def _branch(at: Site, branch: Any, types: Sequence[TensorType]) -> Any:
    return at.region("branch", types, lambda *xs: at.inline_closed(branch, xs))


# Loops.
@rule("while")
def _while(at: Site, *operands: Any) -> Any:
    params = at.params
    first, second = params["cond_nconsts"], params["body_nconsts"]
    count = first + second
    types = types_of(operands)

    def going(*xs: Any) -> Any:
        return at.inline_closed(params["cond_jaxpr"], (*xs[:first], *xs[count:]))[0]

    def condition(*xs: Any) -> Any:
        found = going(*xs)
        return [ops.reduce_any(found, axes=tuple(range(found.ndim))) if found.ndim else found]

    def body(*xs: Any) -> Any:
        found = at.inline_closed(params["body_jaxpr"], xs[first:])
        if not params["cond_jaxpr"].out_avals[0].shape:
            return found
        return kept_rows(going(*xs), found, xs[count:])

    regions = (at.region("condition", types, condition), at.region("body", types, body))
    return ops.while_(*operands, regions=regions, num_consts=int(count))


def kept_rows(going: Any, found: Sequence[Any], before: Sequence[Any]) -> list[Any]:
    """Of a loop over many rows: new values of the rows that go on, which are the first axes."""
    made = []
    for new, old in zip(found, before, strict=True):
        spread = reshape(going, (*going.shape, *[1] * (new.ndim - going.ndim)))
        made.append(ops.select(stretch(spread, new.shape), new, old))
    return made


@rule("scan")
def _scan(at: Site, *operands: Any) -> Any:
    params = at.params
    consts, carry = scan_counts(params)
    types = types_of(operands)
    slices = [t.with_shape(t.shape[1:]) for t in types[consts + carry :]]
    region = at.region(
        "body",
        [*types[: consts + carry], *slices],
        lambda *xs: at.inline_closed(params["jaxpr"], xs),
    )
    return ops.scan(
        *operands,
        regions=(region,),
        num_consts=consts,
        num_carry=carry,
        length=int(params["length"]),
        reverse=bool(params["reverse"]),
    )


def scan_counts(params: Any) -> tuple[int, int]:
    """How many constants and carry values a scan has, in the forms of either version of jax."""
    if "num_consts" in params:
        return int(params["num_consts"]), int(params["num_carry"])
    consts, carry, _ = params["ft_in"].elts
    return len(consts.vals), len(carry.vals)


@rule("call_hi_primitive")
def _expanded(at: Site, *operands: Any) -> Any:
    """A primitive that says itself what it is made of."""
    expand = getattr(at.params.get("_prim"), "expand", None)
    if expand is None:
        raise Lacking
    specs = [shape_struct(v.aval.shape, v.aval.dtype) for v in at.equation.invars]
    try:
        made = jax.make_jaxpr(expand)(*specs)
    except (TypeError, NotImplementedError):
        raise Lacking from None
    return at.inline_closed(made, operands)


# Functions with derivatives of their own.
@rule("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
def _custom(at: Site, *operands: Any) -> Any:
    """Region ``forward`` is jax's linearization at the operands, ``backward`` its transpose.

    Where jax cannot make them, as through a loop of unknown length, the derivative is that of
    what the function computes.
    """
    jaxpr, consts = body_of(at.params)
    types = types_of(operands)
    if at.depth >= MOST_ORDERS or not any(is_inexact(t.dtype) for t in types):
        return at.inline(jaxpr, consts, operands)
    try:
        parts = forward_and_backward(at.equation)
        regions = custom_regions(at, types, (jaxpr, consts), parts)
    except (TypeError, ValueError, NotImplementedError, PlaitError):
        return at.inline(jaxpr, consts, operands)
    name = str(getattr(getattr(jaxpr, "debug_info", None), "func_name", None) or at.name)
    return ops.custom_vjp(*operands, regions=regions, name=name)


def forward_and_backward(equation: Any) -> tuple[Any, Any]:
    """The closed jaxprs of an equation's linearization and of its transpose, on jax's values."""
    function = apply_equation(equation)
    inputs = [shape_struct(v.aval.shape, v.aval.dtype) for v in equation.invars]
    smooth_in = [i for i, x in enumerate(inputs) if _is_smooth(x.dtype)]
    trees: list[Any] = []

    def forward(*xs: Any) -> Any:
        def inner(*changing: Any) -> Any:
            given = list(xs)
            for i, x in zip(smooth_in, changing, strict=True):
                given[i] = x
            return tuple(function(*given))

        results, pull = jax.vjp(inner, *[xs[i] for i in smooth_in])
        leaves, tree = jax.tree_util.tree_flatten(pull)
        trees.append(tree)
        return results, leaves

    make = jax.make_jaxpr(forward, return_shape=True)
    made, (results, residuals) = make(*inputs)
    tree = trees[-1]

    def backward(held: Any, cotangents: Any) -> Any:
        given, left = [], iter(cotangents)
        for r in results:
            smooth = _is_smooth(r.dtype)
            given.append(next(left) if smooth else np.zeros(r.shape, jax.dtypes.float0))
        return jax.tree_util.tree_unflatten(tree, held)(tuple(given))

    smooth_out = [r for r in results if _is_smooth(r.dtype)]
    return made, jax.make_jaxpr(backward)(residuals, smooth_out)


def _is_smooth(dtype: Any) -> bool:
    return bool(issubdtype(dtype, np.inexact))


def custom_regions(
    at: Site, types: Sequence[TensorType], primal: Any, parts: tuple[Any, Any]
) -> tuple[Any, Any, Any]:
    """The regions of ``custom_vjp``."""
    forward, backward = parts
    jaxpr, consts = primal
    given = [type_of_aval(v.aval) for v in backward.jaxpr.invars]
    return (
        at.region("primal", types, lambda *xs: at.inline(jaxpr, consts, xs)),
        at.region("forward", types, lambda *xs: at.deeper(forward, xs)),
        at.region("backward", given, lambda *xs: at.inline_closed(backward, xs)),
    )
