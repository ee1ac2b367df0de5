"""Elementwise functions: promote, broadcast, then one strict op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait.ir.functions.payload import (
    as_payload,
    cast,
    dtype_of,
    promote_and_broadcast,
    promote_dtypes,
    to_inexact,
    weak_kind,
)
from plait.ir.op import Op, get_op

__all__ = ["add", "multiply", "tanh"]

Function = Callable[..., Any]


def _document(function: Any, op: Op, name: str, parameters: str, examples: str) -> Function:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Elementwise {op.doc}.\n\n    {parameters}\n\n    Examples\n    --------\n    {examples}\n"
    )
    return function  # type: ignore[no-any-return]


def unary_float(name: str, examples: str) -> Function:
    """A function of one operand that NumPy computes in floating point."""
    op = get_op(name)

    def function(x: Any) -> Any:
        payload = as_payload(x)
        kind = weak_kind(payload)
        dtype = promote_dtypes(kind, float) if kind else to_inexact(dtype_of(payload))
        return op(cast(payload, dtype))

    parameters = (
        "Parameters\n    ----------\n    x : array_like\n        Any numeric dtype and shape; "
        "integers are computed in floating point, as NumPy does."
    )
    return _document(function, op, name, parameters, examples)


def binary(name: str, examples: str) -> Function:
    """A function of two operands of one dtype."""
    op = get_op(name)

    def function(x: Any, y: Any) -> Any:
        return op(*promote_and_broadcast(name, x, y))

    parameters = (
        "Parameters\n    ----------\n    x, y : array_like\n        Shapes that broadcast "
        "together; dtypes are promoted as NumPy does."
    )
    return _document(function, op, name, parameters, examples)


add = binary("add", ">>> pl.add([1, 2], 3)\n    pl.Tensor([4, 5], dtype=int32, shape=(2,))")
multiply = binary("multiply", ">>> pl.multiply(3.0, 3.0)\n    pl.Tensor(9., dtype=float32)")
tanh = unary_float("tanh", ">>> pl.tanh(0.0)\n    pl.Tensor(0., dtype=float32)")
