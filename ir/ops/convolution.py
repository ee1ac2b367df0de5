"""Windows that slide over axes: convolution and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.elementwise import DOMAINS
from plait.ir.ops.rules import check_dtypes, check_length, check_tensors
from plait.ir.types import DType, TensorType, bfloat16, float16, is_bool, is_floating

__all__ = ["convolution", "reduce_window"]

FAMILY = "convolution"
KINDS = ("max", "min", "sum")
Numbers = tuple[int, ...]


def spread(size: int, dilation: int) -> int:
    """The size of ``size`` elements with ``dilation - 1`` gaps between neighbors."""
    return (size - 1) * dilation + 1 if size > 0 else 0


def window_count(size: int, window: int, stride: int, low: int, high: int) -> int:
    """How many windows fit along an axis."""
    return max((size + low + high - window) // stride + 1, 0)


def _window_size(
    name: str, n: Any, window: Any, stride: int, low: int, high: int, spaced: int = 1
) -> Any:
    """Size of the result along an axis; a symbolic one only where nothing slides."""
    if type(n) is int and type(window) is int:
        return window_count(spread(n, spaced), window, stride, low, high)
    if (window, stride, low, high, spaced) == (1, 1, 0, 0, 1):
        return n
    raise ShapeError(f"{name}: no window can slide over the symbolic size {n}")


def _check_positive(name: str, what: str, values: Numbers, rank: int) -> None:
    check_length(name, what, values, rank)
    if any(v < 1 for v in values):
        raise ShapeError(f"{name}: {what} {values} must be positive")


def infer_convolution(
    x: Any,
    kernel: Any,
    *,
    strides: Numbers,
    low: Numbers,
    high: Numbers,
    dilation: Numbers,
    input_dilation: Numbers,
    groups: int = 1,
) -> TensorType:
    """Shape [n, o, *sizes] for x [n, c, *sizes] and kernel [o, c / groups, *sizes].

    ``low`` and ``high`` zeros stand before and behind each spatial axis (negative: elements are
    cut), ``input_dilation - 1`` zeros between elements of x, ``dilation - 1`` between those of the
    kernel. Channels are convolved in ``groups`` independent groups.
    """
    name = "convolution"
    check_dtypes(name, (x, kernel))
    accepts, wanted = DOMAINS["numeric"]
    if not accepts(x.dtype):
        raise DTypeError(f"{name}: expected {wanted}, got {x.dtype.name} in {x}")
    rank = x.ndim - 2
    if rank < 0 or kernel.ndim != x.ndim:
        raise ShapeError(f"{name}: expected x [n, c, ...] and a kernel of that rank: {x}, {kernel}")
    for what, values in (
        ("strides", strides), ("dilation", dilation), ("input_dilation", input_dilation)
    ):  # fmt: skip
        _check_positive(name, what, values, rank)
    check_length(name, "low", low, rank)
    check_length(name, "high", high, rank)
    if groups < 1 or kernel.shape[0] % groups or kernel.shape[1] * groups != x.shape[1]:
        raise ShapeError(f"{name}: channels of {x} and {kernel} do not fit {groups} group(s)")
    spatial = [
        _window_size(name, n, spread(k, d), s, before, after, gaps)
        for n, k, s, d, gaps, before, after in zip(
            x.shape[2:], kernel.shape[2:], strides, dilation, input_dilation, low, high, strict=True
        )
    ]
    return TensorType(x.dtype, (x.shape[0], kernel.shape[0], *spatial))


def _padded(x: Any, low: Numbers, high: Numbers, gaps: Numbers, value: Any) -> Any:
    """The trailing axes of x with gaps between elements and borders; negative borders cut."""
    lead = x.ndim - len(low)
    if all(v == 1 for v in gaps) and not any(low) and not any(high):
        return x
    sizes = [spread(n, g) for n, g in zip(x.shape[lead:], gaps, strict=True)]
    wide = np.full((*x.shape[:lead], *sizes), value, x.dtype)
    apart: Any = (..., *[slice(None, None, g) for g in gaps])
    wide[apart] = x
    outer = [
        (max(a, 0), max(b, 0)) for a, b in zip((0,) * lead + low, (0,) * lead + high, strict=True)
    ]
    wide = np.pad(wide, outer, constant_values=value)
    cut: Any = [
        slice(max(-a, 0), max(n - max(-b, 0), 0))
        for a, b, n in zip(low, high, wide.shape[lead:], strict=True)
    ]
    return wide[(..., *cut)]


def _windows(x: Any, counts: Numbers, sizes: Any, strides: Numbers, dilation: Numbers) -> Any:
    """A view of the windows over the trailing axes: [..., *counts, *sizes]."""
    lead = x.ndim - len(counts)
    steps = x.strides[lead:]
    moves = [n * s for n, s in zip(steps, strides, strict=True)]
    inner = [n * d for n, d in zip(steps, dilation, strict=True)]
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:lead], *counts, *sizes), (*x.strides[:lead], *moves, *inner), writeable=False
    )


def _convolution(
    x: Any,
    kernel: Any,
    *,
    strides: Numbers,
    low: Numbers,
    high: Numbers,
    dilation: Numbers,
    input_dilation: Numbers,
    groups: int = 1,
) -> Any:
    dtype = x.dtype
    if dtype == float16 or dtype == bfloat16:
        x, kernel = x.astype(np.float32), kernel.astype(np.float32)
    x = _padded(x, low, high, input_dilation, 0)
    sizes, rank = kernel.shape[2:], len(strides)
    counts = tuple([
        window_count(n, spread(k, d), s, 0, 0)
        for n, k, s, d in zip(x.shape[2:], sizes, strides, dilation, strict=True)
    ])  # fmt: skip
    n, c, o = x.shape[0], x.shape[1], kernel.shape[0]
    if 0 in (n, c, o, *counts, *sizes):
        return np.zeros((n, o, *counts), dtype)
    windows = _windows(x, counts, sizes, strides, dilation)
    windows = windows.reshape(n, groups, c // groups, *windows.shape[2:])
    # Rows are places of the result, columns what a window holds: one matrix product a group.
    order = (1, 0, *range(3, 3 + rank), 2, *range(3 + rank, 3 + 2 * rank))
    columns = windows.transpose(order).reshape(groups, n * math.prod(counts), -1)
    weights = kernel.reshape(groups, o // groups, -1).transpose(0, 2, 1)
    found = np.matmul(columns, weights).reshape(groups, n, *counts, o // groups)
    back = (1, 0, 2 + rank, *range(2, 2 + rank))
    return np.asarray(found.transpose(back).reshape(n, o, *counts), dtype, order="C")


def _convolution_into(out: Any, x: Any, kernel: Any, **attributes: Any) -> None:
    out[...] = _convolution(x, kernel, **attributes)


def _convolution_flops(operands: Any, results: Any, **_: Any) -> int:
    inner: int = math.prod(operands[1].shape[1:])
    return 2 * int(results[0].size) * inner


convolution = register(
    Op(
        name="convolution",
        family=FAMILY,
        doc="y[n, o, p] = sum over c, k of x[n, c, strides * p + dilation * k - low] * "
        "kernel[o, c, k]: cross-correlation, channels first, zeros outside of x",
        infer=infer_convolution,
        reference=_convolution,
        into=_convolution_into,
        traits=frozenset((Trait.CONTRACTION,)),
        flops=_convolution_flops,
    )
)


def infer_reduce_window(
    x: Any,
    *,
    kind: str,
    window: Numbers,
    strides: Numbers,
    low: Numbers,
    high: Numbers,
    dilation: Numbers,
) -> TensorType:
    """One element for each place of the window; every attribute but ``kind`` has an entry an axis.

    ``low`` and ``high`` identity elements stand before and behind each axis; neighbors in the
    window are ``dilation`` apart, neighboring windows ``strides``.
    """
    name = "reduce_window"
    check_tensors(name, x)
    if kind not in KINDS:
        raise UnknownNameError(f"{name}: unknown kind {kind!r}; kinds: {', '.join(KINDS)}")
    accepts, wanted = DOMAINS["numeric" if kind == "sum" else "ordered"]
    if not accepts(x.dtype):
        raise DTypeError(f"{name}: {kind} expects {wanted}, got {x.dtype.name} in {x}")
    for what, values in (("window", window), ("strides", strides), ("dilation", dilation)):
        _check_positive(name, what, values, x.ndim)
    for what, values in (("low", low), ("high", high)):
        check_length(name, what, values, x.ndim)
        if any(v < 0 for v in values):
            raise ShapeError(f"{name}: {what} {values} must not be negative")
    shape = [
        _window_size(name, n, spread(w, d), s, before, after)
        for n, w, s, d, before, after in zip(
            x.shape, window, strides, dilation, low, high, strict=True
        )
    ]
    return TensorType(x.dtype, tuple(shape))


_UFUNCS: dict[str, np.ufunc] = {"max": np.maximum, "min": np.minimum, "sum": np.add}


def window_identity(kind: str, dtype: DType) -> Any:
    """What a window holds outside of x."""
    if kind == "sum":
        return 0
    if is_bool(dtype):
        return kind == "min"
    if is_floating(dtype):
        return -np.inf if kind == "max" else np.inf
    limits = np.iinfo(dtype)
    return limits.min if kind == "max" else limits.max


def _reduce_window(
    x: Any,
    *,
    kind: str,
    window: Numbers,
    strides: Numbers,
    low: Numbers,
    high: Numbers,
    dilation: Numbers,
) -> Any:
    dtype, ufunc = x.dtype, _UFUNCS[kind]
    if dtype == float16 or dtype == bfloat16:
        x = x.astype(np.float32)
    found = _padded(x, low, high, (1,) * x.ndim, window_identity(kind, dtype))
    for axis, (size, stride, step) in enumerate(zip(window, strides, dilation, strict=True)):
        found = _reduce_axis(ufunc, found, axis, size, stride, step)
    return np.array(found, dtype, order="C")


def _reduce_axis(ufunc: np.ufunc, x: Any, axis: int, size: int, stride: int, step: int) -> Any:
    """Slide along one axis: windows are boxes, so the axes can be reduced one by one."""
    if (size, stride) == (1, 1):
        return x
    count = window_count(x.shape[axis], spread(size, step), stride, 0, 0)
    reach = (count - 1) * stride + 1 if count else 0
    head = (slice(None),) * axis
    pieces = [x[(*head, slice(k * step, k * step + reach, stride))] for k in range(size)]
    found = pieces[0]
    for piece in pieces[1:]:
        found = ufunc(found, piece)
    return found


def _reduce_window_into(out: Any, x: Any, **attributes: Any) -> None:
    out[...] = _reduce_window(x, **attributes)


reduce_window = register(
    Op(
        name="reduce_window",
        family=FAMILY,
        doc="the maximum, minimum or sum (``kind``) of the elements in each window over x",
        infer=infer_reduce_window,
        reference=_reduce_window,
        into=_reduce_window_into,
        traits=frozenset((Trait.REDUCTION,)),
        flops=lambda operands, results, *, window, **_: results[0].size * math.prod(window),
    )
)
