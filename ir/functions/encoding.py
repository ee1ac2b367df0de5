"""One-hot rows, the largest elements, reinterpreted bits."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.errors import DTypeError
from plait.ir.functions.axes import as_array, as_int, normalize_axis
from plait.ir.functions.logic import where
from plait.ir.functions.manipulation import moveaxis
from plait.ir.functions.payload import cast
from plait.ir.types import as_dtype, bool_, float32, is_integer

__all__ = [
    "bitcast",
    "one_hot",
    "top_k",
]


def one_hot(
    indices: Any,
    depth: int,
    *,
    on_value: Any = None,
    off_value: Any = None,
    axis: int = -1,
    dtype: Any = float32,
) -> Any:
    """Rows that are 0 but for a 1 at each index.

    Parameters
    ----------
    indices : array_like
        Integers; one outside ``[0, depth)`` gives a row of zeros.
    depth : int
        Length of a row.
    on_value, off_value : array_like, optional
        In place of 1 and 0.
    axis : int, optional
        Place of the new axis.
    dtype : dtype or str, optional

    Returns
    -------
    Tensor
        One axis more than ``indices``.

    Raises
    ------
    DTypeError
        Indices that are not integers.
    ShapeError
        A negative depth, or no such axis.

    Examples
    --------
    >>> pl.one_hot([0, 2], 3)
    pl.Tensor([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32, shape=(2, 3))
    """
    payload, wanted = as_array(indices), as_dtype(dtype)
    if not is_integer(payload.dtype):
        raise DTypeError(f"one_hot: expected integer indices, got {payload.dtype.name}")
    plain = on_value is None and off_value is None
    kind = wanted if plain else bool_
    rows = ops.one_hot(payload, depth=as_int("one_hot", "depth", depth), dtype=kind)
    place = normalize_axis("one_hot", axis, rows.ndim)
    if place != rows.ndim - 1:
        rows = moveaxis(rows, -1, place)
    if plain:
        return rows
    on, off = (1 if on_value is None else on_value), (0 if off_value is None else off_value)
    return cast(where(rows, on, off), wanted)


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Any, Any]:
    """The largest elements along an axis, in descending order, and where they are.

    Parameters
    ----------
    x : array_like
        Integers or floats; NaN counts as the largest.
    k : int
        How many.
    axis : int, optional

    Returns
    -------
    values : Tensor
        Of the same dtype.
    indices : Tensor
        Of dtype int32; of equal elements the first comes first.

    Raises
    ------
    ShapeError
        No such axis, or ``k`` is larger than its size.
    DTypeError
        Booleans or complex numbers.

    Examples
    --------
    >>> pl.top_k([3, 1, 4, 1, 5], 2)
    (pl.Tensor([5, 4], dtype=int32, shape=(2,)), pl.Tensor([4, 2], dtype=int32, shape=(2,)))
    """
    payload = as_array(x)
    k = as_int("top_k", "k", k)
    place = normalize_axis("top_k", axis, payload.ndim)
    if place == payload.ndim - 1:
        values, indices = ops.top_k(payload, k=k)
        return values, indices
    values, indices = ops.top_k(moveaxis(payload, place, -1), k=k)
    return moveaxis(values, -1, place), moveaxis(indices, -1, place)


def bitcast(x: Any, dtype: Any) -> Any:
    """The bits of the elements read as another dtype.

    Parameters
    ----------
    x : array_like
        Integers or floats.
    dtype : dtype or str
        A narrower one adds a last axis, a wider one takes the last axis, which must be as long as
        the ratio of the sizes.

    Returns
    -------
    Tensor
        A view where memory allows.

    Raises
    ------
    DTypeError
        Booleans or complex numbers.
    ShapeError
        The last axis does not fit.

    Examples
    --------
    >>> pl.bitcast(1.0, "int32")
    pl.Tensor(1065353216, dtype=int32)
    """
    return ops.bitcast(as_array(x), dtype=as_dtype(dtype))
