"""How tensors lie in memory, where that decides whether ``reshape`` gives a view or a copy.

A trace takes its arguments to lie in C order until it meets a write that another order would let
reach further, or less far; the order is part of the signature then. What lies outside is guarded.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import TensorType, Trait, Value, dispatch
from plait.tracer.outcome import Break, stop
from plait.tracer.paths import Held, Path
from plait.tracer.state import current
from plait.tracer.tensor_storage import storage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait.tracer.tensor_handle import Handle

#: Strides in bytes; None in C order.
Layout = tuple[int, ...] | None

_UNKNOWN = (
    "a tensor is written in place after reshape or ravel, which gave a view or a copy depending "
    "on the order in memory of what it was computed from; copy it first"
)


def layout_of(array: Any) -> Layout:
    """The layout of an array; axes of size 1 count for nothing."""
    if not isinstance(array, np.ndarray) or array.flags.c_contiguous:
        return None
    sizes = zip(array.shape, array.strides, strict=True)
    return tuple([0 if size == 1 else stride for size, stride in sizes])


def shown_layout(layout: Layout) -> str:
    """A layout as text."""
    return "in C order" if layout is None else f"with strides {layout}"


def layout_of_leaf(leaf: Any) -> Layout:
    """The layout of an argument, which may be a tensor of the trace around."""
    data = getattr(leaf, "_data", leaf)
    if type(data) is not Value:
        return layout_of(data)
    trace = current()
    return None if trace is None else trace.root.layouts.demand(trace, leaf)


def laid_out(shape: tuple[int, ...], dtype: Any, strides: Layout) -> Any:
    """An uninitialized array of a layout."""
    if strides is None:
        return np.empty(shape, dtype)
    ends = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    start = -sum(min(end, 0) for end in ends)
    size = start + sum(max(end, 0) for end in ends) + np.dtype(dtype).itemsize
    return np.ndarray(shape, dtype, np.empty(size, np.uint8), start, strides)


class Layouts:
    """What one trace knows of layouts, and which of them it relies on.

    Attributes
    ----------
    demanded : set of int
        The argument leaves whose layout matters.
    """

    def __init__(self) -> None:
        self.demanded: set[int] = set()
        self._arguments: dict[Any, tuple[int, Layout]] = {}
        self._links: dict[int, list[tuple[Any, Any, Handle]]] = {}

    def argument(self, position: int, handle: Handle, layout: Layout) -> None:
        """Say how an argument lies."""
        self._arguments[id(handle)] = self._arguments[handle._data] = (position, layout)

    def is_copied(self, base: Handle, reshape: Callable[[Any], Any]) -> bool:
        """Whether a new shape of a tensor cannot be had without a copy.

        The tensor and what has the new shape are a matter of layout from now on.
        """
        array = self._like(base)
        if array is None:
            return False
        try:
            with dispatch.suspended():
                return array.size > 0 and not np.may_share_memory(array, reshape(array))
        except Exception:  # a shape that is traced
            return False

    def link(self, base: Handle, made: Handle) -> None:
        """Say that one tensor is a new shape of another."""
        root = _root(base)
        one, other = weakref.ref(root), weakref.ref(made)
        self._links.setdefault(id(root), []).append((one, other, root))
        self._links.setdefault(id(made), []).append((other, one, root))

    def written(self, handle: Handle) -> None:
        """Say, before it happens, that a tensor is written."""
        for me, other, root in self._links.get(id(handle), ()):
            if me() is handle and other() is not None:
                self.demand(current(), root)

    def demand(self, trace: Any, handle: Handle) -> Layout:
        """The layout of a tensor, on which the trace relies from now on.

        Raises
        ------
        Break
            It is not known.
        """
        root = _root(handle)
        if id(root) in self._arguments:
            self.demanded.add(self._arguments[id(root)][0])
        elif (found := _outside(trace.root, root)) is not None:
            _guard(trace.root, *found)
        else:
            self._demand_order(trace, root._data)
        return layout_of(self._like(handle))

    def _like(self, handle: Handle) -> Any:
        """An array that lies as a tensor does; None when that is in C order for all we know.

        What the trace has computed lies so, and rows that a loop takes.
        """
        steps: list[Any] = []
        while (parent := getattr(storage_of(handle), "parent", None)) is not None:
            steps.append(handle._storage.forward)
            handle = parent
        trace = current()
        _, layout = self._arguments.get(id(handle), (0, None))
        if trace is not None and (found := _outside(trace.root, handle)) is not None:
            layout = layout_of(found[1])
        if not steps and layout is None:
            return None
        data = handle._data
        try:
            with dispatch.suspended():
                array = laid_out(tuple(data.shape), data.dtype, layout)
                for step in reversed(steps):
                    array = step(array)
            return array
        except Exception:  # a view at an index that is traced
            return None

    def _demand_order(self, trace: Any, value: Any) -> None:
        """Rely on what a value was computed from to lie in C order, as the value does then."""
        outside = _outside_values(trace.root)
        pending, seen = [value], {value}
        while pending:
            v = pending.pop()
            if v in self._arguments:
                position, layout = self._arguments[v]
                self.demanded.add(position)
                if layout is not None:
                    raise stop(trace, Break(_UNKNOWN))
            elif v in outside:
                _guard(trace.root, *outside[v])
                if layout_of(outside[v][1]) is not None:
                    raise stop(trace, Break(_UNKNOWN))
            elif v.node is not None and v.node.op.name == "transpose":
                raise stop(trace, Break(_UNKNOWN))
            else:
                fresh = [x for x in _sources(trace, v) if x not in seen and x.tensor_type.ndim > 1]
                seen.update(fresh)
                pending += fresh


def _root(handle: Handle) -> Handle:
    """The tensor that another one is a view of, at the end."""
    while (parent := getattr(storage_of(handle), "parent", None)) is not None:
        handle = parent
    return handle


def _sources(trace: Any, value: Value) -> list[Value]:
    """The values whose order in memory that of a value follows."""
    if value.node is None:
        owners = [scope for scope in trace.root.regions if scope.owns(value)]
        known = [(scope.outer_of(value), scope.begins.get(value)) for scope in owners]
        found = [begin if outer is None else outer for outer, begin in known]
        return [x for x in found if type(x) is Value]
    traits, operands = value.node.op.traits, value.node.operands
    if Trait.CONTRACTION in traits:
        return []
    tensors = [x for x in operands if type(x.type) is TensorType]
    if Trait.REGION in traits:  # a branch or a loop gives on what has its shape
        return [x for x in tensors if x.tensor_type.shape == value.tensor_type.shape]
    return tensors


def _outside(root: Any, handle: Handle) -> tuple[Path, Any] | None:
    """The way to an outside tensor or array, and its array; None for what is not from there."""
    array = root.provenance.original(handle)
    if array is not None:
        return root.provenance.path_of(array), array
    data = handle._data
    if id(handle) in root.adopted.items:
        data = root.adopted.items[id(handle)][1]
    if type(data) is Value:
        return None
    path = root.provenance.path_of(handle)
    return path or Held(handle, "a tensor from outside", weak=True), data


def _outside_values(root: Any) -> dict[Value, tuple[Path, Any]]:
    """What the inputs of a graph that are no arguments stand for."""
    return {v: found for v, h in root.outside_handles() if (found := _outside(root, h)) is not None}


def _guard(root: Any, path: Path, array: Any) -> None:
    root.provenance.guard(path, "layout", layout_of(array))


__all__ = ["Layout", "Layouts", "layout_of", "layout_of_leaf", "shown_layout"]
