"""NumPy's index keys as data: one entry for each new axis, slice, integer, index array and mask."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, IndexOutOfRangeError, ShapeError, TraceError
from plait.ir.functions.axes import as_index, check_range, from_front, is_traced
from plait.ir.functions.payload import WeakValue, as_payload, broadcast_shapes, weak_kind
from plait.ir.graph import Value
from plait.ir.types import Shape, is_bool, is_integer, show_shape

__all__ = ["Array", "Integer", "Key", "Mask", "NewAxis", "Slice", "parse_key", "show_key"]


@dataclass(frozen=True, slots=True)
class NewAxis:
    """``None``: an axis of size 1 that x does not have."""


@dataclass(frozen=True, slots=True)
class Slice:
    """``range(start, stop, step)`` of an axis; ``whole`` when it is all of it, in order."""

    axis: int
    start: int
    stop: Any
    step: int
    size: Any
    whole: bool


@dataclass(frozen=True, slots=True)
class Integer:
    """One position of an axis: an int, or a traced 0-d integer counted from the front."""

    axis: int
    position: Any


@dataclass(frozen=True, slots=True)
class Array:
    """An array of positions of an axis, counted from the front."""

    axis: int
    positions: Any


@dataclass(frozen=True, slots=True)
class Mask:
    """A boolean array over ``mask.ndim`` axes from ``axis`` on, traced or kept on request."""

    axis: int
    mask: Any


Entry = NewAxis | Slice | Integer | Array | Mask


@dataclass(frozen=True, slots=True)
class Key:
    """A parsed key.

    Attributes
    ----------
    entries : tuple of Entry
        In the key's order; together they cover all axes of x.
    gap : int
        The entry before which an ellipsis stands that covers no axis; -1 for none.
    """

    entries: tuple[Entry, ...]
    gap: int = -1

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The index arrays."""
        return tuple([e for e in self.entries if type(e) is Array])

    @property
    def masks(self) -> tuple[Mask, ...]:
        """The masks that are no arrays of positions."""
        return tuple([e for e in self.entries if type(e) is Mask])

    @property
    def place(self) -> int:
        """Where the index arrays' dimensions stand among the others in the result.

        That is where the first of the arrays and integers stands when all of them are neighbors
        in the key, else the front. Even an ellipsis that covers no axis parts them.
        """
        advanced = [i for i, e in enumerate(self.entries) if type(e) in (Array, Integer)]
        first, last = advanced[0], advanced[-1]
        if last - first >= len(advanced) or first < self.gap <= last:
            return 0
        return sum(type(e) in (NewAxis, Slice) for e in self.entries[:first])

    def index_shape(self) -> Shape:
        """The common shape of the index arrays.

        Raises
        ------
        ShapeError
            They do not broadcast together.
        """
        return broadcast_shapes("index arrays", *[a.positions.shape for a in self.arrays])


def parse_key(x: Any, key: Any, keep_masks: bool = False) -> tuple[Any, Key]:
    """The entries of a key for ``x``, and ``x`` with an axis added for each static 0-d mask.

    Static masks become arrays of positions, unless they are to be kept.

    Raises
    ------
    IndexOutOfRangeError
        Too many indices, an index that is out of range, a mask of another shape, or an index that
        is neither an integer, a slice, None, an ellipsis nor an array of integers or booleans.
    DTypeError
        A slice's bound that is no integer.
    """
    try:
        return _parse(x, key, keep_masks)
    except (IndexOutOfRangeError, DTypeError, ShapeError) as error:
        if not error.message.startswith("x["):
            place = f"x[{show_key(key)}] on a tensor of shape {show_shape(x.shape)}"
            error.message = f"{place}: {error.message}"
        raise


def show_key(key: Any) -> str:
    """A key as the user would write it; long arrays by their dtype and shape."""
    if type(key) is tuple:
        return ", ".join(map(show_key, key)) + ("," if len(key) == 1 else "")
    if type(key) is slice:
        parts = ["" if k is None else show_key(k) for k in (key.start, key.stop)]
        return ":".join(parts if key.step is None else [*parts, show_key(key.step)])
    if key is Ellipsis:
        return "..."
    if type(key) is WeakValue:
        return f"<{key.kind.__name__}>"
    if hasattr(key, "dtype") and (not isinstance(key, (np.ndarray, np.generic)) or key.size > 8):
        return f"<{key.dtype.name} array of shape {show_shape(key.shape)}>"
    return str(key) if hasattr(key, "dtype") else repr(key)


def _parse(x: Any, key: Any, keep_masks: bool) -> tuple[Any, Key]:
    items = [_payload(item) for item in (key if type(key) is tuple else (key,))]
    items, empty = _expand_ellipsis(items, x.shape)
    entries: list[Entry] = []
    added: list[int] = []
    axis, gap = 0, -1
    for i, item in enumerate(items):
        gap = len(entries) if i == empty else gap
        if item is None:
            entries.append(NewAxis())
        elif keep_masks or not _is_static_mask(item):
            entries.append(_entry(item, x.shape, axis, axis - len(added)))
            axis += item.ndim if type(entries[-1]) is Mask else 1
        elif item.ndim == 0:
            added.append(axis)
            entries.append(Array(axis, np.zeros(int(item), np.int64)))
            axis += 1
        else:
            found = _mask_positions(item, x.shape, axis - len(added))
            entries += [Array(axis + k, positions) for k, positions in enumerate(found)]
            axis += item.ndim
    for position in added:
        x = ops.reshape(x, shape=(*x.shape[:position], 1, *x.shape[position:]))
    return x, Key(tuple(entries), gap)


def _payload(item: Any) -> Any:
    """None, Ellipsis, a slice, an int, or an array payload of booleans or integers."""
    if item is None or item is Ellipsis or type(item) is slice or type(item) is int:
        return item
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(bool(item))
    try:
        payload = as_payload(item)
    except DTypeError:
        raise _no_index(item) from None
    kind = weak_kind(payload)
    if (kind is bool) if kind else is_bool(payload.dtype):
        if type(payload) is WeakValue:
            return payload.value
        return payload if is_traced(payload) else np.asarray(payload)
    empty = isinstance(item, (list, tuple)) and payload.size == 0
    numbers = kind in (float, complex) or (kind is None and not is_integer(payload.dtype))
    if numbers and not empty:
        raise _no_index(item)
    index = as_index("index", item)
    return int(index) if type(index) is np.ndarray and index.ndim == 0 else index


def _no_index(item: Any) -> IndexOutOfRangeError:
    """As NumPy, whose eager tensors it is to agree with, an IndexError."""
    return IndexOutOfRangeError(
        "an index must be an integer, a slice, None, ... or an array of integers or "
        f"booleans, got {_described(item)}"
    )


def _described(item: Any) -> str:
    dtype = getattr(item, "dtype", None)
    return f"{type(item).__name__} of {dtype}" if dtype is not None else repr(item)


def _is_static_mask(item: Any) -> bool:
    return type(item) is np.ndarray and is_bool(item.dtype)


def _axes_of(item: Any) -> int:
    """How many axes of x an item covers."""
    if item is None or item is Ellipsis:
        return 0
    if hasattr(item, "dtype") and is_bool(item.dtype):
        return int(item.ndim)
    return 1


def _expand_ellipsis(items: list[Any], shape: Shape) -> tuple[list[Any], int]:
    """The items with slices for the ellipsis, and where an ellipsis stood that covers nothing."""
    covered = sum(map(_axes_of, items))
    if covered > len(shape):
        raise IndexOutOfRangeError(f"too many indices: {covered} for {len(shape)} dimension(s)")
    places = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(places) > 1:
        raise IndexOutOfRangeError("an index can hold only one ellipsis ('...')")
    at = places[0] if places else len(items)
    rest = [slice(None)] * (len(shape) - covered)
    empty = at if places and not rest else -1
    return [*items[:at], *rest, *items[at + 1 :]], empty


def _mask_positions(mask: Any, shape: Shape, axis: int) -> tuple[Any, ...]:
    _check_mask(mask, shape, axis)
    found: tuple[Any, ...] = np.nonzero(mask)
    return found


def _check_mask(mask: Any, shape: Shape, axis: int) -> None:
    covered = shape[axis : axis + mask.ndim]
    if mask.shape != covered:
        raise IndexOutOfRangeError(
            f"a boolean index of shape {show_shape(mask.shape)} does not match the indexed axes "
            f"of shape {show_shape(covered)}"
        )


def _entry(item: Any, shape: Shape, axis: int, source: int) -> Entry:
    """The entry of a slice, an integer, an index array or a traced mask.

    ``axis`` counts axes added for 0-d masks; ``source`` is the axis in the given ``shape``.
    """
    if type(item) is slice:
        return _slice(item, shape[source], axis)
    if type(item) is not int and is_bool(item.dtype):
        _check_mask(item, shape, source)
        return Mask(axis, item)
    size = shape[source]
    if type(size) is not int:
        raise ShapeError(f"axis {source} has the symbolic size {size}: it can only be taken whole")
    index = np.asarray(item) if type(item) is int else item
    # Without the key, which compiled code does not know: eager and compiled say the same.
    message = f"index {{0}} is out of range [{-size}, {size}) of axis {source}"
    message = f"x[...] on a tensor of shape {show_shape(shape)}: {message}"
    check_range(index, -size, size, message)
    if type(item) is int:
        return Integer(axis, item % size)
    positions = from_front(index, size)
    return Array(axis, positions) if item.ndim else Integer(axis, positions)


def _slice(item: slice, size: Any, axis: int) -> Slice:
    bounds = [_bound(b) for b in (item.start, item.stop, item.step)]
    if bounds[2] == 0:
        raise ShapeError("the step of a slice must not be 0")
    if type(size) is not int:
        if bounds[0] not in (None, 0) or bounds[1] is not None or bounds[2] not in (None, 1):
            raise ShapeError(f"an axis of symbolic size {size} can only be taken whole")
        return Slice(axis, 0, size, 1, size, True)
    start, stop, step = slice(*bounds).indices(size)
    count = len(range(start, stop, step))
    if count == 0:
        start = stop = 0
    return Slice(axis, start, stop, step, count, (start, count, step) == (0, size, 1))


def _bound(bound: Any) -> int | None:
    if bound is None:
        return None
    if type(bound) is Value:
        raise TraceError(
            "the bounds of a slice must be known while tracing; for a start that is computed "
            "use dynamic_slice(x, starts, sizes)"
        )
    try:
        return operator.index(bound)
    except TraceError:
        raise
    except TypeError:
        raise DTypeError(f"the bounds of a slice must be integers, got {bound!r}") from None
