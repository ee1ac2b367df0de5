"""The call of a compiled program: only the wrapping that a graph needs, none for most."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import jax

from plait.backends.jax.devices import array_class
from plait.backends.jax.donation import restore
from plait.backends.jax.lowerings.common import block_until_ready, effects_barrier
from plait.backends.jax.lowerings.effects import TOKEN, failures
from plait.ir import token
from plait.ir.types import TensorType, Type

Call = Callable[..., Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Convention:
    """How a graph's arguments and results differ from the compiled program's.

    Attributes
    ----------
    inputs : tuple of Type
        Types of all the graph's inputs.
    used : tuple of int
        Inputs that the program takes; it does without tokens and what nothing reads.
    order : tuple of int or None
        The graph's outputs in the order in which the program gives them.
    tokens : tuple of int
        Outputs that are tokens.
    has_host_effects : bool
        Whether a call prints or calls back, and so is to end before it returns.
    """

    inputs: tuple[Type, ...]
    used: tuple[int, ...]
    order: tuple[int, ...] | None
    tokens: tuple[int, ...]
    has_host_effects: bool

    def wrap(self, compiled: Call) -> Call:
        """The compiled program behind the graph's own signature."""
        call = compiled
        if any(is_wide(self.inputs[i]) for i in self.used):
            call = keep_wide(call, len(self.used))
        if len(self.used) != len(self.inputs):
            call = pick_used(call, self.used)
        if self.has_host_effects:
            call = finish(call)
        if self.order is not None:
            call = reorder(call, self.order)
        return put_tokens(call, self.tokens) if self.tokens else call


def is_wide(type_: Type) -> bool:
    """Whether jax narrows NumPy arrays of this type unless told not to."""
    return type(type_) is TensorType and type_.dtype.name in (
        "int64",
        "uint64",
        "float64",
        "complex128",
    )


def keep_wide(call: Call, count: int) -> Call:
    """Calls with NumPy arguments run where jax keeps 64-bit types; its own arrays need no help."""
    arrays = [array_class()] * count

    def call_wide(*arguments: Any) -> Sequence[Any]:
        if [*map(type, arguments)] == arrays:
            return call(*arguments)
        with jax.enable_x64(True):
            return call(*arguments)

    return call_wide


def pick_used(call: Call, used: tuple[int, ...]) -> Call:
    """Calls leave out the arguments that the program does not read."""
    if len(used) == 0:
        return lambda *_: call()
    if len(used) == 1:
        (only,) = used
        return lambda *arguments: call(arguments[only])
    pick = itemgetter(*used)
    return lambda *arguments: call(*pick(arguments))


def reorder(call: Call, order: tuple[int, ...]) -> Call:
    """Calls give the outputs in the graph's order."""
    return lambda *arguments: restore(order, call(*arguments))


def put_tokens(call: Call, tokens: tuple[int, ...]) -> Call:
    """Calls give tokens where the graph has them."""

    def with_tokens(*arguments: Any) -> Sequence[Any]:
        results = list(call(*arguments))
        for i in tokens:
            results[i] = token
        return results

    assert TOKEN is None
    return with_tokens


def finish(call: Call) -> Call:
    """Calls end only when all prints and callbacks have run; their exceptions are raised here."""

    def call_to_end(*arguments: Any) -> Sequence[Any]:
        try:
            results = call(*arguments)
            block_until_ready(results)
            effects_barrier()
        except jax.errors.JaxRuntimeError as error:
            found = re.search(r"host failure [0-9a-f]+", str(error))
            failure = failures.pop(found.group(), None) if found else None
            if failure is None:
                raise
            raise failure from None
        return results

    return call_to_end
