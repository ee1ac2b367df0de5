"""Batching of another framework's code: by that framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plait.ir import ops
from plait.ir.batching.define import Batched, define_batch, front_if_batched
from plait.ir.errors import GraphError, ShapeError
from plait.ir.host import MissingFunction
from plait.ir.types import Dimension

__all__: list[str] = []


@define_batch(ops.foreign)
def _foreign(
    operands: Sequence[Any],
    dims: Sequence[int | None],
    size: Dimension,
    attributes: Mapping[str, Any],
) -> Batched:
    function = attributes["function"]
    if isinstance(function, MissingFunction):
        raise GraphError(f"{function.name!r} is not there, and cannot be applied to many rows")
    if type(size) is not int:
        raise ShapeError(f"foreign: the number of rows must be known, got {size}")
    rows = function.batched(tuple([d is not None for d in dims]), size)
    found = ops.foreign(
        *front_if_batched(operands, dims), function=rows, result_types=rows.result_types
    )
    return found, (0,) * len(found)
