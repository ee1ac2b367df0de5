"""How translations of jax's primitives are written, and the table that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend import random as raw_random

from plait.ir import Graph, Literal, TensorType, Value, ops
from plait.ir.autodiff.liveness import live_part
from plait.ir.batching.define import region_here
from plait.ir.errors import DTypeError
from plait.ir.types import SHORT_NAMES, Type, uint32

#: Parts of jax that some of its versions leave without types.
config: Any = jax.config
_dtypes: Any = jax.dtypes
issubdtype: Any = _dtypes.issubdtype

#: ``rule(at, *operands)`` gives the result, or a sequence of the results.
Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}
#: Primitives that only move elements: of a key array, they move its words.
MOVES: set[str] = set()


class Lacking(Exception):
    """A primitive, or this use of it, that has no translation: it stays a whole."""


def rule(*names: str, moves: bool = False) -> Callable[[Rule], Rule]:
    """Make the decorated function the translation of primitives."""

    def decorate(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
            if moves:
                MOVES.add(name)
        return function

    return decorate


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One equation of a jaxpr that is being translated.

    Attributes
    ----------
    equation : Any
        Of jax.
    results : tuple of TensorType
        Types of the results; of key arrays, of one of their words.
    depth : int
        In how many linearizations of functions with derivatives of their own it is.
    translate : callable
        ``translate(jaxpr, consts, operands, depth)`` translates a jaxpr here.
    """

    equation: Any
    results: tuple[TensorType, ...]
    depth: int
    translate: Callable[[Any, Sequence[Any], Sequence[Any], int], list[Any]]

    @property
    def name(self) -> str:
        """The primitive's name."""
        name: str = self.equation.primitive.name
        return name

    @property
    def params(self) -> Mapping[str, Any]:
        """The equation's parameters."""
        params: Mapping[str, Any] = self.equation.params
        return params

    @property
    def result(self) -> TensorType:
        """The type of the only result."""
        (found,) = self.results
        return found

    def inline(self, jaxpr: Any, consts: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        """Translate a jaxpr here; gives its outputs."""
        return self.translate(jaxpr, consts, operands, self.depth)

    def deeper(self, closed: Any, operands: Sequence[Any]) -> list[Any]:
        """Translate a linearization here."""
        return self.translate(closed.jaxpr, closed.consts, operands, self.depth + 1)

    def inline_closed(self, closed: Any, operands: Sequence[Any]) -> list[Any]:
        """Translate a closed jaxpr here."""
        return self.inline(closed.jaxpr, closed.consts, operands)

    def region(self, name: str, types: Sequence[Type], function: Callable[..., Any]) -> Graph:
        """A region of what ``function`` applies to its inputs."""
        return live_part(region_here(name, types, function))


# Types.


def key_implementation(dtype: Any) -> Any:
    """The implementation of random keys that an extended dtype stands for; None for others."""
    if not issubdtype(dtype, jax.dtypes.prng_key):
        return None
    for made in (
        raw_random.threefry_prng_impl,
        raw_random.rbg_prng_impl,
        raw_random.unsafe_rbg_prng_impl,
    ):
        if str(dtype) == f"key<{made.tag}>":
            return made
    raise DTypeError(f"random keys of {dtype} cannot be imported; use one of jax's own kinds")


def type_of_aval(aval: Any) -> TensorType:
    """The tensor type of an abstract value; of keys, that of their data.

    Raises
    ------
    DTypeError
        A dtype that Plait does not have.
    """
    dtype = getattr(aval, "dtype", None)
    if dtype is None:
        raise DTypeError(f"a value of type {aval} cannot be imported from jax")
    made = key_implementation(dtype)
    if made is not None:
        return TensorType(uint32, (*aval.shape, *made.key_shape))
    found = np.dtype(dtype)
    if found not in SHORT_NAMES:
        raise DTypeError(f"a value of type {aval} cannot be imported: there is no such dtype")
    return TensorType(found, tuple(aval.shape))


# Payloads.


def ints(values: Any) -> tuple[int, ...]:
    """Numbers of jax's parameters, NumPy's among them, as attributes have them."""
    return tuple([int(n) for n in values])


def full(dtype: Any, number: Any, shape: Sequence[Any] = ()) -> Any:
    """A number everywhere."""
    return ops.full(value=Literal(np.asarray(number, dtype)), shape=tuple(shape))


def like(x: Any, number: Any) -> Any:
    """A number everywhere, in the dtype and shape of a payload."""
    return full(x.dtype, number, x.shape)


def constant(array: Any) -> Any:
    """A constant; of one number, a fill."""
    found = np.asarray(array)
    if found.ndim == 0:
        return full(found.dtype, found)
    return ops.constant(value=Literal(found))


def reshape(x: Any, shape: Sequence[Any]) -> Any:
    """The elements in another shape."""
    return x if tuple(x.shape) == tuple(shape) else ops.reshape(x, shape=ints(shape))


def transpose(x: Any, permutation: Sequence[int]) -> Any:
    """Axes in another order."""
    if list(permutation) == list(range(x.ndim)):
        return x
    return ops.transpose(x, permutation=ints(permutation))


def stretch(x: Any, shape: Sequence[Any]) -> Any:
    """The payload in a shape that it broadcasts to."""
    if tuple(x.shape) == tuple(shape):
        return x
    node = x.node if type(x) is Value else None
    if node is not None and node.op is ops.full:
        return ops.full(value=node.attributes["value"], shape=tuple(shape))
    return ops.broadcast_to(x, shape=ints(shape))


def cast(x: Any, dtype: Any) -> Any:
    """The values in another dtype."""
    return x if x.dtype == dtype else ops.cast(x, dtype=np.dtype(dtype))


def pieces(x: Any, axis: int) -> list[Any]:
    """The slices along an axis, without it."""
    kept = (*x.shape[:axis], *x.shape[axis + 1 :])
    return [reshape(cut(x, axis, i, i + 1), kept) for i in range(x.shape[axis])]


def cut(x: Any, axis: int, start: int, stop: int) -> Any:
    """A range of one axis."""
    if (start, stop) == (0, x.shape[axis]):
        return x
    starts, stops = [0] * x.ndim, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return ops.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.ndim)


def stacked(items: Sequence[Any], axis: int) -> Any:
    """Payloads of one shape along a new axis."""
    shape = list(items[0].shape)
    shape.insert(axis, 1)
    return ops.concat(*[reshape(x, shape) for x in items], axis=axis)


MOST_ELEMENTS, MOST_NODES = 4096, 64


def known(x: Any) -> Any:
    """The value of a payload that is computed from small constants alone; else None."""
    budget = [MOST_NODES]

    def find(value: Any) -> Any:
        node = value.node if type(value) is Value else None
        budget[0] -= 1
        if node is None or budget[0] < 0 or len(node.results) != 1 or node.regions:
            return None
        if node.op.is_effect or value.size > MOST_ELEMENTS:
            return None
        operands = [find(v) for v in node.operands]
        if any(v is None for v in operands):
            return None
        found = node.op.reference(*operands, **node.attributes)
        return np.asarray(found, value.dtype)

    with np.errstate(all="ignore"):
        return find(x)
