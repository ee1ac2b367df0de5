"""Shapes and axes: reshape, transpose, broadcast, and adding or dropping axes."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, PlaitError, ShapeError
from plait.ir.functions.axes import as_array, normalize_axes, normalize_axis
from plait.ir.functions.payload import broadcast_shapes
from plait.ir.ops.rules import size_of
from plait.ir.types import Dim, Shape, show_shape

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
]


def as_shape(name: str, shape: Any) -> Shape:
    """A shape given as an int or a sequence of sizes; -1 is kept."""
    sizes = shape if isinstance(shape, (tuple, list)) else _sequence(shape)
    try:
        return tuple([d if type(d) is Dim else operator.index(d) for d in sizes])
    except PlaitError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: a shape is made of integers, got {shape!r}") from None


def _sequence(shape: Any) -> Iterable[Any]:
    if type(shape) is np.ndarray:
        return list(np.atleast_1d(shape))
    return (shape,)


def broadcast_to(x: Any, shape: Any) -> Any:
    """Stretch to ``shape`` by NumPy's rules; no elements are copied.

    Parameters
    ----------
    x : array_like
        Aligned with ``shape`` at the last axis; each size must be 1 or the wanted one.
    shape : int or tuple of int

    Returns
    -------
    Tensor
        A read-only view where memory allows.

    Raises
    ------
    ShapeError
        ``x`` does not stretch to ``shape``.

    Examples
    --------
    >>> pl.broadcast_to([1, 2], (2, 2))
    pl.Tensor([[1, 2],
               [1, 2]], dtype=int32, shape=(2, 2))
    """
    sizes = as_shape("broadcast_to", shape)
    if any(type(d) is int and d < 0 for d in sizes):
        raise ShapeError(f"broadcast_to: sizes cannot be negative, got {sizes}")
    return ops.broadcast_to(as_array(x), shape=sizes)


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """Stretch all operands to their common shape.

    Parameters
    ----------
    *arrays : array_like
        Shapes that broadcast together.

    Returns
    -------
    list of Tensor
        Each of its own dtype.

    Raises
    ------
    ShapeError
        Shapes that do not broadcast together.

    Examples
    --------
    >>> [x.shape for x in pl.broadcast_arrays([[1], [2]], 3)]
    [(2, 1), (2, 1)]
    """
    payloads = [as_array(x) for x in arrays]
    if not payloads:
        return []
    shape = broadcast_shapes("broadcast_arrays", *[x.shape for x in payloads])
    return [ops.broadcast_to(x, shape=shape) for x in payloads]


def reshape(x: Any, shape: Any) -> Any:
    """The same elements, in row-major order, in another shape.

    Parameters
    ----------
    x : array_like
    shape : int or tuple of int
        At most one size may be -1: it is what is left.

    Returns
    -------
    Tensor
        A view where memory allows.

    Raises
    ------
    ShapeError
        The numbers of elements differ.

    Examples
    --------
    >>> pl.reshape([1, 2, 3, 4], (2, -1))
    pl.Tensor([[1, 2],
               [3, 4]], dtype=int32, shape=(2, 2))
    """
    payload, sizes = as_array(x), as_shape("reshape", shape)
    return ops.reshape(payload, shape=_fill_in(payload.shape, sizes))


def _fill_in(have: Shape, wanted: Shape) -> Shape:
    """The wanted shape with its -1 worked out; a symbolic size is worked out when it is alone."""
    unknown = [i for i, d in enumerate(wanted) if d == -1]
    if not unknown:
        return wanted
    rest = [d for d in wanted if d != -1]
    (total, names), (known, kept) = size_of(have), size_of(tuple(rest))
    left = list(names)
    for name in kept:
        if name in left:
            left.remove(name)
    fits = len(unknown) == 1 and len(names) - len(kept) == len(left) and len(left) <= 1
    if fits and left and total == known:
        size: Any = Dim(left[0])
    elif fits and not left and known and total % known == 0:
        size = total // known
    else:
        raise ShapeError(
            f"reshape: a tensor of shape {show_shape(have)} does not fit {show_shape(wanted)}"
        )
    return (*wanted[: unknown[0]], size, *wanted[unknown[0] + 1 :])


def ravel(x: Any) -> Any:
    """The elements in row-major order along one axis.

    Parameters
    ----------
    x : array_like

    Returns
    -------
    Tensor
        1-d; a view where memory allows.

    Examples
    --------
    >>> pl.ravel([[1, 2], [3, 4]])
    pl.Tensor([1, 2, 3, 4], dtype=int32, shape=(4,))
    """
    return reshape(x, -1) if 0 not in as_array(x).shape else reshape(x, 0)


def permute_dims(x: Any, axes: Any) -> Any:
    """Axes in another order: axis i of the result is axis ``axes[i]`` of ``x``.

    Parameters
    ----------
    x : array_like
    axes : tuple of int
        Each axis once.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        ``axes`` is not a permutation of the axes.

    Examples
    --------
    >>> pl.permute_dims(np.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    payload = as_array(x)
    wanted = axes if isinstance(axes, (tuple, list)) else (axes,)
    permutation = tuple([normalize_axis("permute_dims", a, payload.ndim) for a in wanted])
    return ops.transpose(payload, permutation=permutation)


def transpose(x: Any, axes: Any = None) -> Any:
    """Axes in reversed order, or as ``permute_dims`` orders them.

    Parameters
    ----------
    x : array_like
    axes : tuple of int, optional

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        ``axes`` is not a permutation of the axes.

    Examples
    --------
    >>> pl.transpose([[1, 2], [3, 4]])
    pl.Tensor([[1, 3],
               [2, 4]], dtype=int32, shape=(2, 2))
    """
    payload = as_array(x)
    return permute_dims(payload, tuple(range(payload.ndim))[::-1] if axes is None else axes)


def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged.

    Parameters
    ----------
    x : array_like
        At least 2-d.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> pl.matrix_transpose(np.zeros((2, 3, 4))).shape
    (2, 4, 3)
    """
    payload = as_array(x)
    if payload.ndim < 2:
        raise ShapeError(f"matrix_transpose: expected at least 2 axes, got {payload.ndim}")
    return swapaxes(payload, -1, -2)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Parameters
    ----------
    x : array_like
    axis1, axis2 : int

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        There is no such axis.

    Examples
    --------
    >>> pl.swapaxes(np.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    payload = as_array(x)
    a, b = (normalize_axis("swapaxes", axis, payload.ndim) for axis in (axis1, axis2))
    order = list(range(payload.ndim))
    order[a], order[b] = order[b], order[a]
    return ops.transpose(payload, permutation=tuple(order))


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Move axes to other places; the others keep their order.

    Parameters
    ----------
    x : array_like
    source, destination : int or tuple of int

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        There is no such axis, or the two differ in number.

    Examples
    --------
    >>> pl.moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    payload = as_array(x)
    pair = [
        [normalize_axis("moveaxis", a, payload.ndim) for a in (_listed(axes))]
        for axes in (source, destination)
    ]
    if len(pair[0]) != len(pair[1]) or any(len(set(p)) < len(p) for p in pair):
        raise ShapeError(f"moveaxis: {source} and {destination} must be as many different axes")
    order = [i for i in range(payload.ndim) if i not in pair[0]]
    for place, axis in sorted(zip(pair[1], pair[0], strict=True)):
        order.insert(place, axis)
    return ops.transpose(payload, permutation=tuple(order))


def _listed(axes: Any) -> Any:
    return axes if isinstance(axes, (tuple, list)) else (axes,)


def squeeze(x: Any, axis: Any = None) -> Any:
    """Drop axes of size 1.

    Parameters
    ----------
    x : array_like
    axis : int or tuple of int, optional
        All axes of size 1 by default.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        A named axis has another size than 1.

    Examples
    --------
    >>> pl.squeeze([[[1], [2]]])
    pl.Tensor([1, 2], dtype=int32, shape=(2,))
    """
    payload = as_array(x)
    shape = payload.shape
    if axis is None:
        axes = tuple([i for i, d in enumerate(shape) if d == 1])
    else:
        axes = normalize_axes("squeeze", axis, payload.ndim)
    if any(shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze: axes {axes} of shape {tuple(shape)} must have size 1")
    return ops.reshape(payload, shape=tuple([d for i, d in enumerate(shape) if i not in axes]))


def expand_dims(x: Any, axis: Any) -> Any:
    """Insert axes of size 1.

    Parameters
    ----------
    x : array_like
    axis : int or tuple of int
        Places in the result.

    Returns
    -------
    Tensor
        A view.

    Raises
    ------
    ShapeError
        There is no such place.

    Examples
    --------
    >>> pl.expand_dims([1, 2], 0).shape
    (1, 2)
    """
    payload = as_array(x)
    places = _listed(axis)
    axes = normalize_axes("expand_dims", tuple(places), payload.ndim + len(places))
    shape = list(payload.shape)
    for place in axes:
        shape.insert(place, 1)
    return ops.reshape(payload, shape=tuple(shape))


def atleast_1d(x: Any) -> Any:
    """A 0-d tensor as one of 1 element; others unchanged.

    Parameters
    ----------
    x : array_like

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.atleast_1d(3)
    pl.Tensor([3], dtype=int32, shape=(1,))
    """
    payload = as_array(x)
    return payload if payload.ndim else reshape(payload, 1)


def atleast_2d(x: Any) -> Any:
    """A tensor of at least two axes; new ones come first.

    Parameters
    ----------
    x : array_like

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.atleast_2d([1, 2]).shape
    (1, 2)
    """
    payload = as_array(x)
    return payload if payload.ndim >= 2 else expand_dims(payload, tuple(range(2 - payload.ndim)))


def atleast_3d(x: Any) -> Any:
    """A tensor of at least three axes, the new ones placed as NumPy places them.

    Parameters
    ----------
    x : array_like

    Returns
    -------
    Tensor

    Examples
    --------
    >>> pl.atleast_3d([1, 2]).shape
    (1, 2, 1)
    """
    payload = as_array(x)
    places = {0: (0, 1, 2), 1: (0, 2), 2: (2,)}.get(payload.ndim, ())
    return expand_dims(payload, places) if places else payload


def cut(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """``range(start, stop, step)`` of one axis."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))
