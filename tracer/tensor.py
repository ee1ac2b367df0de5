"""Tensor: the handle that users hold, over an ndarray, a device array or a graph value."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from plait.ir import Value, dispatch
from plait.ir.errors import PlaitError
from plait.ir.functions.payload import WeakValue
from plait.ir.location import user_location

P = ParamSpec("P")


class Tensor:
    """An n-dimensional array with NumPy's semantics.

    Attributes
    ----------
    _data : ndarray, jax.Array or Value
        The payload.
    _storage : object or None
        None while the buffer is this handle's alone; ``FROZEN`` once something else may read it;
        a ``Storage`` once it was viewed.
    _kind : str
        What the handle stands for in a trace: ``"tensor"``, ``"ndarray"`` or ``"number"``.
    """

    __slots__ = ("__weakref__", "_data", "_kind", "_storage")

    _data: Any
    _storage: Any
    _kind: str


def wrap(data: Any, kind: str = "tensor") -> Tensor:
    """A new handle on a payload."""
    handle = object.__new__(Tensor)
    handle._data = data
    handle._storage = None
    handle._kind = kind
    return handle


def unwrap(x: Any) -> Any:
    """The payload of a handle; lists, tuples and dicts are searched; the rest passes through."""
    kind = type(x)
    if kind is Tensor:
        return _payload(x)
    if kind is list or kind is tuple:
        return kind([unwrap(item) for item in x])
    if kind is dict:
        return {key: unwrap(item) for key, item in x.items()}
    read = getattr(x, "__plait_tensor__", None)
    return x if read is None or isinstance(x, type) else _payload(read())


def _payload(x: Tensor) -> Any:
    data = x._data
    if dispatch.active and type(data) is not Value:
        # A tensor from outside enters a trace by its handle, so that later writes to it are seen.
        read = getattr(dispatch.current(), "read_tensor", None)
        return data if read is None else read(x)
    if type(data) is Value and x._kind == "number":
        kinds = {"b": bool, "i": int, "f": float, "c": complex}
        return WeakValue(data, kinds[data.dtype.kind])
    return data


def rewrap(result: Any) -> Any:
    """Handles for the payloads in a function's result."""
    kind = type(result)
    if kind is np.ndarray or kind is Value or kind in dispatch.EAGER.executors:
        return wrap(result)
    if kind is tuple or kind is list:
        return kind([rewrap(item) for item in result])
    return result


def lift(function: Callable[P, Any]) -> Callable[P, Any]:
    """The public form of a function on payloads: takes and gives tensors, raises at user lines."""

    @wraps(function)
    def public(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return rewrap(function(*unwrap(args), **unwrap(kwargs)))
        except PlaitError as error:
            raise error.at(user_location()).with_traceback(None) from None

    return public
