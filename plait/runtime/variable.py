"""Variables: named state that eager code and compiled functions read and assign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from plait.ir import DType, TensorType, Value, as_dtype, dispatch, functions
from plait.ir.device import Device, device_of
from plait.ir.display import mime_bundle
from plait.ir.errors import DTypeError, PlaitError, ShapeError, TraceError
from plait.ir.frames import boundary, hide_internals
from plait.ir.location import user_location
from plait.runtime.variable_operators import VariableOperators
from plait.tracer import (
    FROZEN,
    Tensor,
    freeze,
    is_rendering,
    mark,
    recorded,
    settle,
    uncaptured,
    unwrap,
    wrap,
)


class Variable(VariableOperators):
    """A tensor with a name whose value can be replaced.

    Reads as a tensor in every function and operator. Assigned inside a compiled function it
    becomes an output of the graph and is updated, in place where the backend can, when the
    function returns. ``==`` compares elements; variables hash by identity.

    Parameters
    ----------
    initial_value : array_like or callable
        The first value, copied; a callable is called for it.
    name : str, optional
        For messages and checkpoints.
    trainable : bool, default True
        Whether optimizers should change it.
    dtype : dtype, optional
        By default that of the value.

    A compiled function may make variables when it is traced first, as a layer does that is built
    on its first call; they are then its state. One that it makes at every call is an error.

    Raises
    ------
    TraceError
        The value is computed in a function that is being traced.

    Examples
    --------
    >>> v = pl.Variable([1.0, 2.0], name="weights")
    >>> v.assign_add([1.0, 1.0])
    pl.Variable([2., 3.], dtype=float32, shape=(2,), name='weights')
    >>> v * 2
    pl.Tensor([4., 6.], dtype=float32, shape=(2,))
    """

    __slots__ = ("__weakref__", "_lock", "_name", "_payload", "_shared", "_type", "trainable")

    @boundary
    def __init__(
        self,
        initial_value: Any,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        given = _called(initial_value) if callable(initial_value) else initial_value
        if type(given) is Tensor and (tracing := _interpreter("outside_value")) is not None:
            given = tracing.outside_value(given)
        is_traced = type(given) is Tensor and type(given._data) is Value
        if is_traced and not settle(given):
            raise uncaptured(
                TraceError(
                    "the first value of a Variable was computed in a function that is being "
                    "traced; make the variable outside, or give a callable that computes the value"
                )
            )
        with dispatch.suspended():
            self._payload = _fresh(given, dtype)
        self._shared = type(given) is Tensor  # whether a tensor may hold the same array
        self._type = TensorType(self._payload.dtype, tuple(self._payload.shape))
        self._lock = threading.RLock()
        self._name = name or ""
        self.trainable = trainable
        trace = _interpreter("variable_made")
        if trace is not None:
            trace.variable_made(self)

    # What it is.

    @property
    def name(self) -> str:
        """The name; empty when none was given."""
        return self._name

    @property
    def dtype(self) -> DType:
        """Dtype of the value; it never changes."""
        return self._type.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value; it never changes."""
        shape: tuple[int, ...] = self._payload.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self._type.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._type.size

    @property
    def device(self) -> Device:
        """Where the value lives."""
        return device_of(self._payload)

    # Reading.

    @property
    def value(self) -> Tensor:
        """The present value as a tensor; later assignments do not change it."""
        with self._lock:
            found = self.__plait_tensor__()
            if found._data is self._payload or type(self._payload) is np.ndarray:
                self._shared = True
        return found

    def numpy(self) -> Any:
        """The present value as a read-only ndarray; later assignments do not change it."""
        trace = _interpreter("read_variable")
        if trace is not None and trace.read_variable(self) is not None:
            return self.value.numpy()
        with self._lock:
            payload = self._payload
            if type(payload) is np.ndarray:
                self._shared = True
                return wrap(payload).numpy()
            array = np.array(payload)
        array.flags.writeable = False
        return array

    def __plait_tensor__(self) -> Tensor:
        """The value for one use: on the host a view, which must not outlive the use."""
        trace = _interpreter("read_variable")
        found = None if trace is None else trace.read_variable(self)
        if found is not None:
            return wrap(found)
        with self._lock:
            raw = payload = self._payload
            if type(payload) is not np.ndarray and device_of(payload).is_host:
                payload = np.asarray(payload)
            if dispatch.recording:
                payload = recorded.read_variable(self, raw, payload)
                self._shared = True
        result = wrap(payload)
        result._storage = FROZEN
        return result

    # Writing.

    def assign(self, value: Any) -> Self:
        """Replace the value.

        Parameters
        ----------
        value : array_like
            Of the variable's shape and dtype; Python numbers and lists take its dtype.

        Raises
        ------
        ShapeError, DTypeError
            It is not.
        """
        try:
            payload = self._checked(value)
        except PlaitError as error:
            error.at(user_location())
            hide_internals(error)
            raise
        trace = _interpreter("assign_variable")
        if trace is not None:
            trace.assign_variable(self, payload)
        elif type(payload) is Value:
            raise TraceError(
                f"{self._title()}: a value that is being traced cannot be assigned outside of "
                "its function"
            ).at(user_location())
        else:
            with self._lock:
                self._payload = payload
                self._shared = True
        return self

    def assign_add(self, value: Any) -> Self:
        """Add to the value."""
        with self._lock:
            return self.assign(self.__plait_tensor__() + self._fitted(value))

    def assign_sub(self, value: Any) -> Self:
        """Subtract from the value."""
        with self._lock:
            return self.assign(self.__plait_tensor__() - self._fitted(value))

    def _fitted(self, value: Any) -> Any:
        """Lists of numbers in the variable's dtype, where they fit; anything else as it is."""
        if type(value) not in (list, tuple):
            return value
        given = unwrap(value)
        payload = functions.constant(given)
        fits = np.can_cast(payload.dtype, self.dtype, "same_kind")
        return wrap(functions.constant(given, self.dtype) if fits else payload)

    def _checked(self, value: Any) -> Any:
        """The payload to store: of the right type, and nobody else's."""
        value = self._fitted(value)
        weak = type(value) in (bool, int, float, complex)
        payload = functions.constant(value, self.dtype) if weak else unwrap(value)
        if not hasattr(payload, "dtype"):
            payload = functions.constant(payload)
        if tuple(payload.shape) != self.shape:
            raise ShapeError(
                f"{self._title()} has shape {self.shape}; a value of shape "
                f"{tuple(payload.shape)} cannot be assigned to it"
            )
        if payload.dtype != self.dtype:
            raise DTypeError(
                f"{self._title()} has dtype {self.dtype.name}; a value of {payload.dtype.name} "
                f"cannot be assigned to it: cast it with astype({self.dtype.name!r})"
            )
        if type(payload) is np.ndarray and type(value) is Tensor:
            freeze(value)  # a later write to the tensor copies
            return payload
        if type(payload) is not np.ndarray or _interpreter("assign_variable") is not None:
            return payload  # a trace reads an array from outside anew at each call
        return payload.copy()

    # For the driver of compiled functions.

    def lend(self, *, donated: bool, host: bool) -> Any:
        """The payload as an argument of an executable.

        Parameters
        ----------
        donated : bool
            Whether the executable may take over the buffer; ``commit`` follows.
        host : bool
            Whether an ndarray is wanted.
        """
        with self._lock:
            payload = self._payload
            if host and type(payload) is not np.ndarray:
                return np.asarray(payload)
            if donated and self._shared and (host or type(payload) is not np.ndarray):
                payload = self._payload = payload.copy()
                self._shared = False
            if host and not donated:
                self._shared = True  # it is read while another thread may be given it
            return payload

    @property
    def lock(self) -> Any:
        """What a call holds from ``lend`` to ``commit``."""
        return self._lock

    def commit(self, payload: Any) -> None:
        """Take over what an executable computed."""
        self._payload = payload
        self._shared = False

    # Protocols.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value.__array__(dtype, copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*[_read(x) for x in inputs], **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function(*_read(args), **_read(kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Tensor, name):
            raise AttributeError(f"a Variable has no attribute {name!r}")
        return getattr(self.value, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Variable, (np.array(self.numpy()), self._name, self.trainable)

    __iadd__ = assign_add
    __isub__ = assign_sub

    def __repr__(self) -> str:
        name = f", name={self._name!r}" if self._name else ""
        if is_rendering():
            return f"{mark(self.value, '!v')}{name})"
        return repr(self.value).replace("pl.Tensor(", "pl.Variable(", 1)[:-1] + f"{name})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return mime_bundle(self)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def _title(self) -> str:
        return f"variable {self._name!r}" if self._name else "the variable"

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            changed = self.value
            changed[key] = value
            self.assign(changed)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)


def _called(make: Callable[[], Any]) -> Any:
    """A first value from a callable; made eagerly while a function is being traced."""
    if _interpreter("read_variable") is None:
        return make()
    with dispatch.suspended():
        return make()


def _fresh(given: Any, dtype: Any) -> Any:
    """A payload of a variable's own for its first value."""
    payload = functions.constant(unwrap(given), None if dtype is None else as_dtype(dtype))
    if type(payload) is np.ndarray and (payload is given or payload.base is not None):
        return payload.copy()
    return payload


def _interpreter(hook: str) -> Any:
    """The innermost interpreter of this thread that has the hook."""
    if not dispatch.active:
        return None
    running = reversed(dispatch.interpreters())
    return next((one for one in running if hasattr(one, hook)), None)


def _read(x: Any) -> Any:
    if isinstance(x, Variable):
        return x.value
    if type(x) is list or type(x) is tuple:
        return type(x)([_read(item) for item in x])
    return {k: _read(v) for k, v in x.items()} if type(x) is dict else x
