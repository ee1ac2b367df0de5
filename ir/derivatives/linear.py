"""Derivatives of contractions: contractions of the cotangent with the other operand."""

from __future__ import annotations

from typing import Any

from plait.ir import ops
from plait.ir.derivatives.define import partials
from plait.ir.derivatives.moves import transpose

__all__: list[str] = []

Axes = tuple[tuple[int, ...], tuple[int, ...]]


def _swapped(x: Any) -> Any:
    return ops.transpose(x, permutation=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


partials(
    ops.matmul,
    lambda g, z, x, y: ops.matmul(g, _swapped(y)),
    lambda g, z, x, y: ops.matmul(_swapped(x), g),
)


def _free(x: Any, contracting: tuple[int, ...], batch: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([i for i in range(x.ndim) if i not in contracting and i not in batch])


def _partner(own: tuple[int, ...], other: tuple[int, ...]) -> list[int]:
    """The own contracting axes in the order in which the other operand's ascend."""
    return [own[other.index(axis)] for axis in sorted(other)]


def _in_order(found: Any, names: list[int]) -> Any:
    """``found``, whose axis i is to be axis ``names[i]``."""
    return transpose(found, [names.index(i) for i in range(len(names))])


def _dot_first(g: Any, z: Any, x: Any, y: Any, *, contracting: Axes, batch: Axes) -> Any:
    rows, columns = _free(x, contracting[0], batch[0]), _free(y, contracting[1], batch[1])
    shared = tuple(range(len(batch[0])))
    summed = tuple(range(g.ndim - len(columns), g.ndim))
    found = ops.dot_general(g, y, contracting=(summed, columns), batch=(shared, batch[1]))
    return _in_order(found, [*batch[0], *rows, *_partner(*contracting)])


def _dot_second(g: Any, z: Any, x: Any, y: Any, *, contracting: Axes, batch: Axes) -> Any:
    rows, columns = _free(x, contracting[0], batch[0]), _free(y, contracting[1], batch[1])
    shared = tuple(range(len(batch[0])))
    summed = tuple(range(len(shared), len(shared) + len(rows)))
    found = ops.dot_general(x, g, contracting=(rows, summed), batch=(batch[0], shared))
    return _in_order(found, [*batch[1], *_partner(*contracting[::-1]), *columns])


partials(ops.dot_general, _dot_first, _dot_second)
