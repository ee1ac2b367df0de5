"""The derivatives of ops with regions: which class knows them, and what these classes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from plait.ir import dispatch
from plait.ir.autodiff.function import Differentiable
from plait.ir.autodiff.partition import Residual
from plait.ir.graph import Graph
from plait.ir.op import Op, get_op

#: By op, the module and the class.
FUNCTIONS = {
    "call": ("call", "CallFunction"),
    "cond": ("cond", "CondFunction"),
    "custom_vjp": ("call", "CustomFunction"),
    "scan": ("scan", "ScanFunction"),
    "while": ("while_", "WhileFunction"),
}


def region_function(
    op: Op, attributes: Mapping[str, Any], regions: tuple[Graph, ...]
) -> Differentiable:
    """An op with regions as a function that knows its derivatives."""
    return _function(op.name)(attributes, regions)


@cache
def _function(name: str) -> Callable[..., Differentiable]:
    module, made = FUNCTIONS[name]
    found: Callable[..., Differentiable]
    found = getattr(import_module(f"plait.ir.autodiff.{module}"), made)
    return found


class RegionFunction:
    """An op with its attributes and regions.

    Parameters
    ----------
    attributes : mapping of str
    regions : tuple of Graph
    """

    name: str

    def __init__(self, attributes: Mapping[str, Any], regions: tuple[Graph, ...]) -> None:
        self.attributes = attributes
        self.regions = regions

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results, no tape looking on."""
        found: tuple[Any, ...] = dispatch.run_at(
            0, get_op(self.name), operands, self.attributes, self.regions
        )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """What pulls some cotangents back to some operands.

    Attributes
    ----------
    function : Differentiable
        Takes the residuals, then the cotangents.
    residuals : tuple of Residual
        Of the forward function: its operands and results.
    cotangents : tuple of int
        The results whose cotangents it takes.
    operands : tuple of int
        Those whose cotangents it gives.
    """

    function: Differentiable
    residuals: tuple[Residual, ...]
    cotangents: tuple[int, ...]
    operands: tuple[int, ...]


class Kept:
    """The operands and results of a forward function that the way back may read."""

    __slots__ = ("count", "values")

    def __init__(
        self,
        residuals: Sequence[Residual],
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
    ) -> None:
        self.count = len(operands)
        self.values = {
            r: operands[r.index] if r.kind == "input" else results[r.index] for r in residuals
        }

    def pull(self, backward: Backward | None, cotangents: Sequence[Any]) -> Sequence[Any]:
        """The cotangents of the operands; None for zero."""
        found: list[Any] = [None] * self.count
        if backward is not None:
            given = [self.values[r] for r in backward.residuals]
            given += [cotangents[i] for i in backward.cotangents]
            made = dispatch.apply(backward.function, tuple(given))
            for i, cotangent in zip(backward.operands, made, strict=True):
                found[i] = cotangent
        return found


__all__ = ["Backward", "Kept", "RegionFunction", "region_function"]
