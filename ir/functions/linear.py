"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError
from plait.ir.functions.axes import as_array, normalize_axis
from plait.ir.functions.diagonals import diagonal
from plait.ir.functions.elementwise import multiply
from plait.ir.functions.loops import loop_dtypes
from plait.ir.functions.manipulation import moveaxis, ravel
from plait.ir.functions.parts import conj
from plait.ir.functions.payload import as_payload, broadcast_shapes, broadcast_to, cast, weak_kind
from plait.ir.functions.reductions import sum as sum_
from plait.ir.types import is_complex

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matrix_power",
    "outer",
    "tensordot",
    "trace",
    "vdot",
    "vecdot",
]


def _operands(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Payloads of the dtype that NumPy multiplies and adds in."""
    a, b = as_payload(x), as_payload(y)
    kinds = [weak_kind(p) or p.dtype for p in (a, b)]
    dtype = loop_dtypes(name, np.multiply, *kinds)[0]
    return cast(a, dtype), cast(b, dtype)


def matmul(x: Any, y: Any) -> Any:
    """The matrix product, of stacks of matrices as well.

    Parameters
    ----------
    x : array_like
        Shape ``(..., m, k)``, or ``(k,)`` for a row that leaves the result's shape.
    y : array_like
        Shape ``(..., k, n)``, or ``(k,)`` for a column that leaves the result's shape.

    Returns
    -------
    Tensor
        Shape ``(..., m, n)``; leading axes broadcast. float16 and bfloat16 are accumulated in
        float32 and rounded once.

    Raises
    ------
    ShapeError
        A 0-d operand, inner sizes that differ, or leading axes that do not broadcast.

    Examples
    --------
    >>> pl.matmul([[2.]], [[2.]])
    pl.Tensor([[4.]], dtype=float32, shape=(1, 1))
    """
    a, b = _operands("matmul", x, y)
    if a.ndim == 2 == b.ndim:
        return ops.matmul(a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            f"matmul: a 0-d operand has no matrix product (shapes {a.shape} and {b.shape}); "
            "use multiply"
        )
    row, column = a.ndim == 1, b.ndim == 1
    if row:
        a = ops.reshape(a, shape=(1, *a.shape))
    if column:
        b = ops.reshape(b, shape=(*b.shape, 1))
    found = _stacked(a, b)
    if not row and not column:
        return found
    shape = found.shape[: -2 if row else -1] + (() if column else found.shape[-1:])
    return ops.reshape(found, shape=shape)


def _stacked(a: Any, b: Any) -> Any:
    """The product of stacks: one large product where the right one is a single matrix."""
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul: inner sizes differ: shapes {_text(a.shape)} and {_text(b.shape)}, "
            f"{a.shape[-1]} and {b.shape[-2]}"
        )
    if b.ndim == 2 < a.ndim and all(type(d) is int for d in a.shape):
        flat = ops.reshape(a, shape=(math.prod(a.shape[:-1]), a.shape[-1]))
        return ops.reshape(ops.matmul(flat, b), shape=(*a.shape[:-1], b.shape[-1]))
    outer = broadcast_shapes("matmul", a.shape[:-2], b.shape[:-2])
    left, right = (broadcast_to(m, (*outer, *m.shape[-2:])) for m in (a, b))
    return ops.matmul(left, right)


def _text(shape: Any) -> str:
    return f"({', '.join(map(str, shape))})"


def dot(x: Any, y: Any) -> Any:
    """NumPy's dot product: over the last axis of ``x`` and the last but one of ``y``.

    Parameters
    ----------
    x, y : array_like
        A 0-d operand multiplies.

    Returns
    -------
    Tensor
        The other axes of ``x``, then those of ``y``.

    Raises
    ------
    ShapeError
        Sizes that differ.

    Examples
    --------
    >>> pl.dot([1, 2, 3], [4, 5, 6])
    pl.Tensor(32, dtype=int32)
    """
    a, b = _operands("dot", x, y)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    if a.ndim == 2 == b.ndim:
        return matmul(a, b)
    return _contract("dot", a, b, (a.ndim - 1,), (max(b.ndim - 2, 0),))


def inner(x: Any, y: Any) -> Any:
    """The product over the last axes of both.

    Parameters
    ----------
    x, y : array_like
        A 0-d operand multiplies.

    Returns
    -------
    Tensor
        The other axes of ``x``, then those of ``y``.

    Raises
    ------
    ShapeError
        Sizes that differ.

    Examples
    --------
    >>> pl.inner([[1, 2], [3, 4]], [1, 1])
    pl.Tensor([3, 7], dtype=int32, shape=(2,))
    """
    a, b = _operands("inner", x, y)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return _contract("inner", a, b, (a.ndim - 1,), (b.ndim - 1,))


def outer(x: Any, y: Any) -> Any:
    """All products of an element of ``x`` with one of ``y``, both flattened.

    Parameters
    ----------
    x, y : array_like

    Returns
    -------
    Tensor
        2-d.

    Examples
    --------
    >>> pl.outer([1, 2], [3, 4])
    pl.Tensor([[3, 4],
               [6, 8]], dtype=int32, shape=(2, 2))
    """
    a, b = (ravel(p) for p in _operands("outer", x, y))
    return multiply(
        ops.reshape(a, shape=(*a.shape, 1)),
        ops.reshape(b, shape=(1, *b.shape)),
    )


def vdot(x: Any, y: Any) -> Any:
    """The product of two flattened tensors, the first conjugated.

    Parameters
    ----------
    x, y : array_like
        Equal sizes.

    Returns
    -------
    Tensor
        0-d.

    Raises
    ------
    ShapeError
        Sizes that differ.

    Examples
    --------
    >>> pl.vdot([1j, 2], [1j, 3])
    pl.Tensor(7.+0.j, dtype=complex64)
    """
    a, b = (ravel(p) for p in _operands("vdot", x, y))
    return _contract("vdot", _conjugated(a), b, (0,), (0,))


def _conjugated(x: Any) -> Any:
    """The complex conjugate; others, booleans too, as they are."""
    return conj(x) if is_complex(x.dtype) else x


def vecdot(x: Any, y: Any, axis: int = -1) -> Any:
    """The product of vectors along one axis, the first conjugated; other axes broadcast.

    Parameters
    ----------
    x, y : array_like
    axis : int, optional
        Counted in each operand.

    Returns
    -------
    Tensor
        Without the axis.

    Raises
    ------
    ShapeError
        No such axis, or sizes that differ.

    Examples
    --------
    >>> pl.vecdot([[1, 2], [3, 4]], [1, 1])
    pl.Tensor([3, 7], dtype=int32, shape=(2,))
    """
    a, b = (moveaxis(p, axis, -1) for p in _operands("vecdot", x, y))
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"vecdot: sizes {a.shape[-1]} and {b.shape[-1]} along the axis differ")
    shape = broadcast_shapes("vecdot", a.shape, b.shape)
    left, right = (broadcast_to(p, shape) for p in (_conjugated(a), b))
    found = ops.matmul(
        ops.reshape(left, shape=(*shape[:-1], 1, shape[-1])),
        ops.reshape(right, shape=(*shape, 1)),
    )
    return ops.reshape(found, shape=shape[:-1])


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The product over several axes.

    Parameters
    ----------
    x, y : array_like
    axes : int or pair of int or sequence
        How many last axes of ``x`` and first axes of ``y``, or which of each.

    Returns
    -------
    Tensor
        The other axes of ``x``, then those of ``y``.

    Raises
    ------
    ShapeError
        No such axes, or sizes that differ.

    Examples
    --------
    >>> pl.tensordot([[1, 2], [3, 4]], [[1, 0], [0, 1]])
    pl.Tensor(5, dtype=int32)
    """
    a, b = _operands("tensordot", x, y)
    if isinstance(axes, (tuple, list)):
        pair = [
            tuple(
                [
                    normalize_axis("tensordot", i, p.ndim)
                    for i in (given if isinstance(given, (tuple, list)) else (given,))
                ]
            )
            for given, p in zip(axes, (a, b), strict=True)
        ]
        return _contract("tensordot", a, b, pair[0], pair[1])
    count = operator.index(axes)
    if not 0 <= count <= min(a.ndim, b.ndim):
        raise ShapeError(
            f"tensordot: cannot sum over {count} axes of shapes {_text(a.shape)} "
            f"and {_text(b.shape)}"
        )
    return _contract("tensordot", a, b, tuple(range(a.ndim - count, a.ndim)), tuple(range(count)))


def _contract(name: str, a: Any, b: Any, left: tuple[int, ...], right: tuple[int, ...]) -> Any:
    sizes = [a.shape[i] for i in left], [b.shape[i] for i in right]
    if sizes[0] != sizes[1]:
        raise ShapeError(
            f"{name}: axes {left} of shape {_text(a.shape)} and {right} of shape "
            f"{_text(b.shape)} differ in number or size"
        )
    return ops.dot_general(a, b, contracting=(left, right), batch=((), ()))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of a diagonal.

    Parameters
    ----------
    x : array_like
        At least 2-d.
    offset : int, optional
        Above (positive) or below (negative) the main diagonal.
    axis1, axis2 : int, optional
        Rows and columns.
    dtype : dtype or str, optional
        In which to sum; by default as ``sum``.

    Returns
    -------
    Tensor
        Without the two axes.

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> pl.trace([[1., 2.], [3., 4.]])
    pl.Tensor(5., dtype=float32)
    """
    return sum_(diagonal(x, offset, axis1, axis2), axis=-1, dtype=dtype)


def cross(
    x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of three components.

    Parameters
    ----------
    x, y : array_like
        Dtypes are promoted; the other axes broadcast.
    axisa, axisb, axisc : int, optional
        The axes of the components in ``x``, ``y`` and the result.
    axis : int, optional
        One axis in place of the three.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        No such axis, not three components, or shapes that do not broadcast together.

    Examples
    --------
    >>> pl.cross([1, 0, 0], [0, 1, 0])
    pl.Tensor([0, 0, 1], dtype=int32, shape=(3,))
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _operands("cross", x, y)
    a = moveaxis(a, normalize_axis("cross", axisa, a.ndim), -1)
    b = moveaxis(b, normalize_axis("cross", axisb, b.ndim), -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(
            f"cross: expected three components, got {a.shape[-1]} and {b.shape[-1]}; give axis="
        )
    shape = broadcast_shapes("cross", a.shape, b.shape)
    a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    (a0, a1), (b0, b1) = ([_turned(v, n) for n in (1, 2)] for v in (a, b))
    found = ops.subtract(ops.multiply(a0, b1), ops.multiply(a1, b0))
    return moveaxis(found, -1, normalize_axis("cross", axisc, found.ndim))


def _turned(x: Any, first: int) -> Any:
    """The three components along the last axis, from another one on."""
    order = np.asarray([first, (first + 1) % 3, (first + 2) % 3])
    return ops.gather(x, order, axes=(x.ndim - 1,))


def kron(x: Any, y: Any) -> Any:
    """The Kronecker product: ``x`` with each element replaced by its multiple of ``y``.

    Parameters
    ----------
    x, y : array_like

    Returns
    -------
    Tensor
        Each size is the product of the operands' sizes.

    Examples
    --------
    >>> pl.kron([1, 10], [1, 2])
    pl.Tensor([ 1,  2, 10, 20], dtype=int32, shape=(4,))
    """
    a, b = _operands("kron", x, y)
    rank = max(a.ndim, b.ndim)
    left = (1,) * (rank - a.ndim) + tuple(a.shape)
    right = (1,) * (rank - b.ndim) + tuple(b.shape)
    apart = multiply(
        ops.reshape(a, shape=tuple([n for d in left for n in (d, 1)])),
        ops.reshape(b, shape=tuple([n for d in right for n in (1, d)])),
    )
    shape: Any = tuple([n * m for n, m in zip(left, right, strict=True)])
    return ops.reshape(apart, shape=shape)


def matrix_power(x: Any, n: int) -> Any:
    """A square matrix multiplied with itself.

    Parameters
    ----------
    x : array_like
        Shape ``(..., m, m)``.
    n : int
        How often, from 0 on; inverses are not taken.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ShapeError
        Not square, or a negative power.

    Examples
    --------
    >>> pl.matrix_power([[1, 1], [0, 1]], 3)
    pl.Tensor([[1, 3],
               [0, 1]], dtype=int32, shape=(2, 2))
    """
    payload, power = as_array(x), operator.index(n)
    if payload.ndim < 2 or payload.shape[-1] != payload.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got {_text(payload.shape)}")
    if power < 0:
        raise ShapeError(f"matrix_power: expected a power of at least 0, got {power}")
    from plait.ir.functions.ranges import eye

    found = broadcast_to(eye(payload.shape[-1], dtype=payload.dtype), payload.shape)
    square = payload
    first = True
    while power:
        if power % 2:
            found, first = (square if first else matmul(found, square)), False
        power //= 2
        square = matmul(square, square) if power else square
    return found
