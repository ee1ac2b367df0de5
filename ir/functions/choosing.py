"""Choices: by conditions, by the number of an alternative, and by a mask along an axis."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array, as_index, check_range, normalize_axis, static_size
from plait.ir.functions.joining import stack, unstack
from plait.ir.functions.logic import where
from plait.ir.functions.manipulation import ravel
from plait.ir.functions.payload import broadcast_shapes, broadcast_to, cast, promote
from plait.ir.functions.picking import in_mode, take, take_along_axis
from plait.ir.functions.sets import flatnonzero
from plait.ir.types import bool_

__all__ = ["choose", "compress", "select"]


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Elementwise the choice of the first condition that holds, as ``numpy.select``.

    Parameters
    ----------
    condlist : sequence of array_like of bool
        Conditions.
    choicelist : sequence of array_like
        A choice for each condition; dtypes are promoted. All broadcast together.
    default : array_like, optional
        The choice where no condition holds.

    Returns
    -------
    Tensor
        Of the promoted dtype.

    Raises
    ------
    ShapeError
        Not as many choices as conditions, none, or shapes that do not broadcast together.
    DTypeError
        A condition that is not bool.

    Examples
    --------
    >>> x = np.arange(4)
    >>> pl.select([x < 1, x > 2], [-x, x * 10], 7)
    pl.Tensor([ 0,  7,  7, 30], dtype=int64, shape=(4,))
    """
    conditions, choices = _listed(condlist), _listed(choicelist)
    if len(conditions) != len(choices) or not conditions:
        raise ShapeError(
            f"select: expected a choice for each condition, got {len(conditions)} condition(s) "
            f"and {len(choices)} choice(s)"
        )
    tests = [as_array(c) for c in conditions]
    wrong = [i for i, test in enumerate(tests) if test.dtype != bool_]
    if wrong:
        name = tests[wrong[0]].dtype.name
        raise DTypeError(f"select: condition {wrong[0]} must be bool, got {name}; compare it first")
    *values, found = promote(*choices, default)
    shape = broadcast_shapes("select", *[x.shape for x in (*tests, *values, found)])
    for test, value in zip(reversed(tests), reversed(values), strict=True):
        found = where(test, value, found)
    return broadcast_to(found, shape)


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (tuple, list)) else list(unstack(x))


def choose(x: Any, choices: Any, mode: str = "raise") -> Any:
    """Elementwise the choice that an integer names, as ``numpy.choose``.

    Parameters
    ----------
    x : array_like of integers
        In ``[0, n)`` for ``n`` choices.
    choices : sequence of array_like, or array_like whose first axis is taken apart
        Dtypes are promoted; all broadcast together with ``x``.
    mode : {"raise", "wrap", "clip"}
        What to do with integers out of range: an error, modulo ``n``, or the nearest end.

    Returns
    -------
    Tensor
        Of the promoted dtype of the choices.

    Raises
    ------
    IndexOutOfRangeError
        An integer out of range, with ``mode="raise"``.
    ShapeError
        No choices, or shapes that do not broadcast together.
    UnknownNameError
        No such mode.

    Examples
    --------
    >>> pl.choose([0, 1, 0], [[1, 2, 3], [10, 20, 30]])
    pl.Tensor([ 1, 20,  3], dtype=int32, shape=(3,))
    """
    index, given = as_index("choose", x), _listed(choices)
    if not given:
        raise ShapeError("choose: expected at least one choice")
    values = promote(*given)
    if mode == "raise":
        limit = len(values)
        check_range(index, 0, limit, f"choose: {{0}} is out of range [0, {limit})")
    index = in_mode("choose", index, len(values), mode)
    shape = broadcast_shapes("choose", index.shape, *[v.shape for v in values])
    table = stack([broadcast_to(v, shape) for v in values])
    index = ops.reshape(broadcast_to(index, shape), shape=(1, *shape))
    return ops.reshape(take_along_axis(table, index, 0), shape=shape)


def compress(condition: Any, x: Any, axis: int | None = None, size: int | None = None) -> Any:
    """The slices of ``x`` along an axis where a condition holds, as ``numpy.compress``.

    Parameters
    ----------
    condition : array_like
        1-d, of at most the length of the axis; what is not 0 holds.
    x : array_like
        Any dtype.
    axis : int, optional
        By default ``x`` is flattened.
    size : int, optional
        How many slices to give; needed in a graph where the condition is computed. Of more, the
        first are taken; in place of missing ones, slice 0.

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    TraceError
        In a graph without ``size``.
    ShapeError
        The condition is not 1-d, or longer than the axis.

    Examples
    --------
    >>> pl.compress([True, False, True], [5, 6, 7])
    pl.Tensor([5, 7], dtype=int32, shape=(2,))
    """
    test, x = cast(as_array(condition), bool_), ravel(x) if axis is None else as_array(x)
    place = normalize_axis("compress", 0 if axis is None else axis, x.ndim)
    length = static_size("compress", x, place)
    if test.ndim != 1 or test.shape[0] > length:
        raise ShapeError(
            f"compress: a condition of shape {test.shape} does not fit axis {place} of size "
            f"{length}"
        )
    return take(x, flatnonzero(test, size), place)
