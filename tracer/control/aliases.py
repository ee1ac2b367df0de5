"""Which results of control flow share elements, as the tensors that they stand for do."""

from __future__ import annotations

from typing import Any

from plait.ir import Value
from plait.tracer.region import Region
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import Handle
from plait.tracer.tensor_views import entangle, relatives


class Aliases:
    """Ties the results of a branch or a loop that may share elements to each other."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, int], list[Tensor]] = {}
        self._kept: list[Handle] = []

    def add(self, made: Tensor, source: Tensor, region: Region, group: Any = None) -> None:
        """Note that ``made`` is what ``source`` was in a region, one of a group of results."""
        if source._kind == "number":
            return
        for x in relatives(source).values():
            self._kept.append(x)
            if is_around(x, region):
                entangle(made, x)
            others = self._known.setdefault((group, id(x)), [])
            for other in others:
                entangle(made, other)
            if not any(other is made for other in others):
                others.append(made)


def is_around(handle: Handle, region: Region) -> bool:
    """Whether a tensor was there before a region; asked when all changes are undone."""
    data = handle._data
    return type(data) is not Value or not region.owns(data) or region.outer_of(data) is not None


__all__ = ["Aliases", "is_around"]
