"""What a compiled function is specialised on: the kind and type of each argument leaf."""

from __future__ import annotations

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


class Static:
    """A static value as a key: by class and value, numbers with a point by their bits.

    Values that cannot say whether they are equal are not.
    """

    __slots__ = ("_hash", "_key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        kind = type(value)
        self._key: Any = (kind, value)
        if kind is float:
            self._key = (kind, value.hex())
        elif kind is complex:
            self._key = (kind, value.real.hex(), value.imag.hex())
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        if self.value is other.value:
            return True
        try:
            return bool(self._key == other._key)
        except Exception:
            return False


def classify(leaf: Any, path: str) -> LeafSpec:
    """The spec of an argument leaf.

    Raises
    ------
    SignatureError
        A static leaf that cannot be hashed.
    DTypeError
        An array of a dtype that tensors do not have.
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
        why = "" if isinstance(error, TypeError) else f" ({type(error).__name__}: {error})"
        raise SignatureError(
            f"argument {path} is a {kind.__name__}, which is no tensor and cannot be hashed{why}; "
            "pass arrays, numbers, strings, containers of these, or give the class a __hash__"
        ) from None


def _array_type(array: Any, path: str) -> TensorType:
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
