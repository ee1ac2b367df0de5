"""Makes elementwise functions: dtypes as NumPy's ufunc chooses, broadcasting, docstrings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.errors import DTypeError
from plait.ir.functions.payload import (
    WEAK_DTYPES,
    WeakValue,
    as_payload,
    broadcast_shapes,
    broadcast_to,
    cast,
    promote_dtypes,
    to_inexact,
    weak_kind,
)
from plait.ir.graph import Value
from plait.ir.literal import Literal
from plait.ir.op import Op
from plait.ir.ops import cast as cast_op
from plait.ir.ops import full, less, select
from plait.ir.types import (
    SHORT_NAMES,
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    is_complex,
    is_integer,
)

Function = Callable[..., Any]


@cache
@lru_cache(maxsize=4096, typed=True)
def loop_dtypes(name: str, ufunc: np.ufunc, *kinds: Any) -> tuple[DType, ...]:
    """The operands' dtypes of the loop that NumPy runs for dtypes and weak number classes.

    bfloat16 takes the place of float16; among numbers alone, float32 that of float64.

    Raises
    ------
    DTypeError
        NumPy has no loop for these dtypes.
    """
    given = [k for k in kinds if not isinstance(k, type)]
    brain = bfloat16 in given and float16 not in given
    asked = [_stand_in(k, brain, weak=bool(given)) for k in kinds]
    try:
        loop = ufunc.resolve_dtypes((*asked, *[None] * ufunc.nout))[: len(kinds)]
    except TypeError:
        loop = (np.dtype(object),)
    if any(d not in SHORT_NAMES for d in loop):
        shown = " and ".join(k.__name__ if isinstance(k, type) else as_dtype(k).name for k in kinds)
        raise DTypeError(f"{name}: not defined for {shown}; cast to another dtype first")
    if brain:
        return tuple([bfloat16 if d == float16 else d for d in loop])
    if not given:
        narrow = {float64: float32, complex128: complex64}
        return tuple([narrow.get(d, d) for d in loop])
    return loop


def _stand_in(kind: Any, brain: bool, *, weak: bool) -> Any:
    """What NumPy is asked about: Python classes stay weak beside arrays, bool never is."""
    if isinstance(kind, type):
        return WEAK_DTYPES[kind] if kind is bool or not weak else kind
    if kind == bfloat16:
        return float16 if brain else float32
    return kind


def same(payload: Any) -> Any:
    """The payload as a value of its own: a copy of an ndarray, anything else unchanged.

    In the scope of a device, the copy is made there.
    """
    if type(payload) is not np.ndarray:
        return payload
    if dispatch.recording and dispatch.tapes():
        return cast_op(payload, dtype=payload.dtype)
    place = getattr(dispatch.current(), "place", None) if dispatch.active else None
    return payload.copy() if place is None else place(payload)


def unary(op: Op, ufunc: np.ufunc, call: str, result: str, *, keep: str = "") -> Function:
    """A function of one operand. Dtypes of a kind in ``keep`` come back as they are."""
    name = op.name

    def function(x: Any) -> Any:
        payload = as_payload(x)
        kind = weak_kind(payload) or payload.dtype
        dtype = loop_dtypes(name, ufunc, kind)[0]
        payload = cast(payload, dtype)
        return same(payload) if dtype.kind in keep else op(payload)

    return document(function, op, "x", call, result)


def unary_float(op: Op, call: str, result: str) -> Function:
    """A function of one operand, computed in floating point, that NumPy does not have."""

    def function(x: Any) -> Any:
        payload = as_payload(x)
        kind = weak_kind(payload)
        dtype = promote_dtypes(kind, float) if kind else to_inexact(payload.dtype)
        return op(cast(payload, dtype))

    return document(function, op, "x", call, result)


def real_floating(name: str, x: Any) -> Any:
    """The payload in the floating dtype in which NumPy computes functions of it.

    Raises
    ------
    DTypeError
        Complex numbers.
    """
    payload = as_payload(x)
    kind = weak_kind(payload)
    dtype = payload.dtype if kind is None else promote_dtypes(kind, float)
    if is_complex(dtype):
        raise DTypeError(f"{name}: expected real numbers, got {dtype.name}")
    return cast(payload, to_inexact(dtype))


def binary(op: Op, ufunc: np.ufunc, call: str, result: str) -> Function:
    """A function of two operands of one dtype."""
    name = op.name

    def function(x: Any, y: Any) -> Any:
        return op(*operands_of(name, ufunc, x, y))

    return document(function, op, "x, y", call, result)


def operands_of(name: str, ufunc: np.ufunc, x: Any, y: Any) -> tuple[Any, Any]:
    """Payloads of the dtype that the ufunc computes in, and of one shape."""
    a, b = as_payload(x), as_payload(y)
    dtypes = loop_dtypes(name, ufunc, weak_kind(a) or a.dtype, weak_kind(b) or b.dtype)
    return broadcast_pair(name, cast(a, dtypes[0]), cast(b, dtypes[1]))


def broadcast_pair(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    """The two stretched to their common shape."""
    if a.shape == b.shape:
        return a, b
    if a.shape == ():
        return _stretched(a, b), b
    if b.shape == ():
        return a, _stretched(b, a)
    shape = broadcast_shapes(name, a.shape, b.shape)
    return broadcast_to(a, shape), broadcast_to(b, shape)


def _stretched(number: Any, other: Any) -> Any:
    """A 0-d payload in the shape of another; a known number in a graph is one ``full``."""
    if type(number) is np.ndarray and type(other) is Value:
        return full(value=Literal(number), shape=other.shape)
    return broadcast_to(number, other.shape)


def comparison(op: Op, ufunc: np.ufunc, call: str, result: str) -> Function:
    """A comparison: exact between any two integers, as NumPy's."""
    name = op.name

    def function(x: Any, y: Any) -> Any:
        a, b = as_payload(x), as_payload(y)
        left, right = weak_kind(a) or a.dtype, weak_kind(b) or b.dtype
        if type(a) is int and left is not right and not _fits(a, right):
            return _constant_comparison(ufunc, _sign(a), b.shape, 0)
        if type(b) is int and left is not right and not _fits(b, left):
            return _constant_comparison(ufunc, 0, a.shape, _sign(b))
        a, b = _widened(a, right), _widened(b, left)
        left, right = weak_kind(a) or a.dtype, weak_kind(b) or b.dtype
        one, other = loop_dtypes(name, ufunc, left, right)
        if one != other:
            return _mixed_comparison(op, *broadcast_pair(name, cast(a, one), cast(b, other)))
        return op(*broadcast_pair(name, cast(a, one), cast(b, other)))

    return document(function, op, "x, y", call, result, returns="bool")


def _sign(number: int) -> int:
    return 1 if number > 0 else -1


def _fits(number: int, kind: Any) -> bool:
    """Whether a Python integer can be compared in the other operand's own dtype."""
    if isinstance(kind, type) or kind.kind not in "iu":
        return True
    limits = np.iinfo(kind)
    return bool(limits.min <= number <= limits.max)


def _widened(payload: Any, other: Any) -> Any:
    """A runtime integer beside integers in its own 64 bits: it may not fit theirs."""
    is_number = type(payload) is WeakValue and payload.kind is int
    return (
        payload.value
        if is_number and not isinstance(other, type) and is_integer(other)
        else payload
    )


def _constant_comparison(ufunc: np.ufunc, x: int, shape: Any, y: int) -> Any:
    """The answer for a Python integer beyond the other operand's dtype: its sign decides."""
    found = np.asarray(ufunc(x, y))
    return same(broadcast_to(found, shape))


def _mixed_comparison(op: Op, x: Any, y: Any) -> Any:
    """Compare int64 with uint64: where the signed one is negative, it is the smaller one."""
    signed, unsigned = (x, y) if x.dtype.kind == "i" else (y, x)
    zeros = broadcast_to(np.asarray(0, signed.dtype), signed.shape)
    negative = less(signed, zeros)
    wide = cast(signed, unsigned.dtype)
    answer = op(wide, unsigned) if signed is x else op(unsigned, wide)
    sign = np.asarray(-1 if signed is x else 1), np.asarray(0)
    below = np.asarray(op.reference(*sign))
    return select(negative, broadcast_to(below, answer.shape), answer)


_SHAPES_DIFFER = "\n    ShapeError\n        Shapes that do not broadcast together."
_TEMPLATE = """Elementwise {what}.

    Parameters
    ----------
    {names} : array_like
        {operands}

    Returns
    -------
    Tensor
        {result}

    Raises
    ------
    DTypeError
        A dtype for which this is not defined.{raises}

    Examples
    --------
    >>> {call}
    {shown}
    """


def document(
    function: Any, op: Op, names: str, call: str, result: str, *, returns: str = ""
) -> Function:
    """Give a made function its name and docstring."""
    several = "," in names
    function.__name__ = function.__qualname__ = call[3 : call.index("(")]
    function.__doc__ = _TEMPLATE.format(
        what=op.doc,
        names=names,
        operands="Shapes that broadcast together; dtypes are promoted as NumPy does."
        if several
        else "Any shape; the dtype is promoted as NumPy does.",
        result=f"Of dtype {returns}." if returns else "Of the promoted dtype.",
        raises=_SHAPES_DIFFER if several else "",
        call=call,
        shown=result.replace("\n", "\n    "),
    )
    return function  # type: ignore[no-any-return]
