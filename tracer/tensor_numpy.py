"""How NumPy and other array libraries take our tensors: protocols of NumPy, DLPack and jax."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from plait.ir import SHORT_NAMES, Value, bfloat16, dispatch, functions
from plait.ir.device import device_of
from plait.ir.errors import DTypeError, PlaitError, ShapeError, SignatureError, TraceError
from plait.ir.frames import boundary
from plait.ir.functions.payload import WEAK_TYPES
from plait.ir.location import user_location
from plait.tracer import pending
from plait.tracer.number_operators import ask, strong_number
from plait.tracer.recorded import is_known
from plait.tracer.tensor_handle import Handle, demand, host_array, kind_of, run, uncaptured, wrap
from plait.tracer.tensor_operators import write
from plait.tracer.tensor_storage import (
    freeze,
    lent_array,
    on_host,
    read_array,
    share,
    shares_memory,
    writable_array,
)
from plait.tracer.tensor_views import as_array

#: NumPy functions that write into their first argument.
WRITING = frozenset(("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"))

# NumPy's names where ours differ.
_RENAMED = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "around": "round",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
    "fabs": "abs",
    "float_power": "power",
    "conjugate": "conj",
    "degrees": "rad2deg",
    "radians": "deg2rad",
}

#: ``np.add.reduce`` and the like as functions.
_REDUCE = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}
# What makes arrays of its first two arguments, so that Python numbers among them are not weak.
_CONVERTING = frozenset(("append", "dot", "inner", "kron", "outer", "vdot"))
# Functions that give arrays also where these have no axes, of which others make scalars.
_ARRAYS = frozenset(
    ("array", "asarray", "copy", "empty_like", "full_like", "ones_like", "where", "zeros_like")
)
_ACCUMULATE = {"add": "cumsum", "multiply": "cumprod"}


class NumpyProtocols(Handle):
    """What lets ``np.*`` take and give tensors."""

    __slots__ = ()

    __array_priority__ = 1000

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = host_array(self, "np.asarray()")
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(
                    f"a {array.dtype.name} tensor cannot be seen as {np.dtype(dtype).name} "
                    "without a copy"
                )
            return array.astype(dtype)
        return np.array(array) if copy else lent_array(self)

    @boundary
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if pending.recorders and (recorder := pending.recorder()) is not None:
            return _recorded_ufunc(recorder, ufunc, method, inputs, kwargs)
        outputs = _outputs(kwargs)
        if _needs_functions((*inputs, *outputs)) and not _are_arrays(outputs):
            return _traced_ufunc(ufunc, method, inputs, kwargs)
        return _eager_ufunc(ufunc, method, inputs, kwargs)

    @boundary
    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        handles = list(_handles((args, kwargs)))
        if pending.recorders and (recorder := pending.recorder()) is not None:
            return _recorded_function(recorder, function, args, dict(kwargs), handles)
        if _needs_functions(handles):
            return _traced_function(function, args, dict(kwargs))
        return _eager_function(function, args, dict(kwargs), handles)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        known = ("2021.12", "2022.12", "2023.12", "2024.12")
        if api_version is not None and api_version not in known:
            raise ValueError(f"array API version {api_version!r} is not supported: {known}")
        return sys.modules["plait"]

    def __jax_array__(self) -> Any:
        if type(self._data) is Value:
            demand(self, "a jax function")
        data = self._data
        if dispatch.recording and is_known(data):
            raise TraceError(
                "a function or an operator of jax cannot be recorded by a gradient tape: use that "
                "of plait, make jax arrays tensors with pl.asarray(), or give it x.numpy(), a "
                "constant to the tape"
            )
        if type(data) is not np.ndarray:
            return data
        jax = sys.modules.get("jax")
        if jax is None:
            raise TypeError("jax is not imported")
        return jax.numpy.asarray(data)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        if type(self._data) is Value:
            demand(self, "DLPack export")
        array = self._data if not on_host(self._data) else host_array(self, "DLPack export")
        if array.dtype == bfloat16:
            raise BufferError("NumPy exports no bfloat16 by DLPack; cast to float32 first")
        if not on_host(array):
            return array.__dlpack__(stream=stream)
        freeze(self)
        if max_version is None or max_version < (1, 0):
            if not array.flags.writeable:
                array = array.copy()
            return array.__dlpack__()
        view = array.view()
        view.flags.writeable = False
        return view.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[Any, int]:
        if type(self._data) is Value:
            demand(self, "DLPack export")
        if on_host(self._data):
            return (1, 0)
        device: tuple[Any, int] = self._data.__dlpack_device__()
        return device


def _handles(x: Any) -> Any:
    """The tensors in nested arguments."""
    if isinstance(x, Handle):
        yield x
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from _handles(item)
    elif isinstance(x, Mapping):
        for item in x.values():
            yield from _handles(item)


def _outputs(kwargs: dict[str, Any]) -> tuple[Any, ...]:
    out = kwargs.get("out")
    return () if out is None else out if type(out) is tuple else (out,)


def _needs_functions(operands: Any) -> bool:
    """Whether our functions must do it: something is traced, or lies on an accelerator."""
    if dispatch.active and not dispatch.is_eager():
        return True
    if dispatch.recording and is_known(*[x._data for x in operands if isinstance(x, Handle)]):
        return True
    return any(isinstance(x, Handle) and not on_host(x._data) for x in operands)


def _are_arrays(outputs: tuple[Any, ...]) -> bool:
    """Whether eager results are written into arrays, which no tape knows of."""
    return any(type(x) is np.ndarray for x in outputs) and dispatch.is_eager()


def _array(x: Any) -> Any:
    """The ndarray of a tensor or variable, for NumPy to read."""
    if isinstance(x, Handle):
        return read_array(x)
    if type(x) is list or type(x) is tuple:
        return type(x)([_array(item) for item in x])
    if type(x) is dict:
        return {key: _array(item) for key, item in x.items()}
    read = None if isinstance(x, type) else getattr(x, "__plait_tensor__", None)
    return x if read is None else read_array(read())


def _eager_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    outputs = _outputs(kwargs)
    targets = [writable_array(x) if isinstance(x, Handle) else x for x in outputs]
    if outputs:
        kwargs["out"] = tuple(targets)
    if "where" in kwargs:
        kwargs["where"] = _array(kwargs["where"])
    first = writable_array(inputs[0]) if method == "at" and isinstance(inputs[0], Handle) else None
    arrays = [_array(x) for x in inputs]
    if first is not None:
        arrays[0] = first
    try:
        results = getattr(ufunc, method)(*arrays, **kwargs)
    except (TypeError, ValueError) as error:
        raise _numpy_error(f"np.{ufunc.__name__}", arrays, error) from None
    if method == "at":
        return None
    if outputs:
        return outputs[0] if ufunc.nout == 1 else outputs
    if type(results) is tuple:
        return tuple([wrap(np.asarray(r)) for r in results])
    return wrap(np.asarray(results)) if _is_tensor_dtype(results) else results


def _recorded_ufunc(
    recorder: Any, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A ufunc in a call that runs in segments: recorded where it is one of our functions."""
    name = ufunc.__name__
    function = _find(name) or _find(_RENAMED.get(name))
    known = all(isinstance(x, (Handle, np.ndarray)) or type(x) in WEAK_TYPES for x in inputs)
    if known and function is not None and method == "__call__" and not kwargs:
        return run(function, inputs, {})
    recorder.flush()
    return recorder.eagerly(_eager_ufunc, ufunc, method, inputs, kwargs)


# NumPy's functions whose results are those of our functions of the same names.
_RECORDABLE = (
    "amax amin clip concatenate dot einsum max mean min prod reshape stack std sum tensordot "
    "transpose var where"
)
_RECORDED = frozenset(_RECORDABLE.split())


def _recorded_function(
    recorder: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], handles: list[Any]
) -> Any:
    name = function.__name__
    if name in _RECORDED and "out" not in kwargs and any(type(x._data) is Value for x in handles):
        return _traced_function(function, args, kwargs)
    recorder.flush()
    return recorder.eagerly(_eager_function, function, args, kwargs, handles)


def _numpy_error(name: str, arrays: Any, error: Exception) -> PlaitError:
    shown = ", ".join(f"{a.dtype.name}{a.shape}" for a in arrays if hasattr(a, "dtype"))
    kind = DTypeError if isinstance(error, TypeError) else ShapeError
    text = f"{name}({shown}): {error}"
    return kind(text).at(user_location())


def _is_tensor_dtype(x: Any) -> bool:
    return getattr(x, "dtype", None) in SHORT_NAMES


def _traced_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = ufunc.__name__
    if method == "__call__":
        function = _find(name) or _find(_RENAMED.get(name))
    else:
        function = _find({"reduce": _REDUCE, "accumulate": _ACCUMULATE}.get(method, {}).get(name))
    if function is None:
        raise _cannot_capture(f"np.{name}" if method == "__call__" else f"np.{name}.{method}")
    outputs = _outputs(kwargs)
    options = {k: v for k, v in kwargs.items() if k != "out" and v is not None}
    dtype, where = options.pop("dtype", None), options.pop("where", True)
    casting = options.pop("casting", "same_kind")
    if where is not True or casting != "same_kind" or options.keys() - {"axis", "keepdims"}:
        shown = ", ".join(kwargs)
        raise uncaptured(
            TraceError(
                f"np.{name} with {shown} cannot be captured, recorded by a tape or run on this "
                "device; use the plait function and pl.where"
            )
        )
    if method != "__call__":
        options.setdefault("axis", 0)
    kind = kind_of(inputs)
    if kind == "number":  # NumPy makes scalars of Python numbers that meet no array
        kind, inputs = "ndarray", tuple([strong_number(x) for x in inputs])
    result = run(function, inputs, options, kind)
    if dtype is not None:
        result = result.astype(dtype)
    if not outputs:
        return result
    write(outputs[0], result._data, f"np.{name} with out=")
    return outputs[0]


def _eager_function(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], handles: list[Any]
) -> Any:
    outputs = _outputs(kwargs)
    targets = [writable_array(x) if isinstance(x, Handle) else x for x in outputs]
    name = function.__name__
    if name in WRITING and args and isinstance(args[0], Handle):
        writable_array(args[0])
    arrays, options = _array(args), _array(kwargs)
    if outputs:
        options["out"] = targets[0] if type(kwargs["out"]) is not tuple else tuple(targets)
    try:
        results = function(*arrays, **options)
    except (TypeError, ValueError) as error:
        if isinstance(error, PlaitError):
            raise
        kind = DTypeError if isinstance(error, TypeError) else ShapeError
        raise kind(f"np.{name}: {error}").at(user_location()) from None
    return outputs[0] if outputs else _wrap_results(results, handles)


def _wrap_results(results: Any, handles: list[Any]) -> Any:
    """Tensors for the arrays that NumPy returned; a view of an operand stays one."""
    if isinstance(results, (tuple, list)):
        made = [_wrap_results(item, handles) for item in results]
        return results._make(made) if hasattr(results, "_make") else type(results)(made)
    if not isinstance(results, (np.ndarray, np.generic)) or not _is_tensor_dtype(results):
        return results
    array = np.asarray(results)
    result = wrap(array)
    for handle in handles:
        data = handle._data
        if type(data) is np.ndarray and (array is data or shares_memory(array, data)):
            share(handle, result)
            break
    return result


def _traced_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = function.__name__
    found = _find(name) or _find(_RENAMED.get(name))
    if found is None or name in WRITING:
        raise _cannot_capture(f"np.{name}")
    if kwargs.pop("out", None) is not None:
        raise uncaptured(TraceError(f"np.{name} with out= cannot be captured; assign the result"))
    operands = list(_handles((args, kwargs)))
    kind = kind_of(operands) if operands else "ndarray"
    given = {k: v for k, v in kwargs.items() if v is not np._NoValue}
    if kind == "number":
        kind = "ndarray"
        if name != "clip":
            ask(*operands)
    args = _strong_arguments(name, args)
    try:
        made = run(found, args, given, kind)
        if name in _ARRAYS and type(made) is not tuple:
            as_array(made)
        return made
    except SignatureError as error:
        raise uncaptured(
            TraceError(f"np.{name} cannot be captured as called: {error.message}")
        ) from None


def _strong_arguments(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, Python numbers in 64 bits where NumPy makes arrays of them first."""
    first, last = {"where": (1, 3), "clip": (0, 3)}.get(name, (0, 2))
    numbers = [_is_number(x) for x in args[first:last]]
    if name not in _CONVERTING and not (name in ("clip", "where") and all(numbers)):
        return args
    strong = [strong_number(x) if _is_number(x) else x for x in args[first:last]]
    return (*args[:first], *strong, *args[last:])


def _is_number(x: Any) -> bool:
    return type(x) in WEAK_TYPES or (isinstance(x, Handle) and x._kind == "number")


def _find(name: str | None) -> Any:
    found = getattr(functions, name, None) if name is not None else None
    return found if type(found) is FunctionType else None


def _cannot_capture(what: str) -> BaseException:
    failed, advice = "captured in a compiled function", "call it outside"
    if dispatch.is_eager():
        failed, advice = "recorded by a gradient tape", "give it x.numpy(), a constant to the tape"
    return uncaptured(
        TraceError(
            f"{what} cannot be {failed}: plait has no function of that name; compose it of plait "
            f"functions, or {advice}"
        )
    )


@boundary
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor that shares the memory of another library's array.

    Parameters
    ----------
    x : object with ``__dlpack__``
        An array on the CPU. Later writes to it show in the tensor; a write to the tensor copies.
    device : str, optional
        Where to put the tensor; by default where the array is.
    copy : bool, optional
        True copies at once.

    Returns
    -------
    Tensor

    Raises
    ------
    DTypeError
        Not an array that DLPack can carry, or of a dtype that tensors do not have.

    Examples
    --------
    >>> pl.from_dlpack(np.arange(3.0))
    pl.Tensor([0., 1., 2.], dtype=float64, shape=(3,))
    """
    if isinstance(x, Handle):
        result: Any = x.copy() if copy else x  # type: ignore[attr-defined]
        return result if device is None else result.to(device)
    try:
        array = np.from_dlpack(x)
    except (AttributeError, BufferError, RuntimeError, TypeError) as error:
        raise DTypeError(f"from_dlpack: {type(x).__name__} cannot be imported: {error}").at(
            user_location()
        ) from None
    result = wrap(array.copy() if copy else array)
    if not copy:
        freeze(result)
    return result if device is None or device_of(result._data) == device else result.to(device)
