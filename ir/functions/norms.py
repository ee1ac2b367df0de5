"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError, UnknownNameError
from plait.ir.functions.axes import as_array, normalize_axes, normalize_axis
from plait.ir.functions.payload import cast
from plait.ir.functions.reductions import fill, keep
from plait.ir.functions.reductions import max as max_
from plait.ir.functions.reductions import min as min_
from plait.ir.functions.statistics import mean_dtypes, squared_size
from plait.ir.types import bool_, real_dtype

__all__ = ["norm", "vector_norm"]


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """Vector norm along axes: (sum of |x| ** ord) ** (1 / ord).

    Parameters
    ----------
    x : array_like
        Any numeric dtype; integers are computed in float64.
    axis : int or tuple of int, optional
        All axes by default, as one vector.
    keepdims : bool, optional
        Keep the axes with size 1.
    ord : number, optional
        ``inf`` gives the largest, ``-inf`` the smallest absolute value, 0 counts what is not zero.

    Returns
    -------
    Tensor
        Of the real dtype of ``x``.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.vector_norm([3.0, 4.0])
    pl.Tensor(5., dtype=float32)
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, None)
    x = cast(x, compute)
    found = _vector_norm(x, axis, keepdims, ord)
    return cast(found, real_dtype(result))


def _vector_norm(x: Any, axis: Any, keepdims: bool, ord: Any) -> Any:
    axes = normalize_axes("vector_norm", axis, x.ndim)
    if ord == 2:
        return keep(ops.sqrt(ops.reduce_sum(squared_size(x), axes=axes)), x, axes, keepdims)
    size = ops.absolute(x)
    if ord == np.inf:
        return max_(size, axis, keepdims)
    if ord == -np.inf:
        return min_(size, axis, keepdims)
    if ord == 0:
        powers = cast(cast(x, bool_), size.dtype)
    else:
        powers = size if ord == 1 else ops.power(size, fill(ord, size))
    total = ops.reduce_sum(powers, axes=axes)
    if ord not in (0, 1):
        total = ops.power(total, fill(1 / ord, total))
    return keep(total, x, axes, keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors, or of matrices where ``axis`` names two axes, as ``numpy.linalg.norm``.

    Parameters
    ----------
    x : array_like
        Any numeric dtype; integers are computed in float64.
    ord : number, "fro" or None, optional
        For vectors as in ``vector_norm``. For matrices: "fro", 1, -1, inf or -inf.
    axis : int or tuple of two int, optional
        By default all of ``x`` as one vector; with an ``ord``, ``x`` must be 1-d or 2-d.
    keepdims : bool, optional
        Keep the axes with size 1.

    Returns
    -------
    Tensor
        Of the real dtype of ``x``.

    Raises
    ------
    UnknownNameError
        A matrix norm that is not one of these.

    Examples
    --------
    >>> pl.norm([[3.0, 0.0], [0.0, 4.0]])
    pl.Tensor(5., dtype=float32)
    >>> pl.norm([[3.0, 1.0], [0.0, 4.0]], ord=1)
    pl.Tensor(5., dtype=float32)
    """
    x = as_array(x)
    axes = [normalize_axis("norm", a, x.ndim) for a in _named(axis, x.ndim)]
    if ord is None or (ord == "fro" and len(axes) == 2):
        return vector_norm(x, tuple(axes), keepdims)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise UnknownNameError(f"norm: {ord!r} is no norm of a vector")
        return vector_norm(x, axes[0], keepdims, ord)
    if len(axes) != 2:
        raise ShapeError(f"norm: ord={ord!r} needs one or two axes, got {len(axes)}")
    if ord not in (1, -1, np.inf, -np.inf):
        raise UnknownNameError(f"norm: no matrix norm ord={ord!r}; norms: 'fro', 1, -1, inf, -inf")
    row, column = axes
    first, second = (row, column) if abs(ord) == 1 else (column, row)
    sums = vector_norm(x, first, True, 1)
    found = (max_ if ord > 0 else min_)(sums, second, True)
    if keepdims:
        return found
    return ops.reshape(found, shape=tuple([d for i, d in enumerate(x.shape) if i not in axes]))


def _named(axis: Any, ndim: int) -> Any:
    if axis is None:
        return range(ndim)
    return axis if isinstance(axis, (tuple, list)) else (axis,)
