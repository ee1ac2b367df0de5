"""Control flow with regions: cond, while, scan and call. Regions are closed graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, GraphError, PlaitError, ShapeError
from plait.ir.graph import Graph
from plait.ir.interpret import Steps, register_region_steps
from plait.ir.op import Op, Trait, register
from plait.ir.types import Dim, Dimension, TensorType, Type, bool_

__all__ = ["call", "cond", "scan", "while_"]

FAMILY = "control"
SCALAR_BOOL = TensorType(bool_, ())
Types = tuple[Type, ...]


def check_regions(name: str, regions: Sequence[Graph], roles: Sequence[str]) -> None:
    """Demand one region for each role."""
    if len(regions) != len(roles):
        raise GraphError(
            f"{name}: expected {len(roles)} region(s) ({', '.join(roles)}), got {len(regions)}"
        )


def check_types(what: str, found: Types, wanted: Types, source: str) -> None:
    """Demand equal types, position by position; ``source`` says where ``wanted`` comes from."""
    if len(found) != len(wanted):
        raise ShapeError(f"{what}s: expected {len(wanted)} as {source}, found {len(found)}")
    for i, (f, w) in enumerate(zip(found, wanted, strict=True)):
        if f != w:
            raise _mismatch(f, w)(f"{what} {i} is {f}, but {source} {i} is {w}")


def _mismatch(found: Type, wanted: Type) -> type[PlaitError]:
    """ShapeError when only the shapes differ, else DTypeError."""
    if isinstance(found, TensorType) and isinstance(wanted, TensorType):
        return ShapeError if found.dtype == wanted.dtype else DTypeError
    return DTypeError


def check_scalar_bool(what: str, found: Type) -> None:
    """Demand a 0-d bool."""
    if found != SCALAR_BOOL:
        raise _mismatch(found, SCALAR_BOOL)(f"{what} must be bool[], found {found}")


def check_count(name: str, attribute: str, value: int, limit: int) -> None:
    """Demand that an attribute counts operands that are there."""
    if type(value) is not int or not 0 <= value <= limit:
        raise ShapeError(f"{name}: {attribute} must be from 0 to {limit} operands, got {value!r}")


def infer_cond(*types: Type, regions: Sequence[Graph]) -> Types:
    """The output types of both regions, which take the operands after the predicate."""
    roles = ("then", "else")
    check_regions("cond", regions, roles)
    if not types:
        raise ShapeError("cond: expected a predicate as operand 0, got no operands")
    check_scalar_bool("cond: operand 0 (the predicate)", types[0])
    for role, region in zip(roles, regions, strict=True):
        check_types(f"cond: region {role!r}: input", region.input_types, types[1:], "operand")
    then, other = (r.output_types for r in regions)
    check_types("cond: region 'else': output", other, then, "output of region 'then'")
    return then


def _cond(pred: Any, *operands: Any, regions: Sequence[Graph]) -> Steps:
    return (yield regions[0] if pred else regions[1], operands)


cond = register(
    Op(
        name="cond",
        family=FAMILY,
        doc="then(*operands) if pred else else(*operands)",
        infer=infer_cond,
        reference=register_region_steps("cond", _cond),
        traits=frozenset((Trait.REGION,)),
    )
)


def infer_while(
    *types: Type, regions: Sequence[Graph], num_consts: int, bound: int | None = None
) -> Types:
    """The types of the carry: the operands after the ``num_consts`` constants.

    ``bound`` is a promise: the loop makes no more trips than that. It does not stop there.
    """
    check_regions("while", regions, ("condition", "body"))
    check_count("while", "num_consts", num_consts, len(types))
    if bound is not None and (type(bound) is not int or bound < 0):
        raise ShapeError(f"while: bound must be a number of trips or None, got {bound!r}")
    condition, body = regions
    check_types("while: region 'condition': input", condition.input_types, types, "operand")
    if len(condition.outputs) != 1:
        raise ShapeError(
            f"while: region 'condition' must have one output, found {len(condition.outputs)}"
        )
    check_scalar_bool("while: region 'condition': output 0", condition.output_types[0])
    check_types("while: region 'body': input", body.input_types, types, "operand")
    carry = types[num_consts:]
    check_types("while: region 'body': output", body.output_types, carry, "carry")
    return carry


def _while(
    *operands: Any, regions: Sequence[Graph], num_consts: int, bound: int | None = None
) -> Steps:
    condition, body = regions
    consts, carry = operands[:num_consts], list(operands[num_consts:])
    while True:
        (go_on,) = yield condition, [*consts, *carry]
        if not go_on:
            return carry
        carry = yield body, [*consts, *carry]


while_ = register(
    Op(
        name="while",
        family=FAMILY,
        doc="carry = body(*consts, *carry) as long as condition(*consts, *carry)",
        infer=infer_while,
        reference=register_region_steps("while", _while),
        traits=frozenset((Trait.REGION,)),
    )
)


def infer_scan(
    *types: Type,
    regions: Sequence[Graph],
    num_consts: int,
    num_carry: int,
    length: Dimension,
    reverse: bool = False,
) -> Types:
    """The types of the carry, then those of the body's further outputs, stacked.

    Operands are ``num_consts`` constants, ``num_carry`` carry values, and arrays of leading size
    ``length`` that are scanned over, from the last slice to the first with ``reverse``.
    """
    check_regions("scan", regions, ("body",))
    check_count("scan", "num_consts", num_consts, len(types))
    check_count("scan", "num_carry", num_carry, len(types) - num_consts)
    if type(length) is not Dim and (type(length) is not int or length < 0):
        raise ShapeError(f"scan: length must be a size of 0 or more, got {length!r}")
    (body,) = regions
    first = num_consts + num_carry
    slices = tuple([_slice_type(t, i, length) for i, t in enumerate(types[first:], first)])
    inputs = (*types[:first], *slices)
    check_types("scan: region 'body': input", body.input_types, inputs, "operand or slice")
    carry, outputs = types[num_consts:first], body.output_types
    if len(outputs) < num_carry:
        raise ShapeError(
            f"scan: region 'body' must give the {num_carry} carry value(s) first, "
            f"found {len(outputs)} output(s)"
        )
    check_types("scan: region 'body': output", outputs[:num_carry], carry, "carry")
    stacked = [_stacked_type(t, i, length) for i, t in enumerate(outputs) if i >= num_carry]
    return (*carry, *stacked)


def _slice_type(type_: Type, index: int, length: Dimension) -> TensorType:
    """What the body sees of an operand that is scanned over."""
    if type(type_) is not TensorType:
        raise DTypeError(f"scan: operand {index} is scanned over: expected a tensor, got {type_}")
    if type_.ndim == 0 or type_.shape[0] != length:
        raise ShapeError(
            f"scan: operand {index} is scanned over: expected leading size {length}, got {type_}"
        )
    return type_.with_shape(type_.shape[1:])


def _stacked_type(type_: Type, index: int, length: Dimension) -> TensorType:
    """The stack of an output of the body that is no carry."""
    if type(type_) is not TensorType:
        raise DTypeError(
            f"scan: region 'body': output {index} is stacked: expected a tensor, got {type_}"
        )
    return type_.with_shape((length, *type_.shape))


def _scan(
    *operands: Any,
    regions: Sequence[Graph],
    num_consts: int,
    num_carry: int,
    length: int,
    reverse: bool = False,
) -> Steps:
    (body,) = regions
    first = num_consts + num_carry
    consts, carry, xs = operands[:num_consts], list(operands[num_consts:first]), operands[first:]
    items: list[Any] = [v.tensor_type for v in body.outputs[num_carry:]]
    stacks = [np.empty((length, *t.shape), t.dtype) for t in items]
    for i in reversed(range(length)) if reverse else range(length):
        found = yield body, [*consts, *carry, *[np.asarray(x[i]) for x in xs]]
        carry = found[:num_carry]
        for stack, y in zip(stacks, found[num_carry:], strict=True):
            stack[i] = y
    return [*carry, *stacks]


scan = register(
    Op(
        name="scan",
        family=FAMILY,
        doc="carry, ys[i] = body(*consts, *carry, xs[i]) for i in range(length)",
        infer=infer_scan,
        reference=register_region_steps("scan", _scan),
        traits=frozenset((Trait.REGION,)),
    )
)


def infer_call(
    *types: Type, regions: Sequence[Graph], name: str = "", remat: bool = False
) -> Types:
    """The callee's output types.

    With ``remat``, a derivative computes the callee again instead of keeping what it needs of it.
    """
    check_regions("call", regions, ("callee",))
    if type(remat) is not bool:
        raise DTypeError(f"call: remat must be True or False, got {remat!r}")
    (callee,) = regions
    check_types("call: region 'callee': input", callee.input_types, types, "operand")
    return callee.output_types


def _call(*operands: Any, regions: Sequence[Graph], name: str = "", remat: bool = False) -> Steps:
    return (yield regions[0], operands)


call = register(
    Op(
        name="call",
        family=FAMILY,
        doc="callee(*operands): a function kept whole, under a name",
        infer=infer_call,
        reference=register_region_steps("call", _call),
        traits=frozenset((Trait.REGION,)),
    )
)
