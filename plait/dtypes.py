"""Questions about dtypes: limits, promotion and kinds, as the array standard asks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from plait.ir import (
    DTYPES,
    DType,
    as_dtype,
    complex64,
    float32,
    int32,
    is_bool,
    is_complex,
    is_floating,
    is_signed,
    is_unsigned,
    real_dtype,
)
from plait.ir.device import CPU, Device
from plait.ir.errors import DTypeError, UnknownNameError
from plait.ir.frames import boundary
from plait.ir.functions.payload import as_payload, promote_dtypes, weak_kind
from plait.tracer import unwrap

__all__ = ["array_namespace_info", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_KINDS: dict[str, Any] = {
    "bool": is_bool,
    "signed integer": is_signed,
    "unsigned integer": is_unsigned,
    "integral": lambda d: is_signed(d) or is_unsigned(d),
    "real floating": is_floating,
    "complex floating": is_complex,
    "numeric": lambda d: not is_bool(d),
}


def _dtype(x: Any) -> DType:
    found: DType = x.dtype if hasattr(x, "dtype") and not isinstance(x, type) else as_dtype(x)
    return found


@dataclass(frozen=True, slots=True)
class FloatInfo:
    """Limits of a floating dtype, as Python numbers.

    Attributes
    ----------
    bits : int
    eps, max, min, smallest_normal, tiny, resolution : float
    dtype : dtype
        The real one, for complex dtypes too.
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    tiny: float
    resolution: float
    dtype: DType


@boundary
def finfo(type: Any, /) -> FloatInfo:
    """Limits of a floating dtype.

    Parameters
    ----------
    type : dtype, str or tensor
        Floating or complex; bfloat16 included.

    Returns
    -------
    FloatInfo
        With ``bits``, ``eps``, ``max``, ``min``, ``smallest_normal`` and ``dtype``.

    Raises
    ------
    DTypeError
        Not a floating dtype.

    Examples
    --------
    >>> pl.finfo("float32").bits
    32
    """
    dtype = _dtype(type)
    if not (is_floating(dtype) or is_complex(dtype)):
        raise DTypeError(f"finfo: expected a floating dtype, got {dtype.name}")
    real = real_dtype(dtype)
    limits_of: Any = ml_dtypes.finfo
    limits = limits_of(real)
    return FloatInfo(
        bits=limits.bits,
        eps=float(limits.eps),
        max=float(limits.max),
        min=float(limits.min),
        smallest_normal=float(limits.smallest_normal),
        tiny=float(limits.tiny),
        resolution=float(limits.resolution),
        dtype=real,
    )


@boundary
def iinfo(type: Any, /) -> Any:
    """Limits of an integer dtype.

    Parameters
    ----------
    type : dtype, str or tensor

    Returns
    -------
    iinfo
        With ``bits``, ``max``, ``min`` and ``dtype``.

    Raises
    ------
    DTypeError
        Not an integer dtype.

    Examples
    --------
    >>> pl.iinfo("int8").max
    127
    """
    dtype = _dtype(type)
    if not (is_signed(dtype) or is_unsigned(dtype)):
        raise DTypeError(f"iinfo: expected an integer dtype, got {dtype.name}")
    return np.iinfo(dtype)


@boundary
def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype
    kind : dtype, str or tuple of these
        ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``,
        ``"real floating"``, ``"complex floating"`` or ``"numeric"``.

    Returns
    -------
    bool

    Raises
    ------
    UnknownNameError
        Not a kind.

    Examples
    --------
    >>> pl.isdtype(pl.float32, "real floating")
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if not isinstance(kind, str):
        return as_dtype(dtype) == as_dtype(kind)
    if kind not in _KINDS:
        raise UnknownNameError(f"isdtype: unknown kind {kind!r}; kinds: {', '.join(_KINDS)}")
    return bool(_KINDS[kind](as_dtype(dtype)))


@boundary
def can_cast(from_: Any, to: Any, /, casting: str = "safe") -> bool:
    """Whether a cast keeps every value.

    Parameters
    ----------
    from_ : dtype or tensor
    to : dtype
    casting : {"no", "equiv", "safe", "same_kind", "unsafe"}
        As ``numpy.can_cast``.

    Returns
    -------
    bool

    Examples
    --------
    >>> pl.can_cast("int32", "float32"), pl.can_cast("int32", "float64")
    (False, True)
    """
    known: Any = casting
    return np.can_cast(_dtype(from_), as_dtype(to), known)


@boundary
def result_type(*operands: Any) -> DType:
    """The dtype that an operation on the operands computes in.

    Parameters
    ----------
    *operands : tensors, dtypes or numbers
        Python numbers are weak.

    Returns
    -------
    dtype

    Raises
    ------
    DTypeError
        No operand, or one that is neither.

    Examples
    --------
    >>> pl.result_type(pl.float32, 1), pl.result_type(pl.int32, pl.float32)
    (dtype('float32'), dtype('float64'))
    """
    if not operands:
        raise DTypeError("result_type: give at least one tensor, dtype or number")
    return promote_dtypes(*[_promotes_as(x) for x in operands])


def _promotes_as(x: Any) -> Any:
    if isinstance(x, (str, type, np.dtype)):
        return as_dtype(x)
    payload = as_payload(unwrap(x))
    return weak_kind(payload) or payload.dtype


class _NamespaceInfo:
    """What the array standard lets a program ask of a library."""

    def capabilities(self) -> dict[str, Any]:
        """What may depend on values, and how many dimensions there may be."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """Where tensors are made."""
        return CPU

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """Dtypes of tensors made from Python numbers."""
        return {
            "real floating": float32,
            "complex floating": complex64,
            "integral": int32,
            "indexing": np.dtype(np.int64),
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """Dtypes of a kind, by name."""
        known = {d.name: d for d in DTYPES if d.name not in ("bfloat16", "float16")}
        return {n: d for n, d in known.items() if kind is None or isdtype(d, kind)}

    def devices(self) -> list[Device]:
        """The devices of this machine."""
        from plait.runtime.device import devices

        return devices()


def array_namespace_info() -> Any:
    """What this library can do, in the array standard's terms.

    Returns
    -------
    object
        With ``capabilities``, ``default_device``, ``default_dtypes``, ``dtypes`` and ``devices``.

    Examples
    --------
    >>> pl.array_namespace_info().default_dtypes()["integral"]
    dtype('int32')
    """
    return _NamespaceInfo()
