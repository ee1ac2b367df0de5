"""A function with a derivative of its own: what runs, and what runs when it is differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.ir.errors import ShapeError
from plait.ir.graph import Graph
from plait.ir.interpret import Steps, register_region_steps
from plait.ir.op import Op, Trait, register
from plait.ir.ops.control import FAMILY, Types, check_regions, check_types
from plait.ir.types import TensorType, Type, is_inexact

__all__ = ["custom_vjp"]

ROLES = ("primal", "forward", "backward")


def with_cotangents(types: Types) -> Types:
    """Those of some types that have cotangents: floating and complex tensors."""
    return tuple([t for t in types if type(t) is TensorType and is_inexact(t.dtype)])


def infer_custom_vjp(*types: Type, regions: Sequence[Graph], name: str = "") -> Types:
    """The output types of region ``primal``.

    Region ``forward`` takes the operands too, and gives the results, then residuals. Region
    ``backward`` takes the residuals, then the cotangents of the floating and complex results; it
    gives those of the floating and complex operands.
    """
    check_regions("custom_vjp", regions, ROLES)
    primal, forward, backward = regions
    for role, region in zip(ROLES, (primal, forward), strict=False):
        check_types(f"custom_vjp: region {role!r}: input", region.input_types, types, "operand")
    results, count = primal.output_types, len(primal.outputs)
    if len(forward.outputs) < count:
        raise ShapeError(
            f"custom_vjp: region 'forward' must give the {count} result(s) first, "
            f"found {len(forward.outputs)} output(s)"
        )
    found, residuals = forward.output_types[:count], forward.output_types[count:]
    check_types("custom_vjp: region 'forward': output", found, results, "output of region 'primal'")
    given = (*residuals, *with_cotangents(results))
    what, source = "custom_vjp: region 'backward'", "residual or cotangent"
    check_types(f"{what}: input", backward.input_types, given, source)
    check_types(f"{what}: output", backward.output_types, with_cotangents(types), "cotangent")
    return results


def _custom_vjp(*operands: Any, regions: Sequence[Graph], name: str = "") -> Steps:
    return (yield regions[0], operands)


custom_vjp = register(
    Op(
        name="custom_vjp",
        family=FAMILY,
        doc="primal(*operands), under a name; its derivative is by forward and backward",
        infer=infer_custom_vjp,
        reference=register_region_steps("custom_vjp", _custom_vjp),
        traits=frozenset((Trait.REGION,)),
    )
)
