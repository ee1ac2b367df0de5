"""Arguments of a function that writes into them: which are one object, or lie in one buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir.errors import SignatureError
from plait.runtime.request import Request
from plait.tracer import (
    Break,
    Tensor,
    TensorSpec,
    TracedFunction,
    layout_of_leaf,
    overlap,
    shown_layout,
)


def same_objects(traced: TracedFunction, request: Request) -> tuple[int, ...]:
    """For each argument leaf, the first that is the same object; empty when no write can tell.

    Raises
    ------
    Break
        An argument that is written to overlaps another one, or what the function takes from
        outside: only running it step by step shows each write to the other.
    SignatureError
        It cannot be written to.
    """
    leaves = request.leaves
    dynamic = [i for i, leaf in enumerate(leaves) if traced.leaves[i].type is not None]
    dynamic = [i for i in dynamic if type(leaves[i]) is not TensorSpec]
    first: dict[int, int] = {}
    same = list(range(len(leaves)))
    for i in dynamic:
        same[i] = first.setdefault(id(leaves[i]), i)
    written = {same[i] for i in traced.mutated if i in dynamic}
    for i in sorted(written):
        _demand_writable(leaves[i], request, i)
        for j in dynamic:
            if same[j] != i and overlap(leaves[i], leaves[j]):
                raise _shared(request, i, f"argument {request.paths()[j]}")
        for source in request.found:
            if source is leaves[i] or overlap(leaves[i], source):
                raise _shared(request, i, "a tensor or array that it uses from outside")
    twins = any(same[j] in written and same[j] != j for j in dynamic)
    return tuple(same) if twins else ()


def demand_layouts(traced: TracedFunction, leaves: Sequence[Any]) -> None:
    """Demand that arguments lie in memory as those of the capture, where that matters.

    Raises
    ------
    SignatureError
        One does not.
    """
    for i in traced.layouts:
        layout, wanted = layout_of_leaf(leaves[i]), traced.leaves[i].layout
        if layout != wanted:
            raise SignatureError(
                f"{traced.graph.name}: {traced.paths[i]}: compiled for an argument "
                f"{shown_layout(wanted)}, got one {shown_layout(layout)}"
            )


def _shared(request: Request, i: int, other: str) -> Break:
    reason = (
        f"the function writes into argument {request.paths()[i]}, which shares memory with "
        f"{other}; pass a copy of one of them"
    )
    return Break(reason, error=SignatureError(reason))


def _demand_writable(leaf: Any, request: Request, i: int) -> None:
    if type(leaf) is Tensor or (isinstance(leaf, np.ndarray) and leaf.flags.writeable):
        return
    kind = "read-only array" if isinstance(leaf, np.ndarray) else type(leaf).__name__
    raise SignatureError(
        f"the function writes into argument {request.paths()[i]}, a {kind}, which cannot be "
        "written to; pass a copy that can, or a tensor"
    )
