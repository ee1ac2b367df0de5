"""The eager hot path: one test of a flag, then the NumPy ufunc.

What it cannot do (or what NumPy refuses) goes to the function on payloads, which does it right or
says what is wrong. Handles made here set the payload only: each further store costs 2%.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from plait.ir import (
    GraphBuilder,
    Location,
    Op,
    TensorType,
    Value,
    bfloat16,
    dispatch,
    float32,
    float64,
    get_op,
    ops,
)
from plait.ir.errors import PlaitError
from plait.ir.frames import hide_internals
from plait.ir.functions.payload import WEAK_TYPES, broadcast_shapes
from plait.tracer import tensor_taped as taped
from plait.tracer.tensor_handle import Handle, call, is_array_like, run, wrap
from plait.tracer.tensor_storage import writable_array

if TYPE_CHECKING:
    from plait.tracer.tensor import Tensor

Method = Callable[..., Any]
Unary = Callable[[Any], "Tensor"]
Binary = Callable[[Any, Any], "Tensor"]

# NumPy computes bfloat16 with a Python number in float32; Plait keeps bfloat16.
_BFLOAT16 = type(bfloat16)
# NumPy orders complex numbers, which have no order.
_UNORDERED = {complex, type(np.dtype(np.complex64)), type(np.dtype(np.complex128))}
ORDERED = frozenset(("greater", "greater_equal", "less", "less_equal", "maximum", "minimum"))

_active = False
_tensor: Any = Handle


def _set_active(active: bool) -> None:
    global _active
    _active = active


dispatch.watch(_set_active)


def bind(tensor_class: type[Handle]) -> None:
    """Name the class of the handles that this module makes."""
    global _tensor
    _tensor = tensor_class


def _real_only(ufunc: Any) -> Method:
    """A ufunc that leaves complex operands to the function on payloads."""

    def checked(x: Any, y: Any) -> Any:
        if _class(x) in _UNORDERED or _class(y) in _UNORDERED:
            return None
        return ufunc(x, y)

    return checked


def _class(x: Any) -> Any:
    return type(x.dtype) if type(x) is ndarray else type(x)


# Ops on tensors of one floating type, with a result of that type: nothing to promote, broadcast or
# infer while tracing.
_DIRECT = {name: getattr(ops, name) for name in ("add", "subtract", "multiply", "divide")}
_SIMPLE = (
    "add atan2 copysign divide fmod hypot logaddexp maximum minimum multiply power remainder "
    "subtract"
)
_TAPED = {name: getattr(ops, name) for name in _SIMPLE.split()}
_FLOATS = frozenset((float32, float64))


def keeps_floats(op: Op) -> bool:
    """Whether the op on one tensor of a floating type gives that type."""
    types = [TensorType(dtype, ()) for dtype in _FLOATS]
    try:
        return [op.infer(t) for t in types] == types
    except PlaitError:
        return False


def traced(op: Op, x: Any) -> Any:
    """The op on a tracer of a floating type, written down at once with that type; else None."""
    builder, value = dispatch.current(), x._data
    if dispatch.recording and dispatch.tapes():
        return None
    if type(value) is not Value or not isinstance(builder, GraphBuilder):
        return None
    kind = value.type
    if type(kind) is not TensorType or kind.dtype not in _FLOATS or x._kind != "tensor":
        return None
    if not builder.owns(value):
        return None
    return wrap(builder.append(op, (value,), {}, (), (kind,), builder.location(3)).results[0])


def traced_pair(op: Op, x: Any, y: Any) -> Any:
    """The op on two tracers of one floating dtype, written down at once; else None."""
    builder, a, b = dispatch.current(), x._data, y._data
    if dispatch.recording and dispatch.tapes():
        return None
    if type(a) is not Value or type(b) is not Value or not isinstance(builder, GraphBuilder):
        return None
    kind, other = a.type, b.type
    if type(kind) is not TensorType or type(other) is not TensorType:
        return None
    if kind.dtype not in _FLOATS or x._kind != "tensor" or y._kind != "tensor":
        return None
    if not (builder.owns(a) and builder.owns(b)):
        return None
    location = builder.location(3)
    if other is not kind and other != kind:
        if other.dtype != kind.dtype:
            return None
        try:
            kind = TensorType(kind.dtype, broadcast_shapes(op.name, kind.shape, other.shape))
        except PlaitError:
            return None  # the way that promotes says what is wrong
        a, b = [_stretched(builder, v, kind, location) for v in (a, b)]
    return wrap(builder.append(op, (a, b), {}, (), (kind,), location).results[0])


def _stretched(builder: GraphBuilder, value: Value, kind: TensorType, location: Location) -> Value:
    """The value in a shape that it stretches to."""
    shape = kind.shape
    if value.shape == shape:
        return value
    made = builder.append(ops.broadcast_to, (value,), {"shape": shape}, (), (kind,), location)
    return made.results[0]


def traced_product(x: Any, y: Any) -> Any:
    """The product of two traced matrices of one floating dtype, written down at once; else None."""
    a, b, builder = x._data, y._data, dispatch.current()
    if dispatch.recording and dispatch.tapes():
        return None
    if type(a) is not Value or type(b) is not Value or not isinstance(builder, GraphBuilder):
        return None
    if a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype or a.dtype not in _FLOATS:
        return None
    if x._kind != "tensor" or y._kind != "tensor" or not (builder.owns(a) and builder.owns(b)):
        return None
    try:
        types = ops.matmul.infer_types((a.type, b.type), {})
    except PlaitError:
        return None  # the way that promotes says what is wrong
    node = builder.append(ops.matmul, (a, b), {}, (), types, builder.location(3))
    return wrap(node.results[0])


def binary_operator(name: str, ufunc: Any) -> Binary:
    """The method of ``x + y``."""
    op, noted = _DIRECT.get(name), _TAPED.get(name)
    if name in ORDERED:
        ufunc = _real_only(ufunc)

    def operator(self: Any, other: Any) -> Any:
        if not _active:
            try:
                if type(other) is _tensor:
                    data = ufunc(self._data, other._data)
                elif type(other) in WEAK_TYPES and type(self._data.dtype) is not _BFLOAT16:
                    data = ufunc(self._data, other)
                else:
                    data = None
                if type(data) is ndarray:
                    handle = _tensor()
                    handle._data = data
                    return handle
                if data is not None:
                    return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass  # the way below says what is wrong
        elif dispatch.recording and (tape := dispatch.only_tape()) is not None:
            made = None if noted is None else taped.two(tape, noted, self, other)
            if made is not None:
                return made
        elif op is not None and type(other) is _tensor:
            made = traced_pair(op, self, other)
            if made is not None:
                return made
        try:
            return call(name, self, other) if is_array_like(other) else NotImplemented
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def reflected_operator(name: str, ufunc: Any) -> Binary:
    """The method of ``y + x`` where ``y`` is no tensor."""
    op = _DIRECT.get(name)

    def operator(self: Any, other: Any) -> Any:
        if not _active and type(other) in WEAK_TYPES:
            try:
                if type(self._data.dtype) is not _BFLOAT16:
                    data = ufunc(other, self._data)
                    if type(data) is ndarray:
                        handle = _tensor()
                        handle._data = data
                        return handle
                    if data is not None:
                        return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass
        elif op is not None and dispatch.recording and (tape := dispatch.only_tape()) is not None:
            made = taped.with_number(tape, op, self, other, True)
            if made is not None:
                return made
        try:
            return call(name, other, self) if is_array_like(other) else NotImplemented
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def unary_operator(name: str, ufunc: Any) -> Unary:
    """The method of ``-x``."""
    op = ops.negative if name == "negative" else ops.absolute if name == "abs" else None

    def operator(self: Any) -> Any:
        if not _active:
            try:
                data = ufunc(self._data)
                if type(data) is ndarray:
                    handle = _tensor()
                    handle._data = data
                    return handle
                if data is not None:
                    return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass
        elif op is not None and dispatch.recording and (tape := dispatch.only_tape()) is not None:
            made = taped.one(tape, op, self)
            if made is not None:
                return made
        try:
            return call(name, self)
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def unary_function(function: Method, ufunc: Any) -> Method:
    """The public form of an elementwise function of one operand."""
    op = get_op(function.__name__)
    direct = keeps_floats(op)

    @wraps(function)
    def public(x: Any) -> Any:
        if not _active and type(x) is _tensor:
            try:
                data = ufunc(x._data)
                if type(data) is ndarray:
                    handle = _tensor()
                    handle._data = data
                    return handle
                if data is not None:
                    return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass
        elif direct and type(x) is _tensor:
            tape = dispatch.only_tape() if dispatch.recording else None
            made = traced(op, x) if tape is None else taped.one(tape, op, x)
            if made is not None:
                return made
        try:
            return run(function, (x,), {})
        except Exception as error:
            hide_internals(error)
            raise

    public.__plait_lifted__ = True  # type: ignore[attr-defined]
    return public


def binary_function(function: Method, ufunc: Any) -> Method:
    """The public form of an elementwise function of two operands."""
    op = _TAPED.get(function.__name__)
    if function.__name__ in ORDERED:
        ufunc = _real_only(ufunc)

    @wraps(function)
    def public(x: Any, y: Any) -> Any:
        if not _active and type(x) is _tensor and type(y) is _tensor:
            try:
                data = ufunc(x._data, y._data)
                if type(data) is ndarray:
                    handle = _tensor()
                    handle._data = data
                    return handle
                if data is not None:
                    return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass
        elif dispatch.recording and (tape := dispatch.only_tape()) is not None and op is not None:
            both = type(x) is _tensor and type(y) is _tensor
            made = taped.two(tape, op, x, y) if both else None
            if made is not None:
                return made
        try:
            return run(function, (x, y), {})
        except Exception as error:
            hide_internals(error)
            raise

    public.__plait_lifted__ = True  # type: ignore[attr-defined]
    return public


def in_place_operator(name: str, ufunc: Any, slow: Callable[[Any, str, Any], Any]) -> Binary:
    """The method of ``x += y``."""

    def operator(self: Any, other: Any) -> Any:
        if not _active and type(self._data) is ndarray:
            try:
                given = other._data if type(other) is _tensor else other
                weak = type(given) in WEAK_TYPES and type(self._data.dtype) is not _BFLOAT16
                if weak or type(given) is ndarray:
                    data = writable_array(self)
                    ufunc(data, given, out=data)
                    return self
            except Exception:
                pass
        try:
            return slow(self, name, other)
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def matmul_operator() -> Binary:
    """The method of ``x @ y``: float32 and float64 go straight to NumPy."""
    native = frozenset((np.dtype(np.float32), np.dtype(np.float64)))
    matmul = np.matmul

    def operator(self: Any, other: Any) -> Any:
        if not _active and type(other) is _tensor and self._data.dtype in native:
            try:
                if self._data.dtype is other._data.dtype:
                    data = matmul(self._data, other._data)
                    if type(data) is ndarray:
                        handle = _tensor()
                        handle._data = data
                        return handle
                    if data is not None:
                        return wrap(np.asarray(data))  # 0-d: NumPy gives a scalar
            except Exception:
                pass
        elif _active and type(other) is _tensor:
            tape = dispatch.only_tape() if dispatch.recording else None
            made = traced_product(self, other) if tape is None else taped.product(tape, self, other)
            if made is not None:
                return made
        try:
            return call("matmul", self, other) if is_array_like(other) else NotImplemented
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def total_function(function: Method, quick: Method) -> Method:
    """The public form of a reduction, of which ``quick`` gives that over all axes for a tape."""

    @wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        if dispatch.recording and (tape := dispatch.only_tape()) is not None:
            alone = len(args) == 1 and not kwargs and type(args[0]) is _tensor
            made = quick(tape, args[0]) if alone else None
            if made is not None:
                return made
        try:
            return run(function, args, kwargs)
        except Exception as error:
            hide_internals(error)
            raise

    public.__plait_lifted__ = True  # type: ignore[attr-defined]
    return public
