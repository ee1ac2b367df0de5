"""Functions that stay whole in a graph: with gradients of their own, or to be computed again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from plait.ir import Graph, TensorType, Value, functions, is_inexact, ops
from plait.ir.errors import DTypeError, ShapeError, TraceError
from plait.tracer.control import calls
from plait.tracer.control.scope import Before, undo
from plait.tracer.places import VariablePlace
from plait.tracer.pytree import flatten, unflatten
from plait.tracer.region import Region
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import payload_of, uncaptured, unwrap, wrap


def call_captured(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call a user's function for them: converted, where something is traced."""
    return calls.call(function, *args, **kwargs)


class _Inner:
    """A region that runs one function on tensors of its own."""

    def __init__(self, parent: Any, name: str, what: str, function: Any) -> None:
        self.what = what
        self.region = Region(parent, name)
        self.before: Any = Before(parent, {name: _reached(function)}, sys._getframe(2))
        self.inputs: list[Value] = []
        self.tree: Any = None
        self.leaves: list[Any] = []
        self.positions: list[int] = []
        self.assigned: list[VariablePlace] = []

    def run(self, function: Callable[..., Any], args: Any, types: Sequence[TensorType]) -> Any:
        """Call a function on the arguments that ``args`` makes of new tensors."""
        self.region.open()
        self.inputs = [self.region.input(t) for t in types]
        found = calls.call(function, *args([wrap(v) for v in self.inputs]))
        return found

    def close(self, result: Any, may_assign: bool = False) -> list[Value]:
        """End the region; the values of the tensors in what it gives, and of variables after it."""
        self.leaves, self.tree = flatten(result)
        self.positions = [i for i, x in enumerate(self.leaves) if hasattr(x, "__plait_tensor__")]
        self.positions += [i for i, x in enumerate(self.leaves) if type(x) is Tensor]
        self.positions.sort()
        values = [self.region.lift(payload_of(_read(self.leaves[i]))) for i in self.positions]
        self.region.leave()
        for place, _, new in undo(self.region, self.before):
            if not may_assign or type(place) is not VariablePlace or new.type.kind == "token":
                raise uncaptured(
                    TraceError(
                        f"{self.what} changes {place.describe()}; return what it computes instead"
                    )
                )
            self.assigned.append(place)
            with self.region.again():
                values.append(self.region.lift(new.payload))
        self.region.finish()
        return values

    def result(self, made: Sequence[Value]) -> Any:
        """What the function gave, with the tensors outside of the region."""
        leaves, rest = list(self.leaves), iter(made)
        for i in self.positions:
            leaves[i] = wrap(next(rest))
        for place in self.assigned:
            place.write(next(rest))
        return unflatten(self.tree, leaves)


def _reached(function: Any) -> Any:
    """What a function may reach: that of a partial application, and its arguments."""
    if isinstance(function, functools.partial):
        return [function.func, *function.args, *function.keywords.values()]
    return function


def _read(leaf: Any) -> Any:
    return leaf if type(leaf) is Tensor else leaf.__plait_tensor__()


def split_arguments(args: tuple[Any, ...]) -> tuple[list[Value], Callable[[list[Any]], Any]]:
    """The values of the tensors in arguments, and what puts others in their places."""
    leaves, tree = flatten(args)
    positions = [
        i for i, x in enumerate(leaves) if type(x) is Tensor or hasattr(x, "__plait_tensor__")
    ]
    trace = current()
    values = [trace.lift(payload_of(_read(leaves[i]))) for i in positions]

    def put(handles: list[Any]) -> Any:
        replaced = list(leaves)
        for i, handle in zip(positions, handles, strict=True):
            replaced[i] = handle
        return unflatten(tree, replaced)

    return values, put


_AGAIN = "{}, which is computed again in the backward pass,"


def stage_call(function: Callable[..., Any], args: tuple[Any, ...], name: str) -> Any:
    """Call a function as a node that a derivative computes again.

    Raises
    ------
    Break
        It changes something outside besides variables and streams of random numbers.
    """
    operands, put = split_arguments(args)
    inner = _Inner(current(), name, _AGAIN.format(name), function)
    found = inner.run(function, put, [v.tensor_type for v in operands])
    outputs = inner.close(found, may_assign=True)
    region = inner.region
    graph = region.graph([*inner.inputs, *region.captured], outputs)
    made = ops.call(*operands, *region.outers, regions=(graph,), name=name, remat=True)
    return inner.result(made)


def stage_custom(function: Callable[..., Any], args: tuple[Any, ...], name: str) -> Any:
    """Call a function that returns a result and its gradient function, as one node.

    Raises
    ------
    Break
        It changes something outside.
    """
    operands, put = split_arguments(args)
    if not operands:
        return pair(calls.call(function, *args), name)[0]
    what = f"{name}, which has a gradient of its own,"
    inner = _Inner(current(), name, what, function)
    result, gradient = pair(inner.run(function, put, [v.tensor_type for v in operands]), name)
    with_leaves = flatten(result)[0]
    types = [payload_of(_read(x)).type for x in with_leaves if _is_tensor(x)]
    smooth = [t for t in types if is_inexact(t.dtype)]
    back = _Inner(inner.region, f"{name}_backward", what, gradient)
    found = back.run(gradient, lambda handles: _filled(types, handles), smooth)
    cotangents = fitting_gradients(found, operands, name)
    given = back.close(cotangents)
    outputs = inner.close(result)
    return inner.result(_emit(name, operands, inner, back, outputs, given))


def _emit(
    name: str,
    operands: list[Value],
    inner: _Inner,
    back: _Inner,
    outputs: list[Value],
    given: list[Value],
) -> Any:
    """The node, whose operands are the arguments and what the function takes from outside."""
    region = inner.region
    inputs = [*inner.inputs, *region.captured]
    forward = region.graph(inputs, [*outputs, *back.region.outers])
    primal = Graph(name, forward.inputs, forward.nodes, tuple(outputs))
    with back.region.again():
        from plait.ir.autodiff.while_parts import zeros

        smooth = [v for v in region.outers if is_inexact(v.tensor_type.dtype)]
        constants = [back.region.lift(zeros(v.tensor_type)) for v in smooth]
    backward = back.region.graph([*back.region.captured, *back.inputs], [*given, *constants])
    return ops.custom_vjp(*operands, *region.outers, regions=(primal, forward, backward), name=name)


def _is_tensor(x: Any) -> bool:
    return type(x) is Tensor or hasattr(x, "__plait_tensor__")


def _filled(types: Sequence[TensorType], handles: list[Any]) -> list[Any]:
    """One cotangent for each result: zeros for those that have none."""
    from plait.ir.autodiff.while_parts import zeros

    rest = iter(handles)
    return [next(rest) if is_inexact(t.dtype) else wrap(zeros(t)) for t in types]


def pair(found: Any, name: str) -> tuple[Any, Any]:
    """The result and the gradient function that a custom function must return."""
    if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
        raise TraceError(
            f"{name}: a function with custom_gradient must return a pair of its result and the "
            "function that gives the gradients"
        )
    return found


def fitting_gradients(found: Any, operands: Sequence[Any], name: str) -> list[Any]:
    """One gradient for each floating operand, of its type; zeros for None.

    Raises
    ------
    TraceError
        Another number of gradients.
    ShapeError, DTypeError
        Gradients that do not fit.
    """
    from plait.ir.derivatives.define import like

    items = flatten(found)[0]
    smooth = [x for x in operands if is_inexact(x.dtype)]
    if len(items) == len(operands) != len(smooth):
        items = [g for g, x in zip(items, operands, strict=True) if is_inexact(x.dtype)]
    if len(items) != len(smooth):
        raise TraceError(
            f"{name}: the gradient function must give one gradient for each of {len(smooth)} "
            f"tensor argument(s), it gave {len(items)}"
        )
    return [
        wrap(like(x, 0)) if g is None else wrap(_fit(unwrap(g), x, name))
        for g, x in zip(items, smooth, strict=True)
    ]


def _fit(payload: Any, operand: Any, name: str) -> Any:
    if not hasattr(payload, "dtype"):
        if not isinstance(payload, (int, float, complex, list)):
            raise DTypeError(f"{name}: a gradient must be a tensor, got {type(payload).__name__}")
        payload = functions.constant(payload, operand.dtype)
    if tuple(payload.shape) != tuple(operand.shape):
        raise ShapeError(
            f"{name}: a gradient has shape {tuple(payload.shape)}, its argument "
            f"{tuple(operand.shape)}"
        )
    if payload.dtype == operand.dtype:
        return payload
    return ops.cast(payload, dtype=operand.dtype)


__all__ = [
    "call_captured",
    "fitting_gradients",
    "pair",
    "split_arguments",
    "stage_call",
    "stage_custom",
]
