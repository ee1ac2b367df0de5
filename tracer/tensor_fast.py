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

from plait.ir import Value, bfloat16, dispatch, float32, float64, ops
from plait.ir.errors import PlaitError
from plait.ir.frames import hide_internals
from plait.ir.functions.payload import WEAK_TYPES
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


# Ops that take two tensors of one floating type as they are: nothing to promote or broadcast.
_DIRECT = {name: getattr(ops, name) for name in ("add", "subtract", "multiply", "divide")}
_FLOATS = frozenset((float32, float64))


def traced(op: Any, x: Any, y: Any) -> Any:
    """The op on two tracers of one floating type, written down at once; else None."""
    a, b = x._data, y._data
    if type(a) is not Value or type(b) is not Value or a.type != b.type or a.dtype not in _FLOATS:
        return None
    interpreter = dispatch.current()
    if interpreter is dispatch.EAGER or x._kind != "tensor" or y._kind != "tensor":
        return None
    try:
        return wrap(interpreter.run(op, (a, b), {}, ()))
    except PlaitError:
        return None  # the way that promotes says what is wrong


def binary_operator(name: str, ufunc: Any) -> Binary:
    """The method of ``x + y``."""
    op = _DIRECT.get(name)
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
        elif op is not None and type(other) is _tensor:
            made = traced(op, self, other)
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
        try:
            return call(name, other, self) if is_array_like(other) else NotImplemented
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def unary_operator(name: str, ufunc: Any) -> Unary:
    """The method of ``-x``."""

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
        try:
            return call(name, self)
        except Exception as error:
            hide_internals(error)
            raise

    return operator


def unary_function(function: Method, ufunc: Any) -> Method:
    """The public form of an elementwise function of one operand."""

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
        try:
            return run(function, (x,), {})
        except Exception as error:
            hide_internals(error)
            raise

    return public


def binary_function(function: Method, ufunc: Any) -> Method:
    """The public form of an elementwise function of two operands."""
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
        try:
            return run(function, (x, y), {})
        except Exception as error:
            hide_internals(error)
            raise

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
        try:
            return call("matmul", self, other) if is_array_like(other) else NotImplemented
        except Exception as error:
            hide_internals(error)
            raise

    return operator
