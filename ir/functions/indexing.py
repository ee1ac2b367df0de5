"""Indexing as NumPy's, functional: reading and replacing elements by keys and by index arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError, TraceError, UnknownNameError
from plait.ir.functions.axes import as_array, is_traced
from plait.ir.functions.keys import Array, Entry, Integer, Key, Mask, NewAxis, Slice, parse_key
from plait.ir.functions.payload import (
    broadcast_shapes,
    broadcast_to,
    cast,
    dtype_of,
    wide_payload,
)
from plait.ir.types import DType, Shape, int32, int64, is_bool, is_complex

__all__ = ["getitem", "setitem"]

_COMBINE = {"add": "add", "mul": "multiply", "min": "minimum", "max": "maximum"}


def getitem(x: Any, key: Any) -> Any:
    """``x[key]`` with NumPy's meaning: slices, integers, ellipsis, None, integer and bool arrays.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    key : index or tuple of indices
        Integers may be negative; integers and integer arrays may be tensors.

    Returns
    -------
    Tensor
        The elements that the key names, in the dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range, there are too many, or a part of the key is no index.
    DTypeError
        A slice's bound that is no integer.
    TraceError
        A mask, or a slice's bound, that is computed in a graph: the shape would depend on it.

    Examples
    --------
    >>> pl.getitem([[1, 2, 3], [4, 5, 6]], (slice(None), [2, 0]))
    pl.Tensor([[3, 1],
               [6, 4]], dtype=int32, shape=(2, 2))
    """
    x, parsed = parse_key(as_array(x), key)
    if parsed.masks:
        raise TraceError(
            "x[mask] with a mask that is computed while tracing has no known shape; use "
            "where(mask, x, y), or nonzero(mask, size=...) for positions"
        )
    found = _take_basic(x, parsed.entries)
    return _take_arrays(found, parsed) if parsed.arrays else found


def _take_basic(x: Any, entries: tuple[Entry, ...]) -> Any:
    """Apply slices, integers and new axes; axes with index arrays are kept whole."""
    shape = x.shape
    x = _take_dynamic(_take_static(x, entries), entries)
    kept = tuple([_size(e, shape) for e in entries if type(e) is not Integer])
    return x if x.shape == kept else ops.reshape(x, shape=kept)


def _size(entry: Entry, shape: Shape) -> Any:
    if type(entry) is NewAxis:
        return 1
    return entry.size if type(entry) is Slice else shape[entry.axis]  # type: ignore[union-attr]


def _take_static(x: Any, entries: tuple[Entry, ...]) -> Any:
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    for e in entries:
        if type(e) is Slice:
            starts[e.axis], stops[e.axis], steps[e.axis] = e.start, e.stop, e.step
        elif type(e) is Integer and type(e.position) is int:
            starts[e.axis], stops[e.axis] = e.position, e.position + 1
    whole = not any(starts) and tuple(stops) == x.shape and all(s == 1 for s in steps)
    if whole:
        return x
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))


def _take_dynamic(x: Any, entries: tuple[Entry, ...]) -> Any:
    traced = {
        e.axis: e.position for e in entries if type(e) is Integer and type(e.position) is not int
    }
    if not traced:
        return x
    starts = _starts([traced.get(axis, 0) for axis in range(x.ndim)])
    sizes = tuple([1 if axis in traced else n for axis, n in enumerate(x.shape)])
    return ops.dynamic_slice(x, *starts, sizes=sizes)


def _starts(positions: list[Any]) -> list[Any]:
    """Positions, ints or payloads, as payloads of one dtype."""
    dtype = _common_dtype(positions)
    return [np.asarray(p, dtype) if type(p) is int else cast(p, dtype) for p in positions]


def _common_dtype(positions: list[Any]) -> DType:
    """int32 when that holds all positions and one of them is of that dtype, else int64."""
    computed = {dtype_of(p) for p in positions if is_traced(p)}
    known = [p for p in positions if not is_traced(p)]
    if computed != {int32}:
        return int64
    return int32 if all(np.max(p, initial=0) < 2**31 for p in known) else int64


def _take_arrays(x: Any, key: Key) -> Any:
    """Apply the index arrays to what ``_take_basic`` gave."""
    kept = [e for e in key.entries if type(e) is not Integer]
    axes = tuple([i for i, e in enumerate(kept) if type(e) is Array])
    shape = key.index_shape()
    found = ops.gather(x, *_index_arrays([a.positions for a in key.arrays], shape), axes=axes)
    place, count = key.place, len(shape)
    if place == axes[0]:
        return found
    order = list(range(found.ndim))
    block, rest = order[axes[0] : axes[0] + count], order[: axes[0]] + order[axes[0] + count :]
    return ops.transpose(found, permutation=(*rest[:place], *block, *rest[place:]))


def _index_arrays(positions: list[Any], shape: Shape) -> list[Any]:
    dtype = _common_dtype(positions)
    return [broadcast_to(cast(p, dtype), shape) for p in positions]


def setitem(x: Any, key: Any, value: Any, mode: str = "set") -> Any:
    """A copy of ``x`` in which the elements at ``key`` are replaced by ``value``.

    Parameters
    ----------
    x : array_like
        Any dtype and shape.
    key : index or tuple of indices
        As for ``getitem``; a boolean mask may be computed in a graph.
    value : array_like
        Cast to the dtype of ``x`` and broadcast to the shape of ``x[key]``.
    mode : {"set", "add", "mul", "min", "max"}
        What to do with the old element and the value. Where the key names an element several
        times, ``"set"`` keeps the last value and the others combine all of them.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``.

    Raises
    ------
    IndexOutOfRangeError
        An index is out of range, there are too many, or a part of the key is no index.
    ShapeError
        The value does not broadcast to the shape of ``x[key]``.
    DTypeError
        A complex value for a real ``x``, or a slice's bound that is no integer.

    Examples
    --------
    >>> pl.setitem([1, 2, 3, 4], slice(None, None, 2), 0)
    pl.Tensor([0, 2, 0, 4], dtype=int32, shape=(4,))
    >>> pl.setitem([0, 0, 0], [1, 1, 2], 1, mode="add")
    pl.Tensor([0, 2, 1], dtype=int32, shape=(3,))
    """
    if mode != "set" and mode not in _COMBINE:
        raise UnknownNameError(f"setitem: unknown mode {mode!r}; modes: set, {', '.join(_COMBINE)}")
    x = as_array(x)
    shape = x.shape
    value = _value(value, x.dtype)
    _, parsed = parse_key(x, key, keep_masks=True)
    if parsed.masks and _is_uniform(parsed, value):
        return _set_masked(x, parsed, value, mode)
    if any(is_traced(m.mask) for m in parsed.masks):
        raise TraceError(
            "a mask that is computed while tracing may only stand beside whole slices, and its "
            "value must be one for all elements; use where(mask, value, x)"
        )
    if parsed.masks:
        x, parsed = parse_key(x, key)
    strided = any(type(e) is Slice and abs(e.step) != 1 for e in parsed.entries)
    if parsed.arrays or strided:
        result = _set_scattered(x, parsed, value, mode)
    else:
        result = _set_region(x, parsed, value, mode)
    return result if result.shape == shape else ops.reshape(result, shape=shape)


def _value(value: Any, dtype: DType) -> Any:
    payload = wide_payload(value)
    if is_complex(dtype_of(payload)) and not is_complex(dtype):
        raise DTypeError(f"setitem: a complex value does not fit dtype {dtype.name}; take its real")
    return cast(payload, dtype)


def _fit(value: Any, shape: Shape) -> Any:
    """The value broadcast to ``shape``; leading axes of size 1 too many are dropped, as NumPy."""
    extra = value.ndim - len(shape)
    if extra > 0 and all(d == 1 for d in value.shape[:extra]):
        value = ops.reshape(value, shape=value.shape[extra:])
    if value.ndim > len(shape) or broadcast_shapes("setitem", shape, value.shape) != shape:
        raise ShapeError(
            f"setitem: a value of shape {value.shape} does not fit the indexed shape {shape}"
        )
    return broadcast_to(value, shape)


def _combined(mode: str, old: Any, new: Any) -> Any:
    if mode == "set":
        return new
    if is_bool(old.dtype) and mode in ("add", "mul"):
        raise DTypeError(f"setitem: mode {mode!r} needs numbers; use 'max' or 'min' for bool")
    return getattr(ops, _COMBINE[mode])(old, new)


def _is_uniform(key: Key, value: Any) -> bool:
    """Whether one mask stands beside whole slices only and all it selects gets the same value."""
    others = [e for e in key.entries if type(e) is not Mask]
    whole = all(type(e) is Slice and e.whole for e in others)
    if not whole or len(key.masks) != 1:
        return False
    end = key.masks[0].axis + key.masks[0].mask.ndim
    behind = sum(e.axis >= end for e in others if type(e) is Slice)
    return bool(value.ndim <= behind or value.shape[value.ndim - behind - 1] == 1)


def _set_masked(x: Any, key: Key, value: Any, mode: str) -> Any:
    entry = key.masks[0]
    ones = (1,) * entry.mask.ndim
    behind = x.ndim - entry.axis - entry.mask.ndim
    if value.ndim > behind:
        at = value.ndim - behind
        value = ops.reshape(value, shape=(*value.shape[: at - 1], *ones, *value.shape[at:]))
    new = _combined(mode, x, _fit(value, x.shape))
    mask = ops.reshape(entry.mask, shape=(*entry.mask.shape, *(1,) * behind))
    return ops.select(broadcast_to(mask, x.shape), new, x)


def _set_region(x: Any, key: Key, value: Any, mode: str) -> Any:
    """Replace a box of neighbors: every slice has step 1 or -1."""
    kept = [e for e in key.entries if type(e) is not Integer]
    shape = tuple([_size(e, x.shape) for e in kept])
    value = _fit(value, shape)
    if 0 in shape:
        return x
    backward = [type(e) is Slice and e.step < 0 for e in kept]
    if any(backward):
        value = _flipped(value, backward)
    starts: list[Any] = [0] * x.ndim
    sizes: list[Any] = [1] * x.ndim
    for e in key.entries:
        if type(e) is Integer:
            starts[e.axis] = e.position
        elif type(e) is Slice:
            starts[e.axis] = e.start if e.step > 0 else e.start - e.size + 1
            sizes[e.axis] = e.size
    starts, region = _starts(starts), tuple(sizes)
    value = ops.reshape(value, shape=region) if value.shape != region else value
    if mode != "set":
        value = _combined(mode, ops.dynamic_slice(x, *starts, sizes=region), value)
    return ops.dynamic_update_slice(x, value, *starts)


def _flipped(x: Any, axes: list[bool]) -> Any:
    return ops.slice_(
        x,
        starts=tuple([n - 1 if flip else 0 for n, flip in zip(x.shape, axes, strict=True)]),
        stops=tuple([-1 if flip else n for n, flip in zip(x.shape, axes, strict=True)]),
        steps=tuple([-1 if flip else 1 for flip in axes]),
    )


def _set_scattered(x: Any, key: Key, value: Any, mode: str) -> Any:
    """Replace by a scatter: slices that are not whole become positions along their axis."""
    shape = key.index_shape() if key.arrays else ()
    cut = [e for e in key.entries if type(e) is Slice and not e.whole]
    indexed: list[Any] = [*key.arrays, *[e for e in key.entries if type(e) is Integer], *cut]
    positions = {e.axis: _mesh(e, shape, cut) for e in indexed}
    axes = tuple(sorted(positions))
    mesh = (*shape, *[e.size for e in cut])
    updates = _updates(x, key, value, axes, cut)
    indices = _index_arrays([positions[a] for a in axes], mesh)
    return ops.scatter(x, updates, *indices, axes=axes, mode=mode, unique=not key.arrays)


def _mesh(entry: Any, shape: Shape, cut: list[Slice]) -> Any:
    """Positions along an entry's axis, of a rank that broadcasts to index arrays, then slices."""
    if type(entry) is Array:
        return ops.reshape(entry.positions, shape=(*entry.positions.shape, *[1] * len(cut)))
    if type(entry) is Integer:
        return entry.position if is_traced(entry.position) else np.asarray(entry.position)
    line = np.arange(entry.start, entry.stop, entry.step)
    return line.reshape([-1 if e is entry else 1 for e in cut])


def _updates(x: Any, key: Key, value: Any, axes: tuple[int, ...], cut: list[Slice]) -> Any:
    """The value in the layout that ``scatter`` takes."""
    kept = [e for e in key.entries if type(e) in (NewAxis, Slice)]
    shape = key.index_shape() if key.arrays else ()
    block = [(str(i), n) for i, n in enumerate(shape)]
    found: list[tuple[Any, Any]] = [(e, _size(e, x.shape)) for e in kept]
    place = key.place if key.arrays else 0
    found[place:place] = block
    value = _fit(value, tuple([n for _, n in found]))
    named = [(name, n) for name, n in found if type(name) is not NewAxis]
    value = ops.reshape(value, shape=tuple([n for _, n in named]))
    whole = [e for e in kept if type(e) is Slice and e.whole]
    before = [e for e in whole if e.axis < axes[0]]
    after = [e for e in whole if e.axis > axes[0]]
    names = [name for name, _ in named]
    wanted = [*before, *[name for name, _ in block], *cut, *after]
    return ops.transpose(value, permutation=tuple([names.index(name) for name in wanted]))
