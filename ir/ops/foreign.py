"""Code of another framework inside a graph: kept whole, where its parts have no ops."""

from __future__ import annotations

from typing import Any, Protocol

from plait.ir.errors import DTypeError
from plait.ir.op import Op, register
from plait.ir.types import TensorType, Type

__all__ = ["ForeignFunction", "foreign"]

FAMILY = "foreign"
Types = tuple[Type, ...]


class ForeignFunction(Protocol):
    """A pure function of arrays that brings along all that an op has.

    Attributes
    ----------
    result_types : tuple of TensorType
    """

    result_types: tuple[TensorType, ...]

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The results, as ndarrays: the reference."""
        ...

    def pullback(self, needs: tuple[bool, ...], given: tuple[bool, ...]) -> ForeignFunction:
        """The function of the operands, then cotangents of the results that are ``given``.

        It gives the cotangents of the floating and complex operands that ``needs`` names.
        """
        ...

    def batched(self, mapped: tuple[bool, ...], size: int) -> ForeignFunction:
        """The function of many rows: along the first axes of the ``mapped`` operands."""
        ...


def infer_foreign(*types: Type, function: Any, result_types: Types) -> Types:
    """The ``result_types``."""
    for i, t in enumerate(types):
        if type(t) is not TensorType:
            raise DTypeError(f"foreign: operand {i}: expected a tensor, got {t}")
    if not callable(function):
        raise DTypeError(f"foreign: function must be callable, got {type(function).__name__}")
    for i, t in enumerate(result_types):
        if type(t) is not TensorType:
            raise DTypeError(f"foreign: result type {i}: expected a tensor type, got {t!r}")
    return tuple(result_types)


def _foreign(*arrays: Any, function: Any, result_types: Types) -> tuple[Any, ...]:
    return tuple(function(*arrays))


foreign = register(
    Op(
        name="foreign",
        family=FAMILY,
        doc="``function`` of another framework on the tensors; it is pure, and knows its own "
        "derivative and batching",
        infer=infer_foreign,
        reference=_foreign,
    )
)
