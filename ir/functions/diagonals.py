"""Diagonals and triangles of matrices, by shapes and masks alone."""

from __future__ import annotations

import operator
from itertools import starmap
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_array, as_int, static_size
from plait.ir.functions.manipulation import moveaxis
from plait.ir.functions.payload import broadcast_to
from plait.ir.types import int32

__all__ = [
    "diag",
    "diagonal",
    "tril",
    "triu",
]


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, as the last axis of the result.

    Parameters
    ----------
    x : array_like
        At least 2-d.
    offset : int, optional
        Above (positive) or below (negative) the main diagonal.
    axis1, axis2 : int, optional
        Rows and columns.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        Fewer than two axes, or twice the same.

    Examples
    --------
    >>> pl.diagonal([[1, 2], [3, 4]])
    pl.Tensor([1, 4], dtype=int32, shape=(2,))
    """
    payload = as_array(x)
    if payload.ndim < 2:
        raise ShapeError(f"diagonal: expected at least 2 axes, got {payload.ndim}")
    payload = moveaxis(payload, (axis1, axis2), (-2, -1))
    *outer, rows, columns = payload.shape
    offset = as_int("diagonal", "offset", offset)
    top, left = max(-offset, 0), max(offset, 0)
    size = max(min(rows - top, columns - left), 0)
    square = _window(payload, (top, left), (size, size))
    flat = ops.reshape(square, shape=(*outer, size * size))
    return _window(flat, (0,), (size * size,), step=size + 1)


def _window(x: Any, starts: tuple[int, ...], sizes: tuple[int, ...], step: int = 1) -> Any:
    """A piece of the last axes."""
    outer = x.ndim - len(starts)
    stops = list(starmap(operator.add, zip(starts, sizes, strict=True)))
    return ops.slice_(
        x,
        starts=((0,) * outer + tuple(s if n else 0 for s, n in zip(starts, sizes, strict=True))),
        stops=(*x.shape[:outer], *[s if n else 0 for s, n in zip(stops, sizes, strict=True)]),
        steps=(1,) * outer + (step,) * len(starts),
    )


def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or a matrix with a vector on its diagonal.

    Parameters
    ----------
    x : array_like
        1-d or 2-d.
    k : int, optional
        Above (positive) or below (negative) the main diagonal.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        Neither 1-d nor 2-d.

    Examples
    --------
    >>> pl.diag([1, 2])
    pl.Tensor([[1, 0],
               [0, 2]], dtype=int32, shape=(2, 2))
    """
    payload = as_array(x)
    if payload.ndim == 2:
        return diagonal(payload, k)
    if payload.ndim != 1:
        raise ShapeError(f"diag: expected 1 or 2 axes, got {payload.ndim}")
    k, size = as_int("diag", "k", k), static_size("diag", payload, 0)
    width = size + abs(k)
    if size == 0:
        return broadcast_to(np.asarray(0, payload.dtype), (width, width))
    # In the flattened matrix the elements stand width + 1 apart.
    first = k if k >= 0 else -k * width
    last = width * width - first - (size - 1) * (width + 1) - 1
    zero = np.asarray(0, payload.dtype)
    flat = ops.pad(payload, zero, low=(first,), high=(last,), interior=(width,))
    return ops.reshape(flat, shape=(width, width))


def triangle_mask(rows: int, columns: int, k: int) -> Any:
    """Booleans: true on and below the k-th diagonal."""
    row = ops.iota(dtype=int32, shape=(rows, columns), axis=0)
    column = ops.iota(dtype=int32, shape=(rows, columns), axis=1)
    offset = broadcast_to(np.asarray(k, int32), (rows, columns))
    return ops.greater_equal(ops.add(row, offset), column)


def _masked(name: str, x: Any, k: int, *, lower: bool) -> Any:
    payload = as_array(x)
    if payload.ndim < 2:
        raise ShapeError(f"{name}: expected at least 2 axes, got {payload.ndim}")
    rows, columns = (static_size(name, payload, axis) for axis in (-2, -1))
    mask = broadcast_to(triangle_mask(rows, columns, k if lower else k - 1), payload.shape)
    zeros = broadcast_to(np.asarray(0, payload.dtype), payload.shape)
    return ops.select(mask, payload, zeros) if lower else ops.select(mask, zeros, payload)


def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle; zeros above the k-th diagonal.

    Parameters
    ----------
    x : array_like
        At least 2-d: the last two axes are a matrix's.
    k : int, optional
        Above (positive) or below (negative) the main diagonal.

    Returns
    -------
    Tensor
        Of the same dtype and shape.

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> pl.tril([[1, 2], [3, 4]])
    pl.Tensor([[1, 0],
               [3, 4]], dtype=int32, shape=(2, 2))
    """
    return _masked("tril", x, as_int("tril", "k", k), lower=True)


def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle; zeros below the k-th diagonal.

    Parameters
    ----------
    x : array_like
        At least 2-d: the last two axes are a matrix's.
    k : int, optional
        Above (positive) or below (negative) the main diagonal.

    Returns
    -------
    Tensor
        Of the same dtype and shape.

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> pl.triu([[1, 2], [3, 4]])
    pl.Tensor([[1, 2],
               [0, 4]], dtype=int32, shape=(2, 2))
    """
    return _masked("triu", x, as_int("triu", "k", k), lower=False)
