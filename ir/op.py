"""The op record: everything that Plait knows of one operation, in one place."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import get_ident
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.dispatch import trusting
from plait.ir.errors import UnknownNameError
from plait.ir.types import DType, TensorType, Type

Infer = Callable[..., Type | tuple[Type, ...]]
Reference = Callable[..., Any]


class Trait(enum.Enum):
    """What passes may ask of an op instead of its name."""

    ELEMENTWISE = "result element i depends on element i of each operand only; equal shapes"
    COMMUTATIVE = "the two operands may be exchanged"
    ASSOCIATIVE = "exactly associative (integers, booleans, maximum), not floats' add"
    IDEMPOTENT = "f(f(x)) == f(x)"
    INVOLUTION = "f(f(x)) == x"
    CONSTANT = "no operands, the value is in the attributes"
    CHEAP = "recomputing costs less than keeping the result"
    DATA_MOVEMENT = "moves or selects elements, computes nothing"
    REDUCTION = "combines elements along axes"
    CONTRACTION = "multiplies and sums: worth a cost model"
    MONOTONE = "elementwise and non-decreasing"
    EFFECT = "must run, in order, even when its results are unused"
    BARRIER = "identity that no pass looks through"
    REGION = "holds regions; ``infer`` and ``reference`` take ``regions=``"
    HOST = "runs on the host only"
    LAYOUT = "elementwise, but NumPy's bits depend on the operands' strides"


@dataclass(frozen=True, eq=False, kw_only=True)
class Op:
    """One operation. Calling the record is the strict emitter.

    Attributes
    ----------
    name, family, doc : str
        ``doc`` is one line, with the equation.
    infer : callable
        ``infer(*types, **attributes)`` gives the result type, or a tuple of types for an op
        with several results. Raises ``ShapeError`` or ``DTypeError``. Promotes and broadcasts
        nothing. Its keyword-only parameters are the op's attributes.
    reference : callable
        ``reference(*arrays, **attributes)`` with NumPy arrays in and out: the meaning.
    into : callable or None
        ``into(out, *arrays, **attributes)`` writes the result into a given array; with several
        results, ``out`` is a tuple of arrays. Operands listed in ``overwrites`` may share memory
        with ``out``.
    traits : frozenset of Trait
    overwrites : tuple of int
        Operands whose buffer result 0 may take over while ``into`` runs.
    view : int or None
        The operand of which result 0 is a NumPy view whenever strides allow it.
    flops : callable
        ``flops(operand_types, result_types, **attributes)``; the default counts one per result
        element for elementwise ops and nothing for the rest.
    spread : callable or None
        ``spread(**attributes)`` gives the result of an op without operands as a read-only view of
        one element; large results that elementwise ops read are then never written out.
    arity, quick : int, mapping or None
        ``quick`` gives the result's dtype by that of the operands, where they are ``arity`` arrays
        of equal type and there are no attributes: eager calls then do without ``infer``.
    vjp, batch : callable or None
        Derivative and batching rules; for the rules of ``plait.ir.derivatives`` and
        ``plait.ir.batching``, which are loaded on first use, ask for ``derivative`` and
        ``batching``.
    is_direct : bool
        Whether the reference computes arrays from arrays, and does nothing else.
    """

    name: str
    family: str
    doc: str
    infer: Infer
    reference: Reference
    into: Callable[..., None] | None = None
    traits: frozenset[Trait] = frozenset()
    overwrites: tuple[int, ...] = ()
    view: int | None = None
    flops: Callable[..., int] | None = None
    spread: Callable[..., Any] | None = None
    arity: int = 0
    quick: Mapping[DType, DType] | None = None
    vjp: Callable[..., Any] | None = None
    batch: Callable[..., Any] | None = None
    is_direct: bool = field(init=False)

    def __post_init__(self) -> None:
        apart = (Trait.REGION, Trait.EFFECT, Trait.HOST)
        object.__setattr__(self, "is_direct", self.traits.isdisjoint(apart))

    @cached_property
    def is_effect(self) -> bool:
        """Whether the op must run even when its results are unused."""
        return Trait.EFFECT in self.traits

    @cached_property
    def is_host_effect(self) -> bool:
        """Whether the op runs the user's code, or prints, on the host."""
        return self.has(Trait.EFFECT, Trait.HOST)

    @cached_property
    def is_constant(self) -> bool:
        """Whether the results are known without running anything."""
        return Trait.CONSTANT in self.traits

    @cached_property
    def is_barrier(self) -> bool:
        """Whether no pass looks through the op."""
        return Trait.BARRIER in self.traits

    @cached_property
    def has_regions(self) -> bool:
        """Whether nodes of this op hold regions."""
        return Trait.REGION in self.traits

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The attributes: name to parameter, with the default where there is one."""
        found = inspect.signature(self.infer).parameters.values()
        keyword = [p for p in found if p.kind is p.KEYWORD_ONLY and p.name != "regions"]
        return {p.name: p for p in keyword}

    @cached_property
    def derivative(self) -> Callable[..., tuple[Any, ...]] | None:
        """The derivative rule; None for an op without gradient and for one without a rule."""
        from plait.ir.derivatives import load

        load()

        return None if self.vjp is without_gradient else self.vjp

    @cached_property
    def partials_on_arrays(self) -> tuple[Callable[..., Any] | None, ...] | None:
        """What the derivative rule is made of, if one function per operand, for ndarrays alone."""
        from plait.ir.derivatives.define import on_arrays

        partials = getattr(self.derivative, "partials", None)
        return None if partials is None else tuple([f and on_arrays(f) for f in partials])

    @cached_property
    def batching(self) -> Callable[..., Any] | None:
        """The batching rule; None for an op without one."""
        from plait.ir.batching import rule_of

        return rule_of(self)

    def has(self, *traits: Trait) -> bool:
        """Whether the op has all of the traits."""
        return self.traits.issuperset(traits)

    def infer_types(
        self, types: tuple[Type, ...], attributes: Mapping[str, Any], regions: tuple[Any, ...] = ()
    ) -> tuple[Type, ...]:
        """Result types as a tuple, whatever the number of results."""
        found: Any
        if self.has_regions:
            found = self.infer(*types, regions=regions, **attributes)
        else:
            found = self.infer(*types, **attributes)
        return found if type(found) is tuple else (found,)

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        """Apply strictly: operands of exactly the dtypes and shapes that ``infer`` demands.

        Operands are graph values or arrays, by what the current interpreter takes. Returns one
        result, or a tuple when ``infer`` returns a tuple.
        """
        if trusting and get_ident() in trusting and self.is_direct:
            found = self.reference(*operands, **attributes)
            if type(found) is np.ndarray:
                return found
            if isinstance(found, np.generic):
                return np.asarray(found)
            types = tuple([TensorType(x.dtype, x.shape) for x in operands])
            return dispatch.as_arrays(found, self.infer_types(types, attributes))
        regions = attributes.pop("regions", ())
        if dispatch.recording and (tapes := dispatch.tapes()):
            return tapes[-1].run(self, operands, attributes, regions, len(tapes) - 1)
        return dispatch.current().run(self, operands, attributes, regions)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def without_gradient(application: Any, *_: Any) -> tuple[None, ...]:
    """The derivative rule of ops whose operands get no cotangent."""
    return (None,) * len(application.operands)


def set_vjp(op: Op, rule: Callable[..., tuple[Any, ...]]) -> None:
    """Give a record its derivative rule."""
    object.__setattr__(op, "vjp", rule)
    op.__dict__.pop("derivative", None)
    op.__dict__.pop("partials_on_arrays", None)


def set_batch(op: Op, rule: Callable[..., Any]) -> None:
    """Give a record its batching rule."""
    object.__setattr__(op, "batch", rule)
    op.__dict__.pop("batching", None)


_registry: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Add a record to the registry; a name may be taken once."""
    if op.name in _registry:
        raise UnknownNameError(f"an op named {op.name!r} is registered already")
    _registry[op.name] = op
    return op


def get_op(name: str) -> Op:
    """The record of a name.

    Raises
    ------
    UnknownNameError
        No op has this name; says which are near.
    """
    found = _registry.get(name)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name, _registry, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UnknownNameError(f"unknown op {name!r}{hint}")
    return found


def all_ops() -> Iterator[Op]:
    """All records, in the order of registration."""
    return iter(tuple(_registry.values()))


def node_flops(
    op: Op,
    operand_types: tuple[Type, ...],
    result_types: tuple[Type, ...],
    attributes: Mapping[str, Any],
) -> int:
    """Floating point operations of one application, without its regions."""
    if op.flops is not None:
        return op.flops(operand_types, result_types, **attributes)
    if Trait.ELEMENTWISE in op.traits:
        return sum(t.size for t in result_types if type(t) is TensorType)
    return 0
