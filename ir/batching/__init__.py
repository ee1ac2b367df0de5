"""Batching: ops and graphs applied to many rows at once; rules by family, loaded on first need."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from plait.ir.batching import define as define
from plait.ir.batching import graphs as graphs
from plait.ir.batching.define import define_batch as define_batch
from plait.ir.batching.define import move_axis as move_axis
from plait.ir.batching.define import move_to_front as move_to_front
from plait.ir.batching.define import to_front as to_front
from plait.ir.batching.define import with_batch_axis as with_batch_axis
from plait.ir.batching.define import without_rows as without_rows
from plait.ir.batching.graphs import apply_batched as apply_batched
from plait.ir.batching.graphs import batch_graph as batch_graph
from plait.ir.op import Op

FAMILIES = (
    "convolution",
    "creation",
    "cumulative",
    "custom",
    "effects",
    "encoding",
    "foreign",
    "indexing",
    "linear",
    "manipulation",
    "random",
    "reductions",
    "regions",
    "searching",
    "softmax",
)


@cache
def load() -> None:
    """Give the ops of all families their rules."""
    for family in FAMILIES:
        import_module(f"plait.ir.batching.{family}")


def rule_of(op: Op) -> Callable[..., Any] | None:
    """The rule of an op; None where it has none."""
    load()
    from plait.ir.batching.elementwise import rule_of as found

    rule: Callable[..., Any] | None = found(op)
    return rule
