"""Reductions, running reductions, orders and products as ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.backends.jax.importing.rules import (
    RULES,
    Lacking,
    Site,
    cast,
    full,
    ints,
    known,
    like,
    rule,
    stretch,
    transpose,
)
from plait.ir import Op, ops
from plait.ir.types import is_bool, is_complex, is_floating

__all__: list[str] = []


def limit(dtype: Any, kind: str) -> Any:
    """The identity of a maximum or minimum."""
    if is_bool(dtype):
        return kind == "min"
    if is_floating(dtype):
        return -np.inf if kind == "max" else np.inf
    bounds = np.iinfo(dtype)
    return bounds.min if kind == "max" else bounds.max


def _extreme(op: Op, kind: str) -> Callable[..., Any]:
    def translate(at: Site, x: Any) -> Any:
        if 0 in x.shape and not is_complex(x.dtype):
            return full(x.dtype, limit(x.dtype, kind), at.result.shape)
        return op(x, axes=_axes(at))

    return translate


def _axes(at: Site) -> tuple[int, ...]:
    return ints(sorted(at.params["axes"]))


RULES["reduce_max"] = _extreme(ops.reduce_max, "max")
RULES["reduce_min"] = _extreme(ops.reduce_min, "min")


@rule("reduce_sum")
def _sum(at: Site, x: Any) -> Any:
    return cast(ops.reduce_sum(cast(x, at.result.dtype), axes=_axes(at)), at.result.dtype)


@rule("reduce_prod")
def _prod(at: Site, x: Any) -> Any:
    return ops.reduce_prod(x, axes=_axes(at))


@rule("reduce_and")
def _all(at: Site, x: Any) -> Any:
    return ops.reduce_all(x, axes=_axes(at))


@rule("reduce_or")
def _any(at: Site, x: Any) -> Any:
    return ops.reduce_any(x, axes=_axes(at))


@rule("reduce_xor")
def _parity(at: Site, x: Any) -> Any:
    if not is_bool(x.dtype):
        raise Lacking
    count = ops.reduce_sum(cast(x, np.dtype(np.int32)), axes=_axes(at))
    return cast(ops.bitwise_and(count, like(count, 1)), x.dtype)


#: Combiners of a general reduction: the op that reduces, and the one of two elements.
COMBINERS: dict[str, tuple[Op, Op]] = {
    "add": (ops.reduce_sum, ops.add),
    "mul": (ops.reduce_prod, ops.multiply),
    "max": (ops.reduce_max, ops.maximum),
    "min": (ops.reduce_min, ops.minimum),
    "and": (ops.reduce_all, ops.logical_and),
    "or": (ops.reduce_any, ops.logical_or),
}


def combiner(jaxpr: Any) -> str:
    """The name of the one primitive that a jaxpr of two numbers applies to them."""
    if len(jaxpr.eqns) != 1 or len(jaxpr.invars) != 2:
        raise Lacking
    (equation,) = jaxpr.eqns
    if set(equation.invars) != set(jaxpr.invars) or jaxpr.outvars != equation.outvars:
        raise Lacking
    name: str = equation.primitive.name
    return name


@rule("reduce")
def _reduce(at: Site, *operands: Any) -> Any:
    if len(operands) != 2:
        raise Lacking
    name = combiner(at.params["jaxpr"])
    if name not in COMBINERS or 0 in operands[0].shape:
        raise Lacking
    whole, pair = COMBINERS[name]
    found = whole(operands[0], axes=ints(sorted(at.params["dimensions"])))
    return pair(found, stretch(operands[1], found.shape))


def _arg(op: Op) -> Callable[..., Any]:
    def translate(at: Site, x: Any) -> Any:
        (axis,) = at.params["axes"]
        return cast(op(x, axis=int(axis)), at.result.dtype)

    return translate


RULES["argmax"], RULES["argmin"] = _arg(ops.argmax), _arg(ops.argmin)


def _running(op: Op) -> Callable[..., Any]:
    def translate(at: Site, x: Any) -> Any:
        return op(x, axis=int(at.params["axis"]), reverse=bool(at.params["reverse"]))

    return translate


for _name in ("cumsum", "cumprod", "cummax", "cummin"):
    RULES[_name] = _running(getattr(ops, _name))


# Orders.
@rule("sort")
def _sort(at: Site, *operands: Any) -> Any:
    axis = int(at.params["dimension"])
    keys = [part for x in operands[: at.params["num_keys"]] for part in key_parts(x)]
    if len(operands) == 1 and len(keys) == 1:
        return ops.sort(operands[0], axis=axis)
    order = None
    for key in reversed(keys):
        if order is None:
            order = ops.argsort(key, axis=axis)
        else:
            order = taken(order, ops.argsort(taken(key, order, axis), axis=axis), axis)
    return [taken(x, order, axis) for x in operands]


def key_parts(x: Any) -> tuple[Any, ...]:
    """What orders elements, the most important first."""
    return (ops.real(x), ops.imag(x)) if is_complex(x.dtype) else (x,)


def taken(x: Any, order: Any, axis: int) -> Any:
    """The elements at positions along an axis."""
    last = [*[a for a in range(x.ndim) if a != axis], axis]
    back = tuple(np.argsort(last).tolist())
    moved, places = transpose(x, last), transpose(order, last)
    found = ops.gather(moved, places, axes=(x.ndim - 1,), batch=x.ndim - 1)
    return transpose(found, back)


@rule("top_k")
def _top_k(at: Site, x: Any) -> Any:
    axis = at.params.get("axis", -1) % x.ndim
    order = [*[a for a in range(x.ndim) if a != axis], axis]
    values, places = ops.top_k(transpose(x, order), k=int(at.params["k"]))
    back = tuple(np.argsort(order).tolist())
    places = cast(places, at.results[1].dtype)
    return transpose(values, back), transpose(places, back)


# Products.
@rule("dot_general")
def _dot_general(at: Site, x: Any, y: Any) -> Any:
    contracting, batch = at.params["dimension_numbers"]
    wanted = at.result.dtype
    wide = np.promote_types(np.promote_types(x.dtype, y.dtype), wanted)
    x, y = cast(x, wide), cast(y, wide)
    numbers: Sequence[Any] = (contracting, batch)
    (c0, c1), (b0, b1) = [[ints(axes) for axes in pair] for pair in numbers]
    return cast(ops.dot_general(x, y, contracting=(c0, c1), batch=(b0, b1)), wanted)


def is_number(x: Any, number: Any) -> bool:
    """Whether a payload is known to be a number everywhere."""
    value = known(x)
    return value is not None and bool(np.all(value == number))
