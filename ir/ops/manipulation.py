"""Ops that move elements and compute nothing: shapes, orders, pieces, borders."""

from __future__ import annotations

from builtins import slice as _slice
from itertools import accumulate
from typing import Any

import numpy as np

from plait.ir.errors import ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.rules import (
    check_axis,
    check_dtypes,
    check_length,
    check_tensors,
    size_of,
)
from plait.ir.types import Shape, TensorType, show_shape

__all__ = [
    "broadcast_to",
    "concat",
    "pad",
    "reshape",
    "slice_",
    "split",
    "stop_gradient",
    "transpose",
]

FAMILY = "manipulation"
VIEW = frozenset((Trait.DATA_MOVEMENT, Trait.CHEAP))
COPY = frozenset((Trait.DATA_MOVEMENT,))


def _infer_stop_gradient(x: Any) -> TensorType:
    check_tensors("stop_gradient", x)
    found: TensorType = x
    return found


def _stop_gradient_into(out: Any, x: Any) -> None:
    np.copyto(out, x)


stop_gradient = register(
    Op(
        name="stop_gradient",
        family=FAMILY,
        doc="x, as a constant to every derivative",
        infer=_infer_stop_gradient,
        reference=lambda x: x.view(),
        into=_stop_gradient_into,
        traits=VIEW | {Trait.ELEMENTWISE},
        overwrites=(0,),
        view=0,
    )
)


def _infer_broadcast_to(x: Any, *, shape: Shape) -> TensorType:
    check_tensors("broadcast_to", x)
    extra = len(shape) - x.ndim
    fits = extra >= 0 and all(
        a in (1, b) for a, b in zip(x.shape, shape[max(extra, 0) :], strict=False)
    )
    if not fits:
        raise ShapeError(
            f"broadcast_to: {x} does not stretch to shape {tuple(map(str, shape))}; aligned at "
            "the last axis, each size must be 1 or the wanted one".replace("'", "")
        )
    return TensorType(x.dtype, tuple(shape))


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    if x.ndim == 0 and x.dtype.kind in "fc":  # the derivative of a sum: in a third of the time
        view: Any = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        view.flags.writeable = False
        return view
    return np.broadcast_to(x, shape)


def _broadcast_into(out: Any, x: Any, *, shape: Shape) -> None:
    np.copyto(out, x)


broadcast_to = register(
    Op(
        name="broadcast_to",
        family=FAMILY,
        doc="x stretched to ``shape``, aligned at the last axis: sizes 1 and new axes repeat",
        infer=_infer_broadcast_to,
        reference=_broadcast_to,
        into=_broadcast_into,
        traits=VIEW,
        view=0,
    )
)


def _infer_reshape(x: Any, *, shape: Shape) -> TensorType:
    check_tensors("reshape", x)
    if any(type(d) is int and d < 0 for d in shape):
        raise ShapeError(f"reshape: sizes in {tuple(shape)} must not be negative")
    if size_of(x.shape) != size_of(shape):
        raise ShapeError(f"reshape: {x} and shape {show_shape(shape)} differ in number of elements")
    return TensorType(x.dtype, tuple(shape))


def _reshape(x: Any, *, shape: Any) -> Any:
    return x.reshape(shape)


def _reshape_into(out: Any, x: Any, *, shape: Any) -> None:
    np.copyto(out, x.reshape(shape))


reshape = register(
    Op(
        name="reshape",
        family=FAMILY,
        doc="the elements of x in row-major order, in another ``shape`` of equal size",
        infer=_infer_reshape,
        reference=_reshape,
        into=_reshape_into,
        traits=VIEW,
        view=0,
    )
)


def _infer_transpose(x: Any, *, permutation: tuple[int, ...]) -> TensorType:
    check_tensors("transpose", x)
    if sorted(permutation) != list(range(x.ndim)):
        raise ShapeError(
            f"transpose: {tuple(permutation)} is not a permutation of the {x.ndim} axes of {x}"
        )
    return TensorType(x.dtype, tuple([x.shape[i] for i in permutation]))


def _transpose(x: Any, *, permutation: tuple[int, ...]) -> Any:
    return x.transpose(permutation)


def _transpose_into(out: Any, x: Any, *, permutation: tuple[int, ...]) -> None:
    np.copyto(out, x.transpose(permutation))


transpose = register(
    Op(
        name="transpose",
        family=FAMILY,
        doc="axis i of the result is axis ``permutation[i]`` of x",
        infer=_infer_transpose,
        reference=_transpose,
        into=_transpose_into,
        traits=VIEW,
        view=0,
    )
)


def _infer_slice(
    x: Any, *, starts: tuple[int, ...], stops: Shape, steps: tuple[int, ...]
) -> TensorType:
    check_tensors("slice", x)
    for what, values in (("starts", starts), ("stops", stops), ("steps", steps)):
        check_length("slice", what, values, x.ndim)
    return TensorType(x.dtype, tuple(map(_sliced_size, x.shape, starts, stops, steps)))


def _sliced_size(size: Any, start: int, stop: Any, step: int) -> Any:
    if (start, stop, step) == (0, size, 1):
        return size
    if type(size) is not int or type(stop) is not int:
        raise ShapeError(
            f"slice: the symbolic size {size} can only be taken whole, got {start}:{stop}:{step}"
        )
    if step == 0:
        raise ShapeError("slice: a step must not be 0")
    taken = range(start, stop, step)
    if len(taken) and not (0 <= taken[0] < size and 0 <= taken[-1] < size):
        raise ShapeError(f"slice: {start}:{stop}:{step} leaves the range [0, {size})")
    return len(taken)


def _slice_reference(x: Any, *, starts: Any, stops: Any, steps: Any) -> Any:
    return x[(*map(_as_slice, starts, stops, steps), ...)]


def _as_slice(start: int, stop: int, step: int) -> _slice:
    if len(range(start, stop, step)) == 0:
        return _slice(0, 0)
    return _slice(start, stop if stop >= 0 else None, step)


def _slice_into(out: Any, x: Any, *, starts: Any, stops: Any, steps: Any) -> None:
    np.copyto(out, _slice_reference(x, starts=starts, stops=stops, steps=steps))


slice_ = register(
    Op(
        name="slice",
        family=FAMILY,
        doc="elements range(``starts``, ``stops``, ``steps``) of each axis, as Python's "
        "slice.indices gives them (a negative step that reaches 0 has stop -1)",
        infer=_infer_slice,
        reference=_slice_reference,
        into=_slice_into,
        traits=VIEW,
        view=0,
    )
)


def _infer_concat(*types: Any, axis: int) -> TensorType:
    if not types:
        raise ShapeError("concat: expected at least one operand")
    check_dtypes("concat", types)
    first: TensorType = types[0]
    check_axis("concat", axis, first.ndim)
    if any(_without(t.shape, axis) != _without(first.shape, axis) for t in types):
        shown = " and ".join(map(str, types))
        raise ShapeError(f"concat: {shown} differ in another axis than {axis}")
    sizes = [t.shape[axis] for t in types]
    if len(types) > 1 and not all(type(d) is int for d in sizes):
        raise ShapeError(f"concat: axis {axis} is symbolic in {' and '.join(map(str, types))}")
    joined = sizes[0] if len(sizes) == 1 else sum(sizes)
    return first.with_shape((*first.shape[:axis], joined, *first.shape[axis + 1 :]))


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], "", *shape[axis + 1 :])  # type: ignore[arg-type]


def _concat(*arrays: Any, axis: int) -> Any:
    return np.concatenate(arrays, axis=axis)


def _concat_into(out: Any, *arrays: Any, axis: int) -> None:
    np.concatenate(arrays, axis=axis, out=out)


concat = register(
    Op(
        name="concat",
        family=FAMILY,
        doc="the operands one after the other along ``axis``",
        infer=_infer_concat,
        reference=_concat,
        into=_concat_into,
        traits=COPY,
    )
)


def _infer_split(x: Any, *, sizes: tuple[int, ...], axis: int) -> tuple[TensorType, ...]:
    check_tensors("split", x)
    check_axis("split", axis, x.ndim)
    if any(n < 0 for n in sizes) or sum(sizes) != x.shape[axis]:
        raise ShapeError(f"split: sizes {tuple(sizes)} do not add up to axis {axis} of {x}")
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    return tuple([x.with_shape((*before, n, *after)) for n in sizes])


def _split(x: Any, *, sizes: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    ends = list(accumulate(sizes))
    return tuple([np.array(piece, order="C") for piece in np.split(x, ends[:-1], axis)])


def _split_into(out: Any, x: Any, *, sizes: tuple[int, ...], axis: int) -> None:
    pieces = out if type(out) is tuple else (out,)
    before = (_slice(None),) * axis
    for piece, size, end in zip(pieces, sizes, accumulate(sizes), strict=True):
        np.copyto(piece, x[(*before, _slice(end - size, end))])


split = register(
    Op(
        name="split",
        family=FAMILY,
        doc="consecutive pieces of ``sizes`` along ``axis``, each in a buffer of its own",
        infer=_infer_split,
        reference=_split,
        into=_split_into,
        traits=COPY,
    )
)


def _infer_pad(
    x: Any,
    value: Any,
    *,
    low: tuple[int, ...],
    high: tuple[int, ...],
    interior: tuple[int, ...],
) -> TensorType:
    check_dtypes("pad", (x, value))
    if value.shape != ():
        raise ShapeError(f"pad: the padding value must be 0-d, got {value}")
    for what, amounts in (("low", low), ("high", high), ("interior", interior)):
        check_length("pad", f"{what} amounts", amounts, x.ndim)
        if any(n < 0 for n in amounts):
            raise ShapeError(f"pad: {what} amounts {amounts} must not be negative")
    return TensorType(x.dtype, tuple(map(_padded_size, x.shape, low, high, interior)))


def _padded_size(size: Any, low: int, high: int, interior: int) -> Any:
    if low == high == interior == 0:
        return size
    if type(size) is not int:
        raise ShapeError(f"pad: the symbolic size {size} cannot be padded")
    return low + size + max(size - 1, 0) * interior + high


def _pad(x: Any, value: Any, *, low: Any, high: Any, interior: Any) -> Any:
    out = np.empty(tuple(map(_padded_size, x.shape, low, high, interior)), x.dtype)
    _pad_into(out, x, value, low=low, high=high, interior=interior)
    return out


def _pad_into(out: Any, x: Any, value: Any, *, low: Any, high: Any, interior: Any) -> None:
    out[...] = value
    stops = [size - n for size, n in zip(out.shape, high, strict=True)]
    out[tuple([_slice(a, b, n + 1) for a, b, n in zip(low, stops, interior, strict=True)])] = x


pad = register(
    Op(
        name="pad",
        family=FAMILY,
        doc="x with ``low`` and ``high`` elements of a value around each axis and ``interior`` "
        "ones between neighbors",
        infer=_infer_pad,
        reference=_pad,
        into=_pad_into,
        traits=COPY,
    )
)
