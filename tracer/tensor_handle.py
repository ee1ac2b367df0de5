"""Handles and payloads: what a tensor holds, and how functions on payloads reach users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from plait.ir import Dim, Value, dispatch, functions
from plait.ir.errors import LeakedTracerError, PlaitError, TraceError
from plait.ir.frames import hide_internals, translated
from plait.ir.functions.payload import WEAK_TYPES, WeakValue, ask_number
from plait.ir.location import user_location
from plait.tracer import number_operators, pending, recorded, state
from plait.tracer import tensor_views as views
from plait.tracer.layouts import Layouts
from plait.tracer.outcome import Break, stop
from plait.tracer.tensor_storage import FROZEN, freeze, read_array, share, shares_memory

if TYPE_CHECKING:
    from plait.tracer.tensor import Tensor

P = ParamSpec("P")

#: What a traced handle stands for, weakest first: the strongest operand decides a result's kind.
KINDS = ("number", "ndarray", "jax", "tensor")

# Functions whose result views their first operand's buffer, as NumPy's do.
_VIEWS = (
    "array_split atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to diagonal dsplit "
    "expand_dims flip fliplr flipud hsplit matrix_transpose moveaxis permute_dims ravel reshape "
    "rollaxis rot90 split squeeze swapaxes transpose unstack vsplit"
)
VIEWS = frozenset(_VIEWS.split())


class Handle:
    """The slots of a tensor.

    Attributes
    ----------
    _data : ndarray, jax.Array or Value
        The payload.
    _storage : object
        Unset or None while the buffer is this handle's alone; ``FROZEN`` once something else may
        read it; a ``Storage`` once it was viewed; a ``TracedView`` in a trace.
    _role : str
        The kind of a handle; may be unset for a tensor, so that the fast path stores the payload
        and nothing else.
    """

    __slots__ = ("__weakref__", "_data", "_role", "_storage")

    _data: Any
    _role: str
    _storage: Any

    @property
    def _kind(self) -> str:
        """What the handle stands for in a trace, one of ``KINDS``."""
        try:
            return self._role
        except AttributeError:
            return "tensor"


_tensor_class: Any = Handle


def bind(tensor_class: type[Handle]) -> None:
    """Name the class of the handles that this module makes."""
    global _tensor_class
    _tensor_class = tensor_class


def wrap(data: Any, kind: str = "tensor") -> Tensor:
    """A new handle on a payload."""
    handle: Tensor = _tensor_class()
    handle._data = data
    handle._storage = None
    handle._role = kind
    if pending.recorders and type(data) is Value:
        pending.note(handle)
    if dispatch.recording and type(data) is not Value:
        handle._storage = FROZEN  # a tape may keep it
    return handle


def wrap_shared(data: Any) -> Tensor:
    """A new handle on a payload that others may hold: a write copies it first."""
    if type(data) is Value:
        return wrap(data)
    handle: Tensor = _tensor_class()
    handle._data = data
    handle._storage = FROZEN
    return handle


def unwrap(x: Any) -> Any:
    """The payload of a handle; lists, tuples and dicts are searched; the rest passes through."""
    kind = type(x)
    if kind is _tensor_class:
        return payload_of(x)
    if kind is np.ndarray:
        return recorded.kept(x) if dispatch.recording else x
    if kind in WEAK_TYPES:
        return x
    if kind is list or kind is tuple:
        return kind([unwrap(item) for item in x])
    if kind is dict:
        return {key: unwrap(item) for key, item in x.items()}
    if kind is slice:
        return slice(unwrap(x.start), unwrap(x.stop), unwrap(x.step))
    read = None if isinstance(x, type) else getattr(x, "__plait_tensor__", None)
    return x if read is None else payload_of(read())


def payload_of(x: Handle) -> Any:
    """The payload of a handle as the current interpreter sees it.

    Raises
    ------
    LeakedTracerError
        A value of a graph is used although nothing is being traced.
    """
    data = x._data
    if type(data) is not Value:
        if dispatch.active:
            if dispatch.recording:
                freeze(x)  # a tape may keep it
                if type(data) is not np.ndarray and not dispatch.depth():
                    return recorded.on_host(data)
            # A tensor from outside enters a trace by its handle, so that later writes are seen.
            read = getattr(dispatch.current(), "read_tensor", None)
            return data if read is None else read(x)
        return data
    if not dispatch.active or not dispatch.interpreters():
        if pending.settle(x):
            return x._data
        raise leaked(data)
    if x._kind == "number":
        return WeakValue(data, number_operators.CLASSES[data.dtype.kind])
    return data


def leaked(value: Value) -> LeakedTracerError:
    """The error for a value whose trace is over."""
    made = f" (made at {value.node.location})" if value.node is not None else ""
    return LeakedTracerError(
        f"a tensor of type {value.type} was used outside of the traced function that made it{made}"
        "; return it from the function, or keep it in a plait Variable"
    )


def is_array_like(x: Any) -> bool:
    """Whether an operator may take ``x`` as its other operand."""
    kind = type(x)
    if kind is _tensor_class or kind in WEAK_TYPES or kind is np.ndarray or kind is Dim:
        return True
    if isinstance(x, (bool, int, float, complex, list, tuple, np.generic)):
        return True
    return hasattr(x, "__plait_tensor__") or hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def kind_of(operands: Iterable[Any]) -> str:
    """The kind of a result of operands: that of the strongest."""
    return KINDS[max([_rank(x) for x in operands], default=TENSOR)]


#: The rank of each kind, and of the strongest.
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
TENSOR = RANKS["tensor"]


def _rank(x: Any) -> int:
    kind = type(x)
    if kind is _tensor_class:
        return RANKS[x._kind]
    if kind in WEAK_TYPES:
        return 0
    return TENSOR if hasattr(x, "__plait_tensor__") else RANKS["ndarray"]


def rewrap(result: Any, kind: str = "tensor") -> Any:
    """Handles for the payloads in a function's result."""
    found = type(result)
    if found is np.ndarray:
        if dispatch.active and (lift := getattr(dispatch.current(), "lift", None)) is not None:
            return wrap(lift(result), kind)
        return wrap(result)
    if found is Value:
        return wrap(result, kind)
    if found is WeakValue:
        return wrap(result.value, "number" if kind == "number" else kind)
    if found in dispatch.EAGER.executors:
        return wrap(result)
    if found is tuple or found is list:
        return found([rewrap(item, kind) for item in result])
    if isinstance(result, tuple) and hasattr(found, "_make"):
        return found._make([rewrap(item, kind) for item in result])
    return wrap(np.asarray(result)) if isinstance(result, np.generic) else result


def run(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    kind: str = "tensor",
) -> Any:
    """Apply a function on payloads to what a user gave; errors carry the user's line."""
    if pending.recorders and (recorder := pending.recorder()) is not None:
        return recorder.apply(function, args, kwargs, kind)
    try:
        payloads = tuple([unwrap(x) for x in args])
        if kwargs:
            result = function(*payloads, **unwrap(kwargs))
        else:
            result = function(*payloads)
        if type(result) is Value and function.__name__ not in VIEWS:
            return wrap(result, kind)  # the common case of a trace
        handles = rewrap(result, kind)
    except Exception as error:
        raise reported(error, function)  # noqa: B904 - it says itself where it comes from
    for made in _leaves(handles):
        if type(made._data) is np.ndarray:
            _note_sharing(function, made, args, payloads)
    if dispatch.active and function.__name__ in VIEWS:
        note_traced_views(function, handles, args, kwargs)
    return handles


def _leaves(handles: Any) -> Iterator[Any]:
    if type(handles) is _tensor_class:
        yield handles
    elif isinstance(handles, (list, tuple)):
        for item in handles:
            yield from _leaves(item)


def _note_sharing(
    function: Callable[..., Any], made: Any, args: tuple[Any, ...], payloads: tuple[Any, ...]
) -> None:
    """Join a result that lies in an operand's buffer to it, or make sure that no write shows."""
    data = made._data
    for given, payload in _pairs(args, payloads):
        if type(payload) is not np.ndarray:
            continue
        if data is not payload and (data.base is None or not shares_memory(data, payload)):
            continue
        if type(given) is not _tensor_class:
            made._data = data.copy()  # the caller's own array
        elif function.__name__ in VIEWS:
            share(given, made)
        else:
            freeze(given)
            made._storage = FROZEN
        return


def _pairs(given: Any, payloads: Any) -> Iterator[tuple[Any, Any]]:
    for x, payload in zip(given, payloads, strict=True):
        if type(payload) is list or type(payload) is tuple:
            yield from _pairs(x, payload)
        else:
            yield x, payload


def note_traced_views(
    function: Callable[..., Any], handles: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Tie the traced results of a function to the operand that they view."""
    base: Any = args[0] if args else None
    if type(base) is not _tensor_class:
        return
    rest, options = unwrap(args[1:]), unwrap(kwargs)
    if function.__name__ in ("ravel", "reshape") and _is_copied(base, handles, rest, options):
        return
    several = type(handles) is not _tensor_class
    for i, made in enumerate(_leaves(handles)):
        if type(made._data) is not Value:
            continue

        def forward(payload: Any, i: int = i) -> Any:
            result = function(payload, *rest, **options)
            return result[i] if several else result

        views.derive(base, made, forward)


def _is_copied(base: Any, made: Any, rest: Any, options: Any) -> bool:
    """Whether a new shape cannot be had without a copy, as that of a transposed tensor."""
    trace = state.current()
    layouts = Layouts() if trace is None else trace.root.layouts
    # An ndarray's ravel copies what strides are left in, where reshape gives a view.
    ravel: Any = np.ravel if base._kind == "ndarray" else functions.ravel
    if trace is not None and type(made) is _tensor_class:
        layouts.link(base, made)
    if not rest and not options:
        return layouts.is_copied(base, ravel)
    return layouts.is_copied(base, lambda x: functions.reshape(x, *rest, **options))


def lift(function: Callable[P, Any]) -> Callable[P, Any]:
    """The public form of a function on payloads: takes and gives tensors, raises at user lines."""

    @wraps(function)
    def public(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return run(function, args, kwargs)
        except Exception as error:
            hide_internals(error)
            raise

    public.__plait_lifted__ = True  # type: ignore[attr-defined]
    return public


def call(name: str, *args: Any, **kwargs: Any) -> Tensor:
    """Apply a named function for an operator or a method: the result keeps the operands' kind."""
    function = getattr(functions, name)
    kind = "tensor"
    if dispatch.active:
        kind = kind_of(args)
        if kind == "number":
            args = number_operators.operands(name, args)
        elif kind == "ndarray" and len(args) == 2:
            _ask_for_repetition(*args)
    result: Tensor = run(function, args, kwargs, kind)
    return result


def _ask_for_repetition(x: Any, y: Any) -> None:
    """Python's own operators take a number beside a list: ``[x] * n``."""
    for number, other in ((x, y), (y, x)):
        is_number = type(number) is _tensor_class and number._kind == "number"
        if is_number and isinstance(other, (list, tuple)):
            number_operators.ask(number)


def host_array(x: Handle, what: str) -> Any:
    """The ndarray of an eager handle; for a traced one, ``demand`` says what ``what`` leads to."""
    if type(x._data) is Value:
        demand(x, what)
    return read_array(x)


def reported(error: Exception, function: Callable[..., Any]) -> BaseException:
    """What to raise for an error of a function on payloads: the user's error, or a graph break."""
    found = translated(error, function)
    return uncaptured(found) if type(found) is TraceError else found


def demand(x: Handle, what: str) -> None:
    """Ask for the elements of a traced tensor: what is pending runs, a trace ends.

    Raises
    ------
    Break
        The trace of a whole function cannot know them.
    NumberNeeded
        They are computed from Python numbers alone, which become static.
    TraceError
        Nothing can be done about it.
    """
    if not pending.settle(x):
        raise traced_error(x, what)


def traced_error(x: Handle, what: str) -> BaseException:
    """What ends a trace at a use that needs the value of a traced tensor."""
    value = x._data
    if not dispatch.active or not _is_being_traced(value):
        return leaked(value).at(user_location())
    ask_number(value)
    return uncaptured(
        TraceError(
            f"{what} needs the value of a tensor ({value.type}) that is being traced, which is not "
            "known yet; use plait functions on tensors (pl.where to select), compute it outside of "
            "the compiled function, or pass it as a Python number named in static="
        )
    )


def uncaptured(error: PlaitError) -> BaseException:
    """What to raise where code cannot be captured: a graph break where a function is traced."""
    error.at(user_location())
    trace = state.current()
    if trace is None:
        return error
    return stop(trace, Break(error.message, error.location, error))


def _is_being_traced(value: Value) -> bool:
    """Whether a trace that is not over made a value, or something that may have."""
    owners = [getattr(i, "owns", None) for i in dispatch.interpreters()]
    return any(owns is None or owns(value) for owns in owners)
