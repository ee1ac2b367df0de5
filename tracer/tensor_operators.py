"""Tensor's operators: arithmetic, comparison, bits, matmul, in place, indexing, conversion."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import Value, dispatch, functions, is_complex
from plait.ir.errors import DTypeError, IndexOutOfRangeError, PlaitError, ShapeError
from plait.ir.frames import boundary, hide_internals
from plait.ir.functions.payload import dtype_of, wide_payload
from plait.ir.location import user_location
from plait.tracer import pending, recorded, state
from plait.tracer import tensor_fast as fast
from plait.tracer import tensor_views as views
from plait.tracer.tensor_handle import (
    Handle,
    call,
    host_array,
    is_array_like,
    kind_of,
    reported,
    rewrap,
    unwrap,
    wrap,
)
from plait.tracer.tensor_storage import on_host, read_array, share, writable_array

if TYPE_CHECKING:
    from plait.tracer.tensor import Tensor


def write(handle: Any, payload: Any, what: str) -> None:
    """Replace all elements: the payload must have the handle's shape and cast to its dtype."""
    if payload.shape != handle._data.shape:
        raise ShapeError(
            f"{what}: the result has shape {tuple(payload.shape)} but the tensor written to has "
            f"{tuple(handle._data.shape)}; write x = x + y instead of x += y"
        ).at(user_location())
    if not np.can_cast(payload.dtype, handle._data.dtype, "same_kind"):
        raise DTypeError(
            f"{what}: a result of {payload.dtype.name} does not fit into a tensor of "
            f"{handle._data.dtype.name} in place; write x = x + y, or cast the operand first"
        ).at(user_location())
    if type(payload) is Value and (recorder := pending.recorder()) is not None:
        recorder.write(handle, payload)
    elif type(handle._data) is Value:
        views.rebind(handle, functions.astype(payload, handle._data.dtype))
    elif type(payload) is Value:
        raise views.outside(handle)
    elif not on_host(payload):
        handle._data = functions.astype(payload, handle._data.dtype)
        handle._storage = None
    else:
        recorded.write(handle, payload)


def _in_place(self: Any, name: str, other: Any) -> Any:
    """``x += y`` by the function on payloads."""
    if not is_array_like(other) or is_replaced(self):
        return NotImplemented
    if (recorder := pending.recorder()) is not None and not recorder.takes(self, other):
        return recorder.eagerly(_IN_PLACE[name], self, other)
    if _is_captured(self):
        dispatch.current().write_tensor(self)  # type: ignore[attr-defined]
    write(self, unwrap(call(name, self, other)), f"in-place {name}")
    return self


def _in_place_method(name: str) -> fast.Binary:
    """The method of an operator that has no fast path."""

    def operator(self: Any, other: Any) -> Any:
        return _in_place(self, name, other)

    return operator


_IN_PLACE = {
    "add": operator.iadd,
    "subtract": operator.isub,
    "multiply": operator.imul,
    "divide": operator.itruediv,
    "floor_divide": operator.ifloordiv,
    "remainder": operator.imod,
    "power": operator.ipow,
    "bitwise_and": operator.iand,
    "bitwise_or": operator.ior,
    "bitwise_xor": operator.ixor,
    "bitwise_left_shift": operator.ilshift,
    "bitwise_right_shift": operator.irshift,
    "matmul": operator.imatmul,
}


def is_replaced(handle: Any) -> bool:
    """Whether ``x += y`` makes a new object, as for numbers, NumPy's scalars and jax arrays."""
    return handle._kind in ("number", "jax") or views.is_scalar(handle)


def _is_captured(handle: Any) -> bool:
    """Whether a write would change a tensor from outside of the trace that is running."""
    trace = state.current()
    if trace is None:
        return False
    return bool(trace.root.is_outside(handle))


class Operators(Handle):
    """What Python's syntax does with tensors; NumPy's meaning throughout."""

    __slots__ = ()

    __add__ = fast.binary_operator("add", np.add)
    __sub__ = fast.binary_operator("subtract", np.subtract)
    __mul__ = fast.binary_operator("multiply", np.multiply)
    __truediv__ = fast.binary_operator("divide", np.divide)
    __floordiv__ = fast.binary_operator("floor_divide", np.floor_divide)
    __mod__ = fast.binary_operator("remainder", np.remainder)
    __pow__ = fast.binary_operator("power", np.power)
    __and__ = fast.binary_operator("bitwise_and", np.bitwise_and)
    __or__ = fast.binary_operator("bitwise_or", np.bitwise_or)
    __xor__ = fast.binary_operator("bitwise_xor", np.bitwise_xor)
    __lshift__ = fast.binary_operator("bitwise_left_shift", np.left_shift)
    __rshift__ = fast.binary_operator("bitwise_right_shift", np.right_shift)
    __matmul__ = fast.matmul_operator()

    __radd__ = fast.reflected_operator("add", np.add)
    __rsub__ = fast.reflected_operator("subtract", np.subtract)
    __rmul__ = fast.reflected_operator("multiply", np.multiply)
    __rtruediv__ = fast.reflected_operator("divide", np.divide)
    __rfloordiv__ = fast.reflected_operator("floor_divide", np.floor_divide)
    __rmod__ = fast.reflected_operator("remainder", np.remainder)
    __rpow__ = fast.reflected_operator("power", np.power)
    __rand__ = fast.reflected_operator("bitwise_and", np.bitwise_and)
    __ror__ = fast.reflected_operator("bitwise_or", np.bitwise_or)
    __rxor__ = fast.reflected_operator("bitwise_xor", np.bitwise_xor)
    __rlshift__ = fast.reflected_operator("bitwise_left_shift", np.left_shift)
    __rrshift__ = fast.reflected_operator("bitwise_right_shift", np.right_shift)
    __rmatmul__ = fast.reflected_operator("matmul", np.matmul)

    __iadd__ = fast.in_place_operator("add", np.add, _in_place)
    __isub__ = fast.in_place_operator("subtract", np.subtract, _in_place)
    __imul__ = fast.in_place_operator("multiply", np.multiply, _in_place)
    __itruediv__ = fast.in_place_operator("divide", np.divide, _in_place)
    __ifloordiv__ = fast.in_place_operator("floor_divide", np.floor_divide, _in_place)
    __imod__ = fast.in_place_operator("remainder", np.remainder, _in_place)
    __ipow__ = fast.in_place_operator("power", np.power, _in_place)
    __iand__ = fast.in_place_operator("bitwise_and", np.bitwise_and, _in_place)
    __ior__ = fast.in_place_operator("bitwise_or", np.bitwise_or, _in_place)
    __ixor__ = fast.in_place_operator("bitwise_xor", np.bitwise_xor, _in_place)
    __ilshift__ = fast.in_place_operator("bitwise_left_shift", np.left_shift, _in_place)
    __irshift__ = fast.in_place_operator("bitwise_right_shift", np.right_shift, _in_place)

    __lt__ = fast.binary_operator("less", np.less)
    __le__ = fast.binary_operator("less_equal", np.less_equal)
    __gt__ = fast.binary_operator("greater", np.greater)
    __ge__ = fast.binary_operator("greater_equal", np.greater_equal)
    # As ndarray: == compares elements; only numbers are hashed, in Number.
    __eq__ = fast.binary_operator("equal", np.equal)  # type: ignore[assignment]
    __ne__ = fast.binary_operator("not_equal", np.not_equal)  # type: ignore[assignment]

    __neg__ = fast.unary_operator("negative", np.negative)
    __pos__ = fast.unary_operator("positive", np.positive)
    __abs__ = fast.unary_operator("abs", np.absolute)
    __invert__ = fast.unary_operator("bitwise_invert", np.invert)

    __imatmul__ = _in_place_method("matmul")

    @boundary
    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        if not is_array_like(other):
            return NotImplemented
        return call("floor_divide", self, other), call("remainder", self, other)

    @boundary
    def __rdivmod__(self, other: Any) -> Any:
        if not is_array_like(other):
            return NotImplemented
        return call("floor_divide", other, self), call("remainder", other, self)

    # Indexing.

    def __getitem__(self, key: Any) -> Tensor:
        try:
            if pending.recorders and (recorder := pending.recorder()) is not None:
                found: Tensor = recorder.get_elements(self, key)
                return found
            eager = not dispatch.active or dispatch.is_eager()
            if eager and on_host(self._data):
                key = unwrap(key)
                found = _get_elements(self, key)
                if dispatch.recording:
                    recorded.follow(found, functions.getitem, self._data, key)
                return found
            result = call_keeping_kind("getitem", self, key)
            note_view(self, result, key)
            return result
        except Exception as error:
            hide_internals(error)
            raise

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            if pending.recorders and (recorder := pending.recorder()) is not None:
                recorder.set_elements(self, key, value)
                return
            if _is_captured(self):
                dispatch.current().write_tensor(self)  # type: ignore[attr-defined]
            data, key, value = self._data, unwrap(key), unwrap(value)
            if type(data) is Value:
                views.rebind(self, functions.setitem(data, key, value))
            elif not on_host(data):
                self._data = functions.setitem(data, key, value)
                self._storage = None
            elif dispatch.recording and recorded.concerns(self, value):
                recorded.write(self, functions.setitem(data, key, value))
            else:
                _set_elements(self, key, value)
        except Exception as error:
            if isinstance(error, PlaitError):
                error.at(user_location())
            hide_internals(error)
            raise

    @boundary
    def __len__(self) -> int:
        shape = self._data.shape
        if not shape:
            raise DTypeError("len() of a 0-d tensor; it has no first axis").at(user_location())
        return _static_size(shape[0], "len()")

    @boundary
    def __iter__(self) -> Iterator[Tensor]:
        shape = self._data.shape
        if not shape:
            raise DTypeError("iteration over a 0-d tensor; it has no first axis").at(
                user_location()
            )
        return _rows(self, _static_size(shape[0], "iteration"))

    @boundary
    def __contains__(self, item: Any) -> bool:
        return bool(call("any", call("equal", self, item)))

    # Conversion.

    @boundary
    def __bool__(self) -> bool:
        return bool(_scalar(self, "a branch (bool())"))

    @boundary
    def __int__(self) -> int:
        return int(_scalar(self, "int()"))

    @boundary
    def __float__(self) -> float:
        return float(_scalar(self, "float()"))

    @boundary
    def __complex__(self) -> complex:
        return complex(_scalar(self, "complex()"))

    @boundary
    def __index__(self) -> int:
        data = self._data
        if data.ndim or data.dtype.kind not in "iu":
            raise DTypeError(
                f"only 0-d integer tensors can be used as an index; this one is "
                f"{data.dtype.name} of shape {tuple(data.shape)}"
            ).at(user_location())
        return int(_scalar(self, "use as a Python index (or in a shape)"))


def call_keeping_kind(name: str, x: Any, *args: Any, **kwargs: Any) -> Tensor:
    """Apply a named function whose result is of the first operand's kind."""
    kind = kind_of((x,)) if dispatch.active else "tensor"
    function = getattr(functions, name)
    try:
        data = function(unwrap(x), *unwrap(args), **unwrap(kwargs))
        result: Tensor = rewrap(data, kind)
        return result
    except Exception as error:
        raise reported(error, function)  # noqa: B904 - it says itself where it comes from


def _scalar(handle: Any, what: str) -> Any:
    array = host_array(handle, what)
    if array.size != 1:
        raise ShapeError(
            f"{what} needs a tensor of one element, this one has shape {array.shape}; use "
            ".any(), .all() or index it"
        ).at(user_location())
    return array.reshape(())[()]


def _static_size(size: Any, what: str) -> int:
    if type(size) is not int:
        raise ShapeError(f"{what}: the first dimension is symbolic ({size})").at(user_location())
    return size


def _rows(handle: Any, count: int) -> Iterator[Tensor]:
    for i in range(count):
        yield handle[i]


def _get_elements(handle: Any, key: Any) -> Tensor:
    """Index an ndarray; a basic key gives a view that is tied to the handle."""
    array = read_array(handle)
    try:
        found = array[key]
    except (IndexError, ValueError, TypeError) as error:
        raise _index_error(array, key, error) from None
    if type(found) is not np.ndarray:
        return wrap(np.asarray(found, array.dtype))
    result = wrap(found)
    if found.base is not None and np.may_share_memory(found, array):
        share(handle, result)
    return result


def _index_error(array: Any, key: Any, error: Exception) -> PlaitError:
    kinds = {IndexError: IndexOutOfRangeError, ValueError: ShapeError, TypeError: DTypeError}
    text = f"x[{functions.keys.show_key(key)}] on a tensor of shape {array.shape}: {error}"
    return next(kinds[k] for k in kinds if isinstance(error, k))(text).at(user_location())


def _set_elements(handle: Any, key: Any, value: Any) -> None:
    value = wide_payload(value)
    if is_complex(dtype_of(value)) and not is_complex(handle._data.dtype):
        raise DTypeError(
            f"x[...] = value: a complex value does not fit dtype {handle._data.dtype.name}; "
            "take its real part"
        )
    array = writable_array(handle)
    if not array.flags.writeable:
        raise ShapeError(
            "this tensor is a broadcast view, whose elements share memory; copy it first"
        )
    try:
        array[key] = value
    except IndexError as error:
        raise _index_error(array, key, error) from None
    except (ValueError, OverflowError) as error:
        kind = ShapeError if np.ndim(value) else DTypeError
        raise kind(f"x[...] = value on a tensor of shape {array.shape}: {error}") from None
    except TypeError as error:
        raise DTypeError(f"x[...] = value on a tensor of {array.dtype.name}: {error}") from None


def _is_view(key: Any, found: Any) -> bool:
    """Whether NumPy would give a view for the key rather than a copy."""
    parts = key if type(key) is tuple else (key,)
    basic = all(
        k is None
        or k is Ellipsis
        or type(k) in (int, slice)
        or (isinstance(k, Handle) and k._kind == "number" and k._data.dtype.kind in "iu")
        for k in parts
    )
    return basic and (found.ndim > 0 or any(k is Ellipsis for k in parts))


def note_view(base: Any, result: Any, key: Any) -> None:
    """Tie a traced view to its base, so that writes to either reach the other."""
    if type(result._data) is not Value or not _is_view(key, result._data):
        return
    key = unwrap(key)
    views.derive(
        base,
        result,
        lambda payload: functions.getitem(payload, key),
        lambda payload, part: functions.setitem(payload, key, part),
    )
