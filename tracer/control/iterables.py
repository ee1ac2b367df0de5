"""What a staged ``for`` can go over: rows of tensors, ranges, and what is built of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from plait.ir import Value, functions, ops
from plait.ir.errors import ShapeError
from plait.ir.functions.payload import ask_number
from plait.ir.location import user_location
from plait.tracer import tensor_views as views
from plait.tracer.outcome import Break, stop
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap

INT64 = np.dtype("int64")


class Source(ABC):
    """Elements by position.

    Attributes
    ----------
    length : int or Value
        How many there are; an int64 of the graph where that is known at run time only.
    """

    length: Any

    @abstractmethod
    def element(self, index: Any) -> Any:
        """The element at a position: a Python int, or an int64 of the graph."""

    def tensors(self) -> Iterator[Tensor]:
        """The tensors whose rows are elements."""
        yield from ()

    @property
    def needs_index(self) -> bool:
        """Whether an element depends on its position other than as a row."""
        return False

    def __iter__(self) -> Iterator[Any]:
        return map(self.element, range(len(self)))

    def __len__(self) -> int:
        if type(self.length) is Value:
            ask_number(self.length)
            reason = "the length of a range is computed from tensors, and needed while tracing"
            raise stop(current(), Break(reason))
        found: int = self.length
        return found


class Rows(Source):
    """The rows of a tensor, as views of it."""

    def __init__(self, handle: Tensor) -> None:
        if not handle.shape:
            raise TypeError("iteration over a 0-d tensor")
        self.handle = handle
        self.length = handle.shape[0]
        self.given: dict[int, Value] = {}

    def element(self, index: Any) -> Any:
        """A row."""
        if type(index) is not Value:
            return self.handle[index]
        return traced_row(self.handle, index, row_at(_payload(self.handle), index))

    def tensors(self) -> Iterator[Tensor]:
        """The tensor itself."""
        yield self.handle


def _payload(handle: Tensor) -> Any:
    data = handle._data
    return data if type(data) is Value else current().read_tensor(handle)


def row_at(array: Any, index: Any) -> Any:
    """The row of an array at a position that is in range."""
    zeros = [np.zeros((), INT64)] * (array.ndim - 1)
    found = ops.dynamic_slice(array, index, *zeros, sizes=(1, *array.shape[1:]))
    return functions.reshape(found, tuple(array.shape[1:]))


def with_row(array: Any, index: Any, row: Any) -> Any:
    """The array with another row at a position that is in range."""
    zeros = [np.zeros((), INT64)] * (array.ndim - 1)
    update = functions.reshape(row, (1, *array.shape[1:]))
    return ops.dynamic_update_slice(array, update, index, *zeros)


def traced_row(handle: Tensor, index: Value, payload: Any) -> Tensor:
    """A handle for a row, tied to the tensor that it is a view of."""
    row = wrap(payload, handle._kind)
    tie_row(handle, row, lambda: index)
    return row


def tie_row(handle: Tensor, row: Tensor, index: Callable[[], Value]) -> None:
    """Make a row a view of its tensor; elements are copies, as those of eager tensors are."""
    if len(handle.shape) > 1:
        views.derive(
            handle,
            row,
            lambda array: row_at(array, index()),
            lambda array, written: with_row(array, index(), written),
        )


class Range(Source):
    """``range`` of numbers some of which are traced."""

    def __init__(self, *bounds: Any) -> None:
        start, stop, step = {1: (0, *bounds, 1), 2: (*bounds, 1)}.get(len(bounds), bounds)
        self.start, self.stop, self.step = start, stop, step
        if type(step) is int and step == 0:
            raise ValueError("range() arg 3 must not be zero")
        self.length = len(range(start, stop, step)) if _are_ints(start, stop, step) else None
        if self.length is None:
            self.length = self._traced_length()

    def _traced_length(self) -> Value:
        start, stop, step = (_number(x) for x in (self.start, self.stop, self.step))
        if type(step) is Value:
            from plait.tracer.control import raising  # it goes over what is iterable here

            zero = ValueError("range() arg 3 must not be zero")
            raising.check(ops.not_equal(step, np.zeros((), INT64)), zero)
        one = np.ones((), INT64)
        back = ops.subtract(ops.subtract(start, stop), one)
        ahead = ops.subtract(ops.subtract(stop, start), one)
        if type(step) is Value:
            up = ops.greater(step, np.zeros((), INT64))
            distance = functions.where(up, ahead, back)
            size = functions.abs(step)
        else:
            distance, size = (ahead, step) if step > 0 else (back, -step)
        trips = ops.add(ops.floor_divide(distance, size), one)
        found: Value = ops.maximum(trips, np.zeros((), INT64))
        return found

    @property
    def needs_index(self) -> bool:
        """Always: its elements are positions."""
        return True

    def element(self, index: Any) -> Any:
        """A number."""
        if type(index) is not Value and _are_ints(self.start, self.step):
            return self.start + index * self.step
        value = index
        step, start = _number(self.step), _number(self.start)
        if type(self.step) is not int or self.step != 1:
            value = ops.multiply(value, step)
        if type(self.start) is not int or self.start != 0:
            value = ops.add(value, start)
        return wrap(value, "number")


def _are_ints(*numbers: Any) -> bool:
    return all(type(x) is int for x in numbers)


def _number(x: Any) -> Any:
    """A bound of a range as an int64 scalar."""
    if type(x) is not Tensor:
        return np.asarray(x, INT64)
    payload = _payload(x)
    if payload.dtype.kind not in "iu" or payload.size != 1:
        raise TypeError(
            f"a range takes integers, got a tensor ({payload.dtype.name}, shape "
            f"{tuple(payload.shape)})"
        )
    return functions.astype(functions.reshape(payload, ()), INT64)


class Enumerated(Source):
    """``enumerate`` of a source."""

    def __init__(self, inner: Source, start: int = 0) -> None:
        self.inner = inner
        self.start = start
        self.length = inner.length

    @property
    def needs_index(self) -> bool:
        """Always: its elements hold positions."""
        return True

    def element(self, index: Any) -> Any:
        """A pair of position and element."""
        return Range(self.start, 2**62).element(index), self.inner.element(index)

    def tensors(self) -> Iterator[Tensor]:
        """Those of the inner source."""
        yield from self.inner.tensors()


class Zipped(Source):
    """``zip`` of sources."""

    def __init__(self, inner: list[Source], strict: bool = False) -> None:
        self.inner = inner
        known = [s.length for s in inner if type(s.length) is int]
        traced = [s.length for s in inner if type(s.length) is Value]
        if strict and (traced or len(set(known)) > 1):
            raise ShapeError(f"zip(strict=True) of lengths {known}").at(user_location())
        self.length = min(known) if known else None
        for value in traced:
            length = np.asarray(self.length, INT64) if type(self.length) is int else self.length
            self.length = value if length is None else ops.minimum(length, value)

    @property
    def needs_index(self) -> bool:
        """Whether an inner one needs it."""
        return any(s.needs_index for s in self.inner)

    def element(self, index: Any) -> Any:
        """A tuple of elements."""
        return tuple([s.element(index) for s in self.inner])

    def tensors(self) -> Iterator[Tensor]:
        """Those of the inner sources."""
        for source in self.inner:
            yield from source.tensors()


class Reversed(Source):
    """``reversed`` of a source of known length."""

    def __init__(self, inner: Source) -> None:
        self.inner = inner
        self.length = inner.length

    @property
    def needs_index(self) -> bool:
        """Always: it counts backwards."""
        return True

    def element(self, index: Any) -> Any:
        """The element at the position counted from the end."""
        if type(index) is not Value and type(self.length) is not Value:
            return self.inner.element(self.length - 1 - index)
        last = ops.subtract(_as_value(self.length), np.ones((), INT64))
        return self.inner.element(ops.subtract(last, _as_value(index)))

    def tensors(self) -> Iterator[Tensor]:
        """Those of the inner source."""
        yield from self.inner.tensors()


def _as_value(x: Any) -> Any:
    return x if type(x) is Value else np.asarray(x, INT64)


def source_of(x: Any, trips: int) -> Source | None:
    """The source of an iterable that may be staged: a tensor, a range of more than ``trips``."""
    if type(x) is Tensor and x._kind != "number" and x.shape and x.shape[0] > 1:
        return Rows(x)
    if isinstance(x, Source):
        return x
    if type(x) is range and len(x) > trips:
        return Range(x.start, x.stop, x.step)
    return None
