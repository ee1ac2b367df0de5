"""Segments: a function runs as Python while its ops are recorded lazily, and run when asked for."""

from __future__ import annotations

import operator
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from plait.ir import GraphBuilder, Node, Op, TensorType, Trait, Value, dispatch, functions, get_op
from plait.ir.errors import PlaitError
from plait.ir.functions.payload import WEAK_TYPES
from plait.ir.location import user_location
from plait.tracer import pending, tensor_handle, tensor_operators
from plait.tracer import tensor_views as views
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_fast import ORDERED
from plait.tracer.tensor_functions import BINARY, UNARY
from plait.tracer.tensor_handle import VIEWS, Handle, leaked, rewrap, unwrap, wrap
from plait.tracer.tensor_storage import (
    FROZEN,
    Storage,
    aligned_array,
    freeze,
    on_host,
    share,
    shares_memory,
    storage_of,
)
from plait.tracer.tensor_views import TracedView

#: Arrays up to this many elements are computed at once by NumPy: to record an op costs more.
SMALL = 32768
#: A segment is run when it has this many nodes.
LIMIT = 1000
#: Arrays up to this many elements, made while recording, may be constants of a segment's graph.
LITERAL = 16

_UFUNCS = {n: getattr(np, n) for n in (*UNARY, *BINARY, "positive") if hasattr(np, n)}
_CONSTANT, _CHECK = get_op("constant"), get_op("check")
_FULL, _BROADCAST = get_op("full"), get_op("broadcast_to")
_REAL = frozenset("biuf")
_NATIVE = frozenset("biufc")


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Ops that were recorded and are to run now.

    Attributes
    ----------
    inputs : tuple of Value
    payloads : tuple
        The array of each input.
    literals : frozenset of int
        Inputs that stand for numbers and small arrays of the code itself.
    nodes : tuple of Node
    outputs : tuple of Value
        What somebody still holds.
    """

    inputs: tuple[Value, ...]
    payloads: tuple[Any, ...]
    literals: frozenset[int]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]


#: Runs a segment: the array of each output, and the error of the first check that failed.
Execute = Callable[[Segment], tuple[Sequence[Any], Exception | None]]


@dataclass(slots=True)
class _State:
    """A variable that was assigned to, with its new value."""

    variable: Any
    current: Value


class Recorder(GraphBuilder):
    """The interpreter of a call that runs in segments.

    Parameters
    ----------
    name : str
    execute : callable
        Runs a segment.
    backend : str
        Who runs segments.
    """

    def __init__(self, name: str, execute: Execute, backend: str = "") -> None:
        super().__init__(name, locate=user_location)
        self._execute = execute
        self.backend = backend
        self._lock = threading.RLock()
        self._made: list[weakref.ref[Handle]] = []
        self._states: dict[int, _State] = {}
        self._ran: weakref.WeakKeyDictionary[Value, Any] = weakref.WeakKeyDictionary()
        self._depth = 0
        self._is_urgent = False
        self._reset()

    def _reset(self) -> None:
        self.inputs, self.nodes = [], []
        self._owned: set[Value] = set()
        self._payloads: list[Any] = []
        self._literals: set[int] = set()
        self._known: dict[int, Value] = {}
        self._made = []
        self._is_urgent = False

    def __enter__(self) -> Self:
        super().__enter__()
        pending.add(self)
        return self

    def __exit__(self, *failure: Any) -> None:
        try:
            if failure[0] is None or issubclass(failure[0], Exception):
                self.flush()  # what ran before an error has happened
        finally:
            pending.remove(self)
            super().__exit__(*failure)

    # What enters.

    def _input(self, payload: Any, name: str) -> Value:
        value = self.input(TensorType(payload.dtype, tuple(payload.shape)), name)
        self._payloads.append(payload)
        return value

    def read_tensor(self, handle: Tensor) -> Value:
        """The input that stands for a tensor whose array is known; later writes to it copy."""
        data = handle._data
        if type(data) is np.ndarray:
            data = aligned_array(handle)
        freeze(handle)
        known = self._known.get(id(data))
        if known is None:
            known = self._known[id(data)] = self._input(data, f"input{len(self.inputs)}")
        return known

    def reads(self, handle: Handle) -> bool:
        """Whether the pending segment reads a tensor's array."""
        return id(handle._data) in self._known

    def lift(self, payload: Any) -> Value:
        """An array that comes from elsewhere is an input, copied where it might change."""
        kind = type(payload)
        if kind is Value or isinstance(payload, PlaitError):
            return super().lift(payload)
        if kind in dispatch.EAGER.executors:
            return self._input(payload, f"input{len(self.inputs)}")
        array = np.asarray(payload)
        if array.flags.writeable or array.base is not None:
            array = np.array(array, order="C", copy=True)
        if array.size <= LITERAL:
            self._literals.add(len(self.inputs))
        return self._input(array, f"input{len(self.inputs)}")

    def constant(self, array: Any) -> Value:
        """An input: what changes from call to call makes no new segment."""
        return self.lift(getattr(array, "array", array))

    def lift_foreign(self, value: Value) -> Value:
        """A value of a segment that has run is its array."""
        found = self._ran.get(value)
        if found is None:
            raise leaked(value)
        return self._input(found, f"input{len(self.inputs)}")

    # Variables: None stands for the variable's own value.

    def read_variable(self, variable: Any) -> Value | None:
        """The value that was assigned in the pending segment."""
        state = self._states.get(id(variable))
        return None if state is None else state.current

    def assign_variable(self, variable: Any, payload: Any) -> None:
        """Give a variable a new value when the segment runs."""
        self._states[id(variable)] = _State(variable, self.lift(payload))

    # Ops.

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...] = (),
    ) -> Any:
        """Record an op; one that talks to the outside runs at once."""
        if op is _CONSTANT:
            return self.lift(attributes["value"].array)
        if op is _FULL and attributes["shape"]:  # the number is an input, too
            op, operands = _BROADCAST, (self.lift(attributes["value"].array),)
            attributes = {"shape": attributes["shape"]}
        if op.is_effect and op is _CHECK:
            self._is_urgent = True
        elif op.is_effect or op.has(Trait.HOST):
            return self._run_now(op, operands, attributes, regions)
        result = super().run(op, operands, attributes, regions)
        if regions and self.nodes[-1].has_effect:
            self._is_urgent = True
        return result

    def _run_now(
        self, op: Op, operands: tuple[Any, ...], attributes: Mapping[str, Any], regions: Any
    ) -> Any:
        """Run an op eagerly, after all that was recorded before it."""
        self.flush([x for x in operands if type(x) is Value])
        found = [self._ran[x] if type(x) is Value else x for x in operands]
        with dispatch.suspended():
            return dispatch.EAGER.run(op, tuple(found), attributes, regions)

    def apply(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, kind: str
    ) -> Any:
        """Apply a function on payloads to what a user gave, as ``tensor_handle.run`` does.

        What cannot be recorded, because it fails or needs elements, is done eagerly: it then gives
        what it gives, or raises what it raises, without a compiler.
        """
        name = function.__name__
        found = _small(name, args) if not kwargs else None
        if found is not None:
            return found
        is_view = name in VIEWS and bool(args) and is_settled(args[0])
        if is_view or _count_small(args) > 0:
            return self.eagerly(tensor_handle.run, function, args, kwargs, kind)
        found = self._attempt(self._record, function, args, kwargs, kind)
        if found is not None:
            return found[0]
        return self.eagerly(tensor_handle.run, function, args, kwargs, kind)

    def _record(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, kind: str
    ) -> tuple[Any]:
        payloads = [unwrap(x) for x in args]
        handles = rewrap(function(*payloads, **unwrap(kwargs)), kind)
        if function.__name__ in VIEWS:
            tensor_handle.note_traced_views(function, handles, args, kwargs)
        return (handles,)

    def finish(self) -> bool:
        """Run what must not wait; whether its checks hold."""
        if self._is_urgent:
            try:
                self.flush()
            except Exception:
                return False
        elif len(self.nodes) >= LIMIT and not self._depth:
            self.flush()
        return True

    def eagerly(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function as eager code does; what of its operands is pending runs first."""
        if self._states or any(type(x) is Tensor and type(x._data) is Value for x in args):
            self.flush()
        with dispatch.suspended():
            return function(*args, **kwargs)

    # Handles.

    def is_pending(self, value: Any) -> bool:
        """Whether a value is part of what was recorded and has not run."""
        return type(value) is Value and value in self._owned

    def note_handle(self, handle: Handle) -> None:
        """Remember a handle that gets its array when the segment runs."""
        self._made.append(weakref.ref(handle))
        if len(self.nodes) >= LIMIT and not self._depth:
            self.flush()

    def adopt(self, handle: Any) -> bool:
        """Make a tensor pending that is to be written to; False where it is to be settled.

        It then stands for its array as an input, which the segment updates.
        """
        if type(handle._data) is Value:
            return True
        storage = storage_of(handle)
        shared = isinstance(storage, Storage) and len(storage.handles()) > 1
        if shared or handle._data.size <= SMALL or not on_host(handle._data):
            return False
        value = self.read_tensor(handle)
        handle._data, handle._storage = value, None
        self.note_handle(handle)
        return True

    def takes(self, handle: Any, other: Any = None) -> bool:
        """Whether a write to a tensor is recorded; eager code does it otherwise."""
        if type(handle._data) is Value:
            return True
        waits = type(other) is Tensor and type(other._data) is Value
        return (waits or id(handle._data) in self._known) and self.adopt(handle)

    def write(self, handle: Any, payload: Value) -> None:
        """Replace all elements of a tensor by a value of its shape."""
        if self.adopt(handle):
            views.rebind(handle, functions.astype(payload, handle._data.dtype))
            return
        held = wrap(payload)
        self.flush()
        self.eagerly(tensor_operators.write, handle, held._data, "a write")

    def get_elements(self, handle: Any, key: Any) -> Any:
        """``x[key]``: at once where the elements or a tensor in the key is known."""
        if not is_settled(handle) and not _holds_handles(key):
            found = self._attempt(self._record_getitem, handle, key)
            if found is not None:
                return found
        return self.eagerly(operator.getitem, handle, key)

    def _record_getitem(self, handle: Any, key: Any) -> Any:
        found = tensor_operators.call_keeping_kind("getitem", handle, key)
        tensor_operators.note_view(handle, found, key)
        return found

    def set_elements(self, handle: Any, key: Any, value: Any) -> None:
        """``x[key] = value``."""
        if not _holds_handles(key) and self.takes(handle, value):
            done = self._attempt(self._record_setitem, handle, key, value)
            if done is not None:
                return
        self.eagerly(operator.setitem, handle, key, value)

    def _record_setitem(self, handle: Any, key: Any, value: Any) -> Any:
        views.rebind(handle, functions.setitem(handle._data, unwrap(key), unwrap(value)))
        return handle

    def _attempt(self, record: Callable[..., Any], *args: Any) -> Any:
        """What recording gives; None when it fails, or when a check does."""
        self._depth += 1
        try:
            found = record(*args)
        except Exception:
            return None
        finally:
            self._depth -= 1
        return found if self.finish() else None

    # Running.

    def flush(self, wanted: Sequence[Value] = ()) -> None:
        """Run what was recorded, and give all living handles and variables their arrays.

        Raises
        ------
        Exception
            Of the first check that failed; what could be computed is computed.
        """
        with self._lock, dispatch.suspended():
            handles = [h for h in [ref() for ref in self._made] if h is not None]
            handles = [h for h in handles if type(h._data) is Value and h._data in self._owned]
            roots = [h for h in handles if _parent(h) is None]
            states = list(self._states.values())
            values = [*[h._data for h in roots], *[s.current for s in states], *wanted]
            outputs = tuple(dict.fromkeys(values))
            if not outputs and not self._is_urgent:
                self._reset()
                return
            arrays, error = self._run_segment(outputs)
            self._ran.update(zip(outputs, arrays, strict=True))
            for handle in roots:
                handle._data = self._ran[handle._data]
                handle._storage = FROZEN
            for handle in handles:
                _place(handle)
            for state in states:
                state.variable.assign(wrap(self._ran[state.current]))
            self._states = {}
            self._reset()
            if error is not None:
                raise error

    def _run_segment(self, outputs: tuple[Value, ...]) -> tuple[Sequence[Any], Exception | None]:
        """The arrays of the outputs; those that are inputs need no program."""
        held = {v: self._payloads[v.index] for v in outputs if v.node is None}
        rest = tuple([v for v in outputs if v not in held])
        if not rest and not self._is_urgent:
            return [held[v] for v in outputs], None
        found, error = self._execute(
            Segment(
                tuple(self.inputs),
                tuple(self._payloads),
                frozenset(self._literals),
                tuple(self.nodes),
                rest,
            )
        )
        held.update(zip(rest, found, strict=True))
        return [held[v] for v in outputs], error


def _parent(handle: Handle) -> Any:
    node = storage_of(handle)
    return node.parent if isinstance(node, TracedView) else None


def _place(handle: Any) -> None:
    """Give a view its array, after the tensor that it views, and tie the two together."""
    parent = _parent(handle)
    if parent is None:
        return
    _place(parent)
    forward = handle._storage.forward
    if not on_host(parent._data):
        handle._data, handle._storage = forward(parent._data), FROZEN
        return
    if type(parent._data) is not np.ndarray:
        parent._data = np.asarray(parent._data)
    handle._data, handle._storage = forward(parent._data), None
    if shares_memory(handle._data, parent._data):
        share(parent, handle)


def is_settled(x: Any) -> bool:
    """Whether this is a tensor on the host whose array is known."""
    return type(x) is Tensor and type(x._data) is not Value and on_host(x._data)


def _holds_handles(key: Any) -> bool:
    if isinstance(key, (tuple, list)):
        return any(_holds_handles(k) for k in key)
    if isinstance(key, slice):
        return any(_holds_handles(k) for k in (key.start, key.stop, key.step))
    return isinstance(key, Handle) or hasattr(key, "__plait_tensor__")


def _count_small(args: Any) -> int:
    """How many tensors are among arguments; -1 when one is pending, large, or unknown."""
    count = 0
    for x in args:
        if type(x) is list or type(x) is tuple:
            found = _count_small(x)
            if found < 0:
                return -1
            count += found
        elif type(x) is Tensor:
            data = x._data
            if type(data) is not np.ndarray or data.size > SMALL:
                return -1
            count += 1
        elif hasattr(x, "__plait_tensor__") or getattr(x, "size", 0) > SMALL:
            return -1
    return count


def _small(name: str, args: tuple[Any, ...]) -> Any:
    """The result of NumPy's ufunc on a few known elements, as eager code has it; else None."""
    ufunc = _UFUNCS.get(name)
    if ufunc is None:
        return None
    kinds = _REAL if name in ORDERED else _NATIVE
    given = []
    for x in args:
        if type(x) is Tensor:
            x = x._data
            if type(x) is not np.ndarray or x.size > SMALL or x.dtype.kind not in kinds:
                return None
        elif type(x) not in WEAK_TYPES:
            return None
        given.append(x)
    try:
        return wrap(np.asarray(ufunc(*given)))
    except Exception:
        return None  # the function on payloads says what is wrong
