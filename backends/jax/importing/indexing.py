"""Gather and scatter in jax's full generality as ops, which take an index array for each axis.

An axis of the operand is named by an index array where a window does not take it whole. A window
of more than one element adds axes of its own to the index arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.backends.jax.importing.rules import (
    Lacking,
    Site,
    cast,
    cut,
    full,
    ints,
    known,
    like,
    pieces,
    reshape,
    rule,
    stretch,
    transpose,
)
from plait.backends.jax.importing.shapes import pad
from plait.ir import ops

__all__: list[str] = []

#: What an axis of an array belongs to: ``("axis", a)`` of the operand, or ``("batch", i)``.
Label = tuple[str, int]


def positions(indices: Any) -> list[Any]:
    """The starts along each indexed axis, signed and wide enough to add to."""
    narrow = indices.dtype.name in ("int8", "int16", "int32", "uint8", "uint16")
    wide = cast(indices, np.dtype(np.int32 if narrow else np.int64))
    return pieces(wide, indices.ndim - 1)


def along(x: Any, ndim: int, axis: int) -> Any:
    """A 1-d payload with its elements along an axis of ``ndim``."""
    return reshape(x, [x.shape[0] if a == axis else 1 for a in range(ndim)])


class Windows:
    """Where the windows of a gather or a scatter lie in the operand.

    Attributes
    ----------
    axes : list of int
        Axes of the operand that have an index array.
    inner : list of int
        Those of them along which a window has an axis.
    indices : list of payload
        Of shape ``batch + sizes of the inner axes``.
    valid : payload or None
        Which windows lie inside, of shape ``batch``; None where all do.
    """

    def __init__(
        self,
        x: Any,
        indices: Any,
        sizes: Sequence[int],
        starts: Mapping[int, int],
        paired: Mapping[int, int],
        dropped: Sequence[int],
    ) -> None:
        self.batch = tuple(indices.shape[:-1])
        self._x, self._sizes = x, sizes
        found = positions(indices)
        self._starts = {axis: found[i] for axis, i in starts.items()}
        self._paired = paired
        partial = [sizes[a] != x.shape[a] for a in range(x.ndim)]
        self.axes = [a for a in range(x.ndim) if partial[a] or a in paired]
        self.inner = [a for a in self.axes if a not in dropped]
        self.indices = [self._index(a) for a in self.axes]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the index arrays."""
        return (*self.batch, *[self._sizes[a] for a in self.inner])

    def _index(self, axis: int) -> Any:
        shape, count = self.shape, len(self.batch)
        if axis in self._paired:
            row = ops.iota(
                dtype=np.dtype(np.int32), shape=(self._x.shape[axis],), axis=0
            )  # of each batch axis its own row
            return stretch(along(row, len(shape), self._paired[axis]), shape)
        start, size = self._starts.get(axis), self._sizes[axis]
        if start is None:
            index = full(np.int32, 0, shape)
        else:
            last = like(start, self._x.shape[axis] - size)
            start = ops.maximum(ops.minimum(start, last), like(start, 0))
            index = stretch(reshape(start, (*self.batch, *[1] * len(self.inner))), shape)
        if axis not in self.inner or size == 1:
            return index
        steps = ops.iota(dtype=index.dtype, shape=(size,), axis=0)
        place = count + self.inner.index(axis)
        return ops.add(index, stretch(along(steps, len(shape), place), shape))

    def common(self) -> list[Any]:
        """The index arrays in one dtype."""
        wide = any(i.dtype == np.int64 for i in self.indices)
        return [cast(i, np.dtype(np.int64 if wide else np.int32)) for i in self.indices]

    def valid(self) -> Any:
        """Which windows lie wholly inside; None where it is known that all do."""
        found = None
        for axis, start in self._starts.items():
            last = like(start, self._x.shape[axis] - self._sizes[axis])
            low, high = ops.greater_equal(start, like(start, 0)), ops.less_equal(start, last)
            inside = ops.logical_and(low, high)
            found = inside if found is None else ops.logical_and(found, inside)
        if found is None:
            return None
        value = known(found)
        return None if value is not None and value.all() else found

    def labels(self) -> list[Label]:
        """What the axes are that the op ``gather`` gives."""
        first = self.axes[0]
        kept = [a for a in range(self._x.ndim) if a not in self.axes]
        place: list[Label] = [("batch", i) for i in range(len(self.batch))]
        place += [("axis", a) for a in self.inner]
        before: list[Label] = [("axis", a) for a in kept if a < first]
        return [*before, *place, *[("axis", a) for a in kept if a > first]]


def arranged(x: Any, labels: Sequence[Label], wanted: Sequence[Label]) -> Any:
    """Axes in the order of ``wanted``; those that it does not name have one element, and go."""
    rest = [i for i, label in enumerate(labels) if label not in wanted]
    order = [*[labels.index(label) for label in wanted], *rest]
    moved = transpose(x, order)
    return reshape(moved, moved.shape[: len(wanted)])


def is_filling(at: Site) -> bool:
    """Whether windows that do not lie inside are filled or dropped; else they are moved inside."""
    mode = getattr(at.params["mode"], "name", None)
    if mode in ("CLIP", "PROMISE_IN_BOUNDS"):
        return False
    if mode == "FILL_OR_DROP":
        return True
    raise Lacking


@rule("gather", moves=True)
def _gather(at: Site, x: Any, indices: Any) -> Any:
    numbers, sizes = at.params["dimension_numbers"], ints(at.params["slice_sizes"])
    filling = is_filling(at)
    paired = dict(
        zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)
    )
    dropped = [*numbers.collapsed_slice_dims, *paired]
    starts = {axis: i for i, axis in enumerate(numbers.start_index_map)}
    windows = Windows(x, indices, sizes, starts, paired, dropped)
    outer = [a for a in range(x.ndim) if a not in dropped]
    wanted = output_labels(at.result.ndim, numbers.offset_dims, outer)
    if windows.axes:
        picked = ops.gather(x, *windows.common(), axes=tuple(windows.axes))
        found = arranged(picked, windows.labels(), wanted)
    else:
        batch = windows.batch
        labels: list[Label] = [("batch", i) for i in range(len(batch))]
        labels += [("axis", a) for a in range(x.ndim)]
        found = arranged(stretch(x, (*batch, *x.shape)), labels, wanted)
    valid = windows.valid() if filling else None
    if valid is None:
        return found
    spread = [n if label[0] == "batch" else 1 for n, label in zip(found.shape, wanted, strict=True)]
    filler = like(found, at.params["fill_value"])
    return ops.select(stretch(reshape(valid, spread), found.shape), found, filler)


def output_labels(ndim: int, offsets: Sequence[int], outer: Sequence[int]) -> list[Label]:
    """What the axes of a gather's result, or a scatter's updates, are."""
    axes, batch = iter(outer), iter(range(ndim))
    return [("axis", next(axes)) if i in offsets else ("batch", next(batch)) for i in range(ndim)]


MODES = {
    "scatter": "set",
    "scatter-add": "add",
    "scatter_add": "add",
    "scatter_mul": "mul",
    "scatter-mul": "mul",
    "scatter_min": "min",
    "scatter-min": "min",
    "scatter_max": "max",
    "scatter-max": "max",
}


@rule(*MODES, moves=True)
def _scatter(at: Site, x: Any, indices: Any, updates: Any) -> Any:
    numbers, mode = at.params["dimension_numbers"], MODES[at.name]
    if mode == "set" and at.params.get("update_jaxpr") is not None:
        raise Lacking
    filling = is_filling(at)
    paired = dict(
        zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True)
    )
    dropped = [*numbers.inserted_window_dims, *paired]
    outer = [a for a in range(x.ndim) if a not in dropped]
    sizes = [1] * x.ndim
    for axis, place in zip(outer, numbers.update_window_dims, strict=True):
        sizes[axis] = updates.shape[place]
    starts = {axis: i for i, axis in enumerate(numbers.scatter_dims_to_operand_dims)}
    if x.ndim == 0:
        raise Lacking
    windows = Windows(x, indices, sizes, starts, paired, dropped)
    given = output_labels(updates.ndim, numbers.update_window_dims, outer)
    if not windows.axes:
        return _scatter_whole(at, x, updates, windows, given, mode)
    labels = windows.labels()
    values = _placed(updates, given, labels)
    valid = windows.valid() if filling else None
    if valid is None:
        unique = bool(at.params.get("unique_indices"))
        return _scattered(x, values, windows.common(), windows.axes, mode, unique)
    return _scatter_valid(x, values, windows, valid, mode)


def _placed(updates: Any, given: Sequence[Label], labels: Sequence[Label]) -> Any:
    """The updates with their axes as ``gather`` would give them."""
    present = [label for label in labels if label in given]
    moved = transpose(updates, [given.index(label) for label in present])
    sizes = iter(moved.shape)
    return reshape(moved, [next(sizes) if label in given else 1 for label in labels])


def _scattered(
    x: Any, values: Any, indices: Sequence[Any], axes: Sequence[int], mode: str, unique: bool
) -> Any:
    options: dict[str, Any] = {"axes": tuple(axes), "mode": mode}
    if unique:
        options["unique"] = True
    return ops.scatter(x, values, *indices, **options)


def _scatter_valid(x: Any, values: Any, windows: Windows, valid: Any, mode: str) -> Any:
    """Windows that do not lie inside go to an extra element behind an axis, which is cut off."""
    axis, size = windows.axes[0], x.shape[windows.axes[0]]
    config = [(0, int(a == axis), 0) for a in range(x.ndim)]
    wide = pad(x, full(x.dtype, 0), config)
    inner = [1] * len(windows.inner)
    inside = stretch(reshape(valid, (*windows.batch, *inner)), windows.shape)
    first, *others = windows.common()
    indices = [ops.select(inside, first, like(first, size)), *others]
    return cut(_scattered(wide, values, indices, windows.axes, mode, False), axis, 0, size)


_COMBINE = {"add": ops.add, "mul": ops.multiply, "min": ops.minimum, "max": ops.maximum}


def _scatter_whole(
    at: Site, x: Any, updates: Any, windows: Windows, given: Sequence[Label], mode: str
) -> Any:
    """Windows as large as the operand, of which there is one: it lies inside, or is dropped."""
    if any(n != 1 for n in windows.batch):
        raise Lacking
    wanted: list[Label] = [("axis", a) for a in range(x.ndim)]
    values = reshape(_arranged_whole(updates, given, wanted), x.shape)
    found = values if mode == "set" else _COMBINE[mode](x, values)
    valid = windows.valid() if is_filling(at) else None
    if valid is None:
        return found
    return ops.select(stretch(reshape(valid, ()), x.shape), found, x)


def _arranged_whole(updates: Any, given: Sequence[Label], wanted: Sequence[Label]) -> Any:
    """The axes of a window in their order; batch axes, of one element, behind them."""
    order = [given.index(label) for label in wanted if label in given]
    return transpose(updates, [*order, *[i for i in range(len(given)) if i not in order]])
