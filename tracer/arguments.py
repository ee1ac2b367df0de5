"""What a compiled function is specialised on: the kind and type of each argument leaf."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import SHORT_NAMES, TensorType, dispatch
from plait.ir.errors import DTypeError, SignatureError
from plait.tracer.layouts import Layout
from plait.tracer.spec import TensorSpec
from plait.tracer.tensor import Tensor

#: Runtime type of a Python number that became an input.
NUMBER_TYPES = {
    bool: TensorType(np.dtype(bool), ()),
    int: TensorType(np.dtype("int64"), ()),
    float: TensorType(np.dtype("float64"), ()),
    complex: TensorType(np.dtype("complex128"), ()),
}


@dataclass(frozen=True, slots=True)
class LeafSpec:
    """One leaf of the arguments.

    Attributes
    ----------
    kind : str
        ``"tensor"``, ``"ndarray"``, ``"jax"``, ``"number"`` (a runtime Python number) or
        ``"static"``.
    type : TensorType or None
        None for a static value.
    value : Any
        The static value, the class of a number, ``np.generic`` for a scalar of NumPy.
    layout : tuple of int or None
        Strides in bytes, where they matter and the array does not lie in C order.
    """

    kind: str
    type: TensorType | None
    value: Any = None
    layout: Layout = None

    @property
    def is_static(self) -> bool:
        """Whether the leaf is part of the specialisation and no input."""
        return self.type is None


class Gone:
    """Stands for an object that is there no more."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"<{self._kind.__name__} that is gone>"


class Static:
    """A static value as a key: by class and value, numbers with a point by their bits.

    Values that cannot say whether they are equal are not. What is told apart by identity, or
    cannot be hashed, counts as itself, and is held weakly where that is possible.
    """

    __slots__ = ("__weakref__", "_get", "_hash", "_key")

    def __init__(self, value: Any) -> None:
        kind = type(value)
        self._get: Any = None
        self._key: Any = (kind, value)
        if kind is float:
            self._key = (kind, value.hex(), value)
        elif kind is complex:
            self._key = (kind, value.real.hex(), value.imag.hex(), value)
        elif getattr(kind, "__hash__", None) in (None, object.__hash__):
            self._get = weakly(value)
            self._key = (kind, id(value))
        self._hash = hash(self._key)

    @property
    def value(self) -> Any:
        """The value; a ``Gone`` where nothing else has held it."""
        if self._get is None:
            return self._key[-1]
        found = self._get()
        return Gone(self._key[0]) if found is None and self._key[0] is not type(None) else found

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        if self is other or self.value is other.value:
            return True
        if self._get is not None:
            return False
        try:
            return bool(self._key == other._key)
        except Exception:
            return False


def classify(leaf: Any, path: str) -> LeafSpec:
    """The spec of an argument leaf.

    Raises
    ------
    SignatureError
        A static leaf whose hash raises.
    DTypeError
        An array of a dtype that tensors do not have, or of a class with a meaning of its own.
    """
    kind = type(leaf)
    if kind is Tensor:
        data = leaf._data
        return LeafSpec(leaf._kind, TensorType(data.dtype, tuple(data.shape)))
    if kind is TensorSpec:
        return LeafSpec("tensor", leaf.type)
    if isinstance(leaf, (np.ndarray, np.generic)):
        scalar = np.generic if isinstance(leaf, np.generic) else None
        return LeafSpec("ndarray", _array_type(leaf, path), scalar)
    if is_device_array(leaf):
        return LeafSpec("jax", TensorType(leaf.dtype, leaf.shape))
    try:
        return LeafSpec("static", None, Static(leaf))
    except Exception as error:
        raise SignatureError(
            f"argument {path} is a {kind.__name__}, which is no tensor and cannot be hashed "
            f"({type(error).__name__}: {error}); pass arrays, numbers, strings or containers of "
            "these, or let the class be hashed"
        ) from None


def weakly(value: Any) -> Any:
    """A way to an object that does not keep it where that is possible."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def _array_type(array: Any, path: str) -> TensorType:
    if isinstance(array, np.ndarray) and type(array) not in (np.ndarray, np.memmap):
        raise DTypeError(
            f"argument {path} is a {type(array).__name__}, whose operators are not those of an "
            "ndarray; pass np.asarray of it"
        )
    if array.dtype not in SHORT_NAMES:
        raise DTypeError(
            f"argument {path} is an array of {array.dtype}, which tensors cannot hold; "
            "pass numbers or booleans"
        )
    return TensorType(array.dtype.newbyteorder("="), array.shape)


def is_device_array(x: Any) -> bool:
    """Whether ``x`` is a jax array, without importing jax."""
    kind = type(x)
    return kind in dispatch.EAGER.executors or kind.__module__.partition(".")[0] == "jaxlib"


def payload_of(leaf: Any) -> Any:
    """The array of a dynamic argument leaf."""
    return leaf._data if type(leaf) is Tensor else leaf
