"""A captured function called for many rows inside a trace: its graph, batched, as one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import TensorType, Value, functions, ops
from plait.ir.errors import ShapeError, TraceError
from plait.runtime.options import Options
from plait.runtime.request import Request, bind
from plait.runtime.specialize import Specializer
from plait.runtime.variable import Variable
from plait.tracer import (
    Break,
    Inner,
    Making,
    Output,
    Tensor,
    Trace,
    TracedFunction,
    TreeDef,
    stop,
    unflatten,
    unwrap,
    wrap,
)

#: Results of a captured function that its graph computes.
COMPUTED = frozenset(("tensor", "ndarray", "jax", "number"))


class Stream(Variable):
    """The state of a generator of random numbers: each row of a batch draws from its own."""

    __slots__ = ()


@dataclass(slots=True)
class Rows:
    """The arguments of one call for many rows.

    Attributes
    ----------
    leaves : list
        Those of ``(args, kwargs)``.
    tree : TreeDef
    axes : list of int or None
        For each leaf the axis along which its rows lie.
    size : int or Dim
    """

    leaves: list[Any]
    tree: TreeDef
    axes: list[int | None]
    size: Any


#: Gives for the structure of a result the axis of each leaf's rows; None for what rows share.
OutAxes = Callable[[TreeDef], list[int | None]]


class RowFunction:
    """A function that is captured for one row.

    Parameters
    ----------
    function : callable
    name : str
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self._options = Options(name=name)
        self._specializer = Specializer(name, self._options)
        self._bind = bind(function)

    def call(self, trace: Trace, rows: Rows, out_axes: OutAxes) -> Any:
        """Write down a call for all rows; gives tracers of its results."""
        row, mapped = _one_row(rows)
        args, kwargs = unflatten(rows.tree, row)
        request = self._bind(args, kwargs, self._options)
        try:
            traced = self._specializer.program(self.function, request).traced
        except Break as found:  # there is no graph of the function around, either
            raise stop(
                trace, Break(found.reason, found.location, found.error, found.is_error)
            ) from None
        if traced.made is not None:
            trace.root.made = trace.root.made or traced.made
        is_inside = getattr(self.function, "__plait_inside__", False)
        return _Call(trace, traced, request, mapped, rows.size, is_inside).run(out_axes)


def _one_row(rows: Rows) -> tuple[list[Any], Mapping[int, tuple[Any, int]]]:
    """Leaves that have the types of one row; by their identity, whose rows they stand for."""
    made: dict[tuple[int, int], Tensor] = {}
    mapped: dict[int, tuple[Any, int]] = {}
    row = []
    for leaf, axis in zip(rows.leaves, rows.axes, strict=True):
        if axis is None:
            row.append(leaf)
            continue
        key = (id(leaf), axis)
        if key not in made:
            made[key] = _stand_in(leaf, axis)
            mapped[id(made[key])] = (leaf, axis)
        row.append(made[key])
    return row, mapped


def _stand_in(leaf: Any, axis: int) -> Tensor:
    """A tensor of a row's type that holds nothing."""
    shape = (*leaf.shape[:axis], *leaf.shape[axis + 1 :])
    made = Tensor()
    made._data = Value(TensorType(np.dtype(leaf.dtype), shape))
    made._storage = None
    made._role = leaf._kind if type(leaf) is Tensor else "tensor"
    return made


class _Call:
    """One call: operands, the batched graph's results, and what becomes of them."""

    def __init__(
        self,
        trace: Trace,
        traced: TracedFunction,
        request: Request,
        mapped: Mapping[int, tuple[Any, int]],
        size: Any,
        is_inside: bool,
    ) -> None:
        self.trace, self.traced, self.size = trace, traced, size
        pairs = [mapped.get(id(leaf), (leaf, None)) for leaf in request.leaves]
        self.leaves = [leaf for leaf, _ in pairs]
        self.axes = [axis for _, axis in pairs]
        self.inner = Inner(trace, traced, self.leaves, request.found, is_inside)
        self.streams: dict[int, Value] = {}
        self.results, self.dims = self._results()

    def _results(self) -> tuple[tuple[Any, ...], tuple[int | None, ...]]:
        """What the batched graph gives, and where the rows of it lie."""
        traced = self.traced
        dynamic = [i for i, leaf in enumerate(traced.leaves) if leaf.type is not None]
        operands = [self._operand(self.leaves[i]) for i in dynamic]
        dims = [self.axes[i] for i in dynamic]
        for capture, source in zip(traced.captures, self.inner.sources, strict=True):
            value = self.inner.operand(capture, source)
            is_drawn = isinstance(source, Stream) and any(v is source for v in traced.assigned)
            operands.append(self._split(source, value) if is_drawn else value)
            dims.append(0 if is_drawn else None)
        from plait.ir.batching import batch_graph

        graph, found = batch_graph(traced.graph, dims, self.size)
        return ops.call(*operands, regions=(graph,), name=graph.name), found

    def _operand(self, leaf: Any) -> Value:
        return self.trace.lift(unwrap(leaf) if hasattr(leaf, "__plait_tensor__") else _data(leaf))

    def _split(self, stream: Stream, state: Value) -> Value:
        """A state for each row; the generator itself goes on after what that took."""
        states, self.streams[id(stream)] = functions.random.split(state, self.size)
        return self.trace.lift(states)

    def run(self, out_axes: OutAxes) -> Any:
        """Make the changes outside, and the result."""
        traced = self.traced
        self._assign(self.results[traced.own :], self.dims[traced.own :])
        axes = iter(out_axes(traced.out_tree))
        made: list[Any] = []
        for output in traced.outputs:
            axis = next(axes)
            again = output.kind == "result"
            made.append(made[output.index] if again else self._leaf(output, axis))
        making = Making(self._shared, self.inner.objects, made)
        for effect in traced.effects:  # all values before the first change
            if effect.value is not None:
                making.make(effect.value)
        result = (
            unflatten(traced.out_tree, made)
            if traced.recipe is None
            else making.make(traced.recipe)
        )
        for effect in traced.effects:
            self.inner.replay(effect, making)
        return result

    def _assign(self, values: Sequence[Any], dims: Sequence[int | None]) -> None:
        """Give variables and arguments their new values."""
        assigned = self.traced.assigned
        for variable, value, dim in zip(assigned, values, dims, strict=False):
            if id(variable) in self.streams:
                value = self.streams[id(variable)]
            elif dim is not None:
                name = f"variable {variable.name!r}" if variable.name else "a variable"
                raise TraceError(_KEPT.format(f"assigned to {name}"))
            self.trace.assign_variable(variable, value)
        count = len(assigned)
        for i, value, dim in zip(self.traced.mutated, values[count:], dims[count:], strict=True):
            axis, path = self.axes[i], self.traced.paths[i]
            if axis is None and dim is not None:
                raise TraceError(_KEPT.format(f"written into argument {path}, which is not mapped"))
            self.leaves[i][...] = wrap(value if axis is None else self._placed(value, dim, axis))

    # Results.

    def _leaf(self, output: Output, axis: int | None) -> Any:
        """One leaf of the result, its rows along ``axis``."""
        if output.kind in COMPUTED:
            kind = "tensor" if output.kind == "number" and axis is not None else output.kind
            value = self.results[output.index]
            if kind != output.kind:
                value = _narrow(value)
            return self._handle(value, self.dims[output.index], axis, kind)
        if output.kind == "argument":
            leaf = self.leaves[output.index]
            found = self.axes[output.index]
            if found is None and axis is None:
                return leaf
            kind = leaf._kind if type(leaf) is Tensor and leaf._kind != "number" else "tensor"
            return self._handle(self._operand(leaf), found, axis, kind)
        found = self._shared(output)
        if axis is None or not is_array(found):
            return found
        return self._handle(self.trace.lift(_payload(found)), None, axis, "tensor")

    def _handle(self, value: Any, dim: int | None, axis: int | None, kind: str) -> Tensor:
        if axis is None:
            if dim is not None:
                raise ShapeError(
                    "vmap: out_axes is None for a result that differs by row; give the axis along "
                    "which its rows are to lie"
                )
            return wrap(value, kind)
        return wrap(self._placed(value, dim, axis), kind)

    def _placed(self, value: Any, dim: int | None, axis: int) -> Any:
        """All rows of a value, along an axis."""
        rank = value.ndim + (dim is None)
        if not -rank <= axis < rank:
            raise ShapeError(
                f"vmap: out_axes {axis} is not an axis of a result whose rows have "
                f"{rank - 1} dimension(s)"
            )
        from plait.ir.batching import move_axis, to_front

        front = to_front(value, dim, self.size) if dim is None else value
        return move_axis(front, dim or 0, axis % rank)

    def _shared(self, output: Output) -> Any:
        """A value that all rows share."""
        count = output.value[1] if output.kind == "text" else 1
        if output.kind in COMPUTED or output.kind == "text":
            dims = self.dims[output.index : output.index + count]
            if any(d is not None for d in dims):
                what = "made part of a text" if output.kind == "text" else "kept outside of it"
                raise TraceError(_KEPT.format(what))
        return self.inner.result(output, self.results)


_KEPT = (
    "vmap: a value that differs by row is {} by the function, which can be only one for all rows; "
    "return it instead"
)


#: The class of a Python number, by its dtype's kind.
_NUMBERS = {"b": bool, "i": int, "f": float, "c": complex}


def _data(leaf: Any) -> Any:
    return leaf._data if type(leaf) is Tensor else leaf


def _narrow(value: Any) -> Any:
    """A computed Python number as a tensor."""
    dtype = functions.payload.WEAK_DTYPES[_NUMBERS[value.dtype.kind]]
    return value if value.dtype == dtype else ops.cast(value, dtype=dtype)


def is_array(x: Any) -> bool:
    """Whether a value is a tensor, an array or a number."""
    return type(x) in (bool, int, float, complex) or hasattr(x, "dtype")


def _payload(x: Any) -> Any:
    """A shared array or number as an operand."""
    if type(x) in (bool, int, float, complex):
        return functions.asarray(x)
    return unwrap(x) if hasattr(x, "__plait_tensor__") or type(x) is Tensor else np.asarray(x)


__all__ = ["OutAxes", "RowFunction", "Rows", "Stream", "is_array"]
