"""Types of values: tensors of a dtype and a shape, effect tokens, host-only bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from plait.ir.errors import DTypeError, ParseError, ShapeError, TraceError, UnknownNameError

DType = np.dtype[Any]

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = (np.dtype(f"float{n}") for n in (16, 32, 64))
bfloat16: DType = np.dtype(ml_dtypes.bfloat16)
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")

SHORT_NAMES: dict[DType, str] = {
    bool_: "bool",
    int8: "i8",
    int16: "i16",
    int32: "i32",
    int64: "i64",
    uint8: "u8",
    uint16: "u16",
    uint32: "u32",
    uint64: "u64",
    float16: "f16",
    bfloat16: "bf16",
    float32: "f32",
    float64: "f64",
    complex64: "c64",
    complex128: "c128",
}
DTYPES: tuple[DType, ...] = tuple(SHORT_NAMES)
_BY_NAME: dict[str, DType] = {
    **{short: dtype for dtype, short in SHORT_NAMES.items()},
    **{dtype.name: dtype for dtype in SHORT_NAMES},
}
_SIGNED = frozenset((int8, int16, int32, int64))
_UNSIGNED = frozenset((uint8, uint16, uint32, uint64))
_FLOATING = frozenset((float16, bfloat16, float32, float64))
_COMPLEX = frozenset((complex64, complex128))


def is_bool(dtype: DType) -> bool:
    """Whether ``dtype`` is the boolean dtype."""
    return dtype == bool_


def is_integer(dtype: DType) -> bool:
    """Whether ``dtype`` is a signed or unsigned integer (bool is not)."""
    return dtype in _SIGNED or dtype in _UNSIGNED


def is_signed(dtype: DType) -> bool:
    """Whether ``dtype`` is a signed integer."""
    return dtype in _SIGNED


def is_unsigned(dtype: DType) -> bool:
    """Whether ``dtype`` is an unsigned integer."""
    return dtype in _UNSIGNED


def is_floating(dtype: DType) -> bool:
    """Whether ``dtype`` is a real floating point dtype, bfloat16 included."""
    return dtype in _FLOATING


def is_complex(dtype: DType) -> bool:
    """Whether ``dtype`` is complex."""
    return dtype in _COMPLEX


def is_inexact(dtype: DType) -> bool:
    """Whether ``dtype`` is floating or complex."""
    return dtype in _FLOATING or dtype in _COMPLEX


def real_dtype(dtype: DType) -> DType:
    """The dtype of the real part: float32 for complex64; others unchanged."""
    return {complex64: float32, complex128: float64}.get(dtype, dtype)


def as_dtype(dtype: Any) -> DType:
    """Return one of Plait's dtypes for a dtype, a NumPy scalar class or a name.

    Accepts ``"float32"``, ``"f32"``, ``np.float32``, ``float`` (float64, as NumPy) and so on.

    Raises
    ------
    UnknownNameError
        The name is not a dtype.
    DTypeError
        The dtype exists but is not supported (object, strings, dates, ...).
    """
    if type(dtype) is str:
        if dtype in _BY_NAME:
            return _BY_NAME[dtype]
        known = ", ".join(d.name for d in DTYPES)
        raise UnknownNameError(f"unknown dtype {dtype!r}; supported dtypes: {known}")
    try:
        found: DType = np.dtype(dtype)
    except TypeError:
        raise DTypeError(f"{dtype!r} is not a dtype") from None
    if found in SHORT_NAMES:
        return found.newbyteorder("=") if not found.isnative else found
    known = ", ".join(d.name for d in DTYPES)
    raise DTypeError(f"dtype {found.name} is not supported; supported dtypes: {known}")


@dataclass(frozen=True, slots=True)
class Dim:
    """A named dimension whose size is not known until run time, such as a batch size."""

    name: str

    def __str__(self) -> str:
        return self.name

    def _number(self, *others: Any) -> Any:
        """Called where the number itself is needed; a tensor beside it takes it as an operand.

        Raises
        ------
        TraceError
            Always: there is none yet.
        """
        from plait.ir.location import user_location

        if others and not isinstance(others[0], (int, float, complex, Dim)):
            return NotImplemented
        raise TraceError(
            f"the size {self.name} has no number while the function is captured for any: use the "
            "tensor's shape as it is, -1 in a reshape, or capture the function for a number",
            user_location(),
        )

    __index__ = __int__ = __float__ = __bool__ = _number
    __neg__ = __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = _number
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _number
    __lt__ = __le__ = __gt__ = __ge__ = _number


Dimension = int | Dim
Shape = tuple[Dimension, ...]


def show_shape(shape: Shape) -> str:
    """A shape as Python writes it, symbolic sizes by their names: ``(3,)``, ``(n, 4)``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


@dataclass(frozen=True, slots=True)
class TensorType:
    """Dtype and shape of a tensor value. ``str()`` gives ``f32[8,16]``."""

    dtype: DType
    shape: Shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        """Whether every dimension is a number."""
        return all(type(d) is int for d in self.shape)

    @property
    def size(self) -> int:
        """Number of elements.

        Raises
        ------
        ShapeError
            A dimension is symbolic.
        """
        if not self.is_static:
            raise ShapeError(f"{self} has no size: a dimension is symbolic")
        return math.prod(self.shape)  # type: ignore[arg-type]

    @property
    def nbytes(self) -> int:
        """Bytes of the elements, packed."""
        return self.size * self.dtype.itemsize

    def with_shape(self, shape: Iterable[Dimension]) -> TensorType:
        """The same dtype with another shape."""
        return TensorType(self.dtype, tuple(shape))

    def __str__(self) -> str:
        return f"{SHORT_NAMES[self.dtype]}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class TokenType:
    """Type of the token that orders prints and callbacks."""

    def __str__(self) -> str:
        return "token"


@dataclass(frozen=True, slots=True)
class BytesType:
    """A host-only column of byte strings of variable length."""

    shape: Shape = ()

    def __str__(self) -> str:
        return f"bytes[{','.join(map(str, self.shape))}]"


Type = TensorType | TokenType | BytesType
token = TokenType()

_TYPE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\[\s*([^\]]*)\])?\s*$")
_DIM_NAME = re.compile(r"[A-Za-z_]\w*$")


def parse_type(text: str) -> Type:
    """Parse ``f32[8,16]``, ``float32[B,3]``, ``bool[]``, ``token`` or ``bytes[4]``.

    Raises
    ------
    ParseError
        The text is not a type.
    """
    match = _TYPE.match(text)
    if match is None:
        missing = ": ']' is missing" if "[" in text and "]" not in text else ""
        raise ParseError(f"expected a type such as f32[8,16], found {text.strip()!r}{missing}")
    name, dims = match.groups()
    if name == "token" and dims is None:
        return token
    shape = tuple(_parse_dim(d, text) for d in dims.split(",")) if dims else ()
    if name == "bytes":
        return BytesType(shape)
    if name not in _BY_NAME:
        raise ParseError(f"unknown dtype {name!r} in type {text.strip()!r}")
    if dims is None:
        raise ParseError(f"a type needs a shape: {name}[] for a scalar, {name}[8,16] for a matrix")
    return TensorType(_BY_NAME[name], shape)


def _parse_dim(text: str, whole: str) -> Dimension:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    if _DIM_NAME.match(text):
        return Dim(text)
    raise ParseError(f"expected a size or a name for a dimension, found {text!r} in {whole!r}")
