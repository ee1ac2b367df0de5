"""Derivatives of convolution and of reductions over windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.derivatives.define import like, partials, scalar
from plait.ir.derivatives.moves import flip, slice_axis, zero_pad
from plait.ir.ops.convolution import spread, window_identity
from plait.ir.types import Shape

__all__: list[str] = []

Ints = tuple[int, ...]
#: Up to so many places of a kernel are taken one by one.
FEW_PLACES = 32


def _spread(sizes: Any, dilation: Ints) -> list[int]:
    return [spread(n, d) for n, d in zip(sizes, dilation, strict=True)]


def _convolution_input(
    g: Any,
    z: Any,
    x: Any,
    kernel: Any,
    *,
    strides: Ints,
    low: Ints,
    high: Ints,
    dilation: Ints,
    input_dilation: Ints,
    groups: int = 1,
) -> Any:
    """The cotangent, spread by the strides, convolved with the reversed kernel."""
    if 0 in (*g.shape, *x.shape, *kernel.shape):
        return like(x, 0)
    o, c, *sizes = kernel.shape
    turned = ops.reshape(kernel, shape=(groups, o // groups, c, *sizes))
    turned = ops.transpose(turned, permutation=(0, 2, 1, *range(3, 3 + len(sizes))))
    turned = ops.reshape(turned, shape=(groups * c, o // groups, *sizes))
    reach = _spread(sizes, dilation)
    before = [k - 1 - a for k, a in zip(reach, low, strict=True)]
    whole = zip(
        _spread(x.shape[2:], input_dilation), _spread(g.shape[2:], strides), reach, before,
        strict=True,
    )  # fmt: skip
    behind = [n + k - 1 - m - a for n, m, k, a in whole]
    return ops.convolution(
        g,
        flip(turned, range(2, kernel.ndim)),
        strides=input_dilation,
        low=tuple(before),
        high=tuple(behind),
        dilation=dilation,
        input_dilation=strides,
        groups=groups,
    )


def _convolution_kernel(
    g: Any,
    z: Any,
    x: Any,
    kernel: Any,
    *,
    strides: Ints,
    low: Ints,
    high: Ints,
    dilation: Ints,
    input_dilation: Ints,
    groups: int = 1,
) -> Any:
    """The input convolved with the cotangent, spread by the strides, batch and channels swapped."""
    if 0 in (*g.shape, *x.shape, *kernel.shape):
        return like(kernel, 0)
    if groups > 1 and math.prod(kernel.shape[2:]) <= FEW_PLACES:
        wide = zero_pad(x, (0, 0, *low), (0, 0, *high), [0, 0, *[n - 1 for n in input_dilation]])
        return _grouped_kernel(g, wide, kernel, strides, dilation, groups)
    n, c, *sizes = x.shape
    rank = len(sizes)
    moved = ops.reshape(x, shape=(n, groups, c // groups, *sizes))
    moved = ops.transpose(moved, permutation=(2, 1, 0, *range(3, 3 + rank)))
    moved = ops.reshape(moved, shape=(c // groups, groups * n, *sizes))
    swap = (1, 0, *range(2, 2 + rank))
    whole = zip(
        _spread(sizes, input_dilation), _spread(g.shape[2:], strides),
        _spread(kernel.shape[2:], dilation), low,
        strict=True,
    )  # fmt: skip
    behind = [k - 1 + m - size - a for size, m, k, a in whole]
    found = ops.convolution(
        moved,
        ops.transpose(g, permutation=swap),
        strides=dilation,
        low=low,
        high=tuple(behind),
        dilation=strides,
        input_dilation=input_dilation,
        groups=groups,
    )
    return ops.transpose(found, permutation=swap)


def _grouped_kernel(g: Any, x: Any, kernel: Any, strides: Ints, dilation: Ints, groups: int) -> Any:
    """One place of the kernel after the other: what XLA does well for many small groups."""
    n, c, *_ = x.shape
    o, inner, *sizes = kernel.shape
    count = math.prod(g.shape[2:])
    right = ops.reshape(g, shape=(n, groups, o // groups, count))
    pieces = []
    for place in np.ndindex(*sizes):
        starts = [k * d for k, d in zip(place, dilation, strict=True)]
        stops = [a + (m - 1) * s + 1 for a, m, s in zip(starts, g.shape[2:], strides, strict=True)]
        piece = ops.slice_(x, starts=(0, 0, *starts), stops=(n, c, *stops), steps=(1, 1, *strides))
        left = ops.reshape(piece, shape=(n, groups, inner, count))
        if inner == o // groups == 1:
            found = ops.reduce_sum(ops.multiply(left, right), axes=(0, 3))
        else:
            found = ops.dot_general(right, left, contracting=((0, 3), (0, 3)), batch=((1,), (1,)))
        pieces.append(ops.reshape(found, shape=(o, inner, 1)))
    return ops.reshape(ops.concat(*pieces, axis=2), shape=kernel.shape)


partials(ops.convolution, _convolution_input, _convolution_kernel)


# Windows.
def _reduce_window(
    g: Any,
    z: Any,
    x: Any,
    *,
    kind: str,
    window: Ints,
    strides: Ints,
    low: Ints,
    high: Ints,
    dilation: Ints,
) -> Any:
    if 0 in (*g.shape, *x.shape):
        return like(x, 0)
    if kind == "sum":
        return _window_sum(g, x, window, strides, low, dilation)
    return _window_extreme(g, x, kind, window, strides, low, high, dilation)


def _window_sum(g: Any, x: Any, window: Ints, strides: Ints, low: Ints, dilation: Ints) -> Any:
    """Each element gets the sum over the windows that hold it."""
    reach = _spread(window, dilation)
    before = [k - 1 - a for k, a in zip(reach, low, strict=True)]
    whole = zip(x.shape, _spread(g.shape, strides), reach, before, strict=True)
    behind = [n + k - 1 - m - a for n, m, k, a in whole]
    zeros = (0,) * x.ndim
    return ops.reduce_window(
        zero_pad(g, before, behind, [s - 1 for s in strides]),
        kind="sum",
        window=window,
        strides=(1,) * x.ndim,
        low=zeros,
        high=zeros,
        dilation=dilation,
    )


class _Stage:
    """One pass of a window along one axis, and how shares of a cotangent go back through it."""

    def __init__(self, axis: int, size: int, stride: int, dilation: int) -> None:
        self.axis, self.size, self.stride, self.dilation = axis, size, stride, dilation
        self.length: Any = None
        self.chosen: list[Any] = []

    def reduce(self, x: Any, counts: Any, kind: str) -> tuple[Any, Any]:
        """The extremes, and how many elements are equal to them."""
        ones = [1] * x.ndim
        sizes, strides, dilation = [*ones], [*ones], [*ones]
        sizes[self.axis], strides[self.axis] = self.size, self.stride
        dilation[self.axis] = self.dilation
        zeros = (0,) * x.ndim
        self.length = x.shape[self.axis]
        found = ops.reduce_window(
            x,
            kind=kind,
            window=tuple(sizes),
            strides=tuple(strides),
            low=zeros,
            high=zeros,
            dilation=tuple(dilation),
        )
        total, nothing = None, like(found, 0)
        for k in range(self.size):
            chosen = ops.equal(self._piece(x, k, found.shape), found)
            self.chosen.append(chosen)
            part = ops.select(chosen, self._piece(counts, k, found.shape), nothing)
            total = part if total is None else ops.add(total, part)
        return found, total

    def _piece(self, x: Any, k: int, shape: Shape) -> Any:
        """The k-th elements of all windows."""
        count: Any = shape[self.axis]
        start = k * self.dilation
        stop = start + (count - 1) * self.stride + 1
        return slice_axis(x, self.axis, start, stop, self.stride)

    def distribute(self, share: Any) -> Any:
        """Shares of the extremes to the elements that are equal to them."""
        total, nothing, count = None, like(share, 0), share.shape[self.axis]
        for k, chosen in enumerate(self.chosen):
            low, high, gaps = [0] * share.ndim, [0] * share.ndim, [0] * share.ndim
            low[self.axis], gaps[self.axis] = k * self.dilation, self.stride - 1
            last = k * self.dilation + (count - 1) * self.stride
            high[self.axis] = self.length - 1 - last
            part = zero_pad(ops.select(chosen, share, nothing), low, high, gaps)
            total = part if total is None else ops.add(total, part)
        return total


def _factors(n: int) -> list[int]:
    """The prime factors, ascending."""
    found, p = [], 2
    while n > 1:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found


def _stages(window: Ints, strides: Ints, dilation: Ints) -> list[_Stage]:
    """A window as a sequence of small ones: axis by axis, and by the factors of its sizes."""
    found = []
    for axis, (size, stride, step) in enumerate(zip(window, strides, dilation, strict=True)):
        parts = _factors(size) or [1]
        if (size, stride) == (1, 1):
            continue
        for part in parts[:-1]:
            found.append(_Stage(axis, part, 1, step))
            step *= part
        found.append(_Stage(axis, parts[-1], stride, step))
    return found


def _window_extreme(
    g: Any,
    x: Any,
    kind: str,
    window: Ints,
    strides: Ints,
    low: Ints,
    high: Ints,
    dilation: Ints,
) -> Any:
    """The elements of a window that are equal to its extreme share its cotangent equally."""
    none = (0,) * x.ndim
    outside = scalar(x.dtype, window_identity(kind, x.dtype))
    values = ops.pad(x, outside, low=low, high=high, interior=none)
    counts = zero_pad(like(x, 1), low, high, none)
    stages = _stages(window, strides, dilation)
    for stage in stages:
        values, counts = stage.reduce(values, counts, kind)
    share = ops.divide_or_zero(g, counts)
    for stage in reversed(stages):
        share = stage.distribute(share)
    return zero_pad(share, [-n for n in low], [-n for n in high], none)


partials(ops.reduce_window, _reduce_window)
