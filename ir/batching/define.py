"""How batching rules are written: an op applied to many rows, which lie along a batch axis.

A rule is ``rule(operands, dims, size, attributes)``. ``dims`` says for each operand which of its
axes holds the ``size`` rows; None for an operand that all rows share. At least one operand has a
batch axis. The rule gives ``(results, dims)``: one payload or a tuple of them, and the batch axis
of each, or None. It calls the strict emitters of ``plait.ir.ops`` only, so that it serves arrays
and graphs, under tapes too.

Rules of ops with regions or effects take two more keywords: ``regions``, and ``mask``, which says
which rows take part (``bool[size]``) or is None. They are called, whatever is batched, where a mask
is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from plait.ir import dispatch, ops
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Value
from plait.ir.op import Op, set_batch
from plait.ir.types import Dimension, TensorType, TokenType, Type

Dims = tuple[int | None, ...]
Batched = tuple[Any, Any]
Rule = Callable[..., Batched]

#: Ops without a rule, and why they need none.
NOT_BATCHED: dict[Op, str] = {}


def define_batch(*made: Op) -> Callable[[Rule], Rule]:
    """Make the decorated function the batching rule of some ops."""

    def decorate(rule: Rule) -> Rule:
        for op in made:
            set_batch(op, rule)
        return rule

    return decorate


def without_rows(op: Op, reason: str) -> None:
    """Declare that an op never meets a batched operand."""
    NOT_BATCHED[op] = reason


# Axes.


def move_axis(x: Any, source: int, target: int) -> Any:
    """The payload with one axis at another place, the others in order."""
    if source == target:
        return x
    order = [a for a in range(x.ndim) if a != source]
    order.insert(target, source)
    return ops.transpose(x, permutation=tuple(order))


def move_to_front(x: Any, dim: int) -> Any:
    """The payload with its batch axis first."""
    return move_axis(x, dim, 0)


def with_batch_axis(x: Any, size: Dimension, dim: int = 0) -> Any:
    """What all rows share, once for each row along a new axis ``dim``."""
    if dim:
        x = ops.reshape(x, shape=(*x.shape[:dim], 1, *x.shape[dim:]))
        return ops.broadcast_to(x, shape=(*x.shape[:dim], size, *x.shape[dim + 1 :]))
    return ops.broadcast_to(x, shape=(size, *x.shape))


def to_axis(x: Any, dim: int | None, size: Dimension, target: int) -> Any:
    """The payload with its batch axis at ``target``; repeated when it has none."""
    return with_batch_axis(x, size, target) if dim is None else move_axis(x, dim, target)


def to_front(x: Any, dim: int | None, size: Dimension) -> Any:
    """The payload with its batch axis first; repeated when it has none."""
    return to_axis(x, dim, size, 0)


def front_if_batched(operands: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    """The payloads, those with a batch axis moved to have it first."""
    return [x if d is None else move_to_front(x, d) for x, d in zip(operands, dims, strict=True)]


def align(
    operands: Sequence[Any], dims: Sequence[int | None], size: Dimension
) -> tuple[list[Any], int]:
    """Payloads of equal rank with their batch axes at one place, which fits the first of them."""
    dim = next(d for d in dims if d is not None)
    return [to_axis(x, d, size, dim) for x, d in zip(operands, dims, strict=True)], dim


def along(x: Any, ndim: int, dim: int) -> Any:
    """A 1-d payload as one of rank ``ndim`` with its elements along axis ``dim``."""
    return ops.reshape(x, shape=(*[1] * dim, x.shape[0], *[1] * (ndim - dim - 1)))


def shifted(axis: int, dim: int) -> int:
    """Where an axis of a row is when the batch axis is ``dim``."""
    return axis + (axis >= dim)


def shifted_axes(axes: Iterable[int], dim: int) -> tuple[int, ...]:
    """Where axes of a row are when the batch axis is ``dim``."""
    return tuple([axis + (axis >= dim) for axis in axes])


def inserted(values: Sequence[Any], dim: int, value: Any) -> tuple[Any, ...]:
    """One entry for each axis of a row, and one for the batch axis."""
    return (*values[:dim], value, *values[dim:])


def without_axes(dim: int, axes: Iterable[int]) -> int:
    """Where the batch axis is when ``axes``, counted in the batched operand, are gone."""
    return dim - sum(axis < dim for axis in axes)


# Values.


def type_of(x: Any) -> Type:
    """The type of a payload."""
    if type(x) is Value:
        return x.type
    return x if isinstance(x, TokenType) else TensorType(x.dtype, tuple(x.shape))


def is_token(x: Any) -> bool:
    """Whether a payload is a token, which no row has for itself."""
    return type(type_of(x)) is TokenType


def scalar(x: Any, number: Any) -> Any:
    """A 0-d number in the dtype of a payload."""
    return np.asarray(number, x.dtype)


def filled(x: Any, number: Any) -> Any:
    """A number everywhere, in the dtype and shape of a payload."""
    return ops.broadcast_to(scalar(x, number), shape=x.shape)


def select_rows(mask: Any, chosen: Any, other: Any, dim: int = 0) -> Any:
    """The rows of ``chosen`` where the mask holds, else those of ``other``."""
    if chosen is other:
        return chosen
    spread = mask
    if chosen.ndim != 1:
        spread = ops.broadcast_to(along(mask, chosen.ndim, dim), shape=chosen.shape)
    return ops.select(spread, chosen, other)


def region_here(name: str, types: Iterable[Type], function: Callable[..., Any]) -> Graph:
    """A graph of what ``function`` applies to its inputs, at the location that is current."""
    around = dispatch.current()
    builder = GraphBuilder(name)
    inputs = [builder.input(t) for t in types]
    with dispatch.suspended(), builder:
        if isinstance(around, GraphBuilder):
            with builder.at(around.location()):
                found = function(*inputs)
        else:
            found = function(*inputs)
        return builder.build(found)


__all__ = [
    "NOT_BATCHED",
    "Batched",
    "Dims",
    "Rule",
    "align",
    "along",
    "define_batch",
    "filled",
    "front_if_batched",
    "inserted",
    "is_token",
    "move_axis",
    "move_to_front",
    "region_here",
    "scalar",
    "select_rows",
    "shifted",
    "shifted_axes",
    "to_axis",
    "to_front",
    "type_of",
    "with_batch_axis",
    "without_axes",
    "without_rows",
]
