"""What names and places hold at the end of a region, as trees that can be compared and rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import TensorType, Value
from plait.ir.functions.payload import WEAK_TYPES, WeakValue, promote_dtypes
from plait.ir.ops import cast as cast_op
from plait.ir.types import Shape, as_dtype
from plait.tracer.arguments import NUMBER_TYPES, is_device_array
from plait.tracer.number_operators import CLASSES
from plait.tracer.places import UNBOUND
from plait.tracer.pytree import container_of
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import KINDS, RANKS, wrap

_ORDER = (bool, int, float, complex)


class Mismatch(Exception):
    """Two values that no single one can stand for; the message says how they differ."""


@dataclass(frozen=True, slots=True)
class LeafType:
    """What a leaf is: a number of a class, or an array of a dtype and shape, of a kind of handle.

    Attributes
    ----------
    kind : str
        One of ``KINDS``, or ``"token"``.
    scalar : type or DType or Type
        Class of a number, dtype of an array, or the type of what is neither.
    shape : Shape
    """

    kind: str
    scalar: Any
    shape: Shape = ()

    @property
    def type(self) -> Any:
        """The type of a graph value that holds such a leaf."""
        if self.kind == "number":
            return NUMBER_TYPES[self.scalar]
        return self.scalar if self.kind == "token" else TensorType(self.scalar, self.shape)

    def join(self, other: LeafType) -> LeafType:
        """What holds both.

        Raises
        ------
        Mismatch
            They differ in shape.
        """
        if self == other:
            return self
        if "token" in (self.kind, other.kind):
            raise Mismatch(f"{self} and {other}")
        if self.kind == other.kind == "number":
            return LeafType("number", max(self.scalar, other.scalar, key=_ORDER.index))
        if self.shape != other.shape:
            raise Mismatch(f"{self} and {other}")
        kind = KINDS[max(RANKS[self.kind], RANKS[other.kind])]
        return LeafType(kind, promote_dtypes(self.scalar, other.scalar), self.shape)

    def __str__(self) -> str:
        return f"a Python {self.scalar.__name__}" if self.kind == "number" else str(self.type)


class Leaf:
    """A tensor, an array or a number.

    Attributes
    ----------
    payload : Any
        A graph value, a Python number, an ndarray, or the handle of a tensor from outside.
    type : LeafType
    source : Any
        The object that the user's code sees; None for the payload of a place.
    """

    __slots__ = ("payload", "source", "type")

    def __init__(self, payload: Any, type: LeafType, source: Any = None) -> None:
        self.payload = payload
        self.type = type
        self.source = source


class Branching:
    """A container: its class, what it needs to be rebuilt, and its children."""

    __slots__ = ("children", "join", "kind", "rest", "source")

    def __init__(
        self, kind: type, rest: Any, children: list[Any], join: Callable[..., Any], source: Any
    ) -> None:
        self.kind = kind
        self.rest = rest
        self.children = children
        self.join = join
        self.source = source


class Static:
    """Anything else: it must be the same on both sides."""

    __slots__ = ("source",)

    def __init__(self, source: Any) -> None:
        self.source = source

    def equals(self, other: Static) -> bool:
        """Whether no code can tell the two apart."""
        a, b = self.source, other.source
        if a is b:
            return True
        plain = type(a) in (str, bytes, type(None), type(Ellipsis), range, frozenset, np.dtype)
        return plain and type(a) is type(b) and bool(a == b)


class Maybe:
    """The value of a name that is bound on some paths only; the conversion loads it by ``use``.

    Attributes
    ----------
    value : Any
    defined : Any
        A traced bool, or a Python one.
    name : str
    where : str
        The statement that binds it.
    """

    __slots__ = ("defined", "name", "value", "where")

    def __init__(self, value: Any, defined: Any, name: str, where: str) -> None:
        self.value = value
        self.defined = defined
        self.name = name
        self.where = where


class MaybeItem:
    """The item of a ``Maybe``."""

    __slots__ = ("defined", "name", "value", "where")

    def __init__(self, value: Any, defined: Any, name: str, where: str) -> None:
        self.value = value
        self.defined = defined
        self.name = name
        self.where = where


#: The item of a name that is not bound.
MISSING = Static(UNBOUND)


def is_number(x: Any) -> bool:
    """Whether ``x`` is a Python number, known or traced."""
    return type(x) in WEAK_TYPES or (type(x) is Tensor and x._kind == "number")


def item_of(value: Any, depth: int = 0) -> Any:
    """The item of what a name holds."""
    if value is UNBOUND:
        return MISSING
    found = leaf_of(value)
    if found is not None:
        return found
    if type(value) is Maybe:
        return MaybeItem(item_of(value.value), item_of(value.defined), value.name, value.where)
    container = container_of(value)
    if container is None or depth > 50:
        return Static(value)
    children, rest = container[0](value)
    items = [item_of(child, depth + 1) for child in children]
    return Branching(type(value), rest, items, container[1], value)


def leaf_of(value: Any) -> Leaf | None:
    """The leaf of a tensor, an array or a number; None for anything else."""
    kind = type(value)
    if kind is Tensor:
        data = value._data
        role = value._kind
        if role == "number":
            return Leaf(data, LeafType("number", CLASSES[data.dtype.kind]), value)
        payload = data if type(data) is Value else value
        return Leaf(payload, LeafType(role, as_dtype(data.dtype), tuple(data.shape)), value)
    if kind in WEAK_TYPES:
        return Leaf(value, LeafType("number", kind), value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufcV":
        return Leaf(np.asarray(value), LeafType("ndarray", value.dtype, value.shape), value)
    if is_device_array(value):
        return Leaf(value, LeafType("jax", as_dtype(value.dtype), tuple(value.shape)), value)
    return None


def payload_item(payload: Any, kind: str = "tensor") -> Leaf:
    """The item of a payload itself, such as a variable's value in a trace."""
    if type(payload) is Value and type(payload.type) is not TensorType:
        return Leaf(payload, LeafType("token", payload.type))
    return Leaf(payload, LeafType(kind, as_dtype(payload.dtype), tuple(payload.shape)))


def lower_leaf(scope: Any, payload: Any, wanted: LeafType) -> Value:
    """The payload of a leaf as a value of a builder, cast to a wider type.

    The builder must be the current interpreter.
    """
    value: Value
    if type(payload) is Tensor:
        value = scope.read_tensor(payload)
    elif type(payload) in WEAK_TYPES:
        value = scope.lift(np.asarray(payload, wanted.type.dtype))
    else:
        value = scope.lift(payload.value if type(payload) is WeakValue else payload)
    if wanted.kind == "token" or value.dtype == wanted.type.dtype:
        return value
    cast: Value = cast_op(value, dtype=wanted.type.dtype)
    return cast


def zeros_of(scope: Any, wanted: LeafType) -> Value:
    """A value that stands for none, of a type."""
    from plait.ir import functions

    if wanted.kind == "token":
        raise Mismatch("an effect on one path only")
    value: Value = scope.lift(functions.broadcast_to(np.zeros((), wanted.type.dtype), wanted.shape))
    return value


def handle_of(value: Value, type_: LeafType) -> Any:
    """What the user's code sees of a value."""
    return value if type_.kind == "token" else wrap(value, type_.kind)
