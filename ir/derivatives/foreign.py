"""The derivative of another framework's code: that framework's, as code of the same kind."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import Application, define_vjp
from plait.ir.errors import GraphError
from plait.ir.host import MissingFunction
from plait.ir.types import is_inexact

__all__: list[str] = []


@define_vjp(ops.foreign)
def _foreign(at: Application, *gs: Any) -> tuple[Any, ...]:
    function = at.attributes["function"]
    if isinstance(function, MissingFunction):
        raise GraphError(f"the derivative of {function.name!r}, which is not there, is not known")
    needs = tuple([n and is_inexact(x.dtype) for n, x in zip(at.needs, at.operands, strict=True)])
    given = tuple([g is not None for g in gs])
    if True not in needs or True not in given:
        return (None,) * len(needs)
    back = function.pullback(needs, given)
    operands = (*at.operands, *[g for g in gs if g is not None])
    found = iter(ops.foreign(*operands, function=back, result_types=back.result_types))
    return tuple([next(found) if need else None for need in needs])
