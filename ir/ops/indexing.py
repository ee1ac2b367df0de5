"""Indexing ops: gather, scatter and slices at run-time positions; positions clamp, as in XLA."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, ShapeError, UnknownNameError
from plait.ir.op import Op, Trait, register
from plait.ir.ops.rules import check_dtypes, check_same, check_tensors
from plait.ir.types import (
    Shape,
    TensorType,
    bfloat16,
    float16,
    is_bool,
    is_complex,
    is_integer,
    uint64,
)

__all__ = ["dynamic_slice", "dynamic_update_slice", "gather", "scatter"]

FAMILY = "indexing"
MODES = ("set", "add", "mul", "min", "max")


# Gather and scatter name the same elements of an operand x by index arrays, one for each of
# ``axes``. The first ``batch`` axes of x and of the index arrays run together. The dimensions of
# the index arrays take the place of the first of ``axes`` in the picked array.
def picked_shape(name: str, x: Any, indices: tuple[Any, ...], axes: Any, batch: int) -> Shape:
    """Shape of what ``gather`` picks from ``x``, all operands checked.

    Raises
    ------
    ShapeError
        Axes, batch or shapes do not fit together.
    DTypeError
        The indices are not integers.
    """
    check_tensors(name, x, *indices)
    if not axes or len(axes) != len(indices):
        raise ShapeError(f"{name}: expected one index array for each of axes {axes}")
    if any(a >= b for a, b in pairwise(axes)):
        raise ShapeError(f"{name}: axes {axes} must ascend")
    if not 0 <= batch <= axes[0] or axes[-1] >= x.ndim:
        raise ShapeError(f"{name}: axes {axes} are not axes of {x} after {batch} batch axes")
    index = check_same(name, indices)
    if not is_integer(index.dtype):
        raise DTypeError(f"{name}: indices must be integers, got {index}")
    if index.shape[:batch] != x.shape[:batch]:
        raise ShapeError(f"{name}: the first {batch} axes of {x} and of indices {index} differ")
    place, picked = index.shape[batch:], index.shape
    for axis in axes:
        if x.shape[axis] == 0 and 0 not in picked:
            raise ShapeError(f"{name}: axis {axis} of {x} has no elements to index")
    kept = [a for a in range(batch, x.ndim) if a not in axes]
    before = tuple([x.shape[a] for a in kept if a < axes[0]])
    after = tuple([x.shape[a] for a in kept if a > axes[0]])
    return x.shape[:batch] + before + place + after  # type: ignore[no-any-return]


def _front(ndim: int, axes: tuple[int, ...], batch: int) -> tuple[int, ...]:
    """The order of x's axes that puts batch axes and ``axes`` first."""
    kept = [a for a in range(batch, ndim) if a not in axes]
    return (*range(batch), *axes, *kept)


def _picked_front(ndim: int, axes: tuple[int, ...], batch: int, index_ndim: int) -> Any:
    """The order of the picked array's axes that puts those of the index arrays first."""
    before = axes[0] - batch
    places = range(batch + before, index_ndim + before)
    total = ndim - len(axes) + index_ndim - batch
    kept = [a for a in range(batch, total) if a not in places]
    return (*range(batch), *places, *kept)


def _clamp(index: Any, size: int) -> Any:
    if index.dtype == uint64:
        index = np.minimum(index, np.uint64(max(size - 1, 0)))
    return np.clip(np.asarray(index, np.intp, order="C"), 0, max(size - 1, 0))


def _key(x: Any, indices: Any, axes: tuple[int, ...], batch: int) -> tuple[Any, ...]:
    """What indexes x, its axes in the order of ``_front``, to reach the named elements."""
    ndim = indices[0].ndim
    lines = [
        np.arange(x.shape[b]).reshape([-1 if i == b else 1 for i in range(ndim)])
        for b in range(batch)
    ]
    return (*lines, *[_clamp(i, x.shape[a]) for a, i in zip(axes, indices, strict=True)])


def infer_gather(x: Any, *indices: Any, axes: tuple[int, ...], batch: int = 0) -> TensorType:
    """The picked elements, in the operand's dtype.

    There is one index array for each of ``axes``, all of one shape. The first ``batch`` axes of x
    and of the index arrays run together; the others of the index arrays stand in the result where
    the first of ``axes`` stood.
    """
    shape = picked_shape("gather", x, indices, axes, batch)
    return TensorType(x.dtype, shape)


def _gather(x: Any, *indices: Any, axes: tuple[int, ...], batch: int = 0) -> Any:
    if len(axes) == 1 and batch == 0:
        return np.take(x, _clamp(indices[0], x.shape[axes[0]]), axis=axes[0])
    picked = x.transpose(_front(x.ndim, axes, batch))[_key(x, indices, axes, batch)]
    order = _picked_front(x.ndim, axes, batch, indices[0].ndim)
    return np.asarray(picked.transpose(np.argsort(order)), order="C")


def _gather_into(out: Any, x: Any, *indices: Any, axes: tuple[int, ...], batch: int = 0) -> None:
    if len(axes) == 1 and batch == 0:
        # With a mode other than "raise", NumPy writes into ``out`` without a buffer between.
        np.take(x, _clamp(indices[0], x.shape[axes[0]]), axis=axes[0], out=out, mode="clip")
    else:
        out[...] = _gather(x, *indices, axes=axes, batch=batch)


gather = register(
    Op(
        name="gather",
        family=FAMILY,
        doc="x[..., indices, ...]: the elements at index arrays along ``axes``; indices clamp",
        infer=infer_gather,
        reference=_gather,
        into=_gather_into,
        traits=frozenset((Trait.DATA_MOVEMENT,)),
    )
)


def infer_scatter(
    x: Any,
    updates: Any,
    *indices: Any,
    axes: tuple[int, ...],
    batch: int = 0,
    mode: str = "set",
    unique: bool = False,
) -> TensorType:
    """The operand's type; updates have the shape that ``gather`` would pick.

    ``axes`` and ``batch`` are those of ``gather``; ``mode`` is set, add, mul, min or max.
    """
    if mode not in MODES:
        raise UnknownNameError(f"scatter: unknown mode {mode!r}; modes: {', '.join(MODES)}")
    check_dtypes("scatter", (x, updates))
    if mode in ("min", "max") and is_complex(x.dtype):
        raise DTypeError(f"scatter: mode {mode!r} needs an order, which {x.dtype.name} lacks")
    if mode in ("add", "mul") and is_bool(x.dtype):
        raise DTypeError(f"scatter: mode {mode!r} needs numbers; use 'max' or 'min' for bool")
    shape = picked_shape("scatter", x, indices, axes, batch)
    if updates.shape != shape:
        wanted = TensorType(x.dtype, shape)
        raise ShapeError(f"scatter: expected updates {wanted}, got {updates}")
    return TensorType(x.dtype, x.shape)


_UFUNCS: dict[str, np.ufunc] = {
    "add": np.add,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}


def _scatter_into(
    out: Any,
    x: Any,
    updates: Any,
    *indices: Any,
    axes: tuple[int, ...],
    batch: int = 0,
    mode: str = "set",
    unique: bool = False,
) -> None:
    if out is not x:
        np.copyto(out, x)
    target = out.transpose(_front(x.ndim, axes, batch))
    key = _key(x, indices, axes, batch)
    # NumPy visits elements in the order of memory: C order makes the last duplicate win.
    order = _picked_front(x.ndim, axes, batch, indices[0].ndim)
    values = np.asarray(updates.transpose(order), order="C")
    if mode == "set":
        target[key] = values
    elif unique:
        target[key] = _UFUNCS[mode](target[key], values)
    elif x.dtype == float16 or x.dtype == bfloat16:
        wide = target.astype(np.float32)
        _UFUNCS[mode].at(wide, key, values.astype(np.float32))
        target[...] = wide.astype(x.dtype)
    else:
        _UFUNCS[mode].at(target, key, values)


def _scatter(x: Any, updates: Any, *indices: Any, **attributes: Any) -> Any:
    out = x.copy(order="C")
    _scatter_into(out, out, updates, *indices, **attributes)
    return out


scatter = register(
    Op(
        name="scatter",
        family=FAMILY,
        doc="x with updates set, added, ... at index arrays along ``axes``, in order: the last of "
        "``set`` wins; indices clamp; ``unique`` promises that none repeats",
        infer=infer_scatter,
        reference=_scatter,
        into=_scatter_into,
        overwrites=(0,),
        flops=lambda operands, results, mode="set", **_: 0 if mode == "set" else operands[1].size,
    )
)


def _check_starts(name: str, x: Any, starts: tuple[Any, ...], sizes: Shape) -> None:
    check_tensors(name, x, *starts)
    if len(starts) != x.ndim or len(sizes) != x.ndim:
        raise ShapeError(
            f"{name}: {x} needs {x.ndim} starts and sizes, got {len(starts)} and {len(sizes)}"
        )
    if starts:
        start = check_same(name, starts)
        if not is_integer(start.dtype) or start.shape != ():
            raise DTypeError(f"{name}: starts must be 0-d integers, got {start}")
    for axis, (size, whole) in enumerate(zip(sizes, x.shape, strict=True)):
        if size != whole and not (type(size) is type(whole) is int and 0 <= size <= whole):
            raise ShapeError(f"{name}: size {size} does not fit axis {axis} of {x}")


def _window(x: Any, starts: Any, sizes: Any) -> tuple[slice, ...]:
    """The clamped region as slices."""
    first = [
        min(max(int(i), 0), n - size) for i, n, size in zip(starts, x.shape, sizes, strict=True)
    ]
    return tuple([slice(i, i + size) for i, size in zip(first, sizes, strict=True)])


def infer_dynamic_slice(x: Any, *starts: Any, sizes: Shape) -> TensorType:
    """A tensor of ``sizes``."""
    _check_starts("dynamic_slice", x, starts, sizes)
    return TensorType(x.dtype, tuple(sizes))


def _dynamic_slice(x: Any, *starts: Any, sizes: Shape) -> Any:
    return x[_window(x, starts, sizes)].copy()


def _dynamic_slice_into(out: Any, x: Any, *starts: Any, sizes: Shape) -> None:
    out[...] = x[_window(x, starts, sizes)]


dynamic_slice = register(
    Op(
        name="dynamic_slice",
        family=FAMILY,
        doc="x[start:start + size] along every axis; starts clamp so that the region lies inside",
        infer=infer_dynamic_slice,
        reference=_dynamic_slice,
        into=_dynamic_slice_into,
        traits=frozenset((Trait.DATA_MOVEMENT, Trait.CHEAP)),
    )
)


def infer_dynamic_update_slice(x: Any, update: Any, *starts: Any) -> TensorType:
    """The operand's type."""
    check_dtypes("dynamic_update_slice", (x, update))
    if update.ndim != x.ndim:
        raise ShapeError(f"dynamic_update_slice: operand {x} and update {update} differ in rank")
    _check_starts("dynamic_update_slice", x, starts, update.shape)
    return TensorType(x.dtype, x.shape)


def _dynamic_update_slice_into(out: Any, x: Any, update: Any, *starts: Any) -> None:
    if out is not x:
        np.copyto(out, x)
    out[_window(x, starts, update.shape)] = update


def _dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    out = x.copy(order="C")
    _dynamic_update_slice_into(out, out, update, *starts)
    return out


dynamic_update_slice = register(
    Op(
        name="dynamic_update_slice",
        family=FAMILY,
        doc="x with the region that begins at starts replaced by update; starts clamp so that the "
        "region lies inside",
        infer=infer_dynamic_update_slice,
        reference=_dynamic_update_slice,
        into=_dynamic_update_slice_into,
        traits=frozenset((Trait.DATA_MOVEMENT,)),
        overwrites=(0,),
    )
)
