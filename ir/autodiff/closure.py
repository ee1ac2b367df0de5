"""A function of payloads as a closed graph, what it uses from around it as further inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plait.ir import dispatch
from plait.ir.builder import GraphBuilder
from plait.ir.graph import Graph, Value
from plait.ir.types import TensorType, Type

_NUMBERS = (np.generic, bool, int, float, complex)  # an array may depend on what a tape watches


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A graph and what it was closed over.

    Attributes
    ----------
    graph : Graph
        Inputs: the function's, then one for each of ``captured``.
    captured : tuple of payload
        Arrays, or values of graphs around it.
    """

    graph: Graph
    captured: tuple[Any, ...]


class _Builder(GraphBuilder):
    """Makes inputs of payloads from outside."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.captured: list[Any] = []
        self._known: dict[int, Value] = {}

    def lift(self, payload: Any) -> Value:
        if type(payload) is Value and self.owns(payload):
            return payload
        if isinstance(payload, _NUMBERS):
            return self.constant(payload)
        known = self._known.get(id(payload))
        if known is None:
            type_ = payload.type if type(payload) is Value else _type_of(payload)
            known = self._known[id(payload)] = self.input(type_, f"captured{len(self.captured)}")
            self.captured.append(payload)
        return known


def _type_of(array: Any) -> TensorType:
    return TensorType(np.dtype(array.dtype), tuple(array.shape))


def close(name: str, types: Sequence[Type], function: Callable[..., Sequence[Any]]) -> Closure:
    """The graph of a function that applies strict ops to its arguments and to other payloads.

    Parameters
    ----------
    name : str
    types : sequence of Type
        Of the arguments.
    function : callable
        Takes one value for each type; gives a sequence of payloads.
    """
    builder = _Builder(name)
    inputs = [builder.input(t) for t in types]
    with dispatch.suspended(), builder:
        outputs = function(*inputs)
    return Closure(builder.build(outputs), tuple(builder.captured))


__all__ = ["Closure", "close"]
