"""Checks that type rules share: number of operands, equal types, axes in range."""

from __future__ import annotations

from typing import Any

from plait.ir.errors import DTypeError, ShapeError
from plait.ir.types import Shape, TensorType


def check_arity(name: str, types: tuple[Any, ...], count: int) -> None:
    """Demand a number of operands."""
    if len(types) != count:
        raise ShapeError(f"{name}: expected {count} operand(s), got {len(types)}")


def check_tensors(name: str, *types: Any) -> None:
    """Demand operands that are tensors."""
    for t in types:
        if type(t) is not TensorType:
            raise DTypeError(f"{name}: expected tensors, got {t}")


def check_dtypes(name: str, types: tuple[Any, ...]) -> None:
    """Demand tensors of one dtype."""
    check_tensors(name, *types)
    dtype = types[0].dtype
    for t in types:
        if t.dtype is not dtype and t.dtype != dtype:
            raise DTypeError(f"{name}: dtypes differ: {_shown(types)}; cast to one dtype first")


def check_same(name: str, types: tuple[Any, ...]) -> TensorType:
    """Demand tensors of one dtype and one shape; return their type."""
    check_dtypes(name, types)
    first: TensorType = types[0]
    for t in types:
        if t is not first and t.shape != first.shape:
            shown = _shown(types)
            raise ShapeError(f"{name}: shapes differ: {shown}; broadcast to one shape first")
    return first


def _shown(types: tuple[Any, ...]) -> str:
    return " and ".join(str(t) for t in types)


def check_axis(name: str, axis: int, rank: int) -> None:
    """Demand an axis counted from the front, in range."""
    if type(axis) is not int or not 0 <= axis < rank:
        raise ShapeError(f"{name}: axis {axis} is not in the range [0, {rank})")


def check_axes(name: str, axes: tuple[int, ...], rank: int) -> None:
    """Demand different axes counted from the front, in range."""
    for axis in axes:
        check_axis(name, axis, rank)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: axes {tuple(axes)} name an axis twice")


def check_length(name: str, what: str, values: tuple[Any, ...], rank: int) -> None:
    """Demand one number for each axis."""
    if len(values) != rank:
        raise ShapeError(f"{name}: expected {rank} {what}, one for each axis, got {len(values)}")


def size_of(shape: Shape) -> tuple[int, tuple[str, ...]]:
    """The product of a shape's numbers, and its symbolic dimensions in order of name."""
    product, names = 1, []
    for d in shape:
        if type(d) is int:
            product *= d
        else:
            names.append(str(d))
    return product, tuple(sorted(names))
