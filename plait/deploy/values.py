"""Python values as JSON: numbers, strings, dtypes and tuples of them, exact in value and class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.deploy.documents import Document
from plait.ir import DTYPES, DType, as_dtype

_PLAIN: tuple[type, ...] = (bool, int, float, complex, str, bytes)
#: Classes that can be values themselves, as in ``dtype=np.float32``.
CLASSES: dict[str, type] = {kind.__name__: kind for kind in _PLAIN}
CLASSES |= {f"numpy.{d.name}": d.type for d in DTYPES if d.type.__module__ == "numpy"}
_CLASS_NAMES = {kind: name for name, kind in CLASSES.items()}
_DTYPES = set(DTYPES)


@dataclass(frozen=True, slots=True)
class Weight:
    """An array that lies among the weights of the file.

    Attributes
    ----------
    kind : str
        ``"tensor"``, ``"ndarray"``, or ``"scalar"``, one of NumPy's.
    name : str
    """

    kind: str
    name: str


class Unwritable(Exception):
    """A value that has no JSON form."""


def write_value(value: Any) -> Any:
    """The JSON form of a value.

    Raises
    ------
    Unwritable
        Its class has none.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return {"float": value.hex()}
    if kind is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is tuple:
        return {"tuple": [write_value(item) for item in value]}
    if kind is frozenset:
        return {"frozenset": sorted([write_value(item) for item in value], key=repr)}
    if kind is range:
        return {"range": [value.start, value.stop, value.step]}
    if kind is Weight:
        return {"weight": [value.kind, value.name]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, np.dtype) and value in _DTYPES:
        return {"dtype": value.name}
    if isinstance(value, type) and value in _CLASS_NAMES:
        return {"class": _CLASS_NAMES[value]}
    raise Unwritable(f"a {kind.__name__}")


def read_value(found: Document) -> Any:
    """The value of a JSON form.

    Raises
    ------
    SavedFileError
        It is none.
    """
    if found.value is None or type(found.value) in (bool, int, str):
        return found.value
    entries = found.names
    if len(entries) != 1:
        found.fail("a value")
    ((kind, inner),) = entries.items()
    reader = _READERS.get(kind)
    if reader is None:
        found.fail("a value")
    return reader(inner)


def _read_complex(found: Document) -> complex:
    if len(found.items) != 2:
        found.fail("a real and an imaginary part")
    return complex(*[_read_float(part) for part in found.items])


def _read_float(found: Document) -> float:
    return found.read(float.fromhex, "a hexadecimal number")


def _read_range(found: Document) -> range:
    parts = [part.number for part in found.items]
    if len(parts) != 3 or parts[2] == 0:
        found.fail("start, stop and step of a range")
    return range(*parts)


def _read_weight(found: Document) -> Weight:
    parts = [part.text for part in found.items]
    if len(parts) != 2 or parts[0] not in ("tensor", "ndarray", "scalar"):
        found.fail("kind and name of a weight")
    return Weight(*parts)


def _read_dtype(found: Document) -> DType:
    return found.read(as_dtype, "a dtype")


def _read_class(found: Document) -> type:
    return CLASSES[found.text] if found.text in CLASSES else found.fail("a class")


def _read_frozenset(found: Document) -> frozenset[Any]:
    return frozenset([read_value(item) for item in found.items])


_READERS: dict[str, Any] = {
    "float": _read_float,
    "complex": _read_complex,
    "bytes": lambda found: found.read(bytes.fromhex, "bytes in hexadecimal"),
    "tuple": lambda found: tuple([read_value(item) for item in found.items]),
    "frozenset": _read_frozenset,
    "range": _read_range,
    "ellipsis": lambda found: ... if found.flag else found.fail("true"),
    "weight": _read_weight,
    "dtype": _read_dtype,
    "class": _read_class,
}

__all__ = ["Unwritable", "Weight", "read_value", "write_value"]
