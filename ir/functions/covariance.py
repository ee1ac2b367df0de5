"""Covariances and correlations of variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, demand
from plait.ir.functions.diagonals import diagonal
from plait.ir.functions.joining import concat
from plait.ir.functions.linear import matmul
from plait.ir.functions.manipulation import squeeze, transpose
from plait.ir.functions.parts import conj
from plait.ir.functions.payload import broadcast_to, cast
from plait.ir.functions.reductions import fill
from plait.ir.types import as_dtype, float64, is_complex, is_integer

__all__ = ["corrcoef", "cov"]


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Covariances of variables, as ``numpy.cov``.

    Parameters
    ----------
    m : array_like
        1-d or 2-d: a row for each variable, a column for each observation.
    y : array_like, optional
        More variables.
    rowvar : bool, optional
        False: a column for each variable.
    bias : bool, optional
        Divide by the number of observations, not by one less.
    ddof : int, optional
        Divide by the number of observations less this.
    fweights : array_like of integers, optional
        1-d: how often each observation counts.
    aweights : array_like, optional
        1-d: how much each observation weighs.
    dtype : dtype or str, optional
        By default float64 or wider, as NumPy's.

    Returns
    -------
    Tensor
        A row and a column for each variable; 0-d for one variable.

    Raises
    ------
    ShapeError
        Operands of more than two axes, numbers of observations that differ, or weights that do
        not fit.
    CheckError
        Negative weights, also inside a compiled function.
    DTypeError
        ``fweights`` that are not integers.

    Examples
    --------
    >>> pl.cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    pl.Tensor([[ 1., -1.],
               [-1.,  1.]], dtype=float64, shape=(2, 2))
    """
    given = [as_array(v) for v in (m, y) if v is not None]
    wide = np.result_type(*[_known(v.dtype) for v in given], float64)
    work = wide if dtype is None else as_dtype(dtype)
    rows = concat([_variables(cast(v, work), rowvar) for v in given], axis=0)
    if rows.shape[0] == 0:
        return ops.reshape(rows, shape=(0, 0))
    count = rows.shape[1]
    frequency = None if fweights is None else _weights("fweights", fweights, count)
    importance = None if aweights is None else _weights("aweights", aweights, count)
    lost = (0 if bias else 1) if ddof is None else ddof
    centered, weighted, divisor = _centered(rows, frequency, importance, lost)
    found = matmul(centered, conj(transpose(weighted)))
    return squeeze(ops.divide(found, broadcast_to(cast(divisor, work), found.shape)))


def _known(dtype: Any) -> Any:
    """A dtype that NumPy promotes."""
    return np.dtype(np.float16) if dtype.name == "bfloat16" else dtype


def _variables(x: Any, rowvar: bool) -> Any:
    """A row for each variable."""
    if x.ndim > 2:
        raise ShapeError(f"cov: expected at most two axes, got shape {x.shape}")
    if x.ndim < 2:
        return ops.reshape(x, shape=(1, x.size))
    return x if rowvar else transpose(x)


def _weights(name: str, x: Any, count: Any) -> Any:
    weights = as_array(x)
    if weights.shape != (count,):
        raise ShapeError(f"cov: {name} of shape {weights.shape} do not fit {count} observations")
    if name == "fweights" and not is_integer(weights.dtype):
        raise DTypeError(f"cov: fweights must be integers, got {weights.dtype.name}")
    demand(ops.greater_equal(weights, fill(0, weights)), f"cov: {name} must not be negative")
    return weights


def _centered(rows: Any, frequency: Any, importance: Any, lost: Any) -> tuple[Any, Any, Any]:
    """Distances from the means, these with weights, and what to divide their products by."""
    weights = np.ones(rows.shape[1])
    for factor in (frequency, importance):
        if factor is not None:
            weights = ops.multiply(cast(weights, float64), cast(factor, float64))
    total = ops.reduce_sum(weights, axes=(0,))
    wide = broadcast_to(cast(weights, rows.dtype), rows.shape)
    sums = ops.reduce_sum(ops.multiply(rows, wide), axes=(1,))
    means = ops.divide(sums, broadcast_to(cast(total, rows.dtype), sums.shape))
    means = broadcast_to(ops.reshape(means, shape=(*means.shape, 1)), rows.shape)
    centered = ops.subtract(rows, means)
    less = np.asarray(lost, float64)
    if importance is not None:
        squares = ops.multiply(weights, cast(importance, float64))
        less = ops.multiply(less, ops.divide(ops.reduce_sum(squares, axes=(0,)), total))
    divisor = ops.maximum(ops.subtract(total, less), np.asarray(0, float64))
    return centered, ops.multiply(centered, wide), divisor


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Correlations of variables: their covariances divided by their standard deviations.

    Parameters
    ----------
    x, y, rowvar, dtype
        As for ``cov``.

    Returns
    -------
    Tensor
        A row and a column for each variable, within [-1, 1]; 0-d for one variable.

    Raises
    ------
    ShapeError
        Operands of more than two axes, or numbers of observations that differ.

    Examples
    --------
    >>> pl.corrcoef([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    pl.Tensor([[ 1., -1.],
               [-1.,  1.]], dtype=float64, shape=(2, 2))
    """
    found = cov(x, y, rowvar, dtype=dtype)
    if found.ndim == 0:
        return ops.divide(found, found)
    variance = diagonal(found)
    deviation = ops.sqrt(ops.real(variance) if is_complex(variance.dtype) else variance)
    deviation = cast(deviation, found.dtype)
    size = deviation.shape[0]
    for shape in ((size, 1), (1, size)):
        wide = broadcast_to(ops.reshape(deviation, shape=shape), found.shape)
        found = ops.divide(found, wide)
    if is_complex(found.dtype):
        return ops.complex_(*[_limited(part(found)) for part in (ops.real, ops.imag)])
    return _limited(found)


def _limited(x: Any) -> Any:
    return ops.minimum(ops.maximum(x, fill(-1, x)), fill(1, x))
