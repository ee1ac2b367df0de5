"""Convolutions and pooling with paddings and layouts as users name them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import ShapeError, UnknownNameError
from plait.ir.functions.axes import as_array
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.functions.statistics import mean_dtypes

__all__ = ["avg_pool", "conv_transpose", "convolution", "max_pool"]

Numbers = int | Sequence[int]
Padding = str | int | Sequence[Any]
FIRST = ("NC", "NCW", "NCHW", "NCDHW", "channels_first")
LAST = ("NC", "NWC", "NHWC", "NDHWC", "channels_last")


def _is_channels_first(name: str, data_format: str, rank: int) -> bool:
    if data_format == "channels_first" or data_format == "channels_last":
        return data_format == "channels_first"
    for formats in (FIRST, LAST):
        if 0 < rank < 4 and data_format == formats[rank]:
            return formats is FIRST
    raise UnknownNameError(
        f"{name}: unknown data_format {data_format!r} for {rank} spatial axes; use "
        "'channels_last', 'channels_first' or a name such as 'NHWC'"
    )


def _numbers(name: str, what: str, value: Numbers, rank: int) -> tuple[int, ...]:
    """One number for each spatial axis."""
    found = (int(value),) * rank if isinstance(value, (int, np.integer)) else tuple(value)
    if len(found) != rank or any(v < 1 for v in found):
        raise ShapeError(f"{name}: {what} must be {rank} positive number(s), got {value}")
    return found


def _rank(name: str, x: Any) -> int:
    rank: int = x.ndim - 2
    if rank < 1:
        raise ShapeError(f"{name}: x needs a batch, a channel and spatial axes, got {x.shape}")
    return rank


def _borders(
    name: str, padding: Padding, sizes: Any, windows: Any, strides: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What stands before and behind each spatial axis."""
    rank = len(windows)
    if isinstance(padding, str):
        kind = padding.upper()
        if kind == "VALID":
            return (0,) * rank, (0,) * rank
        if kind != "SAME":
            raise UnknownNameError(f"{name}: unknown padding {padding!r}; use 'SAME' or 'VALID'")
        totals = [
            max((-(-n // s) - 1) * s + w - n, 0)
            for n, w, s in zip(sizes, windows, strides, strict=True)
        ]
        return tuple([t // 2 for t in totals]), tuple([t - t // 2 for t in totals])
    pairs = [padding] * rank if isinstance(padding, (int, np.integer)) else list(padding)
    if len(pairs) != rank:
        raise ShapeError(f"{name}: padding needs {rank} entries, one a spatial axis: {padding}")
    both = [(p, p) if isinstance(p, (int, np.integer)) else tuple(p) for p in pairs]
    if any(len(p) != 2 or min(p) < 0 for p in both):
        raise ShapeError(f"{name}: padding must be numbers or pairs, not negative: {padding}")
    return tuple([int(p[0]) for p in both]), tuple([int(p[1]) for p in both])


def _spread(sizes: Any, dilation: Any) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(sizes, dilation, strict=True)]


def _to_first(x: Any, first: bool) -> Any:
    """Channels to axis 1."""
    if first:
        return x
    return ops.transpose(x, permutation=(0, x.ndim - 1, *range(1, x.ndim - 1)))


def _from_first(x: Any, first: bool) -> Any:
    return x if first else ops.transpose(x, permutation=(0, *range(2, x.ndim), 1))


def _kernel(kernel: Any, first: bool) -> Any:
    """[o, i, ...] from [..., i, o]."""
    if first:
        return kernel
    last = kernel.ndim - 1
    return ops.transpose(kernel, permutation=(last, last - 1, *range(last - 1)))


def _check_channels(x: Any, kernel: Any, first: bool, groups: int) -> None:
    """Demand that channels and groups fit together, in the layout that the user chose."""
    channels = x.shape[1 if first else -1]
    inputs, outputs = kernel.shape[1 if first else -2], kernel.shape[0 if first else -1]
    if groups < 1:
        raise ShapeError(f"convolution: groups must be positive, got {groups}")
    if inputs * groups != channels:
        layout = "(o, c / groups, *window)" if first else "(*window, c / groups, o)"
        raise ShapeError(
            f"convolution: x of shape {x.shape} has {channels} channel(s), but a kernel of shape "
            f"{kernel.shape}, meaning {layout}, takes {inputs} in each of {groups} group(s)"
        )
    if outputs % groups:
        raise ShapeError(
            f"convolution: {outputs} output channel(s) of a kernel of shape {kernel.shape} do not "
            f"split into {groups} groups"
        )


def convolution(
    x: Any,
    kernel: Any,
    strides: Numbers = 1,
    padding: Padding = "VALID",
    dilation: Numbers = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Any:
    """N-d convolution as neural networks mean it: the kernel is not flipped.

    Parameters
    ----------
    x : array_like
        Shape (n, *spatial, c), or (n, c, *spatial) with channels first.
    kernel : array_like
        Shape (*window, c / groups, o), or (o, c / groups, *window) with channels first. Dtypes of
        ``x`` and ``kernel`` are promoted.
    strides, dilation : int or sequence of int
        Steps of the window, and between the elements in it, along the spatial axes.
    padding : {"VALID", "SAME"}, int, or sequence of int or of pairs
        Zeros around the spatial axes; "SAME" gives ceil(size / stride) windows.
    groups : int
        Channels are convolved in this many independent groups.
    data_format : str
        "channels_last", "channels_first", or a name such as "NHWC" or "NCHW".

    Returns
    -------
    Tensor
        Shape (n, *spatial, o), or (n, o, *spatial) with channels first.

    Raises
    ------
    ShapeError
        Ranks, channels or groups do not fit together.
    UnknownNameError
        No such padding or data format.

    Examples
    --------
    >>> x = np.arange(5, dtype="float32").reshape(1, 5, 1)
    >>> pl.convolution(x, np.ones((3, 1, 1), "float32"))[0, :, 0]
    pl.Tensor([3., 6., 9.], dtype=float32, shape=(3,))
    """
    name = "convolution"
    x, kernel = promote(x, kernel)
    rank = _rank(name, x)
    if kernel.ndim != x.ndim:
        raise ShapeError(f"{name}: x {x.shape} and kernel {kernel.shape} differ in rank")
    first = _is_channels_first(name, data_format, rank)
    _check_channels(x, kernel, first, groups)
    x, kernel = _to_first(x, first), _kernel(kernel, first)
    steps = _numbers(name, "strides", strides, rank)
    gaps = _numbers(name, "dilation", dilation, rank)
    low, high = _borders(name, padding, x.shape[2:], _spread(kernel.shape[2:], gaps), steps)
    found = ops.convolution(
        x, kernel, strides=steps, low=low, high=high, dilation=gaps, input_dilation=(1,) * rank,
        groups=groups,
    )  # fmt: skip
    return _from_first(found, first)


def conv_transpose(
    x: Any,
    kernel: Any,
    strides: Numbers = 1,
    padding: Padding = "VALID",
    dilation: Numbers = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Any:
    """The transpose of ``convolution``, with which it shares kernel, strides and padding.

    As a linear map of ``x`` this is the gradient of that convolution with respect to its input.

    Parameters
    ----------
    x : array_like
        Shape (n, *spatial, o), or (n, o, *spatial) with channels first.
    kernel : array_like
        Shape (*window, c / groups, o), or (o, c / groups, *window) with channels first.
    strides, dilation : int or sequence of int
        Factors by which the spatial axes grow, and steps between the kernel's elements.
    padding : {"VALID", "SAME"}, int, or sequence of int or of pairs
        Padding of the convolution that this is the transpose of; "SAME" gives sizes
        size * stride.
    groups : int
        Number of independent groups of channels.
    data_format : str
        "channels_last", "channels_first", or a name such as "NHWC" or "NCHW".

    Returns
    -------
    Tensor
        Shape (n, *spatial, c), or (n, c, *spatial) with channels first.

    Raises
    ------
    ShapeError
        Ranks, channels or groups do not fit together.
    UnknownNameError
        No such padding or data format.

    Examples
    --------
    >>> x = np.array([1, 2], dtype="float32").reshape(1, 2, 1)
    >>> pl.conv_transpose(x, np.ones((2, 1, 1), "float32"), strides=2)[0, :, 0]
    pl.Tensor([1., 1., 2., 2.], dtype=float32, shape=(4,))
    """
    name = "conv_transpose"
    x, kernel = promote(x, kernel)
    rank = _rank(name, x)
    if kernel.ndim != x.ndim:
        raise ShapeError(f"{name}: x {x.shape} and kernel {kernel.shape} differ in rank")
    first = _is_channels_first(name, data_format, rank)
    x, kernel = _to_first(x, first), _kernel(kernel, first)
    if groups < 1 or kernel.shape[0] % groups or kernel.shape[0] != x.shape[1]:
        raise ShapeError(
            f"{name}: {x.shape[1]} channels of x do not fit a kernel with {kernel.shape[0]} "
            f"outputs in {groups} group(s)"
        )
    steps = _numbers(name, "strides", strides, rank)
    gaps = _numbers(name, "dilation", dilation, rank)
    windows = _spread(kernel.shape[2:], gaps)
    low, high = _transposed_borders(name, padding, windows, steps)
    found = ops.convolution(
        x, _transposed_kernel(kernel, groups), strides=(1,) * rank, low=low, high=high,
        dilation=gaps, input_dilation=steps, groups=groups,
    )  # fmt: skip
    return _from_first(found, first)


def _transposed_borders(name: str, padding: Padding, windows: Any, strides: Any) -> Any:
    if isinstance(padding, str) and padding.upper() == "SAME":
        before = [max(w - s, 0) // 2 for w, s in zip(windows, strides, strict=True)]
        low = [w - 1 - b for w, b in zip(windows, before, strict=True)]
        high = [w + s - 2 - a for w, s, a in zip(windows, strides, low, strict=True)]
        return tuple(low), tuple(high)
    before, behind = _borders(name, padding, windows, windows, strides)  # type: ignore[assignment]
    rest = [
        # A convolution without padding does not reach the last elements between two strides.
        max(s - w, 0) if isinstance(padding, str) else 0
        for w, s in zip(windows, strides, strict=True)
    ]
    low = [w - 1 - b for w, b in zip(windows, before, strict=True)]
    high = [w - 1 - b + r for w, b, r in zip(windows, behind, rest, strict=True)]
    return tuple(low), tuple(high)


def _transposed_kernel(kernel: Any, groups: int) -> Any:
    """Inputs and outputs of each group exchanged, windows reversed."""
    o, i, *window = kernel.shape
    rank = len(window)
    split = ops.reshape(kernel, shape=(groups, o // groups, i, *window))
    swapped = ops.transpose(split, permutation=(0, 2, 1, *range(3, 3 + rank)))
    joined = ops.reshape(swapped, shape=(groups * i, o // groups, *window))
    return ops.slice_(
        joined,
        starts=(0, 0, *[n - 1 for n in window]),
        stops=(groups * i, o // groups, *[-1] * rank),
        steps=(1, 1, *[-1] * rank),
    )


def _pool(
    name: str,
    kind: str,
    x: Any,
    window: Numbers,
    strides: Numbers | None,
    padding: Padding,
    data_format: str,
) -> tuple[Any, dict[str, Any]]:
    """The reduced windows, and the attributes of that reduction."""
    rank = _rank(name, x)
    first = _is_channels_first(name, data_format, rank)
    sizes = _numbers(name, "window", window, rank)
    steps = _numbers(name, "strides", sizes if strides is None else strides, rank)
    spatial = x.shape[2:] if first else x.shape[1:-1]
    low, high = _borders(name, padding, spatial, sizes, steps)

    def whole(values: tuple[int, ...], other: int) -> tuple[int, ...]:
        return (other, other, *values) if first else (other, *values, other)

    attributes = {
        "window": whole(sizes, 1),
        "strides": whole(steps, 1),
        "low": whole(low, 0),
        "high": whole(high, 0),
        "dilation": (1,) * x.ndim,
    }
    return ops.reduce_window(x, kind=kind, **attributes), attributes


def max_pool(
    x: Any,
    window: Numbers,
    strides: Numbers | None = None,
    padding: Padding = "VALID",
    data_format: str = "channels_last",
) -> Any:
    """The largest element in each window over the spatial axes.

    Parameters
    ----------
    x : array_like
        Shape (n, *spatial, c), or (n, c, *spatial) with channels first; any dtype but complex.
    window : int or sequence of int
        Size of the window along the spatial axes.
    strides : int or sequence of int, optional
        Steps of the window; by default its size, so that windows do not overlap.
    padding : {"VALID", "SAME"}, int, or sequence of int or of pairs
        What windows may reach beyond the spatial axes; it never wins.
    data_format : str
        "channels_last", "channels_first", or a name such as "NHWC" or "NCHW".

    Returns
    -------
    Tensor
        Dtype of ``x``.

    Raises
    ------
    ShapeError
        Ranks do not fit together.
    UnknownNameError
        No such padding or data format.

    Examples
    --------
    >>> x = np.array([1, 5, 2, 3]).reshape(1, 4, 1)
    >>> pl.max_pool(x, 2)[0, :, 0]
    pl.Tensor([5, 3], dtype=int64, shape=(2,))
    """
    found, _ = _pool("max_pool", "max", as_array(x), window, strides, padding, data_format)
    return found


def avg_pool(
    x: Any,
    window: Numbers,
    strides: Numbers | None = None,
    padding: Padding = "VALID",
    data_format: str = "channels_last",
    count_include_pad: bool = False,
) -> Any:
    """The mean of the elements in each window over the spatial axes.

    Parameters
    ----------
    x : array_like
        Shape (n, *spatial, c), or (n, c, *spatial) with channels first; any numeric dtype.
    window : int or sequence of int
        Size of the window along the spatial axes.
    strides : int or sequence of int, optional
        Steps of the window; by default its size, so that windows do not overlap.
    padding : {"VALID", "SAME"}, int, or sequence of int or of pairs
        What windows may reach beyond the spatial axes.
    data_format : str
        "channels_last", "channels_first", or a name such as "NHWC" or "NCHW".
    count_include_pad : bool
        Whether padding counts as zeros; by default means are over elements of ``x`` only.

    Returns
    -------
    Tensor
        Dtype of ``x``, float64 for integers.

    Raises
    ------
    ShapeError
        Ranks do not fit together.
    UnknownNameError
        No such padding or data format.

    Examples
    --------
    >>> x = np.array([1.0, 5.0, 2.0, 4.0]).reshape(1, 4, 1)
    >>> pl.avg_pool(x, 2)[0, :, 0]
    pl.Tensor([3., 3.], dtype=float64, shape=(2,))
    """
    x = as_array(x)
    compute, result = mean_dtypes(x.dtype, None)
    total, attributes = _pool(
        "avg_pool", "sum", cast(x, compute), window, strides, padding, data_format
    )
    if count_include_pad or not any(attributes["low"] + attributes["high"]):
        count = np.asarray(math.prod(attributes["window"]), compute)
    else:
        count = _inside(x.shape, attributes).astype(compute)
    return cast(ops.divide(total, broadcast_to(count, total.shape)), result)


def _inside(shape: Any, attributes: dict[str, Any]) -> Any:
    """How many elements of x each window holds, with axes of size 1 where none slides."""
    sizes = [n if w > 1 else 1 for n, w in zip(shape, attributes["window"], strict=True)]
    strides = [
        s if w > 1 else 1 for s, w in zip(attributes["strides"], attributes["window"], strict=True)
    ]
    return ops.reduce_window.reference(
        np.ones(sizes), kind="sum", **{**attributes, "strides": tuple(strides)}
    )
