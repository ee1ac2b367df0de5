"""Operands as users give them: weak Python numbers, promotion by NEP 50, broadcasting.

A payload is what interpreters work on: an ndarray, a graph ``Value``, an accelerator's array, a
Python number (weak), or a ``WeakValue`` (a Python number that became a runtime input).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from plait.ir import dispatch, ops
from plait.ir.errors import DTypeError, ShapeError, TraceError
from plait.ir.graph import Value
from plait.ir.literal import Literal
from plait.ir.op import get_op
from plait.ir.ops import cast as cast_op
from plait.ir.types import (
    SHORT_NAMES,
    Dim,
    DType,
    Shape,
    as_dtype,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int32,
    int64,
    is_complex,
    is_floating,
    is_integer,
    uint64,
)

#: dtype of a Python number that meets no tensor.
WEAK_DTYPES: dict[type, DType] = {
    bool: bool_,
    int: int32,
    float: float32,
    complex: complex64,
}
WEAK_TYPES = frozenset(WEAK_DTYPES)


@dataclass(frozen=True, slots=True, eq=False)
class WeakValue:
    """A 64-bit graph value that promotes as the Python number it stands for.

    Attributes
    ----------
    value : Value
        A 0-d value: bool, int64, float64 or complex128.
    kind : type
        ``bool``, ``int``, ``float`` or ``complex``.
    """

    value: Value
    kind: type

    def number(self, *_: Any) -> Any:
        """Called where the number itself is needed: makes it part of the signature again.

        Raises
        ------
        NumberNeeded
            While a function is traced that gets the number as an argument.
        TraceError
            The number comes from elsewhere.
        """
        ask_number(self.value)
        raise TraceError(
            f"the value of a Python {self.kind.__name__} that is computed in the graph is needed "
            "here; compute it outside of the compiled function, or name the argument in static="
        )

    __index__ = __int__ = __float__ = __complex__ = __bool__ = __hash__ = number
    __round__ = __trunc__ = __floor__ = __ceil__ = __str__ = __format__ = number
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = number
    __neg__ = __pos__ = __abs__ = __invert__ = number
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = number
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = number


def ask_number(value: Value) -> None:
    """Make the Python numbers that a value is computed from part of the signature.

    Returns when the value depends on anything else: then it cannot be known while tracing.
    """
    hook = getattr(dispatch.current(), "number_needed", None)
    if hook is not None:
        hook(value)


def weak_kind(x: Any) -> type | None:
    """The Python number class that ``x`` promotes as; None for anything with a dtype."""
    kind = type(x)
    if kind in WEAK_TYPES:
        return kind
    return x.kind if kind is WeakValue else None


def as_payload(x: Any) -> Any:
    """A payload for anything array-like; Python numbers stay weak.

    Raises
    ------
    DTypeError
        Not an array, or of a dtype that tensors do not have.
    ShapeError
        A nested list whose rows differ in length.
    """
    kind = type(x)
    if kind is Value or kind in WEAK_TYPES or kind is WeakValue:
        return x
    if kind is np.ndarray:
        return x if x.dtype in SHORT_NAMES and x.dtype.isnative else _native(x)
    if kind in dispatch.EAGER.executors:
        return x
    if isinstance(x, (list, tuple)):
        return from_sequence(x)
    if kind is Dim:
        return WeakValue(number_of_elements((x,)), int)
    if isinstance(x, memoryview) or hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        return _native(np.asarray(x))
    bases: tuple[Any, ...] = (int, float, complex)
    for base in bases:
        if isinstance(x, base):
            return base(x)  # a subclass of a number, such as an IntEnum's member
    raise DTypeError(
        f"expected a tensor, an array, a number or a (nested) list of numbers, "
        f"got {type(x).__name__}"
    )


def number_of_elements(shape: Shape) -> Value:
    """How many elements a symbolic shape has, i64[]: a number where its sizes are numbers."""
    ones = ops.full(value=Literal(np.int64(1)), shape=tuple(shape))
    count: Value = ops.reduce_sum(ones, axes=tuple(range(len(shape))))
    return count


def _native(array: Any) -> Any:
    dtype = as_dtype(array.dtype)
    found = np.asarray(array, dtype)
    return found if type(found) is np.ndarray else found.view(np.ndarray)


def wide_payload(x: Any) -> Any:
    """A payload that is to be cast: Python numbers in lists keep 64 bits."""
    return from_sequence(x, narrow=False) if isinstance(x, (list, tuple)) else as_payload(x)


def from_sequence(x: Sequence[Any], narrow: bool = True) -> Any:
    """A nested list as an ndarray: Python numbers give bool, int32, float32 or complex64.

    Integers that do not fit int32 give int64 (then uint64); nothing is narrowed. A list that holds
    graph values, or arrays that a tape knows, becomes a stack of them.
    """
    if _holds_values(x):
        from plait.ir.functions import stack

        return stack([as_payload(item) for item in x])
    try:
        array = np.asarray(x)
    except ValueError:
        raise ShapeError(_ragged(x)) from None
    if array.dtype == object or array.dtype not in SHORT_NAMES:
        raise DTypeError(_no_number(x, array.dtype))
    if _holds_arrays(x):
        return _stacked(x, array.dtype) if dispatch.recording and dispatch.tapes() else array
    if not narrow:
        return array
    if array.dtype == np.int64:
        fits = array.size == 0 or (
            array.min() >= np.iinfo(np.int32).min and array.max() <= np.iinfo(np.int32).max
        )
        return array.astype(np.int32) if fits else array
    if array.size == 0:
        return array.astype(np.float32)
    halves = {float64: float32, complex128: complex64}
    return array.astype(halves.get(array.dtype, array.dtype))


def _stacked(x: Sequence[Any], dtype: DType) -> Any:
    """A nested list as an array, by functions that tapes see."""
    from plait.ir.functions import stack

    def each(item: Any) -> Any:
        if isinstance(item, (list, tuple)):
            return _stacked(item, dtype)
        return cast(item if hasattr(item, "shape") else np.asarray(item), dtype)

    return stack([each(item) for item in x])


def _ragged(x: Any) -> str:
    """Which neighbors in a nested list differ in shape."""
    position = ""
    while True:
        shapes = [_list_shape(item) for item in x]
        other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), 0)
        if other:
            break
        inner = next((i for i, item in enumerate(x) if _list_shape(item) is None), None)
        if inner is None:
            return "the rows of a nested list differ in shape; make them equally long"
        position, x = f"{position}[{inner}]", x[inner]
    first, found = (
        "is ragged itself" if s is None else f"has shape {s}" for s in (shapes[0], shapes[other])
    )
    return (
        f"the rows of a nested list differ in shape: row {position}[0] {first}, "
        f"row {position}[{other}] {found}; make them equally long"
    )


def _list_shape(x: Any) -> Shape | None:
    """The shape of a nested list, ``()`` for what is none; None for a ragged one."""
    if not isinstance(x, (list, tuple)):
        return tuple(getattr(x, "shape", ()))
    shapes = [_list_shape(item) for item in x]
    if not shapes:
        return (0,)
    if shapes[0] is None or any(s != shapes[0] for s in shapes):
        return None
    return (len(x), *shapes[0])


def _no_number(x: Any, dtype: DType) -> str:
    """Which element of a nested list is none that a tensor holds."""
    pending = [("", x)]
    while pending:
        position, item = pending.pop()
        if isinstance(item, (list, tuple)):
            pending += [(f"{position}[{i}]", each) for i, each in reversed([*enumerate(item)])]
        elif type(item) is int and not -(2**63) <= item < 2**64:
            return f"element {position} of the list, {item}, does not fit in 64 bits"
        elif getattr(item, "dtype", None) in SHORT_NAMES:
            continue
        elif not isinstance(item, (bool, int, float, complex)):
            text, kind = repr(item), type(item).__name__
            shown = text if len(text) <= 40 else f"{text[:37]}..."
            return f"element {position} of the list is {shown}, a {kind}; give numbers"
    return f"a list of NumPy's {dtype.name} cannot become a tensor; give numbers"


def _holds_values(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_values(item) for item in x)
    return type(x) in (Value, WeakValue)


def _holds_arrays(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_arrays(item) for item in x)
    return hasattr(x, "dtype")


def dtype_of(x: Any) -> DType:
    """Dtype of a payload; a weak number has the dtype of its own creation."""
    kind = weak_kind(x)
    if kind is None:
        dtype: DType = x.dtype
        return dtype
    if kind is int and type(x) is int and not -(2**31) <= x < 2**31:
        return int64 if -(2**63) <= x < 2**63 else uint64
    return WEAK_DTYPES[kind]


def shape_of(x: Any) -> Shape:
    """Shape of a payload; a weak number has ``()``."""
    if weak_kind(x) is not None:
        return ()
    shape: Shape = x.shape
    return shape


@cache
def promote_dtypes(*kinds: Any) -> DType:
    """The common dtype of dtypes and weak number classes, by NumPy's rules (NEP 50).

    bfloat16 promotes as float16 does, and to float32 together with float16.
    """
    dtypes = [k for k in kinds if not isinstance(k, type)]
    if not dtypes:
        order = (bool, int, float, complex)
        return WEAK_DTYPES[max(kinds, key=order.index)]
    samples: list[Any] = [k(0) if isinstance(k, type) else k for k in kinds]
    if bfloat16 not in dtypes:
        return np.result_type(*samples)
    if any(d == float16 for d in dtypes):
        return np.result_type(float32, *[s for s in samples if s != bfloat16])
    found = np.result_type(*[float16 if s == bfloat16 else s for s in samples])
    return bfloat16 if found == float16 else found


def result_dtype(*payloads: Any) -> DType:
    """The common dtype of payloads."""
    return promote_dtypes(*[weak_kind(x) or x.dtype for x in payloads])


def cast(x: Any, dtype: DType) -> Any:
    """The payload in ``dtype``; a weak number becomes a 0-d array of it.

    Raises
    ------
    DTypeError
        A Python integer that does not fit the dtype.
    """
    kind = type(x)
    if kind in WEAK_TYPES:
        try:
            return np.asarray(x, dtype)
        except (OverflowError, TypeError, ValueError):
            raise DTypeError(_misfit(repr(x), dtype, type(x) is int)) from None
    if kind is WeakValue:
        if x.kind is int and is_integer(dtype) and dtype != int64:
            check_fits(x.value, dtype)
        x = x.value
    return x if x.dtype == dtype else cast_op(x, dtype=dtype)


def check_fits(value: Value, dtype: DType) -> None:
    """Demand, when the program runs, that an int64 number fits a narrower or unsigned dtype."""
    limits = np.iinfo(dtype)
    ok = ops.greater_equal(value, np.asarray(max(limits.min, -(2**63)), int64))
    if limits.max < 2**63:
        ok = ops.logical_and(ok, ops.less_equal(value, np.asarray(limits.max, int64)))
    ops.check(ok, value, error="DTypeError", message=_misfit("{0}", dtype, integer=True))


def _misfit(shown: str, dtype: DType, integer: bool) -> str:
    """What to say of a Python number that a dtype does not hold."""
    remedy = "use a dtype that holds it"
    if dtype.kind in "iu" and integer:
        info = np.iinfo(dtype)
        remedy = f"it holds {info.min} to {info.max}; use a wider dtype"
    return f"Python number {shown} does not fit dtype {dtype.name}: {remedy}"


def to_inexact(dtype: DType) -> DType:
    """The dtype in which NumPy computes a float function of ``dtype``: float64 for int32."""
    if is_floating(dtype) or is_complex(dtype):
        return dtype
    return float16 if dtype == bool_ else np.result_type(dtype, float16)


def broadcast_shapes(name: str, *shapes: Shape) -> Shape:
    """The common shape by NumPy's rules; a symbolic dimension equals itself only.

    Raises
    ------
    ShapeError
        Names the op and the shapes.
    """
    first = shapes[0]
    if all(s == first for s in shapes[1:]):
        return first
    rank = max(map(len, shapes))
    result: list[Any] = [1] * rank
    for shape in shapes:
        for i, d in enumerate(shape, rank - len(shape)):
            if d == 1 or d == result[i]:
                continue
            if result[i] != 1:
                shown = " and ".join(str(tuple(map(_plain, s))).replace("'", "") for s in shapes)
                raise ShapeError(
                    f"{name}: shapes {shown} do not broadcast together: "
                    f"sizes {result[i]} and {d} at axis {i - rank}; sizes must be equal or 1"
                )
            result[i] = d
    return tuple(result)


def _plain(d: Any) -> Any:
    return d if isinstance(d, int) else str(d)


def broadcast_to(x: Any, shape: Shape) -> Any:
    """The payload stretched to ``shape``; itself when it has that shape."""
    return x if x.shape == shape else get_op("broadcast_to")(x, shape=shape)


def promote(*operands: Any, dtype: DType | None = None) -> tuple[Any, ...]:
    """Payloads of the operands, cast to their common dtype (or to ``dtype``)."""
    payloads = [as_payload(x) for x in operands]
    common = result_dtype(*payloads) if dtype is None else dtype
    return tuple([cast(x, common) for x in payloads])


def promote_and_broadcast(name: str, *operands: Any, dtype: DType | None = None) -> tuple[Any, ...]:
    """Payloads of the operands with a common dtype and a common shape."""
    payloads = promote(*operands, dtype=dtype)
    shape = broadcast_shapes(name, *[x.shape for x in payloads])
    return tuple([broadcast_to(x, shape) for x in payloads])
