"""Views of a tensor that are no index: its real and imaginary part, its bits in another dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.ir import DType, Value, dispatch, functions, is_complex, ops
from plait.tracer import pending, recorded
from plait.tracer import tensor_views as views
from plait.tracer.tensor_handle import call, wrap
from plait.tracer.tensor_storage import on_host, read_array, share

if TYPE_CHECKING:
    from plait.tracer.tensor import Tensor

__all__ = ["part", "tie_bits"]


def tie_bits(whole: Any, made: Any, dtype: DType) -> None:
    """Tie a traced view in another dtype to what it views."""
    own = whole.dtype
    views.derive(
        whole,
        made,
        lambda payload: functions.bitcast(payload, dtype),
        lambda _, part: functions.bitcast(part, own),
    )


def part(handle: Any, name: str) -> Tensor:
    """The real or imaginary part of a tensor, a view of it where NumPy gives one."""
    if pending.recorders and (recorder := pending.recorder()) is not None:
        found: Tensor = recorder.eagerly(part, handle, name)
        return found
    if type(handle._data) is not Value and on_host(handle._data) and dispatch.is_eager():
        array = read_array(handle)
        made = getattr(array, name)
        result = wrap(array.view() if made is array else made)
        if result._data.base is not None:
            share(handle, result)
        if dispatch.recording:
            recorded.follow(result, getattr(functions, name), handle._data)
        return result
    result = call(name, handle)
    if type(result._data) is not Value:
        return result
    if is_complex(handle._data.dtype):
        views.derive(handle, result, getattr(functions, name), _SET_PART[name])
    elif name == "real":
        views.derive(handle, result, functions.real, lambda _, own: own)
    return result


_SET_PART = {
    "real": lambda whole, own: ops.complex_(own, ops.imag(whole)),
    "imag": lambda whole, own: ops.complex_(ops.real(whole), own),
}
